"""Sheets → XLSX, set up to be printed. Every cell is typed by us: nothing foreign becomes a formula or a link."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import xlsxwriter

from report.exports import forms
from report.exports.forms import Column, Form
from report.exports.sheets import Sheet, Signature, Value

PAPERS = {"a4": 9, "f4": 14}  # SpreadsheetML's numbers: 14 is Folio, which Indonesia calls F4
# [$-421] is Indonesian: dots between thousands and a decimal comma, wherever the workbook is opened.
FORMATS = {
    "int": "0",
    "money": "[$-421]#,##0",
    "thousands": "[$-421]#,##0",
    "mbps": '[$-421]#,##0.## "Mbps"',
}
_PARTS = "[$-421]#,##0.000"  # thousands of rupiah that are not whole
_STARTERS = ("=", "+", "-", "@")
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_NAME_LIMIT = 31


class Formats:
    """The cell formats of one workbook; the same properties are one format."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def __call__(self, **wanted: Any) -> Any:
        """Return the format with these properties of XlsxWriter."""
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({"font_name": "Arial", "font_size": 9, **wanted})
        return self._made[key]

    def cell(self, column: Column, value: Value, **wanted: Any) -> Any:
        """Return the format of a cell of a table."""
        if isinstance(value, str) or value is None:
            quoted = isinstance(value, str) and value.startswith(_STARTERS)
            return self(
                border=1, valign="top", text_wrap=True, **({"quote_prefix": True} if quoted else {}), **wanted
            )
        code = (
            _PARTS
            if column.kind == "thousands" and isinstance(value, float)
            else FORMATS.get(column.kind, "0")
        )
        return self(border=1, valign="top", num_format=code, **wanted)


@contextmanager
def opened(file: io.BytesIO, title: str, now: datetime) -> Iterator[Any]:
    """Open a workbook without formulas, links or a clock of its own: the same rows make the same bytes."""
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": title, "created": now.replace(tzinfo=None)})
        yield book


def workbook(form: Form, made: Sequence[Sheet], *, paper: str, now: datetime) -> bytes:
    """Return the workbook of a form, with a worksheet for each sheet."""
    file = io.BytesIO()
    with opened(file, " ".join(form.titles), now) as book:
        formats, taken = Formats(book), set[str]()
        for sheet in made:
            page = book.add_worksheet(sheet_name(sheet.name, taken))
            _fill(page, form, sheet, formats)
            _set_up(page, form, paper)
    return file.getvalue()


def sheet_name(text: str, taken: set[str]) -> str:
    """Return a worksheet's name (31 characters, none of []:*?/\\, none twice) and note it as taken."""
    plain = _FORBIDDEN.sub(" ", text).strip(" '")[:_NAME_LIMIT].rstrip(" '") or "Sheet"
    plain = f"{plain}_" if plain.lower() == "history" else plain  # Excel keeps that name for itself
    name, n = plain, 1
    while name.lower() in taken:
        n += 1
        ending = f" ({n})"
        name = plain[: _NAME_LIMIT - len(ending)] + ending
    taken.add(name.lower())
    return name


def put(page: Any, row: int, column: int, value: Value, look: Any) -> None:
    """Write one typed cell: a number as a number, all else as text that nobody interprets."""
    if value is None or value == "":
        page.write_blank(row, column, None, look)
    elif isinstance(value, str):
        page.write_string(row, column, value, look)
    else:
        page.write_number(row, column, value, look)


def heads(columns: Sequence[Column]) -> list[tuple[int, int, int, int, str]]:
    """Return the two heading rows as spans (row, column, last row, last column, title), counted from 0.

    Neighbours of one group share its cell above; a column without group fills both rows.
    """
    spans: list[tuple[int, int, int, int, str]] = []
    for i, column in enumerate(columns):
        if not column.group:
            spans.append((0, i, 1, i, column.title))
            continue
        if i == 0 or columns[i - 1].group != column.group:
            last = max(
                j for j in range(i, len(columns)) if all(c.group == column.group for c in columns[i : j + 1])
            )
            spans.append((0, i, 0, last, column.group))
        spans.append((1, i, 1, i, column.title))
    return spans


def top_rows(form: Form) -> int:
    """Return how many rows stand above the heading: titles, the letterhead, and a line between."""
    return len(form.titles) + 1 + len(form.kop) + 1


