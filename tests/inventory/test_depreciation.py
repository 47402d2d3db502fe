"""Straight line by half-years: literal cases, and what must hold for every price, life and day."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from inventory import bmd, store
from inventory.bmd import Codes, GoodsClass
from inventory.depreciation import book_value, grand_total, half_years, read, totals, values
from inventory.history import Author
from inventory.writing import Writer
from siaga.errors import InvalidError

CODES = bmd.load()
ROUTER = "1.3.2.10.02.04.002"
prices = st.integers(0, 10**13)
days = st.dates(date(1990, 1, 1), date(2060, 12, 31))
lives = st.integers(1, 50)


@pytest.mark.parametrize(
    ("on", "passed"),
    [
        (date(2026, 3, 9), 0),
        (date(2026, 3, 10), 0),
        (date(2026, 6, 29), 0),
        (date(2026, 6, 30), 1),
        (date(2026, 12, 30), 1),
        (date(2026, 12, 31), 2),
        (date(2030, 1, 1), 8),
    ],
)
def test_a_half_year_is_booked_on_its_last_day(on: date, passed: int) -> None:
    assert half_years(date(2026, 3, 10), on) == passed


def test_a_router_of_four_years_loses_an_eighth_each_half_year() -> None:
    worth = [book_value(80_000_000, date(2022, 8, 17), 4, 0, date(y, 12, 31)) for y in range(2021, 2028)]
    assert worth == [80_000_000, 70_000_000, 50_000_000, 30_000_000, 10_000_000, 0, 0]


def test_the_last_charge_takes_what_rounding_left() -> None:
    ends = [date(y, m, d) for y in range(2024, 2028) for m, d in ((6, 30), (12, 31))]
    worth = [book_value(1003, date(2024, 1, 5), 4, 0, on) for on in ends]
    assert worth == [878, 753, 628, 503, 378, 253, 128, 0]


def test_a_residual_value_is_kept() -> None:
    assert book_value(1000, date(2010, 1, 1), 4, 100, date(2026, 1, 1)) == 100
    assert book_value(50, date(2010, 1, 1), 4, 100, date(2026, 1, 1)) == 50


def test_a_life_of_no_years_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one year"):
        book_value(1, date(2020, 1, 1), 0, 0, date(2026, 1, 1))


@given(prices, prices, days, lives, days, st.integers(0, 40_000))
def test_the_value_falls_and_stays_between_price_and_residual(
    price: int, residual: int, acquired: date, life: int, on: date, later: int
) -> None:
    now = book_value(price, acquired, life, residual, on)
    then = book_value(price, acquired, life, residual, min(on + timedelta(days=later), date(2400, 1, 1)))
    assert min(price, residual) <= then <= now <= price


@given(prices, prices, days, lives)
def test_all_charges_together_are_the_price_without_the_residual(
    price: int, residual: int, acquired: date, life: int
) -> None:
    ends = [
        date(y, m, d) for y in range(acquired.year, acquired.year + life + 1) for m, d in ((6, 30), (12, 31))
    ]
    worth = [price, *(book_value(price, acquired, life, residual, on) for on in ends)]
    assert sum(a - b for a, b in pairwise(worth)) == max(price - residual, 0)
    assert worth[-1] == min(price, residual)


def row(**given: object) -> dict[str, object]:
    plain = {
        "name": "a",
        "title": "",
        "kode_barang": ROUTER,
        "status": "in-use",
        "acquired": date(2024, 1, 1),
    }
    return {**plain, "price_idr": 800, "useful_life_years": None, "residual_idr": None, **given}


def test_the_life_comes_from_the_asset_before_the_class() -> None:
    on = date(2025, 12, 31)
    assert [v.book_value_idr for v in values([row(), row(useful_life_years=8)], CODES, on)] == [400, 600]


def test_a_value_that_cannot_be_known_says_what_is_missing() -> None:
    asked = [row(price_idr=None), row(acquired=None), row(kode_barang="1.3.2.01.03.04.002")]
    found = values(asked, CODES, date(2026, 1, 1))
    assert [(v.missing, v.book_value_idr) for v in found] == [
        ("no price", None),
        ("no date of acquisition", None),
        ("no useful life", None),
    ]


def test_goods_not_yet_bought_and_goods_gone_are_left_out() -> None:
    assert values([row(acquired=date(2027, 1, 1)), row(status="disposed")], CODES, date(2026, 1, 1)) == []


def test_land_keeps_its_value() -> None:
    found = values([row(kode_barang="1.3.1.01.01", acquired=date(1980, 1, 1))], CODES, date(2026, 1, 1))
    assert (found[0].book_value_idr, found[0].accumulated_idr, found[0].missing) == (800, 0, "")


@given(st.lists(st.tuples(prices, days, st.sampled_from([ROUTER, "1.3.2.05.02.04.004", "1.3.1", "9.9", ""]))))
def test_the_classes_add_up_to_the_whole(goods: list[tuple[int, date, str]]) -> None:
    rows = [row(name=str(i), price_idr=p, acquired=d, kode_barang=c) for i, (p, d, c) in enumerate(goods)]
    found = values(rows, CODES, date(2030, 1, 1))
    whole, parts = grand_total(found), totals(found, CODES)
    assert whole.book_value_idr == sum(p.book_value_idr for p in parts)
    assert whole.price_idr == whole.accumulated_idr + whole.book_value_idr
    assert whole.assets == sum(p.assets for p in parts) == len(found)


def test_the_assets_of_the_inventory_are_valued(engine: Engine, author: Author) -> None:
    with store.session(engine) as session:
        writer = Writer(session, author)
        bought = {"kode_barang": ROUTER, "acquired": "2024-02-01", "price_idr": "40000000"}
        writer.put("asset", {"name": "R/0001", "title": "Router", **bought})
        writer.put("asset", {"name": "R/0002", "status": "disposed", **bought})
        writer.finish()
    with store.reading(engine) as session:
        (found,) = read(session, None, CODES, date(2026, 11, 24))
    assert (found.asset, found.group, found.life_years, found.half_years) == ("R/0001", "1.3.2.10.02", 4, 5)
    assert (found.accumulated_idr, found.book_value_idr) == (25_000_000, 15_000_000)


# --- the table of codes


def test_every_code_of_the_table_lies_in_a_class() -> None:
    assert len(CODES.codes) == 25
    assert {CODES.class_of(c) for c in CODES.codes} <= set(CODES.classes) - {""}


def test_every_useful_life_says_where_it_comes_from() -> None:
    lives = [c for c in CODES.classes.values() if c.life_years is not None]
    assert lives
    assert all(c.source and c.confidence for c in lives)


def test_an_unknown_code_is_warned_of_once() -> None:
    found = bmd.warnings(CODES, [ROUTER, "9.9.9", "", " 9.9.9"])
    assert len(found) == 1
    assert "9.9.9" in found[0]


def test_the_regencys_own_table_stands_before_ours(tmp_path: Path) -> None:
    (tmp_path / "bmd").mkdir()
    own = '[class."1.3.2.10.02"]\ntitle = "Peralatan"\nlife_years = 5\n[code]\n"1.3.2.10.02.04.099" = "UPS"\n'
    (tmp_path / "bmd" / "own.toml").write_text(own)
    table = bmd.load(tmp_path)
    assert (table.life_years(ROUTER), CODES.life_years(ROUTER)) == (5, 4)
    assert table.unknown(["1.3.2.10.02.04.099"]) == []
    assert table.title("1.3.2.10.02.04.099") == "UPS"


@pytest.mark.parametrize(
    "text", ["[class.x]\n", "nothing = 1", "[[", "[class.x]\ntitle = 'a'\nlife_years = 0"]
)
def test_a_table_that_is_none_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "bmd").mkdir()
    (tmp_path / "bmd" / "bad.toml").write_text(text)
    with pytest.raises(InvalidError, match=r"bad-bmd-table: .*bad\.toml"):
        bmd.load(tmp_path)


def test_a_class_says_nothing_that_a_wider_one_does_not_take_over() -> None:
    narrow = Codes({"1": GoodsClass(title="a", life_years=7), "1.2": GoodsClass(title="b")}, {})
    assert (narrow.class_of("1.2.3"), narrow.life_years("1.2.3")) == ("1.2", 7)
