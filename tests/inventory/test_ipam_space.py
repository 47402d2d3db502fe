"""Arithmetic of spans means what the standard library's ipaddress, asked address by address, says."""

import ipaddress
from collections.abc import Sequence
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import addressing, ipam_space, ipam_text
from inventory.addressing import Network
from inventory.ipam_space import Block, Interval, Use

V4 = ipaddress.IPv4Network("10.0.0.0/24")
V6 = ipaddress.IPv6Network("2001:db8::/120")


def block(network: Network, number: int = 1, **more: object) -> Block:
    span = addressing.of(network)
    first, last = int(span.first, 16), int(span.last, 16)
    return Block(number, span.text, None, span.family, first, last, span.length, **more)  # type: ignore[arg-type]


@st.composite
def within(draw: st.DrawFn, outer: Network) -> Network:
    """A prefix within another, or that one itself."""
    length = draw(st.integers(outer.prefixlen, outer.max_prefixlen))
    first = int(outer[0]) + draw(st.integers(0, outer.num_addresses - 1))
    return ipaddress.ip_network((first, length), strict=False)


@st.composite
def intervals(draw: st.DrawFn, outer: Network = V4) -> Interval:
    low = draw(st.integers(int(outer[0]), int(outer[-1])))
    return low, draw(st.integers(low, int(outer[-1])))


NETWORKS = st.sampled_from([V4, V6]).flatmap(lambda outer: st.lists(within(outer), max_size=12))
INTERVALS = st.lists(intervals(), max_size=8)
POINTS = st.lists(st.integers(int(V4[0]), int(V4[-1])), max_size=40)


def numbers(spans: Sequence[Interval]) -> list[int]:
    """Every address of some intervals, one by one."""
    return [n for low, high in spans for n in range(low, high + 1)]


@given(INTERVALS)
def test_a_union_is_of_the_same_addresses(spans: list[Interval]) -> None:
    union = ipam_space.merged(spans)
    assert numbers(union) == sorted(set(numbers(spans)))
    assert all(a[1] + 1 < b[0] for a, b in pairwise(union))


@given(intervals(), INTERVALS)
def test_gaps_are_what_nothing_covers(span: Interval, taken: list[Interval]) -> None:
    expected = sorted(set(numbers([span])) - set(numbers(taken)))
    assert numbers(list(ipam_space.gaps(span, ipam_space.merged(taken)))) == expected
    clipped = ipam_space.clipped(taken, span)
    assert set(numbers(list(clipped))) == set(numbers(taken)) & set(numbers([span]))


@given(INTERVALS, POINTS)
def test_points_cut_what_is_free(spans: list[Interval], points: list[int]) -> None:
    free = ipam_space.merged(spans)
    inside = sorted(set(points) & set(numbers(free)))
    assert numbers(list(ipam_space.cut(free, inside))) == sorted(set(numbers(free)) - set(inside))


@given(INTERVALS, intervals())
def test_touching_leaves_out_only_what_does_not(spans: list[Interval], span: Interval) -> None:
    union = ipam_space.merged(spans)
    near = ipam_space.touching(union, span)
    assert list(ipam_space.clipped(near, span)) == list(ipam_space.clipped(union, span))


@given(INTERVALS, st.integers(24, 32))
def test_blocks_are_those_that_ipaddress_finds(spans: list[Interval], length: int) -> None:
    free = ipam_space.merged(spans)
    step = 1 << (32 - length)
    taken = set(numbers([(int(V4[0]), int(V4[-1]))])) - set(numbers(free))
    expected = [n for n in V4.subnets(new_prefix=length) if not taken & set(map(int, n))]
    found = [ipam_space.network(first, length, 4) for first in ipam_space.starts(free, step)]
    assert found == expected
    assert [ipam_space.fits(gap, step) for gap in free] == [
        bool(list(ipam_space.starts([gap], step))) for gap in free
    ]


@given(st.sampled_from([(4, 32), (6, 128)]), st.data())
def test_an_interval_is_made_of_the_fewest_prefixes(family: tuple[int, int], data: st.DataObject) -> None:
    version, bits = family
    low = data.draw(st.integers(0, 2**bits - 1))
    high = data.draw(st.integers(low, 2**bits - 1))
    ends = (addressing.ip(addressing.digits(n), version) for n in (low, high))
    expected = list(ipaddress.summarize_address_range(*ends))  # type: ignore[type-var]
    assert list(ipam_space.networks((low, high), version)) == expected


@given(NETWORKS)
def test_the_tree_is_the_one_of_supernets(networks: list[Network]) -> None:
    blocks = [block(n, i) for i, n in enumerate(dict.fromkeys(networks))]
    placed = ipam_space.nested(blocks)
    assert [b.span for b, _ in placed] == [b.span for b in sorted(blocks, key=lambda b: (b.first, b.length))]
    for inner, parent in placed:
        around = [b for b in blocks if b != inner and b.first <= inner.first and inner.last <= b.last]
        expected = max(around, key=lambda b: b.length, default=None)
        assert (placed[parent][0] if parent >= 0 else None) == expected


