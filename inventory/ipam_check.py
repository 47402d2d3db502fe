"""What is wrong with the addresses that are recorded: one Finding for each thing, looked at as a whole."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select
from sqlmodel import Session, SQLModel

from inventory import ipam, ipam_overlap, ipam_space
from inventory.ipam_overlap import table
from inventory.ipam_space import BITS, Block, Interval
from inventory.models import Place
from inventory.models_ipam import Address, IpRange, Node, Prefix, Vlan, VlanGroup


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its kind (stable), the noun and name of the row, and a sentence."""

    kind: str
    noun: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """A recorded address or range, as far as it is judged; of an address `first` and `last` are the same."""

    name: str
    first: int
    last: int
    status: str
    length: int | None = None


def findings(session: Session, *, since: datetime) -> list[Finding]:
    """Return everything that is wrong; of sightings those since then count."""
    blocks: defaultdict[tuple[int | None, int], list[Block]] = defaultdict(list)
    for block in ipam.blocks(session):
        blocks[block.vrf_id, block.family].append(block)
    ranges = _given(session, IpRange)
    found: list[Finding] = []
    for key, given in _given(session, Address).items():
        leases = [(r.first, r.last) for r in ranges[key] if r.status == "dhcp"]
        found += judged(blocks[key], ipam_space.merged(leases), given)
    for key, spans in ranges.items():
        found += strays(blocks[key], spans)
    return [*found, *_twice(session), *_vlans(session), *_foreign_vlans(session), *_two_macs(session, since)]


def _given(session: Session, model: type[SQLModel]) -> defaultdict[tuple[int | None, int], list[Given]]:
    """Return the recorded addresses or ranges of each table, in order; what is deprecated is on its way out."""
    c = table(model).c
    last, length = (c.first, c.length) if model is Address else (c.last, literal(None))
    query = select(c.vrf_id, c.family, c.name, c.first, last, c.status, length).where(
        c.status != "deprecated"
    )
    found: defaultdict[tuple[int | None, int], list[Given]] = defaultdict(list)
    for vrf_id, family, name, low, high, status, bits in session.execute(query.order_by(c.first)):
        found[vrf_id, family].append(Given(name, int(low, 16), int(high, 16), status, bits))
    return found


def judged(blocks: Sequence[Block], leases: Sequence[Interval], given: Sequence[Given]) -> Iterator[Finding]:
    """Yield what is wrong with the addresses of one table, in order; `leases` (merged) are its DHCP ranges."""
    around = ipam_space.innermost(blocks, (g.first for g in given))
    for address, block in zip(given, around, strict=True):
        for kind, text in _wrong(address, block):
            yield Finding(kind, "address", address.name, text)
        near = ipam_space.touching(leases, (address.first, address.first))
        if address.status == "active" and any(low <= address.first <= high for low, high in near):
            text = f"{address.name} is given away, and lies in a DHCP range that may lease it again."
            yield Finding("in-dhcp-range", "address", address.name, text)


def _wrong(address: Given, block: Block | None) -> Iterator[tuple[str, str]]:
    if block is None:
        yield "outside", f"{address.name} lies in no recorded prefix."
        return
    if block.status == "container":
        yield (
            "in-container",
            f"{address.name} lies in the container {block.name}, but in none of its prefixes.",
        )
        return
    low, high = ipam_space.usable(block)
    if address.status != "reserved" and not low <= address.first <= high:
        kept = (
            "broadcast"
            if address.first > high
            else "network"
            if block.family == 4
            else "subnet-router anycast"
        )
        yield "not-usable", f"{address.name} is the {kept} address of {block.name}."
    # A host route (/32, /128) is how loopbacks and point-to-point tunnels are configured.
    if address.length not in (None, block.length, BITS[block.family]):
        yield (
            "wrong-length",
            f"{address.name} is configured as a /{address.length}, and its prefix is {block.name}.",
        )


