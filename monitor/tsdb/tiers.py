"""Raw values into bins: increments of counters are classified, spread over the bins they cover, and summed. Pure.

The judgement is that of monitor.rates, for many columns at once; a test holds the two equal. Sums add up: what lies
between two readings is divided among the bins by time, and no octet is lost or told twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.rates import OVER_SPEED, TOLERANCE_S, UNKNOWN_SPEED_BPS, UPTIME_WRAP_S
from monitor.samples import MISSING
from monitor.tsdb.groups import Plan, bits, counted, octets_each

Array = NDArray[np.int64]
Mask = NDArray[np.bool_]
STEP_S = 300
TOTAL, WEIGHT, LOW, HIGH = range(4)
MOST = 2**50  # of a single increment: more is no traffic but a fault, and the sums of a day stay exact
_LONGEST_MS = 2 * STEP_S * 1000  # a longer increment says too little about any one bin


@dataclass(frozen=True, slots=True)
class _Steps:
    """Between readings: columns × (n - 1) increments, which of them are sound, and how long they took."""

    delta: Array
    sound: Mask
    ms: Array  # n - 1


def binned(plan: Plan, at_ms: Array, values: Array, start_ms: int, bins: int, step_s: int = STEP_S) -> Array:
    """Return columns × 4 × bins: total, weight, low and high (see samples.Bins); `MISSING` where nothing is known.

    `values` is columns × times; readings before and after the bins help to fill the first and the last one.
    """
    found = np.full((len(plan.layout.columns), 4, bins), MISSING)
    edges = start_ms + np.arange(bins + 1) * (step_s * 1000)
    for columns, present in _alike(values):
        at, some = at_ms[present], values[columns][:, present]
        counters = np.array([counted(plan.layout.columns[c][0]) for c in columns])
        if counters.any() and len(at) > 1:
            chosen = columns[counters]
            steps = _classified(plan, chosen, values[:, present], at, some[counters])
            found[chosen] = _sums(steps, at, edges)
        if not counters.all():
            found[columns[~counters]] = _gauges(some[~counters], at, edges)
    return found


def _alike(values: Array) -> Iterator[tuple[Array, Mask]]:
    """Yield columns that were read at the same times, with these times."""
    present = values != MISSING
    if present.all():
        yield np.arange(len(values)), np.ones(values.shape[1], bool)
        return
    groups: dict[bytes, list[int]] = {}
    for column, bits_ in enumerate(np.packbits(present, axis=1)):
        groups.setdefault(bits_.tobytes(), []).append(column)
    for columns in groups.values():
        if present[columns[0]].any():
            yield np.array(columns), present[columns[0]]


def _classified(plan: Plan, columns: Array, context: Array, at: Array, values: Array) -> _Steps:
    """Judge each increment as monitor.rates does. `context` holds all columns at these times."""
    names = [plan.layout.columns[c] for c in columns]
    ms = np.diff(at)
    wide = np.array([bits(metric) == 64 for metric, _ in names])[:, None]
    speed = _speeds(plan, context, [instance for _, instance in names])
    each = np.array([octets_each(metric) for metric, _ in names])[:, None]
    unknown = np.where(wide, UNKNOWN_SPEED_BPS[64], UNKNOWN_SPEED_BPS[32])
    # As in monitor.rates: a counter that is none of octets is held to the speed in packets.
    full = np.minimum(np.where(speed > 0, speed, unknown) / each, UNKNOWN_SPEED_BPS[64]) / 8
    lapse, apart = _lapse(_column(plan, context, "uptime", ""), ms / 1000)
    most = OVER_SPEED * full * np.minimum(lapse, ms / 1000)
    delta = np.diff(values, axis=1)
    grew = np.where(wide, values[:, 1:].view(np.uint64) >= values[:, :-1].view(np.uint64), delta >= 0)
    wrapped = np.where(wide, delta, delta + 2**32)
    size = np.where(grew, delta, wrapped)
    amount = size.view(np.uint64).astype(float)
    sound = (amount <= most) & (amount < MOST) & (grew | (wrapped >= 0))
    sound &= (
        ~(~wide & (full * np.maximum(lapse, ms / 1000) >= 2**32)) & ~apart & ~_jumped(plan, names, context)
    )
    inside = (values >= 0) & (values < 2**32)
    sound &= wide | (inside[:, 1:] & inside[:, :-1])
    return _Steps(size, sound, ms)


def _speeds(plan: Plan, context: Array, instances: list[str]) -> Array:
    """Return the speed of each column's interface at the end of each increment; one column where none is known."""
    if "speed" not in plan.metrics:
        return np.zeros((len(instances), 1), np.int64)
    return np.stack([_column(plan, context, "speed", instance)[1:] for instance in instances])


def _column(plan: Plan, context: Array, metric: str, instance: str) -> Array:
    place = plan.layout.places.get((metric, instance))
    return context[place] if place is not None else np.full(context.shape[1], MISSING)


