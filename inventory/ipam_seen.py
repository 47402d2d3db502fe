"""What is recorded against what is seen: addresses in use that nobody recorded, and recorded ones that nobody uses.

A sighting knows no VRF: it is looked for in the global table first, then in the VRFs.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlmodel import Session

from inventory import addressing, ipam, ipam_space
from inventory.addressing import Span
from inventory.ipam_overlap import table
from inventory.ipam_space import Block, Interval
from inventory.models import Agency, Device, Interface, Observed
from inventory.models_ipam import Address, IpRange, Node

Point = tuple[int, int]  # family, address as a number


def point(text: str) -> Point:
    """Return an address as family and number."""
    found = ipaddress.ip_address(text)
    return found.version, int(found)


class Places:
    """The recorded prefixes, to find around each of many addresses the smallest one."""

    def __init__(self, session: Session) -> None:
        self._tables: defaultdict[tuple[int | None, int], list[Block]] = defaultdict(list)
        for block in ipam.blocks(session):
            self._tables[block.vrf_id, block.family].append(block)

    def of(self, vrf_id: int | None, points: Iterable[Point]) -> dict[Point, Block]:
        """Return point → the smallest prefix around it in one table, for those that have one."""
        found: dict[Point, Block] = {}
        for family in (4, 6):
            numbers = sorted({n for f, n in points if f == family})
            around = ipam_space.innermost(self._tables[vrf_id, family], numbers)
            found |= {(family, n): b for n, b in zip(numbers, around, strict=True) if b is not None}
        return found

    def anywhere(self, points: Iterable[Point]) -> dict[Point, Block]:
        """Return point → the smallest prefix around it, in the global table or else in the first VRF that has one."""
        left = set(points)
        found: dict[Point, Block] = {}
        for vrf_id in sorted({v for v, _ in self._tables}, key=lambda v: v or 0):
            found |= self.of(vrf_id, left)
            left -= found.keys()
        return found


def not_recorded(session: Session, *, since: datetime, within: Span | None = None) -> list[dict[str, Any]]:
    """Return the addresses seen since then that no row holds, newest MAC of each, in order.

    `dhcp` tells that it lies in a DHCP range, where nobody records single addresses. An address at which a
    device is managed counts as recorded.
    """
    rows: dict[Point, dict[str, Any]] = {}
    in_vrf = _texts_in_vrfs(session)
    for found in session.execute(_unrecorded(since, _looks(within))).mappings():
        where = point(found["address"])
        if found["address"] in in_vrf or not _inside(where, within):
            continue
        row = rows.setdefault(where, {**found, "macs": 0})
        row["macs"] += 1
    places, leases = Places(session).anywhere(rows), _leases(session)
    return [
        {**row, "prefix": places[at].name if at in places else None, "dhcp": _leased(leases, at)}
        for at, row in sorted(rows.items())
    ]


def _looks(within: Span | None) -> str:
    """Return the pattern of SQL that addresses in a prefix look like: what of their text can be known at once."""
    if within is None:
        return "%"
    if within.family == 6:
        return "%:%"
    whole = within.text.partition("/")[0].split(".")[: within.length // 8]
    return ".".join(whole) if within.length == 32 else ".".join([*whole, "%"])


def _unrecorded(since: datetime, looks: str) -> Any:
    """Return the query of nodes whose address has no row in the global table and no device, newest first."""
    n, d, seer = table(Node).c, table(Device).c, table(Device).alias("seer")
    recorded = exists().where(table(Address).c.name == n.address)
    managed = exists().where(d.address == n.address)
    return (
        select(n.address, n.mac, seer.c.name.label("device"), n.port, n.source, n.first_seen, n.last_seen)
        .join(seer, seer.c.id == n.device_id, isouter=True)
        .where(n.address != "", n.address.like(looks), n.last_seen >= since, ~recorded, ~managed)
        .order_by(n.last_seen.desc(), n.id.desc())
    )


def _texts_in_vrfs(session: Session) -> set[str]:
    c = table(Address).c
    names = session.execute(select(c.name).where(c.vrf_id.is_not(None))).scalars()
    return {name.partition(" ")[0] for name in names}


def _inside(where: Point, within: Span | None) -> bool:
    if within is None:
        return True
    return where[0] == within.family and int(within.first, 16) <= where[1] <= int(within.last, 16)


def _leases(session: Session) -> Mapping[int, Sequence[Interval]]:
    """Return family → what DHCP ranges cover, in any table."""
    c = table(IpRange).c
    found: dict[int, list[Interval]] = {4: [], 6: []}
    for family, first, last in session.execute(select(c.family, c.first, c.last).where(c.status == "dhcp")):
        found[family].append((int(first, 16), int(last, 16)))
    return {family: ipam_space.merged(spans) for family, spans in found.items()}


def _leased(leases: Mapping[int, Sequence[Interval]], at: Point) -> bool:
    near = ipam_space.touching(leases[at[0]], (at[1], at[1]))
    return any(low <= at[1] <= high for low, high in near)


def not_seen(session: Session, *, since: datetime) -> list[dict[str, Any]]:
    """Return the active addresses that were not seen since then, in order.

    An address was seen when it stood in a neighbour table, or when the device managed at it answered. `watched`
    tells that others of its prefix were seen: where nobody looks, not to be seen means nothing.
    """
    answered = _answered(session, since)
    missing = [r for r in session.execute(_unseen(since)).mappings() if r["name"] not in answered]
    missing.sort(key=lambda r: (r["vrf_id"] or 0, r["family"], r["first"]))
    places = Places(session)
    watched = _watched(session, places, since, answered)
    by_table: defaultdict[int | None, set[Point]] = defaultdict(set)
    for row in missing:
        by_table[row["vrf_id"]].add((row["family"], int(row["first"], 16)))
    around = {vrf_id: places.of(vrf_id, points) for vrf_id, points in by_table.items()}
    return list(_missing(missing, around, watched))


def _missing(
    rows: Iterable[Any], around: Mapping[int | None, Mapping[Point, Block]], watched: set[int]
) -> Iterator[dict[str, Any]]:
    for row in rows:
        block = around[row["vrf_id"]].get((row["family"], int(row["first"], 16)))
        told = ("name", "device", "agency", "dns_name", "seen_at", "seen_mac")
        yield {
            **{key: row[key] for key in told},
            "prefix": block.name if block else None,
            "watched": block is not None and block.id in watched,
        }


def _unseen(since: datetime) -> Any:
    c, port, agency = table(Address).c, table(Interface), table(Agency)
    direct, behind = table(Device).alias("direct"), table(Device).alias("behind")
    return (
        select(c.name, c.vrf_id, c.family, c.first, c.dns_name, c.seen_at, c.seen_mac)
        .add_columns(
            func.coalesce(direct.c.name, behind.c.name).label("device"), agency.c.name.label("agency")
        )
        .join(direct, direct.c.id == c.device_id, isouter=True)
        .join(port, port.c.id == c.interface_id, isouter=True)
        .join(behind, behind.c.id == port.c.device_id, isouter=True)
        .join(agency, agency.c.id == c.agency_id, isouter=True)
        .where(c.status == "active", or_(c.seen_at.is_(None), c.seen_at < since))
    )


def _answered(session: Session, since: datetime) -> set[str]:
    """Return the management addresses of devices that said something since then."""
    d, o = table(Device).c, table(Observed).c
    said = exists().where(o.device_id == d.id, o.at >= since)
    texts = session.execute(select(d.address).where(d.address != "", said)).scalars()
    return {addressing.address(text).text for text in texts}


def _watched(session: Session, places: Places, since: datetime, answered: Iterable[str]) -> set[int]:
    """Return the ids of the prefixes in which something was seen since then."""
    n = table(Node).c
    nodes = session.execute(
        select(n.address).where(n.address != "", n.last_seen >= since).distinct()
    ).scalars()
    found = {block.id for block in places.anywhere(map(point, {*nodes, *answered})).values()}
    c = table(Address).c
    query = select(c.vrf_id, c.family, c.first).where(c.vrf_id.is_not(None), c.seen_at >= since)
    in_vrfs: defaultdict[int, set[Point]] = defaultdict(set)
    for vrf_id, family, first in session.execute(query):
        in_vrfs[vrf_id].add((family, int(first, 16)))
    for vrf_id, points in in_vrfs.items():
        found |= {block.id for block in places.of(vrf_id, points).values()}
    return found
