"""Writes tables as a workbook (XLSX): a sheet for each noun, typed cells, frozen header, filter, fitting widths.

Texts are texts: no formula, link or number is ever made of one, and what begins like a formula bears Excel's
own mark for "this is text" (quotePrefix), so that editing the cell leaves it one. A line ends with LF alone.
What a spreadsheet would round (whole numbers of more than 15 digits, times finer than a second) stands as text
and is read back from it exactly.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import chain, islice
from tempfile import TemporaryDirectory
from typing import Any, cast

import xlsxwriter

from inventory.exports import cells
from inventory.exports.files import whole
from inventory.exports.progress import Counted, Progress
from inventory.exports.tables import Row, Table, flat
from siaga.errors import InvalidError

# Excel specifications and limits (Microsoft).
MAX_ROWS = 1_048_575  # without the header
MAX_TEXT = 32_767
_EXACT = 10**15
_FIRST_DATE = date(1900, 3, 1)  # before it Excel counts a 29 February 1900 that never was
_MEASURED = 500
_WIDEST = 60
_PROGRESS_EVERY = 2_000
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_ESCAPE = re.compile(r"_x[0-9A-Fa-f]{4}_")
_Put = Callable[[int, int, Any], object]


def write_xlsx(tables: Sequence[Table], target: str, *, at: datetime, progress: Progress = None) -> str:
    """Write one workbook to a file or '-', and return its SHA-256. The same rows and time give the same octets.

    Raises SiagaError (`cannot-write`), InvalidError (`too-large-for-xlsx`).
    """
    for table in tables:
        if table.count > MAX_ROWS:
            raise InvalidError(
                "too-large-for-xlsx",
                f"A sheet holds {MAX_ROWS} rows, {table.noun} has {table.count}: export CSV or YAML.",
            )
    counted = Counted(tables, progress)
    with whole(target) as file, _book(file) as book:
        book.set_properties({"created": at.replace(tzinfo=None), "comments": "siaga inventory"})
        formats = _Formats(book)
        for table in tables:
            _sheet(book, flat(table), formats, counted)
        book.close()
    return file.sha256


@contextmanager
def _book(file: Any) -> Iterator[Any]:
    """Make a workbook whose rows wait in a directory of ours, which goes away whatever happens."""
    with TemporaryDirectory(prefix="siaga-xlsx-") as aside:
        book = xlsxwriter.Workbook(file, {**_OPTIONS, "tmpdir": aside})
        try:
            yield book
        finally:
            for sheet in book.worksheets():
                sheet.row_data_fh.close()


class _Formats:
    """The cell formats of one workbook."""

    def __init__(self, book: Any) -> None:
        self.header = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E7E6E6"})
        self.text = book.add_format({"quote_prefix": True})
        self.whole = book.add_format({"num_format": "0"})
        self.date = book.add_format({"num_format": "yyyy-mm-dd"})
        self.time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})


def _sheet(book: Any, table: Table, formats: _Formats, counted: Counted) -> None:
    sheet = book.add_worksheet(table.noun)
    rows = table.rows()
    first = list(islice(rows, _MEASURED))
    for at, width in enumerate(_widths(table, first)):
        sheet.set_column(at, at, width)
    sheet.freeze_panes(1, table.key)
    sheet.autofilter(0, 0, max(table.count, 1), len(table.columns) - 1)
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, column.name, formats.header)
    _fill(sheet, table, chain(first, rows), formats, counted)


def _widths(table: Table, rows: Sequence[Row]) -> list[float]:
    """Return the width of each column in characters, by its first rows; the filter's arrow needs two more."""
    widths = [len(c.name) + 3 for c in table.columns]
    for row in rows:
        for at, value in enumerate(row):
            if value is not None:
                widths[at] = max(widths[at], len(cells.text(value)) + 1)
    return [float(min(w, _WIDEST)) for w in widths]


def _fill(sheet: Any, table: Table, rows: Iterator[Row], formats: _Formats, counted: Counted) -> None:
    put = _writers(sheet, table.noun, formats)
    for number, row in enumerate(rows, 1):
        for at, value in enumerate(row):
            if value is not None and value != "":
                put[type(value)](number, at, value)
        if number % _PROGRESS_EVERY == 0:
            counted.add(_PROGRESS_EVERY)
    counted.add(table.count % _PROGRESS_EVERY)


def _writers(sheet: Any, noun: str, formats: _Formats) -> dict[type, _Put]:
    """Return what writes a value of each type; every method writes exactly what it is given."""

    def text(row: int, at: int, value: str) -> None:
        _check_length(noun, row, value)
        value = value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
        if value[:1] in cells.FORMULA_STARTS:
            sheet.write_string(row, at, value, formats.text)
        elif _misread(value):
            sheet.write_rich_string(row, at, *_pieces(value))
        else:
            sheet.write_string(row, at, value)

    def packed(row: int, at: int, value: Any) -> None:
        text(row, at, cells.packed(value))

    return {
        str: text,
        bool: cast(_Put, sheet.write_boolean),
        list: packed,
        dict: packed,
        **_numbers(sheet, formats),
        **_times(sheet, formats),
    }


def _numbers(sheet: Any, formats: _Formats) -> dict[type, _Put]:
    def whole(row: int, at: int, value: int) -> None:
        if abs(value) < _EXACT:
            sheet.write_number(row, at, value, formats.whole)
        else:
            sheet.write_string(row, at, str(value))

    def real(row: int, at: int, value: float) -> None:
        if float(f"{value:.16G}") == value:  # as XlsxWriter writes it
            sheet.write_number(row, at, value)
        else:
            sheet.write_string(row, at, repr(value))

    return {int: whole, float: real}


def _times(sheet: Any, formats: _Formats) -> dict[type, _Put]:
    def day(row: int, at: int, value: date) -> None:
        if value >= _FIRST_DATE:
            sheet.write_datetime(row, at, value, formats.date)
        else:
            sheet.write_string(row, at, value.isoformat())

    def moment(row: int, at: int, value: datetime) -> None:
        shown = cells.local(value)
        if shown.microsecond == 0 and shown.date() >= _FIRST_DATE:
            sheet.write_datetime(row, at, shown.replace(tzinfo=None), formats.time)
        else:
            sheet.write_string(row, at, shown.isoformat())

    return {date: day, datetime: moment}


def _misread(value: str) -> bool:
    return (value[:3] == "<r>" and value[-4:] == "</r>") or ("_x" in value and bool(_ESCAPE.search(value)))


def _pieces(value: str) -> list[str]:
    """Return a text in pieces (three at least), none of which XlsxWriter or a reader takes for something else.

    It would pass <r>…</r> on unescaped, as its own marked-up text, and write _x0041_ in a way that only some
    readers take back; both it does for whole texts only.
    """
    middle = re.sub(r"(?<=_x)(?=[0-9A-Fa-f]{4}_)", "\0", value[2:])
    return [p for p in (value[:1], value[1:2], *middle.split("\0")) if p]


def _check_length(noun: str, row: int, value: str) -> None:
    if len(value) > MAX_TEXT:
        raise InvalidError(
            "too-large-for-xlsx",
            f"A cell holds {MAX_TEXT} characters, one of {noun} in row {row + 1} has {len(value)}: export CSV or YAML.",
        )
