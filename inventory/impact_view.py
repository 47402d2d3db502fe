"""The network as its roots see it while all is well: who is reached, and what agencies, places and services live by.

It is made once, whatever is then thought to fail.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from inventory.graph import NOT_REACHED, Gates, Ways, gates, ways
from inventory.network import Network
from inventory.network_rows import ConnectionRow, ServiceRow


class Attachment(NamedTuple):
    """What an agency or a place is connected by: a device, or a connection with the device at its far end."""

    device: int | None
    link: int | None = None
    connection: int | None = None


@dataclass(frozen=True)
class Watch:
    """Owners (agencies or places) and the attachments they live by; an attachment may have several owners."""

    attachments: tuple[tuple[Attachment, tuple[int, ...]], ...]
    known: frozenset[int]  # device ids that the roots reach

    @cached_property
    def total(self) -> Counter[int]:
        """How many attachments of each owner are known to be connected."""
        return Counter(o for a, owners in self.attachments if a.device in self.known for o in owners)

    @cached_property
    def index(self) -> Mapping[tuple[str, int | None], list[int]]:
        """The attachments that hang on a device, a link or a connection."""
        found: dict[tuple[str, int | None], list[int]] = {}
        for number, (one, _) in enumerate(self.attachments):
            for noun, row_id in zip(Attachment._fields, one, strict=True):
                if row_id is not None:
                    found.setdefault((noun, row_id), []).append(number)
        return found


class Member(NamedTuple):
    """One thing a service needs, or one of several that stand in for each other; `id` is None if there is none."""

    noun: str
    id: int | None
    name: str


class Requirement(NamedTuple):
    """What a service needs at least one of; `group` is empty where it is one thing only."""

    group: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class View:
    """The network as its roots see it while all is well; made once, whatever is then thought to fail."""

    network: Network
    roots: frozenset[int]  # nodes

    @cached_property
    def before(self) -> Ways:
        """The best way to each node."""
        return ways(self.network.graph, self.roots)

    @cached_property
    def gates(self) -> Gates:
        """What alone leads to each node."""
        return gates(self.network.graph, self.roots)

    @cached_property
    def known(self) -> frozenset[int]:
        """The devices (ids) that the roots reach."""
        cost = self.before.cost
        return frozenset(d for d, n in self.network.node_of.items() if cost[n] != NOT_REACHED)

    @cached_property
    def far_end(self) -> Mapping[int, int | None]:
        """The device at the agency's end of each connection, or None where nobody knows."""
        return {c.id: self._far_end(c) for c in self.network.rows.connections.values()}

    def _far_end(self, connection: ConnectionRow) -> int | None:
        rows = self.network.rows
        link = rows.links.get(connection.link_id or 0)
        ends = [rows.devices[d] for d in (link.z, link.a) if d in self.known] if link else []
        ends.sort(key=lambda d: -self.before.cost[self.network.node_of[d.id]])
        ends.sort(key=lambda d: d.place_id is None or d.place_id != connection.place_id)
        candidates = [connection.device_id, *(d.id for d in ends)]
        return next((d for d in candidates if d in self.known), connection.device_id)

    @cached_property
    def places(self) -> Watch:
        """The places, each with the devices and connections in it and below it."""
        rows = self.network.rows
        found = [(Attachment(d), rows.devices[d].place_id) for d in self.network.node_of]
        found += [(self._connection(c), c.place_id) for c in rows.connections.values()]
        above: dict[int | None, tuple[int, ...]] = {p: tuple(self._above(p)) for p in rows.places}
        return Watch(tuple((a, above.get(p, ())) for a, p in found), self.known)

    def _above(self, place_id: int) -> Iterator[int]:
        at, places, left = place_id, self.network.rows.places, 64  # no tree of places is as deep
        while at in places and left:
            yield at
            at, left = places[at].parent_id or 0, left - 1

    @cached_property
    def agencies(self) -> Watch:
        """The agencies: each by its connections; without any, by its devices, or by those of its place."""
        rows = self.network.rows
        found: dict[int, list[Attachment]] = {}
        for connection in rows.connections.values():
            if connection.agency_id is not None:
                found.setdefault(connection.agency_id, []).append(self._connection(connection))
        connected = set(found)
        for device in self.network.node_of:
            agency = rows.devices[device].agency_id
            if agency is not None and agency not in connected:
                found.setdefault(agency, []).append(Attachment(device))
        for agency_row in rows.agencies.values():
            if agency_row.id not in found and agency_row.place_id is not None:
                found[agency_row.id] = [Attachment(d) for d in self.at_place(agency_row.place_id)]
        return Watch(tuple((a, (i,)) for i, some in found.items() for a in some), self.known)

    def _connection(self, connection: ConnectionRow) -> Attachment:
        return Attachment(self.far_end[connection.id], connection.link_id, connection.id)

    def at_place(self, place_id: int) -> list[int]:
        """Return the active devices in a place and below it."""
        return [d for p in self.network.under([place_id]) for d in self._here.get(p, ())]

    @cached_property
    def _here(self) -> Mapping[int | None, list[int]]:
        found: dict[int | None, list[int]] = {}
        for device in self.network.node_of:
            found.setdefault(self.network.rows.devices[device].place_id, []).append(device)
        return found

    @cached_property
    def needed(self) -> Mapping[int, tuple[Requirement, ...]]:
        """What each service needs; its own device stands alone unless a group has it."""
        rows = self.network.rows
        groups: dict[int, dict[str, list[Member]]] = {}
        for number, one in rows.dependencies.items():
            known = self._by_name.get(one.target_noun, {})
            member = Member(one.target_noun, known.get(one.target), one.target)
            groups.setdefault(one.service_id, {}).setdefault(one.group or f"\0{number}", []).append(member)
        return {
            s.id: (
                *self._own(s, groups.get(s.id, {})),
                *(Requirement(g.partition("\0")[0], tuple(m)) for g, m in groups.get(s.id, {}).items()),
            )
            for s in rows.services.values()
        }

    def _own(self, service: ServiceRow, groups: Mapping[str, list[Member]]) -> Iterator[Requirement]:
        rows = self.network.rows
        if service.device_id is not None:
            own = Member("device", service.device_id, rows.devices[service.device_id].name)
            if not any(own in members for members in groups.values()):
                yield Requirement("", (own,))
        elif service.place_id is not None and not groups:
            yield Requirement("", (Member("place", service.place_id, rows.places[service.place_id].name),))

    @cached_property
    def _by_name(self) -> Mapping[str, Mapping[str, int]]:
        rows = self.network.rows
        some: Mapping[str, Mapping[int, Any]] = {
            "service": rows.services,
            "device": rows.devices,
            "link": rows.links,
            "connection": rows.connections,
        }
        return {noun: {r.name: r.id for r in found.values()} for noun, found in some.items()}
