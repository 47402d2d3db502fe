"""A report's JSON → one workbook: a worksheet for every table, typed cells. No data becomes a formula or a link."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from report.exports.workbook import Formats, opened, put, sheet_name
from report.flat import Cell, Table, loaded, tables, widths
from siaga.clock import as_utc

# [$-421] is Indonesian: dots between thousands and a decimal comma, wherever the workbook is opened.
_FORMATS = {"ratio": "0.00%", "idr": "[$-421]#,##0", "s": "[$-421]#,##0", "": "[$-421]#,##0.##"}
_TOP = 3  # rows above a heading: title, chapter, source


def as_xlsx(document: bytes) -> bytes:
    """Return the workbook; the same JSON makes the same bytes."""
    tree = loaded(document)
    meta, words = tree["meta"], tree["words"]
    now = datetime.fromisoformat(meta["now"]).astimezone(UTC)
    file = io.BytesIO()
    with opened(file, f"{words['title']} – {meta['regency']}", now) as book:
        formats, taken = Formats(book), set[str]()
        _cover(book.add_worksheet(sheet_name(words["title"], taken)), tree, formats)
        for table in tables(tree):
            _fill(book.add_worksheet(sheet_name(f"{table.id} {table.title}", taken)), table, formats)
    return file.getvalue()


def _cover(page: Any, tree: dict[str, Any], formats: Formats) -> None:
    """Write what the report is: title, regency, period, and that it is no official score."""
    meta, words = tree["meta"], tree["words"]
    page.set_column(0, 0, 110)
    lines = (words["title"], meta["office"], meta["scope"], meta["period"], meta["banner"], meta["internal"])
    for n, line in enumerate(filter(None, lines)):
        put(page, n, 0, line, formats(bold=n == 0, font_size=14 if n == 0 else 10, text_wrap=True))


def _fill(page: Any, table: Table, formats: Formats) -> None:
    put(page, 0, 0, f"{table.id} · {table.title}", formats(bold=True, font_size=12))
    put(page, 1, 0, table.chapter, formats(italic=True))
    put(page, 2, 0, " ".join(filter(None, (table.note, table.source))), formats(font_size=8))
    for i, (column, width) in enumerate(zip(table.columns, widths(table.columns), strict=True)):
        page.set_column(i, i, width)
        page.write_string(
            _TOP, i, column.title, formats(bold=True, border=1, text_wrap=True, bg_color="#E6EDF2")
        )
    for n, row in enumerate(table.rows, _TOP + 1):
        for i, cell in enumerate(row):
            _put(page, n, i, cell, formats)
    last = _TOP + len(table.rows)
    if table.rows:
        page.autofilter(_TOP, 0, last, len(table.columns) - 1)
    page.ignore_errors({"number_stored_as_text": f"A1:Z{last + 1}"})
    page.freeze_panes(_TOP + 1, 0)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(_TOP)


def _put(page: Any, row: int, column: int, cell: Cell, formats: Formats) -> None:
    """Write one typed cell: number, share, money, date and time as what they are, all else as text."""
    value = cell.value
    if isinstance(value, str) and cell.unit in _DATES:
        make, shape = _DATES[cell.unit]
        page.write_datetime(row, column, make(value), formats(border=1, valign="top", num_format=shape))
    elif isinstance(value, (bool, str)) or value is None:
        shown = cell.shown if value is None or isinstance(value, bool) else value
        quoted = {"quote_prefix": True} if shown.startswith(("=", "+", "-", "@")) else {}
        put(page, row, column, shown, formats(border=1, valign="top", text_wrap=True, **quoted))
    else:
        shape = _FORMATS.get(cell.unit, _FORMATS[""])
        put(page, row, column, value, formats(border=1, valign="top", num_format=shape))


def _jakarta(text: str) -> datetime:
    """Return a time as a workbook has it: without zone, in the zone that the report prints."""
    from zoneinfo import ZoneInfo

    from siaga.clock import JAKARTA

    return as_utc(datetime.fromisoformat(text)).astimezone(ZoneInfo(JAKARTA)).replace(tzinfo=None)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text)  # a day at midnight, in no zone


_DATES: dict[str, tuple[Callable[[str], datetime], str]] = {
    "date": (_day, "yyyy-mm-dd"),
    "time": (_jakarta, "yyyy-mm-dd hh:mm"),
}
