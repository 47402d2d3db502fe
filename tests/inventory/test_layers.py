"""Variables merged from regency to device: the narrower layer wins, and one can always ask which."""

import json
import time
from copy import deepcopy
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from inventory.graph_commands import explain
from inventory.history import Author
from inventory.layers import Ladder, Rung, Subject, merged, merged_over, typed
from inventory.layers_explained import explained, findings
from inventory.models import Device, Layer, Place
from inventory.select import selected
from inventory.store import labels, reading, session
from inventory.writing import Writer
from siaga.errors import NotFoundError
from siaga.outcome import Format
from siaga.render import render

KEYS = st.sampled_from("abc")
PLAIN = st.one_of(st.none(), st.integers(0, 3), st.lists(st.integers(0, 2), max_size=2))
VALUES = st.recursive(PLAIN, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=3)


# --- merging ----------------------------------------------------------------------------------------------------


def leaf_by_leaf(layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Lay the layers on each other one leaf at a time, as one would with a pencil."""
    found: dict[str, Any] = {}

    def lay(at: dict[str, Any], values: dict[str, Any]) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                if not isinstance(at.get(key), dict):
                    at[key] = {}
                lay(at[key], value)
            elif value is None:
                at.pop(key, None)
            else:
                at[key] = value

    for layer in layers:
        lay(found, layer)
    return found


@given(st.lists(MAPPINGS, max_size=5))
def test_mappings_are_merged_lists_replaced_and_null_takes_away(layers: list[dict[str, Any]]) -> None:
    before = deepcopy(layers)
    found: dict[str, Any] = {}
    for layer in layers:
        found = merged_over(found, layer)
    assert found == leaf_by_leaf(layers)
    assert layers == before


@given(st.one_of(st.text(max_size=30), st.integers().map(str), st.floats().map(str), PLAIN.map(json.dumps)))
def test_a_value_is_never_changed_into_another(text: str) -> None:
    value = typed(text)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        assert str(value) == text
    elif not isinstance(value, str):
        assert json.loads(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("161", 161),
        ("-5", -5),
        ("0.5", 0.5),
        ("true", True),
        ("null", None),
        ('["a", 1]', ["a", 1]),
        ('{"servers": ["10.0.0.1"]}', {"servers": ["10.0.0.1"]}),
        ('"161"', "161"),
        ("1.10", "1.10"),
        ("007", "007"),
        ("1e3", "1e3"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("yes", "yes"),
        ("True", "True"),
        ("10.0.0.1", "10.0.0.1"),
        ("[", "["),
        ("[" * 10_000, "[" * 10_000),
        ("9" * 5000, "9" * 5000),
        ("", ""),
    ],
)
def test_a_text_that_reads_as_json_is_what_it_reads_as(text: str, value: Any) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value)


# --- the order --------------------------------------------------------------------------------------------------

ORDER = ("", "place_id", "role", "platform", "agency_id", "tag")


@settings(max_examples=200)
@given(st.data())
def test_the_ladder_is_the_order_that_is_promised(data: st.DataObject) -> None:
    inside = {1: (1,), 2: (1, 2), 3: (1, 2, 3), 4: (1, 4)}
    numbers = count()

    def rung() -> Rung:
        return Rung(
            f"l{next(numbers):03}",
            data.draw(st.sampled_from([None, None, 1, 2, 3, 4])),
            data.draw(st.sampled_from(["", "", "router", "switch"])),
            data.draw(st.sampled_from(["", "", "", "routeros"])),
            data.draw(st.sampled_from([None, None, None, 1])),
            data.draw(st.sampled_from(["", "", "", "core", "wan"])),
            {},
        )

    rungs = [rung() for _ in range(data.draw(st.integers(0, 9)))]
    subject = Subject(
        data.draw(st.sampled_from([None, 1, 2, 3, 4])),
        data.draw(st.sampled_from(["router", "other"])),
        data.draw(st.sampled_from(["", "routeros"])),
        data.draw(st.sampled_from([None, 1, 2])),
        data.draw(st.sampled_from(["", "wan core", "core", "x"])),
    )

    def holds(r: Rung) -> bool:
        pairs = zip(
            (r.role, r.platform, r.agency_id),
            (subject.role, subject.platform, subject.agency_id),
            strict=True,
        )
        return (
            all(asked in ("", None) or asked == own for asked, own in pairs)
            and (r.place_id is None or r.place_id in inside.get(subject.place_id or 0, ()))
            and (not r.tag or r.tag in subject.tags.split())
        )

    def order(r: Rung) -> tuple[Any, ...]:
        named = [field for field in ORDER[1:] if getattr(r, field) not in ("", None)]
        last = named[-1] if named else ""
        depth = len(inside[r.place_id]) if last == "place_id" and r.place_id else 0
        return (ORDER.index(last), depth, r.tag, len(named), r.name)

    assert Ladder(tuple(rungs), inside).of(subject) == sorted(filter(holds, rungs), key=order)


ROWS: dict[str, list[dict[str, Any]]] = {
    "place": [
        {"name": "Kabupaten", "kind": "regency"},
        {"name": "Mauk", "kind": "kecamatan", "parent": "Kabupaten"},
        {"name": "Kantor", "kind": "site", "parent": "Mauk"},
        {"name": "Ruang", "kind": "room", "parent": "Kantor"},
    ],
    "agency": [{"name": "kec-mauk"}],
    "device": [
        {
            "name": "rtr",
            "role": "router",
            "place": "Ruang",
            "agency": "kec-mauk",
            "platform": "routeros",
            "tags": "wan core",
            "var.contact": "budi",
            "var.banner": "null",
        },
        {"name": "sw", "role": "switch", "place": "Kantor"},
        {"name": "far"},
    ],
    "layer": [
        {
            "name": "all",
            "var.who": "all",
            "var.banner": "hello",
            "var.snmp": '{"port": 161, "version": "2c"}',
        },
        {"name": "mauk", "place": "Mauk", "var.who": "mauk", "var.ntp": '["10.0.0.1", "10.0.0.2"]'},
        {"name": "a-kantor", "place": "Kantor", "var.who": "kantor", "var.ntp": '["10.1.0.1"]'},
        {"name": "ruang", "place": "Ruang", "var.who": "ruang"},
        {"name": "routers", "role": "router", "var.who": "routers", "var.snmp": '{"port": 1161}'},
        {"name": "mikrotik", "platform": "routeros", "var.who": "mikrotik"},
        {"name": "camat", "agency": "kec-mauk", "var.who": "camat"},
        {"name": "z-core", "tag": "core", "var.who": "core", "var.poll_s": 10},
        {"name": "a-wan", "tag": "wan", "var.who": "wan", "var.poll_s": 20},
    ],
}


def write(engine: Engine, author: Author, rows: dict[str, list[dict[str, Any]]]) -> None:
    with session(engine) as opened:
        writer = Writer(opened, author)
        writer.restoring = True  # rows from before secrets were refused
        for noun, some in rows.items():
            for row in some:
                writer.put(noun, row)
        writer.finish()


@pytest.fixture
def filled(engine: Engine, author: Author) -> Engine:
    write(engine, author, ROWS)
    return engine


def by_name(engine: Engine) -> dict[str, dict[str, Any]]:
    with reading(engine) as opened:
        return {labels(opened, "device", {i})[i]: v for i, v in merged(opened).items()}


def test_a_device_has_what_the_narrowest_layer_says(filled: Engine) -> None:
    assert by_name(filled) == {
        "rtr": {
            "who": "wan",
            "snmp": {"port": 1161, "version": "2c"},
            "ntp": ["10.1.0.1"],
            "poll_s": 20,
            "contact": "budi",
        },
        "sw": {
            "who": "kantor",
            "banner": "hello",
            "snmp": {"port": 161, "version": "2c"},
            "ntp": ["10.1.0.1"],
        },
        "far": {"who": "all", "banner": "hello", "snmp": {"port": 161, "version": "2c"}},
    }


def test_every_layer_is_shown_and_the_winner_marked(filled: Engine) -> None:
    with reading(filled) as opened:
        (rtr,) = selected(opened, "device", "rtr")
        assert rtr
        who = [(g.layer, g.target, g.value, g.wins) for g in explained(opened, rtr, "who")]
        snmp = {g.layer: (g.value, g.wins) for g in explained(opened, rtr, "snmp")}
        port = [(g.layer, g.value, g.wins) for g in explained(opened, rtr, "snmp.port")]
        banner = [(g.layer, g.value, g.wins) for g in explained(opened, rtr, "banner")]
    assert who == [
        ("all", "the whole regency", "all", False),
        ("mauk", "place=Mauk", "mauk", False),
        ("a-kantor", "place=Kantor", "kantor", False),
        ("ruang", "place=Ruang", "ruang", False),
        ("routers", "role=router", "routers", False),
        ("mikrotik", "platform=routeros", "mikrotik", False),
        ("camat", "agency=kec-mauk", "camat", False),
        ("z-core", "tag=core", "core", False),
        ("a-wan", "tag=wan", "wan", True),
    ]
    assert snmp == {"all": ({"port": 161, "version": "2c"}, True), "routers": ({"port": 1161}, True)}
    assert port == [("all", 161, False), ("routers", 1161, True)]
    assert banner == [("all", "hello", False), ("(device)", None, True)]


@given(st.lists(MAPPINGS, min_size=1, max_size=4))
def test_a_layer_wins_when_something_changes_without_it(layers: list[dict[str, Any]]) -> None:
    from inventory.layers_explained import _wins

    for number, layer in enumerate(layers):
        for key, value in layer.items():
            later = [other[key] for other in layers[number + 1 :] if key in other]
            if not _wins(value, later):
                over = [{key: v} for v in later]
                assert leaf_by_leaf([{key: value}, *over]).get(key) == leaf_by_leaf(
                    [{key: {}} if isinstance(value, dict) else {}, *over]
                ).get(key)


def test_two_layers_for_the_same_are_told_of(filled: Engine, author: Author) -> None:
    write(
        filled, author, {"layer": [{"name": "routers-2", "role": "router", "var.who": "x", "var.new": "1"}]}
    )
    with reading(filled) as opened:
        (found,) = findings(opened)
    assert found.layers == ("routers", "routers-2")
    assert (
        found.sentence == "Layers routers and routers-2 are for the same and both give 'who': routers-2 wins."
    )
    assert found.sentence in explain("rtr", "who").messages
    assert explain("sw").messages == []


def test_the_command_marks_the_winner_and_hides_what_looks_secret(filled: Engine, author: Author) -> None:
    extra = {
        "name": "bad",
        "role": "router",
        "var.snmp_community": "hunter2",
        "var.x": '{"api_key": "hunter3"}',
    }
    write(filled, author, {"layer": [extra]})
    outcome = explain("rtr")
    shown = render(outcome) + "".join(outcome.messages)
    assert "hunter" not in shown
    assert "layer bad: 'x.api_key' looks like a secret" in shown
    rows = json.loads(render(explain("rtr", "poll_s", output=Format.json)))
    assert rows == [
        {"layer": "z-core", "target": "tag=core", "key": "poll_s", "value": 10, "wins": False},
        {"layer": "a-wan", "target": "tag=wan", "key": "poll_s", "value": 20, "wins": True},
    ]


def test_what_nobody_gives_is_said(filled: Engine) -> None:
    assert explain("rtr", "nothing").messages == ["No layer gives nothing to rtr."]
    with pytest.raises(NotFoundError, match="did you mean 'rtr'"):
        explain("rtrr")


def test_ten_thousand_devices_are_merged_in_a_moment(engine: Engine) -> None:
    places = [{"id": i, "name": f"p{i}", "kind": "site", "parent_id": i // 8 or None} for i in range(1, 2001)]
    devices = [
        {
            "name": f"d{i}",
            "role": ("router", "switch", "ap")[i % 3],
            "place_id": 1 + i % 2000,
            "tags": "wan core" if i % 2 else "",
            "vars": {"asset": str(i)} if i % 5 == 0 else {},
        }
        for i in range(10_000)
    ]
    layers = [
        {"name": f"l{i}", "place_id": i, "role": "", "vars": {"a": i, f"k{i % 9}": {"b": i}}}
        for i in range(1, 300)
    ]
    layers += [{"name": "routers", "place_id": None, "role": "router", "vars": {"a": "[1, 2]"}}]
    with session(engine) as opened:
        for model, rows in ((Place, places), (Device, devices), (Layer, layers)):
            opened.execute(insert(model), rows)
    began = time.process_time()
    with reading(engine) as opened:
        found = merged(opened)
    assert time.process_time() - began < 1.0  # a fifth of it on a machine at rest
    assert len(found) == 10_000
    assert found[1]["a"] == [1, 2]
