"""What every source becomes: sheets. A noun, its columns, and rows with their line numbers.

CSV and YAML files, workbooks and folders of CSV files are read here, from a path or from standard input; the other
sources (NetBox, Ansible, …) make sheets of what they take.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inventory.nouns import Noun, noun
from siaga.errors import InvalidError, NotFoundError, UsageError
from siaga.text import safe

MAX_ROWS = 1_048_576  # as many as a worksheet can hold
MAX_COLUMNS = 200
MAX_CELLS = 5_000_000  # about half a gigabyte
MAX_BYTES = 256 * 1024 * 1024
_HEADINGS = 30  # so many rows are searched for the titles
FORMATS = {".csv": "csv", ".tsv": "csv", ".yaml": "yaml", ".yml": "yaml", ".xlsx": "xlsx", ".xlsm": "xlsx"}
FOLDER = "folder"  # of CSV files, or a ZIP of them: what an export writes of several nouns

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


def read_sheets(source: str, noun: str = "", fmt: str = "") -> list[Sheet]:
    """Read a workbook (a sheet per noun), a CSV file (its name is the noun), a folder of them, or YAML.

    '-' is standard input. `noun` says what the rows of a CSV are, or which sheet of a workbook to read: the one
    called so, or the only one that it shows.
    Raises NotFoundError, UsageError or InvalidError (`bad-workbook`, `own-table`) with one sentence.
    """
    return sheets_of(source, *opened(source, fmt), noun)


def sheets_of(source: str, name: str, octets: bytes, fmt: str, noun: str = "") -> list[Sheet]:
    """Return the sheets of what was read already; see `read_sheets`."""
    if fmt == "yaml":
        from inventory.imports.yaml_file import read_yaml

        return [s for s in read_yaml(name, octets) if noun in ("", s.noun)]
    from inventory.imports.own_table import check_own

    raws = read_raw(name, octets, fmt, noun)
    if fmt == "csv":
        raws = [replace(r, title=noun or _stem(source)) for r in raws]
    elif noun and len(raws) == 1:
        raws = [replace(raws[0], title=noun)]
    elif not noun:
        _refuse_hidden(name, raws)
    rows = [title_row(r) for r in raws]
    check_own(source, raws, [_below(r, r.title, row) for r, row in zip(raws, rows, strict=True)], bool(noun))
    return [sheet_of(r, r.title, row) for r, row in zip(raws, rows, strict=True)]


def read_raw(name: str, octets: bytes, fmt: str, only: str = "") -> list[Raw]:
    """Read the tables of a CSV file, a folder or a workbook as they are; raises InvalidError (`bad-workbook`)."""
    if fmt == "csv":
        from inventory.imports.csv_file import read_csv

        return [read_csv(name, octets)]
    if fmt == FOLDER:
        from inventory.imports.folder import read_folder

        return list(read_folder(name, octets, only))
    from inventory.imports.xlsx import read_workbook

    return list(read_workbook(name, octets, only))


def _refuse_hidden(name: str, raws: Sequence[Raw]) -> None:
    """Refuse rows that nobody sees who opens the file; hidden rows of a shown sheet are data (a filter hides them)."""
    hidden = [r.title for r in raws if r.hidden and r.lines]
    if hidden:
        listed = ", ".join(f"'{safe(t, 60)}'" for t in hidden)
        raise InvalidError(
            "bad-workbook",
            f"{name} has hidden sheets with rows: {listed}. Show or delete them, or name the one to read with --noun.",
        )


def opened(source: str, fmt: str = "") -> tuple[str, bytes, str]:
    """Return name, octets and format of a file, or of standard input ('-', CSV unless `fmt` says otherwise).

    Raises NotFoundError (`no-such-file`), UsageError (`unknown-format`) or InvalidError (`bad-workbook`).
    """
    if fmt not in ("", *FORMATS.values()):
        raise UsageError("unknown-format", f"'{fmt}' is no format: csv, xlsx or yaml.")
    if source == "-":
        return "stdin", _bounded("stdin", sys.stdin.buffer.read(MAX_BYTES + 1)), fmt or "csv"
    path = Path(source)
    if path.is_dir():
        from inventory.imports.folder import packed

        return path.name or str(path), packed(path), FOLDER
    octets = file_octets(path)
    suffix = path.suffix.lower()
    if not fmt and suffix == ".zip":
        return path.name, octets, FOLDER
    if not fmt and suffix not in FORMATS:
        raise UsageError("unknown-format", _unknown_format(path.name, octets))
    return path.name, octets, fmt or FORMATS[suffix]


def _unknown_format(name: str, octets: bytes) -> str:
    from inventory.imports.signature import foreign

    kind = foreign(octets)
    if kind:
        return f"{name} is {kind.what}: {kind.advice}."
    return f"{name} is neither .csv, .xlsx nor .yaml: say which with --format."


def file_octets(path: Path) -> bytes:
    """Return what a file holds; raises NotFoundError (`no-such-file`) or InvalidError (`bad-workbook`)."""
    try:
        if path.is_dir():
            raise InvalidError("bad-workbook", f"{path} is a directory, not a file.")
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(str(path))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise NotFoundError("no-such-file", f"{path} cannot be read: {reason}.") from None


def _bounded(name: str, octets: bytes) -> bytes:
    if len(octets) > MAX_BYTES:
        raise _too_large(name)
    return octets


def _too_large(name: str) -> InvalidError:
    return InvalidError(
        "bad-workbook", f"{name} is larger than {MAX_BYTES // 2**20} MiB: split it and import the parts."
    )


def _stem(source: str) -> str:
    if source == "-":
        raise UsageError("no-noun", "Say with --noun what the rows of stdin are, such as --noun device.")
    return Path(source).stem


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
    found = _below(raw, noun, header_row)
    if found.header:
        filled = (n for n, cells in raw.lines if n >= header_row and any(map(is_filled, cells)))
        _refuse_merged(raw, next(filled))
    return found


def _below(raw: Raw, noun: str, header_row: int) -> Sheet:
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
