"""The official lists that stand in the annex: KIB B, KIR and the sheets of the SPBE architecture, bounded in length."""

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
    heads = tuple((c.whole, float(min(max(c.width, 5), 30)), c.is_number) for c in columns)
    return Listing(key, title, heads, tuple(rows[:MOST]), max(len(rows) - MOST, 0))
