"""Bridge tables: what their rows mean, and the port of each MAC kept with its history, by a scan of real agents."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.ipam_ports import Learned, closest, marked
from monitor import arp, bridge
from monitor.arp import MEDIA
from monitor.bridge import BASE_MAC, BASE_PORT, D_FDB, LLDP_IS, LLDP_PORT, MIKROTIK_PORT, Q_FDB, VLAN_FDB
from monitor.snmp_ports import MAC, NAME
from monitor.tables import SYS_UPTIME, Oid, Tables
from tests.cli_runner import Siaga, answering, runner
from tests.homes import fresh
from tests.monitor.agent import INTEGER, OCTETS, TICKS, Script, Tagged

Rows = dict[Oid, Tagged]
PC, PHONE, ROUTER = (0x48, 0x8F, 0x5A, 0, 0, 5), (0x48, 0x8F, 0x5A, 0, 0, 6), (0x48, 0x8F, 0x5A, 0, 1, 1)
LEARNED, SELF, INVALID = 3, 4, 2


def text(mac: Oid) -> str:
    return bytes(mac).hex(":")


def base(number: int) -> Oid:
    """The MAC of a switch."""
    return (0x48, 0x8F, 0x5A, 0, 9, number)


def switch(number: int, *ports: str) -> Rows:
    """A switch whose bridge ports are numbered from 1, its interfaces from 101."""
    rows: Rows = {SYS_UPTIME: (TICKS, 4711), BASE_MAC: (OCTETS, bytes(base(number)))}
    for at, name in enumerate(ports, 1):
        rows |= {
            (*BASE_PORT, at): (INTEGER, 100 + at),
            (*NAME, 100 + at): (OCTETS, name.encode()),
            (*MAC, 100 + at): (OCTETS, bytes((0x48, 0x8F, 0x5A, 1, number, at))),
        }
    return rows


def q(fdb: int, mac: Oid, port: int, status: int = LEARNED) -> Rows:
    return {(*Q_FDB, 2, fdb, *mac): (INTEGER, port), (*Q_FDB, 3, fdb, *mac): (INTEGER, status)}


def d(mac: Oid, port: int, status: int = LEARNED) -> Rows:
    return {(*D_FDB, 2, *mac): (INTEGER, port), (*D_FDB, 3, *mac): (INTEGER, status)}


def read(rows: Rows) -> set[tuple[str, str, str, bool]]:
    tables = Tables({oid: value for oid, (_, value) in rows.items()})
    return {(x.mac, x.port, x.vlan, x.uplink) for x in arp.learned(tables, 1)}


def test_a_mac_is_found_by_bridge_port_and_vlan() -> None:
    rows = switch(1, "ge1", "ge2") | q(20, PC, 2) | q(10, PHONE, 2) | q(20, PHONE, 2)
    rows |= q(1, base(1), 0, SELF) | q(20, ROUTER, 1, INVALID) | q(20, (1, 0, 0x5E, 0, 0, 1), 1)
    assert read(rows) == {(text(PC), "ge2", "20", False), (text(PHONE), "ge2", "10,20", False)}
    assert read(switch(1, "ge1") | d(PC, 1)) == {(text(PC), "ge1", "", False)}
    assert read({SYS_UPTIME: (TICKS, 1), **d(PC, 7)}) == {(text(PC), "7", "", False)}  # no dot1dBasePortTable
    assert read(switch(1, "ge1") | d(PC, 9)) == set()


def test_a_filtering_database_is_named_by_its_vlan() -> None:
    rows = switch(1, "ge1") | q(3, PC, 1) | q(1, PHONE, 1)
    rows |= {
        (*VLAN_FDB, 0, 200): (INTEGER, 3),
        (*VLAN_FDB, 0, 1): (INTEGER, 1),
        (*VLAN_FDB, 0, 2): (INTEGER, 1),
    }
    assert read(rows) == {(text(PC), "ge1", "200", False), (text(PHONE), "ge1", "", False)}


@pytest.mark.parametrize(
    ("capabilities", "onward"), [(b"\x28", True), (b"\x24", False), (b"\x30", False), (b"\x01", False)]
)
def test_a_port_to_another_switch_is_an_uplink_and_one_to_a_telephone_is_not(
    capabilities: bytes, onward: bool
) -> None:
    rows = switch(1, "ge1", "ge2") | q(20, PC, 2) | {(*LLDP_IS, 0, 2, 1): (OCTETS, capabilities)}
    assert read(rows) == {(text(PC), "ge2", "20", onward)}
    rows |= {(*LLDP_PORT, 2): (OCTETS, b"ge1")} | q(20, PHONE, 1)  # LLDP numbers its ports as it likes
    assert {(p, u) for _, p, _, u in read(rows)} == {("ge1", onward), ("ge2", False)}


@pytest.mark.parametrize(
    ("index", "capabilities", "onward"),
    [
        ((0, 0, 7), (OCTETS, b"\x28"), True),
        ((7,), (INTEGER, 0x14), True),
        ((7,), (INTEGER, 0x1400), True),
        ((7,), (INTEGER, 0x0C), False),
        ((7,), (INTEGER, -1), False),
        ((8,), (INTEGER, 0x14), False),
    ],
)
def test_routeros_says_in_its_own_table_at_which_port_another_bridge_is(
    index: Oid, capabilities: Tagged, onward: bool
) -> None:
    rows = switch(1, "ge1", "ge2") | q(20, PC, 2) | q(20, PHONE, 1)
    rows |= {(*LLDP_IS, *index): capabilities, (*MIKROTIK_PORT, 7): (INTEGER, 102)}
    assert {(p, u) for _, p, _, u in read(rows)} == {("ge2", onward), ("ge1", False)}


def test_of_several_ports_the_one_with_the_fewest_macs_is_the_closest() -> None:
    seen = [Learned("m1", 1, "up"), Learned("m2", 1, "up"), Learned("m1", 2, "p5")]
    assert closest(seen) == {"m1": seen[2], "m2": seen[1]}
    # The other switch's own MAC behind the port, or a recorded link, says more than a count does.
    seen = [
        Learned("m1", 1, "up"),
        Learned("b2", 1, "up"),
        *(Learned(f"m{n}", 2, "hub") for n in range(1, 9)),
    ]
    assert closest(marked(seen, {2: {"b2"}}, ()))["m1"].port == "hub"
    assert closest(marked(seen, {}, {(1, "up")}))["m1"].port == "hub"
    assert closest(marked(seen[:2], {2: {"b2"}}, ()))["m1"] == Learned("m1", 1, "up", uplink=True)


VALUES = st.one_of(st.integers(-(2**63), 2**64 - 1), st.binary(max_size=20), st.tuples(st.integers(0, 9)))
COLUMNS = st.sampled_from([(*Q_FDB, 2), (*Q_FDB, 3), (*D_FDB, 2), BASE_PORT, VLAN_FDB, LLDP_IS, LLDP_PORT])
INDEXES = st.lists(st.integers(0, 2**32 - 1), max_size=9).map(tuple)


@given(st.dictionaries(st.builds(lambda c, i: (*c, *i), COLUMNS, INDEXES), VALUES, max_size=30))
def test_whatever_tables_hold_they_are_read(seen: dict[Oid, Any]) -> None:
    tables = Tables(seen)
    assert all(len(one.mac) == 17 for one in arp.learned(tables, 1))
    assert all(len(mac) == 17 for mac in bridge.own(tables))


# --- through the inventory ----------------------------------------------------------------------------


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Siaga:
    monkeypatch.setenv("SIAGA_POLL__TIMEOUT_S", "0.5")
    monkeypatch.setenv("COMMUNITY", "public")
    run = runner(capsys)
    fresh(scrubbed)
    run("credential", "add", "noc", "kind=snmp-v2c", "--secret", "community=env:COMMUNITY").well()
    return run


@pytest.fixture
def serve(siaga: Siaga) -> Iterator[Callable[[str, str, Rows], Script]]:
    """Record a device and serve its agent; the rows of the script returned may be changed."""
    with ExitStack() as stack:

        def start(name: str, role: str, rows: Rows) -> Script:
            script = Script(rows)
            port = stack.enter_context(answering(lambda data: script.answer(data)))
            where = ("address=127.0.0.1", f"snmp_port={port}", "credential=noc")
            siaga("device", "add", name, f"role={role}", *where).well()
            return script

        yield start


def listed(siaga: Siaga, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(siaga("node", "list", *words, "-o", "json").well().out)
    return found


def test_an_address_is_followed_from_port_to_port(
    siaga: Siaga, serve: Callable[[str, str, Rows], Script]
) -> None:
    arp_row = {
        (*MEDIA, 2, 101, 10, 1, 1, 5): (OCTETS, bytes(PC)),
        (*MEDIA, 4, 101, 10, 1, 1, 5): (INTEGER, 3),
    }
    serve("rtr", "router", {SYS_UPTIME: (TICKS, 1), (*NAME, 101): (OCTETS, b"vlan20"), **arp_row})
    core = switch(1, "sfp1", "sfp2") | q(20, PC, 1) | q(20, base(2), 1) | q(20, base(3), 2)
    one = switch(2, "ge1", "ge2") | q(20, PC, 2) | q(20, base(1), 1)
    two = switch(3, "ge1", "ge7") | q(20, base(1), 1)
    first, second = serve("sw-1", "switch", one), serve("sw-2", "switch", two)
    middle = serve("sw-core", "switch", core)

    said = siaga("ipam", "scan").well()
    assert "Found the port of 4 MACs: 4 new, 0 moved." in said.err
    by_source = {r["source"]: r for r in listed(siaga, f"mac={text(PC)}")}
    assert {k: by_source["arp"][k] for k in ("address", "device", "switch", "switch_port", "vlan", "uplink")} == {
        "address": "10.1.1.5", "device": "rtr", "switch": "sw-1", "switch_port": "ge2", "vlan": "20",
        "uplink": False,
    }  # fmt: skip
    assert "at sw-1:ge2 in VLAN 20" in siaga("ipam", "show", "10.1.1.5").well().out
    assert [r["switch_port"] for r in listed(siaga, "switch=sw-1", "source=fdb", "uplink=no")] == ["ge2"]

    # It moves to the other switch: the old port keeps when it was last seen there.
    first.rows = switch(2, "ge1", "ge2") | q(20, PC, 1) | q(20, base(1), 1)
    second.rows = two | q(20, PC, 2)
    middle.rows = core | q(20, PC, 2)
    assert "0 new, 1 moved" in siaga("ipam", "scan").well().err
    places = {(r["switch"], r["switch_port"]): r for r in listed(siaga, f"mac={text(PC)}", "source=fdb")}
    assert set(places) == {("sw-1", "ge2"), ("sw-2", "ge7")}
    assert places["sw-1", "ge2"]["last_seen"] <= places["sw-2", "ge7"]["first_seen"]
    assert "at sw-2:ge7" in siaga("ipam", "show", "10.1.1.5").well().out

    siaga("poll").well()  # now the switches' own MACs are known
    # Asked alone, the middle sees it at an uplink: that says less than what is known, and changes nothing.
    siaga("ipam", "scan", "sw-core").well()
    assert "at sw-2:ge7" in siaga("ipam", "show", "10.1.1.5").well().out
    # Gone from the port it had, it is behind the uplink.
    first.rows, second.rows = switch(2, "ge1", "ge2") | q(20, base(1), 1), two
    siaga("ipam", "scan", "role=switch").well()
    assert "behind sw-core:sfp2" in siaga("ipam", "show", "10.1.1.5").well().out
    assert "10.1.1.5" in siaga("node", "list").well().out
    siaga("ipam", "seen-not-recorded").well()


def test_a_recorded_link_makes_an_uplink_but_not_to_a_server(
    siaga: Siaga, serve: Callable[[str, str, Rows], Script]
) -> None:
    serve("sw-1", "switch", switch(1, "ge1", "ge2") | d(PC, 1) | d(PHONE, 2))
    siaga("device", "add", "srv", "role=server").well()
    siaga("device", "add", "sw-9", "role=switch").well()
    for name in ("sw-1:ge1", "sw-1:ge2", "srv:eth0", "sw-9:ge1"):
        siaga("interface", "add", name).well()
    siaga("link", "add", "to-server", "a_interface=sw-1:ge1", "z_interface=srv:eth0").well()
    siaga("link", "add", "to-switch", "a_interface=sw-1:ge2", "z_interface=sw-9:ge1").well()
    siaga("ipam", "scan").well()
    assert {r["switch_port"]: r["uplink"] for r in listed(siaga)} == {"ge1": False, "ge2": True}
