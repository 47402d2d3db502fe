"""What is recorded twice and is there once: a box under two names, a cable in a port that has one, or in itself.

Only what was touched is looked at, so that what was written before keeps nobody from other work.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session

from inventory import traits
from inventory.network_rows import absent
from inventory.nouns import noun
from inventory.problems import Conflict, several
from inventory.store import in_parts

_FEW = 500  # so many ids are asked for by number
# A port carries one cable of these; radio, satellite and cellular reach many, and 'other' is a tunnel.
_CABLES = ("fibre", "copper")
# ifType (IANA) of what is no socket: loopback, ppp, virtual, tunnel, VLAN, IP interface, bundle, bridge.
_LOGICAL = (23, 24, 53, 131, 135, 136, 142, 161, 209)
_SPLITTING = "olt"  # one fibre of an OLT is split to many


def same_serials(session: Session, touched: Collection[int]) -> Iterator[Conflict]:
    """Yield the active devices of one maker that are recorded with one serial, of those touched.

    Two of one chassis may share it, a virtual one has none of its own; a maker that is not known may be the same.
    """
    holders: defaultdict[str, list[Any]] = defaultdict(list)
    for row in session.execute(_serials()):
        normal = traits.serial(row.serial)
        if normal:
            holders[normal].append(row)
    for rows in holders.values():
        for boxes in _of_one_maker(rows):
            if len({row.chassis or row.id for row in boxes}) > 1 and any(row.id in touched for row in boxes):
                yield _twice(boxes)


def _serials() -> Any:
    d, t = noun("device").table, noun("device_type").table
    columns = (d.c.id, d.c.name, d.c.serial, d.c.chassis, t.c.maker)
    joined = d.outerjoin(t, t.c.id == d.c.device_type_id)
    active = (d.c.status == "active", d.c.serial != "", ~d.c.virtual)
    return select(*columns).select_from(joined).where(*active).order_by(d.c.id)


def _of_one_maker(rows: Sequence[Any]) -> list[list[Any]]:
    """Return the rows by maker; one whose maker is not known may be of any."""
    makers = [(row.maker or "").casefold().strip() for row in rows]
    several = dict.fromkeys(m for m in makers if m) or {"": None}
    return [[row for row, maker in zip(rows, makers, strict=True) if maker in (one, "")] for one in several]


def _twice(boxes: Sequence[Any]) -> Conflict:
    names = [row.name for row in boxes]
    sentence = (
        f"{several(names)} have one serial, {boxes[0].serial}: one box is one row;"
        " retire the others, or give them the chassis they share"
    )
    return Conflict(sentence, tuple(("device", name) for name in names), "serial")


# --- links -----------------------------------------------------------------------------------------------------


def crossed_links(session: Session, touched: Collection[int], today: date) -> Iterator[Conflict]:
    """Yield the links whose ends are one port, and the cables in a port that has one already, of those touched."""
    links = _links(session, touched)
    ports = _ports(session, {p for link in links for p in (link.a, link.z)})
    at_port: defaultdict[int, list[Any]] = defaultdict(list)
    for link in links:
        if link.a == link.z and link.id in touched:
            sentence = f"both ends of link '{link.name}' are {ports[link.a].label}"
            yield Conflict(sentence, (("link", link.name),), "z_interface")
        elif link.a != link.z and _is_cable(link, ports, today):
            for port in (link.a, link.z):
                at_port[port].append(link)
    for port, some in at_port.items():
        if len(some) > 1 and _holds_one(ports[port]) and any(link.id in touched for link in some):
            names = sorted(link.name for link in some)
            what = f"{len(names)} cables: {several(names, ', ')}"
            sentence = f"{ports[port].label} is one port and cannot hold {what}"
            yield Conflict(sentence, tuple(("link", name) for name in names))


def _links(session: Session, touched: Collection[int]) -> Sequence[Any]:
    """Return the links with two ends that lie at a port of one of those touched."""
    link, contract = noun("link").table.c, noun("contract").table
    ends = (link.a_interface_id.label("a"), link.z_interface_id.label("z"))
    query = select(link.id, link.name, link.kind, link.installed, contract.c.start, contract.c.end, *ends)
    query = query.join(contract, contract.c.id == link.contract_id, isouter=True).order_by(link.id)
    query = query.where(link.a_interface_id.is_not(None), link.z_interface_id.is_not(None))
    if len(touched) > _FEW:
        return session.execute(query).all()
    own = session.execute(select(link.a_interface_id, link.z_interface_id).where(link.id.in_(touched)))
    ports = {port for row in own for port in row}
    here = or_(link.a_interface_id.in_(ports), link.z_interface_id.in_(ports))
    return session.execute(query.where(here)).all()


def _ports(session: Session, ids: Collection[int]) -> dict[int, Any]:
    """Return interface id → its label and type, its device's role and status, and whether others are bundled in it."""
    i, d = noun("interface").table, noun("device").table
    member = i.alias("member")
    bundle = select(member.c.id).where(member.c.parent_id == i.c.id).exists().label("bundle")
    label = (d.c.name + ":" + i.c.name).label("label")
    query = select(i.c.id, label, i.c.if_type, d.c.role, d.c.status, bundle)
    query = query.select_from(i.join(d, d.c.id == i.c.device_id))
    found: dict[int, Any] = {}
    for some in in_parts(ids):
        found |= {row.id: row for row in session.execute(query.where(i.c.id.in_(some)))}
    return found


def _is_cable(link: Any, ports: Mapping[int, Any], today: date) -> bool:
    """Tell whether a link is a cable that is there today, between devices that are."""
    active = all(ports[p].status == "active" for p in (link.a, link.z))
    return active and link.kind in _CABLES and not absent(link.installed, link.start, link.end, today)


def _holds_one(port: Any) -> bool:
    return port.if_type not in _LOGICAL and not port.bundle and port.role != _SPLITTING
