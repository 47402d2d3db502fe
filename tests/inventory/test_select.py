"""The selector language means what a naive reading of it means."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from inventory.grammar import All, AnyOf, Compare, Named, Not, Saved, Tree, joined, parse
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.sheets import Sheet
from inventory.models import Group
from inventory.select import meant, selected
from inventory.store import reading, rows, session
from siaga.errors import NotFoundError, SiagaError, UsageError
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
        Sheet("g", "group", ("name", "selector"), ((2, ("inti", "tag:core")),)),
    ]
    load(engine, sheets, author)
    saved_long_ago(engine, "loop", "@loop")
    return engine


def saved_long_ago(engine: Engine, name: str, selector: str) -> None:
    """Put a group into the database that nobody could save today."""
    with session(engine) as opened:
        opened.add(Group(name=name, selector=selector))


def naive(tree: Tree, row: dict[str, Any]) -> bool:
    """Evaluate a tree on one device row, knowing nothing of SQL."""
    if isinstance(tree, All):
        return all(naive(p, row) for p in tree.parts)
    if isinstance(tree, AnyOf):
        return any(naive(p, row) for p in tree.parts)
    if isinstance(tree, Not):
        return not naive(tree.part, row)
    if isinstance(tree, Named):
        return row["name"] in tree.names
    assert isinstance(tree, Compare)
    if tree.operator == "!~":
        return not naive(Compare(tree.path, "~", tree.values), row)
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


def one_name(parts: list[Tree]) -> bool:
    """Tell whether at most one name stands in this `and`: two side by side are refused."""
    return sum(names_in(p) for p in parts) < 2


def names_in(tree: Tree) -> int:
    return sum(map(names_in, tree.parts)) if isinstance(tree, All | AnyOf) else isinstance(tree, Named)


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
        st.sampled_from(["~", "!~"]),
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
NAMES = st.lists(st.sampled_from([d[0] for d in DEVICES]), min_size=1, max_size=2).map(
    lambda names: Named(tuple(names))
)
TREES = st.recursive(
    COMPARISONS | CLOSED_COMPARISONS | NAMES,
    lambda parts: (
        st.builds(Not, parts)
        | st.lists(parts, min_size=1, max_size=3).filter(one_name).map(lambda p: All(tuple(p)))
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
    if isinstance(tree, Named):
        return ",".join(f"'{n}'" for n in tree.names)
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
    assert parse("rtr-1") == Named(("rtr-1",))
    assert parse("'Pasar Kemis',rtr-*") == Named(("Pasar Kemis", "rtr-*"))
    assert parse("@inti") == Saved("inti")
    assert parse("@'wan utara'") == Saved("wan utara")


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


def refused(engine: Engine, text: str, noun: str = "device") -> tuple[str, int, str]:
    """Return what was said of a selector, where it was pointed at, and the text from there on."""
    with reading(engine) as opened, pytest.raises(SiagaError) as caught:
        selected(opened, noun, text)
    assert caught.value.code in ("bad-selector", "nothing-selected")
    if not caught.value.picture:
        return caught.value.sentence, 0, text
    shown, mark = caught.value.picture
    return caught.value.sentence, mark.index("^"), shown[mark.index("^") :]


@pytest.mark.parametrize(
    ("text", "mark", "words"),
    [
        ("role=router foo=1", 12, "no field 'foo'; it has name, role"),
        ("rol=router", 0, "a device has no field 'rol'; did you mean 'role'?"),
        ("role=router kecamtan=Mauk", 12, "did you mean 'kecamatan'?"),
        ("place.kecamatn=Mauk", 6, "a place has no field 'kecamatn'; did you mean 'kecamatan'?"),
        ("role=", 5, "missing at the end"),
        ("name~([", 5, "cannot stand here"),
        ("name~[", 5, "regular expression is wrong"),
        ("status=active name!~'a(b'", 20, "regular expression is wrong"),
        ("snmp_port=161,abc", 14, "must be a whole number"),
        ("@nobody", 0, "no saved group"),
        ("role=router @int", 12, "did you mean '@inti'?"),
        ("@loop", 0, "refers to itself"),
        ("role.kind=x", 5, "has no parts"),
        ("name=a role=router,ruter", 19, "role is never 'ruter', but one of core-router, router"),
        ("within=10.1.0.0/33", 7, "no prefix"),
        ("within~10", 0, "not with this operator"),
        ("role=router and", 15, "missing at the end"),
        ("role=router or or status=active", 15, "'or' cannot stand here"),
        ("not", 3, "missing at the end"),
        ("AND", 0, "'AND' cannot stand here"),
        ("role=router && rtr-mauk", 12, "'&&' is no operator: write 'and'"),
        ("name='x", 5, "is not closed"),
        ("rtr-mauk sw-mauk", 9, "a row has one name: write rtr-mauk,sw-mauk for either"),
        ("role=router rtr-muak", 12, "no device is called 'rtr-muak'; did you mean 'rtr-mauk'?"),
        ("status=active rtr-mauk:nope", 14, "no device is called 'rtr-mauk:nope'"),
        ("seen", 0, "No device is called 'seen'"),
        ("role=router kecamatan=Mouk", 22, "no place called 'Mouk'; did you mean 'Mauk'?"),
    ],
)
def test_an_error_points_at_the_character(filled: Engine, text: str, mark: int, words: str) -> None:
    sentence, at, rest = refused(filled, text)
    assert words in sentence
    assert sentence[-1] in ".?"
    assert "\n" not in sentence
    assert (at, rest) == (mark, text[mark:])


def test_a_mark_keeps_its_place_in_a_long_selector(filled: Engine) -> None:
    text = "role=router  " * 40 + "rol=x" + "  status=active" * 40
    _, at, rest = refused(filled, text)
    assert at < 100
    assert rest.startswith("rol=x  status")


def test_a_fault_of_ours_is_not_told_as_the_user_s(monkeypatch: pytest.MonkeyPatch) -> None:
    from inventory import grammar

    monkeypatch.setattr(grammar, "_placed", None)
    with pytest.raises(Exception, match="NoneType"):
        parse("role=router")


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
    sentence, _, _ = refused(filled, text)
    assert words in sentence


def test_an_error_in_a_saved_group_points_into_the_group(filled: Engine) -> None:
    saved_long_ago(filled, "old", "role=router agency=gone")
    sentence, at, rest = refused(filled, "status=active @old")
    assert sentence.startswith("In the group 'old', there is no agency called 'gone'")
    assert (at, rest) == (19, "gone")


# --- spaces within one word of the shell -----------------------------------------------------------------

SPACED = [
    ("rtr-1", "router", "Mauk", "S1"),
    ("rtr-2", "router", "Pasar Kemis", "S1 rtr-1"),
    ("rtr-3", "switch", "Pasar Kemis", "S1 and S2"),
    ("rtr 4", "switch", "", "S4"),
]


@pytest.fixture
def spaced(engine: Engine, author: Author) -> Engine:
    places = (("Mauk", "kecamatan"), ("Pasar Kemis", "kecamatan"), ("Pasar", "desa"))
    sheets = [
        Sheet("p", "place", ("name", "kind"), tuple(enumerate(places, 2))),
        Sheet("d", "device", ("name", "role", "place", "serial"), tuple(enumerate(SPACED, 2))),
    ]
    load(engine, sheets, author)
    return engine


def names_of(engine: Engine, arguments: list[str]) -> list[str]:
    with reading(engine) as opened:
        return [r["name"] for r in rows(opened, "device", meant(opened, "device", arguments))]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["place=Pasar Kemis"], ["rtr-2", "rtr-3"]),
        (["place=Pasar Kemis", "role=router"], ["rtr-2"]),
        (["place!=Pasar Kemis"], ["rtr 4", "rtr-1"]),
        (["place=Pasar Kemis,Mauk"], ["rtr-1", "rtr-2", "rtr-3"]),
        (["place='Pasar Kemis' role=router"], ["rtr-2"]),
        (["serial=S1 rtr-1"], ["rtr-2"]),  # there is this serial
        (["serial='S1 rtr-1'"], ["rtr-2"]),
        (["serial=S1", "rtr-1"], ["rtr-1"]),
        (["serial~S1 r"], ["rtr-2"]),
        (["serial='S1 and S2'"], ["rtr-3"]),
        (["role=router rtr-1"], ["rtr-1"]),  # no role is called so: two terms
        (["role=switch rtr-*"], ["rtr-3"]),
        (["role=router or serial=S4"], ["rtr 4", "rtr-1", "rtr-2"]),
        (["rtr 4"], ["rtr 4"]),
        (["'rtr 4'"], ["rtr 4"]),
        (["rtr 4", "role=switch"], ["rtr 4"]),
        (["rtr 4,rtr-1"], ["rtr 4", "rtr-1"]),
        (["role=router", "place=Pasar\u00a0Kemis"], ["rtr-2"]),  # copied from a page
        (["installed_on<x"], []),
    ][:-1],
    ids=repr,
)
def test_a_space_ends_a_value_unless_the_longer_one_is_there(
    spaced: Engine, arguments: list[str], names: list[str]
) -> None:
    assert names_of(spaced, arguments) == names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["place=Pasar Kemis role=router"],
            "no device is called 'Kemis' (a value with a space stands in quotes: place='Pasar Kemis')",
        ),
        (
            ["kecamatan=Pasr Kemis role=router"],
            "a value with a space stands in quotes: kecamatan='Pasar Kemis'",
        ),
        (["serial=S1 rtr-9"], "stands in quotes: serial='S1 rtr-9'"),
        (["role=switch tag:core rtr"], "no device is called 'rtr'"),
        (["rtr-1 rtr-2"], "write rtr-1,rtr-2 for either"),
    ],
    ids=repr,
)
def test_a_value_cut_by_a_space_is_said_with_its_quotes(
    spaced: Engine, arguments: list[str], words: str
) -> None:
    with reading(spaced) as opened, pytest.raises(SiagaError) as caught:
        meant(opened, "device", arguments)
    assert words in caught.value.sentence


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    field=st.sampled_from(["serial", "name", "role"]),
    operator=st.sampled_from(["=", "!="]),
    words=st.lists(
        st.sampled_from(["S1", "S4", "rtr-1", "rtr-3", "router", "nobody"]), min_size=1, max_size=2
    ),
)
def test_one_word_of_the_shell_is_one_value_or_its_terms(
    spaced: Engine, field: str, operator: str, words: list[str]
) -> None:
    """The rule, told naively: the longer value if a row has it, else a comparison and a name."""
    everything = [dict(zip(("name", "role", "place", "serial"), d, strict=True)) for d in SPACED]
    whole, first, *others = " ".join(words), *words
    roles = {"router", "switch"}
    longer = whole in roles if field == "role" else any(r[field] == whole for r in everything)
    value, names = (whole, []) if longer or not others else (first, others)
    right = (field != "role" or value in roles) and all(n in {d[0] for d in SPACED} for n in names)
    argument = f"{field}{operator}{whole}"
    if not right:
        with pytest.raises(SiagaError):
            names_of(spaced, [argument])
        return
    expected = [
        r["name"]
        for r in everything
        if (r[field] == value) == (operator == "=") and all(r["name"] == n for n in names)
    ]
    assert names_of(spaced, [argument]) == sorted(expected), argument


def test_what_may_be_one_value_is_marked_and_nothing_else() -> None:
    assert joined(["kecamatan=Pasar Kemis", "role=router"]) == "kecamatan=Pasar\u00a0Kemis role=router"
    for plain in (
        "role=router or role=switch",
        "role=switch tag:core",
        "role=switch dev-0000*",
        "role=router and",
        "rtr-1 @inti",
        "kecamatan='Pasar Kemis' role=router",
        "rtr-1 (a or b)",
    ):
        assert joined([plain]) == plain
    assert joined([]) == ""
    for empty in ("", " "):
        with pytest.raises(UsageError, match="every row"):
            joined(["role=router", empty])


def test_a_name_with_any_character_is_called_exactly(engine: Engine, author: Author) -> None:
    places = (("Riset and Inovasi", "site", ""), ("Café", "site", "36.03.01"), ("Kantor Riset", "site", ""))
    sheets = [
        Sheet("p", "place", ("name", "kind", "code"), tuple(enumerate(places, 2))),
        Sheet("v", "vrf", ("name",), ((2, ("rsud",)),)),
        Sheet(
            "x", "prefix", ("name",), ((2, ("10.1.0.0/16 rsud",)), (3, ("10.1.0.0/16",)), (4, ("9.0.0.0/8",)))
        ),
        Sheet("d", "device", ("name", "place"), ((2, ("rtr-1", "Café")), (3, ("rtr-2", "Kantor Riset")))),
        Sheet("i", "interface", ("device", "name"), ((2, ("rtr-1", "br lan")), (3, ("rtr-2", "br lan")))),
    ]
    load(engine, sheets, author)
    with reading(engine) as opened:

        def called(noun: str, *arguments: str) -> list[str]:
            return [r["name"] for r in rows(opened, noun, meant(opened, noun, arguments))]

        assert called("place", "Riset and Inovasi") == ["Riset and Inovasi"]
        assert called("place", "Cafe\u0301") == ["Café"]
        assert called("place", "36.03.01") == ["Café"]
        assert called("place", "'Kantor *'") == ["Kantor Riset"]
        assert called("prefix", "10.1.0.0/16 rsud") == ["10.1.0.0/16 rsud"]
        assert called("prefix", "name~.") == ["9.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16 rsud"]
        assert called("device", "place=36.03.01") == ["rtr-1"]
        assert called("device", "place.under=36.03.01") == ["rtr-1"]
        assert called("interface", "rtr-1:br lan") == ["br lan"]
        assert len(called("interface", "br lan")) == 2
        assert len(called("interface", "rtr-1:*")) == 1
        with pytest.raises(SiagaError, match="did you mean 'rtr-1:br lan'"):
            called("interface", "rtr-1:br-lan")
        with pytest.raises(NotFoundError, match=r"No place is called '36\.03\.02'"):
            called("place", "36.03.02")


VARIABLES = {"mtu": "1500", "vlan": 20, "ntp": {"server": "10.0.0.1", "port": 123}, "on": True, "who": "b9"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vars.mtu>200", True),
        ("vars.mtu=1500", True),
        ("vars.vlan=20", True),
        ("vars.vlan<100", True),
        ("vars.vlan>=20.5", False),
        ("var.vlan=20", True),
        ("vars.ntp.server=10.0.0.1", True),
        ("vars.ntp.port>99", True),
        ("vars.ntp.server~^10", True),
        ("vars.ntp.nosuch~.", False),
        ("vars.ntp.nosuch=''", True),
        ("vars.nosuch.deeper=1", False),
        ("vars.on=true", True),
        ("vars.on=1", False),
        ("vars.who>100", False),
        ("vars.who>b1", True),
        ("vars~server", True),
    ],
)
def test_variables_are_reached_however_deep(engine: Engine, author: Author, text: str, found: bool) -> None:
    load(engine, [Sheet("d", "device", ("name", "vars"), ((2, ("rtr-1", VARIABLES)),))], author)
    with reading(engine) as opened:
        assert bool(selected(opened, "device", text)) is found


def test_a_date_s_mistake_says_how_days_are_written(engine: Engine) -> None:
    sentence, at, rest = refused(engine, "end<90x", "contract")
    assert (at, rest) == (4, "90x")
    assert "must be a date such as 2026-12-31, or 90d (from today)" in sentence
    assert "seen_at is" in refused(engine, "seen_at>-999999w", "interface")[0]


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("CTR-0.*7$", "CTR-0"), ("^rtr-0.*5$", "rtr-0"), ("ab*c", "a"), ("ab+c", "ab"), ("a.b", "a"), (".*", ""),
        ("(?i)rtr", ""), ("a|b", ""), ("rtr[0-9]", ""), (r"a\.b", ""), ("ab?", ""), ("ab{0}", ""), ("a*", ""),
    ],
)  # fmt: skip
def test_the_text_that_an_expression_needs_is_never_too_much(pattern: str, needed: str) -> None:
    from inventory.comparisons import _needed

    assert _needed(pattern) == needed
