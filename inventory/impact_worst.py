"""The single points of failure of the whole network, worst first, without trying every failure one by one.

The dominator tree holds, for every device and link at once, what it alone can cut off: all below it. An agency is
cut off by whatever stands above all of its attachments, so one count at the place where they meet, summed up the
tree, gives the agencies of every device and link in linear time; places go the same way. Only what takes several
things with it at once (a provider, a UPS, a host) is tried, and that only where the tree does not tell already.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from inventory.graph import NOBODY, fallen
from inventory.impact import AREAS
from inventory.impact_standing import Failed, Standing, State, after
from inventory.impact_view import Member, Requirement, View, Watch


@dataclass(frozen=True)
class Weak:
    """A device, link or provider, and how much of what it alone cuts off; `places` are without rooms and racks."""

    noun: str
    name: str
    kecamatan: int = 0
    places: int = 0
    agencies: int = 0
    services: int = 0
    devices: int = 0

    @property
    def rank(self) -> tuple[int, int, int, str, str]:
        """The order: agencies and services cut off, then devices, then places."""
        return (-self.agencies - self.services, -self.devices, -self.places, self.noun, self.name)


def worst(view: View) -> list[Weak]:
    """Return every device, link and provider whose failure takes more than itself, the worst first."""
    found = _Counts(view).all()
    grave = (w for w in found if w.agencies or w.services or w.places or w.devices > 1)
    return sorted(grave, key=lambda weak: weak.rank)


@dataclass(frozen=True)
class _Counts:
    """The counts of every item of the dominator tree; an item is a node, or size + the number of a line."""

    view: View

    @cached_property
    def depth(self) -> Mapping[int, int]:
        above = self.view.gates.above
        depth = {NOBODY: 0}
        for item in self.view.gates.order:
            depth[item] = depth[above[item]] + 1
        return depth

    def meet(self, items: Iterable[int]) -> int:
        """Return the lowest item above, or at, all of these; NOBODY if nothing is."""
        above, depth = self.view.gates.above, self.depth
        top: int | None = None
        for item in items:
            while top is not None and top != item:
                if depth[top] >= depth[item]:
                    top = above[top]
                else:
                    item = above[item]
            top = item
            if top == NOBODY:
                break
        return NOBODY if top is None else top

    def summed(self, tops: Iterable[int]) -> Counter[int]:
        """Return for each item how many of the tops are it, or below it."""
        found = Counter(t for t in tops if t != NOBODY)
        above = self.view.gates.above
        for item in reversed(self.view.gates.order):
            if item in found and above[item] != NOBODY:
                found[above[item]] += found[item]
        return found

    def nodes_of(self, watch: Watch) -> dict[int, list[int]]:
        """Return the nodes by which each owner is known to be connected."""
        found: dict[int, list[int]] = {}
        for one, owners in watch.attachments:
            if one.device in self.view.known:
                for owner in owners:
                    found.setdefault(owner, []).append(self.view.network.node_of[one.device])
        return found

    @cached_property
    def place_tops(self) -> Mapping[int, int]:
        """Where the ways to each place meet."""
        return {place: self.meet(nodes) for place, nodes in self.nodes_of(self.view.places).items()}

    @cached_property
    def devices(self) -> Counter[int]:
        return self.summed(self.view.network.node_of[d] for d in self.view.known)

    @cached_property
    def agencies(self) -> Counter[int]:
        return self.summed(self.meet(nodes) for nodes in self.nodes_of(self.view.agencies).values())

    @cached_property
    def areas(self) -> Counter[int]:
        places = self.view.network.rows.places
        return self.summed(t for p, t in self.place_tops.items() if places[p].kind in AREAS)

    @cached_property
    def kecamatan(self) -> Counter[int]:
        places = self.view.network.rows.places
        return self.summed(t for p, t in self.place_tops.items() if places[p].kind == "kecamatan")

    @cached_property
    def services(self) -> Counter[int]:
        """For each item how many services it takes down; there are few, so the items are written out."""
        ends: dict[int, frozenset[int]] = dict.fromkeys(self.view.needed, frozenset())
        changed = True
        while changed:
            changed = False
            for service, needed in self.view.needed.items():
                found = frozenset(i for r in needed for i in self._killers(r, ends))
                if found != ends[service]:
                    ends[service], changed = found, True
        return Counter(item for items in ends.values() for item in items)

    def _killers(self, needed: Requirement, services: Mapping[int, frozenset[int]]) -> frozenset[int]:
        found = [self._killers_of(m, services) for m in needed.members]
        known = [items for items in found if items is not None]
        return frozenset.intersection(*known) if known else frozenset()

    def _killers_of(self, member: Member, services: Mapping[int, frozenset[int]]) -> frozenset[int] | None:
        """Return the items that take one thing down, or None if it is not known to be connected."""
        if member.id is None:
            return None
        if member.noun == "service":
            return services[member.id]
        if member.noun == "place":
            return frozenset(self.view.gates.path(self.place_tops.get(member.id, NOBODY)))
        if member.noun == "link":
            return self._link(member.id)
        device = member.id if member.noun == "device" else self.view.far_end[member.id]
        return self._above([device])

    def _link(self, link_id: int) -> frozenset[int] | None:
        network = self.view.network
        found = self._above([network.rows.links[link_id].a, network.rows.links[link_id].z])
        line = network.line_of.get(("link", link_id))
        return found if found is None or line is None else found | {network.graph.size + line}

    def _above(self, devices: Iterable[int | None]) -> frozenset[int] | None:
        nodes = [self.view.network.node_of[d] for d in devices if d in self.view.known]
        return frozenset(i for n in nodes for i in self.view.gates.path(n)) if nodes else None

    # --- all of it --------------------------------------------------------------------------------------

    def all(self) -> Iterator[Weak]:
        """Yield every device, link and provider with its counts."""
        network = self.view.network
        for device in self.view.known | {network.device_of[n] for n in network.graph.hang_on}:
            yield self._device(device)
        items = {*self.devices, *self.services, *self.agencies, *self.areas}
        for number in sorted(i - network.graph.size for i in items if i >= network.graph.size):
            if network.wires[number].kind == "link":
                yield self._item("link", network.wires[number].name, network.graph.size + number)
        for provider in network.rows.providers.values():
            yield self._tried("provider", provider.name, Failed(providers=frozenset([provider.id])))

    def _device(self, device: int) -> Weak:
        network = self.view.network
        name, node = network.rows.devices[device].name, network.node_of[device]
        if node not in network.graph.hang_on:
            return self._item("device", name, node)
        members = fallen(network.graph, [node])
        reached = [n for n in members if n in self.depth]
        top = min(reached, key=self.depth.__getitem__, default=NOBODY)
        plain = top != NOBODY and all(top in self.view.gates.path(n) for n in reached)
        silent = members.difference(reached)
        if not plain or any(network.device_of[n] in self._lone for n in silent):
            return self._tried("device", name, Failed(devices=frozenset([device])))
        return self._item("device", name, top, more=len(silent))

    @cached_property
    def _lone(self) -> frozenset[int]:
        """The devices that no root reaches but whose failure tells: of services, or all that an owner has."""
        view = self.view
        members = (m for needed in view.needed.values() for r in needed for m in r.members)
        found = {d for m in members for d in self._devices_of(m)}
        for watch in (view.agencies, view.places):
            lone = (a.device for a, owners in watch.attachments if any(not watch.total[o] for o in owners))
            found.update(lone)
        return frozenset(d for d in found if d is not None and d not in view.known)

    def _devices_of(self, member: Member) -> tuple[int | None, ...]:
        """Return the devices of what a service needs: itself, a line's two ends, a connection's far end."""
        if member.id is None or member.noun not in ("device", "link", "connection"):
            return ()
        if member.noun == "link":
            link = self.view.network.rows.links[member.id]
            return link.a, link.z
        return (member.id if member.noun == "device" else self.view.far_end[member.id],)

    def _item(self, noun: str, name: str, item: int, more: int = 0) -> Weak:
        return Weak(
            noun,
            name,
            self.kecamatan[item],
            self.areas[item],
            self.agencies[item],
            self.services[item],
            self.devices[item] + more,
        )

    def _tried(self, noun: str, name: str, failed: Failed) -> Weak:
        return weight(noun, name, after(self.view, failed, plain=True))


def weight(noun: str, name: str, standing: Standing) -> Weak:
    """Return the counts of one failure, as it is worked out alone."""
    places = standing.view.network.rows.places
    kinds = Counter(places[p].kind for p, s in standing.places.items() if s is State.down)
    return Weak(
        noun,
        name,
        kinds["kecamatan"],
        sum(kinds[k] for k in AREAS),
        sum(s is State.down for s in standing.agencies.values()),
        sum(s is State.down for s in standing.services.values()),
        len(standing.down),
    )
