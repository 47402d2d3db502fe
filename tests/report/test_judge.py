"""Levels, the index with its interval, needs in three values, and rubrics that are refused."""

import json
import re
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from told import told

from report import three
from report.assessment import Need, Reading
from report.counsel import words
from report.judge import assess, climbed, level_of, reached, register, score
from report.measures import names
from report.needs import parse
from report.records import Device, Document, Person
from report.rubric import FOLDER, Indicator, Loaded, load, read, versions
from report.versions import before
from siaga.errors import InvalidError, NotFoundError

RUBRIC = load().rubric
DAY = date(2026, 10, 31)


def row(key: str) -> Indicator:
    return RUBRIC.row(key)


def test_the_rubric_has_51_rows_that_weigh_a_hundred() -> None:
    assert len(RUBRIC.indicators) == 51
    assert {d: sum(i.weight for i in RUBRIC.indicators if i.dimension == d) for d in RUBRIC.dimensions} == {
        "struktur": 20, "infrastruktur": 60, "suprastruktur": 20,
    }  # fmt: skip
    areas = {a: sum(i.weight for i in RUBRIC.indicators if i.area == a) for a in RUBRIC.areas}
    assert areas == {
        "SDM": 13,
        "peralatan": 22,
        "jaringan": 35,
        "aplikasi": 7,
        "keamanan": 16,
        "fasilitas": 7,
    }
    assert sum(i.measured == "official" for i in RUBRIC.indicators) == 28
    assert sum(i.graded == "official" for i in RUBRIC.indicators) == 8


@pytest.mark.parametrize(
    ("key", "value", "level"),
    [
        ("INF-JAR-05", 94.99, 1), ("INF-JAR-05", 95, 2), ("INF-JAR-05", 99.5, 5),
        ("STR-SDM-01", 401, 1), ("STR-SDM-01", 400, 2), ("STR-SDM-01", 100, 5), ("STR-SDM-01", 0, 5),
    ],
)  # fmt: skip
def test_a_bound_belongs_to_the_level_above(key: str, value: float, level: int) -> None:
    assert reached(row(key), value) == level


def test_too_little_coverage_is_no_level() -> None:
    assert level_of(row("INF-JAR-05"), Reading(99.9, "persen", coverage=0.8999), ()) is None
    assert level_of(row("INF-JAR-05"), Reading(99.9, "persen", coverage=0.9), ()) == 5


@pytest.mark.parametrize(
    ("held", "level"),
    [
        ((False, True, True, True), 1), ((True, False, None, True), 2), ((None, False, False, False), None),
        ((True, True, None, False), None), ((True, True, True, True), 5), ((True, True, True, False), 4),
    ],
)  # fmt: skip
def test_a_ladder_is_climbed_step_by_step(held: tuple[bool | None, ...], level: int | None) -> None:
    assert climbed(Need(n, "x", h) for n, h in zip((2, 3, 4, 5), held, strict=True)) == level


def test_the_index_leaves_out_what_has_no_level_and_the_interval_takes_it_in() -> None:
    """Weights 2, 3, 5; levels 4, none, 2: (8 + 10) / 7 = 2.57; low (18 + 3) / 10, high (18 + 15) / 10."""
    base = assess(told(), load()).rows[0]
    rows = [replace(base, weight=w, level=n) for w, n in ((2, 4), (3, None), (5, 2))]
    found = score("index", rows)
    assert (found.value, found.low, found.high, found.weight, found.known_weight) == (2.57, 2.1, 3.3, 10, 7)


def test_without_any_data_the_index_is_open_from_1_to_5() -> None:
    found = assess(told(), load())
    assert (found.index.value, found.index.low, found.index.high, found.band) == (None, 1, 5, "")
    assert (found.shares.no_data, found.shares.good, found.shares.poor) == (51, 0, 0)
    assert all(g.open is None for g in found.gates)
    assert all(r.level is None and r.reason and r.reading.value is None for r in found.rows)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.one_of(st.none(), st.integers(1, 5))), min_size=1, max_size=12)
)
def test_the_index_lies_in_its_interval(some: list[tuple[int, int | None]]) -> None:
    base = ROW
    found = score("x", [replace(base, weight=w, level=n) for w, n in some])
    assert 1 <= found.low <= found.high <= 5
    assert found.value is None or found.low <= found.value <= found.high


ROW = assess(told(), load()).rows[0]


