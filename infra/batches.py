"""In which order hosts are changed: one first, then batches from the leaves inwards. Pure.

Never are both ends of a redundant pair in one batch: hosts that, failing together, cut off more than each of them
alone would. That is asked of the recorded network itself and not of names or roles, so it holds for two routers of
a ring, two servers that stand in for each other, and a switch with its backup line alike.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from infra.radius import Radius
from inventory.impact_standing import Failed, Standing, State, after
from inventory.impact_view import View

CANARY_FROM = 3  # hosts
TRIES = 4  # batches that are tried for a host before a new one is opened


@dataclass(frozen=True)
class Batch:
    """Some hosts that are changed side by side; `canary`: the one that goes first."""

    hosts: tuple[str, ...]
    canary: bool = False


class Together:
    """Tells which hosts may be away at the same time."""

    def __init__(self, view: View | None, devices: Mapping[str, int]) -> None:
        self._view, self._devices = view, devices
        self.alone = cache(self._alone)

    def may_join(self, batch: Sequence[str], host: str) -> bool:
        """Tell whether the host may be away while the batch is: nothing more is cut off than by each alone."""
        if self._view is None or not batch:
            return True
        names = [*batch, host]
        lost = self._lost([self._devices[n] for n in names])
        return lost <= frozenset().union(*(self.alone(n) for n in names))

    def hangs_on(self, other: str, host: str) -> bool:
        """Tell whether `other` is cut off when this host is away."""
        return self._view is not None and ("device", self._devices[other]) in self.alone(host)

    def _alone(self, host: str) -> frozenset[tuple[str, int]]:
        return self._lost([self._devices[host]])

    def _lost(self, ids: Iterable[int]) -> frozenset[tuple[str, int]]:
        assert self._view is not None
        standing = after(self._view, Failed(devices=frozenset(ids)), plain=True)
        return frozenset(_down(standing))


def _down(standing: Standing) -> Iterator[tuple[str, int]]:
    yield from (("device", d) for d in standing.down)
    yield from (("service", s) for s, state in standing.services.items() if state is State.down)


def batches(
    radii: Mapping[str, Radius], together: Together, size: int, canary_from: int = CANARY_FROM
) -> list[Batch]:
    """Return the hosts in batches of at most `size`: a canary where there are at least `canary_from`, leaves first."""
    order = sorted(radii, key=lambda name: _inwards(radii[name], name))
    found: list[Batch] = []
    if len(order) >= canary_from:
        found.append(Batch((order.pop(0),), canary=True))
    return found + [Batch(tuple(hosts)) for hosts in _filled(order, radii, together, size)]


def _inwards(radius: Radius, name: str) -> tuple[int, int, str]:
    """Return what hosts are ordered by: those that nothing hangs on and that are farthest out come first."""
    return (
        radius.devices + len(radius.services),
        -(radius.depth if radius.depth is not None else 1 << 20),
        name,
    )


def _filled(
    order: Sequence[str], radii: Mapping[str, Radius], together: Together, size: int
) -> list[list[str]]:
    """Return batches, each host in the first that takes it and holds nobody it must come after."""
    found: list[list[str]] = []
    for name in order:
        first = _first_allowed(found, name, radii, together)
        for batch in found[first:][:TRIES]:
            if len(batch) < size and together.may_join(batch, name):
                batch.append(name)
                break
        else:
            found.append([name])
    return found


def _first_allowed(
    found: Sequence[Sequence[str]], name: str, radii: Mapping[str, Radius], together: Together
) -> int:
    """Return the first batch in which, as in all later ones, no host lies behind this one."""
    own = radii[name]
    for number in range(len(found) - 1, -1, -1):
        for other in found[number]:
            outwards = (radii[other].depth or 0) > (own.depth or 0)
            if together.hangs_on(other, name) or (outwards and other in own.beside):
                return number + 1
    return 0
