"""What goods are still worth in the books: straight line by half-years.

The convention (garis lurus per semester), as regional goods (BMD, Permendagri 1/2019) and state goods (PMK
65/PMK.06/2017) follow it; read in copies and in the rules of a regency's own ledger, to be compared with the
regency's regulation:

- the charge of each half-year is the price by the number of half-years (useful life in years, twice), without a
  residual value; an asset that carries one keeps it;
- the half-year in which goods are acquired counts whole, and a half-year is booked when it ends, on 30 June and
  31 December: what is acquired on 10 March has lost nothing on 29 June and one charge on 30 June;
- the charge is rounded to whole rupiah, and the last one takes what remains.

Goods that are worn out or lost are depreciated on until they leave the books.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.bmd import Codes
from inventory.nouns import noun

HALF_YEARS = 2  # in a year
_REASONS = ("no price", "no date of acquisition", "no useful life")


@dataclass(frozen=True)
class Value:
    """One asset in the books on a day; amounts in rupiah. `missing` says why there is no value, or is ''."""

    asset: str
    title: str
    kode_barang: str
    group: str
    acquired: date | None
    price_idr: int | None
    life_years: int | None
    half_years: int | None
    accumulated_idr: int | None
    book_value_idr: int | None
    missing: str = ""


@dataclass(frozen=True)
class Total:
    """All goods of one class; those without a value are counted, and their price is in no sum."""

    group: str
    title: str
    assets: int
    price_idr: int
    accumulated_idr: int
    book_value_idr: int
    without_value: int


def half_years(acquired: date, on: date) -> int:
    """Return how many half-years have ended from the one of acquisition up to and with the day `on`."""
    if on < acquired:
        return 0
    return _index(on + timedelta(days=1)) - _index(acquired)


def _index(day: date) -> int:
    return day.year * HALF_YEARS + (day.month > 6)


def book_value(price: int, acquired: date, life_years: int, residual: int, on: date) -> int:
    """Return the value on the day `on`, in whole rupiah; never below the residual, never above the price.

    Raises ValueError for a life of less than a year.
    """
    if life_years < 1:
        raise ValueError("a useful life is at least one year")
    whole = max(price - residual, 0)
    periods = life_years * HALF_YEARS
    passed = half_years(acquired, on)
    if passed >= periods:
        return price - whole
    charge = (2 * whole + periods) // (2 * periods)  # halves are rounded up
    return price - min(whole, charge * passed)


def values(rows: Iterable[Mapping[str, Any]], codes: Codes, on: date) -> list[Value]:
    """Return the value of each asset on a day; goods not yet acquired then, or disposed of, are left out."""
    return [
        _valued(row, codes, on)
        for row in rows
        if row["status"] != "disposed" and (row["acquired"] is None or row["acquired"] <= on)
    ]


def _valued(row: Mapping[str, Any], codes: Codes, on: date) -> Value:
    price, acquired, code = row["price_idr"], row["acquired"], row["kode_barang"]
    keeps = not codes.depreciates(code)
    life = None if keeps else row["useful_life_years"] or codes.life_years(code)
    lacking = (price is None, acquired is None and not keeps, life is None and not keeps)
    missing = next((r for r, lacks in zip(_REASONS, lacking, strict=True) if lacks), "")
    passed = worth = None
    if not missing and life is None:
        worth = price
    elif not missing and life is not None:
        passed = min(half_years(acquired, on), life * HALF_YEARS)
        worth = book_value(price, acquired, life, row["residual_idr"] or 0, on)
    return Value(
        asset=row["name"],
        title=row["title"],
        kode_barang=code,
        group=codes.class_of(code),
        acquired=acquired,
        price_idr=price,
        life_years=life,
        half_years=passed,
        accumulated_idr=None if worth is None else price - worth,
        book_value_idr=worth,
        missing=missing,
    )


def totals(found: Sequence[Value], codes: Codes) -> list[Total]:
    """Return the sums by class of goods, in the order of the classes; goods without a class come first."""
    groups: dict[str, list[Value]] = {}
    for value in found:
        groups.setdefault(value.group, []).append(value)
    return [_total(group, codes.title(group), groups[group]) for group in sorted(groups)]


def grand_total(found: Sequence[Value]) -> Total:
    """Return the sum of all goods."""
    return _total("", "", found)


def _total(group: str, title: str, members: Sequence[Value]) -> Total:
    known = [m for m in members if m.book_value_idr is not None]
    return Total(
        group,
        title,
        len(members),
        sum(m.price_idr or 0 for m in known),
        sum(m.accumulated_idr or 0 for m in known),
        sum(m.book_value_idr or 0 for m in known),
        len(members) - len(known),
    )


_FIELDS = (
    "id",
    "name",
    "title",
    "kode_barang",
    "status",
    "acquired",
    "price_idr",
    "useful_life_years",
    "residual_idr",
)


def read(session: Session, ids: Sequence[int] | None, codes: Codes, on: date) -> list[Value]:
    """Return the values of the assets with these ids, or of all, in the order of their names."""
    c = noun("asset").table.c
    rows = session.execute(select(*(c[f] for f in _FIELDS)).order_by(c.name)).mappings()
    wanted = None if ids is None else set(ids)
    return values((dict(r) for r in rows if wanted is None or r["id"] in wanted), codes, on)
