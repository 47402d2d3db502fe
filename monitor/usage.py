"""What a line, or a group of lines, carried: p95, peak and mean of 5-minute bins of sound increments. Pure.

A group's bin counts where every line of it was measured: a sum with a part missing is no sum. A bin that is missing
is missing, not zero, and the share of time that was observed is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.intervals import Array

STEP_MS = 300_000
LEAST_BINS = 20  # with fewer, the nearest rank of 95 % is the maximum itself
Rates = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Rates by 5-minute bin (bits per second), at least one, and the known milliseconds of each; gaps are absent."""

    at_ms: Array
    bps: Rates
    known_ms: Array


def carried(at_ms: Array, octets: Array, known_ms: Array) -> Carried:
    """Return the rates of octets in bins."""
    return Carried(at_ms, octets * 8000 / known_ms, known_ms)


def summed(some: Sequence[Carried]) -> Carried | None:
    """Return the sum of lines, in the bins in which all of them are known; None of none."""
    if not some:
        return None
    if len(some) == 1:
        return some[0]
    first = min(int(c.at_ms[0]) for c in some)
    many = (max(int(c.at_ms[-1]) for c in some) - first) // STEP_MS + 1
    times, bps = np.zeros(many, np.int64), np.zeros(many)
    known = np.full(many, STEP_MS)
    for one in some:
        place = (one.at_ms - first) // STEP_MS
        times[place] += 1
        bps[place] += one.bps
        known[place] = np.minimum(known[place], one.known_ms)
    all_ = np.flatnonzero(times == len(some))
    return Carried(first + all_ * STEP_MS, bps[all_], known[all_])


@dataclass(frozen=True, slots=True)
class Load:
    """What was carried one way, bits per second; None: not enough is known. `observed`: share of the window, 0..1."""

    p95_bps: float | None = None
    peak_bps: float | None = None
    mean_bps: float | None = None
    observed: float = 0.0
    bins: int = 0
    trend: tuple[float | None, ...] = ()


def load(some: Carried | None, start_ms: int, end_ms: int, points: int = 12) -> Load:
    """Return the figures of a window; the peak is the busiest five minutes, the mean that of the known time.

    `points`: how many values the trend has, or fewer where the window has no more bins.
    """
    # The trend is of whole bins, and has no more points than there are: between two bins nothing is missing.
    first, last = -(-start_ms // STEP_MS) * STEP_MS, end_ms // STEP_MS * STEP_MS
    points = max(1, min(points, (last - first) // STEP_MS))
    if some is None or not len(some.at_ms):
        return Load(trend=(None,) * points)
    weighted = some.bps * some.known_ms
    known = int(some.known_ms.sum())
    return Load(
        p95_bps=nearest_rank(some.bps, 0.95) if len(some.bps) >= LEAST_BINS else None,
        peak_bps=float(some.bps.max()),
        mean_bps=float(weighted.sum() / known),
        observed=min(1.0, known / (end_ms - start_ms)),
        bins=len(some.bps),
        trend=_trend(some, weighted, first, max(first + STEP_MS, last), points),
    )


def nearest_rank(values: Rates, share: float) -> float:
    """Return the nearest-rank percentile (ceil(share × n)), as providers bill; it is always one of the values."""
    rank = max(1, -(-round(share * 1_000_000) * len(values) // 1_000_000))
    return float(np.partition(values, min(rank, len(values)) - 1)[min(rank, len(values)) - 1])


def _trend(
    some: Carried, weighted: Rates, start_ms: int, end_ms: int, points: int
) -> tuple[float | None, ...]:
    """Return the mean of each of so many equal parts of the window; None where nothing is known."""
    edges = start_ms + (end_ms - start_ms) * np.arange(points, dtype=np.int64) // points
    place = np.searchsorted(some.at_ms, edges)
    ends = np.append(place[1:], len(some.at_ms))
    # A nothing at the end, so that a part behind the last bin begins somewhere; of an empty part reduceat gives one
    # value that is not its own, which is left out.
    total = np.add.reduceat(np.append(weighted, 0.0), place)
    known = np.add.reduceat(np.append(some.known_ms, 0), place)
    rows = zip(total.tolist(), known.tolist(), (ends > place).tolist(), strict=True)
    return tuple(t / k if there else None for t, k, there in rows)


def busier(*pairs: tuple[float | None, int | None]) -> float | None:
    """Return the greater share of what is promised, 0..1 and over; None where nothing is known or promised."""
    shares = [rate / limit for rate, limit in pairs if rate is not None and limit]
    return max(shares, default=None)
