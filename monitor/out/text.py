"""Points as text: OpenMetrics 1.0, or Prometheus' text format 0.0.4. Pure.

In OpenMetrics a counter's samples end in _total. The counters of IF-MIB do not, because every dashboard asks for
ifHCInOctets; there their type is `unknown`, which may have any name. In Prometheus' own format they are counters.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby

from monitor.out.families import Family, Labels, Point

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def lines(points: Iterable[Point], *, openmetrics: bool = True, times: bool = True) -> Iterator[str]:
    """Yield the lines, families by name, each series once: the first one given stays.

    Without `times` no sample says when it was taken: node_exporter's textfile collector takes none that does.
    """
    shown: dict[int, str] = {}  # labels, which are shared and live on, by their identity
    ordered = sorted(points, key=lambda p: p.family.name)
    for name, members in groupby(ordered, key=lambda p: p.family.name):
        known: set[Labels] = set()
        for number, point in enumerate(members):
            if not number:
                yield from _head(point.family, openmetrics)
            if point.labels not in known:
                known.add(point.labels)
                text = shown.get(id(point.labels)) or shown.setdefault(
                    id(point.labels), _labels(point.labels)
                )
                at = _time(point, openmetrics) if times else ""
                yield f"{name}{text} {number_of(point.value)}{at}\n"
    if openmetrics:
        yield "# EOF\n"


def _head(family: Family, openmetrics: bool) -> Iterator[str]:
    counter = family.kind == "counter"
    # The family of a counter has the name without _total, its samples with.
    name = family.name.removesuffix("_total") if openmetrics and counter else family.name
    kind = "unknown" if openmetrics and counter and family.mib else family.kind
    yield f"# HELP {name} {family.help.translate(_ESCAPES) if openmetrics else _plain(family.help)}\n"
    yield f"# TYPE {name} {kind}\n"


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _labels(labels: Labels) -> str:
    inside = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def number_of(value: float) -> str:
    """Return a number with all its digits; an integer of 64 bits keeps them."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _time(point: Point, openmetrics: bool) -> str:
    if point.at_ms is None:
        return ""
    return f" {point.at_ms // 1000}.{point.at_ms % 1000:03}" if openmetrics else f" {point.at_ms}"
