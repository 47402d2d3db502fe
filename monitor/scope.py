"""Which addresses a sweep may touch: what was asked, never anything else, and nothing that is denied. Pure.

Network and broadcast addresses of a prefix are nobody's, nor is the first of an IPv6 prefix (RFC 4291, 2.6.1);
what is named singly or as a range is meant as it stands. An IPv4 address in IPv6 dress (::ffff:10.3.1.7) is the IPv4
address that the kernel would send to, so that no other spelling gets round what is denied.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest

from siaga.errors import UsageError
from siaga.text import safe

V6_SHORTEST = 112  # a /112 is as many addresses as an IPv4 /16
_SITE_BITS = 8  # a site is mostly one /24: its neighbours in the order are of other sites
_SITE_ORDER_UP_TO = 1 << 20
Point = tuple[int, int]  # family, address as a number
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LINK_LOCAL = "is link-local, one on each interface: name the host by another address."


@dataclass(frozen=True)
class Span:
    """From `first` to `last`, both included, of one family; `text` is how it was asked."""

    text: str
    family: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many addresses it holds."""
        return self.last - self.first + 1

    def __contains__(self, point: Point) -> bool:
        return point[0] == self.family and self.first <= point[1] <= self.last


@lru_cache(maxsize=1 << 17)
def point(address: str) -> Point:
    """Return an address as family and number; raises ValueError for what is none."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            raise ValueError("zone")
        found = found.ipv4_mapped or found
    return found.version, int(found)


def text(where: Point) -> str:
    """Return the address that a point is."""
    family, number = where
    return str(ipaddress.IPv4Address(number) if family == 4 else ipaddress.IPv6Address(number))


def read(asked: str) -> Span:
    """Read PREFIX, FIRST-LAST or ADDRESS as the hosts that are to be asked; raises UsageError (`bad-prefix`)."""
    whole = bound(asked)
    if whole.family == 6 and whole.size > 1 << (128 - V6_SHORTEST):
        sentence = f"'{whole.text}' is too wide to be swept: of IPv6 a /{V6_SHORTEST} is the most."
        raise UsageError("bad-prefix", f"{sentence} Name its hosts, or let --neighbours find them.")
    ends = [ipaddress.ip_address(text((whole.family, n))) for n in (whole.first, whole.last)]
    if any(e.is_multicast or e.is_unspecified or _reserved(e) for e in ends):
        raise UsageError("bad-prefix", f"'{whole.text}' holds addresses that no host has.")
    if any(e.version == 6 and e.is_link_local for e in ends):
        raise UsageError("bad-prefix", f"'{whole.text}' {_LINK_LOCAL}")
    if "/" not in whole.text or whole.size <= 2:
        return whole
    return Span(whole.text, whole.family, whole.first + 1, whole.last - (whole.family == 4))


def bound(asked: str) -> Span:
    """Read PREFIX, FIRST-LAST or ADDRESS as all that lies in it; raises UsageError (`bad-prefix`)."""
    plain = asked.strip()
    try:
        if "/" in plain:
            network = _undressed(ipaddress.ip_network(plain))
            ends = int(network.network_address), int(network.broadcast_address)
            return Span(str(network), network.version, *ends)
        low, dash, high = plain.partition("-")
        first, last = point(low.strip()), point((high if dash else low).strip())
    except ValueError as error:
        raise UsageError("bad-prefix", _sentence(plain, error)) from None
    if first[0] != last[0] or first[1] > last[1]:
        raise UsageError("bad-prefix", f"'{safe(plain, 80)}': the last address must follow the first.")
    return Span(f"{text(first)}-{text(last)}" if dash else text(first), first[0], first[1], last[1])


def _undressed(network: Network) -> Network:
    """Return the IPv4 prefix that an IPv6 one is made of (RFC 4291, 2.5.5.2), else the prefix itself."""
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped is not None:
        return ipaddress.IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


def _reserved(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.version == 4 and (int(address) >> 24 == 0 or int(address) >> 28 == 0xF)


def _sentence(plain: str, error: ValueError) -> str:
    if "%" in plain:
        return f"'{safe(plain, 80)}' {_LINK_LOCAL}"
    if "host bits" in str(error):
        network = ipaddress.ip_network(plain, strict=False)
        return f"'{safe(plain, 80)}' has bits behind its length; the prefix is {network}."
    return f"'{safe(plain, 80)}' is none of PREFIX/LENGTH, FIRST-LAST, ADDRESS."


@dataclass(frozen=True)
class Scope:
    """What was asked, what of it is denied, and the only spans allowed ('' of these: no such bound).

    `within`: where neighbours may be followed to, beside what was asked.
    """

    asked: tuple[Span, ...] = ()
    denied: tuple[Span, ...] = ()
    allowed: tuple[Span, ...] = ()
    within: tuple[Span, ...] = ()

    def holds(self, address: str) -> bool:
        """Tell whether an address may be asked: it lies in what was asked or within, and is not kept out."""
        where = point(address)
        return any(where in s for s in (*self.asked, *self.within)) and not self.keeps_out(where)

    def keeps_out(self, where: Point) -> bool:
        """Tell whether an address is denied, or outside of what is allowed at all."""
        if any(where in s for s in self.denied):
            return True
        return bool(self.allowed) and not any(where in s for s in self.allowed)

    def label(self, address: str) -> str:
        """Return what was asked that an address belongs to: the first that holds it; '' for a neighbour."""
        where = point(address)
        return next((s.text for s in self.asked if where in s), "")

    def pieces(self) -> list[tuple[Span, list[tuple[int, int]]]]:
        """Return each span asked with the parts (first, last) of it that are to be asked, none of them twice."""
        found = []
        taken = list(self.denied)
        for span in self.asked:
            parts = minus((span.first, span.last), [s for s in taken if s.family == span.family])
            if self.allowed:
                bounds = [s for s in self.allowed if s.family == span.family]
                parts = [p for part in parts for p in common(part, bounds)]
            found.append((span, parts))
            taken.append(span)
        return found

    def __len__(self) -> int:
        """How many addresses are to be asked."""
        return sum(last - first + 1 for _, parts in self.pieces() for first, last in parts)

    def addresses(self) -> Iterator[str]:
        """Yield every address to be asked once, so that one site's come apart from each other."""
        points = [(s.family, first, last) for s, parts in self.pieces() for first, last in parts]
        if len(self) > _SITE_ORDER_UP_TO:
            spread: Iterable[Point] = ((f, n) for f, a, z in points for n in range(a, z + 1))
        else:
            spread = interleaved(points)
        return map(text, spread)


def minus(part: tuple[int, int], taken: Sequence[Span]) -> list[tuple[int, int]]:
    """Return what is left of a part (first, last) without the spans."""
    left, first = [], part[0]
    for span in sorted(taken, key=lambda s: s.first):
        if span.last < first or span.first > part[1]:
            continue
        if span.first > first:
            left.append((first, span.first - 1))
        first = span.last + 1
    return [*left, (first, part[1])] if first <= part[1] else left


def common(part: tuple[int, int], bounds: Sequence[Span]) -> list[tuple[int, int]]:
    """Return what of a part (first, last) lies in the spans, each number once."""
    outside = minus(part, bounds)
    return minus(part, [Span("", 0, a, z) for a, z in outside])


def interleaved(points: Iterable[tuple[int, int, int]]) -> Iterator[Point]:
    """Yield the addresses of (family, first, last) row by row over the sites, the first of each, then the second …"""
    sites: dict[Point, list[Point]] = {}
    for family, first, last in points:
        for number in range(first, last + 1):
            sites.setdefault((family, number >> _SITE_BITS), []).append((family, number))
    return (p for p in chain.from_iterable(zip_longest(*sites.values())) if p is not None)
