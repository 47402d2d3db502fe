"""From one RouterOS export to another: run on the one, the commands give the other."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from routeros_box import Box, comparable

from monitor.compliance.routeros import Export, Item, entry, parsed, quoted
from monitor.compliance.routeros_diff import Change, _defaults, changes, way

EXAMPLE = Path(__file__).parent / "configurations" / "routeros.good"
ORDERED = ("/ip firewall filter", "/ip firewall nat", "/ip route")
TEXTS = st.text(st.sampled_from('ab1 ."\\$?=;[]{}\né'), max_size=8)
WORDS = st.sampled_from(["a", "b", "c", "d", "vlan 10", 'x"y'])


def items(
    known_by: tuple[str, ...], keys: tuple[str, ...], unique: bool
) -> st.SearchStrategy[tuple[Item, ...]]:
    wanted = dict.fromkeys(known_by, WORDS)
    may = {k: TEXTS.filter(bool) for k in keys} | {"comment": TEXTS.filter(bool), "disabled": st.just("yes")}
    one = st.fixed_dictionaries(wanted, optional=may).map(lambda k: Item("add", "", k))
    if unique:
        many = st.lists(one, max_size=4, unique_by=lambda i: tuple(i.keys[k] for k in known_by))
    else:
        many = st.lists(one, max_size=6)
    return many.map(tuple)


def menu(path: str, target: str) -> st.SearchStrategy[tuple[Item, ...]]:
    keys = _defaults()[path][target]
    values = {k: TEXTS.filter(lambda v, k=k: v != keys[k]) for k in keys}
    made = st.fixed_dictionaries({}, optional=values)
    return made.map(lambda k: (Item("set", target, k),) if k else ())


def exports() -> st.SearchStrategy[Export]:
    paths = {
        "/interface vlan": items(("name",), ("interface", "vlan-id"), unique=True),
        "/ip address": items(("address", "interface"), ("network",), unique=True),
        "/ip service": menu("/ip service", "telnet"),
        "/snmp": menu("/snmp", ""),
        "/ip firewall filter": items(("chain",), ("action", "dst-port"), unique=False),
        "/ip route": items((), ("dst-address", "gateway"), unique=False).map(
            lambda found: tuple(i for i in found if i.keys)
        ),
        "/interface ethernet": st.fixed_dictionaries({}, optional={"comment": TEXTS.filter(bool)}).map(
            lambda k: (Item("set", "[ find default-name=ether1 ]", k),) if k else ()
        ),
        "/tool netwatch": items(("host",), ("interval",), unique=False),
    }
    made = st.fixed_dictionaries({}, optional=paths)
    return made.map(lambda found: {p: i for p, i in found.items() if i})


@settings(max_examples=120, deadline=None)
@given(exports(), exports())
def test_the_commands_make_the_one_into_the_other(before: Export, after: Export) -> None:
    done = way(before, after)
    assert done.left == ()
    box = Box(before, _defaults()).run(done.commands)
    ordered = (*ORDERED, "/tool netwatch")
    assert box.says(ordered=ordered) == comparable(after, ordered)


@settings(max_examples=40, deadline=None)
@given(exports())
def test_from_the_same_to_the_same_there_is_nothing_to_do(export: Export) -> None:
    assert way(export, export).commands == ()
    assert list(changes(export, export)) == []


@settings(max_examples=60, deadline=None)
@given(exports())
def test_what_is_written_is_read_as_it_was(export: Export) -> None:
    text = "\n".join(f"{path}\n" + "\n".join(i.text for i in found) for path, found in export.items())
    assert comparable(parsed(text), ORDERED) == comparable(export, ORDERED)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    parsed(text)
    parsed("/ip address\nadd " + text)


@given(TEXTS)
@settings(max_examples=50, deadline=None)
def test_a_quoted_value_is_one_word(value: str) -> None:
    assert entry(f"add a={quoted(value)} b=2") == Item("add", "", {"a": value, "b": "2"})


def test_an_export_is_read_with_its_lines_joined() -> None:
    found = parsed(EXAMPLE.read_text())
    assert found["/snmp community"][0].target == "[ find default=yes ]"
    assert found["/snmp community"][0].keys["encryption-protocol"] == "AES"
    assert found["/interface vlan"][0].keys["comment"] == "staf, lantai 2"
    assert [i.target for i in found["/ip service"]][:2] == ["telnet", "ftp"]


def test_a_change_is_told_by_menu_item_and_key() -> None:
    before = parsed(
        "/ip service\nset telnet disabled=yes\n/ip address\nadd address=10.0.0.1/24 interface=ether1"
    )
    after = parsed("/ip service\nset telnet port=2323\n/ip address\nadd address=10.0.0.2/24 interface=ether1")
    assert list(changes(before, after)) == [
        Change("/ip service", "telnet", "disabled", "yes", None),
        Change("/ip service", "telnet", "port", None, "2323"),
        Change("/ip address", "10.0.0.1/24 ether1", "", "add address=10.0.0.1/24 interface=ether1", None),
        Change("/ip address", "10.0.0.2/24 ether1", "", None, "add address=10.0.0.2/24 interface=ether1"),
    ]
    assert way(before, after).commands == (
        "/ip address remove [find address=10.0.0.1/24 interface=ether1]",
        "/ip service set telnet disabled=no port=2323",
        "/ip address add address=10.0.0.2/24 interface=ether1",
    )


def test_what_no_command_is_known_for_is_told() -> None:
    before, after = parsed("/system clock\nset time-zone-name=Asia/Jakarta"), parsed("")
    assert way(before, after).left == (Change("/system clock", "", "time-zone-name", "Asia/Jakarta", None),)


def test_a_firewall_keeps_its_order() -> None:
    rule = "add action=accept chain=input dst-port={}"
    old = "/ip firewall filter\n" + "\n".join(rule.format(n) for n in (1, 2, 3))
    new = "/ip firewall filter\n" + "\n".join(rule.format(n) for n in (1, 9, 2, 3))
    assert way(parsed(old), parsed(new)).commands == (
        "/ip firewall filter add action=accept chain=input dst-port=9 place-before=[:pick [find dynamic=no] 1]",
    )
