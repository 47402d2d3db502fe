"""When lines and devices were seen up and away: the one computation that `siaga availability` and letters print too."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from inventory.models_people import Outage
from monitor import uptimes
from monitor.intervals import Array, totals
from monitor.samples import SampleStore, ms_of, time_of
from monitor.selfhealth import health_of, own_series
from monitor.tsdb import runs
from monitor.uptimes import Kind, Seen, Stretch, stretches
from report.asked.source import Source, digest_of
from report.claim import recorded, shared
from report.records import Away, Day, Met, OwnHealth, Polled
from siaga.text import safe

_NO_COVER = np.empty((4, 0), np.int64)
_UNSEEN = (Kind.unobserved, Kind.maintained_unseen)
_UP = (Kind.up, Kind.maintained_up)
_AWAY = (Kind.down, Kind.excused, Kind.unreachable, Kind.maintained_down)


def days(source: Source) -> Iterator[Day]:
    """Yield every line that has a device on every day, by line and day."""
    sums = {day: _within(source.view, ms_of(start), ms_of(end)) for day, start, end in source.period.days()}
    width = {day: ms_of(end) - ms_of(start) for day, start, end in source.period.days()}
    for name, line in sorted(source.lines, key=lambda pair: pair[0]):
        if line.device_id is None:
            continue
        for day, of_device in sums.items():
            parts = of_device.get(line.device_id)
            if parts is not None:
                unseen = sum(parts[k] for k in _UNSEEN)
                yield Day(name, day, width[day], width[day] - unseen, sum(parts[k] for k in _UP))


def _within(view: Seen, start_ms: int, end_ms: int) -> Mapping[int, list[int]]:
    """Return device → milliseconds of each kind in a part of the window."""
    p = view.pieces
    inside = (p.start_ms < end_ms) & (p.end_ms > start_ms)
    length = np.minimum(p.end_ms[inside], end_ms) - np.maximum(p.start_ms[inside], start_ms)
    who, sums = totals(p.owner[inside], length, view.kind[inside], len(Kind))
    return dict(zip(who.tolist(), sums.tolist(), strict=True))


def met(source: Source) -> Iterator[Met]:
    """Yield what the users of each agency with a watched connection met: at every moment its best line counts."""
    members: dict[int, list[int]] = {}
    for _, line in source.lines:
        row = source.connections.get(line.id) if line.noun == "connection" else None
        if row is not None and row.agency_id is not None and line.device_id is not None:
            members.setdefault(row.agency_id, []).append(line.device_id)
    best = uptimes.best(source.view, members) if members else {}
    found = []
    for agency_id, parts in best.items():
        row_ = source.agencies[agency_id]
        unseen = sum(parts.ms[k] for k in _UNSEEN)
        found.append(
            Met(
                agency=safe(row_.name),
                kind=row_.kind,
                window_ms=parts.window_ms,
                observed_ms=parts.window_ms - unseen,
                up_ms=sum(parts.ms[k] for k in _UP),
                kecamatan=source.kecamatan(row_.place_id),
                priority=source.priority(row_.place_id),
            )
        )
    yield from sorted(found, key=lambda m: m.agency)


def away(source: Source) -> Iterator[Away]:
    """Yield every unbroken time in which a line, or a device of a server room, was away, with its likely cause."""
    subjects: dict[int, list[str]] = {}
    for name, line in source.lines:
        if line.device_id is not None:
            subjects.setdefault(line.device_id, []).append(name)
    for device_id, row in source.devices.items():
        room = source.room(row.place_id)
        if room is not None and room.purpose == "server":
            subjects.setdefault(device_id, []).append(source.device(device_id))
    outages = _recorded(source)
    found = [
        _away(name, one, outages.get(one.device, ()))
        for one in stretches(source.view, _AWAY)
        for name in dict.fromkeys(subjects.get(one.device, ()))
    ]
    yield from sorted(found, key=lambda a: (a.line, a.start))


def _recorded(source: Source) -> Mapping[int, list[Outage]]:
    """Return device → the outages recorded of it that reach into the period."""
    found: dict[int, list[Outage]] = {}
    for outage, devices in recorded(source.session, source.window):
        for device in devices:
            found.setdefault(device, []).append(outage)
    return found


def _away(name: str, one: Stretch, outages: Sequence[Outage]) -> Away:
    """Return a time away: planned or behind another if most of it was; else the cause of the outage over most of it."""
    best = max(outages, key=lambda o: (shared(o, one), o.name), default=None)
    said = best if best is not None and shared(best, one) > 0 else None
    whole = one.end_ms - one.start_ms
    if 2 * one.parts.get(Kind.maintained_down, 0) >= whole:
        cause = "planned"
    elif said is not None and said.cause != "unknown":
        cause = said.cause
    elif 2 * one.parts.get(Kind.unreachable, 0) >= whole:
        cause = "behind"
    else:
        cause = "unknown"
    outage = safe(said.name) if said else ""
    return Away(name, time_of(one.start_ms), time_of(one.end_ms), cause, outage, one.open)


def polled(source: Source) -> Iterator[Polled]:
    """Yield how long each device in service answered, with the hash of its looks."""
    ids = sorted(source.devices)
    table = source.samples.runs(source.period.since, source.period.until, source.hold_s, ids)
    table = runs.ordered(table)
    start, end = source.window.ms
    who, answered, silent = runs.covered(table, start, end, source.hold_ms)
    sums = dict(zip(who.tolist(), zip(answered.tolist(), silent.tolist(), strict=True), strict=True))
    digests = look_digests(table, source.hold_ms, (start, end))
    for device_id, row in source.devices.items():
        up, down = sums.get(device_id, (0, 0))
        yield Polled(safe(row.name), source.period.ms, up, down, digests.get(device_id, ""))


def look_digests(table: Array, hold_ms: int, window_ms: tuple[int, int]) -> Mapping[int, str]:
    """Return device → the hash of when its looks hold and what they found.

    How the store cuts runs (by hour, by day) says nothing: those of one answer that touch are taken as one.
    """
    device, start, until, answer = _covers(table, hold_ms, window_ms)
    cut = np.append(
        True, (device[1:] != device[:-1]) | (answer[1:] != answer[:-1]) | (start[1:] > until[:-1])
    )
    first = np.flatnonzero(cut[: len(device)])
    last = np.append(first[1:], len(device)) - 1
    whole = np.stack((device[first], start[first], until[last], answer[first])) if len(first) else _NO_COVER
    edges = np.flatnonzero(np.diff(whole[0], prepend=-1, append=-1)).tolist()
    return {
        int(whole[0, a]): hashlib.sha256(np.ascontiguousarray(whole[1:, a:b]).tobytes()).hexdigest()
        for a, b in pairwise(edges)
    }


def _covers(table: Array, hold_ms: int, window_ms: tuple[int, int]) -> tuple[Array, Array, Array, Array]:
    """Return of each run its device, from when to when it holds in the window, and its answer."""
    device, first, answer = table[runs.DEVICE], table[runs.FIRST], table[runs.ANSWER]
    following = np.append(first[1:], window_ms[1])
    following = np.where(
        np.append(device[1:] != device[:-1], True)[: len(device)], window_ms[1], following[: len(device)]
    )
    until = np.minimum(np.minimum(table[runs.LAST] + hold_ms, following), window_ms[1])
    start = np.maximum(first, window_ms[0])
    some = until > start
    return device[some], start[some], until[some], answer[some]


def own_health(source: Source) -> Iterator[OwnHealth]:
    """Yield how well siaga itself watched, with the hash of the figures that it kept of itself."""
    yield told_of_itself(source.samples, source.period.since, source.period.until)


def told_of_itself(samples: SampleStore, since: datetime, until: datetime) -> OwnHealth:
    """Return the same from the samples alone."""
    end = until - timedelta(microseconds=1)
    figures = own_series(samples, since, end)
    found = health_of(figures, since, until)
    return OwnHealth(
        name="siaga",
        minutes=found.minutes,
        seen_pct=found.seen_pct,
        punctual_pct=found.punctual_pct,
        late_p95_s=found.late_p95_s,
        late_max_s=found.late_max_s,
        unpolled_max=found.unpolled_max,
        waiting_max=found.waiting_max,
        sha256=digest_of(figures.values()),
    )


ANSWERS = {Day: days, Met: met, Away: away, Polled: polled, OwnHealth: own_health}
