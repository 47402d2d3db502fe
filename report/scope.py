"""A report of one place or agency: which devices and agencies belong to it, and the facts without the rest."""

from dataclasses import dataclass, replace

from sqlmodel import Session, col, select

from inventory import models as inventory
from report.exports.regency import Regency
from report.facts import Facts
from siaga.text import safe


@dataclass(frozen=True)
class Scope:
    """What a partial report is about: `title` for the cover, the agencies by their printed name, devices by id."""

    title: str
    agencies: frozenset[str]
    devices: frozenset[int]
    places: frozenset[str]
    rooms: bool = True  # whether rooms belong to it: they do to a place, not to an agency


def scope_of(session: Session, regency: Regency, place: str, agency: str) -> Scope | None:
    """Return the scope, None for the whole regency. Raises NotFoundError (`no-such-place`, `no-such-agency`)."""
    if not place and not agency:
        return None
    inside = regency.within(place) if place else frozenset(regency.places)
    names = [regency.check_agency(agency)] if agency else list(regency.agencies)
    kept = [n for n in names if not place or (regency.agencies[n].get("place") or "") in inside]
    titles = frozenset(regency.title(n) for n in kept)
    title = " · ".join(safe(p) for p in (place, regency.title(agency) if agency else "") if p)
    return Scope(
        title, titles, _devices(session, inside, set(kept), bool(place), bool(agency)), inside, bool(place)
    )


def _devices(
    session: Session, inside: frozenset[str], agencies: set[str], by_place: bool, by_agency: bool
) -> frozenset[int]:
    """Return the devices in the places and of the agencies, and those that the agencies' connections hang on."""
    places = {p.id for p in session.exec(select(inventory.Place)) if p.name in inside}
    owners = {a.id for a in session.exec(select(inventory.Agency)) if a.name in agencies}
    found = {
        d.id or 0
        for d in session.exec(select(inventory.Device))
        if (not by_place or d.place_id in places) and (not by_agency or d.agency_id in owners)
    }
    lines = session.exec(
        select(inventory.Connection.device_id).where(col(inventory.Connection.agency_id).in_(owners))
    )
    return frozenset(found | {i for i in lines if i is not None})


def narrowed(facts: Facts, scope: Scope | None) -> Facts:
    """Return the facts of the scope alone; dated lists are about the whole regency and are left out."""
    if scope is None:
        return facts
    devices = tuple(d for d in facts.devices if d.id in scope.devices)
    names = {d.name for d in devices}
    lines = tuple(c for c in facts.connections if c.agency in scope.agencies)
    bought = {c.contract for c in lines}
    agencies = tuple(a for a in facts.agencies if a.name in scope.agencies)
    near = {d.kecamatan for d in devices} | {a.kecamatan for a in agencies} | {c.kecamatan for c in lines}
    return replace(
        facts,
        devices=devices,
        agencies=agencies,
        connections=lines,
        contracts=tuple(c for c in facts.contracts if c.name in bought),
        spans=tuple(s for s in facts.spans if s.device_id in scope.devices),
        alerts=tuple(a for a in facts.alerts if a.device in names),
        jobs=(),
        denominators=(),
        places=tuple(p for p in facts.places if p in near),
    )
