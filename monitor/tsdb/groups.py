"""Which columns of a layout lie together in a block. Pure.

What is asked for together is read together: the octets of an interface, its speed and its marks in one block,
its errors, discards and packets in another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from json import loads

from monitor.samples import Layout, Name

GROUPS = 2**20  # at most so many of one device


@dataclass(frozen=True)
class Group:
    """A block's columns: their numbers in the layout, in the block's order."""

    instance: str
    columns: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """A layout and how it is divided."""

    layout: Layout

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The blocks of a day: two for each interface, one for each other instance."""
        found: dict[tuple[str, bool], list[int]] = {}
        for i, (metric, instance) in enumerate(self.layout.columns):
            found.setdefault((instance, seldom(metric)), []).append(i)
        return tuple(Group(instance, tuple(columns)) for (instance, _), columns in found.items())

    @cached_property
    def halves(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The two blocks of an hour: the columns that are often asked for, and the others."""
        numbered = list(enumerate(self.layout.columns))
        often = tuple(i for i, (metric, _) in numbered if not seldom(metric))
        return often, tuple(i for i, (metric, _) in numbered if seldom(metric))

    @cached_property
    def metrics(self) -> frozenset[str]:
        """What is measured."""
        return frozenset(metric for metric, _ in self.layout.columns)

    @cached_property
    def in_groups(self) -> Mapping[Name, tuple[int, int]]:
        """(metric, instance) → its group, and its row there."""
        columns = self.layout.columns
        return {
            columns[c]: (g, r) for g, group in enumerate(self.groups) for r, c in enumerate(group.columns)
        }

    @cached_property
    def in_halves(self) -> Mapping[Name, tuple[int, int]]:
        """(metric, instance) → its half, and its row there."""
        columns = self.layout.columns
        return {columns[c]: (h, r) for h, half in enumerate(self.halves) for r, c in enumerate(half)}


def seldom(metric: str) -> bool:
    """Return whether a metric of interfaces is asked for less often than its octets."""
    return counted(metric) and "octets" not in metric


def counted(metric: str) -> bool:
    """Return whether a metric is a counter: those of interfaces are, all others are gauges."""
    return metric.startswith(("in_", "out_"))


def bits(metric: str) -> int:
    """Return how wide a counter is."""
    return 64 if metric.endswith("_64") else 32


def octets_each(metric: str) -> int:
    """Return how many octets one of what is counted takes at least: a packet, or what was wrong with it, 64."""
    return 1 if "octets" in metric else 64


@lru_cache(maxsize=20_000)
def plan_of(layout_id: int, columns: str) -> Plan:
    """Return the plan of a stored layout. Raises ValueError when the columns are not those of the id."""
    layout = Layout(tuple((metric, instance) for metric, instance in loads(columns)))
    if layout.id != layout_id:
        raise ValueError("its columns are not those of its number")
    return Plan(layout)
