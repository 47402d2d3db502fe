"""Bandwidth against the contract: the 95th percentile of bins, never a mean of percentiles."""

from collections.abc import Sequence

import numpy as np

from monitor.usage import nearest_rank
from report.facts import Connection, Load

STEP_S = 300
Pair = tuple[float | None, float | None]
LEAST_BINS = 20  # with fewer, the nearest rank of 95 % is the maximum itself


def p95(values: Sequence[float]) -> float | None:
    """Return the 95th percentile by nearest rank, as providers bill it; None for fewer than LEAST_BINS."""
    return nearest_rank(np.asarray(values), 0.95) if len(values) >= LEAST_BINS else None


def load(connection: Connection) -> Load:
    """Measure one connection against its committed rates; the busier direction counts."""
    if connection.load is not None:
        return connection.load
    usage = connection.usage
    down, up = p95(usage.down_bps), p95(usage.up_bps)
    peaks = _peak(usage.down_bps), _peak(usage.up_bps)
    return Load(
        bins=max(len(usage.down_bps), len(usage.up_bps)),
        p95_down_bps=down,
        p95_up_bps=up,
        peak_down_bps=peaks[0],
        peak_up_bps=peaks[1],
        utilisation=_busier((down, connection.down_bps), (up, connection.up_bps)),
        peak_share=_busier((peaks[0], connection.down_bps), (peaks[1], connection.up_bps)),
    )


def judged(connection: Connection, bins: int, p95_bps: Pair, peak_bps: Pair) -> Load:
    """Return the same from figures that were computed already (down, up); fewer than LEAST_BINS have no p95."""
    down, up = p95_bps if bins >= LEAST_BINS else (None, None)
    rates = connection.down_bps, connection.up_bps
    return Load(
        bins=bins,
        p95_down_bps=down,
        p95_up_bps=up,
        peak_down_bps=peak_bps[0],
        peak_up_bps=peak_bps[1],
        utilisation=_busier((down, rates[0]), (up, rates[1])),
        peak_share=_busier((peak_bps[0], rates[0]), (peak_bps[1], rates[1])),
    )


def _peak(values: Sequence[float]) -> float | None:
    return float(np.max(values)) if len(values) else None


def _busier(*pairs: tuple[float | None, int | None]) -> float | None:
    shares = [rate / limit for rate, limit in pairs if rate is not None and limit]
    return max(shares, default=None)
