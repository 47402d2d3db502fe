"""The rows that impact looks at, read in one query for each table: 10,000 devices in a tenth of a second."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import Session

from inventory import models, models_people


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
    """Every row that impact looks at, by id."""

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


def read(session: Session) -> Rows:
    """Read the rows."""
    return Rows(
        **{name: _keyed(session, kind, model) for name, (kind, model) in _PLAIN.items()},
        links=_links(session),
        connections=_connections(session),
    )


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
