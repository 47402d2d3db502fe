"""The network as it is recorded: the rows that say who is connected to what, and the graph they make.

What is a path, and what is not:

- A link is a path between the devices of its two interfaces, confirmed, declared or conflicting; a link with an end
  missing is none, and one that is not installed yet, or whose contract has not begun or has ended, is none either.
  Two links between the same two ports are one cable. Only active devices carry anything.
- A link with one end and a contract leads to its provider. A circuit of the regency's own network (`intra`) can be
  a way through that provider's network to other such circuits; an internet line, or one that is not `intra`, ends
  there: two offices with internet do not reach each other by it. A connection with an internet contract and no link
  is such a line too.
- `parent` of a virtual device is the host it runs on, and a parent of role `ups` feeds it: it cannot work without
  either, and a UPS is no path. Any other parent is the device in front. It is a path only where the links
  recorded do not join the two already, so that it never passes for a second way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from sqlmodel import Session

from inventory import network_rows
from inventory.graph import Graph, Line
from inventory.network_rows import ConnectionRow, ContractRow, DeviceRow, LinkRow, Rows


class Wire(NamedTuple):
    """What a line of the graph stands for: a link, a connection without one, or a device's `parent`.

    A cable that was entered as two links is one line, called as the first of them.
    """

    kind: str
    id: int
    name: str
    path_group: str = ""
    conflicting: bool = False


@dataclass(frozen=True)
class Network:
    """The rows and their graph. Nodes are the active devices, then providers' networks, then the ends of lines out.

    `exits`: line number → device id, of the lines that lead out of the regency's network. `twins`: line number → ids
    of the links that are the same cable again.
    """

    rows: Rows
    graph: Graph
    names: tuple[str, ...]
    wires: tuple[Wire, ...]
    node_of: Mapping[int, int]
    provider_node: Mapping[int, int]
    exits: Mapping[int, int]
    twins: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @cached_property
    def device_of(self) -> tuple[int, ...]:
        """The device ids in the order of their nodes; the nodes after them are no devices."""
        return tuple(self.node_of)

    @cached_property
    def line_of(self) -> Mapping[tuple[str, int], int]:
        """The line number of a wire, by kind and id."""
        own = {(w.kind, w.id): n for n, w in enumerate(self.wires)}
        return own | {("link", i): n for n, ids in self.twins.items() for i in ids}

    def same_cable(self, links: Iterable[int]) -> frozenset[int]:
        """Return these links with those that are the same cables."""
        found = set(links)
        numbers = {n for i in found if (n := self.line_of.get(("link", i))) is not None}
        for number in numbers & self.twins.keys():
            found |= {self.wires[number].id, *self.twins[number]}
        return frozenset(found)

    @cached_property
    def inside(self) -> Mapping[int, list[int]]:
        """The places directly in a place."""
        found: dict[int, list[int]] = {}
        for place in self.rows.places.values():
            if place.parent_id is not None:
                found.setdefault(place.parent_id, []).append(place.id)
        return found

    def under(self, places: Iterable[int]) -> frozenset[int]:
        """Return the places with all below them."""
        found = set(places)
        waiting = list(found)
        while waiting:
            new = [p for p in self.inside.get(waiting.pop(), ()) if p not in found]
            found.update(new)
            waiting += new
        return frozenset(found)

    @cached_property
    def unlinked(self) -> tuple[str, ...]:
        """The active devices of which no line at all is recorded."""
        near = self.graph.near
        return tuple(sorted(self.rows.devices[d].name for d, n in self.node_of.items() if not near[n]))


def load(session: Session, today: date | None = None) -> Network:
    """Read the network as it is on a day; without one, with every line that is recorded."""
    return build(network_rows.read(session, today))


def build(rows: Rows) -> Network:
    """Make the graph of the rows."""
    draft = _Draft(rows)
    for link in rows.links.values():
        draft.link(link)
    for connection in rows.connections.values():
        draft.way_out(connection)
    draft.parents()
    graph = Graph(len(draft.names), tuple(draft.lines), draft.needs)
    return Network(
        rows,
        graph,
        tuple(draft.names),
        tuple(draft.wires),
        draft.node_of,
        draft.provider_node,
        draft.exits,
        draft.twins,
    )


class _Draft:
    """A network while it is put together."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        active = [d for d in rows.devices.values() if d.status == "active"]
        self.node_of = {d.id: n for n, d in enumerate(active)}
        self.names = [d.name for d in active]
        self.lines: list[Line] = []
        self.wires: list[Wire] = []
        self.needs: dict[int, tuple[int, ...]] = {}
        self.provider_node: dict[int, int] = {}
        self.exits: dict[int, int] = {}
        self.twins: dict[int, tuple[int, ...]] = {}
        self._cables: dict[frozenset[int], int] = {}

    def link(self, link: LinkRow) -> None:
        """Add a link that is there, if both its ends are known or its contract says whose it is."""
        if self.rows.absent(link):
            return
        ends = [self.node_of[d] for d in (link.a, link.z) if d in self.node_of]
        wire = Wire("link", link.id, link.name, link.path_group, link.state == "conflicting")
        if len(ends) == 2:
            self._cable(link, Line(ends[0], ends[1], link.role == "backup"), wire)
        elif len(ends) == 1 and (link.a is None or link.z is None):
            contract = self.rows.contracts.get(link.contract_id or 0)
            if contract is not None and contract.provider_id in self.rows.providers:
                self._leading_out(ends[0], contract, wire, link)

    def _cable(self, link: LinkRow, line: Line, wire: Wire) -> None:
        """Add a line between two ports once; entered again, it is the same, and a backup only where each is."""
        ports = frozenset(p for p in (link.a_interface_id, link.z_interface_id) if p is not None)
        number = self._cables.get(ports) if len(ports) == 2 else None
        if number is None:
            self._cables[ports] = len(self.lines)
            self._add(line, wire)
            return
        self.twins[number] = (*self.twins.get(number, ()), link.id)
        self.lines[number] = self.lines[number]._replace(backup=self.lines[number].backup and line.backup)

    def _leading_out(self, device: int, contract: ContractRow, wire: Wire, link: LinkRow) -> None:
        provider = self.rows.providers[contract.provider_id or 0]
        through = link.intra and contract.kind != "internet"
        node = self.provider_node.get(provider.id) if through else None
        if node is None:
            node = len(self.names)
            self.names.append(f"provider:{provider.name}")
        if through:
            self.provider_node[provider.id] = node
        else:
            self.exits[len(self.lines)] = link.a or link.z or 0
        self._add(Line(device, node, link.role == "backup"), wire)

    def way_out(self, connection: ConnectionRow) -> None:
        """Add a connection by an internet contract of which no link is recorded."""
        contract = self.rows.contracts.get(connection.contract_id or 0)
        node = self.node_of.get(connection.device_id or 0)
        if connection.link_id is not None or contract is None or contract.kind != "internet" or node is None:
            return
        if self.rows.ended(connection):
            return
        if contract.provider_id in self.rows.providers:
            link = LinkRow(connection.id, connection.name, a=connection.device_id)
            self._leading_out(node, contract, Wire("connection", connection.id, connection.name), link)

    def parents(self) -> None:
        """Add what devices need, and the parents that stand for a way of which no link is recorded."""
        joined = _Joined(len(self.names))
        for line in self.lines:
            joined.join(line.a, line.z)
        assumed: list[tuple[int, int, DeviceRow]] = []
        for device in self.rows.devices.values():
            node, above = self.node_of.get(device.id), self.node_of.get(device.parent_id or 0)
            if node is None or above is None:
                continue
            feeds = self.rows.devices[device.parent_id or 0].role == "ups"
            if device.virtual or feeds:
                self.needs[node] = (above,)
            if not feeds and (device.virtual or joined.top(node) != joined.top(above)):
                assumed.append((node, above, device))
        for node, above, device in assumed:
            self._add(Line(above, node), Wire("parent", device.id, f"{device.name} (parent)"))

    def _add(self, line: Line, wire: Wire) -> None:
        self.lines.append(line)
        self.wires.append(wire)


class _Joined:
    """Which nodes hang together (union-find with halved paths)."""

    def __init__(self, size: int) -> None:
        self._up = list(range(size))

    def top(self, node: int) -> int:
        """Return the node that stands for all that hang together with this one."""
        up = self._up
        while up[node] != node:
            up[node] = up[up[node]]
            node = up[node]
        return node

    def join(self, one: int, other: int) -> None:
        """Let two nodes hang together."""
        self._up[self.top(one)] = self.top(other)
