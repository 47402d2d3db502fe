"""Counting assets: by people, by scanner, by the serials that devices tell; and what is said of each in the end."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from inventory import stocktake, store
from inventory.history import Author, breaks
from inventory.observed import Said, keep
from inventory.problems import BadRowError
from inventory.stocktake_result import (
    ELSEWHERE,
    FOUND,
    LOANED,
    MISSING,
    UNKNOWN,
    Line,
    agree,
    end,
    judge,
    lines,
)
from inventory.writing import Writer
from siaga.errors import InvalidError, NotFoundError
from tests.inventory.conftest import NOW

LATER = NOW + timedelta(hours=2)
ROWS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("place", {"name": "Mauk", "kind": "site"}),
    ("place", {"name": "Ruang Server", "kind": "room", "parent": "Mauk"}),
    ("place", {"name": "Gudang", "kind": "site"}),
    ("agency", {"name": "opd"}),
    ("device", {"name": "rtr-1", "place": "Mauk", "transport": "none"}),
    ("device", {"name": "sw-2", "place": "Gudang", "transport": "none"}),
    ("device", {"name": "sw-9", "place": "Mauk", "transport": "none"}),
    ("asset", {"name": "A/1", "serial": "HB-0001x", "place": "Ruang Server", "device": "rtr-1"}),
    ("asset", {"name": "A/2", "nibar": "3603.0002", "serial": "SN0002", "place": "Mauk"}),
    ("asset", {"name": "A/3", "serial": "SN0003", "place": "Mauk"}),
    ("asset", {"name": "A/4", "place": "Mauk", "status": "loaned"}),
    ("asset", {"name": "A/5", "serial": "SN0005", "place": "Gudang", "agency": "opd"}),
    ("asset", {"name": "A/6", "place": "Mauk", "status": "disposed"}),
    ("asset", {"name": "A/7", "serial": "TWIN-1", "place": "Gudang"}),
    ("asset", {"name": "A/8", "serial": "TWIN1", "place": "Gudang"}),
)


@pytest.fixture
def counted(engine: Engine, author: Author) -> Engine:
    """An inventory with assets in two places, and a session 'opname' of Mauk that has begun."""
    with store.session(engine) as session:
        writer = Writer(session, author)
        for noun, values in ROWS:
            writer.put(noun, values)
        stocktake.start(writer, "opname", "Mauk", "")
        writer.finish()
    return engine


def write(engine: Engine, work: Any, at: datetime = LATER) -> Any:
    with store.session(engine) as session:
        writer = Writer(session, Author("ani", at))
        result = work(writer, stocktake.session_of(session, "opname"))
        writer.finish()
    return result


def seen(engine: Engine, *tokens: str, how: str = "manual", **more: str) -> Mapping[str, str]:
    def work(writer: Writer, count: stocktake.Count) -> Mapping[str, str]:
        resolved = stocktake.resolve(writer.session, tokens)
        stocktake.see(writer, count, resolved, how=how, **more)
        return resolved.unknown

    found: Mapping[str, str] = write(engine, work)
    return found


def tell(engine: Engine, device: str, serial: str, at: datetime = LATER, source: str = "snmp") -> None:
    """Let a device tell its serial to a poller."""
    with store.session(engine) as session:
        ids = {label: i for i, label in store.labels(session, "device").items()}
        keep(session, [Said(ids[device], source, at, {"serial": serial})], cause="poll 1")


def result(engine: Engine) -> dict[str, Line]:
    with store.reading(engine) as session:
        found = lines(session, stocktake.session_of(session, "opname"))
    return {line.asset or line.serial: line for line in found}


def states(engine: Engine) -> dict[str, str]:
    return {name: line.state for name, line in result(engine).items()}


def test_nobody_having_looked_all_is_missing_but_what_is_lent(counted: Engine) -> None:
    assert states(counted) == {"A/1": MISSING, "A/2": MISSING, "A/3": MISSING, "A/4": LOANED}


def test_a_label_a_nibar_and_a_serial_are_all_understood(counted: Engine) -> None:
    assert seen(counted, "A/3", "3603.0002", "hb 0001X", "A/3") == {}
    assert states(counted) == {"A/1": FOUND, "A/2": FOUND, "A/3": FOUND, "A/4": LOANED}


def test_the_qr_code_of_a_label_is_understood(counted: Engine) -> None:
    assert seen(counted, "|1.3.2.10|0001|A/1|Dinas 50%25|Router%7C2|2024-01-01", "3603.0002|||none|x") == {}
    assert [states(counted)[n] for n in ("A/1", "A/2", "A/3")] == [FOUND, FOUND, MISSING]


def test_what_is_on_no_asset_or_on_two_is_kept_as_unknown(counted: Engine) -> None:
    told = seen(counted, "SN9999", "twin1", "\x1b[31m", "", how="scan")
    assert told == {"SN9999": "is on no asset", "twin1": "is on 2 assets", "[31m": "is on no asset"}
    unknown = {n: line.note for n, line in result(counted).items() if line.state == UNKNOWN}
    assert unknown == {k: f"{k} {v}" for k, v in told.items()}


def test_what_was_typed_is_manual_and_what_was_scanned_scan_whether_known_or_not(counted: Engine) -> None:
    seen(counted, "A/2", "SN9999", "SN/1|x")
    seen(counted, "A/3", "SN8888", how="scan")
    assert {n: line.how for n, line in result(counted).items() if line.how} == {
        "A/2": "manual",
        "SN9999": "manual",
        "SN/1|x": "manual",
        "A/3": "scan",
        "SN8888": "scan",
    }


def test_what_is_unknown_is_told_once_as_it_was_seen_last(counted: Engine) -> None:
    def again(writer: Writer, count: stocktake.Count) -> None:
        stocktake.see(writer, count, stocktake.resolve(writer.session, ["SN9999"]), how="manual")

    seen(counted, "SN9999", how="scan")
    write(counted, again, LATER + timedelta(minutes=1))
    with store.reading(counted) as session:
        found = lines(session, stocktake.session_of(session, "opname"))
    assert [line.how for line in found if line.serial == "SN9999"] == ["manual"]


def test_a_note_of_an_earlier_version_is_of_a_scanner(counted: Engine) -> None:
    old = {"name": "stock_take/opname/SN/7", "kind": "warning", "at": LATER, "text": "SN/7 is on no asset"}
    write(counted, lambda w, _: w.put("note", {**old, "target_noun": "stock_take", "target": "opname"}))
    line = result(counted)["SN/7"]
    assert (line.state, line.how) == (UNKNOWN, "scan")


def test_an_asset_of_another_place_that_is_here_is_elsewhere(counted: Engine) -> None:
    seen(counted, "A/5")
    line = result(counted)["A/5"]
    assert (line.state, line.place, line.seen_place, line.move_to) == (ELSEWHERE, "Gudang", "Mauk", "Mauk")


def test_seen_in_the_room_of_the_recorded_site_is_found_and_nearer(counted: Engine) -> None:
    seen(counted, "A/2", "A/1", place="Ruang Server")
    found = result(counted)
    assert (found["A/2"].state, found["A/2"].move_to) == (FOUND, "Ruang Server")
    assert (found["A/1"].state, found["A/1"].move_to) == (FOUND, "")


def test_a_serial_that_a_poller_reads_is_a_sighting_with_its_source(counted: Engine) -> None:
    tell(counted, "rtr-1", "HB0001X")
    assert write(counted, stocktake.observe) == 1
    line = result(counted)["A/1"]
    assert (line.state, line.how, line.seen_at, line.seen_place) == (FOUND, "snmp", LATER, "Mauk")
    assert write(counted, stocktake.observe) == 0


def test_what_was_read_before_the_session_began_is_none(counted: Engine) -> None:
    tell(counted, "rtr-1", "HB0001X", at=NOW - timedelta(seconds=1))
    assert write(counted, stocktake.observe) == 0
    assert states(counted)["A/1"] == MISSING


def test_a_serial_read_in_a_wrong_place_is_told(counted: Engine) -> None:
    tell(counted, "sw-2", "SN0002")  # recorded in Mauk, answers in Gudang
    tell(counted, "rtr-1", "SN0005")  # recorded in Gudang, answers in Mauk
    assert write(counted, stocktake.observe) == 2
    found = result(counted)
    assert (found["A/2"].state, found["A/2"].seen_place) == (ELSEWHERE, "Gudang")
    assert (found["A/5"].state, found["A/5"].seen_place) == (ELSEWHERE, "Mauk")


def test_what_others_have_elsewhere_is_none_of_this_session(counted: Engine) -> None:
    tell(counted, "sw-2", "SN0005")
    assert write(counted, stocktake.observe) == 0
    assert "A/5" not in states(counted)


def test_a_device_here_with_a_serial_on_no_asset_is_unknown(counted: Engine) -> None:
    tell(counted, "sw-9", "GHOST-77")
    tell(counted, "sw-2", "GHOST-88")
    found = {n: line.note for n, line in result(counted).items() if line.state == UNKNOWN}
    assert found == {"GHOST-77": "device sw-9 says so, and it is on no asset"}


def test_a_device_that_tells_another_serial_than_its_asset_is_noted(counted: Engine) -> None:
    tell(counted, "rtr-1", "OTHER-1")
    assert result(counted)["A/1"].note == "device rtr-1 says its serial is OTHER-1"


def test_what_a_person_saw_is_not_overruled_by_a_poller(counted: Engine) -> None:
    seen(counted, "A/1", place="Ruang Server", condition="RR")
    tell(counted, "rtr-1", "HB0001X", at=LATER + timedelta(hours=1))
    assert write(counted, stocktake.observe) == 0
    assert (result(counted)["A/1"].how, result(counted)["A/1"].condition) == ("manual", "RR")
    tell(counted, "rtr-1", "HB0001X", at=LATER, source="ssh")
    seen(counted, "A/1", how="scan")
    assert result(counted)["A/1"].how == "scan"


def test_the_end_verifies_what_was_seen_and_only_that(counted: Engine) -> None:
    seen(counted, "A/2", condition="RB")
    seen(counted, "A/5", how="scan")
    with store.reading(counted) as session:
        found = lines(session, stocktake.session_of(session, "opname"))
    write(counted, lambda w, count: end(w, count, found, move=True))
    with store.reading(counted) as session:
        assets = {a["name"]: a for a in store.rows(session, "asset")}
        assert list(breaks(session)) == []
    day = date(2026, 11, 24)
    assert (assets["A/2"]["verified_at"], assets["A/2"]["condition"], assets["A/2"]["place"]) == (
        day,
        "RB",
        "Mauk",
    )
    assert (assets["A/5"]["verified_at"], assets["A/5"]["place"]) == (day, "Mauk")
    assert [assets[n]["verified_at"] for n in ("A/1", "A/3", "A/4", "A/7")] == [None] * 4


def test_a_session_that_has_ended_takes_nothing_more(counted: Engine) -> None:
    write(counted, lambda w, count: end(w, count, [], move=False))
    for work in (lambda: seen(counted, "A/1"), lambda: write(counted, stocktake.observe)):
        with pytest.raises(InvalidError, match="stocktake-ended"):
            work()
    tell(counted, "sw-9", "GHOST-77", at=LATER + timedelta(hours=5))
    assert UNKNOWN not in states(counted).values()


def test_a_session_by_agency_takes_the_recorded_place_for_the_seen_one(counted: Engine) -> None:
    write(counted, lambda w, _: stocktake.start(w, "by-agency", "", "opd"))
    with store.session(counted) as session:
        writer = Writer(session, Author("ani", LATER))
        count = stocktake.session_of(session, "by-agency")
        stocktake.see(writer, count, stocktake.resolve(session, ["A/5"]), how="manual")
        writer.finish()
        (line,) = lines(session, count)
    assert (line.asset, line.state, line.seen_place) == ("A/5", FOUND, "Gudang")


def test_a_session_needs_a_scope_and_a_name_of_its_own(counted: Engine) -> None:
    with pytest.raises(InvalidError, match="no-scope"):
        write(counted, lambda w, _: stocktake.start(w, "x", "", ""))
    with pytest.raises(BadRowError, match="already"):
        write(counted, lambda w, _: stocktake.start(w, "opname", "Mauk", ""))
    with pytest.raises(BadRowError, match="no place called"):
        write(counted, lambda w, _: stocktake.start(w, "x", "Mars", ""))
    with store.reading(counted) as session, pytest.raises(NotFoundError, match="no-such-stocktake"):
        stocktake.session_of(session, "x")


def test_a_wrong_condition_is_refused_whole(counted: Engine) -> None:
    with pytest.raises(BadRowError, match="one of B, RR, RB"):
        seen(counted, "A/1", "A/2", condition="bagus")
    assert states(counted)["A/1"] == MISSING


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdef"), max_size=6),
    st.sampled_from(["", *"abcdef"]),
    st.sampled_from(["", *"abcdef"]),
)
def test_places_agree_both_ways_and_even_a_circle_ends(parents: dict[str, str], one: str, other: str) -> None:
    assert agree(one, other, parents) == agree(other, one, parents)
    assert agree(one, one, parents)
    assert agree(one, "", parents)


@given(
    st.lists(st.tuples(st.sampled_from(["in-use", "loaned"]), st.booleans(), st.sampled_from(["", "p", "q"])))
)
def test_every_asset_has_just_one_line(goods: list[tuple[str, bool, str]]) -> None:
    plain = {"title": "", "serial": "", "device": None, "place": "p"}
    assets = [{**plain, "name": str(i), "status": s} for i, (s, _, _) in enumerate(goods)]
    where = {"how": "scan", "at": NOW, "condition": ""}
    sights = [{**where, "asset": str(i), "place": p} for i, (_, yes, p) in enumerate(goods) if yes]
    found = judge(assets, sights, {}, {})
    assert [line.asset for line in found] == [a["name"] for a in assets]
    assert {line.asset for line in found if line.state in (FOUND, ELSEWHERE)} == {s["asset"] for s in sights}
    assert all((line.state == ELSEWHERE) == (line.seen_place == "q") for line in found)
