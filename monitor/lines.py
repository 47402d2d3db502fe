"""The lines that are measured: connections and links, whose they are, where they are measured, what was promised.

A connection is there while its device answers. Of a link the device at its far end tells, seen from where siaga
stands: the near one cannot know. A provider's circuit has one end, which tells.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select as columns_of
from sqlmodel import Session, select

from inventory.models import Agency, Connection, Contract, Device, Interface, Link, Place, Provider
from inventory.select import meant
from monitor.scene import far_ends
from siaga.text import safe

Row = TypeVar("Row", Place, Agency, Provider, Contract, Link, Connection)


@dataclass(frozen=True)
class Port:
    """An interface that tells what a line carries. `swapped`: it stands at the near end, where in is what goes up."""

    device_id: int
    name: str
    swapped: bool = False
    speed_bps: int | None = None


@dataclass(frozen=True)
class Line:
    """A connection or a link. `down` is towards the agency. `ports`: the first that is measured counts."""

    noun: str
    id: int
    name: str
    device_id: int | None
    ports: tuple[Port, ...] = ()
    agency: str = ""
    kecamatan: str = ""
    provider: str = ""
    contract_id: int | None = None
    contract: str = ""
    link_id: int | None = None
    down_bps: int | None = None
    up_bps: int | None = None

    def group(self, by: str) -> str:
        """Return the name of the group this belongs to; '' if to none."""
        return self.name if by in ("link", "connection") else str(getattr(self, by))


class _Rows:
    """The rows that lines are made of, by id."""

    def __init__(self, session: Session) -> None:
        self.places = _by_id(session, Place)
        self.agencies = _by_id(session, Agency)
        self.providers = _by_id(session, Provider)
        self.contracts = _by_id(session, Contract)
        self.links = _by_id(session, Link)
        self.connections = _by_id(session, Connection)
        used = [c.interface_id for c in self.connections.values()]
        used += [i for k in self.links.values() for i in (k.a_interface_id, k.z_interface_id)]
        wanted = {i for i in used if i is not None}
        i: Any = Interface.__table__.c  # type: ignore[attr-defined]
        query = columns_of(i.id, i.device_id, i.name, i.seen_speed_bps, i.speed_bps)
        self.ports = {
            row: Port(device, name, speed_bps=seen or said)
            for row, device, name, seen, said in session.execute(query)
            if row in wanted
        }
        self.device_place: dict[int | None, int | None] = dict(
            session.exec(select(Device.id, Device.place_id)).all()
        )

    def kecamatan(self, *places: int | None) -> str:
        """Return the kecamatan of the first place that lies in one."""
        found = (self.places[p].kecamatan for p in places if p is not None and p in self.places)
        return safe(next((k for k in found if k), ""))

    def named(self, contract_id: int | None) -> tuple[str, str]:
        """Return the names of a contract and of its provider."""
        contract = self.contracts.get(contract_id or 0)
        provider = self.providers.get(contract.provider_id or 0) if contract else None
        return (safe(contract.name) if contract else "", safe(provider.name) if provider else "")


def _by_id(session: Session, table: type[Row]) -> dict[int, Row]:
    return {row.id or 0: row for row in session.exec(select(table))}


def lines(session: Session, noun: str, selector: Sequence[str], today: date | None = None) -> list[Line]:
    """Return the selected connections or links, by name. Raises what inventory.select raises."""
    ids = meant(session, noun, selector)
    rows = _Rows(session)
    if noun == "connection":
        return [_connection(rows, rows.connections[i]) for i in ids if i in rows.connections]
    ends = far_ends(session, today)
    return [_link(rows, rows.links[i], ends) for i in ids if i in rows.links]


def bought(session: Session, provider: str, today: date | None = None) -> list[Line]:
    """Return the lines bought of a provider: connections, and links under a contract that no connection uses."""
    own = [c for c in lines(session, "connection", (), today) if c.provider == provider]
    used = {c.link_id for c in own}
    links = lines(session, "link", (), today)
    return own + [k for k in links if k.provider == provider and k.contract_id and k.id not in used]


def _connection(rows: _Rows, row: Connection) -> Line:
    link = rows.links.get(row.link_id or 0)
    contract_id = row.contract_id or (link.contract_id if link else None)
    contract = rows.contracts.get(contract_id or 0)
    port = rows.ports.get(row.interface_id or 0)
    agency = rows.agencies.get(row.agency_id or 0)
    device_id = row.device_id or (port.device_id if port else None)
    names = rows.named(contract_id)
    return Line(
        noun="connection",
        id=row.id or 0,
        name=safe(row.name),
        device_id=device_id,
        ports=(port,) if port else (),
        agency=safe(agency.name) if agency else "",
        kecamatan=rows.kecamatan(
            row.place_id, agency.place_id if agency else None, rows.device_place.get(device_id)
        ),
        provider=names[1],
        contract_id=contract_id,
        contract=names[0],
        link_id=row.link_id,
        down_bps=row.committed_down_bps or (contract.committed_down_bps if contract else None),
        up_bps=row.committed_up_bps or (contract.committed_up_bps if contract else None),
    )


def _link(rows: _Rows, row: Link, ends: Mapping[int, tuple[int, int | None]]) -> Line:
    contract = rows.contracts.get(row.contract_id or 0)
    near, far = ends.get(row.id or 0, (None, None))
    sides = [rows.ports[i] for i in (row.a_interface_id, row.z_interface_id) if i in rows.ports]
    # With one end it is ours, and in is what comes down; with two the far end is looked at first.
    ports = [replace(p, swapped=far is not None and p.device_id == near) for p in sides]
    names = rows.named(row.contract_id)
    device_id = far if far is not None else near
    return Line(
        noun="link",
        id=row.id or 0,
        name=safe(row.name),
        device_id=device_id,
        ports=tuple(sorted(ports, key=lambda p: p.swapped)),
        kecamatan=rows.kecamatan(rows.device_place.get(device_id)),
        provider=names[1],
        contract_id=row.contract_id,
        contract=names[0],
        link_id=row.id,
        down_bps=(contract.committed_down_bps if contract else None) or row.capacity_bps,
        up_bps=(contract.committed_up_bps if contract else None) or row.capacity_bps,
    )


def grouped(some: Iterable[Line], by: str) -> dict[str, list[Line]]:
    """Return group → its lines, by name; lines of no group are left out."""
    found: dict[str, list[Line]] = {}
    for line in some:
        if name := line.group(by):
            found.setdefault(name, []).append(line)
    return dict(sorted(found.items()))
