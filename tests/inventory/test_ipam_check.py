"""Everything that can be wrong with recorded addresses is found, and what is right is not."""

from datetime import timedelta

from sqlalchemy import Engine, update

from inventory.ipam_check import Given, findings, judged, strays
from inventory.ipam_nodes import Spotted, remember
from inventory.ipam_overlap import table
from inventory.ipam_space import Block
from inventory.models import Device
from inventory.models_ipam import VlanGroup
from inventory.store import reading, session
from tests.inventory.ipam_world import NOW, addresses, prefixes, write

NET, INNER, POOL = (
    Block(1, "0.0.1.0/24", None, 4, 256, 511, 24),
    Block(2, "0.0.2.0/24", None, 4, 512, 767, 24, "container"),
    Block(3, "0.0.2.0/25", None, 4, 512, 639, 25, "active", True),
)


def found(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as opened:
        return [(f.kind, f.name) for f in findings(opened, since=NOW - timedelta(days=1))]


def kinds(*given: Given) -> list[tuple[str, str]]:
    return [(f.name, f.kind) for f in judged([NET, INNER, POOL], [(400, 410)], given)]


def test_each_address_is_judged_by_the_smallest_prefix_around_it() -> None:
    assert kinds(Given("none", 5, 5, "active"), Given("good", 300, 300, "active", 24)) == [
        ("none", "outside")
    ]
    assert kinds(Given("network", 256, 256, "active"), Given("broadcast", 511, 511, "dhcp")) == [
        ("network", "not-usable"),
        ("broadcast", "not-usable"),
    ]
    assert kinds(Given("kept back", 256, 256, "reserved")) == []
    assert kinds(Given("first of a pool", 512, 512, "active"), Given("container", 700, 700, "active")) == [
        ("container", "in-container")
    ]
    assert kinds(Given("mask", 300, 300, "active", 25), Given("host route", 301, 301, "active", 32)) == [
        ("mask", "wrong-length")
    ]
    assert kinds(
        Given("leased", 400, 400, "dhcp"),
        Given("static", 410, 410, "active"),
        Given("beside", 411, 411, "active"),
    ) == [("static", "in-dhcp-range")]


def test_a_range_lies_within_one_prefix() -> None:
    spans = [
        Given("none", 5, 300, "dhcp"),
        Given("good", 300, 511, "dhcp"),
        Given("beyond", 500, 600, "dhcp"),
    ]
    assert [(f.name, f.text) for f in strays([NET], spans)] == [
        ("none", "none begins in no recorded prefix."),
        ("beyond", "beyond reaches beyond 0.0.1.0/24."),
    ]


def test_a_clean_inventory_has_no_findings(engine: Engine) -> None:
    write(
        engine,
        ("place", {"name": "Kab", "kind": "regency"}),
        ("place", {"name": "Mauk", "kind": "kecamatan", "parent": "Kab"}),
        ("vlan_group", {"name": "ring", "place": "Kab"}),
        ("vlan", {"name": "a", "vid": 10, "vlan_group": "ring"}),
        ("vlan", {"name": "b", "vid": 11, "vlan_group": "ring", "place": "Mauk"}),
        ("device", {"name": "rtr-1", "address": "10.1.1.1"}),
        ("ip_range", {"name": "10.1.1.100-10.1.1.199", "status": "dhcp"}),
        *prefixes("10.0.0.0/8", status="container"),
        *prefixes("10.1.1.0/24", vlan="a", place="Mauk"),
        *prefixes("10.1.2.0/31", vlan="b", place="Mauk"),
        *addresses("10.1.1.1/24", device="rtr-1"),
        *addresses("10.1.2.0/31", "10.1.2.1/31"),
    )
    assert found(engine) == []


def test_what_is_given_twice_is_found_though_it_was_once_allowed(engine: Engine) -> None:
    write(engine, ("vrf", {"name": "lab", "enforce_unique": "no"}), *prefixes("10.1.1.0/24 lab"))
    for name in ("10.1.1.1-10.1.1.9", "10.1.1.5-10.1.1.6"):
        write(engine, ("ip_range", {"name": f"{name} lab"}))
    assert found(engine) == []
    write(engine, ("vrf", {"name": "lab", "enforce_unique": "yes"}))
    assert found(engine) == [("overlap", "10.1.1.1-10.1.1.9 lab")]


def test_an_address_of_two_devices_is_found(engine: Engine) -> None:
    write(
        engine,
        ("device", {"name": "rtr-1"}),
        ("device", {"name": "rtr-2"}),
        *prefixes("10.1.1.0/24"),
        *addresses("10.1.1.1", device="rtr-1"),
    )
    with session(engine) as opened:  # as an older version may have left it
        device = table(Device)
        opened.execute(update(device).where(device.c.name == "rtr-2").values(address="10.1.1.1"))
    assert found(engine) == [("two-devices", "10.1.1.1")]


def test_vlans_outside_their_group_and_of_another_site_are_found(engine: Engine) -> None:
    write(
        engine,
        ("place", {"name": "Mauk", "kind": "kecamatan"}),
        ("place", {"name": "Sepatan", "kind": "kecamatan"}),
        ("vlan_group", {"name": "ring", "place": "Mauk"}),
        ("vlan", {"name": "a", "vid": 100, "vlan_group": "ring"}),
        *prefixes("10.1.1.0/24", vlan="a", place="Sepatan"),
    )
    assert found(engine) == [("vlan-elsewhere", "10.1.1.0/24")]
    with session(engine) as opened:
        opened.execute(update(table(VlanGroup)).values(last_vid=50))
    assert found(engine) == [("vlan-outside", "a"), ("vlan-elsewhere", "10.1.1.0/24")]


def test_an_address_at_two_macs_today_is_found(engine: Engine) -> None:
    write(
        engine,
        *prefixes("10.1.1.0/24"),
        *addresses("10.1.1.1", "10.1.1.2"),
        *addresses("10.1.1.3", status="dhcp"),
    )
    one, other = "48:8f:5a:00:00:01", "48:8f:5a:00:00:02"
    with session(engine) as opened:
        remember(opened, [Spotted("10.1.1.2", one)], at=NOW - timedelta(days=5))
        now = [Spotted("10.1.1.1", one), Spotted("10.1.1.1", other), Spotted("10.1.1.2", other)]
        remember(opened, [*now, Spotted("10.1.1.3", one), Spotted("10.1.1.3", other)], at=NOW)
    assert found(engine) == [("two-macs", "10.1.1.1")]
