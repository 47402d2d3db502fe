"""Is a device's processor busy? The mean of its processors is judged: one busy core of many is fine."""

from collections.abc import Iterator

from monitor.checks import Finding, Seen

RULE = "cpu-busy"
WARNING_PCT, CRITICAL_PCT = 85.0, 95.0


def observed(seen: Seen) -> bool:
    """Return whether the device said anything about its processors."""
    return bool(seen.observation.processors)


def judge(seen: Seen) -> Iterator[Finding]:
    """Find a mean load over the limits."""
    loads = [p.percent for p in seen.observation.processors]
    if not loads:
        return
    load = sum(loads) / len(loads)
    if load >= WARNING_PCT:
        severity = "critical" if load >= CRITICAL_PCT else "warning"
        yield Finding(RULE, severity, f"The processors of {seen.observation.name} are {load:.0f} % busy.")
