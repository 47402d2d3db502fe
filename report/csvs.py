"""A report's JSON → a ZIP of CSV files (RFC 4180, UTF-8): the figures and every table, values as programs read them.

A text that a spreadsheet would take for a formula gets an apostrophe in front, as siaga.formulas says.
"""

import csv
import io
import re
import zipfile

from report.flat import Cell, Table, loaded, tables
from siaga.formulas import guarded

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say; the same JSON makes the same bytes


def as_zip(document: bytes) -> bytes:
    """Return the archive."""
    file = io.BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables(loaded(document)):
            entry = zipfile.ZipInfo(f"{_named(table.id, taken)}.csv", _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, as_csv(table))
    return file.getvalue()


def _named(key: str, taken: set[str]) -> str:
    """Return a name that is a file's on every system, and note it as taken."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", key)[:60].lower() or "table"
    name, n = plain, 1
    while name in taken:
        n += 1
        name = f"{plain}-{n}"
    taken.add(name)
    return name


def as_csv(table: Table) -> str:
    """Return one table."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([written(Cell(c.title, c.title)) for c in table.columns])
    for row in table.rows:
        writer.writerow([written(cell) for cell in row])
    return out.getvalue()


def written(cell: Cell) -> str:
    """Return a cell's value: numbers with a point and no marks, a text without what makes it a formula."""
    if cell.value is None:
        return ""
    if isinstance(cell.value, (int, float)):
        return repr(cell.value)
    return guarded(cell.value)
