"""Remembers which address was seen at which MAC: rows without history, written in sets.

Sightings come from ARP and neighbour tables (monitor/arp.py) and from files; see ipam_seen.py for what they tell.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update
from sqlmodel import Session

from inventory import addressing
from inventory.imports.sheets import Sheet
from inventory.ipam_overlap import table
from inventory.models_ipam import Address, Node
from inventory.nouns import noun
from inventory.store import in_parts, labels
from inventory.values import BadValueError, read
from siaga.errors import InvalidError
from siaga.text import safe

COLUMNS = ("address", "mac", "device", "port")
_AT_ONCE = 500
_WHOLE_AFTER = 5_000  # from here on a table read whole costs less than asking for its rows by name
_TOLD = 100


@dataclass(frozen=True, slots=True)
class Spotted:
    """An address in use: `mac` is '' where only the address was seen, `device_id` and `port` say who saw it where.

    `address` and `mac` are canonical (see addressing.address; 00:11:22:33:44:55).
    """

    address: str
    mac: str = ""
    device_id: int | None = None
    port: str = ""
    source: str = "arp"

    @property
    def name(self) -> str:
        """The name of its row."""
        return f"{self.address}/{self.mac}"


@dataclass(frozen=True)
class Remembered:
    """What sightings brought: nodes never seen before, those seen again, and recorded addresses among them."""

    new: int = 0
    known: int = 0
    recorded: int = 0


def ordinary(address: str) -> bool:
    """Return whether an address can be one host's and means the same elsewhere: not link-local, loopback, multicast."""
    found = ipaddress.ip_address(address)
    low = isinstance(found, ipaddress.IPv4Address) and (int(found) >> 24 == 0 or int(found) >= 0xF000_0000)
    return not (low or found.is_link_local or found.is_loopback or found.is_multicast or found.is_unspecified)


def remember(session: Session, sightings: Iterable[Spotted], *, at: datetime) -> Remembered:
    """Keep what was seen at one time; the session is a writing one. What was seen twice is kept once.

    An address that moves to another MAC is a new node, so that where it was before stays known. A recorded
    address learns when and at which MAC it was seen; one that is recorded in several VRFs, but not in the global
    table, learns nothing, because nobody knows which one was seen.
    """
    nodes = {s.name: s for s in sightings}
    known = _known(session, nodes)
    _insert(session, [s for name, s in nodes.items() if name not in known], at)
    _update(session, {known[name]: s for name, s in nodes.items() if name in known}, at)
    recorded = _recorded(session, {s.address: s for s in nodes.values()})
    _mark(session, recorded, at)
    return Remembered(len(nodes) - len(known), len(known), len(recorded))


def _known(session: Session, nodes: Mapping[str, Spotted]) -> dict[str, int]:
    """Return name → id of the nodes that were seen before."""
    c = table(Node).c
    query = select(c.name, c.id)
    found = {
        name: row_id for part in _parts(query, c.name, list(nodes)) for name, row_id in session.execute(part)
    }
    return {name: i for name, i in found.items() if name in nodes}


def _parts(query: Any, column: Any, values: Sequence[str]) -> Iterator[Any]:
    """Yield the query for some values in parts, or once for all rows if the values are very many."""
    if len(values) > _WHOLE_AFTER:
        yield query
        return
    for some in in_parts(values, _AT_ONCE):
        yield query.where(column.in_(some))


def _insert(session: Session, new: Sequence[Spotted], at: datetime) -> None:
    if new:
        blank = {"notes": "", "custom": None, "revision": 0, "first_seen": at, "last_seen": at}
        blank |= {"switch_port": "", "vlan": "", "uplink": False}
        rows = [{**blank, "name": s.name, "address": s.address, "mac": s.mac, **_where(s)} for s in new]
        session.execute(insert(table(Node)), rows)


def _where(spotted: Spotted) -> dict[str, Any]:
    return {"device_id": spotted.device_id, "port": safe(spotted.port, 120), "source": spotted.source}


