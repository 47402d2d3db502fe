"""Reads files into sheets: CSV and YAML, workbooks and folders of CSV files, from a path or from standard input."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inventory.imports.octets import MAX_BYTES, bounded, file_octets
from inventory.imports.sheets import Raw, Sheet, below, sheet_of, title_row
from siaga.errors import InvalidError, UsageError
from siaga.text import safe

FORMATS = {".csv": "csv", ".tsv": "csv", ".yaml": "yaml", ".yml": "yaml", ".xlsx": "xlsx", ".xlsm": "xlsx"}
FOLDER = "folder"  # of CSV files, or a ZIP of them: what an export writes of several nouns


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
    check_own(source, raws, [below(r, r.title, row) for r, row in zip(raws, rows, strict=True)], bool(noun))
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
        return "stdin", bounded("stdin", sys.stdin.buffer.read(MAX_BYTES + 1)), fmt or "csv"
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


def _stem(source: str) -> str:
    if source == "-":
        raise UsageError("no-noun", "Say with --noun what the rows of stdin are, such as --noun device.")
    return Path(source).stem
