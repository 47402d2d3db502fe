"""What is read of prefixes from the database is what a naive reading of all rows says, and only what is asked."""

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, insert
from sqlmodel import Session

from inventory import addressing, ipam, ipam_claims, ipam_show, ipam_tree
from inventory.ipam_overlap import table
from inventory.models_ipam import Address, IpRange, Prefix, Vrf
from inventory.store import reading, session
from siaga.errors import InvalidError, NotFoundError, UsageError
from tests.inventory.ipam_world import addresses, prefixes, write

OUTER = ipaddress.ip_network("10.0.0.0/24")
BLANK = {"notes": "", "custom": None, "revision": 0}
Span = tuple[int, int]


def fill(
    opened: Session, rows: Sequence[tuple[str, str]], spans: Sequence[Span], points: Sequence[int]
) -> None:
    """Put prefixes (name, status), ranges and addresses below 10.0.0.0 into the database, by the shortest way."""
    base = int(OUTER[0])
    for name, status in rows:
        span = addressing.cidr(name)
        place = {"family": 4, "first": span.first, "last": span.last, "length": span.length}
        opened.execute(
            insert(table(Prefix)),
            {**BLANK, "name": name, "status": status, "pool": False, "role": "", **place},
        )
    for low, high in spans:
        ends = {"first": addressing.digits(base + low), "last": addressing.digits(base + high)}
        opened.execute(
            insert(table(IpRange)), {**BLANK, "name": f"{low}-{high}", "status": "dhcp", "family": 4, **ends}
        )
    for point in points:
        name = str(ipaddress.ip_address(base + point))
        place = {"family": 4, "first": addressing.digits(base + point)}
        opened.execute(
            insert(table(Address)),
            {**BLANK, "name": name, "status": "active", "dns_name": "", "seen_mac": "", **place},
        )


@contextmanager
def undone(engine: Engine) -> Iterator[Session]:
    """A writing transaction of which nothing stays."""
    with session(engine) as opened:
        yield opened
        opened.rollback()


@st.composite
def subnets(draw: st.DrawFn) -> str:
    length = draw(st.integers(25, 32))
    return str(draw(st.sampled_from(list(OUTER.subnets(new_prefix=length)))))


@st.composite
def spans(draw: st.DrawFn) -> Span:
    low = draw(st.integers(0, 255))
    return low, draw(st.integers(low, min(255, low + 40)))


WORLD = (
    st.lists(subnets(), max_size=6, unique=True),
    st.lists(spans(), max_size=3, unique=True),
    st.lists(st.integers(0, 255), max_size=40, unique=True),
)
database = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def taken(children: Sequence[str], ranges: Sequence[Span], points: Sequence[int]) -> set[int]:
    """Return the last octets that are spoken for, one by one."""
    base = int(OUTER[0])
    found = {int(a) - base for name in children for a in ipaddress.ip_network(name)}
    return found | {n for low, high in ranges for n in range(low, high + 1)} | set(points)


def octets(found: Sequence[Any]) -> list[int]:
    return [int(ipaddress.ip_address(row["name"])) - int(OUTER[0]) for row in found]


@database
@given(*WORLD)
def test_next_addresses_are_the_lowest_that_nothing_holds(
    engine: Engine, children: list[str], ranges: list[Span], points: list[int]
) -> None:
    expected = sorted(set(range(1, 255)) - taken(children, ranges, points))
    with undone(engine) as opened:
        fill(opened, [(str(OUTER), "active"), *((c, "active") for c in children)], ranges, points)
        block = ipam.find(opened, str(OUTER))
        use = ipam.use(opened, block)
        assert (use.usable, use.free) == (254, len(expected))
        rows = {r["name"]: r for r in ipam_tree.tree(opened)}
        assert (rows[block.name]["used"], rows[block.name]["free"]) == (use.used, use.free)
        if expected:
            assert octets(ipam_claims.next_addresses(opened, block, len(expected))) == expected
            assert octets(ipam_claims.next_addresses(opened, block)) == expected[:1]
        with pytest.raises(InvalidError) as full:
            ipam_claims.next_addresses(opened, block, len(expected) + 1)
        assert (full.value.code, full.value.exit_code) == ("prefix-full", 5)


