"""How the monitor's values look as text: rates, durations, sparklines. Pure."""

from collections.abc import Sequence
from itertools import pairwise

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int = 20) -> str:
    """Return values as at most `width` bars scaled from zero to their maximum; a gap is a space.

    More values than bars are averaged in equal groups, so that the line always covers the whole window.
    """
    last = _grouped(list(values), width)
    top = max((v for v in last if v is not None), default=0) or 1
    return "".join(" " if v is None else _BARS[min(7, int(v / top * 7.999))] for v in last)


def _grouped(values: list[float | None], width: int) -> list[float | None]:
    if len(values) <= width:
        return values
    edges = [round(i * len(values) / width) for i in range(width + 1)]
    groups = [[v for v in values[a:b] if v is not None] for a, b in pairwise(edges)]
    return [sum(g) / len(g) if g else None for g in groups]


def rate(bps: float | None) -> str:
    """Return a rate with three significant digits and its unit; nothing observed is a dash."""
    if bps is None:
        return "-"
    for limit, unit in ((1e9, "Gbps"), (1e6, "Mbps"), (1e3, "kbps")):
        if bps >= limit:
            return f"{bps / limit:.3g} {unit}"
    return f"{bps:.0f} bps"


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units, such as 3d 4h."""
    if seconds is None:
        return "-"
    left = int(seconds)
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size}{unit}")
            left %= size
    return " ".join(parts[:2])


def percent(value: float | None) -> str:
    """Return a percentage without decimals; nothing observed is a dash."""
    return "-" if value is None else f"{value:.0f}"


def octets(count: int | None) -> str:
    """Return an amount of octets with three significant digits and its unit (SI); nothing observed is empty."""
    if count is None:
        return ""
    for limit, unit in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= limit:
            return f"{count / limit:.3g} {unit}"
    return f"{count} B"
