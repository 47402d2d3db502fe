"""Who a series is of: the labels of devices and interfaces, from the inventory. A handful of queries for all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.models import Agency, Device, Interface, Place
from monitor.out.families import Family, Labels, family_of
from siaga.text import safe

LONGEST = 200  # characters of a label's value


@dataclass(frozen=True)
class Book:
    """Labels by device, and by (device, interface). A label without a value is left out."""

    devices: Mapping[int, Labels]
    ports: Mapping[tuple[int, str], Labels]
    outside: Labels = ()  # what a destination adds to every series
    _known: dict[tuple[int, str, str, Labels], Labels] = field(default_factory=dict)

    def labels(self, device: int, more: Labels = ()) -> Labels | None:
        """Return a device's labels and `more`, by name; None of a device that is not in the inventory."""
        own = self.devices.get(device)
        return None if own is None else ordered((*self.outside, *own, *more))

    def series(self, device: int, metric: str, instance: str) -> tuple[Family, Labels] | None:
        """Return the family and the labels of a stored series; None of an unknown device."""
        family = family_of(metric)
        return (family, self.of(family, device, instance)) if device in self.devices else None

    def of(self, family: Family, device: int, instance: str) -> Labels:
        """Return the labels of a series of a device that is in the book; all of an interface share theirs."""
        key = (device, family.of, instance if family.of else "", family.more)
        if key not in self._known:
            labels = self.labels(device, (*self._part(family, device, instance), *family.more))
            self._known[key] = labels or ()
        return self._known[key]

    def _part(self, family: Family, device: int, instance: str) -> Labels:
        if family.of == "interface":
            return self.port(device, instance)
        return ((family.of, safe(instance, LONGEST)),) if family.of and instance else ()

    def port(self, device: int, name: str) -> Labels:
        """Return what names an interface; one that is not recorded (any more) has its name alone."""
        plain = safe(name, LONGEST)
        return self.ports.get((device, name)) or (("ifDescr", plain), ("ifName", plain))


def ordered(labels: Iterable[tuple[str, str]]) -> Labels:
    """Return labels by name, each once (the last one given wins), those without a value left out."""
    return tuple(sorted((k, v) for k, v in dict(labels).items() if v))


def open_book(
    session: Session, ids: Iterable[int] | None = None, outside: Mapping[str, str] | None = None
) -> Book:
    """Read the labels of some devices, or of all."""
    wanted = None if ids is None else set(ids)
    devices = {d: labels for d, labels in _devices(session) if wanted is None or d in wanted}
    ports = {key: labels for key, labels in _ports(session) if key[0] in devices}
    return Book(devices, ports, tuple((outside or {}).items()))


def _devices(session: Session) -> Iterable[tuple[int, Labels]]:
    tables: tuple[Any, ...] = (Device, Place, Agency)
    d, p, a = (t.__table__.c for t in tables)
    query = (
        select(d.id, d.name, d.role, p.name, p.kecamatan, a.name)
        .outerjoin(p.name.table, p.id == d.place_id)
        .outerjoin(a.name.table, a.id == d.agency_id)
    )
    for number, name, role, at, kecamatan, owner in session.execute(query):
        said = {"device": name, "role": role, "place": at, "kecamatan": kecamatan, "agency": owner}
        yield number, ordered((k, safe(v or "", LONGEST)) for k, v in said.items())


def _ports(session: Session) -> Iterable[tuple[tuple[int, str], Labels]]:
    i: Any = Interface.__table__.c  # type: ignore[attr-defined]
    query = select(i.device_id, i.name, i.alias, i.seen_alias, i.if_index)
    for device, name, alias, seen, index in session.execute(query):
        plain = safe(name, LONGEST)
        said = {
            "ifAlias": safe(seen or alias, LONGEST),
            "ifDescr": plain,
            "ifIndex": "" if index is None else str(index),
            "ifName": plain,
        }
        yield (device or 0, name), ordered(said.items())