@database
@given(*WORLD, st.sampled_from(["active", "container", "reserved"]), st.integers(25, 32))
def test_next_prefixes_are_the_lowest_that_touch_nothing(
    engine: Engine, children: list[str], ranges: list[Span], points: list[int], status: str, length: int
) -> None:
    spoken = taken(children, ranges, points)
    base = int(OUTER[0])
    expected = [str(n) for n in OUTER.subnets(new_prefix=length) if not spoken & {int(a) - base for a in n}]
    with undone(engine) as opened:
        fill(opened, [(str(OUTER), status), *((c, "active") for c in children)], ranges, points)
        block = ipam.find(opened, str(OUTER))
        if expected:
            found = ipam_claims.next_prefixes(opened, block, length, len(expected))
            assert [row["name"] for row in found] == expected
        with pytest.raises(InvalidError) as full:
            ipam_claims.next_prefixes(opened, block, length, len(expected) + 1)
        assert full.value.code == "prefix-full"


@database
@given(*WORLD, st.sampled_from(["active", "container"]))
def test_what_is_free_and_what_is_used_is_the_whole(
    engine: Engine, children: list[str], ranges: list[Span], points: list[int], status: str
) -> None:
    with undone(engine) as opened:
        fill(opened, [(str(OUTER), status), *((c, "active") for c in children)], ranges, points)
        rows = ipam_claims.free_rows(opened, ipam.find(opened, str(OUTER)))
    every = range(256) if status == "container" else range(1, 255)
    ends = [(int(ipaddress.ip_address(r["first"])), int(ipaddress.ip_address(r["last"]))) for r in rows]
    listed = [n - int(OUTER[0]) for low, high in ends for n in range(low, high + 1)]
    assert listed == sorted(set(every) - taken(children, ranges, points))
    assert sum(r["addresses"] for r in rows) == len(listed)
    if status == "container":
        assert [r["free"] for r in rows] == [str(ipaddress.ip_network(r["free"])) for r in rows]


def test_the_tree_knows_parents_depths_and_words(engine: Engine) -> None:
    write(
        engine,
        ("place", {"name": "Mauk", "kind": "kecamatan"}),
        ("vlan", {"name": "kantor", "vid": 20}),
        ("vrf", {"name": "red"}),
        *prefixes("10.0.0.0/8", "2001:db8::/32", status="container"),
        *prefixes("10.1.1.0/24", place="Mauk", vlan="kantor", role="lan"),
        *prefixes("10.1.0.0/16", "10.1.0.0/16 red"),
        *addresses("10.1.1.1", "10.1.1.9", "10.1.9.9", "10.1.1.1 red", "2001:db8::1"),
    )
    with reading(engine) as opened:
        rows = ipam_tree.tree(opened)
        keys = ("name", "depth", "parent", "children", "used", "vrf")
        assert [tuple(row[k] for k in keys) for row in rows] == [
            ("10.0.0.0/8", 0, None, 1, 65536, None),
            ("10.1.0.0/16", 1, "10.0.0.0/8", 1, 257, None),
            ("10.1.1.0/24", 2, "10.1.0.0/16", 0, 2, None),
            ("2001:db8::/32", 0, None, 0, 0, None),
            ("10.1.0.0/16 red", 0, None, 0, 1, "red"),
        ]
        assert {k: rows[2][k] for k in ("place", "vlan", "role", "agency")} == {
            "place": "Mauk", "vlan": "kantor", "role": "lan", "agency": None,
        }  # fmt: skip
        part = ipam_tree.tree(opened, addressing.cidr("10.1.0.0/16"))
        assert [(r["name"], r["used"]) for r in part] == [
            ("10.1.0.0/16", 257),
            ("10.1.1.0/24", 2),
            ("10.1.0.0/16 red", 1),
        ]
        red = ipam_tree.tree(opened, vrf=ipam.vrf_id(opened, "red"))
        assert [r["name"] for r in red] == ["10.1.0.0/16 red"]
        assert len(ipam_tree.tree(opened, vrf=None)) == 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("10.0.0.0/31", ["10.0.0.0", "10.0.0.1"]),
        ("10.0.0.7/32", ["10.0.0.7"]),
        ("10.0.0.0/30", ["10.0.0.1", "10.0.0.2"]),
        ("2001:db8::/127", ["2001:db8::", "2001:db8::1"]),
        ("2001:db8::7/128", ["2001:db8::7"]),
        ("255.255.255.254/31", ["255.255.255.254", "255.255.255.255"]),
        (
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
            ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "ffff:" * 7 + "ffff"],
        ),
    ],
)
def test_the_smallest_prefixes_give_all_they_have(engine: Engine, name: str, expected: list[str]) -> None:
    write(engine, *prefixes(name))
    with reading(engine) as opened:
        block = ipam.find(opened, name)
        assert [r["name"] for r in ipam_claims.next_addresses(opened, block, len(expected))] == expected
    write(engine, *addresses(*expected))
    with reading(engine) as opened:
        assert ipam.use(opened, block).pct == 100
        assert ipam_claims.free_rows(opened, block) == []
        with pytest.raises(
            InvalidError, match=f"has no free address: {len(expected)} of {len(expected)} usable"
        ):
            ipam_claims.next_addresses(opened, block)


