"""Several readings of one device's day into one: by time, each value once, the first that was stored stays. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.samples import MISSING, NOTHING, Layout
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import VALUED

Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """Polls of one device with one layout: times and flags (n each), values columns × (those that have any)."""

    plan: Plan
    at_ms: Array
    flags: Array
    values: Array

    @property
    def valued_ms(self) -> Array:
        """The times of the values' columns."""
        times: Array = self.at_ms[self.flags & VALUED != 0]
        return times

    def within(self, start_ms: int, end_ms: int) -> "Part":
        """Return what lies in [start, end)."""
        inside = (self.at_ms >= start_ms) & (self.at_ms < end_ms)
        valued = (self.valued_ms >= start_ms) & (self.valued_ms < end_ms)
        return Part(self.plan, self.at_ms[inside], self.flags[inside], self.values[:, valued])


EMPTY = Part(Plan(NOTHING), np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 0), np.int64))


def merged(parts: Sequence[Part]) -> Part:
    """Return the union; of two values for one series and time the one in the earlier part stays."""
    if not parts:
        return EMPTY
    if _in_order(parts):
        at, flags = (np.concatenate([getattr(p, name) for p in parts]) for name in ("at_ms", "flags"))
        return Part(parts[0].plan, at, flags, np.concatenate([p.values for p in parts], axis=1))
    plan = _union([p.plan for p in parts if p.plan.layout.columns])
    at = np.concatenate([p.at_ms for p in parts])
    flags = np.concatenate([p.flags for p in parts])
    times, place = np.unique(at, return_inverse=True)
    joined = np.zeros(len(times), np.int64)
    np.bitwise_or.at(joined, place, flags)
    return Part(plan, times, joined, _values(parts, plan, times[joined & VALUED != 0]))


def _in_order(parts: Sequence[Part]) -> bool:
    """Return whether the parts follow one another, with the same columns: the usual day."""
    at = np.concatenate([p.at_ms for p in parts])
    return len({p.plan.layout.id for p in parts}) == 1 and bool((at[1:] > at[:-1]).all())


def _union(plans: Sequence[Plan]) -> Plan:
    """Return the plan with all columns of these; the first one when it has them all."""
    columns = dict.fromkeys(
        name for plan in {p.layout.id: p for p in plans}.values() for name in plan.layout.columns
    )
    same = [p for p in plans if len(p.layout.columns) == len(columns)]
    return same[0] if same else Plan(Layout(tuple(columns)))


def _values(parts: Sequence[Part], plan: Plan, times: Array) -> Array:
    values = np.full((len(plan.layout.columns), len(times)), MISSING)
    for part in reversed(parts):  # what was stored first is laid on last
        if not part.values.size:
            continue
        at = part.valued_ms
        order = np.arange(len(at))[::-1]  # and within a part the first of two for one time
        rows = _rows(part.plan, plan)
        columns = np.searchsorted(times, at[order])
        fresh = part.values[:, order]
        spot = np.ix_(rows, columns)
        values[spot] = np.where(fresh == MISSING, values[spot], fresh)
    return values


def _rows(old: Plan, new: Plan) -> Array:
    if old.layout.id == new.layout.id:
        return np.arange(len(old.layout.columns))
    return np.array([new.layout.places[name] for name in old.layout.columns], np.int64)
