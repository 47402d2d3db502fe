"""The output of Nagios plugins: text, and figures behind a bar. Pure.

As the development guidelines of the Monitoring Plugins have it.
"""

import math
import re
from collections.abc import Iterator
from itertools import islice

from monitor.probes.result import Range, Reading
from siaga.text import safe

FIGURES = 200
LINES = 20
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?"
_FIGURE = re.compile(
    r"""\s*(?:'(?P<quoted>(?:[^']|''){1,200})'|(?P<plain>[^\s'=]{1,200}))="""
    rf"""(?P<value>U|{_NUMBER})(?P<unit>[^\s;]{{0,10}})(?P<rest>(?:;[^\s;]{{0,60}}){{0,4}})(?=\s|$)"""
)
# What a unit becomes, and times what. Plugins count in powers of 1024 whether they write KB or KiB.
_UNITS = {
    "": ("", 1.0), "s": ("s", 1.0), "ms": ("s", 1e-3), "us": ("s", 1e-6), "ns": ("s", 1e-9), "%": ("percent", 1.0),
    "b": ("bytes", 1.0), "kb": ("bytes", 2.0**10), "mb": ("bytes", 2.0**20),
    "gb": ("bytes", 2.0**30), "tb": ("bytes", 2.0**40), "kib": ("bytes", 2.0**10), "mib": ("bytes", 2.0**20),
    "gib": ("bytes", 2.0**30), "tib": ("bytes", 2.0**40),
}  # fmt: skip


def parsed(output: str) -> tuple[str, tuple[str, ...], tuple[Reading, ...]]:
    """Return the first line, the further lines and the figures of a plugin's output, all safe to show."""
    first, _, rest = output.partition("\n")
    text, _, data = first.partition("|")
    long, _, more = rest.partition("|")
    lines = tuple(safe(line, 200) for line in long.splitlines()[:LINES] if line.strip())
    return safe(text, 300), lines, tuple(islice(figures(f"{data} {more}"), FIGURES))


def figures(text: str) -> Iterator[Reading]:
    """Yield the figures of performance data; what is none is passed over up to the next space."""
    at = 0
    while at < len(text):
        found = _FIGURE.match(text, at)
        if found:
            yield _reading(found)
            at = found.end()
        else:
            space = re.compile(r"\s").search(text, at + 1)
            at = space.start() + 1 if space else len(text)


def _reading(found: re.Match[str]) -> Reading:
    label = (found["quoted"] or "").replace("''", "'") or found["plain"]
    unit, scale = _UNITS.get(found["unit"].lower(), (safe(found["unit"], 10), 1.0))
    unit = "count" if unit == "c" else unit  # C are degrees
    warning, critical, low, high = (found["rest"].split(";")[1:] + [""] * 4)[:4]
    value = None if found["value"] == "U" else _scaled(found["value"], scale)
    limits = threshold(warning, scale), threshold(critical, scale)
    return Reading(safe(label, 100), value, unit, *limits, _scaled(low, scale), _scaled(high, scale))


def _scaled(text: str, scale: float) -> float | None:
    if not re.fullmatch(_NUMBER, text):
        return None
    number = float(text) * scale
    return number if math.isfinite(number) else None


def threshold(text: str, scale: float = 1.0) -> Range | None:
    """Return a threshold: '10', '10:', '~:10', '10:20', '@10:20'; None for what is none."""
    found = re.fullmatch(rf"(@?)(?:(~|{_NUMBER})?:)?({_NUMBER})?", text)
    if not found or not (found[2] or found[3]):
        return None
    low = None if found[2] == "~" else _scaled(found[2], scale) if found[2] else 0.0
    return Range(low, _scaled(found[3], scale) if found[3] else None, bool(found[1]))


_WRITTEN = {"s": "s", "bytes": "B", "percent": "%", "count": "c"}


def written(readings: Iterator[Reading], prefix: str = "") -> str:
    """Return figures as performance data; what was not observed is U."""
    return " ".join(_figure(r, prefix) for r in readings)


def _figure(one: Reading, prefix: str) -> str:
    label = (prefix + one.label).replace("=", "_").replace("'", "''").replace("|", "_")
    value = "U" if one.value is None else f"{one.value:.9g}"
    edges = ["" if e is None else f"{e:g}" for e in (one.minimum, one.maximum)]
    limits = ["" if t is None else str(t) for t in (one.warning, one.critical)]
    return f"'{label}'={value}{_WRITTEN.get(one.unit, '')};{';'.join([*limits, *edges])}".rstrip(";")
