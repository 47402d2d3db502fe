"""The official lists that stand in the annex: KIB B, KIR and the sheets of the SPBE architecture, bounded in length."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from report import numbers
from report.books import Listing
from report.exports import architecture, forms, network
from report.exports.forms import Column
from report.exports.order import Wanted, chosen
from report.exports.sheets import Place, Sheet, Value, sheets
from siaga.settings import Settings
from siaga.text import safe

MOST = 60  # rows of a list in the annex; the whole is exported by siaga export
FORMS = ("kib-b", "kir")
_BREAKS = re.compile(r"[\s/_:@+-]")  # where the template may begin a new line
_CODE = 24  # letters; longer words are broken


def read(
    session: Session, settings: Settings, now: datetime, *, agency: str = "", place: str = ""
) -> tuple[Listing, ...]:
    """Return the lists of a regency, or of one agency or place."""
    wanted = Wanted(agency=agency, place=place)
    items, regency, _ = chosen(wanted, session, settings, now)
    where = Place(
        safe(settings.custody.place),
        numbers.day(now, "id", settings.timezone),
        regency.province,
        regency.name or safe(settings.custody.regency),
    )
    found = []
    for name in FORMS:
        form = forms.form(name)
        kept = [i for i in items if i.status != "disposed" and i.kode_barang.startswith(form.prefix or "")]
        kept = [i for i in kept if i.place] if form.per == "room" else kept
        made = sheets(form, kept, regency, where)
        found.append(_form(name, " ".join(form.titles), form.columns, made))
    within = network.Within(agency, regency.within(place) if place else None)
    for one, rows in architecture.lists(network.read(session, regency), within):
        found.append(_listing(f"SIA-{one.of}-{len(found)}", f"SIA-SPBE: {one.name}", one.columns, rows))
    return tuple(found)


def _form(name: str, title: str, columns: Sequence[Column], made: Sequence[Sheet]) -> Listing:
    """Put the sheets of a form one below the other; the first column counts within each sheet."""
    rows = [row for sheet in made for row in sheet.rows]
    return _listing(name.upper(), title, columns, rows)


def _listing(key: str, title: str, columns: Sequence[Column], rows: Sequence[tuple[Value, ...]]) -> Listing:
    some = tuple(rows[:MOST])
    heads = tuple((c.whole, _width(c, [row[n] for row in some]), c.is_number) for n, c in enumerate(columns))
    return Listing(key, title, heads, some, max(len(rows) - MOST, 0))


def _width(column: Column, values: Sequence[Value]) -> float:
    """Return a column's width in letters: what the form gives it, and as much as its longest code needs unbroken."""
    words = (word for v in values if v is not None for word in _BREAKS.split(str(v)))
    longest = max(map(len, words), default=0)
    return float(max(min(max(column.width, 5), 30), min(longest * 1.25, _CODE)))