def strays(blocks: Sequence[Block], ranges: Sequence[Given]) -> Iterator[Finding]:
    """Yield the ranges of one table, in order, that do not lie within one prefix."""
    around = ipam_space.innermost(blocks, (r.first for r in ranges))
    for span, block in zip(ranges, around, strict=True):
        if block is None:
            yield Finding("outside", "ip_range", span.name, f"{span.name} begins in no recorded prefix.")
        elif span.last > block.last:
            yield Finding("outside", "ip_range", span.name, f"{span.name} reaches beyond {block.name}.")


def _twice(session: Session) -> Iterator[Finding]:
    """Yield what is given twice, for what was written before it was refused, or while a VRF allowed it."""
    for one, other in ipam_overlap.overlapping_ranges(session):
        yield Finding("overlap", "ip_range", one.name, _sentence(ipam_overlap.overlap(one, other)))
    for row in ipam_overlap.strangers(session):
        yield Finding("two-devices", "address", row.address, _sentence(ipam_overlap.stranger(row)))
    for row in ipam_overlap.contested(session):
        yield Finding("two-devices", "address", row.address, _sentence(ipam_overlap.contest(row)))


def _sentence(phrase: str) -> str:
    return f"{phrase[0].upper()}{phrase[1:]}."


def _vlans(session: Session) -> Iterator[Finding]:
    """Yield VLAN ids that are used twice in a group, or lie outside its bounds."""
    c, group = table(Vlan).c, table(VlanGroup).c
    query = select(c.name, c.vid, group.name.label("of"), group.first_vid, group.last_vid)
    query = query.join(table(VlanGroup), group.id == c.vlan_group_id).order_by(group.name, c.vid, c.name)
    first: dict[tuple[str, int], str] = {}
    for row in session.execute(query):
        other = first.setdefault((row.of, row.vid), row.name)
        if other != row.name:
            yield Finding(
                "vlan-twice", "vlan", row.name, f"{row.name} and {other} are both VLAN {row.vid} of {row.of}."
            )
        if not row.first_vid <= row.vid <= row.last_vid:
            bounds = f"{row.first_vid} to {row.last_vid}"
            yield Finding(
                "vlan-outside", "vlan", row.name, f"{row.name} is VLAN {row.vid}; {row.of} has {bounds}."
            )


def _foreign_vlans(session: Session) -> Iterator[Finding]:
    """Yield prefixes whose VLAN is another site's: neither place lies within the other."""
    c, v, group, p = table(Prefix).c, table(Vlan), table(VlanGroup), table(Place).c
    there = func.coalesce(v.c.place_id, group.c.place_id)
    query = select(c.name, c.place_id, v.c.name.label("vlan"), there.label("there"))
    query = query.join(v, v.c.id == c.vlan_id).join(group, group.c.id == v.c.vlan_group_id, isouter=True)
    rows = session.execute(query.where(c.place_id.is_not(None), there.is_not(None)).order_by(c.first)).all()
    if not rows:
        return
    places = {i: (name, parent) for i, name, parent in session.execute(select(p.id, p.name, p.parent_id))}
    for row in rows:
        if row.there not in _above(places, row.place_id) and row.place_id not in _above(places, row.there):
            here, other = places[row.place_id][0], places[row.there][0]
            text = f"{row.name} is at {here}, and its VLAN {row.vlan} is {other}'s."
            yield Finding("vlan-elsewhere", "prefix", row.name, text)


def _above(places: Mapping[int, tuple[str, int | None]], start: int) -> set[int]:
    """Return a place and all those it lies in; a circle ends."""
    seen: set[int] = set()
    at: int | None = start
    while at is not None and at not in seen:
        seen.add(at)
        at = places[at][1] if at in places else None
    return seen


def _two_macs(session: Session, since: datetime) -> Iterator[Finding]:
    """Yield addresses given away that were lately seen at several MACs: two hosts have it, or it has moved."""
    c, n = table(Address).c, table(Node).c
    macs = func.count(n.mac.distinct())
    query = select(c.name, macs.label("macs")).join(table(Node), n.address == c.name)
    query = query.where(c.status == "active", n.mac != "", n.last_seen >= since).group_by(c.name)
    for name, number in session.execute(query.having(macs > 1).order_by(c.name)):
        text = f"{name} was seen at {number} MACs: two hosts have it, or it has moved."
        yield Finding("two-macs", "address", name, text)
