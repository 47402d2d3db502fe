"""The commands of the official sheets. Heavy libraries are imported inside, so that `siaga --help` costs little."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.options import At, Fields, Output, Selector, split
from siaga.outcome import Format, Outcome

Place = Annotated[str, typer.Option("--place", help="Only what stands in this place, or inside it.")]
Agency = Annotated[str, typer.Option("--agency", help="Only what belongs to this agency.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-O", help="The file to write, .xlsx or .pdf; else rows are printed.")
]
Paper = Annotated[str, typer.Option("--paper", help="a4, or f4 (215 x 330 mm).")]
Province = Annotated[
    str, typer.Option("--province", help="For the letterhead; by default from the regency's Kemendagri code.")
]


def kib_b(
    selector: Selector = None,
    place: Place = "",
    agency: Agency = "",
    out: Out = None,
    paper: Paper = "a4",
    province: Province = "",
    output: Output = Format.table,
    fields: Fields = "",
    at: At = "",
) -> Outcome:
    """KIB B, equipment and machines: 16 columns, a sheet for each agency."""
    return _form("kib-b", selector, place, agency, out, paper, province, output, fields, at)


def kir(
    selector: Selector = None,
    place: Place = "",
    agency: Agency = "",
    out: Out = None,
    paper: Paper = "a4",
    province: Province = "",
    output: Output = Format.table,
    fields: Fields = "",
    at: At = "",
) -> Outcome:
    """KIR, the list that hangs in a room: 14 columns, a sheet for each room."""
    return _form("kir", selector, place, agency, out, paper, province, output, fields, at)


def kir_2021(
    selector: Selector = None,
    place: Place = "",
    agency: Agency = "",
    out: Out = None,
    paper: Paper = "a4",
    province: Province = "",
    output: Output = Format.table,
    fields: Fields = "",
    at: At = "",
) -> Outcome:
    """KIR as of Permendagri 47/2021: 12 columns, a sheet for each room."""
    return _form("kir-2021", selector, place, agency, out, paper, province, output, fields, at)


def kibar(
    selector: Selector = None,
    place: Place = "",
    agency: Agency = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-O", help="The .pdf to write; else rows are printed.")
    ] = None,
    paper: Paper = "a4",
    columns: Annotated[int, typer.Option("--columns", min=1, max=20, help="Labels side by side.")] = 3,
    rows: Annotated[int, typer.Option("--rows", min=1, max=50, help="Labels below each other.")] = 8,
    size: Annotated[str, typer.Option("--size", help="Width and height of a label in mm.")] = "70x37",
    gap: Annotated[str, typer.Option("--gap", help="Between labels, across and down, in mm.")] = "0x0",
    margin: Annotated[
        str,
        typer.Option("--margin", help="Left and above, in mm; by default the labels stand in the middle."),
    ] = "",
    skip: Annotated[
        int, typer.Option("--skip", min=0, help="Labels of the first sheet that are gone already.")
    ] = 0,
    borders: Annotated[
        bool, typer.Option("--borders", help="Print the labels' edges, to cut along.")
    ] = False,
    output: Output = Format.table,
    fields: Fields = "",
    at: At = "",
) -> Outcome:
    """KIBAR labels with a QR code, to stick on each item."""
    from report.exports.grid import Grid, sized
    from report.exports.order import Printing, Wanted
    from report.exports.service import make_labels

    left, top = sized(margin, "--margin") if margin else (None, None)
    grid = Grid(columns, rows, *sized(size, "--size"), *sized(gap, "--gap"), left, top, paper, skip, borders)
    wanted = Wanted(selector or (), place, agency)
    printing = Printing(_file(out), paper, "", output, split(fields))
    return _reading(
        lambda session, settings, now, then: make_labels(
            wanted, replace(printing, at=then), grid, session, settings, now
        ),
        at,
    )


def sia_spbe(
    place: Place = "",
    agency: Agency = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-O", help="The .xlsx to write; else rows are printed.")
    ] = None,
    output: Output = Format.table,
    fields: Fields = "",
    at: At = "",
) -> Outcome:
    """The architecture lists (SIA-SPBE): servers, network, security, rooms, services; a sheet for each."""
    from report.exports.order import Printing, Wanted
    from report.exports.service import make_architecture

    wanted = Wanted((), place, agency)
    printing = Printing(_file(out), "a4", "", output, split(fields))
    return _reading(
        lambda session, settings, now, then: make_architecture(
            wanted, replace(printing, at=then), session, settings, now
        ),
        at,
    )


def mount(app: typer.Typer) -> None:
    """Add the commands to `siaga export`."""
    app.command("kib-b")(kib_b)
    app.command("kir")(kir)
    app.command("kir-2021")(kir_2021)
    app.command("kibar")(kibar)
    app.command("sia-spbe")(sia_spbe)


def _form(
    name: str,
    selector: list[str] | None,
    place: str,
    agency: str,
    out: Path | None,
    paper: str,
    province: str,
    output: Format,
    fields: str,
    at: str,
) -> Outcome:
    from report.exports.order import Printing, Wanted
    from report.exports.service import make

    wanted = Wanted(selector or (), place, agency)
    printing = Printing(_file(out), paper, province, output, split(fields))
    return _reading(
        lambda session, settings, now, then: make(
            name, wanted, replace(printing, at=then), session, settings, now
        ),
        at,
    )


def _file(out: Path | None) -> Path | None:
    """Return the file to write; - means standard output here as everywhere, where rows go anyway."""
    return None if str(out) == "-" else out


def _reading(work: Callable[[Any, Any, datetime, datetime | None], Outcome], at: str) -> Outcome:
    """Do `work(session, settings, now, then)` on one moment of the inventory; `then` is None for now."""
    from inventory.noun_commands import engine_at
    from inventory.store import reading
    from siaga.clock import utc_now
    from siaga.settings import load

    settings = load()
    with reading(engine_at(settings, at)) as session:
        now = utc_now().replace(microsecond=0)
        return work(session, settings, now, _moment(session, settings, now, at))


def _moment(session: Any, settings: Any, now: datetime, at: str) -> datetime | None:
    """Return the moment that was asked for; that of a change set is when it was written."""
    from report.exports.store import last_change
    from siaga.clock import moment

    if not at:
        return None
    return last_change(session) if at.strip().startswith("set:") else moment(at, now, settings.timezone)
