"""Items → KIBAR labels: a small card with a QR code to stick on each item, and sheets of them to print."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import segno

from report.exports.fitting import room_em, soft
from report.exports.goods import Item
from report.exports.grid import PAD_MM, PAPERS, Grid
from report.exports.regency import Regency
from report.glyphs import printable
from report.render import pictures, typeset
from siaga.clock import shown
from siaga.text import safe

TEMPLATE = "kibar.typ"
DATA = "labels.json"
SCHEMA = "siaga-labels-1"
QUIET = 4  # modules of white around a code (ISO/IEC 18004)
LEAST_MODULE_MM = 0.33  # what a telephone reads from a laser print at arm's length
TEXT_PT, NAME_PT = 6.4, 7.6  # of a label of 70 x 37 mm; a smaller one has smaller print
QR_NAME = 60  # characters of the agency and of the item in the code: a longer text needs smaller modules


def qr_text(item: Item, agency: str) -> str:
    """Return what the code says: NIBAR|kode barang|register|label|SKPD|specification|date acquired.

    The first four name the item; each is empty where it is not known. A '|' or '%' inside is %7C or %25.
    """
    parts = (
        item.nibar,
        item.kode_barang,
        item.register_number,
        item.label,
        safe(agency, QR_NAME),
        safe(item.specification, QR_NAME),
        item.acquired.isoformat() if item.acquired else "",
    )
    return "|".join(p.replace("%", "%25").replace("|", "%7C") for p in parts)


def code(text: str) -> segno.QRCode:
    """Return the QR code of a text: a full one (no Micro QR), a seventh of it may be dirty (level M)."""
    return segno.make_qr(text, error="m", boost_error=False)


def as_svg(qr: segno.QRCode) -> str:
    """Return the code as SVG with its quiet zone: one filled path, a rectangle for each run of dark modules."""
    side = len(qr.matrix) + 2 * QUIET
    runs = "".join(f"M{x} {y}h{long}v1h-{long}z" for y, x, long in _runs(qr))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}">'
        f'<path fill="#000" d="{runs}"/></svg>'
    )


def _runs(qr: segno.QRCode) -> Iterator[tuple[int, int, int]]:
    """Yield each run of dark modules as (row, column, length), the quiet zone counted."""
    for y, row in enumerate(qr.matrix, QUIET):
        for dark in re.finditer(rb"\x01+", bytes(row)):
            yield y, dark.start() + QUIET, dark.end() - dark.start()


@dataclass(frozen=True)
class Card:
    """One label: its item, the agency's long name, and its code."""

    item: Item
    agency: str
    text: str
    qr: segno.QRCode

    def module_mm(self, grid: Grid) -> float:
        """Return how large a module is on the label."""
        return grid.code_mm / (len(self.qr.matrix) + 2 * QUIET)


def cards(items: Sequence[Item], regency: Regency) -> list[Card]:
    """Return the labels of items."""
    made = []
    for item in items:
        agency = regency.title(item.agency)
        text = qr_text(item, agency)
        made.append(Card(item, agency, text, code(text)))
    return made


def printed(card: Card) -> list[str]:
    """Return the texts that stand on a label."""
    item = card.item
    named = (item.specification or item.label, item.nibar, item.kode_barang, item.register_number, item.label)
    return [card.agency, *named]


def small(made: Sequence[Card], grid: Grid) -> int:
    """Return how many codes have modules smaller than a telephone reads well."""
    return sum(card.module_mm(grid) < LEAST_MODULE_MM for card in made)


def as_pdf(made: Sequence[Card], head: str, grid: Grid, now: datetime) -> bytes:
    """Return the sheets of labels as PDF, headed by the regency; the same labels make the same bytes."""
    return typeset(TEMPLATE, {DATA: document(made, head, grid, now)}, now=now)


def as_pages(made: Sequence[Card], head: str, grid: Grid, now: datetime, ppi: float = 80) -> list[bytes]:
    """Return each sheet as PNG, to look at and to read again."""
    return pictures(TEMPLATE, {DATA: document(made, head, grid, now)}, now=now, ppi=ppi)


def document(made: Sequence[Card], head: str, grid: Grid, now: datetime) -> bytes:
    """Return what is printed as JSON; stable, UTF-8."""
    left, top = grid.margins
    each = grid.columns * grid.rows
    scale = min(1, grid.height / 37, grid.width / 70)
    room = room_em(grid.width - grid.code_mm - 2 * PAD_MM, NAME_PT * scale)
    cells: list[Mapping[str, Any] | None] = [None] * (grid.skip % each)
    cells += [_label(card, head, room) for card in made]
    paper_wide, paper_high = PAPERS[grid.paper]
    tree = {
        "schema": SCHEMA,
        "lang": "id",
        "now": shown(now),
        "title": "Label KIBAR",
        "author": printable(head),
        "paper": {"width": paper_wide, "height": paper_high, "left": left, "top": top},
        "label": {
            "width": grid.width,
            "height": grid.height,
            "code": grid.code_mm,
            "pad": PAD_MM,
            "scale": scale,
        },
        "text": {"plain": TEXT_PT, "name": NAME_PT},
        "gap": {"x": grid.gap_x, "y": grid.gap_y},
        "columns": grid.columns,
        "borders": grid.borders,
        "pages": [cells[n : n + each] for n in range(0, len(cells), each)],
    }
    return (json.dumps(tree, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n").encode()


def _label(card: Card, head: str, room: float) -> Mapping[str, Any]:
    item = card.item
    numbers = [("NIBAR", item.nibar), ("Kode", item.kode_barang), ("Register", item.register_number)]
    known = [pair for pair in numbers if pair[1]] or [("Label", item.label)]
    date = [("Perolehan", item.acquired.strftime("%d-%m-%Y"))] if item.acquired else []
    return {
        "svg": as_svg(card.qr),
        "alt": printable(card.text, 500),
        "head": soft(safe(head, 60), room),
        "agency": soft(safe(card.agency, 70), room),
        "name": soft(safe(item.specification or item.label, QR_NAME), room),
        "lines": [[label, soft(value, room)] for label, value in [*known, *date]],
    }
