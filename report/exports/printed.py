"""Sheets → the JSON that Typst prints, and the PDF. What is printed is decided here; the template lays it out."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from report.exports import forms
from report.exports.fitting import room_em, soft
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
SIZE_PT, MARGIN_MM, INSET_PT = 6.7, 9, 2.2  # of the print, the page and a cell


def as_pdf(form: Form, made: Sequence[Sheet], *, paper: str, now: datetime) -> bytes:
    """Return the PDF of a form's sheets (tagged, PDF/UA-1 and PDF/A-3a), with what it prints as JSON attached."""
    return typeset(TEMPLATE, {DATA: document(form, made, paper=paper, now=now)}, now=now)


def as_pages(form: Form, made: Sequence[Sheet], *, paper: str, now: datetime, ppi: float = 80) -> list[bytes]:
    """Return each page as PNG, to look at."""
    return pictures(TEMPLATE, {DATA: document(form, made, paper=paper, now=now)}, now=now, ppi=ppi)


def document(form: Form, made: Sequence[Sheet], *, paper: str, now: datetime) -> bytes:
    """Return what is printed as JSON; stable, UTF-8."""
    width, height = PAPERS[paper]
    room = rooms(form.columns, paper)
    tree = {
        "schema": SCHEMA,
        "lang": "id",
        "form": form.name,
        "now": shown(now),
        "title": " ".join(form.titles),
        "titles": form.titles,
        "author": printable(made[0].kop[1][1]) if made else "",
        "paper": {"width": width, "height": height, "margin": MARGIN_MM},
        "text": {"size": SIZE_PT, "inset": INSET_PT},
        "words": forms.tree()["words"],
        "columns": [
            {"width": c.width, "right": c.is_number and c.kind != "int", "middle": c.kind == "int"}
            for c in form.columns
        ],
        "heads": _heads(form.columns),
        "sheets": [_sheet(form, sheet, room) for sheet in made],
    }
    return (json.dumps(tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n").encode()


def _heads(columns: Sequence[Column]) -> list[list[Mapping[str, Any]]]:
    rows: list[list[Mapping[str, Any]]] = [[], []]
    for row, column, last_row, last_column, title in heads(columns):
        rows[row].append({"text": title, "down": last_row - row + 1, "across": last_column - column + 1})
    return rows


def _sheet(form: Form, sheet: Sheet, room: Sequence[float]) -> Mapping[str, Any]:
    return {
        "name": printable(sheet.name),
        "kop": [[label, printable(value)] for label, value in sheet.kop],
        "rows": [list(map(cell, form.columns, row, room)) for row in sheet.rows],
        "totals": list(map(cell, form.columns, sheet.totals, room)),
        "before_totals": next((i for i, t in enumerate(sheet.totals) if t is not None), 0),
        "signatures": [_signature(one) for one in sheet.signatures],
    }


def _signature(one: Signature) -> Mapping[str, Any]:
    return {
        "lines": [printable(t) for t in one.lines],
        "name": printable(one.name),
        "nip": printable(one.nip),
    }


def rooms(columns: Sequence[Column], paper: str) -> list[float]:
    """Return how much text each column takes side by side, in ems."""
    each = (PAPERS[paper][0] - 2 * MARGIN_MM) / sum(c.width for c in columns)
    return [round(room_em(c.width * each, SIZE_PT, INSET_PT), 2) for c in columns]


def cell(column: Column, value: Value, room: float) -> str:
    """Return a cell as printed: numbers as Indonesia writes them, text that can break within its column."""
    if value is None:
        return ""
    if isinstance(value, str):
        return soft(value, room)
    if column.kind == "int":
        return str(value)  # years and counts carry no dots
    return number(value, 3 if isinstance(value, float) else 0)