def test_the_next_address_of_a_64_is_found_without_counting_to_it(engine: Engine) -> None:
    write(engine, *prefixes("2001:db8::/64", "::/0"), *prefixes("2001:db8::/65"))
    write(engine, ("ip_range", {"name": "2001:db8:0:0:8000::-2001:db8:0:0:8000::ffff:ffff"}))
    with reading(engine) as opened:
        found = ipam_claims.next_addresses(opened, ipam.find(opened, "2001:db8::/64"), 2)
        assert [int(ipaddress.ip_address(r["name"])) & (2**64 - 1) for r in found] == [
            2**63 + 2**32,
            2**63 + 2**32 + 1,
        ]
        assert ipam_claims.next_prefixes(opened, ipam.find(opened, "::/0"), 1)[0]["name"] == "8000::/1"
        assert [r["free"] for r in ipam_claims.free_rows(opened, ipam.find(opened, "2001:db8::/65"))] == [
            "2001:db8::1-2001:db8::7fff:ffff:ffff:ffff"
        ]


def test_pools_give_their_first_and_last_address(engine: Engine) -> None:
    write(engine, *prefixes("10.0.0.0/30", pool="yes"), *prefixes("2001:db8::/126", pool="yes"))
    with reading(engine) as opened:
        for name in ("10.0.0.0/30", "2001:db8::/126"):
            found = ipam_claims.next_addresses(opened, ipam.find(opened, name), 4)
            assert found[0]["name"] == name.partition("/")[0]


@pytest.mark.parametrize("status", ["container", "reserved", "deprecated"])
def test_only_an_active_prefix_gives_addresses(engine: Engine, status: str) -> None:
    write(engine, *prefixes("10.0.0.0/24", status=status))
    with reading(engine) as opened, pytest.raises(InvalidError) as caught:
        ipam_claims.next_addresses(opened, ipam.find(opened, "10.0.0.0/24"))
    assert caught.value.code == "prefix-not-usable"


def test_lengths_that_cannot_be_are_refused(engine: Engine) -> None:
    write(engine, *prefixes("10.0.0.0/24", "10.0.1.1/32"), *prefixes("10.0.2.0/24", status="deprecated"))
    with reading(engine) as opened:
        for name, length in (
            ("10.0.0.0/24", 24),
            ("10.0.0.0/24", 8),
            ("10.0.0.0/24", 33),
            ("10.0.1.1/32", 32),
        ):
            with pytest.raises(InvalidError) as caught:
                ipam_claims.next_prefixes(opened, ipam.find(opened, name), length)
            assert caught.value.code == "bad-length"
        with pytest.raises(InvalidError, match="deprecated"):
            ipam_claims.next_prefixes(opened, ipam.find(opened, "10.0.2.0/24"), 25)


def test_a_full_container_says_what_is_left(engine: Engine) -> None:
    write(engine, *prefixes("10.0.0.0/24", status="container"), *prefixes("10.0.0.0/25", "10.0.0.192/26"))
    with reading(engine) as opened:
        block = ipam.find(opened, "10.0.0.0/24")
        with pytest.raises(InvalidError, match="has no free /25: the largest free block is a /26"):
            ipam_claims.next_prefixes(opened, block, 25)
        with pytest.raises(InvalidError, match="has only 1 free /26 left; nothing was given"):
            ipam_claims.next_prefixes(opened, block, 26, 2)
    write(engine, *prefixes("10.0.0.128/26"))
    with reading(engine) as opened, pytest.raises(InvalidError, match="nothing of it is free"):
        ipam_claims.next_prefixes(opened, block, 32)


def test_what_is_not_recorded_is_told_with_what_is_near(engine: Engine) -> None:
    write(engine, ("vrf", {"name": "red"}), *prefixes("10.0.0.0/8", "10.1.0.0/16", "10.9.0.0/16 red"))
    cases = {
        ("10.1.1.0/24", ""): "the smallest around it is 10.1.0.0/16",
        ("10.9.0.0/16", ""): "it is in VRF red: add --vrf",
        ("192.168.0.0/24", ""): "siaga prefix add records one",
        ("10.1.0.0/16", "red"): "siaga prefix add records one",
        ("10.1.0.0/16", "rad"): "Did you mean 'red'",
    }
    with reading(engine) as opened:
        for (text, vrf), sentence in cases.items():
            with pytest.raises(NotFoundError, match=sentence):
                ipam.find(opened, text, vrf)
        for wrong in ("10.1.0.1/16", "10.1.0.0", "x/24", "", "10.1.0.0/99", "10.9.0.0/16 blue"):
            with pytest.raises((UsageError, NotFoundError)):
                ipam.find(opened, wrong, "red")
        assert ipam.find(opened, "10.9.0.0/16 red") == ipam.find(opened, "10.9.0.0/16", "red")


