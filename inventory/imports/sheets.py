"""Reads workbooks (XLSX) and CSV files into sheets: a noun, its columns, and rows with their line numbers."""

import csv
import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from siaga.errors import InvalidError, NotFoundError, UsageError

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_BYTES = 64 * 1024 * 1024
MAX_UNPACKED_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Sheet:
    """One sheet: where it came from, the noun it names, its header, and (row number, cells) for each row."""

    source: str
    noun: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Any, ...]], ...]


def read_sheets(source: str, noun: str = "") -> list[Sheet]:
    """Read a .xlsx (a sheet per noun) or a .csv file (its name is the noun, or `noun`); '-' is CSV on stdin.

    Raises NotFoundError, UsageError or InvalidError (`bad-workbook`) with one sentence.
    """
    if source == "-":
        return [_csv_sheet("stdin", sys.stdin.read(MAX_BYTES), noun or _no_noun("stdin"))]
    path = Path(source)
    _check_file(path)
    if path.suffix.lower() == ".csv":
        return [_csv_sheet(path.name, _text(path), noun or path.stem)]
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return list(_workbook(path, noun))
    raise UsageError("unknown-format", f"{path.name} is neither .xlsx nor .csv.")


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise NotFoundError("no-such-file", f"{path} cannot be read: {error.strerror}.") from None
    if size > MAX_BYTES:
        raise InvalidError("bad-workbook", f"{path} is larger than {MAX_BYTES // 2**20} MiB.")


def _no_noun(source: str) -> str:
    raise UsageError("no-noun", f"Say with --noun what the rows of {source} are, such as --noun device.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError("bad-workbook", f"{path} is not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise NotFoundError("no-such-file", f"{path} cannot be read: {error.strerror}.") from None


def _csv_sheet(name: str, text: str, noun: str) -> Sheet:
    # Spreadsheets of Indonesian locale write ; because the comma is the decimal sign.
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True
    )
    try:
        lines = [(reader.line_num, tuple(row)) for row in reader]
    except csv.Error as error:
        raise InvalidError("bad-workbook", f"{name}, line {reader.line_num}: {error}.") from None
    return _sheet(name, noun, lines)


def _workbook(path: Path, only: str) -> Iterator[Sheet]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, ParseError, OSError) as error:
        raise InvalidError("bad-workbook", f"{path} is not a readable workbook: {error}.") from None
    try:
        _refuse_formulas(path)
        for tab in book.worksheets:
            if only and tab.title != only:
                continue
            rows = enumerate(tab.iter_rows(values_only=True, max_col=MAX_COLUMNS, max_row=MAX_ROWS + 1), 1)
            yield _sheet(f"{path.name}, sheet '{tab.title}'", tab.title, list(rows))
    except (KeyError, ValueError, ParseError, zipfile.BadZipFile) as error:
        raise InvalidError("bad-workbook", f"{path} is damaged: {error}.") from None
    finally:
        book.close()


def _refuse_formulas(path: Path) -> None:
    """Refuse cells whose formula was never computed: they would be read as empty. Raises InvalidError.

    A workbook saved by a spreadsheet holds each formula's value; one written by a program may not.
    """
    from openpyxl import load_workbook

    with zipfile.ZipFile(path) as archive:
        infos = [i for i in archive.infolist() if i.filename.startswith("xl/worksheets/")]
        if sum(i.file_size for i in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise InvalidError(
                "bad-workbook", f"{path} unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB."
            )
        if not any(b"<f" in archive.read(i) for i in infos):
            return
    with path.open("rb") as one, path.open("rb") as other:
        formulas, values = (
            load_workbook(one, read_only=True),
            load_workbook(other, read_only=True, data_only=True),
        )
        problems = [
            f"{path.name}, sheet '{tab.title}', row {cell.row}, cell {cell.coordinate}: a formula without a value"
            for tab in formulas.worksheets
            for row, computed in zip(
                tab.iter_rows(), values[tab.title].iter_rows(values_only=True), strict=False
            )
            for cell, value in zip(row, computed, strict=False)
            if value is None and cell.data_type == "f"
        ]
    if problems:
        sentence = "The workbook holds formulas that were never computed: open it in a spreadsheet and save it again."
        raise InvalidError("bad-workbook", sentence, problems[:100])


def _sheet(source: str, noun: str, lines: Sequence[tuple[int, tuple[Any, ...]]]) -> Sheet:
    filled = [(n, cells) for n, cells in lines if any(_filled(c) for c in cells)]
    if not filled:
        return Sheet(source, noun, (), ())
    if len(filled) > MAX_ROWS:
        raise InvalidError("bad-workbook", f"{source} has more than {MAX_ROWS} rows.")
    header = [str(c).strip() if c is not None else "" for c in filled[0][1]]
    while header and not header[-1]:
        header.pop()
    return Sheet(source, noun, tuple(header), tuple(filled[1:]))


def _filled(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""
