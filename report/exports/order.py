"""An order for an official sheet: which assets, on what paper, to which file; and how these are read and written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session

from inventory import bmd
from inventory.exports.files import whole
from report.exports import goods
from report.exports import regency as regency_
from report.exports.goods import Item
from report.exports.regency import Regency
from siaga.errors import InvalidError, UsageError
from siaga.outcome import Format
from siaga.settings import Settings
from siaga.text import safe

PAPERS = ("a4", "f4")


@dataclass(frozen=True)
class Wanted:
    """Which assets: a selector's words, and a place (with all inside it) and an agency besides."""

    selector: Sequence[str] = ()
    place: str = ""
    agency: str = ""


@dataclass(frozen=True)
class Printing:
    """Where the sheet goes (None: rows to standard output), and how it looks there.

    `at`: the moment that the inventory is shown as of, where that is not now; it stands below the title.
    """

    out: Path | None = None
    paper: str = "a4"
    province: str = ""
    format: Format = Format.table
    fields: Sequence[str] = ()
    at: datetime | None = None


def checked(printing: Printing, suffixes: Sequence[str]) -> str:
    """Return the suffix of the file to write; raises UsageError for one that is not made, or a paper."""
    if printing.paper not in PAPERS:
        raise UsageError(
            "no-such-paper", f"There is no paper '{safe(printing.paper)}': use {' or '.join(PAPERS)}."
        )
    if printing.out is None:
        return ""
    suffix = printing.out.suffix.lower()
    if suffix not in suffixes:
        sentence = (
            f"'{safe(printing.out)}' should end in {' or '.join(suffixes)}; -o csv or -o json prints rows."
        )
        raise UsageError("unknown-format", sentence)
    return suffix


def chosen(
    wanted: Wanted, session: Session, settings: Settings, now: datetime
) -> tuple[list[Item], Regency, bmd.Codes]:
    """Return the assets wanted, the regency and the table of codes.

    Raises UsageError (`bad-selector`), NotFoundError, InvalidError (`bad-bmd-table`).
    """
    from inventory.select import joined, selected

    codes = bmd.load(settings.home)
    regency = regency_on(session, settings, now)
    ids = selected(session, "asset", joined(wanted.selector)) if wanted.selector else None
    found = goods.read(session, codes.title, ids)
    if wanted.agency:
        agency = regency.check_agency(wanted.agency)
        found = [i for i in found if i.agency == agency]
    if wanted.place:
        inside = regency.within(wanted.place)
        found = [i for i in found if i.place in inside]
    return found, regency, codes


def regency_on(session: Session, settings: Settings, now: datetime) -> Regency:
    """Return the regency as of today, where it lies."""
    return regency_.read(session, now.astimezone(ZoneInfo(settings.timezone)).date())


def bounded(count: int, most: int, what: str) -> None:
    """Raise InvalidError (`too-many-rows`) when a PDF would take too much memory."""
    if count > most:
        sentence = f"A PDF of {count} {what} would fill the memory (at most {most}): choose an --agency or a --place."
        raise InvalidError("too-many-rows", sentence)


def written(out: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises SiagaError (`cannot-write`)."""
    with whole(str(out)) as file:
        file.write(data)
