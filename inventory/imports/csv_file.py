"""Reads CSV: comma, semicolon, tab or bar between the cells, in any encoding that can be told."""

import csv
import re
from collections.abc import Iterator

from inventory.imports.decoding import text_of
from inventory.imports.sheets import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Line, Raw
from inventory.imports.signature import foreign
from siaga.errors import InvalidError
from siaga.formulas import restored

SEPARATORS = (",", ";", "\t", "|")
_QUOTED = re.compile(r'"(?:[^"]|"")*"?')
_OPENED = re.compile(r'"(?:[^"]+|"")*(?P<closed>"?)')
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SEARCHED = 30
_SAID = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_KEPT = 100_000  # so many different cells are kept once each


def read_csv(name: str, octets: bytes) -> Raw:
    """Return a CSV file as a table; raises InvalidError (`bad-workbook`) with the line.

    A first line `sep=;`, as spreadsheets write it, names the separator. The apostrophe with which an export keeps
    a text from being a formula is taken away again.
    """
    kind = foreign(octets) if octets else None
    if kind:
        raise InvalidError("bad-workbook", f"{name} is {kind.what} and no CSV: {kind.advice}.")
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
    """Yield the rows. A cell that stands in many of them is one object: a million rows then fit in memory."""
    # Line by line: io.StringIO would hold the text once more, at four octets a character.
    reader = csv.reader((m[0] for m in _LINE.finditer(text)), delimiter=delimiter, strict=True)
    kept: dict[str, str] = {}
    cells = 0
    line = skipped + 1
    try:
        for count, row in enumerate(reader):
            cells += len(row)
            if count > MAX_ROWS or cells > MAX_CELLS or len(row) > MAX_COLUMNS:
                raise _too_much(name, count, cells)
            yield line, tuple([_once(kept, cell) for cell in row])
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            at = skipped + _opened(text, line - skipped)
            sentence = f"{name}: the quotation mark that begins at line {at} is never closed."
        else:
            sentence = f"{name}, line {line}: {_reason(str(error), delimiter)}."
        raise InvalidError("bad-workbook", sentence) from None


def _once(kept: dict[str, str], cell: str) -> str:
    """Return a cell's text, the same object as an earlier one's."""
    known = kept.get(cell)
    if known is None:
        known = restored(cell)
        if len(kept) < _KEPT:
            kept[cell] = known
    return known


def _reason(said: str, delimiter: str) -> str:
    """Return why a row cannot be read in the words of people."""
    if "field limit" in said:
        limit = f"a cell of more than {csv.field_size_limit():,} characters"
        return f"{limit}; is a quotation mark before it never closed?"
    if "expected after" in said:
        return (
            f"after a closing quotation mark stands something else than {delimiter!r}:"
            ' a quotation mark within a cell is written twice ("")'
        )
    return said.removesuffix(".")


def _opened(text: str, start: int) -> int:
    """Return the line in which the quotation mark stands that nothing closes, from line `start` on."""
    lines = _LINE.finditer(text)
    begin = next((m.start() for n, m in enumerate(lines, 1) if n == start), 0)
    open_ = next((m.start() for m in _OPENED.finditer(text, begin) if not m["closed"]), begin)
    return start + len(re.findall(r"\r\n|\r|\n", text[begin:open_]))


def _too_much(name: str, rows: int, cells: int) -> InvalidError:
    if rows > MAX_ROWS:
        return InvalidError("bad-workbook", f"{name} has more than {MAX_ROWS:,} rows: split it.")
    if cells > MAX_CELLS:
        return InvalidError("bad-workbook", f"{name} has more than {MAX_CELLS:,} cells: split it.")
    return InvalidError("bad-workbook", f"{name}, row {rows + 1} has more than {MAX_COLUMNS} columns.")
