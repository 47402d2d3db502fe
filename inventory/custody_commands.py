"""Commands of what is held by whom: list, show, sign and cancel a BAST.

Those that print one are on the report floor. Nothing heavy is imported up here: `siaga --help` must cost little.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.noun_commands import history_of, list_rows
from inventory.options import At, DryRun, Fields, Output, Selector, Since, split
from siaga.outcome import Column, Format, Outcome

Number = Annotated[str, typer.Argument(help="The BAST's number, such as 001/BAST/DISKOMINFO/XI/2026.")]


def day(text: str, option: str) -> Any:
    """Return a date of an option, today for ''; raises UsageError (`bad-date`)."""
    from datetime import date
    from zoneinfo import ZoneInfo

    from siaga.clock import JAKARTA, utc_now
    from siaga.errors import UsageError
    from siaga.text import safe

    if not text:
        return utc_now().astimezone(ZoneInfo(JAKARTA)).date()
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        sentence = f"{option} is '{safe(text, 40)}', must be a date such as 2026-12-31."
        raise UsageError("bad-date", sentence) from None


def reading() -> Any:
    """Open the inventory for reading."""
    from inventory import store
    from siaga.settings import load

    return store.reading(store.open_engine(load()))


def columns(*shown: str, wide: Sequence[str] = (), right: Sequence[str] = ()) -> list[Column]:
    """Return columns headed by their keys."""
    return [Column(k, k, wide=k in wide, right=k in right) for k in (*shown, *wide)]


def custody_list(
    selector: Selector = None,
    output: Output = Format.table,
    fields: Fields = "",
    at: At = "",
    since: Since = "",
) -> Outcome:
    """List handovers, returns and loans."""
    return list_rows("custody", selector or [], output, fields, at=at, since=since)


def custody_history(number: Number, output: Output = Format.table, since: Since = "") -> Outcome:
    """Show who changed a BAST's record, when, why and how."""
    return history_of("custody", number, output, since=since)


def custody_show(number: Number, output: Output = Format.table, fields: Fields = "") -> Outcome:
    """Show a BAST as it was recorded: people, goods and conditions of that day.

    Example: siaga custody show 001/BAST/DISKOMINFO/XI/2026
    """
    from dataclasses import asdict

    from inventory.custody_record import recorded

    with reading() as session:
        bast = recorded(session, number)
    row = {k: v for k, v in asdict(bast).items() if k != "agencies"}
    text = None if fields else _bast_text(bast)
    return Outcome([row], single=True, format=output, fields=split(fields), text=text)


def _bast_text(bast: Any) -> str:
    from siaga.render import cell

    def party(one: Any) -> str:
        return ", ".join(p for p in (one.name, one.nip and f"NIP {one.nip}", one.position, one.unit) if p)

    told = {
        "number": bast.number,
        "kind": bast.kind,
        "status": bast.status,
        "dated": bast.dated,
        "due": bast.due,
        "from": party(bast.giver),
        "to": party(bast.taker),
        "known by": party(bast.known_by) if bast.known_by else "",
        "from place": bast.from_place,
        "to place": bast.to_place,
        "reason": bast.reason,
        "sha256": bast.sha256,
    }
    lines = [f"{k:<12}{cell(v)}" for k, v in told.items() if v]
    lines += ["", f"{len(bast.goods)} asset{'s' if len(bast.goods) != 1 else ''}"]
    goods = ((g.asset, g.title, g.make, g.serial, g.condition) for g in bast.goods)
    return "\n".join([*lines, *("  " + "  ".join(cell(v) for v in g if v) for g in goods)])


def custody_sign(
    number: Number,
    file: Annotated[Path, typer.Option("--file", help="The signed document: a scan, or an e-signed PDF.")],
    date: Annotated[str, typer.Option("--date", help="The day it was signed; by default today.")] = "",
    dry_run: DryRun = False,
) -> Outcome:
    """Record the signed document of a BAST by its SHA-256.

    The file itself stays where it is; its digest is kept with the BAST and among the evidence.

    Example: siaga custody sign 001/BAST/DISKOMINFO/XI/2026 --file bast-001.pdf --date 2026-11-24
    """
    from inventory import writes
    from inventory.custody_end import digest_of, sign

    signed_on, digest = day(date, "--date"), digest_of(file)
    writes.write(
        lambda _session, writer, _settings: sign(writer, number, digest, signed_on),
        dry_run=dry_run,
        why=f"signed: {file.name}",
    )
    return Outcome(
        messages=[f"{number} {'would be' if dry_run else 'is'} signed, of {signed_on}: SHA-256 {digest}."]
    )


def custody_cancel(
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the history.")],
    dry_run: DryRun = False,
) -> Outcome:
    """Cancel a BAST that is not signed, and take back what it changed.

    Its number stays used, so that the numbers have no gap.
    """
    from inventory import writes
    from inventory.custody_end import cancel

    diffs, _ = writes.write(
        lambda _session, writer, _settings: cancel(writer, number), dry_run=dry_run, why=reason
    )
    back = sum(d.noun in ("asset", "device") for d in diffs)
    done = "would be" if dry_run else "is"
    return Outcome(messages=[f"{number} {done} cancelled; rows set back: {back}."])
