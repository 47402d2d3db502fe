"""Variables from the whole regency down to one device, merged in one fixed order. The narrower one wins:

    regency → places, outermost first (kecamatan, site, building, room, rack) → role → platform → agency
            → tags in the order of the alphabet → the device itself

A layer names what it is for: one of place, role, platform, agency and tag, or none of them, and is then for the whole
regency. (Naming several means all of them, and it stands where its narrowest does.) Of two layers for the same, the
later by name wins, and a finding says so. Mappings are merged key by key, lists and all else are replaced, and null
takes away what wider layers gave.

The same merge gives the exports their variables (Ansible's listing and plugin, rendered templates) and the plays of
provisioning theirs, and the monitor the limits of its alert rules (`alerts`) and how often it asks (`poll`). Secrets
never belong here: they lie sealed in credentials.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from inventory.models import Device, Layer, Place

DEPTH = 32  # mappings nested deeper are replaced whole
_LONGEST = 20_000  # a text longer than this is not looked at as JSON


class Rung(NamedTuple):
    """A layer as it is applied; `values` are its typed variables."""

    name: str
    place_id: int | None
    role: str
    platform: str
    agency_id: int | None
    tag: str
    values: Mapping[str, Any]

    @property
    def target(self) -> tuple[Any, ...]:
        """What the layer is for."""
        return self[1:6]

    @property
    def narrowest(self) -> tuple[str, Any]:
        """The narrowest thing that it names: where it stands in the order."""
        named = ((k, getattr(self, k)) for k in ("tag", "agency_id", "platform", "role", "place_id"))
        return next(((k, v) for k, v in named if v not in ("", None)), ("", None))


class Subject(NamedTuple):
    """What decides which layers hold for a device."""

    place_id: int | None
    role: str
    platform: str
    agency_id: int | None
    tags: str


def typed(value: Any) -> Any:
    """Return a variable's value by its type: a text that reads as JSON is what it reads as.

    That is true, false, null, a list, a mapping, a text in quotation marks, and a number that would be written the
    same way again, so that 1.10, 007 and 1e3 stay texts. Everything else is a text as it stands.
    """
    if (
        not isinstance(value, str)
        or not value
        or len(value) > _LONGEST
        or value[0] not in '-0123456789tfn[{"'
    ):
        return value
    try:
        found = json.loads(value, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return value
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return found if str(found) == value else value
    return found


def _no_number(text: str) -> Any:
    raise ValueError(text)


def merged_over(under: Mapping[str, Any], over: Mapping[str, Any], depth: int = DEPTH) -> dict[str, Any]:
    """Return `under` with `over` laid on it; neither is changed."""
    found = dict(under)
    for key, value in over.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping) and depth:
            below = found.get(key)
            found[key] = merged_over(below if isinstance(below, Mapping) else {}, value, depth - 1)
        else:
            found[key] = value
    return found


# --- the rows --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ladder:
    """The layers by the narrowest thing they name, and the places that a place lies in, outermost first."""

    rungs: tuple[Rung, ...]
    inside: Mapping[int, tuple[int, ...]]

    @cached_property
    def _by_target(self) -> Mapping[tuple[str, Any], list[Rung]]:
        found: dict[tuple[str, Any], list[Rung]] = {}
        # Of those for the same, the one that names more is narrower; then the later by name wins.
        for rung in sorted(self.rungs, key=lambda r: (sum(map(bool, r.target)), r.name)):
            found.setdefault(rung.narrowest, []).append(rung)
        return found

    def of(self, subject: Subject) -> list[Rung]:
        """Return the layers that hold for a device, the widest first."""
        around = self.inside.get(subject.place_id or 0, ())
        tags = sorted(set(subject.tags.split()))
        steps = (
            ("", None),
            *(("place_id", place) for place in around),
            ("role", subject.role),
            ("platform", subject.platform),
            ("agency_id", subject.agency_id),
            *(("tag", tag) for tag in tags),
        )
        found = (rung for step in steps for rung in self._by_target.get(step, ()))
        return [rung for rung in found if _holds(rung, subject, around, tags)]


def _holds(rung: Rung, subject: Subject, around: Sequence[int], tags: Sequence[str]) -> bool:
    return (
        (rung.place_id is None or rung.place_id in around)
        and rung.role in ("", subject.role)
        and rung.platform in ("", subject.platform)
        and rung.agency_id in (None, subject.agency_id)
        and (not rung.tag or rung.tag in tags)
    )


def ladder(session: Session) -> Ladder:
    """Read the layers and the tree of places."""
    table = Layer.__table__  # type: ignore[attr-defined]
    rows = session.execute(select(*(table.c[c] for c in (*Rung._fields[:-1], "vars"))).order_by(table.c.name))
    rungs = tuple(Rung._make((*row[:-1], {k: typed(v) for k, v in (row[-1] or {}).items()})) for row in rows)
    places = Place.__table__  # type: ignore[attr-defined]
    parents = {row[0]: row[1] for row in session.execute(select(places.c.id, places.c.parent_id))}
    return Ladder(rungs, {i: _chain(i, parents) for i in parents})


def _chain(place_id: int, parents: Mapping[int, int | None]) -> tuple[int, ...]:
    found: list[int] = []
    at: int | None = place_id
    while at is not None and at not in found:
        found.append(at)
        at = parents.get(at)
    return tuple(reversed(found))


def devices(session: Session, ids: Sequence[int] | None) -> Iterator[tuple[int, Subject, dict[str, Any]]]:
    """Yield the id, what decides, and the own variables of all devices, or of `ids`."""
    table = Device.__table__  # type: ignore[attr-defined]
    columns = (table.c[c] for c in ("id", *Subject._fields, "vars"))
    query = select(*columns)
    if ids is not None and len(ids) < 500:
        query = query.where(table.c.id.in_(ids))
    wanted = None if ids is None else set(ids)
    for row in session.execute(query):
        if wanted is None or row[0] in wanted:
            yield row[0], Subject._make(row[1:6]), row[6] or {}


def merged(session: Session, ids: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
    """Return device id → its variables, of all devices or of `ids`, in three queries.

    Devices of one place, role, platform, agency and tags share the merge of their layers; what is returned is to be
    read, not changed.
    """
    rungs = ladder(session)
    shared: dict[Subject, dict[str, Any]] = {}
    found = {}
    for row_id, subject, own in devices(session, ids):
        if subject not in shared:
            shared[subject] = _laid(rungs.of(subject))
        below = shared[subject]
        found[row_id] = merged_over(below, {k: typed(v) for k, v in own.items()}) if own else dict(below)
    return found


def _laid(rungs: Iterable[Rung]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rung in rungs:
        found = merged_over(found, rung.values)
    return found