@given(NETWORKS, st.lists(st.integers(-3, 260), max_size=20))
def test_the_innermost_prefix_is_the_longest_around_an_address(
    networks: list[Network], offsets: list[int]
) -> None:
    blocks = [block(n, i) for i, n in enumerate(dict.fromkeys(networks))]
    base = int(networks[0].supernet(new_prefix=networks[0].max_prefixlen - 8)[0]) if networks else 0
    points = sorted(base + offset for offset in offsets)
    for point, found in zip(points, ipam_space.innermost(blocks, points), strict=True):
        around = [b for b in blocks if b.first <= point <= b.last]
        assert found == max(around, key=lambda b: b.length, default=None)


def test_prefixes_of_several_tables_do_not_nest() -> None:
    wide, narrow = block(V4, 1), block(next(V4.subnets(1)), 2)
    in_vrf = Block(3, "10.0.0.0/26 red", 7, 4, narrow.first, narrow.first + 63, 26)
    assert [(b.id, parent) for b, parent in ipam_space.nested([in_vrf, narrow, wide])] == [
        (1, -1),
        (2, 0),
        (3, -1),
    ]


USABLE = [
    ("10.0.0.0/24", "10.0.0.1", "10.0.0.254"),
    ("10.0.0.0/30", "10.0.0.1", "10.0.0.2"),
    ("10.0.0.0/31", "10.0.0.0", "10.0.0.1"),
    ("10.0.0.7/32", "10.0.0.7", "10.0.0.7"),
    ("2001:db8::/64", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"),
    ("2001:db8::/126", "2001:db8::1", "2001:db8::3"),
    ("2001:db8::/127", "2001:db8::", "2001:db8::1"),
    ("2001:db8::7/128", "2001:db8::7", "2001:db8::7"),
]


@pytest.mark.parametrize(("name", "first", "last"), USABLE)
def test_what_of_a_prefix_is_usable(name: str, first: str, last: str) -> None:
    found = ipam_space.usable(block(ipaddress.ip_network(name)))
    assert found == (int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last)))


@pytest.mark.parametrize("more", [{"pool": True}, {"status": "container"}])
@pytest.mark.parametrize("name", ["10.0.0.0/24", "2001:db8::/64"])
def test_of_a_pool_and_of_a_container_everything_is(name: str, more: dict[str, object]) -> None:
    whole = block(ipaddress.ip_network(name), **more)
    assert ipam_space.usable(whole) == whole.span


@given(
    within(V4),
    st.lists(within(V4), max_size=4),
    INTERVALS,
    POINTS,
    st.sampled_from(["active", "container"]),
    st.booleans(),
)
def test_what_is_used_is_what_lies_on_usable_addresses(
    outer: Network,
    children: list[Network],
    ranges: list[Interval],
    points: list[int],
    status: str,
    pool: bool,
) -> None:
    own = block(outer, status=status, pool=pool)
    spans = [(int(c[0]), int(c[-1])) for c in children if c.subnet_of(outer)]  # type: ignore[arg-type]
    taken = set(numbers(spans)) | (set() if status == "container" else set(numbers(ranges)) | set(points))
    usable = set(numbers([ipam_space.usable(own)]))
    use = ipam_space.use(own, spans, ipam_space.merged(ranges), sorted(set(points)))
    assert (use.usable, use.used, use.free) == (len(usable), len(usable & taken), len(usable - taken))
    assert 0 <= use.pct <= 100


def test_nothing_is_read_further_than_asked() -> None:
    def endless() -> object:
        number = 0
        while True:
            yield number
            number += 2

    free = ipam_space.cut([(0, 2**128)], endless())  # type: ignore[arg-type]
    assert list(islice(ipam_space.singles(free), 3)) == [1, 3, 5]


def test_parts_grow_and_lose_nothing() -> None:
    spans = [(n, n) for n in range(0, 40, 2)]
    parts = list(ipam_space.growing(spans, 8))
    assert [len(p) for p in parts] == [1, 2, 4, 8, 5]
    assert [s for p in parts for s in p] == spans


@pytest.mark.parametrize(
    ("pct", "shown"),
    [(0, "░" * 10), (0.1, "▌" + "░" * 9), (50, "█" * 5 + "░" * 5), (100, "█" * 10), (96, "█" * 9 + "▌")],
)
def test_a_bar_is_ten_cells(pct: float, shown: str) -> None:
    assert ipam_text.bar(pct) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (254, "254"),
        (2**24 - 2, "16777214"),
        (2**64 - 1, "2^64"),
        (2**96, "2^96"),
        (3 * 2**70, "3.54e+21"),
    ],
)
def test_amounts_stay_readable(number: int, shown: str) -> None:
    assert ipam_text.amount(number) == shown


def test_an_unusable_share_is_no_division() -> None:
    assert Use(0, 0).pct == 0.0