def _fill(page: Any, form: Form, sheet: Sheet, formats: Formats) -> None:
    last = len(form.columns) - 1
    for n, title in enumerate(form.titles):
        page.merge_range(n, 0, n, last, title, formats(bold=True, align="center", font_size=12))
    for n, (label, said) in enumerate(sheet.kop, len(form.titles) + 1):
        page.write_string(n, 0, label, formats(bold=True))
        page.write_string(n, 2, f": {said}", formats(bold=True))
    first = _heading(page, form, formats)
    for n, row in enumerate(sheet.rows, first):
        for i, (column, value) in enumerate(zip(form.columns, row, strict=True)):
            put(page, n, i, value, formats.cell(column, value))
    end = first + len(sheet.rows)
    page.ignore_errors({"number_stored_as_text": f"A1:Z{end + 1}"})
    if any(t is not None for t in sheet.totals):
        _total(page, end, form, sheet, formats)
        end += 1
    _signed(page, end + 1, sheet.signatures, len(form.columns), formats)


def _heading(page: Any, form: Form, formats: Formats) -> int:
    """Write the heading's two rows and the columns' numbers; return the first row below."""
    top = top_rows(form)
    look = formats(bold=True, border=1, align="center", valign="vcenter", text_wrap=True)
    for row, column, last_row, last_column, title in heads(form.columns):
        if (row, column) == (last_row, last_column):
            page.write_string(top + row, column, title, look)
        else:
            page.merge_range(top + row, column, top + last_row, last_column, title, look)
    for i, _ in enumerate(form.columns):
        page.write_number(top + 2, i, i + 1, formats(border=1, align="center", italic=True, font_size=8))
    page.set_row(top, 24)
    page.set_row(top + 1, 24)
    return top + 3


def _total(page: Any, row: int, form: Form, sheet: Sheet, formats: Formats) -> None:
    first = next(i for i, t in enumerate(sheet.totals) if t is not None)
    page.merge_range(
        row, 0, row, first - 1, forms.word("total"), formats(bold=True, border=1, align="center")
    )
    for i in range(first, len(form.columns)):
        value = sheet.totals[i]
        put(page, row, i, value, formats.cell(form.columns[i], value, bold=True))


def _signed(page: Any, row: int, signatures: Sequence[Signature], columns: int, formats: Formats) -> None:
    """Write the signatures side by side: their lines, room to sign, name and number."""
    plain, bold = formats(align="center"), formats(align="center", bold=True, underline=1)
    for (first, last), one in zip(blocks(columns, len(signatures)), signatures, strict=True):
        name = one.name or "." * 40
        texts = [(row + n, line, plain) for n, line in enumerate(one.lines)]
        texts.append((row + 6, name, bold if one.name else plain))
        texts.append((row + 7, f"{forms.word('nip')} {one.nip or '.' * 32}", plain))
        for at, text, look in texts:
            page.merge_range(at, first, at, last, text, look)


def blocks(columns: int, count: int) -> list[tuple[int, int]]:
    """Return `count` spans of columns (first, last), spread evenly with the outer ones at the margins."""
    each = columns // count
    width = min(each, 5) if count < 3 else each
    starts = [round(n * (columns - width) / (count - 1)) if count > 1 else 0 for n in range(count)]
    return [(s, s + width - 1) for s in starts]


def _set_up(page: Any, form: Form, paper: str) -> None:
    """Make it print well: landscape, one page wide, the heading on every page, and page numbers."""
    top = top_rows(form)
    for i, column in enumerate(form.columns):
        page.set_column(i, i, column.width)
    page.set_landscape()
    page.set_paper(PAPERS[paper])
    page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    page.fit_to_pages(1, 0)
    page.repeat_rows(top, top + 2)
    page.freeze_panes(top + 3, 0)
    page.set_footer(f"&L&8&A&R&8{forms.word('page')} &P {forms.word('of')} &N")


def plain_workbook(
    title: str, lists: Iterable[tuple[str, Sequence[Column], Sequence[Sequence[Value]]]], now: datetime
) -> bytes:
    """Return a workbook of plain lists: a worksheet each, with one heading row."""
    file = io.BytesIO()
    with opened(file, title, now) as book:
        formats, taken = Formats(book), set[str]()
        for name, columns, rows in lists:
            page = book.add_worksheet(sheet_name(name, taken))
            for i, column in enumerate(columns):
                page.set_column(i, i, column.width)
                page.write_string(0, i, column.title, formats(bold=True, border=1, text_wrap=True))
            for n, row in enumerate(rows, 1):
                for i, (column, value) in enumerate(zip(columns, row, strict=True)):
                    put(page, n, i, value, formats.cell(column, value))
            page.ignore_errors({"number_stored_as_text": f"A1:Z{len(rows) + 1}"})
            page.freeze_panes(1, 1)
            page.set_landscape()
            page.set_paper(PAPERS["a4"])
            page.fit_to_pages(1, 0)
            page.repeat_rows(0)
    return file.getvalue()
