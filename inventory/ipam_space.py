"""Spans of addresses and prefixes as numbers: gaps, alignment, nesting, utilisation. Pure, and no iterating over them.

An interval is (first, last), both included. Whatever may be long (the addresses of a /8) comes and goes as an
iterator, so that the first free one is found without reading the rest.
"""

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from inventory.addressing import Network

Interval = tuple[int, int]
BITS = {4: 32, 6: 128}


@dataclass(frozen=True, slots=True)
class Block:
    """A recorded prefix, as far as its place among the others and its use go."""

    id: int
    name: str
    vrf_id: int | None
    family: int
    first: int
    last: int
    length: int
    status: str = "active"
    pool: bool = False

    @property
    def span(self) -> Interval:
        """All its addresses."""
        return self.first, self.last

    @property
    def cidr(self) -> str:
        """The prefix without its VRF."""
        return self.name.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a prefix is given away, in addresses: `free` is what is still to be had."""

    usable: int
    used: int

    @property
    def free(self) -> int:
        """Addresses still to be had."""
        return self.usable - self.used

    @property
    def pct(self) -> float:
        """The share given away, in percent with one decimal."""
        return round(100 * self.used / self.usable, 1) if self.usable else 0.0


def size(interval: Interval) -> int:
    """Return how many addresses an interval has."""
    return interval[1] - interval[0] + 1


def usable(block: Block) -> Interval:
    """Return the addresses of a prefix that an interface may be given.

    IPv4 keeps its network and broadcast address back (RFC 1122, 3.2.1.3), but not in a /31 (RFC 3021) or /32;
    IPv6 the subnet-router anycast address (RFC 4291, 2.6.1), but not in a /127 (RFC 6164) or /128. Of a pool
    every address is usable, and a container is only divided.
    """
    whole = block.pool or block.status == "container" or block.last - block.first <= 1
    if whole:
        return block.span
    return block.first + 1, block.last - (block.family == 4)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union of intervals, in order, where neighbours are one."""
    found: list[Interval] = []
    for low, high in sorted(intervals):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return found


def clipped(intervals: Iterable[Interval], span: Interval) -> Iterator[Interval]:
    """Yield what of the intervals lies within `span`."""
    for low, high in intervals:
        if low <= span[1] and high >= span[0]:
            yield max(low, span[0]), min(high, span[1])


def touching(intervals: Sequence[Interval], span: Interval) -> Sequence[Interval]:
    """Return those of some merged intervals that may touch `span`, found without looking at the others."""
    start = bisect_left(intervals, (span[0],))
    return intervals[max(0, start - 1) : bisect_left(intervals, (span[1] + 1,))]


def gaps(span: Interval, taken: Iterable[Interval]) -> Iterator[Interval]:
    """Yield what of `span` no interval of `taken` covers; they come in order of their first address."""
    low, end = span
    for first, last in taken:
        if first > end:
            break
        if first > low:
            yield low, first - 1
        low = max(low, last + 1)
    if low <= end:
        yield low, end


def growing(intervals: Iterable[Interval], most: int) -> Iterator[list[Interval]]:
    """Yield the intervals in parts of 1, 2, 4 … `most`: the first is often enough, and many are few parts."""
    at_once = 1
    some: list[Interval] = []
    for interval in intervals:
        some.append(interval)
        if len(some) >= at_once:
            yield some
            some, at_once = [], min(2 * at_once, most)
    if some:
        yield some


def cut(free: Iterable[Interval], points: Iterable[int]) -> Iterator[Interval]:
    """Yield what the points, in order, leave of the free intervals, in order; neither is read further than asked."""
    coming = iter(points)
    point = next(coming, None)
    for first, high in free:
        low = first
        while point is not None and point <= high:
            if point > low:
                yield low, point - 1
            low = max(low, point + 1)
            point = next(coming, None)
        if low <= high:
            yield low, high


def starts(free: Iterable[Interval], step: int) -> Iterator[int]:
    """Yield where a block of `step` addresses (a power of two), aligned to its size, fits into the free intervals."""
    for low, high in free:
        at = -(-low // step) * step
        while at + step - 1 <= high:
            yield at
            at += step


def singles(free: Iterable[Interval]) -> Iterator[int]:
    """Yield every free address, one by one."""
    for low, high in free:
        yield from range(low, high + 1)


def fits(interval: Interval, step: int) -> bool:
    """Return whether an aligned block of `step` addresses lies within the interval."""
    return -(-interval[0] // step) * step + step - 1 <= interval[1]


def network(first: int, length: int, family: int) -> Network:
    """Return the prefix that begins at `first`."""
    return ipaddress.IPv4Network((first, length)) if family == 4 else ipaddress.IPv6Network((first, length))


def networks(interval: Interval, family: int) -> Iterator[Network]:
    """Yield the fewest prefixes that make up an interval, in order."""
    low, high = interval
    while low <= high:
        # The block is bounded by what `low` is aligned to, and by what is left.
        aligned = low & -low if low else 1 << BITS[family]
        step = min(aligned, 1 << (high - low + 1).bit_length() - 1)
        yield network(low, BITS[family] - step.bit_length() + 1, family)
        low += step


def nested(blocks: Sequence[Block]) -> list[tuple[Block, int]]:
    """Return (prefix, index of the one it lies in, or -1) in tree order: by VRF, family, first, widest before.

    The smallest of the prefixes around one is its parent. Those of the global table come first.
    """
    ordered = sorted(blocks, key=lambda b: (b.vrf_id or 0, b.family, b.first, b.length))
    found: list[tuple[Block, int]] = []
    above: list[int] = []
    for index, block in enumerate(ordered):
        while above and not holds(ordered[above[-1]], block):
            above.pop()
        found.append((block, above[-1] if above else -1))
        above.append(index)
    return found


def holds(outer: Block, inner: Block) -> bool:
    """Return whether one prefix lies within another of the same table."""
    alike = outer.vrf_id == inner.vrf_id and outer.family == inner.family
    return alike and outer.first <= inner.first and inner.last <= outer.last


def innermost(blocks: Sequence[Block], points: Iterable[int]) -> Iterator[Block | None]:
    """Yield for each of the points, in order, the smallest prefix around it; the blocks are of one table and family."""
    coming = iter(sorted(blocks, key=lambda b: (b.first, b.length)))
    following = next(coming, None)
    around: list[Block] = []
    for point in points:
        while following is not None and following.first <= point:
            around.append(following)
            following = next(coming, None)
            # Those that have ended leave at once, so that each prefix comes and goes once.
            while around and around[-1].last < point:
                around.pop()
        while around and around[-1].last < point:
            around.pop()
        yield around[-1] if around else None


def use(
    block: Block, children: Iterable[Interval], ranges: Sequence[Interval], addresses: Sequence[int]
) -> Use:
    """Return how much of a prefix is given away; `ranges` (merged) and `addresses` (in order) are its table's.

    A container is used by its children. Of any other prefix children and ranges count whole, because its own
    next address is never one of theirs, and each address outside them counts one.
    """
    span = usable(block)
    if block.status == "container":
        return Use(size(span), sum(map(size, merged(clipped(children, span)))))
    covered = merged(clipped((*children, *touching(ranges, span)), span))
    singly = count(addresses, span) - sum(count(addresses, c) for c in covered)
    return Use(size(span), sum(map(size, covered)) + singly)


def count(points: Sequence[int], interval: Interval) -> int:
    """Return how many of the points, in order, lie within the interval."""
    return bisect_right(points, interval[1]) - bisect_left(points, interval[0])
