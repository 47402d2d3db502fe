"""Is a device's memory nearly full? Buffers, caches and swap are not judged: they are meant to be used."""

from collections.abc import Iterator

from monitor.checks import Finding, Seen
from monitor.observation import Mempool

RULE = "memory-full"
WARNING_PCT, CRITICAL_PCT = 90.0, 97.0
_NOT_JUDGED = ("buffer", "cache", "swap", "shared", "virtual")


def observed(seen: Seen) -> bool:
    """Return whether the device said anything about its memory."""
    return bool(seen.observation.mempools)


def judge(seen: Seen) -> Iterator[Finding]:
    """Find each pool over the limits."""
    for pool in filter(_judged, seen.observation.mempools):
        if pool.percent >= WARNING_PCT:
            severity = "critical" if pool.percent >= CRITICAL_PCT else "warning"
            text = f"Memory '{pool.descr}' of {seen.observation.name} is {pool.percent:.0f} % full."
            yield Finding(RULE, severity, text, pool.descr)


def _judged(pool: Mempool) -> bool:
    return not any(word in pool.descr.lower() for word in _NOT_JUDGED)
