"""Traffic that never was: octet counters and gauges as functions of time, so that they always agree.

A counter is the exact integral of a rate that is always positive: it only grows, and two readers at two
times see a difference that is the traffic between them. The rate has a daily wave (offices work from 07.30 to
16.30), a wave of minutes, and one of seconds, so that rounds a few seconds apart already differ.
"""

from dataclasses import dataclass
from math import cos, sin, tau
from random import Random

DAY_S = 86_400.0
# Shares of the mean rate; their sum stays below one, so the rate never reaches zero.
DAILY, MINUTES, SECONDS = 0.35, 0.2, 0.3
PEAK = 1 + DAILY + MINUTES + SECONDS


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of one interface: `mean` in octets a second, waves as (share, period s, phase rad)."""

    mean: float
    first: int = 0
    waves: tuple[tuple[float, float, float], ...] = ()

    def rate(self, at_s: float) -> float:
        """Return octets a second at `at_s` seconds after the start."""
        return self.mean * (1 + sum(a * sin(tau * at_s / p + f) for a, p, f in self.waves))

    def octets(self, at_s: float) -> int:
        """Return the counter at `at_s`: `first` and the integral of `rate` since the start."""
        waves = sum(a * p / tau * (cos(f) - cos(tau * at_s / p + f)) for a, p, f in self.waves)
        return self.first + int(self.mean * (at_s + waves))


def flow(seed: str, mean_bps: float, uptime_s: float, day_s: float) -> Flow:
    """Return a flow drawn from `seed`; `day_s` is the second of the local day at the start.

    The daily wave is highest at 12.00 and lowest at midnight.
    """
    draw = Random(seed)  # noqa: S311 - a simulation, not a secret
    mean = mean_bps / 8
    waves = (
        (DAILY, DAY_S, tau * (day_s / DAY_S - 0.25)),
        (MINUTES, draw.uniform(60, 240), draw.uniform(0, tau)),
        (SECONDS, draw.uniform(5, 17), draw.uniform(0, tau)),
    )
    return Flow(mean, int(mean * uptime_s * draw.uniform(0.6, 0.9)), waves)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A quantity that swings about its mean: a load in percent, a temperature in °C."""

    mean: float
    swing: float = 0.0
    period_s: float = 60.0
    phase: float = 0.0

    def value(self, at_s: float) -> float:
        """Return the quantity at `at_s` seconds after the start."""
        return self.mean + self.swing * sin(tau * at_s / self.period_s + self.phase)


def gauge(seed: str, mean: float, swing: float) -> Gauge:
    """Return a gauge with a period and phase drawn from `seed`."""
    draw = Random(seed)  # noqa: S311 - a simulation, not a secret
    return Gauge(mean, swing, draw.uniform(20, 90), draw.uniform(0, tau))
