"""Items → the sheets of a form: one for each agency or room, its letterhead, rows and totals. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from report.exports import forms
from report.exports.forms import Column, Form
from report.exports.goods import Item
from report.exports.regency import Person, Regency

Value = str | int | float | None
CONDITIONS = {"good": "B", "worn": "RR", "broken": "RB"}


@dataclass(frozen=True)
class Signature:
    """One signature: the lines above it, and the name and number below; '' where it is not known who signs."""

    lines: tuple[str, ...]
    name: str = ""
    nip: str = ""


@dataclass(frozen=True)
class Sheet:
    """One sheet: `kop` are the lines of its letterhead; a row has a value for each column of the form."""

    agency: str
    room: str
    name: str
    kop: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Value, ...], ...]
    totals: tuple[Value, ...]
    signatures: tuple[Signature, ...]
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where and when the sheets are signed, and the province and regency of their letterhead."""

    town: str
    dated: str
    province: str
    regency: str


def sheets(form: Form, items: Iterable[Item], regency: Regency, place: Place) -> list[Sheet]:
    """Return the form's sheets, by agency and room; each begins to count at 1."""

    def where(item: Item) -> tuple[str, str]:
        return item.agency, regency.room(item.place) if form.per == "room" else ""

    found = sorted(items, key=where)  # stable: within a sheet the books' order stays
    return [
        _sheet(form, tuple(group), agency, room, regency, place)
        for (agency, room), group in groupby(found, key=where)
    ]


def _sheet(
    form: Form, items: tuple[Item, ...], agency: str, room: str, regency: Regency, place: Place
) -> Sheet:
    rows = _alike(form, [_row(form, n, item) for n, item in enumerate(items, 1)])
    title = regency.title(agency)
    lines = {
        "province": place.province,
        "regency": place.regency,
        "agency": title,
        "unit": title,
        "room": regency.located(room),
        "code": regency.code(agency),
    }
    return Sheet(
        agency=agency,
        room=room,
        name=room or agency or forms.word("no-agency"),
        kop=tuple((forms.tree()["kop"][k], lines[k]) for k in form.kop),
        rows=rows,
        totals=_totals(form.columns, rows),
        signatures=_signatures(form, agency, room, regency, place),
        items=items,
    )


def _row(form: Form, number: int, item: Item) -> list[Value]:
    return [number if c.field == "number" else CELLS[c.field](item) for c in form.columns]


def _alike(form: Form, rows: Sequence[list[Value]]) -> tuple[tuple[Value, ...], ...]:
    """Give a column of thousands decimals everywhere or nowhere: 12.505 below 12.502,500 would mislead."""
    for i, column in enumerate(form.columns):
        if column.kind == "thousands" and any(isinstance(row[i], float) for row in rows):
            for row in rows:
                value = row[i]
                row[i] = float(value) if isinstance(value, int) else value
    return tuple(map(tuple, rows))


def _totals(columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> tuple[Value, ...]:
    """Return the sum of each column that has one; a column without a single number has none."""
    found: list[Value] = []
    for i, column in enumerate(columns):
        numbers = [v for row in rows if column.total and isinstance(v := row[i], (int, float))]
        found.append(_sum(numbers) if numbers else None)
    return tuple(found)


def _sum(numbers: Sequence[int | float]) -> int | float:
    """Add up exactly: thousands of rupiah have at most three decimals. Floats add up to a float."""
    thousandths = sum(round(n * 1000) if isinstance(n, float) else n * 1000 for n in numbers)
    parts = any(isinstance(n, float) for n in numbers)
    return thousandths / 1000 if parts else thousandths // 1000


def _signatures(form: Form, agency: str, room: str, regency: Regency, place: Place) -> tuple[Signature, ...]:
    made = []
    for name in form.signers:
        signer = forms.signer(name)
        person = regency.signing(signer.roles, agency, room if name == "room" else "") or Person("")
        last = name == form.signers[-1]  # the date stands above the last one, as letters have it
        top = f"{place.town}, {place.dated}" if last else signer.lines[0] if len(signer.lines) > 1 else ""
        made.append(Signature((top, signer.lines[-1]), person.name, person.nip))
    return tuple(made)


def missing(form: Form, made: Sequence[Sheet]) -> Mapping[str, int]:
    """Return title → how many rows have an empty cell, of the columns that should have none."""
    wanted = [(i, c) for i, c in enumerate(form.columns) if c.needed]
    rows = [row for sheet in made for row in sheet.rows]
    counted = {c.whole: sum(row[i] in ("", None) for row in rows) for i, c in wanted}
    return {title: count for title, count in counted.items() if count}


def _year(acquired: date | None) -> int | None:
    return acquired.year if acquired else None


def _thousands(price: int | None) -> int | float | None:
    if price is None:
        return None
    return price // 1000 if price % 1000 == 0 else price / 1000


def _quantity_register(item: Item) -> Value:
    # Always both parts: a lone 1 in this column could be either.
    return f"{item.quantity} / {item.register_number or '-'}"


def _in(condition: str) -> Callable[[Item], Value]:
    return lambda item: item.quantity if item.condition == condition else None


CELLS: Mapping[str, Callable[[Item], Value]] = {
    "kode_barang": lambda i: i.kode_barang,
    "title": lambda i: i.name,
    "coded_name": lambda i: i.code_name or i.name,
    "specification": lambda i: i.specification,
    "register_number": lambda i: i.register_number,
    "nibar": lambda i: i.nibar,
    "brand": lambda i: i.brand,
    "size": lambda i: i.size,
    "material": lambda i: i.material,
    "year": lambda i: _year(i.acquired),
    "serial": lambda i: i.serial,
    "frame_number": lambda i: i.frame_number,
    "engine_number": lambda i: i.engine_number,
    "plate_number": lambda i: i.plate_number,
    "title_number": lambda i: i.title_number,
    "origin": lambda i: i.origin,
    "price_idr": lambda i: i.price_idr,
    "price_thousands": lambda i: _thousands(i.price_idr),
    "quantity": lambda i: i.quantity,
    "quantity_register": _quantity_register,
    "unit": lambda i: i.unit,
    "condition_word": lambda i: forms.tree()["conditions"].get(i.condition, ""),
    **{name: _in(condition) for name, condition in CONDITIONS.items()},
    "notes": lambda i: i.notes,
}
