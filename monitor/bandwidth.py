"""What lines carry, against what their contracts promise: by line, agency, kecamatan, provider; and the busiest now."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from inventory.store import open_engine, reading
from monitor.lines import Line, Port, grouped, lines
from monitor.poller import rate_series
from monitor.samples import Name, SampleStore, ms_of, open_samples, time_of
from monitor.usage import Carried, Load, busier, carried, load, summed
from siaga.errors import UsageError
from siaga.settings import Settings

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_WAYS = ("in_octets", "out_octets")
Both = tuple[Carried | None, Carried | None]  # down, up
_NEITHER: Both = (None, None)
_NEVER: tuple[float | None, float | None] = (None, None)


def window(text: str) -> timedelta:
    """Return a window such as 30m, 2h or 7d. Raises UsageError (`bad-window`)."""
    match = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip())
    if not match or not int(match[1]):
        raise UsageError("bad-window", f"'{text}' is no window; write 30m, 2h, 7d.")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


@dataclass(frozen=True)
class Usage:
    """What a group of lines carried, and what they were promised; `measured` of its lines have any figure."""

    name: str
    lines: tuple[Line, ...]
    measured: int
    down: Load
    up: Load
    now_down_bps: float | None
    now_up_bps: float | None

    @property
    def promised(self) -> tuple[int | None, int | None]:
        """What the contracts commit, down and up; None where one of the lines has nothing committed."""
        return _sum([k.down_bps for k in self.lines]), _sum([k.up_bps for k in self.lines])

    @property
    def used_pct(self) -> float | None:
        """The 95th percentile as a share of what is committed, in the busier direction."""
        down, up = self.promised
        share = busier((self.down.p95_bps, down), (self.up.p95_bps, up))
        return None if share is None else 100 * share


def _sum(values: Sequence[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if values and len(known) == len(values) else None


def usages(
    session: Session,
    samples: SampleStore,
    by: str,
    selector: Sequence[str],
    span: tuple[datetime, datetime],
    *,
    fresh_s: float = 300.0,
    points: int = 12,
    now: datetime | None = None,
) -> list[Usage]:
    """Return what each group carried in a window, by name. `now`: the last rates are read too, if it ends there."""
    found = lines(session, "link" if by == "link" else "connection", selector, span[1].date())
    kept = measured(samples, found, *span)
    current: Mapping[Line, tuple[float | None, float | None]] = {}
    if now is not None and (now - span[1]).total_seconds() < fresh_s:
        current = last_rates(samples, found, span[1] - timedelta(seconds=fresh_s), span[1])
    start_ms, end_ms = map(ms_of, span)
    return [
        _usage(name, some, kept, current, (start_ms, end_ms), points)
        for name, some in grouped(found, by).items()
    ]


def _usage(
    name: str,
    some: Sequence[Line],
    kept: Mapping[Line, Both],
    current: Mapping[Line, tuple[float | None, float | None]],
    span_ms: tuple[int, int],
    points: int,
) -> Usage:
    # A line that was not measured at all is told apart by `measured`; those that were must be known all together.
    sums = [summed([c for k in some if (c := kept.get(k, _NEITHER)[way]) is not None]) for way in (0, 1)]
    rates = [[current.get(k, _NEVER)[way] for k in some if k in kept or k in current] for way in (0, 1)]
    now_down, now_up = (_total(r) for r in rates)
    down, up = (load(s, *span_ms, points) for s in sums)
    return Usage(name, tuple(some), sum(k in kept for k in some), down, up, now_down, now_up)


def _total(rates: Sequence[float | None]) -> float | None:
    known = [r for r in rates if r is not None]
    return sum(known) if rates and len(known) == len(rates) else None


def measured(
    samples: SampleStore,
    some: Sequence[Line],
    start: datetime,
    end: datetime,
    names: Mapping[int, set[Name]] | None = None,
) -> dict[Line, Both]:
    """Return line → what it carried down and up, of the lines of which anything is known.

    `names`: what the store has in this time, for who asks in parts and has asked for it already.
    """
    chosen = dict(_chosen(some, samples.names(start, end) if names is None else names))
    keys = [(p.device_id, m, p.name) for p, metrics in chosen.values() for m in metrics]
    bins = {key: carried(*columns) for key, *columns in samples.carried(keys, start, end)}
    found: dict[Line, Both] = {}
    for line, (port, metrics) in chosen.items():
        into, out = (bins.get((port.device_id, m, port.name)) for m in metrics)
        if into is not None or out is not None:
            found[line] = (out, into) if port.swapped else (into, out)
    return found


def _chosen(
    some: Sequence[Line], names: Mapping[int, set[Name]]
) -> Iterator[tuple[Line, tuple[Port, tuple[str, str]]]]:
    """Yield each line's first port that is measured, and its counters: of 64 bits where there are any."""
    for line in some:
        for port in line.ports:
            there = {m for m, instance in names.get(port.device_id, ()) if instance == port.name}
            metrics = tuple(f"{m}_64" if f"{m}_64" in there else m for m in _WAYS)
            if there & set(metrics):
                yield line, (port, (metrics[0], metrics[1]))
                break


