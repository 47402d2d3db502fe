"""Bandwidth against the contract: the 95th percentile of bins, never a mean of percentiles."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.rates import percentile
from report.facts import Connection
from report.numbers import rounded

STEP_S = 300
LEAST_BINS = 20  # with fewer, the nearest rank of 95 % is the maximum itself
FULL = 0.80


@dataclass(frozen=True)
class Load:
    """How much of the contract a connection uses. None: too few bins, or no committed rate."""

    bins: int
    p95_down_bps: float | None
    p95_up_bps: float | None
    peak_down_bps: float | None
    peak_up_bps: float | None
    utilisation: float | None
    peak_share: float | None

    @property
    def above(self) -> bool | None:
        """Whether the use, as printed (one decimal of a percent), is over the threshold."""
        return None if self.utilisation is None else over(self.utilisation)


def over(share: float) -> bool:
    """Return whether a share is over the threshold when both are printed with one decimal."""
    return rounded(share * 100, 1) > rounded(FULL * 100, 1)


def p95(values: Sequence[float]) -> float | None:
    """Return the 95th percentile by nearest rank, as providers bill it; None for fewer than LEAST_BINS."""
    return percentile(values, 0.95) if len(values) >= LEAST_BINS else None


def load(connection: Connection) -> Load:
    """Measure one connection against its committed rates; the busier direction counts."""
    usage = connection.usage
    down, up = p95(usage.down_bps), p95(usage.up_bps)
    peaks = max(usage.down_bps, default=None), max(usage.up_bps, default=None)
    return Load(
        bins=max(len(usage.down_bps), len(usage.up_bps)),
        p95_down_bps=down,
        p95_up_bps=up,
        peak_down_bps=peaks[0],
        peak_up_bps=peaks[1],
        utilisation=_busier((down, connection.down_bps), (up, connection.up_bps)),
        peak_share=_busier((peaks[0], connection.down_bps), (peaks[1], connection.up_bps)),
    )


def _busier(*pairs: tuple[float | None, int | None]) -> float | None:
    shares = [rate / limit for rate, limit in pairs if rate is not None and limit]
    return max(shares, default=None)
