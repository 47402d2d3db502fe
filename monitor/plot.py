"""A line over time as text: bars of eighths, an axis in bits per second, a gap that cannot be taken for zero. Pure."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from monitor.show import rate

_BARS = " ▁▂▃▄▅▆▇█"
_GAP = "·"
_MARK = "┄"


def plot(values: Sequence[float | None], title: str, height: int = 8, mark: float | None = None) -> list[str]:
    """Return a title and `height` rows, a column for each value (bits per second), from zero to the greatest.

    What is not observed is a dot on the ground, nothing carried a thin bar. `mark`, such as the contract, is a line
    where it lies on the scale.
    """
    top = max((v for v in values if v is not None), default=0.0) or 1.0
    level = round(mark / top * height * 8) if mark is not None and mark <= top else None
    rows = []
    for row in range(height, 0, -1):
        label = rate(top * row / height) if row in (height, (height + 1) // 2) else ""
        marked = level is not None and (row - 1) * 8 < level <= row * 8
        cells = "".join(_cell(v, top, height, row, marked=marked) for v in values)
        rows.append(f"{label:>10} │{cells}")
    return [title, *rows, f"{'0 bps':>10} └{'─' * len(values)}"]


def _cell(value: float | None, top: float, height: int, row: int, *, marked: bool) -> str:
    if value is None:
        return _GAP if row == 1 else " "
    eighths = max(1, round(value / top * height * 8)) - (row - 1) * 8
    filled = _BARS[min(8, max(0, eighths))]
    return _MARK if marked and filled == " " else filled


def axis(start: datetime, end: datetime, width: int, zone: str, labels: int = 4) -> str:
    """Return the times below a plot of `width` columns."""
    form = "%H:%M" if (end - start).total_seconds() <= 2 * 86_400 else "%d.%m."
    places = [round(i * width / labels) for i in range(labels + 1)]
    local = [(start + (end - start) * i / labels).astimezone(ZoneInfo(zone)) for i in range(labels)]
    parts = [f"{t:{form}}".ljust(b - a) for t, (a, b) in zip(local, pairwise(places), strict=True)]
    return " " * 12 + "".join(parts).rstrip()