def _update(session: Session, seen: Mapping[int, Spotted], at: datetime) -> None:
    """Write where nodes were seen last; a sighting older than the last one changes nothing."""
    c = table(Node).c
    if seen:
        statement = update(table(Node)).where(c.id == bindparam("node_id"), c.last_seen <= at)
        rows = [{"node_id": i, "last_seen": at, **_where(s)} for i, s in seen.items()]
        session.connection().execute(statement, rows)


def _recorded(session: Session, seen: Mapping[str, Spotted]) -> dict[int, Spotted]:
    """Return id of the address's row → what was seen of it."""
    c = table(Address).c
    query = select(c.id, c.vrf_id, c.name)
    # Where the table is read whole their number is all that matters.
    firsts = list(seen) if len(seen) > _WHOLE_AFTER else [addressing.address(t).first for t in seen]
    found: dict[str, dict[int | None, int]] = {}
    for part in _parts(query, c.first, firsts):
        for row_id, vrf_id, name in session.execute(part):
            text = name.partition(" ")[0]
            if text in seen:
                found.setdefault(text, {})[vrf_id] = row_id
    return {
        rows[None] if None in rows else next(iter(rows.values())): seen[text]
        for text, rows in found.items()
        if None in rows or len(rows) == 1
    }


def _mark(session: Session, recorded: Mapping[int, Spotted], at: datetime) -> None:
    c = table(Address).c
    if recorded:
        older = or_(c.seen_at.is_(None), c.seen_at <= at)
        statement = update(table(Address)).where(c.id == bindparam("row_id"), older)
        rows = [{"row_id": i, "seen_at": at, "seen_mac": s.mac} for i, s in recorded.items()]
        session.connection().execute(statement, rows)


def told(kept: Remembered) -> str:
    """Return in one sentence what sightings brought."""
    number = kept.new + kept.known
    recorded = f"{kept.recorded} {'is' if kept.recorded == 1 else 'are'} recorded"
    return (
        f"Saw {number} address{'' if number == 1 else 'es'}: {kept.new} new, {kept.known} known; {recorded}."
    )


def from_sheet(session: Session, sheet: Sheet) -> list[Spotted]:
    """Return the sightings in a table with the columns address, mac, device, port; only address must be there.

    Raises InvalidError (`bad-rows`) with every problem and its line.
    """
    header = [str(h or "").strip().lower() for h in sheet.header]
    unknown = [h for h in header if h and h not in COLUMNS]
    if unknown or "address" not in header:
        what = f"has a column '{safe(unknown[0], 40)}'" if unknown else "has no column 'address'"
        raise InvalidError("bad-rows", f"{sheet.source} {what}: the columns are {', '.join(COLUMNS)}.")
    ids = {name: i for i, name in labels(session, "device").items()}
    found: list[Spotted] = []
    problems: list[str] = []
    for line, cells in sheet.rows:
        row = {h: str(c if c is not None else "").strip() for h, c in zip(header, cells, strict=False) if h}
        try:
            found.append(_spotted(row, ids))
        except ValueError as error:
            problems.append(f"{sheet.source}, line {line}: {error}")
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise InvalidError("bad-rows", f"{sheet.source}: {count} found; nothing was kept.", problems[:_TOLD])
    return [s for s in found if ordinary(s.address)]


def _spotted(row: Mapping[str, str], ids: Mapping[str, int]) -> Spotted:
    """Return one row as a sighting; raises ValueError with a phrase."""
    try:
        address = addressing.address(row["address"])
    except ValueError as error:
        raise ValueError(f"address {safe(error, 120)}") from None
    try:
        mac = str(read(noun("node").attributes["mac"], row.get("mac", "")) or "")
    except BadValueError as error:
        raise ValueError(f"mac {safe(error, 120)}") from None
    device = row.get("device", "")
    if device and device not in ids:
        raise ValueError(f"device refers to nothing: there is no device called '{safe(device, 60)}'")
    return Spotted(address.text, mac, ids.get(device), row.get("port", ""), "import")
