"""What concerns several rows: derived columns, circles, addresses given twice, and the regency's own rules.

Looked at once at the end of a transaction, and only for the nouns that were touched.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select
from sqlmodel import Session

from inventory import doubles, ipam_overlap, rules
from inventory.nouns import noun
from inventory.problems import Conflict, several

if TYPE_CHECKING:
    from inventory.writing import Writer


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


def problems(writer: "Writer") -> tuple[list[Conflict], list[str]]:
    """Return (conflicts, warnings) of all touched nouns."""
    session, touched = writer.session, writer.touched
    found: list[Conflict] = []
    for name in ("place", "device"):
        if name in touched:
            found += _circles(session, name)
    if "device" in touched:
        found += _polled_twice(session)
    if touched.get("device"):
        found += doubles.same_serials(session, touched["device"])
    if touched.get("link"):
        found += doubles.crossed_links(session, touched["link"], writer.author.now.date())
    if "vlan" in touched:
        found += _twice_in_group(session)
    found += ipam_overlap.overlaps(session, touched)
    found += _broken(writer)
    weak = [r for r in writer.rules if r.severity != "error"]
    return found, [b.sentence for b in rules.broken(session, weak, touched)]


def _broken(writer: "Writer") -> Iterator[Conflict]:
    strict = [r for r in writer.rules if r.severity == "error"]
    for row in rules.broken(writer.session, strict, writer.touched, most=None):
        yield Conflict(row.sentence, ((row.noun, row.name),), row.field)


def _circles(session: Session, name: str) -> Iterator[Conflict]:
    c = noun(name).table.c
    rows = {i: (parent, label) for i, parent, label in session.execute(select(c.id, c.parent_id, c.name))}
    clear: set[int] = set()
    for start in rows:
        seen: dict[int, int] = {}
        at: int | None = start
        while at is not None and at not in clear and at not in seen:
            seen[at] = len(seen)
            at = rows[at][0] if at in rows else None
        if at is not None and at in seen:
            named = [rows[i][1] for i in list(seen)[seen[at] :]]
            way = " -> ".join([*named[:6], named[0]])
            sentence = f"the parents of {name} '{named[0]}' go in a circle: {way}"
            yield Conflict(sentence, tuple((name, n) for n in named), "parent")
        clear.update(seen)


def _polled_twice(session: Session) -> Iterator[Conflict]:
    c = noun("device").table.c
    port = case((c.transport == "snmp", c.snmp_port), else_=c.ssh_port)
    polled = (c.address != "", c.status == "active", c.transport != "none")
    twice = select(c.address).where(*polled).group_by(c.address, port).having(func.count() > 1)
    query = select(c.address, port, c.name).where(*polled, c.address.in_(twice))
    for (address, number), names in _alike(session.execute(query.order_by(c.address, port, c.name))):
        sentence = f"{several(names)} are both polled at {address} port {number}"
        yield Conflict(sentence, tuple(("device", n) for n in names), "address")


def _twice_in_group(session: Session) -> Iterator[Conflict]:
    c = noun("vlan").table.c
    twice = select(c.vid).group_by(c.vlan_group_id, c.vid).having(func.count() > 1)
    query = select(c.vlan_group_id, c.vid, c.name).where(c.vid.in_(twice))
    for (_, vid), names in _alike(session.execute(query.order_by(c.vlan_group_id, c.vid, c.name))):
        sentence = f"VLAN id {vid} is used twice in one group: by {several(names)}"
        yield Conflict(sentence, tuple(("vlan", n) for n in names), "vid")


def _alike(rows: Iterable[Any]) -> Iterator[tuple[tuple[Any, Any], list[str]]]:
    """Yield (what they share, names) of the sorted rows (a, b, name) that share both a and b with others."""
    for key, group in groupby(rows, key=lambda row: (row[0], row[1])):
        names = [row[2] for row in group]
        if len(names) > 1:
            yield key, names
