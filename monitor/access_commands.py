"""`siaga access`: windows in which third parties may log in. Nothing heavy is imported up here."""

from typing import Annotated

import typer

from inventory import complete
from inventory.options import Fields, Output, Why, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

app = typer.Typer(name="access", help="Windows in which third parties may log in.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The window's name.")]


@app.command("add")
def add(
    name: Name,
    person: Annotated[
        str,
        typer.Argument(
            help="Who may log in: a person of a provider.", autocompletion=complete.names("person")
        ),
    ],
    selector: Annotated[
        list[str],
        typer.Argument(
            help="Where: rtr-mauk, role=olt, place.under=Mauk.", autocompletion=complete.selectors("device")
        ),
    ],
    until: Annotated[str, typer.Option("--until", help="Until when: a time, or 4h (from now).")],
    approved_by: Annotated[
        str,
        typer.Option(
            "--approved-by",
            help="Who allows it: a person of the regency.",
            autocompletion=complete.names("person"),
        ),
    ],
    start: Annotated[
        str, typer.Option("--from", help="From when: a time, or 2h (from now). Default: now.")
    ] = "",
    login: Annotated[
        str, typer.Option("--login", help="The user name they come with. Default: their recorded accounts.")
    ] = "",
    why: Why = "",
) -> Outcome:
    """Let somebody of a third party log in for a time. A login of theirs that syslog tells of outside is a finding.

    Example: siaga access add pasang-olt "Andi Vendor" olt-mauk --until 4h --approved-by "Budi Santoso" --login vendor1
    """
    from inventory.access import require_devices
    from inventory.history import Author
    from inventory.models_findings import AccessWindow
    from inventory.select import joined, selected
    from inventory.store import labels, open_engine, session
    from monitor.access.store import add as added
    from monitor.access.store import approver
    from siaga.clock import ahead, shown, utc_now
    from siaga.errors import InvalidError
    from siaga.settings import load
    from siaga.text import safe

    settings, now = load(), utc_now()
    begin = ahead(start, now, settings.timezone) if start else now
    end = ahead(until, now, settings.timezone)
    if end <= begin:
        raise InvalidError("bad-window", "The window would end before it begins.")
    with session(open_engine(settings)) as writing:
        text = joined(selector)
        names = labels(writing, "device", selected(writing, "device", text)).values()
        require_devices(writing, who(), settings.access, "approver", list(names))
        row = AccessWindow(
            name=safe(name, 120),
            person=person,
            login=safe(login, 64),
            selector=text,
            start=begin,
            end=end,
            approved_by=approver(writing, approved_by),
            why=safe(why, 200),
        )
        number = added(writing, Author(who(), now, why, f"access {name}"), row)
    told = f"{person} may log in at {number} device{'' if number == 1 else 's'} until {shown(end, settings.timezone)}."
    return Outcome(messages=[told])


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", "-a", help="Also those that are over.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List the windows that are open or to come."""
    from inventory.store import open_engine, reading
    from monitor.access.store import windows
    from siaga.clock import utc_now
    from siaga.settings import load

    with reading(open_engine(load())) as session:
        rows = windows(session, utc_now(), all_=all_)
    shown = ("name", "state", "person", "provider", "devices", "start", "end", "approved_by")
    columns = [
        *(Column(k, k) for k in shown),
        *(Column(k, k, wide=True) for k in ("login", "closed_at", "why")),
    ]
    if output is Format.table:
        rows = [{**r, "devices": _some(r["devices"])} for r in rows]
    hint = [] if rows else ["No third party may log in now."]
    style = {("state", "open"): "bold yellow", ("state", "to come"): "cyan"}
    return Outcome(rows, columns, hint, format=output, fields=split(fields), style=style)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


@app.command("close")
def close(name: Name, why: Why = "") -> Outcome:
    """End a window now.

    Example: siaga access close pasang-olt --why "pekerjaan selesai"
    """
    from inventory.access import require
    from inventory.history import Author
    from inventory.store import open_engine, session
    from monitor.access.store import close as closed
    from siaga.clock import utc_now
    from siaga.settings import load
    from siaga.text import safe

    settings = load()
    require(who(), settings.access, "operator")
    with session(open_engine(settings)) as writing:
        closed(writing, Author(who(), utc_now(), why, f"access {name}"), name)
    return Outcome(messages=[f"The window '{safe(name, 60)}' is closed."])
