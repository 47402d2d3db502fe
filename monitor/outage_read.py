"""What is known of each time a device was away: its place, its neighbours, its UPS, its uptime afterwards."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from inventory.models import Device, Place
from monitor.availability import Window, look
from monitor.lines import Line, lines
from monitor.models import Alert
from monitor.outages import Fall
from monitor.samples import SampleStore, ms_of, time_of
from monitor.uptimes import Kind, Seen, Stretch, stretches

ON_BATTERY = "ups-on-battery"  # the rule that sees it (monitor/rules)
_ROOTS = (Kind.down, Kind.excused, Kind.maintained_down)
_AWAY = (*_ROOTS, Kind.unreachable)
_BATTERY_BEFORE = timedelta(
    minutes=10
)  # mains came back so long before the device fell: its battery was empty
_BATTERY_AFTER = timedelta(minutes=5)  # a UPS is asked less often than a router
_RETURN = timedelta(minutes=10)  # in which an uptime after the return is looked for
_BEFORE = timedelta(hours=2)  # and one before it
_SLACK_MS = 60_000  # an agent begins to count a little after its device
_NO_SITE = ("regency",)
_INNER = ("room", "rack")
_DEEPEST = 32


@dataclass(frozen=True)
class Found:
    """The falls of a window, what they are of, and who was cut off behind others meanwhile."""

    falls: tuple[Fall, ...]
    seen: Seen
    unreachable: tuple[Stretch, ...]
    lines: Mapping[int, Line]
    names: Mapping[int, str]
    places: Mapping[int, str]


def find(
    session: Session, samples: SampleStore, devices: Collection[int], window: Window, least_s: float
) -> Found:
    """Return every fall of these devices that reaches into the window and lasts at least so long."""
    rows = [d for d in session.exec(select(Device)) if d.id is not None and d.status == "active"]
    places = {p.id or 0: p for p in session.exec(select(Place))}
    sites = {d.id or 0: site(d.place_id, places) for d in rows}
    everybody = [d.id or 0 for d in rows]
    seen = look(session, samples, everybody, window)
    away = stretches(seen, _AWAY, across=True)
    wanted = set(devices)
    roots = [
        s
        for s in stretches(seen, _ROOTS, across=True)
        if s.device in wanted and (s.open or s.seconds >= least_s)
    ]
    neighbours = _neighbours(sites)
    uptimes = _Uptimes(samples, window)
    batteries = _batteries(session, rows, sites, window)
    own = _lines(session, window)
    up_all = _stayed(seen)
    falls = [_fall(s, sites, neighbours, away, uptimes, batteries, own, up_all) for s in roots]
    return Found(
        tuple(falls),
        seen,
        tuple(s for s in stretches(seen, (Kind.unreachable,))),
        own,
        {d.id or 0: d.name for d in rows},
        {i: p.name for i, p in places.items()},
    )


def site(place_id: int | None, places: Mapping[int, Place]) -> int | None:
    """Return the place whose power a device shares: its site or building, else the nearest that is no room or rack."""
    first: int | None = None
    at = place_id
    for _ in range(_DEEPEST):
        place = places.get(at or 0)
        if place is None or place.kind in _NO_SITE:
            break
        if place.kind in ("site", "building"):
            return place.id
        if first is None and place.kind not in _INNER:
            first = place.id
        at = place.parent_id
    return first


def _neighbours(sites: Mapping[int, int | None]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for device, place in sites.items():
        if place is not None:
            found.setdefault(place, []).append(device)
    return found


class _Uptimes:
    """Tells whether a device began to count anew while it was away."""

    def __init__(self, samples: SampleStore, window: Window) -> None:
        self.samples = samples
        self.window = window

    def restarted(self, stretch: Stretch) -> bool | None:
        """Return whether it started anew; None when no uptime is known after its return."""
        if stretch.open:
            return None
        back, away = time_of(stretch.end_ms), time_of(stretch.start_ms)
        after = self._read(stretch.device, back, back + _RETURN)
        if not after:
            return None
        before = self._read(stretch.device, away - _BEFORE, away)
        return began_anew(before[-1] if before else None, after[0], stretch.start_ms)

    def _read(self, device: int, start: datetime, end: datetime) -> list[tuple[int, int]]:
        key = (device, "uptime", "")
        series = self.samples.read([key], start, end).get(key)
        return [] if series is None else list(zip(series.at_ms.tolist(), series.values.tolist(), strict=True))


def began_anew(before: tuple[int, int] | None, after: tuple[int, int], fell_ms: int) -> bool:
    """Tell from two uptimes, (at_ms, ticks of sysUpTime), whether one that fell silent at `fell_ms` began anew. Pure.

    One that ran through has grown by the time between them, also past the end of its 32 bits (497 days). Where the one
    before is not known, it began anew if it has not run for as long as it was away.
    """
    at_ms, ticks = after
    if before is None:
        return at_ms - ticks * 10 > fell_ms - _SLACK_MS
    grown_ms = (ticks - before[1]) % 2**32 * 10
    return abs(grown_ms - (at_ms - before[0])) > _SLACK_MS


Batteries = Mapping[int, Sequence[tuple[str, int, int]]]  # site → (UPS, from, until) on battery


def _batteries(
    session: Session, rows: Iterable[Device], sites: Mapping[int, int | None], window: Window
) -> Batteries:
    named = {d.id: d.name for d in rows}
    closed = or_(col(Alert.closed_at).is_(None), col(Alert.closed_at) > window.start - _BATTERY_BEFORE)
    query = select(Alert).where(Alert.rule == ON_BATTERY, Alert.opened_at < window.end, closed)
    found: dict[int, list[tuple[str, int, int]]] = {}
    for alert in session.exec(query):
        place = sites.get(alert.device_id or 0)
        if place is not None:
            until = ms_of((alert.closed_at or window.end) + _BATTERY_BEFORE)
            begun = ms_of(alert.opened_at - _BATTERY_AFTER)
            found.setdefault(place, []).append((named[alert.device_id], begun, until))
    return found


def _lines(session: Session, window: Window) -> dict[int, Line]:
    """Return device → the line by whose state it is told: a connection before a link."""
    day = window.end.date()
    both = [*lines(session, "link", (), day), *lines(session, "connection", (), day)]
    return {line.device_id: line for line in both if line.device_id is not None}


def _stayed(seen: Seen) -> dict[int, list[Stretch]]:
    found: dict[int, list[Stretch]] = {}
    for stretch in stretches(seen, (Kind.up, Kind.maintained_up)):
        found.setdefault(stretch.device, []).append(stretch)
    return found


def _fall(
    own: Stretch,
    sites: Mapping[int, int | None],
    neighbours: Mapping[int, Sequence[int]],
    away: Sequence[Stretch],
    uptimes: _Uptimes,
    batteries: Batteries,
    of_lines: Mapping[int, Line],
    up_all: Mapping[int, Sequence[Stretch]],
) -> Fall:
    place = sites.get(own.device)
    others = [d for d in neighbours.get(place or 0, ()) if d != own.device]
    with_it = [s for s in away if s.device in others and s.start_ms < own.end_ms and s.end_ms > own.start_ms]
    stayed = [
        d
        for d in others
        if any(s.start_ms <= own.start_ms and s.end_ms >= own.end_ms for s in up_all.get(d, ()))
    ]
    battery = [n for n, a, b in batteries.get(place or 0, ()) if a <= own.start_ms < b]
    line = of_lines.get(own.device)
    maintained = own.parts.get(Kind.maintained_down, 0)
    return Fall(
        device=own.device,
        start_ms=own.start_ms,
        end_ms=None if own.open else own.end_ms,
        site=place,
        provider=line.provider if line else "",
        restarted=uptimes.restarted(own),
        with_it={s.device: uptimes.restarted(s) for s in with_it},
        stayed=bool(stayed),
        on_battery=tuple(sorted(set(battery))),
        planned=2 * maintained >= own.end_ms - own.start_ms,
    )
