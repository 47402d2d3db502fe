"""Is a device too hot? Chips run hotter than rooms; these limits are for sensors inside devices."""

from collections.abc import Iterator

from monitor.checks import Finding, Seen

RULE = "temperature-high"
WARNING_C, CRITICAL_C = 75.0, 90.0


def observed(seen: Seen) -> bool:
    """Return whether the device has a temperature sensor that answered."""
    return any(s.kind == "temperature" for s in seen.observation.sensors)


def judge(seen: Seen) -> Iterator[Finding]:
    """Find each sensor over the limits."""
    for sensor in seen.observation.sensors:
        if sensor.kind == "temperature" and sensor.value >= WARNING_C:
            severity = "critical" if sensor.value >= CRITICAL_C else "warning"
            text = f"'{sensor.descr}' of {seen.observation.name} is at {sensor.value:.0f} °C."
            yield Finding(RULE, severity, text, sensor.descr)
