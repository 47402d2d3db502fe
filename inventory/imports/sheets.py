"""What every source becomes: sheets. A noun, its columns, and rows with their line numbers.

Files become sheets in `reading`; the other sources (NetBox, Ansible, …) make sheets of what they take.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.nouns import Noun, noun
from siaga.errors import InvalidError, NotFoundError

MAX_ROWS = 1_048_576  # as many as a worksheet can hold
MAX_COLUMNS = 200
MAX_CELLS = 5_000_000  # about half a gigabyte
_HEADINGS = 30  # so many rows are searched for the titles

Line = tuple[int, tuple[Any, ...]]


@dataclass(frozen=True)
class Flaw:
    """A cell that cannot be taken: its row, the file's own title of its column, and why."""

    line: int
    title: str
    reason: str


@dataclass(frozen=True)
class Sheet:
    """One sheet: where it came from, the noun it names, its header, and (row number, cells) for each row.

    `titles` are the file's own column titles where they differ from the header, beside it one by one; errors
    name those. `flaws` are cells that a column map could not read: they are None in `rows`.
    """

    source: str
    noun: str
    header: tuple[str, ...]
    rows: tuple[Line, ...]
    titles: tuple[str, ...] = ()
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True)
class Raw:
    """A table as the file has it: its title, every line (row number, cells), and the merged ranges in it.

    `merged` holds (first row, last row, range), such as (1, 1, 'A1:H1'). `hidden`: nobody sees it who opens the file.
    """

    source: str
    title: str
    lines: tuple[Line, ...]
    merged: tuple[tuple[int, int, str], ...] = ()
    hidden: bool = False


@dataclass(frozen=True)
class Taken:
    """What a source gave: sheets to write, and sentences on what it held that has no home here."""

    sheets: list[Sheet]
    left: list[str] = field(default_factory=list)


def column_of(kind: Noun, title: str) -> str:
    """Return the field that a column title names, or the title's words as they would name one."""
    if title.startswith("var.") and "vars" in kind.attributes:
        return title
    name = title.strip().lower().replace(" ", "_").replace("-", "_")
    return "parent" if name == "kecamatan" and kind.name == "place" else name


def title_row(raw: Raw) -> int:
    """Return the row of the column titles where headings stand above them, else 0: the first row.

    It is the first of the first filled rows that names every key of the noun.
    """
    try:
        kind = noun(raw.title)
    except NotFoundError:
        return 0
    key = set(kind.auto if kind.auto else kind.key)
    filled = [line for line in raw.lines[:_HEADINGS] if any(map(is_filled, line[1]))]
    for row, cells in filled:
        named = {column_of(kind, c) for c in cells if isinstance(c, str)}
        if key <= named or "name" in named:
            return row if row != filled[0][0] else 0
    return 0


def sheet_of(raw: Raw, noun: str, header_row: int = 0) -> Sheet:
    """Return a table as a sheet: its header is row `header_row`, or the first row that holds something.

    Raises InvalidError (`bad-workbook`) for merged cells from the header on: what they mean in a table of rows
    nobody can tell.
    """
    found = below(raw, noun, header_row)
    if found.header:
        filled = (n for n, cells in raw.lines if n >= header_row and any(map(is_filled, cells)))
        _refuse_merged(raw, next(filled))
    return found


def below(raw: Raw, noun: str, header_row: int) -> Sheet:
    """Return a table as a sheet without a look at merged cells; see `sheet_of`."""
    filled = [(n, cells) for n, cells in raw.lines if n >= header_row and any(map(is_filled, cells))]
    if not filled or (header_row and filled[0][0] != header_row):
        return Sheet(raw.source, noun, (), ())
    header = ["" if c is None else str(c).strip() for c in filled[0][1]]
    while header and not header[-1]:
        header.pop()
    return Sheet(raw.source, noun, tuple(header), tuple(filled[1:]))


def _refuse_merged(raw: Raw, header_row: int) -> None:
    bad = [f"{raw.source}: cells {where} are merged" for _, last, where in raw.merged if last >= header_row]
    if bad:
        sentence = f"{raw.source} has merged cells: unmerge them, so that each row says everything itself."
        raise InvalidError("bad-workbook", sentence, bad[:100])


def is_filled(cell: Any) -> bool:
    """Tell whether a cell holds anything but blanks."""
    return cell is not None and (not isinstance(cell, str) or cell.strip() != "")


def from_rows(source: str, noun: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Sheet:
    """Make a sheet of rows that need not have the same fields; a field that a row lacks is left as it is."""
    places: dict[str, int] = {}
    lines: list[Line] = []
    for line, row in rows:
        cells: list[Any] = [None] * len(places)
        for name, value in row.items():
            at = places.setdefault(name, len(places))
            if at == len(cells):
                cells.append(value)
            else:
                cells[at] = value
        lines.append((line, tuple(cells)))
    return Sheet(source, noun, tuple(places), tuple(lines))
