"""Who stands in front of whom, as the machine of states needs it: the recorded network, seen from where siaga stands.

A device behind several ways is cut off only when all of them are. Whoever is not asked (an unmanaged switch, a
provider's network) lets pass: nobody can say that it does not.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field

from inventory.impact_standing import Failed, after
from inventory.impact_view import View
from inventory.network import Network

UPLINK = 0  # siaga's own way into the network: in front of the roots, and no device's id


@dataclass(frozen=True)
class Topology:
    """Device id → the ids next to it; providers' networks have negative ids. `roots` are nearest to siaga."""

    near: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    roots: frozenset[int] = frozenset()

    def in_front(self, device: int) -> tuple[int, ...]:
        """Return who is next to a device; before a root, and one of which no line is known, is siaga's uplink."""
        near = self.near.get(device, ())
        return (UPLINK, *near) if device in self.roots or not near else near

    def reached(self, passes: Callable[[int], bool]) -> frozenset[int]:
        """Return who is reached from siaga through those that let pass, the uplink with them."""
        found = {UPLINK, *(r for r in self.roots if passes(r))}
        waiting = list(found)
        while waiting:
            for other in self.near.get(waiting.pop(), ()):
                if other not in found and passes(other):
                    found.add(other)
                    waiting.append(other)
        return frozenset(found)

    def nearest(self, device: int, blocks: Callable[[int], bool], most: int = 5) -> tuple[int, ...]:
        """Return the nearest devices before this one that block the way and are not blocked themselves."""
        seen, waiting = {device}, [device]
        found: list[int] = []
        while waiting and len(found) < most:
            for other in self.near.get(waiting.pop(0), ()):
                if other in seen:
                    continue
                seen.add(other)
                if blocks(other):
                    found.append(other)
                else:
                    waiting.append(other)
        return tuple(found)


def topology(network: Network, roots: Iterable[int]) -> Topology:
    """Return the topology of the recorded network; `roots` are nodes of its graph."""
    ids = (*network.device_of, *(-1 - n for n in range(len(network.names) - len(network.device_of))))
    near = {
        ids[n]: tuple(dict.fromkeys(ids[o] for o, _ in some)) for n, some in enumerate(network.graph.near)
    }
    return Topology(near, frozenset(ids[r] for r in roots))


def of_parents(parents: Mapping[int, int]) -> Topology:
    """Return the topology of a tree: device → the one in front. For what has no links recorded."""
    near: dict[int, list[int]] = {}
    for child, parent in parents.items():
        near.setdefault(child, []).append(parent)
        near.setdefault(parent, []).append(child)
    tops = frozenset(p for p in parents.values() if p not in parents)
    return Topology({d: tuple(some) for d, some in near.items()}, tops)


def hang_on(network: Network, roots: Iterable[int], devices: Set[int]) -> frozenset[int]:
    """Return the devices that are cut off, or without power or host, when these devices are away; with them."""
    here = frozenset(d for d in devices if d in network.node_of)
    if not here:
        return frozenset(devices)
    return frozenset(devices) | after(View(network, frozenset(roots)), Failed(devices=here), plain=True).down
