"""Counters into rates: every increment is classified, and only a sound one yields a value. Pure.

Counters wrap (Counter32, Counter64: RFC 2578, 7.1.6), start again with the agent (sysUpTime goes back), are
declared discontinuous (ifCounterDiscontinuityTime, RFC 2863), or are cleared by hand. A gap is never zero.

How long a step took is told by the agent's sysUpTime, which was read with the counters, as long as our own clock
agrees: so neither a slow reading nor a server whose clock is set makes a false rate.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

UPTIME_WRAP_S = 2**32 / 100  # sysUpTime is 32 bits of hundredths of a second: 497 days
TOLERANCE_S = 5.0  # how far the agent's clock and ours may drift apart between two polls
OVER_SPEED = 1.2  # more than this share of the interface's speed cannot have been carried
# What an interface carries at most that tells no speed, by the width of its counters; the last is more than any has.
UNKNOWN_SPEED_BPS = {32: 1_000_000_000, 64: 10_000_000_000_000}


class Kind(StrEnum):
    """What an increment was.

    ok             the counter grew
    wrap           it passed its maximum once
    restart        the agent restarted between the two
    discontinuity  the agent says that the counter is not continuous
    reset          it went back without any of these
    ambiguous      it may have passed its maximum more than once, or the clocks do not agree how long it took
    impossible     it grew more than the interface can carry, time did not pass, or it is no counter of this width
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
    """What lies between two readings; `delta` is None unless the kind is ok or wrap.

    `seconds` is how long it took: by the agent's clock where it is known, else by ours.
    """

    kind: Kind
    start: datetime
    end: datetime
    seconds: float
    delta: int | None = None

    @property
    def per_second(self) -> float | None:
        """The mean rate over the interval, or None where there is no value."""
        return None if self.delta is None else self.delta / self.seconds


def increment(before: Count, after: Count, *, bits: int, speed_bps: int | None) -> Increment:
    """Classify what lies between two readings of an octet counter of `bits` (32 or 64)."""
    lapse_s = _lapse(before, after)
    if isinstance(lapse_s, Kind):
        return Increment(lapse_s, before.at, after.at, (after.at - before.at).total_seconds())
    kind, delta = _classify(before, after, lapse_s, bits, speed_bps)
    return Increment(kind, before.at, after.at, lapse_s, delta)


def _lapse(before: Count, after: Count) -> float | Kind:
    """Return the seconds between two readings, or what the clocks, ours and the agent's, say against comparing them."""
    ours_s = (after.at - before.at).total_seconds()
    if ours_s <= 0:
        return Kind.impossible
    if before.uptime_s is None or after.uptime_s is None:
        return ours_s
    drift_s = max(TOLERANCE_S, 0.05 * ours_s)
    apart_s = (after.uptime_s - before.uptime_s - ours_s + drift_s) % UPTIME_WRAP_S - drift_s
    if apart_s > drift_s:
        return Kind.restart if after.uptime_s < ours_s + drift_s else Kind.ambiguous
    return ours_s + apart_s if ours_s + apart_s > 0 else Kind.impossible


def _classify(
    before: Count, after: Count, seconds: float, bits: int, speed_bps: int | None
) -> tuple[Kind, int | None]:
    if not (0 <= before.value < 2**bits and 0 <= after.value < 2**bits):
        return Kind.impossible, None
    if (
        None not in (before.discontinuity, after.discontinuity)
        and before.discontinuity != after.discontinuity
    ):
        return Kind.discontinuity, None
    full = min(speed_bps or UNKNOWN_SPEED_BPS[bits], UNKNOWN_SPEED_BPS[64]) / 8
    ours_s = (after.at - before.at).total_seconds()
    if bits == 32 and full * max(seconds, ours_s) >= 2**32:
        return Kind.ambiguous, None
    most = OVER_SPEED * full * min(seconds, ours_s)  # so that the rate is none beyond it by either clock
    delta = after.value - before.value
    if delta >= 0:
        return (Kind.impossible, None) if delta > most else (Kind.ok, delta)
    wrapped = delta + 2**bits
    return (Kind.wrap, wrapped) if wrapped <= most else (Kind.reset, None)


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
