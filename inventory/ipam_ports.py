"""Remembers at which port of which switch a MAC hangs: one place for each MAC, the closest that anybody saw.

A MAC is learned by every switch on the way to it. Ports that lead to other switches (uplinks) are told by what the
inventory and the switches say: a recorded link to a device that passes traffic on, an LLDP neighbour that is a bridge,
or another bridge's own MAC behind the port. Of the ports left the one with the fewest MACs is the closest. A MAC that
was seen at uplinks only is kept as hanging behind the closest of them, unless its port is known from a switch
that was not asked this time.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session

from inventory import traits
from inventory.ipam_overlap import table
from inventory.models import Device, Interface, Link, Observed
from inventory.models_ipam import Node
from inventory.store import in_parts
from siaga.text import safe

SOURCE = "fdb"
FRESH = timedelta(days=1)  # an address seen at a MAC so lately hangs where the MAC hangs
_PASSING_ON = ("core-router", "router", "firewall", "switch", "radio", "olt")
_BRIDGING = ("switch", "radio", "olt")
_PORT = 80  # characters: name and key of a row are made of it

Key = tuple[str, int, str]  # MAC, device id, port


@dataclass(frozen=True, slots=True)
class Learned:
    """A MAC that a switch learned at a port; `vlan` lists the VLANs, `uplink`: the port leads to another bridge."""

    mac: str
    device_id: int
    port: str
    vlan: str = ""
    uplink: bool = False


@dataclass(frozen=True)
class Placed:
    """What a round of switches brought: MACs with a port, those never seen before, and those at another port."""

    macs: int = 0
    new: int = 0
    moved: int = 0


def keep(
    session: Session, learned: Iterable[Learned], own: Mapping[int, Collection[str]], *, at: datetime
) -> Placed:
    """Keep where MACs hang; `own` are the MACs of each bridge that answered. The session is a writing one."""
    named = [replace(one, port=safe(one.port, _PORT)) for one in learned]
    bridges = {**_bridges(session, {one.mac for one in named}), **own}
    seen = marked(named, bridges, _link_ends(session))
    best = closest(seen)
    before = _known(session, best)
    best |= _unmoved(seen, best, before)
    kept = {mac: one for mac, one in best.items() if not _known_closer(one, before.get(mac, ()), own)}
    moved = sum(bool(before.get(mac)) and _last(before[mac])[1:] != _at(one) for mac, one in kept.items())
    _write(session, kept.values(), before, at)
    _addresses(session, best, at)
    return Placed(len(kept), sum(mac not in before for mac in kept), moved)


def told(placed: Placed) -> str:
    """Return in one sentence what the switches told."""
    return (
        f"Found the port of {placed.macs} MAC{'' if placed.macs == 1 else 's'}:"
        f" {placed.new} new, {placed.moved} moved."
    )


# --- which port it hangs at ------------------------------------------------------------------------------------


def marked(
    seen: Sequence[Learned], own: Mapping[int, Collection[str]], ends: Collection[tuple[int, str]]
) -> list[Learned]:
    """Return the sightings with every port marked that leads to another bridge."""
    bridge = {mac: device_id for device_id, macs in own.items() for mac in macs}
    onward = {_at(one) for one in seen if one.uplink or bridge.get(one.mac, one.device_id) != one.device_id}
    return [replace(one, uplink=_at(one) in onward or _at(one) in ends) for one in seen]


def closest(seen: Sequence[Learned]) -> dict[str, Learned]:
    """Return MAC → the sighting at the port that it hangs at: no uplink if there is any, then the fewest MACs."""
    crowd = Counter(_at(one) for one in seen)
    best: dict[str, Learned] = {}
    for one in sorted(seen, key=lambda s: (s.uplink, crowd[_at(s)], s.device_id, s.port)):
        best.setdefault(one.mac, one)
    return best


def _at(one: Learned) -> tuple[int, str]:
    return one.device_id, one.port


def _known_closer(one: Learned, before: Sequence[Any], own: Mapping[int, Collection[str]]) -> bool:
    """Tell whether a MAC seen behind an uplink was last seen at a port of a switch that was not asked now."""
    if not one.uplink or not before:
        return False
    last = _newest(before)
    return not last.uplink and last.device_id not in own


def _unmoved(
    seen: Sequence[Learned], best: Mapping[str, Learned], before: Mapping[str, Sequence[Any]]
) -> dict[str, Learned]:
    """Return the MACs seen at uplinks only that are still seen where they were: counts there go up and down."""
    there = {(one.mac, *_at(one)): one for one in seen}
    last = {mac: _last(before[mac]) for mac, one in best.items() if one.uplink and mac in before}
    return {mac: there[key] for mac, key in last.items() if key in there}


def _newest(rows: Sequence[Any]) -> Any:
    return max(rows, key=lambda row: (row.last_seen, row.id))


def _last(rows: Sequence[Any]) -> Key:
    row = _newest(rows)
    return row.mac, row.device_id, row.port


# --- rows --------------------------------------------------------------------------------------------------------


def _link_ends(session: Session) -> set[tuple[int, str]]:
    """Return (device id, port) of recorded links whose other end passes traffic on, or is a provider's."""
    link = table(Link).c
    return {
        (device_id, name)
        for own, other in (
            (link.a_interface_id, link.z_interface_id),
            (link.z_interface_id, link.a_interface_id),
        )
        for device_id, port, bundle, role, status in session.execute(_ends(own, other))
        if role is None or (role in _PASSING_ON and status == "active")
        for name in (port, bundle)
        if name
    }