def last_rates(
    samples: SampleStore, some: Sequence[Line], start: datetime, end: datetime
) -> dict[Line, tuple[float | None, float | None]]:
    """Return line → the newest rate down and up between two polls in this time."""
    found = {}
    for line, (down, up) in raw_rates(samples, some, start, end):
        found[line] = (down[-1] if down else None, up[-1] if up else None)
    return found


def raw_rates(
    samples: SampleStore, some: Sequence[Line], start: datetime, end: datetime
) -> Iterator[tuple[Line, tuple[list[float], list[float]]]]:
    """Yield each measured line with its rates down and up, one for each sound increment."""
    for line in some:
        for port in line.ports:
            series = rate_series(
                samples, port.device_id, [port.name], {port.name: port.speed_bps}, start, end
            )
            if port.name in series:
                into, out = ([v for _, v in points] for points in series[port.name])
                yield line, (out, into) if port.swapped else (into, out)
                break


def bins_of(samples: SampleStore, line: Line, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return every 5-minute bin of a line; a direction that is not known is None, a bin without any is absent."""
    down, up = measured(samples, [line], start, end).get(line, (None, None))
    rows: dict[int, dict[str, Any]] = {}
    for way, some in (("down_bps", down), ("up_bps", up)):
        for at, bps in zip(some.at_ms.tolist(), some.bps.tolist(), strict=True) if some else ():
            empty = {"name": line.name, "at": time_of(at), "down_bps": None, "up_bps": None}
            rows.setdefault(at, empty)[way] = round(bps, 3)
    return [rows[at] for at in sorted(rows)]


def busiest(
    settings: Settings,
    selector: Sequence[str],
    *,
    number: int,
    since: str,
    now: datetime,
    by: str = "connection",
) -> list[dict[str, Any]]:
    """Return the lines with the highest share of their contract now; those without one come after, by rate."""
    start = now - window(since)
    with reading(open_engine(settings)) as session:
        found = lines(session, "link" if by == "link" else "connection", selector, now.date())
    with open_samples(settings.home) as samples:
        rows = [_top_row(k, down, up) for k, (down, up) in raw_rates(samples, found, start, now)]
    rows.sort(key=_busier_first)
    return rows[:number]


def _busier_first(row: Mapping[str, Any]) -> tuple[bool, float, float, str]:
    used = row["used_pct"]
    rate = max(row["in_bps"] or 0.0, row["out_bps"] or 0.0)
    return used is None, -(used or 0.0), -rate, row["name"]


def _top_row(line: Line, down: list[float], up: list[float]) -> dict[str, Any]:
    last = (down[-1] if down else None, up[-1] if up else None)
    share = busier((last[0], line.down_bps), (last[1], line.up_bps))
    return {
        line.noun: line.name,
        "name": line.name,
        "agency": line.agency,
        "provider": line.provider,
        "in_bps": last[0],
        "out_bps": last[1],
        "in_series_bps": down,
        "out_series_bps": up,
        "committed_down_bps": line.down_bps,
        "committed_up_bps": line.up_bps,
        "used_pct": None if share is None else 100 * share,
        "samples": len(down),
    }
