"""What is recorded and cannot be counted on: lines that are not there yet or any more, and what is down now."""

from collections.abc import Iterable, Iterator

from inventory.graph import NOT_REACHED
from inventory.impact_standing import Standing
from inventory.network import Network, Wire
from inventory.network_rows import LinkRow
from siaga.clock import shown


def down_on(standing: Standing, node: int) -> tuple[str, ...]:
    """Return the sentences on what the monitor knows to be down on the way that is left to a node."""
    network, found = standing.view.network, list[str]()
    for at, line in standing.after.to(node):
        if line >= 0:
            found += _line_down(network, line)
        device = network.device_of[at] if at < len(network.device_of) else 0
        if device in network.rows.down:
            found.append(f"{network.names[at]} is down since {_when(network.rows.down[device])}")
    return tuple(found)


def _line_down(network: Network, line: int) -> Iterator[str]:
    wire: Wire = network.wires[line]
    if wire.kind == "link" and wire.id in network.rows.link_down:
        seen = network.rows.link_down[wire.id]
        backup = "backup " if network.graph.lines[line].backup else ""
        yield f"{backup}{wire.name} is down{f', seen {_when(seen)}' if seen else ''}"


def _when(at: object) -> str:
    return shown(at)[:16].replace("T", " ")  # type: ignore[arg-type]


def careful(standing: Standing, thinned: Iterable[int]) -> tuple[str, ...]:
    """Return the sentences on what nobody should count on: `thinned` are the nodes that are no longer redundant."""
    network = standing.view.network
    names = {n: network.names[n] for n in thinned}
    down = (f"{text}, on the way to {name}" for n, name in names.items() for text in down_on(standing, n))
    touched = standing.down | standing.backup | {network.device_of[n] for n in names}
    touched |= {d for d, n in network.node_of.items() if standing.view.before.cost[n] == NOT_REACHED}
    missing = (
        f"{link.name} {reason}: it is not counted"
        for link, reason in _absent(network)
        if {link.a, link.z} & touched
    )
    return (*sorted(missing), *sorted(set(down)))


def _absent(network: Network) -> Iterator[tuple[LinkRow, str]]:
    rows = network.rows
    yield from ((link, reason) for link in rows.links.values() if (reason := rows.absent(link)))
    for one in rows.connections.values():
        reason = rows.ended(one) if one.link_id is None else ""
        if reason:
            yield LinkRow(one.id, one.name, a=one.device_id), reason
