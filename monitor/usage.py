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
    """Rates by 5-minute bin (bits per second), and how many milliseconds of each are known; gaps are absent."""

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
    at, times = np.unique(np.concatenate([c.at_ms for c in some]), return_counts=True)
    at = at[times == len(some)]
    places = [np.searchsorted(c.at_ms, at) for c in some]
    bps = np.sum([c.bps[p] for c, p in zip(some, places, strict=True)], axis=0)
    known = np.min([c.known_ms[p] for c, p in zip(some, places, strict=True)], axis=0)
    return Carried(at, bps, known) if len(at) else Carried(at, np.empty(0), at)


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
    """Return the figures of a window; the peak is the busiest five minutes, the mean that of the known time."""
    if some is None or not len(some.at_ms):
        return Load(trend=(None,) * points)
    known = int(some.known_ms.sum())
    return Load(
        p95_bps=nearest_rank(some.bps, 0.95) if len(some.bps) >= LEAST_BINS else None,
        peak_bps=float(some.bps.max()),
        mean_bps=float((some.bps * some.known_ms).sum() / known),
        observed=min(1.0, known / (end_ms - start_ms)),
        bins=len(some.bps),
        trend=trend(some, start_ms, end_ms, points),
    )


def nearest_rank(values: Rates, share: float) -> float:
    """Return the nearest-rank percentile (ceil(share × n)), as providers bill; it is always one of the values."""
    rank = max(1, -(-round(share * 1_000_000) * len(values) // 1_000_000))
    return float(np.partition(values, min(rank, len(values)) - 1)[min(rank, len(values)) - 1])


def trend(some: Carried, start_ms: int, end_ms: int, points: int) -> tuple[float | None, ...]:
    """Return the mean of each of so many equal parts of the window; None where nothing is known."""
    place = np.clip((some.at_ms - start_ms) * points // (end_ms - start_ms), 0, points - 1)
    weight = np.bincount(place, some.known_ms, points)
    total = np.bincount(place, some.bps * some.known_ms, points)
    pairs = zip(total.tolist(), weight.tolist(), strict=True)
    return tuple(t / w if w else None for t, w in pairs)


def busier(*pairs: tuple[float | None, int | None]) -> float | None:
    """Return the greater share of what is promised, 0..1 and over; None where nothing is known or promised."""
    shares = [rate / limit for rate, limit in pairs if rate is not None and limit]
    return max(shares, default=None)
