"""The commands of custody, with those that print a BAST. Heavy libraries are imported inside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory import complete
from inventory.custody_commands import (
    Number,
    custody_cancel,
    custody_history,
    custody_list,
    custody_show,
    custody_sign,
    day,
)
from inventory.options import DryRun, Output
from siaga.outcome import Format, Outcome

Assets = Annotated[
    str,
    typer.Argument(
        metavar="ASSETS",
        help="Which assets, in one word: a label, or 'custodian=Ani place=Gudang'.",
        autocompletion=complete.selectors("asset"),
    ),
]
_people = complete.names("person")
_places = complete.names("place")
To = Annotated[str, typer.Option("--to", help="Who takes them.", autocompletion=_people)]
From = Annotated[
    str, typer.Option("--from", help="Who gives them; by default who holds them.", autocompletion=_people)
]
Place = Annotated[str, typer.Option("--place", help="Where they go.", autocompletion=_places)]
Reason = Annotated[str, typer.Option("--reason", help="What for; printed, and kept in the history.")]
Date = Annotated[str, typer.Option("--date", help="The day of the BAST; by default today.")]
Conditions = Annotated[
    list[str] | None,
    typer.Option("--condition", help="B, RR or RB for all, or LABEL=RR for one; by default as recorded."),
]
KnownBy = Annotated[
    str, typer.Option("--known-by", help="Who signs as having seen it (mengetahui).", autocompletion=_people)
]
MoveDevice = Annotated[
    bool, typer.Option("--move-device", help="Let the devices of the assets go to --place too.")
]
Out = Annotated[Path | None, typer.Option("--out", help="The PDF to write.")]


def custody_app() -> typer.Typer:
    """Return all commands of custody."""
    app = typer.Typer(
        name="custody", help="Handovers, returns and loans, with their BAST.", no_args_is_help=True
    )
    for name, command in (
        ("list", custody_list),
        ("show", custody_show),
        ("history", custody_history),
        ("handover", handover),
        ("loan", loan),
        ("return", return_),
        ("bast", bast),
        ("sign", custody_sign),
        ("cancel", custody_cancel),
    ):
        app.command(name)(command)
    return app


def handover(
    assets: Assets,
    to: To,
    place: Place = "",
    giver: From = "",
    reason: Reason = "",
    date: Date = "",
    condition: Conditions = None,
    known_by: KnownBy = "",
    move_device: MoveDevice = False,
    dry_run: DryRun = False,
    out: Out = None,
    output: Output = Format.table,
) -> Outcome:
    """Hand assets over to somebody, with a numbered BAST.

    Example: siaga custody handover 'place=Gudang' --to 'Budi Santoso' --place 'Kantor Mauk' --out bast.pdf
    """
    asked = {"kind": "handover", "taker": to, "giver": giver, "place": place, "reason": reason}
    more = {"known_by": known_by, "move_device": move_device}
    return _transfer(assets, {**asked, **more}, date, "", condition, out, output, dry_run=dry_run)


def loan(
    assets: Assets,
    to: To,
    due: Annotated[str, typer.Option("--due", help="The day by which they come back.")],
    place: Place = "",
    giver: From = "",
    reason: Reason = "",
    date: Date = "",
    condition: Conditions = None,
    known_by: KnownBy = "",
    move_device: MoveDevice = False,
    dry_run: DryRun = False,
    out: Out = None,
    output: Output = Format.table,
) -> Outcome:
    """Lend assets to somebody until a day, with a numbered BAST; a return closes the loan.

    Example: siaga custody loan R/0007 --to 'Budi Santoso' --due 2026-12-24 --out bast.pdf
    """
    asked = {"kind": "loan", "taker": to, "giver": giver, "place": place, "reason": reason}
    more = {"known_by": known_by, "move_device": move_device}
    return _transfer(assets, {**asked, **more}, date, due, condition, out, output, dry_run=dry_run)


def return_(
    assets: Assets,
    to: Annotated[
        str,
        typer.Option("--to", help="Who takes them back; by default who lent them.", autocompletion=_people),
    ] = "",
    place: Annotated[
        str,
        typer.Option(
            "--place", help="Where they go; by default where they were lent from.", autocompletion=_places
        ),
    ] = "",
    giver: From = "",
    reason: Reason = "",
    date: Date = "",
    condition: Conditions = None,
    known_by: KnownBy = "",
    move_device: MoveDevice = False,
    in_use: Annotated[
        bool, typer.Option("--in-use", help="They are used again at once, not stored.")
    ] = False,
    dry_run: DryRun = False,
    out: Out = None,
    output: Output = Format.table,
) -> Outcome:
    """Take assets back, on loan or handed over, with a numbered BAST.

    Example: siaga custody return R/0007 --condition RR --out bast.pdf
    """
    asked = {
        "kind": "return",
        "taker": to,
        "giver": giver,
        "place": place,
        "reason": reason,
        "in_use": in_use,
    }
    more = {"known_by": known_by, "move_device": move_device}
    return _transfer(assets, {**asked, **more}, date, "", condition, out, output, dry_run=dry_run)


def bast(
    number: Number,
    out: Annotated[Path, typer.Option("--out", help="The PDF to write.")],
    output: Output = Format.table,
) -> Outcome:
    """Print a BAST again, as it was recorded.

    Example: siaga custody bast 001/BAST/DISKOMINFO/XI/2026 --out bast.pdf
    """
    from report.bast import bast_pdf
    from siaga.settings import load

    _check_out(out)
    made = bast_pdf(load(), number, out)
    row = {
        "number": made.number,
        "kind": made.kind,
        "status": made.status,
        "assets": len(made.goods),
        "pdf": str(out),
    }
    return Outcome([row], single=True, format=output)


def _transfer(
    assets: str,
    asked: dict[str, Any],
    date: str,
    due: str,
    condition: Sequence[str] | None,
    out: Path | None,
    output: Format,
    *,
    dry_run: bool,
) -> Outcome:
    from inventory import custody, writes
    from inventory.custody_terms import Transfer
    from inventory.select import joined, selected
    from siaga.errors import NotFoundError
    from siaga.text import safe

    if out is not None:
        _check_out(out)
    until = day(due, "--due") if due else None
    transfer = Transfer(
        dated=day(date, "--date"), due=until, conditions=_conditions(condition or []), **asked
    )
    done: list[custody.Recorded] = []

    def work(session: Any, writer: Any, settings: Any) -> None:
        ids = selected(session, "asset", joined([assets]))
        if not ids:
            raise NotFoundError("nothing-selected", f"No asset matches '{safe(assets, 200)}'.")
        done.append(custody.record(session, settings, transfer, ids, writer.author))

    writes.write(work, dry_run=dry_run, why=transfer.reason)
    return _recorded(transfer, done[-1], out, output, dry_run=dry_run)


def _conditions(given: Sequence[str]) -> dict[str, str]:
    """Return asset → condition, '' standing for all, of words such as RR and R/0007=RB."""
    pairs = (text.rpartition("=") for text in given)
    return {asset.strip(): value.strip().upper() for asset, _, value in pairs}


def _check_out(out: Path) -> None:
    """Raise UsageError (`not-a-pdf`), NotFoundError (`no-such-directory`) before anything is written."""
    from siaga.errors import NotFoundError, UsageError

    if out.suffix.lower() != ".pdf":
        raise UsageError("not-a-pdf", f"A BAST is a PDF: '{out}' should end in .pdf.")
    if not out.absolute().parent.is_dir():
        raise NotFoundError(
            "no-such-directory", f"There is no directory {out.absolute().parent} for {out.name}."
        )


def _recorded(transfer: Any, done: Any, out: Path | None, output: Format, *, dry_run: bool) -> Outcome:
    from inventory.writes import diff_lines

    settled = done.settled
    row = {
        "number": done.number,
        "kind": transfer.kind,
        "dated": transfer.dated,
        "due": transfer.due,
        "from": settled.giver,
        "to": settled.taker,
        "from_place": settled.from_place,
        "to_place": settled.to_place,
        "assets": sum(d.noun == "custody_item" for d in done.diffs),
        "pdf": None,
    }
    messages = [f"warning: {w}" for w in done.warnings]
    if dry_run:
        text = "\n".join(diff_lines(done.diffs))
        told = f"Dry run: the BAST would be {done.number}; nothing was written."
        return Outcome([row], messages=[*messages, told], single=True, format=output, text=text)
    if out is not None:
        _print(done.number, out)
        row["pdf"] = str(out)
    hint = "" if out else f" Print it: siaga custody bast {done.number} --out FILE.pdf"
    return Outcome(
        [row], messages=[*messages, f"Recorded as {done.number}.{hint}"], single=True, format=output
    )


def _print(number: str, out: Path) -> None:
    """Print a BAST that was just recorded. Raises PartialError (`bast-not-printed`): the record stands."""
    from report.bast import bast_pdf
    from siaga.errors import PartialError, SiagaError
    from siaga.settings import load

    try:
        bast_pdf(load(), number, out)
    except SiagaError as error:
        raise PartialError(
            "bast-not-printed",
            f"{number} is recorded but could not be printed ({error.sentence.rstrip('.')}):"
            f" run 'siaga custody bast {number} --out FILE.pdf'.",
        ) from None
