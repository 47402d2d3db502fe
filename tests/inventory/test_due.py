"""What ends soon, or has ended and still matters: and nothing else, or nobody would look."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from inventory import store
from inventory.due import CRITICAL, INFO, WARNING, Deadline, judge, read, summary
from inventory.history import Author
from inventory.writing import Writer

TODAY = date(2026, 11, 24)


def off(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def due_of(
    engine: Engine, author: Author, *rows: tuple[str, Mapping[str, Any]], within: int = 90
) -> list[str]:
    """Return kind, name, days and severity of all that is due among these rows."""
    with store.session(engine) as session:
        writer = Writer(session, author)
        for noun, values in rows:
            writer.put(noun, values)
        writer.finish()
    with store.reading(engine) as session:
        found = judge(read(session, TODAY, within), TODAY, within)
    return [f"{d.kind} {d.name} {d.days} {d.severity}" for d in found]


def test_an_empty_inventory_has_nothing_due(engine: Engine, author: Author) -> None:
    assert due_of(engine, author) == []
    assert summary([], 90) == "Nothing is due within 90 days."


CASES: Sequence[tuple[str, Sequence[tuple[str, Mapping[str, Any]]], Sequence[str]]] = (
    (
        "a warranty is told of before its day and for a month after",
        [("asset", {"name": n, "warranty_until": off(d)}) for n, d in zip("abcde", (91, 90, 3, -30, -31), strict=True)],
        ["warranty d -30 warning", "warranty c 3 warning", "warranty b 90 info"],
    ),
    (
        "goods that are gone have no warranty",
        [("asset", {"name": "a", "warranty_until": off(3), "status": "disposed"})],
        [],
    ),
    (
        "a contract that still carries a connection stays a finding after its end",
        [
            ("contract", {"name": "c1", "end": off(-400)}),
            ("contract", {"name": "c2", "end": off(-400)}),
            ("connection", {"name": "wan", "contract": "c1"}),
        ],
        ["contract c1 -400 critical"],
    ),
    (
        "the renewal notice comes before the end, and stays while the contract runs",
        [
            ("contract", {"name": "c1", "end": off(120), "renewal_notice_days": 60}),
            ("contract", {"name": "c2", "end": off(20), "renewal_notice_days": 90}),
            ("contract", {"name": "c3", "end": off(300), "renewal_notice_days": 90}),
        ],
        ["renewal-notice c2 -70 critical", "contract c2 20 warning", "renewal-notice c1 60 info"],
    ),
    (
        "a certificate that was renewed, or whose holder left, is not due",
        [
            ("person", {"name": "Ani"}),
            ("person", {"name": "Left", "active_to": off(-1)}),
            ("certificate", {"name": "old", "person": "Ani", "area": "keamanan", "expires": off(-10)}),
            ("certificate", {"name": "new", "person": "Ani", "area": "keamanan", "expires": off(900)}),
            ("certificate", {"name": "net", "person": "Ani", "area": "jaringan", "expires": off(-10)}),
            ("certificate", {"name": "gone", "person": "Left", "expires": off(-10)}),
        ],
        ["certificate net -10 critical"],
    ),
    (
        "end of life counts for device types that are in use",
        [
            ("device_type", {"name": "t1", "eos": off(-500), "eol": off(-5)}),
            ("device_type", {"name": "t2", "eol": off(-5)}),
            ("device_type", {"name": "t3", "eos": off(10), "eol": off(2000)}),
            ("device", {"name": "d1", "device_type": "t1", "transport": "none"}),
            ("device", {"name": "d2", "device_type": "t2", "status": "retired", "transport": "none"}),
            ("device", {"name": "d3", "device_type": "t3", "transport": "none"}),
        ],
        ["end-of-life t1 -5 critical", "end-of-sale t3 10 warning"],
    ),
    (
        "an account ends by its date or with its person",
        [
            ("person", {"name": "Left", "active_to": off(-7)}),
            ("account", {"name": "root", "person": "Left"}),
            ("account", {"name": "vendor", "expires": off(40)}),
            ("account", {"name": "forever"}),
        ],
        ["account root -7 critical", "account vendor 40 info"],
    ),
    (
        "a newer document of the same kind stands for the older",
        [
            ("evidence", {"name": "sop-1", "kind": "sop_jip", "dated": off(-800), "valid_until": off(-60)}),
            ("evidence", {"name": "sop-2", "kind": "sop_jip", "dated": off(-60), "valid_until": off(600)}),
            ("evidence", {"name": "sk", "kind": "sk_pengelola", "dated": off(-60), "valid_until": off(0)}),
        ],
        ["evidence sk 0 warning"],
    ),
)  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_due(
    engine: Engine, author: Author, rows: Sequence[tuple[str, Mapping[str, Any]]], expected: Sequence[str]
) -> None:
    assert due_of(engine, author, *rows) == list(expected)


def test_a_loan_is_due_until_all_of_it_is_back(engine: Engine, author: Author) -> None:
    lent = {"kind": "loan", "dated": off(-30), "due": off(-2), "from_person": "Ani", "to_person": "Budi"}
    rows: list[tuple[str, Mapping[str, Any]]] = [
        ("person", {"name": "Ani"}),
        ("person", {"name": "Budi"}),
        ("asset", {"name": "a"}),
        ("asset", {"name": "b"}),
        ("custody", {"name": "1/BAST", **lent}),
        ("custody_item", {"custody": "1/BAST", "asset": "a"}),
        ("custody_item", {"custody": "1/BAST", "asset": "b"}),
    ]
    assert due_of(engine, author, *rows) == ["loan 1/BAST -2 critical"]
    back: list[tuple[str, Mapping[str, Any]]] = [
        ("custody", {"name": "2/BAST", "kind": "return", "dated": off(0)}),
        ("custody_item", {"custody": "2/BAST", "asset": "a"}),
    ]
    assert due_of(engine, author, *back) == ["loan 1/BAST -2 critical"]
    assert due_of(engine, author, ("custody_item", {"custody": "2/BAST", "asset": "b"})) == []


deadlines = st.builds(
    Deadline,
    st.sampled_from(["warranty", "loan"]),
    st.just("asset"),
    st.text("ab", max_size=2),
    st.dates(date(2025, 1, 1), date(2028, 1, 1)),
    st.just("x"),
    st.booleans(),
)


@given(st.lists(deadlines, max_size=30), st.integers(0, 400))
def test_what_is_due_is_sorted_and_within_and_severe_as_it_is_near(
    known: list[Deadline], within: int
) -> None:
    found = judge(known, TODAY, within)
    assert [d.on for d in found] == sorted(d.on for d in found)
    assert all(d.days == (d.on - TODAY).days <= within for d in found)
    assert all((d.severity == INFO) == (d.days > 30) for d in found)
    assert all(d.severity == WARNING for d in found if 0 <= d.days <= 30)
    lasting = [d for d in known if d.lasting and d.on < TODAY]
    assert sum(d.severity == CRITICAL for d in found) == len(lasting)
    assert f"{sum(d.days < 0 for d in found)} past" in summary(found, within) or not found
