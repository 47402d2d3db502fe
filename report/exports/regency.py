"""Who stands on a sheet: the regency, agencies, the tree of places, and the people who sign."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import Session

import inventory.store
from report.exports import store
from report.exports.forms import province
from siaga.errors import NotFoundError
from siaga.text import safe

Row = Mapping[str, Any]
_HOUSES = ("building", "site", "kecamatan")


@dataclass(frozen=True)
class Person:
    """Somebody who may sign."""

    name: str
    nip: str = ""
    agency: str = ""
    place: str = ""
    roles: tuple[str, ...] = ()  # of the person, lower case


@dataclass(frozen=True)
class Regency:
    """Agencies and places by name, people, and (agency or place, its name) → (role, person) of contacts."""

    agencies: Mapping[str, Row] = field(default_factory=dict)
    places: Mapping[str, Row] = field(default_factory=dict)
    people: Sequence[Person] = ()
    contacts: Mapping[tuple[str, str], Sequence[tuple[str, Person]]] = field(default_factory=dict)

    @property
    def _root(self) -> Row:
        return next((p for p in self.places.values() if p["kind"] == "regency"), {})

    @property
    def name(self) -> str:
        """The regency's name, or '' where no place is one."""
        return safe(self._root.get("name") or "")

    @property
    def province(self) -> str:
        """The province of the regency's Kemendagri code."""
        return province(self._root.get("code") or "")

    def title(self, agency: str) -> str:
        """Return an agency's long name."""
        row = self.agencies.get(agency, {})
        return safe(row.get("title") or agency)

    def code(self, agency: str) -> str:
        """Return an agency's kode lokasi."""
        return safe(self.agencies.get(agency, {}).get("code") or "")

    def room(self, place: str) -> str:
        """Return the room that something in `place` stands in: a rack's goods are the room's."""
        for at in self.upwards(place):
            if at["kind"] != "rack":
                return str(at["name"])
        return place

    def located(self, place: str) -> str:
        """Return a place and the building and site around it: 'Ruang Server, Gedung A, Kantor Bupati'."""
        around = [str(p["name"]) for p in self.upwards(place)]
        kinds = [p["kind"] for p in self.upwards(place)]
        return safe(
            ", ".join(n for i, (n, k) in enumerate(zip(around, kinds, strict=True)) if not i or k in _HOUSES)
        )

    def upwards(self, place: str) -> Iterator[Row]:
        """Yield a place and those around it, from the inside out; a circle ends."""
        seen: set[str] = set()
        while place in self.places and place not in seen:
            seen.add(place)
            yield self.places[place]
            place = self.places[place]["parent"] or ""

    def within(self, place: str) -> frozenset[str]:
        """Return the names of a place and of everything inside it; raises NotFoundError (`no-such-place`)."""
        if place not in self.places:
            raise _unknown("place", place, self.places)
        inside: dict[str, list[str]] = {}
        for row in self.places.values():
            inside.setdefault(row["parent"] or "", []).append(row["name"])
        found, waiting = {place}, [place]
        while waiting:
            new = [n for n in inside.get(waiting.pop(), ()) if n not in found]
            found.update(new)
            waiting += new
        return frozenset(found)

    def check_agency(self, agency: str) -> str:
        """Return the agency's name; raises NotFoundError (`no-such-agency`)."""
        if agency not in self.agencies:
            raise _unknown("agency", agency, self.agencies)
        return agency

    def signing(self, roles: Sequence[str], agency: str, room: str = "") -> Person | None:
        """Return who has the first of the roles that exactly one person has: a wrong name is worse than none.

        A contact of the room or agency comes before a person's own role there.
        """
        here = [("place", room)] if room else [("agency", agency)]
        known = [pair for where in here for pair in self.contacts.get(where, ())]
        own = [
            (role, p)
            for p in self.people
            if (p.place == room if room else p.agency == agency and agency)
            for role in p.roles
        ]
        for pairs in (known, own):
            for role in roles:
                fitting = {p.name: p for r, p in pairs if r.lower() == role}
                if len(fitting) == 1:
                    return next(iter(fitting.values()))
        return None


def read(session: Session, on: date) -> Regency:
    """Read agencies, places, and the people who are active on a day, with their parts."""
    rows = {noun: inventory.store.rows(session, noun) for noun in ("agency", "place", "person")}
    people = {row["id"]: _person(row) for row in rows["person"] if _active(row, on)}
    parts: dict[tuple[str, str], list[tuple[str, Person]]] = {}
    for noun, target, role, person_id in store.contacts(session):
        if person_id in people:
            parts.setdefault((noun, target), []).append((role, people[person_id]))
    return Regency(
        agencies={row["name"]: row for row in rows["agency"]},
        places={row["name"]: row for row in rows["place"]},
        people=list(people.values()),
        contacts=parts,
    )


def _active(row: Row, on: date) -> bool:
    return (row["active_from"] or on) <= on <= (row["active_to"] or on)


def _person(row: Row) -> Person:
    return Person(
        name=safe(row["name"]),
        nip=safe(row["nip"] or ""),
        agency=row["agency"] or "",
        place=row["place"] or "",
        roles=tuple(r.strip().lower() for r in (row["role"] or "").split(",") if r.strip()),
    )


def _unknown(noun: str, name: str, known: Mapping[str, object]) -> NotFoundError:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{safe(near[0])}'?" if near else ""
    return NotFoundError(f"no-such-{noun}", f"No {noun} is called '{safe(name)}'.{hint}")
