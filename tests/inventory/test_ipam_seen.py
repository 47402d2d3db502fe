"""What was seen is remembered, and held against what is recorded."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from inventory import addressing, ipam_nodes, ipam_seen
from inventory.imports.sheets import Sheet
from inventory.ipam_nodes import Remembered, Spotted, from_sheet, ordinary, remember
from inventory.models import Observed
from inventory.store import reading, rows, session
from siaga.errors import InvalidError
from tests.inventory.ipam_world import NOW, addresses, prefixes, write

DAY = timedelta(days=1)
MAC, OTHER = "48:8f:5a:00:00:01", "48:8f:5a:00:00:02"


def see(engine: Engine, *sightings: Spotted, at: Any = NOW) -> Remembered:
    with session(engine) as opened:
        return remember(opened, sightings, at=at)


def nodes(engine: Engine) -> dict[str, dict[str, Any]]:
    with reading(engine) as opened:
        return {row["name"]: row for row in rows(opened, "node")}


def test_a_node_keeps_when_it_was_seen_first_and_last(engine: Engine) -> None:
    write(engine, ("device", {"name": "rtr-1"}))
    assert see(engine, Spotted("10.1.1.5", MAC, 1, "ether1")) == Remembered(1, 0, 0)
    assert see(engine, Spotted("10.1.1.5", MAC, 1, "ether2"), at=NOW + DAY) == Remembered(0, 1, 0)
    (node,) = nodes(engine).values()
    assert (node["name"], node["device"], node["port"], node["source"]) == (
        f"10.1.1.5/{MAC}",
        "rtr-1",
        "ether2",
        "arp",
    )
    assert (node["first_seen"], node["last_seen"]) == (NOW, NOW + DAY)


def test_an_older_sighting_changes_nothing(engine: Engine) -> None:
    write(engine, *addresses("10.1.1.5"))
    see(engine, Spotted("10.1.1.5", MAC, None, "new"))
    see(engine, Spotted("10.1.1.5", MAC, None, "old"), at=NOW - DAY)
    (node,) = nodes(engine).values()
    assert (node["port"], node["last_seen"]) == ("new", NOW)
    with reading(engine) as opened:
        assert rows(opened, "address")[0]["seen_at"] == NOW


def test_an_address_that_moves_leaves_its_history(engine: Engine) -> None:
    see(engine, Spotted("10.1.1.5", MAC))
    see(engine, Spotted("10.1.1.5", OTHER), Spotted("10.1.1.5", OTHER), at=NOW + DAY)
    found = nodes(engine)
    assert {name: row["last_seen"] for name, row in found.items()} == {
        f"10.1.1.5/{MAC}": NOW,
        f"10.1.1.5/{OTHER}": NOW + DAY,
    }


def test_a_recorded_address_learns_that_it_was_seen(engine: Engine) -> None:
    write(
        engine,
        ("vrf", {"name": "red"}),
        ("vrf", {"name": "blue"}),
        *addresses(
            "10.1.1.5", "10.1.1.5 red", "10.1.1.6 red", "10.1.1.7 red", "10.1.1.7 blue", "2001:db8::1"
        ),
    )
    seen = ("10.1.1.5", "10.1.1.6", "10.1.1.7", "10.1.1.8", "2001:db8::1")
    assert see(engine, *(Spotted(a, MAC) for a in seen)) == Remembered(5, 0, 3)
    with reading(engine) as opened:
        learned = {r["name"]: (r["seen_at"], r["seen_mac"]) for r in rows(opened, "address") if r["seen_at"]}
    assert learned == dict.fromkeys(("10.1.1.5", "10.1.1.6 red", "2001:db8::1"), (NOW, MAC))


@pytest.mark.parametrize("number", [1200, ipam_nodes._WHOLE_AFTER + 10])
def test_many_are_kept_in_sets(engine: Engine, number: int) -> None:
    texts = [str(addressing.ip(f"{10 * 2**24 + n:032x}", 4)) for n in range(number)]
    write(engine, *addresses(*texts[:3]))
    half = [Spotted(t, MAC) for t in texts[: number // 2]]
    assert see(engine, *half) == Remembered(len(half), 0, 3)
    every = [Spotted(t, MAC, None, "p") for t in texts]
    assert see(engine, *every, at=NOW + DAY) == Remembered(number - len(half), len(half), 3)
    found = nodes(engine)
    assert len(found) == number
    assert {row["last_seen"] for row in found.values()} == {NOW + DAY}


@pytest.mark.parametrize(
    ("address", "is_ordinary"),
    [
        ("10.1.1.1", True), ("8.8.8.8", True), ("2001:db8::1", True), ("fd00::1", True), ("192.0.2.1", True),
        ("0.0.0.0", False), ("0.1.2.3", False), ("127.0.0.1", False), ("169.254.1.1", False), ("224.0.0.5", False),
        ("240.0.0.1", False), ("255.255.255.255", False), ("fe80::1", False), ("ff02::1", False),
        ("::", False), ("::1", False),
    ],
)  # fmt: skip
def test_addresses_that_mean_another_host_elsewhere_are_not_ordinary(address: str, is_ordinary: bool) -> None:
    assert ordinary(address) is is_ordinary


def not_recorded(engine: Engine, within: str = "", days: int = 30) -> list[tuple[str, Any, bool]]:
    with reading(engine) as opened:
        span = addressing.cidr(within) if within else None
        found = ipam_seen.not_recorded(opened, since=NOW - days * DAY, within=span)
    return [(r["address"], r["prefix"], r["dhcp"]) for r in found]


def test_what_was_seen_and_is_not_recorded(engine: Engine) -> None:
    write(
        engine,
        ("vrf", {"name": "red"}),
        ("device", {"name": "rtr-1", "address": "10.1.1.1"}),
        ("ip_range", {"name": "10.1.1.100-10.1.1.199", "status": "dhcp"}),
        ("ip_range", {"name": "10.1.1.200-10.1.1.210", "status": "reserved"}),
        *prefixes("10.1.0.0/16", "10.1.1.0/24", "10.2.0.0/16 red", "2001:db8::/64"),
        *addresses("10.1.1.2", "10.2.1.1 red"),
    )
    see(engine, Spotted("10.1.1.9", MAC), at=NOW - 40 * DAY)
    texts = (
        "10.1.1.1",
        "10.1.1.2",
        "10.1.1.3",
        "10.1.1.150",
        "10.1.1.205",
        "10.1.2.1",
        "10.2.1.1",
        "10.2.1.2",
        "9.9.9.9",
        "2001:db8::5",
    )
    see(engine, *(Spotted(t, MAC) for t in texts))
    expected = [
        ("9.9.9.9", None, False),
        ("10.1.1.3", "10.1.1.0/24", False),
        ("10.1.1.150", "10.1.1.0/24", True),
        ("10.1.1.205", "10.1.1.0/24", False),
        ("10.1.2.1", "10.1.0.0/16", False),
        ("10.2.1.2", "10.2.0.0/16 red", False),
        ("2001:db8::5", "2001:db8::/64", False),
    ]
    assert not_recorded(engine) == expected
    assert [a for a, _, _ in not_recorded(engine, "10.1.0.0/16")] == [
        "10.1.1.3",
        "10.1.1.150",
        "10.1.1.205",
        "10.1.2.1",
    ]
    assert ("10.1.1.9", "10.1.1.0/24", False) in not_recorded(engine, days=50)


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        ("0.0.0.0/0", ["9.9.9.9", "10.1.1.3", "10.1.13.1", "10.11.1.1"]),
        ("10.1.0.0/16", ["10.1.1.3", "10.1.13.1"]),
        ("10.1.0.0/21", ["10.1.1.3"]),
        ("10.1.1.3/32", ["10.1.1.3"]),
        ("10.0.0.0/9", ["10.1.1.3", "10.1.13.1", "10.11.1.1"]),
        ("2001:db8::/32", ["2001:db8::5"]),
    ],
)
def test_only_a_prefix_is_asked_for(engine: Engine, within: str, expected: list[str]) -> None:
    see(
        engine,
        *(
            Spotted(t, MAC)
            for t in ("9.9.9.9", "10.1.1.3", "10.1.13.1", "10.11.1.1", "2001:db8::5", "2002::1")
        ),
    )
    assert [address for address, _, _ in not_recorded(engine, within)] == expected


def test_the_newest_mac_of_an_address_is_told_with_their_number(engine: Engine) -> None:
    see(engine, Spotted("10.1.1.3", MAC), at=NOW - DAY)
    see(engine, Spotted("10.1.1.3", OTHER))
    with reading(engine) as opened:
        (row,) = ipam_seen.not_recorded(opened, since=NOW - 30 * DAY)
    assert (row["mac"], row["macs"], row["last_seen"]) == (OTHER, 2, NOW)


def test_what_is_recorded_and_was_not_seen(engine: Engine) -> None:
    write(
        engine,
        ("vrf", {"name": "red"}),
        ("device", {"name": "rtr-1", "address": "10.1.1.1"}),
        ("device", {"name": "rtr-2", "address": "10.1.1.2"}),
        *prefixes("10.1.1.0/24", "10.1.2.0/24", "10.3.0.0/24 red"),
        *addresses(
            "10.1.1.1",
            "10.1.1.2",
            "10.1.1.3",
            "10.1.1.4",
            "10.1.2.1",
            "9.9.9.9",
            "10.3.0.1 red",
            "10.3.0.2 red",
        ),
        *addresses("10.1.1.5", status="reserved"),
        *addresses("10.1.1.6", status="dhcp"),
    )
    with session(engine) as opened:
        for device, at in ((1, NOW - DAY), (2, NOW - 90 * DAY)):
            opened.add(Observed(device_id=device, field="serial", source="snmp", value="x", at=at))
    see(engine, Spotted("10.1.1.3", MAC), Spotted("10.3.0.1", MAC), at=NOW - 5 * DAY)
    see(engine, Spotted("10.1.1.4", MAC), at=NOW - 60 * DAY)
    with reading(engine) as opened:
        found = ipam_seen.not_seen(opened, since=NOW - 30 * DAY)
    assert [(r["name"], r["prefix"], r["watched"], r["seen_at"]) for r in found] == [
        ("9.9.9.9", None, False, None),
        ("10.1.1.2", "10.1.1.0/24", True, None),
        ("10.1.1.4", "10.1.1.0/24", True, NOW - 60 * DAY),
        ("10.1.2.1", "10.1.2.0/24", False, None),
        ("10.3.0.2 red", "10.3.0.0/24 red", True, None),
    ]


def sheet(*lines: tuple[Any, ...], header: tuple[str, ...] = ("address", "mac", "device", "port")) -> Sheet:
    return Sheet("seen.csv", "node", header, tuple(enumerate(lines, 2)))


def test_a_file_of_sightings_is_read_as_people_write_it(engine: Engine) -> None:
    write(engine, ("device", {"name": "sw-1"}))
    lines = [
        ("10.1.1.5", "488F.5A00.0001", "sw-1", 7),
        ("2001:DB8::0:5", "48-8F-5A-00-00-02", None, None),
        ("169.254.3.3", MAC, "", ""),
        (" 10.1.1.6 ", "", "", ""),
    ]
    with reading(engine) as opened:
        assert from_sheet(opened, sheet(*lines)) == [
            Spotted("10.1.1.5", MAC, 1, "7", "import"),
            Spotted("2001:db8::5", OTHER, None, "", "import"),
            Spotted("10.1.1.6", "", None, "", "import"),
        ]
        assert from_sheet(opened, sheet(("10.1.1.5",), header=("Address",)))[0].address == "10.1.1.5"


def test_every_bad_line_of_a_file_is_named(engine: Engine) -> None:
    with reading(engine) as opened:
        with pytest.raises(InvalidError) as caught:
            from_sheet(
                opened,
                sheet(
                    ("10.1.1", MAC, "", ""),
                    ("10.1.1.5", "zz", "", ""),
                    ("10.1.1.5", MAC, "sw-9", ""),
                    ("", "", "", ""),
                    ("1.1.1.1\x1b[31m", "", "", ""),
                ),
            )
        assert [p.partition(": ")[0] for p in caught.value.problems] == [
            f"seen.csv, line {n}" for n in range(2, 7)
        ]
        assert "\x1b" not in "".join(caught.value.problems)
        for header in (("mac",), ("address", "colour")):
            with pytest.raises(InvalidError, match="the columns are address, mac, device, port"):
                from_sheet(opened, sheet(header=header))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            *[st.one_of(st.none(), st.text(max_size=30), st.integers(), st.ip_addresses().map(str))] * 4
        ),
        max_size=5,
    )
)
def test_no_file_is_more_than_a_problem(engine: Engine, lines: list[tuple[Any, ...]]) -> None:
    with session(engine) as opened:
        with suppress(InvalidError):
            remember(opened, from_sheet(opened, sheet(*lines)), at=NOW)
        opened.rollback()
