"""Is the device there? A device behind one that is down is not judged: the one in front is."""

from collections.abc import Iterator

from monitor.checks import Finding, Seen
from monitor.state import State

RULE = "device-down"


def observed(seen: Seen) -> bool:
    """Return whether anything can be said: a device cut off by its parent is not observed."""
    return seen.state not in (State.unreachable, State.not_observed)


def judge(seen: Seen) -> Iterator[Finding]:
    """Find a device that is down, and one that answers without letting us read it."""
    if seen.state is State.down:
        yield Finding(RULE, "critical", f"{seen.observation.name} is down: {seen.observation.reason}")
    elif seen.state is State.degraded:
        yield Finding(RULE, "warning", f"{seen.observation.name} is degraded: {seen.observation.reason}")
