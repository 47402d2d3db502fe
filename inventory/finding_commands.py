"""`siaga finding`: what is wrong, who sees to it until when, whose risk it is. Nothing heavy is imported here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from inventory import complete
from inventory.options import Fields, Output, Why, split
from siaga.outcome import Column, Format, Outcome
from siaga.who import who

if TYPE_CHECKING:
    from sqlmodel import Session

    from inventory.history import Author
    from inventory.models_findings import Finding

app = typer.Typer(
    name="finding",
    help="Findings of compliance, audit and access, until they are mended.",
    no_args_is_help=True,
)
Number = Annotated[int, typer.Argument(help="The finding's number; 'siaga finding list' shows it.", min=1)]
Devices = Annotated[
    list[str] | None,
    typer.Argument(
        help="Which devices: role=router kecamatan=Mauk. Default: all, and what is on no device.",
        autocompletion=complete.selectors("device"),
    ),
]
STYLE = {
    **{("severity", k): v for k, v in {"critical": "bold red", "high": "red", "medium": "yellow"}.items()},
    **{("state", k): v for k, v in {"accepted": "magenta", "closed": "green"}.items()},
    ("overdue", "yes"): "red",
}


@app.command("list")
def list_(
    selector: Devices = None,
    all_: Annotated[bool, typer.Option("--all", "-a", help="Also closed ones and accepted risks.")] = False,
    source: Annotated[str, typer.Option("--source", help="Only of compliance, audit or access.")] = "",
    severity: Annotated[str, typer.Option("--severity", help="Only these: critical,high.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their day.")] = False,
    fail: Annotated[bool, typer.Option("--fail-on-findings", help="End with 6 if there are any.")] = False,
    output: Output = Format.table,
    fields: Fields = "",
) -> Outcome:
    """List what is wrong, the worst and oldest first.

    Examples: siaga finding list --severity critical,high · siaga finding list kecamatan=Mauk --overdue
    """
    from inventory.findings import SEVERITIES
    from inventory.findings_store import rows
    from inventory.store import open_engine, reading
    from siaga.clock import utc_now
    from siaga.errors import UsageError
    from siaga.settings import load
    from siaga.text import safe

    wanted = split(severity)
    if strange := [s for s in wanted if s not in SEVERITIES]:
        raise UsageError("bad-severity", f"'{safe(strange[0], 40)}' is none of {', '.join(SEVERITIES)}.")
    now, engine = utc_now(), open_engine(load())
    with reading(engine) as session:
        ids = _ids(session, selector) if selector else None
        states = ("open", "accepted", "closed") if all_ else ("open",)
        found = rows(session, now, device_ids=ids, source=source, states=states, severities=wanted)
    found = [r for r in found if r["overdue"] or not overdue]
    messages = [] if found else ["No findings."]
    return Outcome(
        found,
        columns(),
        messages,
        6 if fail and found else 0,
        format=output,
        fields=split(fields),
        style=STYLE,
    )


def columns() -> list[Column]:
    """Return how findings are shown in a list."""
    shown = ("id", "severity", "device", "subject", "title", "due", "owner")
    wide = ("state", "detail", "source", "rule", "article", "first_seen", "last_seen", "playbook", "overdue")
    return [*(Column(k, k) for k in shown), *(Column(k, k, wide=True) for k in wide)]


def _ids(session: "Session", selector: list[str]) -> list[int]:
    from inventory.select import meant
    from siaga.errors import NotFoundError
    from siaga.text import safe

    ids = meant(session, "device", selector)
    if not ids:
        raise NotFoundError("nothing-selected", f"No device matches '{safe(' '.join(selector), 80)}'.")
    return ids


@app.command("show")
def show(number: Number, output: Output = Format.table, fields: Fields = "") -> Outcome:
    """Show one finding with its evidence, who carries it, and what would mend it.

    Example: siaga finding show 12
    """
    from inventory.findings_store import one, row
    from inventory.models import Device
    from inventory.store import open_engine, reading
    from siaga.clock import utc_now
    from siaga.settings import load

    with reading(open_engine(load())) as session:
        found = one(session, number)
        device = session.get(Device, found.device_id) if found.device_id else None
        told = row(found, device.name if device else "", utc_now())
    mends = told["playbook"] and told["state"] != "closed"
    hint = [f"'siaga plan --from-finding {number}' plans what mends it."] if mends else []
    return Outcome([told], messages=hint, single=True, format=output, fields=split(fields))


@app.command("accept")
def accept(
    number: Number,
    until: Annotated[str, typer.Option("--until", help="Until when the risk is carried: 90d, 2027-03-31.")],
    why: Why = "",
) -> Outcome:
    """Carry the risk of a finding for a time: it is kept and shown as accepted, and opens again by itself.

    Example: siaga finding accept 12 --until 90d --why "menunggu penggantian perangkat tahun anggaran 2027"
    """
    from inventory.findings_store import accept as accepted
    from siaga.clock import ahead, shown, utc_now
    from siaga.errors import UsageError
    from siaga.settings import load

    if not why.strip():
        raise UsageError("no-reason", 'Say why the risk is carried, as --why "…": the auditor will ask.')
    settings = load()
    end = ahead(until, utc_now(), settings.timezone)
    _changed(number, "approver", why, lambda session, author: accepted(session, number, author, end))
    return Outcome(messages=[f"Finding {number} is accepted until {shown(end, settings.timezone)}."])


@app.command("assign")
def assign(
    number: Number,
    owner: Annotated[
        str, typer.Argument(help="Who sees to it: a person.", autocompletion=complete.names("person"))
    ] = "",
    due: Annotated[str, typer.Option("--due", help="By when: 14d, 2026-12-31.")] = "",
    why: Why = "",
) -> Outcome:
    """Say who sees to a finding, and by when.

    Example: siaga finding assign 12 "Budi Santoso" --due 14d
    """
    from zoneinfo import ZoneInfo

    from inventory.findings_store import assign as assigned
    from siaga.clock import ahead, utc_now
    from siaga.errors import UsageError
    from siaga.settings import load

    if not owner and not due:
        raise UsageError("nothing-said", "Say who sees to it, or by when with --due.")
    settings = load()
    day = (
        ahead(due, utc_now(), settings.timezone).astimezone(ZoneInfo(settings.timezone)).date()
        if due
        else None
    )
    found = _changed(
        number, "operator", why, lambda session, author: assigned(session, number, author, owner, day)
    )
    told = f"{found.owner or 'nobody'}, by {found.due or 'no day'}"
    return Outcome(messages=[f"Finding {number}: {told}."])


@app.command("close")
def close(number: Number, why: Why = "") -> Outcome:
    """Close a finding by hand: what no check will judge again, such as a login that was explained.

    One that a check can judge is closed by the check: if it is still so, it will be opened again.

    Example: siaga finding close 31 --why "login darurat, disetujui lewat telepon"
    """
    from inventory.findings_store import close as closed
    from siaga.errors import UsageError

    if not why.strip():
        raise UsageError("no-reason", 'Say why it is closed, as --why "…".')
    _changed(number, "approver", why, lambda session, author: closed(session, number, author))
    return Outcome(messages=[f"Finding {number} is closed."])


def _changed(number: int, role: str, why: str, work: "Callable[[Session, Author], Finding]") -> "Finding":
    from inventory.access import require
    from inventory.history import Author
    from inventory.store import open_engine, session
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    require(who(), settings.access, role)
    with session(open_engine(settings)) as writing:
        return work(writing, Author(who(), utc_now(), why, f"finding {number}"))
