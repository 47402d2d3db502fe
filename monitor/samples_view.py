"""Samples as people read them: counters as rates, gauges in their units, with a sparkline. Nothing is written."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.rates import UNKNOWN_SPEED_BPS, Count, increments
from monitor.samples import Key, Name, Series
from monitor.tsdb.groups import bits, counted, octets_each
from monitor.tsdb.store import EmbeddedStore

_HUNDREDTHS = ("cpu", "memory", "temperature", "uptime")
_WHOLE = ("discontinuity", "speed")
_UNITS = {
    "cpu": "%",
    "memory": "%",
    "temperature": "°C",
    "uptime": "s",
    "speed": "bps",
    "discontinuity": "ticks",
}
Points = list[tuple[datetime, float]]


def rows(
    store: EmbeddedStore, device: int, names: Iterable[Name], start: datetime, end: datetime
) -> list[dict[str, Any]]:
    """Return a row for each series that has values in the window."""
    found = []
    for metric, instance in sorted(names):
        points = shown(store, (device, metric, instance), start, end)
        if points:
            values = [v for _, v in points]
            found.append(
                {
                    "metric": metric,
                    "instance": instance,
                    "last": values[-1],
                    "least": min(values),
                    "greatest": max(values),
                    "unit": unit(metric),
                    "at": points[-1][0],
                    "points": len(points),
                    "values": values,
                }
            )
    return found


def shown(store: EmbeddedStore, key: Key, start: datetime, end: datetime) -> Points:
    """Return the rates of a counter (bits or packets per second), or the values of a gauge in their unit."""
    device, metric, instance = key
    if not counted(metric):
        series = store.read([key], start, end).get(key)
        return [(at, scaled(metric, v)) for at, v in series.points()] if series else []
    mark, fast, uptime = (
        (device, "discontinuity", instance),
        (device, "speed", instance),
        (device, "uptime", ""),
    )
    found = store.read([key, mark, fast, uptime], start, end)
    speeds = found[fast].values.tolist() if fast in found else []
    width, each = bits(metric), octets_each(metric)
    speed = ((speeds[-1] if speeds else 0) or UNKNOWN_SPEED_BPS[width]) // each
    steps = increments(_counts(found, key, mark, uptime), bits=width, speed_bps=speed or None)
    factor = 8 if each == 1 else 1
    return [(s.end, s.per_second * factor) for s in steps if s.per_second is not None]


def _counts(found: Mapping[Key, Series], key: Key, mark: Key, uptime: Key) -> Iterator[Count]:
    marks = dict(found[mark].points()) if mark in found else {}
    uptimes = dict(found[uptime].points()) if uptime in found else {}
    for at, value in found[key].points() if key in found else ():
        yield Count(at, value, uptimes[at] / 100 if at in uptimes else None, marks.get(at))


def scaled(metric: str, value: int) -> float:
    """Return a gauge in its unit."""
    return value / (100 if metric in _HUNDREDTHS else 1 if metric in _WHOLE else 1000)


def unit(metric: str) -> str:
    """Return the unit in which a metric is shown."""
    if counted(metric):
        return "bps" if octets_each(metric) == 1 else "/s"
    return _UNITS.get(metric, "")


def export(
    store: EmbeddedStore, path: Path, devices: Iterable[int] | None, start: datetime, end: datetime
) -> int:
    """Write the raw values of a window to one Parquet file; return how many values they were."""
    from monitor.tsdb import parquet

    names = store.names(start, end)
    chosen = names.keys() if devices is None else names.keys() & set(devices)
    return parquet.write(path, _series(store, {d: names[d] for d in sorted(chosen)}, start, end))


def _series(
    store: EmbeddedStore, names: Mapping[int, set[Name]], start: datetime, end: datetime
) -> Iterator[tuple[Key, Series]]:
    for device, some in names.items():
        yield from store.read([(device, *name) for name in sorted(some)], start, end).items()
