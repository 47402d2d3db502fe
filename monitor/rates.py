"""Counters into rates: every increment is classified, and only a sound one yields a value. Pure.

Counters wrap (Counter32, Counter64: RFC 2578, 7.1.6), start again with the agent (sysUpTime goes back), are
declared discontinuous (ifCounterDiscontinuityTime, RFC 2863), or are cleared by hand. A gap is never zero.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

UPTIME_WRAP_S = 2**32 / 100  # sysUpTime is 32 bits of hundredths of a second: 497 days
TOLERANCE_S = 5.0  # how far the agent's clock and ours may drift apart between two polls
OVER_SPEED = 1.2  # more than this share of the interface's speed cannot have been carried
UNKNOWN_SPEED_BPS = 1_000_000_000  # what a 32-bit counter without a known speed is taken to carry at most


class Kind(StrEnum):
    """What an increment was.

    ok             the counter grew
    wrap           it passed its maximum once
    restart        the agent restarted between the two
    discontinuity  the agent says that the counter is not continuous
    reset          it went back without any of these
    ambiguous      it may have passed its maximum more than once
    impossible     it grew more than the interface can carry, or time did not pass
    """

    ok = "ok"
    wrap = "wrap"
    restart = "restart"
    discontinuity = "discontinuity"
    reset = "reset"
    ambiguous = "ambiguous"
    impossible = "impossible"


@dataclass(frozen=True)
class Count:
    """One reading of a counter, with the agent's uptime and discontinuity mark then (None: unknown)."""

    at: datetime
    value: int
    uptime_s: float | None = None
    discontinuity: int | None = None


@dataclass(frozen=True)
class Increment:
    """What lies between two readings; `delta` is None unless the kind is ok or wrap."""

    kind: Kind
    start: datetime
    end: datetime
    delta: int | None = None

    @property
    def seconds(self) -> float:
        """The length of the interval in seconds."""
        return (self.end - self.start).total_seconds()

    @property
    def per_second(self) -> float | None:
        """The mean rate over the interval, or None where there is no value."""
        return None if self.delta is None else self.delta / self.seconds


def increment(before: Count, after: Count, *, bits: int, speed_bps: int | None) -> Increment:
    """Classify what lies between two readings of an octet counter of `bits` (32 or 64)."""
    seconds = (after.at - before.at).total_seconds()
    kind, delta = _classify(before, after, seconds, bits, speed_bps)
    return Increment(kind, before.at, after.at, delta)


def _classify(
    before: Count, after: Count, seconds: float, bits: int, speed_bps: int | None
) -> tuple[Kind, int | None]:
    if seconds <= 0:
        return Kind.impossible, None
    if _restarted(before.uptime_s, after.uptime_s, seconds):
        return Kind.restart, None
    if (
        None not in (before.discontinuity, after.discontinuity)
        and before.discontinuity != after.discontinuity
    ):
        return Kind.discontinuity, None
    full = (speed_bps or (UNKNOWN_SPEED_BPS if bits == 32 else 0)) * seconds / 8
    if bits == 32 and full >= 2**32:
        return Kind.ambiguous, None
    most = OVER_SPEED * full
    delta = after.value - before.value
    if delta >= 0:
        return (Kind.impossible, None) if most and delta > most else (Kind.ok, delta)
    wrapped = delta + 2**bits
    if most and wrapped <= most:
        return Kind.wrap, wrapped
    return Kind.reset, None


def _restarted(before_s: float | None, after_s: float | None, seconds: float) -> bool:
    """Return whether the agent's clock jumped back; its wrap after 497 days is no restart."""
    if before_s is None or after_s is None:
        return False
    expected = (before_s + seconds) % UPTIME_WRAP_S
    drift = max(TOLERANCE_S, 0.05 * seconds)
    behind = (expected - after_s) % UPTIME_WRAP_S
    return drift < behind < UPTIME_WRAP_S - drift and after_s < seconds + drift


def increments(counts: Iterable[Count], *, bits: int, speed_bps: int | None) -> Iterator[Increment]:
    """Classify each step of a series that is ordered by time."""
    before: Count | None = None
    for count in counts:
        if before is not None:
            yield increment(before, count, bits=bits, speed_bps=speed_bps)
        before = count


def rates_bps(octets: Iterable[Count], *, bits: int, speed_bps: int | None) -> list[tuple[datetime, float]]:
    """Return (end of interval, bits per second) of every sound step of an octet counter."""
    steps = increments(octets, bits=bits, speed_bps=speed_bps)
    return [(step.end, step.per_second * 8) for step in steps if step.per_second is not None]


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the nearest-rank percentile (`share` 0.95 is p95), or None of nothing.

    Nearest rank (ceil(share * n)) is what providers bill by; it is always one of the values.
    """
    ordered = sorted(values)
    if not ordered:
        return None
    rank = max(1, -(-round(share * 1_000_000) * len(ordered) // 1_000_000))
    return ordered[min(rank, len(ordered)) - 1]
