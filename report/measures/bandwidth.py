"""Bandwidth against the contract: the 95th percentile of bins, never a mean of percentiles."""

from collections.abc import Sequence

import numpy as np

from monitor.usage import LEAST_BINS, STEP_MS, nearest_rank
from report.facts import Connection, Load

STEP_S = STEP_MS // 1000
Pair = tuple[float | None, float | None]


def p95(values: Sequence[float]) -> float | None:
    """Return the 95th percentile by nearest rank, as providers bill it; None for fewer than LEAST_BINS."""
    return nearest_rank(np.asarray(values), 0.95) if len(values) >= LEAST_BINS else None


def load(connection: Connection) -> Load:
    """Measure one connection against its committed rates; the busier direction counts."""
    if connection.load is not None:
        return connection.load
    down, up = connection.usage.down_bps, connection.usage.up_bps
    return judged(connection, max(len(down), len(up)), (p95(down), p95(up)), (_peak(down), _peak(up)))


def judged(connection: Connection, bins: int, p95_bps: Pair, peak_bps: Pair) -> Load:
    """Return the same from figures that were computed already (down, up)."""
    rates = connection.down_bps, connection.up_bps
    return Load(
        bins=bins,
        p95_down_bps=p95_bps[0],
        p95_up_bps=p95_bps[1],
        peak_down_bps=peak_bps[0],
        peak_up_bps=peak_bps[1],
        utilisation=_busier(*zip(p95_bps, rates, strict=True)),
        peak_share=_busier(*zip(peak_bps, rates, strict=True)),
    )


def _peak(values: Sequence[float]) -> float | None:
    return float(np.max(values)) if len(values) else None


def _busier(*pairs: tuple[float | None, int | None]) -> float | None:
    shares = [rate / limit for rate, limit in pairs if rate is not None and limit]
    return max(shares, default=None)