def _jumped(plan: Plan, names: list[tuple[str, str]], context: Array) -> Mask:
    """Return where the agent says that an interface's counters are not continuous."""
    if "discontinuity" not in plan.metrics:
        return np.zeros((len(names), context.shape[1] - 1), bool)
    marks = {i: _column(plan, context, "discontinuity", i) for i in {i for _, i in names}}
    jumps = {i: (m[1:] != m[:-1]) & (m[1:] != MISSING) & (m[:-1] != MISSING) for i, m in marks.items()}
    return np.stack([jumps[i] for _, i in names])


def _lapse(uptime: Array, seconds: NDArray[np.float64]) -> tuple[NDArray[np.float64], Mask]:
    """Return how long each increment took by the agent's clock, and where it restarted or does not agree with ours."""
    known = (uptime[1:] != MISSING) & (uptime[:-1] != MISSING)
    drift = np.maximum(TOLERANCE_S, 0.05 * seconds)
    apart = (uptime[1:] / 100 - uptime[:-1] / 100 - seconds + drift) % UPTIME_WRAP_S - drift
    lapse = np.where(known, seconds + apart, seconds)
    broken: Mask = (known & (apart > drift)) | (lapse <= 0)
    return lapse, broken


def _sums(steps: _Steps, at: Array, edges: Array) -> Array:
    """Return columns × 4 × bins of counters."""
    longest = max(_LONGEST_MS, 3 * int(np.median(steps.ms)))
    sound = steps.sound & (steps.ms <= longest)
    delta = np.where(sound, steps.delta, 0)
    total = _spread(delta, at, edges)
    weight = _spread(np.where(sound, steps.ms, 0), at, edges)
    rate = np.where(sound, delta * 1e6 / steps.ms, -1).astype(np.int64)
    ends = np.searchsorted(edges, at[1:], side="left") - 1  # an increment belongs to the bin in which it ends
    high = _reduced(np.maximum, rate, ends, len(edges) - 1, -1)
    mean = np.divide(total * 1e6, weight, out=np.full(total.shape, -1.0), where=weight > 0).astype(np.int64)
    low = _reduced(np.add, (~sound).astype(np.int64), ends, len(edges) - 1, 0)
    found = np.stack((total, weight, low, np.maximum(high, mean)), axis=1)
    nothing = (weight == 0) & (low == 0)
    return np.where(nothing[:, None], MISSING, found)


def _spread(amounts: Array, at: Array, edges: Array) -> Array:
    """Divide what grew between readings among bins, by time."""
    known = np.concatenate((np.zeros((len(amounts), 1), np.int64), np.cumsum(amounts, axis=1)), axis=1)
    place = np.clip(np.searchsorted(at, edges, side="right") - 1, 0, len(at) - 2)
    share = np.clip((edges - at[place]) / (at[place + 1] - at[place]), 0, 1)
    begun = np.minimum((amounts[:, place] * share).astype(np.int64), amounts[:, place])
    parts: Array = np.diff(known[:, place] + begun, axis=1)
    return parts


def _reduced(how: np.ufunc, values: Array, bin_of: Array, bins: int, empty: int) -> Array:
    """Reduce columns × n into columns × bins; `bin_of` is in order."""
    found = np.full((len(values), bins), empty)
    inside = (bin_of >= 0) & (bin_of < bins)
    if inside.any():
        places = bin_of[inside]
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        found[:, places[starts]] = how.reduceat(values[:, inside], starts, axis=1)
    return found


def _gauges(values: Array, at: Array, edges: Array) -> Array:
    """Return columns × 4 × bins of gauges."""
    bin_of, bins = np.searchsorted(edges, at, side="right") - 1, len(edges) - 1
    total = _reduced(np.add, values, bin_of, bins, 0)
    number = _reduced(np.add, np.ones_like(values), bin_of, bins, 0)
    low = _reduced(np.minimum, values, bin_of, bins, MISSING)
    high = _reduced(np.maximum, values, bin_of, bins, MISSING)
    found = np.stack((total, number, low, high), axis=1)
    return np.where((number == 0)[:, None], MISSING, found)


def folded(found: Array, counters: Mask, factor: int) -> Array:
    """Return bins `factor` times as long (columns × 4 × bins)."""
    parts = found.reshape(*found.shape[:2], found.shape[2] // factor, factor)
    known = parts != MISSING
    total = np.where(known, parts, 0).sum(axis=3)
    least = np.where(known, parts, np.iinfo(np.int64).max).min(axis=3)
    low = np.where(counters[:, None], total[:, LOW], least[:, LOW])
    result = np.stack((total[:, TOTAL], total[:, WEIGHT], low, parts.max(axis=3)[:, HIGH]), axis=1)
    return np.where(known.any(axis=3), result, MISSING)


def better(old: Array, new: Array) -> Array:
    """Return, bin by bin, the one that covers more: a tier is never replaced by less."""
    keep = np.where(old[:, WEIGHT] == MISSING, 0, old[:, WEIGHT]) > np.where(
        new[:, WEIGHT] == MISSING, 0, new[:, WEIGHT]
    )
    return np.where(keep[:, None], old, new)
