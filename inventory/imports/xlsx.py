"""Reads workbooks (OOXML, ECMA-376): which sheets there are, their texts and which cells are dates.

Of our own because the library's reader took 12 to 15 s for 290,000 rows, and does not say which cells are merged;
this one takes 4 s, in bounded memory. Cells are read by xlsx_cells.py. openpyxl is the oracle of the tests.
"""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from inventory.imports.sheets import MAX_CELLS, Raw
from inventory.imports.signature import instead_of_workbook
from inventory.imports.xlsx_cells import Book, Damaged, Held, cells, documents
from inventory.nouns import noun
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
MAX_PART_BYTES = 32 * 1024 * 1024
MAX_SHEETS = 200
_BROKEN = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, NotImplementedError)
# Built-in number formats that show a date or a time (ECMA-376 part 1, 18.8.30, with its East Asian ones).
_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]')


@dataclass(frozen=True)
class _Tab:
    title: str
    part: str
    hidden: bool = False


def read_workbook(name: str, octets: bytes, only: str = "") -> Iterator[Raw]:
    """Yield the sheets of a workbook as tables, or the one called `only`, or else the only one that it shows.

    Raises InvalidError (`bad-workbook`): no workbook, damaged, protected, too large, or with cells that hold
    errors or formulas that were never computed; `problems` then lists them.
    """
    kind = instead_of_workbook(octets)
    if kind:
        raise InvalidError("bad-workbook", f"{name} is no workbook, it is {kind.what}: {kind.advice}.")
    try:
        with zipfile.ZipFile(BytesIO(octets)) as archive:
            yield from _sheets(name, archive, only)
    except Damaged as error:
        raise InvalidError("bad-workbook", f"{name} cannot be read: {error}.") from None
    except RuntimeError:  # what zipfile says of an encrypted member
        raise InvalidError("bad-workbook", f"{name} is protected by a password: save it without.") from None
    except _BROKEN as error:
        raise InvalidError("bad-workbook", f"{name} is not a readable workbook: {error}.") from None


def _sheets(name: str, archive: zipfile.ZipFile, only: str) -> Iterator[Raw]:
    _refuse_bomb(archive)
    tabs, epoch_1904 = _tabs(archive)
    held = Held()
    book = Book(_strings(archive, held), _date_styles(archive), epoch_1904, held)
    problems: list[str] = []
    for tab in _meant(name, tabs, only) if only else tabs:
        source = f"{name}, sheet '{tab.title}'"
        with archive.open(tab.part) as stream:
            table = cells(source, stream, book)
        problems += table.problems
        yield Raw(source, tab.title, tuple(table.lines), tuple(table.merged), tab.hidden)
    if problems:
        raise InvalidError(
            "bad-workbook",
            "The workbook holds formulas that were never computed, errors or rounded numbers:"
            " open it in a spreadsheet, mend them and save it again.",
            problems[:100],
        )


def _meant(name: str, tabs: list[_Tab], only: str) -> list[_Tab]:
    """Return the sheet called `only` (as a noun may be: Devices is device), or the only one that is shown."""
    called = [t for t in tabs if _same(t.title, only)]
    shown = [t for t in tabs if not t.hidden]
    if called or len(shown) == 1:
        return called[:1] or shown
    titles = ", ".join(f"'{safe(t.title, 60)}'" for t in tabs)
    raise InvalidError("bad-workbook", f"{name} has no sheet called '{safe(only, 60)}'; it has {titles}.")


def _same(title: str, only: str) -> bool:
    try:
        return noun(title) is noun(only)
    except NotFoundError:
        return title.strip().casefold() == only.strip().casefold()


def _refuse_bomb(archive: zipfile.ZipFile) -> None:
    size = sum(i.file_size for i in archive.infolist())
    if size > MAX_UNPACKED_BYTES:
        raise Damaged(f"it unpacks to {size // 2**20:,} MiB, more than {MAX_UNPACKED_BYTES // 2**20:,}")


def _tabs(archive: zipfile.ZipFile) -> tuple[list[_Tab], bool]:
    """Return the worksheets in the order of the tabs, and whether days count from 1904."""
    targets = {
        a["Id"]: a["Target"]
        for tag, a, _ in documents(_part(archive, "xl/_rels/workbook.xml.rels"))
        if tag == "Relationship" and a.get("Type", "").endswith("/worksheet") and "Id" in a and "Target" in a
    }
    tabs, epoch_1904 = [], False
    for tag, attributes, _ in documents(_part(archive, "xl/workbook.xml")):
        if tag == "sheet" and attributes.get("id", "") in targets:
            tabs.append(
                _Tab(attributes.get("name", ""), _place(targets[attributes["id"]]), _hidden(attributes))
            )
        elif tag == "workbookPr":
            epoch_1904 = attributes.get("date1904", "0") in ("1", "true")
    if len(tabs) > MAX_SHEETS:
        raise Damaged(f"it has {len(tabs)} sheets, more than {MAX_SHEETS}")
    return tabs, epoch_1904


def _hidden(attributes: dict[str, str]) -> bool:
    return attributes.get("state", "visible") != "visible"  # hidden, or veryHidden: only a macro shows it


def _place(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _part(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open one of the small parts: a book's tabs and styles are never as large as its cells."""
    if archive.getinfo(name).file_size > MAX_PART_BYTES:
        raise Damaged(f"its part {name} unpacks to more than {MAX_PART_BYTES // 2**20} MiB")
    return archive.open(name)


def _strings(archive: zipfile.ZipFile, held: Held) -> list[str]:
    """Return the shared texts; the readings beside Japanese ones (rPh) are no part of them."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    found: list[str] = []
    for tag, _, text in documents(archive.open("xl/sharedStrings.xml")):
        if tag == "si":
            found.append(held.text(text))
            if len(found) > MAX_CELLS:
                raise Damaged(f"it has more than {MAX_CELLS:,} texts")
    return found


def _date_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """Return the style numbers, as cells name them, whose number format shows a date or a time."""
    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    own: dict[str, bool] = {}
    dates: set[str] = set()
    count, inside = 0, False
    for tag, attributes, _ in documents(_part(archive, "xl/styles.xml")):
        if tag == "numFmt":
            own[attributes.get("numFmtId", "")] = shows_date(attributes.get("formatCode", ""))
        elif tag in ("cellXfs", "cellStyleXfs"):
            inside = tag == "cellXfs"
        elif tag == "xf" and inside:
            number = attributes.get("numFmtId", "0")
            if own.get(number, number.isdigit() and int(number) in _DATES):
                dates.add(str(count))
            count += 1
    return frozenset(dates)


def shows_date(code: str) -> bool:
    """Tell whether a number format's code shows a date or time: d, m, y, h or s outside of what is literal."""
    return any(c in "dmyhs" for c in _LITERAL.sub("", code.partition(";")[0]).lower())
