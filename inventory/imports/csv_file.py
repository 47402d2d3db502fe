"""Reads CSV: comma, semicolon, tab or bar between the cells, in any encoding that can be told."""

import csv
import io
import re
from collections.abc import Iterator

from inventory.imports.decoding import text_of
from inventory.imports.sheets import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Line, Raw
from siaga.errors import InvalidError

SEPARATORS = (",", ";", "\t", "|")
_QUOTED = re.compile(r'"(?:[^"]|"")*"?')
_SEARCHED = 30
_SAID = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def read_csv(name: str, octets: bytes) -> Raw:
    """Return a CSV file as a table; raises InvalidError (`bad-workbook`) with the line.

    A first line `sep=;`, as spreadsheets write it, names the separator.
    """
    text = text_of(octets, name)
    first, _, rest = text.partition("\n")
    said = _SAID.fullmatch(first)
    delimiter = said[1] if said else separator(_telling(text))
    lines = list(_lines(name, rest if said else text, delimiter, 1 if said else 0))
    return Raw(name, name, tuple(lines))


def separator(first: str) -> str:
    """Return what stands most often between the titles of a first line, outside of quotes; a comma if nothing.

    Spreadsheets of Indonesian locale write ; because the comma is the decimal sign.
    """
    plain = _QUOTED.sub("", first)
    return max(SEPARATORS, key=lambda s: (plain.count(s), -SEPARATORS.index(s)))


def _telling(text: str) -> str:
    """Return the first of the first lines that has a separator at all: above the titles a heading may stand."""
    lines = text[:65_536].splitlines()[:_SEARCHED]
    return next((line for line in lines if any(s in line for s in SEPARATORS)), "")


def _lines(name: str, text: str, delimiter: str, skipped: int) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    cells = 0
    line = skipped + 1
    try:
        for count, row in enumerate(reader):
            cells += len(row)
            if count > MAX_ROWS or cells > MAX_CELLS or len(row) > MAX_COLUMNS:
                raise _too_much(name, count, cells)
            yield line, tuple(row)
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        reason = str(error)
        if "field limit" in reason:
            reason = (
                f"a cell of more than {csv.field_size_limit():,} characters; was a quotation mark left open?"
            )
        raise InvalidError("bad-workbook", f"{name}, line {line}: {reason.removesuffix('.')}.") from None


def _too_much(name: str, rows: int, cells: int) -> InvalidError:
    if rows > MAX_ROWS:
        return InvalidError("bad-workbook", f"{name} has more than {MAX_ROWS:,} rows: split it.")
    if cells > MAX_CELLS:
        return InvalidError("bad-workbook", f"{name} has more than {MAX_CELLS:,} cells: split it.")
    return InvalidError("bad-workbook", f"{name}, row {rows + 1} has more than {MAX_COLUMNS} columns.")