def _ends(own: Any, other: Any) -> Any:
    """Return the query of one end of all links: device, port, what the port is bundled in, and the far device."""
    near, bundle, opposite = (table(Interface).alias(n) for n in ("near", "bundle", "opposite"))
    far = table(Device).alias("far")
    joined = table(Link).join(near, near.c.id == own).outerjoin(bundle, bundle.c.id == near.c.parent_id)
    joined = joined.outerjoin(opposite, opposite.c.id == other)
    joined = joined.outerjoin(far, far.c.id == opposite.c.device_id)
    columns = (near.c.device_id, near.c.name, bundle.c.name.label("bundle"), far.c.role, far.c.status)
    return select(*columns).select_from(joined)


def _bridges(session: Session, macs: Collection[str]) -> dict[int, set[str]]:
    """Return device id → those of these MACs that are its own, of devices that bridge, asked this time or not."""
    d, i, o = table(Device).c, table(Interface).c, table(Observed).c
    is_bridge = d.role.in_(_BRIDGING)
    ports = select(d.id, i.seen_mac).join(table(Interface), i.device_id == d.id).where(is_bridge)
    said = select(d.id, o.value).join(table(Observed), o.device_id == d.id).where(is_bridge)
    said = said.where(o.field == "base_mac")
    found: dict[int, set[str]] = {}
    for some in in_parts(macs):
        plain = [mac.replace(":", "") for mac in some]
        for device_id, mac in (
            *session.execute(ports.where(i.seen_mac.in_([*some, *plain]))),
            *session.execute(said.where(o.value.in_(some))),
        ):
            found.setdefault(device_id, set()).add(traits.colons(mac))
    return found


def _known(session: Session, macs: Collection[str]) -> dict[str, list[Any]]:
    """Return MAC → its rows of switch ports."""
    c = table(Node).c
    query = select(c.id, c.mac, c.device_id, c.port, c.uplink, c.last_seen).where(c.source == SOURCE)
    found: dict[str, list[Any]] = {}
    for some in in_parts(macs):
        for row in session.execute(query.where(c.mac.in_(some))):
            found.setdefault(row.mac, []).append(row)
    return found


def _write(
    session: Session, kept: Iterable[Learned], before: Mapping[str, Sequence[Any]], at: datetime
) -> None:
    ids: dict[Key, int] = {(r.mac, r.device_id, r.port): r.id for rows in before.values() for r in rows}
    new, old = [], []
    for one in kept:
        where = {"switch_id": one.device_id, "switch_port": one.port, "vlan": one.vlan, "uplink": one.uplink}
        row_id = ids.get((one.mac, *_at(one)))
        if row_id is None:
            new.append({**_blank(one, at), **where})
        else:
            old.append({"node_id": row_id, "last_seen": at, **where})
    if new:
        session.execute(insert(table(Node)), new)
    if old:
        c = table(Node).c
        statement = update(table(Node)).where(c.id == bindparam("node_id"), c.last_seen <= at)
        session.connection().execute(statement, old)


def _blank(one: Learned, at: datetime) -> dict[str, Any]:
    return {
        "name": f"{one.mac}/{one.device_id}:{one.port}",
        "mac": one.mac,
        "device_id": one.device_id,
        "port": one.port,
        "address": "",
        "source": SOURCE,
        "first_seen": at,
        "last_seen": at,
        "notes": "",
        "custom": None,
        "revision": 0,
    }


def _addresses(session: Session, macs: Collection[str], at: datetime) -> None:
    """Write at the addresses seen lately where their MAC hangs: those of these MACs, and those seen just now."""
    c = table(Node).c
    query = select(c.id, c.mac).where(c.source != SOURCE, c.mac != "")
    rows = _pairs(session, query.where(c.last_seen >= at))
    for some in in_parts(macs):
        lately = query.where(c.mac.in_(some), c.last_seen >= at - FRESH)
        rows |= _pairs(session, lately)
    places = _places(session, set(rows.values()))
    values = [{"node_id": i, **places[mac]} for i, mac in rows.items() if mac in places]
    if values:
        statement = update(table(Node)).where(c.id == bindparam("node_id"))
        session.connection().execute(statement, values)


def _pairs(session: Session, query: Any) -> dict[int, str]:
    return {row[0]: row[1] for row in session.execute(query)}


def _places(session: Session, macs: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return MAC → the newest port it hangs at, as columns."""
    c = table(Node).c
    columns = (c.switch_id, c.switch_port, c.vlan, c.uplink)
    query = select(c.mac, *columns).where(c.source == SOURCE).order_by(c.last_seen, c.id)
    found: dict[str, dict[str, Any]] = {}
    for some in in_parts(macs):
        for row in session.execute(query.where(c.mac.in_(some))).mappings():
            found[row["mac"]] = {k: row[k] for k in ("switch_id", "switch_port", "vlan", "uplink")}
    return found
