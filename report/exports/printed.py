"""Sheets → the JSON that Typst prints, and the PDF. What is printed is decided here; the template lays it out."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from report.exports import forms
from report.exports.forms import Column, Form
from report.exports.sheets import Sheet, Signature, Value
from report.exports.workbook import heads
from report.glyphs import printable
from report.numbers import number
from report.render import pictures, typeset
from siaga.clock import shown

PAPERS = {"a4": (297, 210), "f4": (330, 215)}  # millimetres, landscape
TEMPLATE = "kib.typ"
DATA = "sheet.json"
SCHEMA = "siaga-sheet-1"
TEXT_LIMIT = 500
_BREAKS = re.compile(r"([/_:@+\-.,|]|[^\s/_:@+\-.,|\u200b]{10}(?=[^\s]))")


def as_pdf(form: Form, made: Sequence[Sheet], *, paper: str, now: datetime) -> bytes:
    """Return the PDF of a form's sheets (tagged, PDF/UA-1 and PDF/A-3a), with what it prints as JSON attached."""
    return typeset(TEMPLATE, {DATA: document(form, made, paper=paper, now=now)}, now=now)


def as_pages(form: Form, made: Sequence[Sheet], *, paper: str, now: datetime, ppi: float = 80) -> list[bytes]:
    """Return each page as PNG, to look at."""
    return pictures(TEMPLATE, {DATA: document(form, made, paper=paper, now=now)}, now=now, ppi=ppi)


def document(form: Form, made: Sequence[Sheet], *, paper: str, now: datetime) -> bytes:
    """Return what is printed as JSON; stable, UTF-8."""
    width, height = PAPERS[paper]
    tree = {
        "schema": SCHEMA,
        "lang": "id",
        "form": form.name,
        "now": shown(now),
        "title": " ".join(form.titles),
        "titles": form.titles,
        "author": printable(made[0].kop[1][1]) if made else "",
        "paper": {"width": width, "height": height},
        "words": forms.tree()["words"],
        "columns": [
            {"width": c.width, "right": c.is_number and c.kind != "int", "middle": c.kind == "int"}
            for c in form.columns
        ],
        "heads": _heads(form.columns),
        "sheets": [_sheet(form, sheet) for sheet in made],
    }
    return (json.dumps(tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n").encode()


def _heads(columns: Sequence[Column]) -> list[list[Mapping[str, Any]]]:
    rows: list[list[Mapping[str, Any]]] = [[], []]
    for row, column, last_row, last_column, title in heads(columns):
        rows[row].append(
            {"text": soft(title), "down": last_row - row + 1, "across": last_column - column + 1}
        )
    return rows


def _sheet(form: Form, sheet: Sheet) -> Mapping[str, Any]:
    return {
        "name": printable(sheet.name),
        "kop": [[label, printable(value)] for label, value in sheet.kop],
        "rows": [[cell(c, v) for c, v in zip(form.columns, row, strict=True)] for row in sheet.rows],
        "totals": [cell(c, v) for c, v in zip(form.columns, sheet.totals, strict=True)],
        "before_totals": next((i for i, t in enumerate(sheet.totals) if t is not None), 0),
        "signatures": [_signature(one) for one in sheet.signatures],
    }


def _signature(one: Signature) -> Mapping[str, Any]:
    return {
        "lines": [printable(t) for t in one.lines],
        "name": printable(one.name),
        "nip": printable(one.nip),
    }


def cell(column: Column, value: Value) -> str:
    """Return a cell as printed: numbers as Indonesia writes them, text that can break within its column."""
    if value is None:
        return ""
    if isinstance(value, str):
        return soft(value)
    if column.kind == "int":
        return str(value)  # years and counts carry no dots
    return number(value, 3 if isinstance(value, float) else 0)


@lru_cache(maxsize=50_000)
def soft(text: str) -> str:
    """Return text as the font can print it, with places to break (U+200B) after marks and in long words."""
    return _BREAKS.sub("\\1\u200b", printable(text, TEXT_LIMIT))
