"""The selector language means what a naive reading of it means."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from inventory.grammar import All, AnyOf, Compare, Not, Saved, Tree, joined, parse
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.sheets import Sheet
from inventory.select import selected
from inventory.store import reading, rows
from siaga.errors import UsageError
from tests.inventory.conftest import NOW

TODAY = date(2026, 11, 24)
PLACES = [
    ("Kabupaten Tangerang", "regency", ""),
    ("Mauk", "kecamatan", "Kabupaten Tangerang"),
    ("Pasar Kemis", "kecamatan", "Kabupaten Tangerang"),
    ("Kantor Mauk", "site", "Mauk"),
    ("Kantor Pasar Kemis", "site", "Pasar Kemis"),
]
DEVICES = [
    ("rtr-mauk", "router", "active", "Kantor Mauk", "10.0.0.1", "core wan", "S1"),
    ("rtr-pasar", "router", "retired", "Kantor Pasar Kemis", "10.0.0.2", "wan", ""),
    ("sw-mauk", "switch", "active", "Kantor Mauk", "10.0.0.3", "", "S3"),
    ("srv-app-1", "server", "active", "", "", "core", "X-1"),
    ("ups-1", "ups", "planned", "Kantor Pasar Kemis", "10.0.0.5", "corewan", ""),
]


@pytest.fixture
def filled(engine: Engine, author: Author) -> Engine:
    sheets = [
        Sheet("p", "place", ("name", "kind", "parent"), tuple(enumerate(PLACES, 2))),
        Sheet(
            "d",
            "device",
            ("name", "role", "status", "place", "address", "tags", "serial"),
            tuple(enumerate(DEVICES, 2)),
        ),
        Sheet("g", "group", ("name", "selector"), ((2, ("inti", "tag:core")), (3, ("loop", "@loop")))),
    ]
    load(engine, sheets, author)
    return engine


def naive(tree: Tree, row: dict[str, Any]) -> bool:
    """Evaluate a tree on one device row, knowing nothing of SQL."""
    if isinstance(tree, All):
        return all(naive(p, row) for p in tree.parts)
    if isinstance(tree, AnyOf):
        return any(naive(p, row) for p in tree.parts)
    if isinstance(tree, Not):
        return not naive(tree.part, row)
    assert isinstance(tree, Compare)
    value = value_of(tree.path, row)
    if tree.path == "tags":
        found = any(tag in (value or "").split() for tag in tree.values)
        return not found if tree.operator == "!=" else found
    if tree.operator == "~":
        missing = (value is None and "." in tree.path) or (
            tree.path in ("place", "kecamatan") and value is None
        )
        return not missing and re.search(tree.values[0], value or "") is not None
    if tree.operator in ("=", "!="):
        found = (value or "") in tree.values
        return not found if tree.operator == "!=" else found
    if value is None:
        return False
    return any(compare(tree.operator, value, v) for v in tree.values if v != "")


def compare(operator: str, a: str, b: str) -> bool:
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def value_of(path: str, row: dict[str, Any]) -> Any:
    if path in ("kecamatan", "place.kecamatan", "place.kind"):
        place = row["place"]
        if place is None:
            return None
        kind, parent = next((k, p) for n, k, p in PLACES if n == place)
        return kind if path == "place.kind" else parent
    return row[path]


WORDS = st.sampled_from(
    ["router", "switch", "active", "Mauk", "Pasar Kemis", "core", "wan", "rtr-mauk", "S1", "m", ""]
)
PATHS = st.sampled_from(["name", "serial", "address"])
CLOSED = {
    "role": ["router", "switch", "ups", ""],
    "status": ["active", "retired", ""],
    "place.kind": ["site", "desa"],
    "place": ["Kantor Mauk", "Kantor Pasar Kemis", "Mauk", ""],
    "kecamatan": ["Mauk", "Pasar Kemis", ""],
}
COMPARISONS = (
    st.builds(
        Compare,
        PATHS,
        st.sampled_from(["=", "!="]),
        st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    )
    | st.builds(
        Compare,
        st.sampled_from(["name", "serial", "address"]),
        st.sampled_from(["<", "<=", ">", ">="]),
        st.tuples(WORDS),
    )
    | st.builds(
        Compare,
        st.just("tags"),
        st.sampled_from(["=", "!="]),
        st.tuples(st.sampled_from(["core", "wan", "ups"])),
    )
    | st.builds(
        Compare,
        st.sampled_from(["name", "role", "serial", "place", "kecamatan"]),
        st.just("~"),
        st.tuples(st.sampled_from(["^rtr", "a", "r$", "[0-9]", "x|y", "^$"])),
    )
)
CLOSED_COMPARISONS = st.sampled_from(sorted(CLOSED)).flatmap(
    lambda path: st.builds(
        Compare,
        st.just(path),
        st.sampled_from(["=", "!="]),
        st.lists(st.sampled_from(CLOSED[path]), min_size=1, max_size=3).map(tuple),
    )
)
TREES = st.recursive(
    COMPARISONS | CLOSED_COMPARISONS,
    lambda parts: (
        st.builds(Not, parts)
        | st.lists(parts, min_size=1, max_size=3).map(lambda p: All(tuple(p)))
        | st.lists(parts, min_size=1, max_size=3).map(lambda p: AnyOf(tuple(p)))
    ),
    max_leaves=6,
)


def written(tree: Tree) -> str:
    """Write a tree as a selector."""
    if isinstance(tree, All):
        return "(" + " and ".join(map(written, tree.parts)) + ")"
    if isinstance(tree, AnyOf):
        return "(" + " or ".join(map(written, tree.parts)) + ")"
    if isinstance(tree, Not):
        return f"not ({written(tree.part)})"
    assert isinstance(tree, Compare)
    return tree.path + tree.operator + ",".join(f'"{v}"' for v in tree.values)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_sql_selects_what_a_naive_reading_selects(filled: Engine, tree: Tree) -> None:
    text = written(tree)
    with reading(filled) as session:
        everything = rows(session, "device")
        found = set(selected(session, "device", text, today=TODAY))
    assert found == {r["id"] for r in everything if naive(tree, r)}, text


@settings(max_examples=300)
@given(text=st.text(max_size=60) | st.text(alphabet="abr=!~<>()@,:\"' .*tag\\d-", max_size=40))
def test_any_text_is_a_tree_or_one_clear_error(text: str) -> None:
    try:
        parse(text)
    except UsageError as error:
        assert error.code == "bad-selector"  # noqa: PT017 - both outcomes are right


def test_words_side_by_side_mean_and() -> None:
    assert parse("role=router status!=retired") == parse("role=router and status!=retired")


def test_or_binds_weaker_than_and() -> None:
    tree = parse("a=1 b=2 or c=3")
    assert isinstance(tree, AnyOf)
    assert isinstance(tree.parts[0], All)


def test_a_bare_word_is_a_name_and_a_star_matches_any() -> None:
    assert parse("rtr-1") == Compare("name", "=", ("rtr-1",))
    assert parse("rtr-*") == Compare("name", "~", (r"^rtr\-.*$",))
    assert parse("@inti") == Saved("inti")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("role=router kecamatan=Mauk", ["rtr-mauk"]),
        ("kecamatan='Pasar Kemis'", ["rtr-pasar", "ups-1"]),
        ("tag:core", ["rtr-mauk", "srv-app-1"]),
        ("@inti role=router", ["rtr-mauk"]),
        ("name~^(rtr|sw)- not status=retired", ["rtr-mauk", "sw-mauk"]),
        ("place=''", ["srv-app-1"]),
        ("serial=''", ["rtr-pasar", "ups-1"]),
        ("serial!='' status=active", ["rtr-mauk", "srv-app-1", "sw-mauk"]),
        ("snmp_port=161 serial='',S1", ["rtr-mauk", "rtr-pasar", "ups-1"]),
        ("kecamatan!=Mauk", ["rtr-pasar", "srv-app-1", "ups-1"]),
        ("rtr-*", ["rtr-mauk", "rtr-pasar"]),
        ("(role=ups or role=server) status=active", ["srv-app-1"]),
        ("role=router,switch address>=10.0.0.2", ["rtr-pasar", "sw-mauk"]),
    ],
)
def test_examples(filled: Engine, text: str, names: list[str]) -> None:
    with reading(filled) as session:
        found = rows(session, "device", selected(session, "device", text))
    assert [r["name"] for r in found] == names


@pytest.mark.parametrize(
    ("text", "mark", "words"),
    [
        ("role=router foo=1", 12, "no field 'foo'"),
        ("role=", 5, "cannot stand here"),
        ("name~([", 5, "cannot stand here"),
        ("name~[", 0, "regular expression is wrong"),
        ("snmp_port=abc", 0, "must be a whole number"),
        ("@nobody", 0, "no saved group"),
        ("@loop", 0, "refers to itself"),
        ("role.kind=x", 0, "has no parts"),
        ("name=a role=ruter", 7, "role is never 'ruter', but one of core-router, router"),
    ],
)
def test_an_error_points_at_the_character(filled: Engine, text: str, mark: int, words: str) -> None:
    with reading(filled) as session, pytest.raises(UsageError) as caught:
        selected(session, "device", text)
    lines = caught.value.sentence.splitlines()
    assert words in lines[0]
    assert lines[2].index("^") - 2 == mark


def test_days_from_today_are_dates(engine: Engine, author: Author) -> None:
    soon, late = NOW.date() + timedelta(days=30), NOW.date() + timedelta(days=300)
    load(
        engine,
        [
            Sheet(
                "c", "contract", ("name", "end"), ((2, ("K-1", soon)), (3, ("K-2", late)), (4, ("K-3", None)))
            )
        ],
        author,
    )
    with reading(engine) as session:
        found = rows(session, "contract", selected(session, "contract", "end<90d", today=NOW.date()))
    assert [r["name"] for r in found] == ["K-1"]


@pytest.mark.parametrize(
    "text",
    [
        "not " * 900 + "a=1",
        "(" * 400 + "a=1" + ")" * 400,
        "a " * 1900,
        "not " * 290 + "a=1",
        "place" + ".parent" * 500 + "=x",
    ],
)
def test_a_deep_selector_is_refused_or_answered(filled: Engine, text: str) -> None:
    with reading(filled) as session:
        try:
            assert selected(session, "device", text.replace("a=1", "role=router")) is not None
        except UsageError as error:
            assert error.code == "bad-selector"  # noqa: PT017 - both outcomes are right


def test_a_hostile_expression_takes_no_time(filled: Engine) -> None:
    with reading(filled) as session:
        assert selected(session, "device", "notes~'(a+)+$' or notes~'(.*)*x{1,9}'") == []
        with pytest.raises(UsageError, match="regular expression is wrong"):
            selected(session, "device", "notes~'(a{1,1000}){1,1000}'")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("place.under='Kabupaten Tangerang'", ["rtr-mauk", "rtr-pasar", "sw-mauk", "ups-1"]),
        ("place.under=Mauk", ["rtr-mauk", "sw-mauk"]),
        ("place.under!=Mauk", ["rtr-pasar", "srv-app-1", "ups-1"]),
        ("within=10.0.0.0/30", ["rtr-mauk", "rtr-pasar", "sw-mauk"]),
        ("address=10.0.0.0/31", ["rtr-mauk"]),
        ("within!=10.0.0.0/30", ["srv-app-1", "ups-1"]),
        ("name~mauk", ["rtr-mauk", "sw-mauk"]),
        ("name~^RTR", []),
        ("name~(?i)^RTR", ["rtr-mauk", "rtr-pasar"]),
        ("place.parent.parent='Kabupaten Tangerang' role=ups", ["ups-1"]),
    ],
)
def test_what_lies_below_and_within(filled: Engine, text: str, names: list[str]) -> None:
    with reading(filled) as session:
        found = rows(session, "device", selected(session, "device", text))
    assert [r["name"] for r in found] == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kecamatan=Mouk", "no place called 'Mouk'; did you mean 'Mauk'?"),
        ("role=router place='Kantor Maok'", "did you mean 'Kantor Mauk'?"),
        ("place.under=Nowhere", "no place called 'Nowhere'"),
        ("agency=dinkes", "no agency called 'dinkes'"),
        ("within=10.0.0.1/30", "the prefix is 10.0.0.0/30"),
    ],
)
def test_a_name_that_nothing_has_is_no_empty_answer(filled: Engine, text: str, words: str) -> None:
    with reading(filled) as session, pytest.raises(UsageError, match="selector") as caught:
        selected(session, "device", text)
    assert words in caught.value.sentence


def test_an_error_in_a_saved_group_points_into_the_group(filled: Engine, author: Author) -> None:
    load(
        filled,
        [Sheet("g", "group", ("name", "selector"), ((2, ("old", "role=router agency=gone")),))],
        author,
    )
    with reading(filled) as session, pytest.raises(UsageError) as caught:
        selected(session, "device", "status=active @old")
    lines = caught.value.sentence.splitlines()
    assert (lines[1].strip(), lines[2].index("^") - 2) == ("role=router agency=gone", 12)


def test_the_shell_s_lost_quotes_are_put_back() -> None:
    assert joined(["kecamatan=Pasar Kemis", "role=router"]) == 'kecamatan="Pasar Kemis" role=router'
    assert joined(["role=router or role=switch"]) == "role=router or role=switch"