def test_one_prefix_is_shown_with_its_own_addresses_only(engine: Engine) -> None:
    write(
        engine,
        ("device", {"name": "rtr-1", "address": "10.1.1.1"}),
        ("interface", {"device": "rtr-1", "name": "ether1"}),
        ("ip_range", {"name": "10.1.1.100-10.1.1.120", "status": "dhcp"}),
        *prefixes("10.0.0.0/8", status="container"),
        *prefixes("10.1.1.0/24", "10.1.1.64/26", "10.1.1.64/28"),
        *addresses("10.1.1.1", interface="rtr-1:ether1"),
        *addresses("10.1.1.65", "10.1.1.200", "10.1.2.1"),
    )
    with reading(engine) as opened:
        row = ipam_show.prefix(opened, ipam.find(opened, "10.1.1.0/24"))
        assert (row["around"], row["within"], row["used"]) == (["10.0.0.0/8"], ["10.1.1.64/26"], 66)
        assert [(a["name"], a["device"], a["interface"]) for a in row["addresses"]] == [
            ("10.1.1.1", "rtr-1", "ether1"),
            ("10.1.1.200", None, None),
        ]
        assert row["ranges"] == [{"name": "10.1.1.100-10.1.1.120", "status": "dhcp"}]
        assert ipam_show.prefix(opened, ipam.find(opened, "10.0.0.0/8"))["addresses"] == []
        one = ipam_show.address(opened, "10.1.1.1")
        assert (one["prefix"], one["managed"], one["recorded"]["device"]) == (
            "10.1.1.0/24",
            ["rtr-1"],
            "rtr-1",
        )
        none = ipam_show.address(opened, "10.1.1.110")
        assert (none["recorded"], none["ranges"][0]["status"]) == (None, "dhcp")
        with pytest.raises(UsageError, match="must be an IPv4 or IPv6 address"):
            ipam_show.address(opened, "gibberish")


def test_more_addresses_than_a_page_are_said_to_be_more(engine: Engine) -> None:
    with undone(engine) as opened:
        fill(opened, [("10.0.0.0/16", "active")], [], range(1, ipam_show.SHOWN_AT_MOST + 2))
        row = ipam_show.prefix(opened, ipam.find(opened, "10.0.0.0/16"))
    assert (len(row["addresses"]), row["more_addresses"]) == (ipam_show.SHOWN_AT_MOST, True)


def test_of_one_prefix_no_other_addresses_are_asked_for(engine: Engine) -> None:
    with session(engine) as opened:
        fill(opened, [("10.0.0.0/16", "active"), ("10.1.0.0/16", "active")], [], range(1, 6000))
    asked: list[Any] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "FROM address" in statement:
            asked.append(tuple(parameters.values()) if isinstance(parameters, dict) else parameters)

    event.listen(engine, "before_cursor_execute", listen)
    with reading(engine) as opened:
        found = ipam_claims.next_addresses(opened, ipam.find(opened, "10.0.0.0/16"))
        empty = ipam_claims.next_addresses(opened, ipam.find(opened, "10.1.0.0/16"))
    assert (found[0]["name"], empty[0]["name"]) == ("10.0.23.112", "10.1.0.1")
    ends = [("10.0.0.1", "10.0.255.254"), ("10.1.0.1", "10.1.255.254")]
    assert asked == [(4, *(addressing.address(text).first for text in pair)) for pair in ends]


def test_tables_do_not_mix(engine: Engine) -> None:
    write(
        engine, ("vrf", {"name": "red"}), *prefixes("10.0.0.0/30", "10.0.0.0/30 red"), *addresses("10.0.0.1")
    )
    with reading(engine) as opened:
        assert ipam_claims.next_addresses(opened, ipam.find(opened, "10.0.0.0/30"))[0]["name"] == "10.0.0.2"
        found = ipam_claims.next_addresses(opened, ipam.find(opened, "10.0.0.0/30", "red"))
        assert found == [{"name": "10.0.0.1 red", "vrf": "red", "length": 30}]
        assert ipam.vrf_id(opened, "red") == opened.get_one(Vrf, 1).id
