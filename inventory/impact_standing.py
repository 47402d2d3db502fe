"""What is left standing when something fails: devices first, then by them agencies, places and services.

Only what the roots reached before can be cut off; of the rest nobody knows whether it was ever connected, so it
counts neither as lost nor as a way round. What has itself failed is down in any case.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from inventory.graph import Ways, fallen, reached, ways
from inventory.impact_view import Attachment, Member, Requirement, View, Watch
from inventory.network import Network


class State(StrEnum):
    """How something stands. `partly`: some of an agency or place; `degraded`: a service with less to fall back on."""

    up = "up"
    backup = "on-backup"
    degraded = "degraded"
    partly = "partly"
    down = "down"
    unknown = "unknown"


@dataclass(frozen=True)
class Failed:
    """What fails, as row ids by noun."""

    devices: frozenset[int] = frozenset()
    links: frozenset[int] = frozenset()
    connections: frozenset[int] = frozenset()
    contracts: frozenset[int] = frozenset()
    providers: frozenset[int] = frozenset()
    services: frozenset[int] = frozenset()


def struck(network: Network, failed: Failed) -> tuple[frozenset[int], frozenset[int]]:
    """Return the nodes and lines that are gone: with a contract its lines, with a host what runs on it."""
    contracts = lost_contracts(network, failed)
    links = {link.id for link in network.rows.links.values() if link.contract_id in contracts}
    of_connections = lost_connections(network, failed)
    lines = [
        network.line_of.get(("link", i)) for i in links | failed.links
    ]  # a cable entered twice is one line
    lines += [network.line_of.get(("connection", i)) for i in of_connections]
    nodes = fallen(network.graph, (network.node_of[d] for d in failed.devices if d in network.node_of))
    providers = (network.provider_node[p] for p in failed.providers if p in network.provider_node)
    return nodes | frozenset(providers), frozenset(n for n in lines if n is not None)


def lost_contracts(network: Network, failed: Failed) -> frozenset[int]:
    """Return the contracts that fail: those named, and those of providers that fail."""
    if not failed.providers:
        return failed.contracts
    theirs = (c.id for c in network.rows.contracts.values() if c.provider_id in failed.providers)
    return failed.contracts | frozenset(theirs)


def lost_connections(network: Network, failed: Failed) -> frozenset[int]:
    """Return the connections that fail as such: those named, and those that are all there is of a contract."""
    contracts = lost_contracts(network, failed)
    if not contracts:
        return failed.connections
    rows = network.rows.connections.values()
    return failed.connections | {c.id for c in rows if c.contract_id in contracts and c.link_id is None}


def after(view: View, failed: Failed, *, plain: bool = False) -> "Standing":
    """Return what is left standing after a failure."""
    return Standing(view, failed, *struck(view.network, failed), plain)


@dataclass(frozen=True)
class Standing:
    """How everything stands after a failure, beside how the roots saw it before.

    `plain`: only what is down is asked for, and what goes on by a worse way is not worked out.
    """

    view: View
    failed: Failed
    nodes: frozenset[int]
    lines: frozenset[int]
    plain: bool = False

    @cached_property
    def after(self) -> Ways:
        """The best way to each node that is left."""
        return ways(self.view.network.graph, self.view.roots, self.nodes, self.lines)

    @cached_property
    def broken(self) -> frozenset[int]:
        """The devices that failed themselves, or that run on or are fed by one that did."""
        device_of = self.view.network.device_of
        return self.failed.devices | {device_of[n] for n in self.nodes if n < len(device_of)}

    @cached_property
    def down(self) -> frozenset[int]:
        """The devices that failed, and those that were reached and no longer are."""
        device_of = self.view.network.device_of
        left = reached(self.view.network.graph, self.view.roots, self.nodes, self.lines)
        standing = {device_of[n] for n in left if n < len(device_of)}
        return self.broken | (self.view.known - standing)

    @cached_property
    def backup(self) -> frozenset[int]:
        """The devices that are still reached, by a worse way than before."""
        if self.plain:
            return frozenset()
        before, after, node_of = self.view.before.cost, self.after.cost, self.view.network.node_of
        return frozenset(d for d in self.view.known - self.down if after[node_of[d]] > before[node_of[d]])

    @cached_property
    def links(self) -> frozenset[int]:
        """The links that failed themselves, of which the graph may know nothing."""
        contracts = lost_contracts(self.view.network, self.failed)
        rows = self.view.network.rows.links.values() if contracts else ()
        lost = self.failed.links | {link.id for link in rows if link.contract_id in contracts}
        return self.view.network.same_cable(lost) if self.view.network.twins else lost

    @cached_property
    def connections(self) -> frozenset[int]:
        """The connections that failed as such."""
        return lost_connections(self.view.network, self.failed)

    def touched(self) -> Iterator[tuple[str, int]]:
        """Yield every device, link and connection that does not stand as before."""
        yield from (("device", d) for d in (*self.down, *self.backup))
        yield from (("link", i) for i in self.links)
        yield from (("connection", c) for c in self.connections)

    def device(self, row_id: int) -> State:
        """Return how a device stands."""
        if row_id in self.down:
            return State.down
        if row_id not in self.view.known:
            return State.unknown
        return State.backup if row_id in self.backup else State.up

    def link(self, row_id: int) -> State:
        """Return how a link stands: it works while both of its ends do."""
        link = self.view.network.rows.links[row_id]
        ends = {self.device(d) for d in (link.a, link.z) if d is not None}
        if row_id in self.links or State.down in ends:
            return State.down
        return State.up if ends & {State.up, State.backup} else State.unknown

    def attachment(self, one: Attachment) -> State:
        """Return how an agency's or a place's attachment stands."""
        state = State.unknown if one.device is None else self.device(one.device)
        if one.connection in self.connections:
            return State.down
        if one.link in self.links and state is not State.down:
            return State.down if state is State.unknown else State.backup
        return state

    def connection(self, row_id: int) -> State:
        """Return how a connection stands."""
        row = self.view.network.rows.connections[row_id]
        return self.attachment(Attachment(self.view.far_end[row_id], row.link_id, row_id))

    @cached_property
    def agencies(self) -> dict[int, State]:
        """How the agencies stand that are touched."""
        return states(self, self.view.agencies)

    @cached_property
    def places(self) -> dict[int, State]:
        """How the places stand that are touched."""
        return states(self, self.view.places)

    @cached_property
    def services(self) -> dict[int, State]:
        """How every service stands. What depends on itself in a circle is up until something else takes it down."""
        states = dict.fromkeys(self.view.needed, State.up) | dict.fromkeys(self.failed.services, State.down)
        changed = True
        while changed:
            changed = False
            for row_id, needed in self.view.needed.items():
                state = max(
                    (self.requirement(r, states) for r in needed), key=_GRAVITY.index, default=State.up
                )
                if _GRAVITY.index(state) > _GRAVITY.index(states[row_id]):
                    states[row_id], changed = state, True
        return states

    def requirement(self, needed: Requirement, services: Mapping[int, State]) -> State:
        """Return how one requirement stands: down when some fell and none is known to be up."""
        found = [self.member(m, services) for m in needed.members]
        left = [s for s in found if s not in (State.down, State.unknown)]
        if State.down in found:
            return State.degraded if left else State.down
        return min(left, key=_GRAVITY.index, default=State.up)

    def member(self, member: Member, services: Mapping[int, State]) -> State:
        """Return how one thing stands that a service needs."""
        if member.id is None:
            return State.unknown
        if member.noun == "place":
            return State.down if self.places.get(member.id) is State.down else State.up
        look = {"device": self.device, "link": self.link, "connection": self.connection}
        return services[member.id] if member.noun == "service" else look[member.noun](member.id)


_GRAVITY = (State.up, State.backup, State.degraded, State.down)


def states(standing: Standing, watch: Watch) -> dict[int, State]:
    """Return how each owner stands of which an attachment is touched."""
    touched = {n for key in standing.touched() for n in watch.index.get(key, ())}
    total, down, backup = Counter[int](), Counter[int](), Counter[int]()
    for number in touched:
        one, owners = watch.attachments[number]
        state = standing.attachment(one)
        if state is State.down:
            down.update(owners)
            if one.device not in watch.known:
                total.update(owners)
        elif state is State.backup:
            backup.update(owners)
    lost = {o: State.down if n == watch.total[o] + total[o] else State.partly for o, n in down.items()}
    return {**dict.fromkeys(backup, State.backup), **lost}
