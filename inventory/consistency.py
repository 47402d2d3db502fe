"""What concerns several rows: derived columns, circles, addresses given twice, and the regency's own rules.

Looked at once at the end of a transaction, and only for the nouns that were touched.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select
from sqlmodel import Session

from inventory import ipam_overlap, rules
from inventory.nouns import noun

if TYPE_CHECKING:
    from inventory.writing import Writer

_ADDRESSED = frozenset({"address", "ip_range", "prefix", "device"})
_MANY = 20  # problems of one kind that are told one by one


def derive(writer: "Writer") -> None:
    """Write what follows from other columns: the kecamatan of every place."""
    if "place" in writer.touched:
        for row_id, name in kecamatans(writer.session).items():
            writer.derive(noun("place"), row_id, {"kecamatan": name})


def kecamatans(session: Session) -> dict[int, str]:
    """Return place id → the kecamatan it is in, for the places where another one (or none) is stored."""
    c = noun("place").table.c
    places = {r.id: r for r in session.execute(select(c.id, c.parent_id, c.kind, c.name, c.kecamatan))}
    found = {i: (_kecamatan_of(row, places), row.kecamatan) for i, row in places.items()}
    return {i: name for i, (name, stored) in found.items() if name is not None and name != stored}


def _kecamatan_of(place: Any, places: Mapping[int, Any]) -> str | None:
    """Return the name of the nearest kecamatan, '' if there is none above, None in a circle."""
    at = place
    for _ in range(len(places) + 1):
        if at is None or at.kind == "kecamatan":
            return at.name if at is not None else ""
        at = places.get(at.parent_id)
    return None


def problems(writer: "Writer") -> tuple[list[str], list[str]]:
    """Return (problems, warnings) of all touched nouns."""
    session, touched = writer.session, writer.touched
    found: list[str] = []
    for name in ("place", "device"):
        if name in touched:
            found += _circles(session, name)
    if "device" in touched:
        found += _polled_twice(session)
    if "vlan" in touched:
        found += _twice_in_group(session)
    if _ADDRESSED & set(touched):
        found += ipam_overlap.overlaps(session, {n: touched.get(n, set()) for n in _ADDRESSED})
    broken = list(rules.broken(session, writer.rules, touched))
    found += [b.sentence for b in broken if b.severity == "error"]
    return found, [b.sentence for b in broken if b.severity != "error"]


def _circles(session: Session, name: str) -> Iterator[str]:
    c = noun(name).table.c
    rows = {i: (parent, label) for i, parent, label in session.execute(select(c.id, c.parent_id, c.name))}
    clear: set[int] = set()
    for start in rows:
        seen: list[int] = []
        at: int | None = start
        while at is not None and at not in clear and at not in seen:
            seen.append(at)
            at = rows[at][0] if at in rows else None
        if at is not None and at in seen:
            named = [rows[i][1] for i in seen[seen.index(at) :]]
            yield f"the parents of {name} '{named[0]}' go in a circle: {' -> '.join([*named[:6], named[0]])}"
        clear.update(seen)


def _polled_twice(session: Session) -> Iterator[str]:
    c = noun("device").table.c
    port = case((c.transport == "snmp", c.snmp_port), else_=c.ssh_port)
    polled = (c.address != "", c.status == "active", c.transport != "none")
    twice = select(c.address, port).where(*polled).group_by(c.address, port).having(func.count() > 1)
    for address, number in list(session.execute(twice.limit(_MANY))):
        query = select(c.name).where(*polled, c.address == address, port == number).order_by(c.name)
        names = " and ".join(list(session.execute(query).scalars())[:4])
        yield f"{names} are both polled at {address} port {number}"


def _twice_in_group(session: Session) -> Iterator[str]:
    c = noun("vlan").table.c
    twice = select(c.vlan_group_id, c.vid).group_by(c.vlan_group_id, c.vid).having(func.count() > 1)
    for group_id, vid in list(session.execute(twice.limit(_MANY))):
        here = c.vlan_group_id.is_(None) if group_id is None else c.vlan_group_id == group_id
        names = list(session.execute(select(c.name).where(here, c.vid == vid).order_by(c.name)).scalars())
        yield f"VLAN id {vid} is used twice in one group: by {' and '.join(names[:4])}"
