"""The rows that impact looks at, read in one query for each table: 10,000 devices in a tenth of a second."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import column, or_, select, table
from sqlalchemy.orm import aliased
from sqlmodel import Session

from inventory import models, models_people


def absent(installed: date | None, start: date | None, end: date | None, today: date) -> str:
    """Return why a line is not there today, as a phrase; '' if it is. `start` and `end` are its contract's."""
    if installed is not None and installed > today:
        return f"is installed on {installed}"
    if start is not None and start > today:
        return f"is under a contract that begins on {start}"
    if end is not None and end < today:
        return f"is under a contract that ended on {end}"
    return ""


class PlaceRow(NamedTuple):
    """A place, as far as impact goes."""

    id: int
    name: str
    kind: str
    parent_id: int | None = None
    priority: int | None = None
    population: int | None = None


class AgencyRow(NamedTuple):
    """An agency."""

    id: int
    name: str
    title: str = ""
    kind: str = "opd"
    place_id: int | None = None


class ProviderRow(NamedTuple):
    """A provider; `contact` is whom to call."""

    id: int
    name: str
    contact: str = ""


class ContractRow(NamedTuple):
    """A contract with a provider."""

    id: int
    name: str
    provider_id: int | None = None
    kind: str = "internet"
    start: date | None = None
    end: date | None = None


class DeviceRow(NamedTuple):
    """A device."""

    id: int
    name: str
    role: str = "other"
    status: str = "active"
    place_id: int | None = None
    agency_id: int | None = None
    parent_id: int | None = None
    virtual: bool = False
    owner_id: int | None = None


class LinkRow(NamedTuple):
    """A link with the devices (`a`, `z`) of its interfaces."""

    id: int
    name: str
    a_interface_id: int | None = None
    z_interface_id: int | None = None
    a: int | None = None
    z: int | None = None
    contract_id: int | None = None
    role: str = "primary"
    intra: bool = True
    path_group: str = ""
    state: str = "declared"
    installed: date | None = None


class ConnectionRow(NamedTuple):
    """An agency's connection; `device_id` is also that of its interface."""

    id: int
    name: str
    agency_id: int | None = None
    place_id: int | None = None
    link_id: int | None = None
    contract_id: int | None = None
    device_id: int | None = None
    interface_id: int | None = None


class ServiceRow(NamedTuple):
    """An application and where it runs."""

    id: int
    name: str
    title: str = ""
    agency_id: int | None = None
    place_id: int | None = None
    device_id: int | None = None
    criticality: int | None = None


class DependencyRow(NamedTuple):
    """A service needs a row, called by its name; those of one group stand in for each other."""

    id: int
    service_id: int
    target_noun: str
    target: str
    group: str = ""


class ContactRow(NamedTuple):
    """A person has a part in a row, called by its name."""

    id: int
    person_id: int
    role: str
    target_noun: str
    target: str


class PersonRow(NamedTuple):
    """Somebody who may be told."""

    id: int
    name: str
    phone: str = ""
    telegram: str = ""
    email: str = ""
    on_call: bool = False
    on_duty: str = ""


@dataclass(frozen=True)
class Rows:
    """Every row that impact looks at, by id, and what the monitor knows to be down.

    `today`: lines that are not there on that day count as no way; None asks for none. `down`: device id → since
    when; `link_down`: link id → when a port of it was seen to be down.
    """

    places: Mapping[int, PlaceRow] = field(default_factory=dict)
    agencies: Mapping[int, AgencyRow] = field(default_factory=dict)
    providers: Mapping[int, ProviderRow] = field(default_factory=dict)
    contracts: Mapping[int, ContractRow] = field(default_factory=dict)
    devices: Mapping[int, DeviceRow] = field(default_factory=dict)
    links: Mapping[int, LinkRow] = field(default_factory=dict)
    connections: Mapping[int, ConnectionRow] = field(default_factory=dict)
    services: Mapping[int, ServiceRow] = field(default_factory=dict)
    dependencies: Mapping[int, DependencyRow] = field(default_factory=dict)
    contacts: Mapping[int, ContactRow] = field(default_factory=dict)
    people: Mapping[int, PersonRow] = field(default_factory=dict)
    today: date | None = None
    down: Mapping[int, datetime] = field(default_factory=dict)
    link_down: Mapping[int, datetime | None] = field(default_factory=dict)

    def absent(self, link: LinkRow) -> str:
        """Return why a link is not there, as a phrase; '' if it is."""
        return self._absent(link.installed, link.contract_id)

    def ended(self, connection: ConnectionRow) -> str:
        """Return why a connection's contract does not hold, as a phrase; '' if it does."""
        return self._absent(None, connection.contract_id)

    def _absent(self, installed: date | None, contract_id: int | None) -> str:
        if self.today is None:
            return ""
        contract = self.contracts.get(contract_id or 0)
        start, end = (contract.start, contract.end) if contract else (None, None)
        return absent(installed, start, end, self.today)


