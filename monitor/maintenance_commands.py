"""The commands on maintenance: windows of planned work, one-off or recurring, in which nobody is called."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from inventory.options import Fields, Output, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from sqlmodel import Session

    from monitor.models import Maintenance

app = typer.Typer(
    name="maintenance", help="Planned work: windows in which nobody is called.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="The window's name.")]
_COLUMNS = ("name", "open", "selector", "start", "end", "every", "devices", "ends_early", "who", "why")


@app.command("add")
def add(
    name: Name,
    selector: Annotated[
        list[str],
        typer.Argument(
            help="Which devices: a name, place.under=Mauk, agency=rsud-balaraja, role=ap tag:lantai-2."
        ),
    ],
    start: Annotated[
        str, typer.Option("--from", help="From when: a time, or 2h (from now). Default: now.")
    ] = "",
    until: Annotated[str, typer.Option("--until", help="Until when: a time, or 4h (from now).")] = "",
    every: Annotated[
        str, typer.Option("--every", help="Recurring, within that time: 'Sat 22.00-02.00; Sun 01.00-03.00'.")
    ] = "",
    ends_early: Annotated[
        bool,
        typer.Option("--ends-early", help="It ends once its devices were away and are back for 5 minutes."),
    ] = False,
    cause: Annotated[str, typer.Option("--cause", help="The job or change it is for.")] = "",
    why: Annotated[str, typer.Option("--why", help="The reason.")] = "",
) -> Outcome:
    """Plan a window. What is cut off while its devices are away is in it too.

    Example: siaga maintenance add ganti-ups place.under=Mauk --until 4h --ends-early --why "ganti baterai UPS"
    """
    from inventory.access import require_devices
    from inventory.select import joined, selected
    from inventory.store import labels, open_engine, session
    from monitor.models import Maintenance
    from siaga.clock import ahead, utc_now
    from siaga.errors import InvalidError, NotFoundError, UsageError
    from siaga.hours import hours
    from siaga.settings import load
    from siaga.text import safe

    settings, now = load(), utc_now()
    if every:
        hours(every, settings.timezone)
    elif not until:
        raise UsageError(
            "no-end", "Say until when, as --until 4h; only a window with --every may have no end."
        )
    begin = ahead(start, now, settings.timezone) if start else now
    end = ahead(until, now, settings.timezone) if until else None
    if end is not None and end <= begin:
        raise InvalidError("bad-window", "The window would end before it begins.")
    with session(open_engine(settings)) as writing:
        text = joined(selector)
        ids = selected(writing, "device", text)
        if not ids:
            raise NotFoundError("nothing-selected", f"No device matches '{safe(text)}'.")
        names = list(labels(writing, "device", ids).values())
        require_devices(writing, who(), settings.access, "operator", names)
        if _one(writing, name) is not None:
            raise InvalidError("window-exists", f"There is a window '{safe(name, 60)}' already.")
        writing.add(
            Maintenance(
                name=safe(name, 120),
                selector=text,
                start=begin,
                end=end,
                every=every,
                ends_early=ends_early,
                cause=safe(cause, 200),
                who=who(),
                why=safe(why, 200),
            )
        )
    return Outcome(
        messages=[f"The window '{safe(name, 60)}' takes in {len(ids)} devices, and what hangs on them."]
    )


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", "-a", help="Also those that are over.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List the windows that are open or to come."""
    from sqlmodel import select

    from inventory.store import open_engine, reading
    from monitor.maintenance import members
    from monitor.models import Maintenance
    from siaga.clock import utc_now
    from siaga.settings import load

    settings, now = load(), utc_now()
    with reading(open_engine(settings)) as session:
        found = session.exec(select(Maintenance).order_by(Maintenance.name)).all()
        rows = [_row(w, len(members(session, w)), now, settings.timezone) for w in found]
    rows = [r for r in rows if all_ or not r["over"]]
    columns = [Column(k, k) for k in _COLUMNS[:6]] + [Column(k, k, wide=True) for k in _COLUMNS[6:]]
    hint = [] if rows else ["No maintenance is planned."]
    return Outcome(rows, columns, hint, format=output, fields=split(fields))


def _row(window: "Maintenance", devices: int, now: Any, zone: str) -> dict[str, Any]:
    from monitor.maintenance import is_open

    ended = window.ended_at is not None and not window.every
    return {
        "name": window.name,
        "open": is_open(window, now, zone),
        "over": ended or (window.end is not None and window.end <= now),
        "selector": window.selector,
        "start": window.start,
        "end": window.end,
        "every": window.every,
        "devices": devices,
        "ends_early": window.ends_early,
        "ended_at": window.ended_at,
        "cause": window.cause,
        "who": window.who,
        "why": window.why,
    }


@app.command("end")
def end(name: Name) -> Outcome:
    """End a window now; a recurring one comes again at its next turn.

    Example: siaga maintenance end ganti-ups
    """
    return _changed(name, gone=False)


@app.command("rm")
def rm(name: Name) -> Outcome:
    """Remove a window, with all its turns to come."""
    return _changed(name, gone=True)


def _changed(name: str, *, gone: bool) -> Outcome:
    from inventory.access import require
    from inventory.store import open_engine, session
    from siaga.clock import utc_now
    from siaga.errors import NotFoundError
    from siaga.settings import load
    from siaga.text import safe

    settings = load()
    require(who(), settings.access, "operator")
    with session(open_engine(settings)) as writing:
        window = _one(writing, name)
        if window is None:
            sentence = f"There is no window '{safe(name, 60)}'; see 'siaga maintenance list --all'."
            raise NotFoundError("no-such-window", sentence)
        if gone:
            writing.delete(window)
        else:
            window.ended_at = utc_now()
            writing.add(window)
    return Outcome(messages=[f"The window '{safe(name, 60)}' {'is removed' if gone else 'has ended'}."])


def _one(session: "Session", name: str) -> "Maintenance | None":
    from sqlmodel import select

    from monitor.models import Maintenance

    return session.exec(select(Maintenance).where(Maintenance.name == name)).first()