# --- needs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "terms", "holds"),
    [
        ("p == 100", {"p": 100.0}, True), ("p == 100", {"p": 99.99}, False), ("p > 0", {"p": None}, None),
        ("p > 0", {}, None), ("n >= 2", {"n": 2}, True), ("n <= 1.5", {"n": 2}, False), ("n < 3", {"n": 2}, True),
        ("ups", {"ups": True}, True), ("ups", {"ups": False}, False),
        ("a and b", {"a": True}, None), ("a and b", {"a": False}, False), ("a or b", {"a": True}, True),
        ("a or b and c", {"a": False, "b": True, "c": False}, False), ("(a or b) and c", {"b": True, "c": True}, True),
        ("evidence(sop_jip, 365d)", {}, True), ("evidence(sk_ttis, 365d)", {}, False),
    ],
)  # fmt: skip
def test_a_need_holds_fails_or_is_not_known(text: str, terms: dict[str, Any], holds: bool | None) -> None:
    assert parse(text).holds(terms, lambda kind, _: kind == "sop_jip") is holds


@pytest.mark.parametrize(
    "text",
    [
        "", "p ==", "== 3", "p = 3", "p == q", "(a", "a)", "a b", "and", "a and", "evidence(x)", "evidence(x, 3)",
        "__import__('os')", "p > 0; q", "lambda: 0", "p.x", "a" * 400, "evidence(sop, 1000000d)", "1 == 1",
    ],
)  # fmt: skip
def test_what_is_no_need_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse(text)
    assert caught.value.code == "bad-need"


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_any_text_is_a_need_or_one_clear_error(text: str) -> None:
    with suppress(InvalidError):
        parse(text).holds({}, lambda *_: None)


def test_a_register_in_use_says_what_it_lacks_and_an_empty_one_nothing() -> None:
    assert register((), DAY)("sop_jip", 365) is None
    bast = Document("b", "bast", DAY)
    assert register((bast,), DAY)("sop_jip", 365) is None
    old = Document("a", "sop_jip", date(2025, 10, 31))
    ended = Document("c", "sk_ttis", DAY, valid_until=date(2026, 10, 30))
    later = Document("d", "rencana_audit", date(2026, 11, 1))
    has = register((old, ended, later), DAY)
    assert (has("sop_jip", 365), has("sop_jip", 364)) == (True, False)
    assert (has("sk_ttis", 365), has("rencana_audit", 365)) == (False, False)


def test_three_values() -> None:
    assert (three.some([]), three.some([False, None]), three.some([None, True])) == (False, None, True)
    assert (three.every([]), three.every([True, None]), three.every([None, False])) == (True, None, False)


@pytest.mark.parametrize(
    ("one", "other"),
    [("7.9", "7.15"), ("7.15", "7.15.2"), ("7.15rc1", "7.15"), ("15.2(7)E3", "15.2(7)E10"), ("6.49", "7")],
)
def test_versions_compare_as_people_number_them(one: str, other: str) -> None:
    assert before(one, other)
    assert not before(other, one)
    assert not before(one, one)


# --- words and what would raise a level ------------------------------------------------------------------


def test_every_remark_has_words_in_both_languages_with_the_same_holes() -> None:
    root = Path(__file__).parents[2] / "report"
    told_by = "".join(p.read_text() for p in (*root.glob("*.py"), *root.glob("measures/*.py")))
    used = set(re.findall(r"said\(\s*\"([a-z-]+)\"", told_by))
    assert len(used) > 30
    assert used <= set(words())
    for key, both in words().items():
        assert set(both) == {"id", "en"}, key
        holes = {lang: set(re.findall(r"\{\w+\}", text)) for lang, text in both.items()}
        assert holes["id"] == holes["en"], key


def test_the_next_step_counts_how_many_are_lacking() -> None:
    devices = [Device(f"d{n}", "router", "s", "r" if n < 6 else "", agency="a", maker="m", model="x", serial="1",
                      rented=True) for n in range(10)]  # fmt: skip
    found = assess(told(*devices), load(), lang="en", only="INF-PER-01").rows[0]
    assert (found.level, found.reading.value) == (2, 60.0)
    assert (
        found.next_step
        == "Level 3: raise it from 60.00 to 75.00 percent. 2 more of 10, among them d6, d7, d8, d9."
    )