def read(session: Session, today: date | None = None) -> Rows:
    """Read the rows."""
    return Rows(
        **{name: _keyed(session, kind, model) for name, (kind, model) in _PLAIN.items()},
        links=_links(session),
        connections=_connections(session),
        today=today,
        down=_down(session),
        link_down=_links_down(session),
    )


def _down(session: Session) -> dict[int, datetime]:
    """Return device id → since when, of the devices that the monitor found down. The table is the monitor's."""
    known = table("device_state", column("device_id"), column("state"), column("since", models.UtcDateTime()))
    query = select(known.c.device_id, known.c.since).where(known.c.state.in_(("down", "unreachable")))
    return {row[0]: row[1] for row in session.execute(query)}


def _links_down(session: Session) -> dict[int, datetime | None]:
    """Return link id → when a port of it was seen to be down."""
    link, port = models.Link.__table__.c, models.Interface.__table__.c  # type: ignore[attr-defined]
    ends = or_(port.id == link.a_interface_id, port.id == link.z_interface_id)
    query = select(link.id, port.seen_at).join(models.Interface, ends).where(port.oper_status.in_(_DOWN))
    return {row[0]: row[1] for row in session.execute(query.order_by(link.id, port.seen_at))}


_DOWN = ("down", "lowerLayerDown", "notPresent")
_PLAIN: Mapping[str, tuple[Any, Any]] = {
    "places": (PlaceRow, models.Place),
    "agencies": (AgencyRow, models.Agency),
    "providers": (ProviderRow, models.Provider),
    "contracts": (ContractRow, models.Contract),
    "devices": (DeviceRow, models.Device),
    "services": (ServiceRow, models.Service),
    "dependencies": (DependencyRow, models.Dependency),
    "contacts": (ContactRow, models_people.Contact),
    "people": (PersonRow, models_people.Person),
}


def _keyed(session: Session, kind: Any, model: Any) -> dict[int, Any]:
    table = model.__table__
    found = session.execute(select(*(table.c[f] for f in kind._fields)).order_by(table.c.id))
    return {row[0]: kind._make(row) for row in found}


def _links(session: Session) -> dict[int, LinkRow]:
    table = models.Link.__table__  # type: ignore[attr-defined]
    a, z = (aliased(models.Interface).__table__.alias() for _ in range(2))  # type: ignore[attr-defined]
    columns = [{"a": a.c.device_id, "z": z.c.device_id}.get(f, table.c.get(f)) for f in LinkRow._fields]
    joined = table.outerjoin(a, a.c.id == table.c.a_interface_id).outerjoin(
        z, z.c.id == table.c.z_interface_id
    )
    found = session.execute(select(*columns).select_from(joined).order_by(table.c.id))
    return {row[0]: LinkRow._make(row) for row in found}


def _connections(session: Session) -> dict[int, ConnectionRow]:
    table = models.Connection.__table__  # type: ignore[attr-defined]
    port = models.Interface.__table__  # type: ignore[attr-defined]
    joined = table.outerjoin(port, port.c.id == table.c.interface_id)
    columns = [table.c[f] for f in ConnectionRow._fields]
    found = session.execute(select(*columns, port.c.device_id).select_from(joined).order_by(table.c.id))
    rows = (ConnectionRow._make(row[:-1])._replace(device_id=row[6] or row[-1]) for row in found)
    return {row.id: row for row in rows}
