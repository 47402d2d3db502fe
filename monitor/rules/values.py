"""How a rule's value looks, by its unit."""

from monitor.rules.verdict import Value
from monitor.show import duration, rate
from siaga.text import safe

_LONGEST = 120


def shown(value: Value, unit: str) -> str:
    """Return a value with its unit; what was not observed is a dash."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return safe(value, _LONGEST)
    if unit == "bps":
        return rate(value)
    if unit == "s":
        return duration(value)
    number = f"{value:.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.1f}"
    return f"{number}{unit}" if unit.startswith("/") else f"{number} {unit}".rstrip()