def test_the_next_step_of_a_ladder_names_what_it_needs() -> None:
    people = [Person(n, competences=("data",)) for n in "ab"]
    plan = Document("p", "rencana_sdm", DAY)
    found = assess(told(*people, plan), load(), only="STR-SDM-02").rows[0]
    assert found.level == 2
    assert found.next_step == "Tingkat 3 (Keenam kompetensi terpenuhi) memerlukan: k == 6."


def test_a_gate_is_open_below_its_level() -> None:
    some = [Device(f"d{n}", snmp="2c", snmp_safe=False) for n in range(3)]
    gates = {g.row: g.open for g in assess(told(*some), load()).gates}
    assert gates == {"INF-KEA-01": True, "INF-PER-06": None, "SUP-KEL-02": None}


# --- rubrics that are refused ------------------------------------------------------------------------------


TREE = yaml.load((FOLDER / "2026-1.yaml").read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def altered(change: Any) -> list[str]:
    """Return the problems of the rubric after a change of its tree."""
    tree = deepcopy(TREE)
    change(tree)
    with pytest.raises(InvalidError) as caught:
        read(json.dumps(tree).encode(), "mine.yaml")  # JSON is YAML, and quickly written
    assert caught.value.code == "bad-rubric"
    return list(caught.value.problems)


def rows(tree: Any, key: str) -> Any:
    return next(i for i in tree["indicators"] if i["id"] == key)


CHANGES: dict[str, tuple[Any, str]] = {
    "an unknown measure": (
        lambda t: rows(t, "INF-JAR-05").update(measure="magic"),
        "INF-JAR-05: there is no measure 'magic' in report/measures",
    ),
    "a weight": (
        lambda t: rows(t, "INF-JAR-05").update(weight=4),
        "dimension 'infrastruktur': its rows weigh 61 together, not 60",
    ),
    "a double": (lambda t: rows(t, "INF-JAR-05").update(id="INF-JAR-06"), "id 'INF-JAR-06' is given 2 times"),
    "bounds that turn": (
        lambda t: rows(t, "INF-JAR-05")["levels"].update({3: 94}), "do not go one way, as 'higher' asks",
    ),
    "a level that is none": (
        lambda t: rows(t, "INF-JAR-05")["levels"].update({6: 100}), "levels are given for 2, 3, 4 and 5",
    ),
    "a target outside": (lambda t: rows(t, "INF-JAR-05").update(target=100), "the target 100 lies outside the bounds"),
    "a need that is none": (
        lambda t: rows(t, "STR-SDM-02")["levels"][3].update(needs=["k = 6"]), "STR-SDM-02: 'k = 6' is no need",
    ),
    "an unknown kind": (
        lambda t: rows(t, "STR-SDM-02")["levels"][3].update(needs=["evidence(foto, 9d)"]),
        "STR-SDM-02: there is no kind of document 'foto'",
    ),
    "an indicator that no text has": (
        lambda t: rows(t, "STR-SDM-02").update(basis=[{"fw": "spbe2020", "ind": 48}]),
        "STR-SDM-02: 'spbe2020' has no indicator 48",
    ),
    "an unknown key": (lambda t: t.update(colour="red"), "colour: Extra inputs are not permitted"),
    "a gate of no row": (lambda t: t["gates"][0].update(row="INF-JAR-99"), "gate of INF-JAR-99: there is no such row"),
    "hours that are none": (lambda t: t["limits"].update(service_hours="siang"), "are no hours"),
    "numbers on a ladder": (
        lambda t: rows(t, "STR-SDM-02").update(levels={2: 1, 3: 2, 4: 3, 5: 4}), "a ladder has texts with needs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_rubric_with_a_fault_says_where(what: str) -> None:
    change, told_problem = CHANGES[what]
    problems = altered(change)
    assert [p for p in problems if told_problem in p], problems


@pytest.mark.parametrize("data", [b"", b"[]", b"a: [", b"\xff\xfe", b"!!python/object:os.system {}"])
def test_what_is_no_rubric_at_all_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(InvalidError) as caught:
        read(data, "mine.yaml")
    assert caught.value.code == "bad-rubric"


def test_a_rubric_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFoundError) as caught:
        load("1999-1")
    assert caught.value.code == "no-such-rubric"
    with pytest.raises(NotFoundError, match="INF-JAR-99"):
        RUBRIC.row("INF-JAR-99")


def test_each_shipped_rubric_is_sound() -> None:
    assert versions()
    for version in versions():
        loaded = load(version)
        assert isinstance(loaded, Loaded)
        assert len(loaded.sha256) == 64
        assert {i.measure for i in loaded.rubric.indicators} <= names()
