"""What is now: the newest polls of many devices, and the series that carry most."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.rates import UNKNOWN_SPEED_BPS, Count, increment
from monitor.samples import MISSING, Key, Poll, Series, time_of
from monitor.tsdb import codec
from monitor.tsdb.days import RAW, DayFile, day_of
from monitor.tsdb.faults import Damage
from monitor.tsdb.groups import Plan, bits, octets_each
from monitor.tsdb.head import (
    ANSWERED,
    ASKED,
    AT,
    DAY_MS,
    DEVICE,
    FLAGS,
    LAYOUT,
    SLOTS,
    VALUED,
    Entries,
    entries,
)
from monitor.tsdb.merge import Part, merged
from monitor.tsdb.pieces import day_part, hour_part

if TYPE_CHECKING:
    from monitor.tsdb.hot import Hot
    from monitor.tsdb.store import EmbeddedStore

Array = NDArray[np.int64]
Pairs = dict[int, tuple[Poll, Poll | None]]
IN_HEAD_MS = 300_000  # the head always holds the last five minutes


def last(
    store: "EmbeddedStore", now_ms: int, devices: Iterable[int] | None, age_ms: int, metric: str | None
) -> Pairs:
    """Return device → its newest poll with values (of `metric`, if one is named), and the one before."""
    with store.reading() as hot:
        if hot is None:
            return {}
        plans = hot.layouts()
        wanted = [i for i, p in plans.items() if p.layout.columns and (metric is None or metric in p.metrics)]
        found = recent(hot, now_ms, age_ms)
        keep = (found.index[:, FLAGS] & VALUED != 0) & np.isin(found.index[:, LAYOUT], wanted)
        if devices is not None:
            devices = set(devices)
            keep &= np.isin(found.index[:, DEVICE], list(devices))
        polls = dict(_pairs(found.where(keep), plans, store))
        if age_ms > IN_HEAD_MS:
            _look_back(hot, store, polls, devices, (now_ms - age_ms, now_ms), plans, set(wanted))
    return polls


def recent(hot: "Hot", now_ms: int, age_ms: int) -> Entries:
    """Return what the head holds of the time up to now."""
    found = entries(hot.head(range(SLOTS), now_ms - age_ms, now_ms))
    return found.where((found.index[:, AT] >= now_ms - age_ms) & (found.index[:, AT] <= now_ms))


def _pairs(
    found: Entries, plans: Mapping[int, Plan], store: "EmbeddedStore"
) -> Iterator[tuple[int, tuple[Poll, Poll | None]]]:
    """Yield the two newest of each device; only they are unpacked."""
    order = np.lexsort((-np.arange(len(found.index)), found.index[:, AT], found.index[:, DEVICE]))
    device, at = found.index[order, DEVICE], found.index[order, AT]
    final = np.ones(len(order), bool)  # of two for one time the one that came first is the last here
    final[:-1] = (device[1:] != device[:-1]) | (at[1:] != at[:-1])
    order, device = order[final], device[final]
    newest = np.flatnonzero(np.diff(device, append=-1))
    before = newest[(newest > 0) & (device[newest - 1] == device[newest])] - 1
    chosen = found.where(order[np.sort(np.concatenate((newest, before)))])
    polls: dict[int, list[Poll]] = {}
    for poll in unpacked(chosen, plans, store):
        polls.setdefault(poll.device, []).append(poll)
    for one, some in polls.items():
        yield one, (some[-1], some[-2] if len(some) > 1 else None)


def unpacked(found: Entries, plans: Mapping[int, Plan], store: "EmbeddedStore") -> Iterator[Poll]:
    """Yield polls of the head in their order; what is damaged is told and left out."""
    rows: list[Array | None] = [None] * len(found.index)
    layouts = found.index[:, LAYOUT]
    for layout in np.unique(layouts):
        places = np.flatnonzero(layouts == layout)
        for place, values in zip(places.tolist(), _values(found, places, store), strict=True):
            rows[place] = values
    for (device, at, flags, layout, _), values in zip(found.index.tolist(), rows, strict=True):
        if values is not None:
            yield Poll(device, at, plans[layout].layout, values, bool(flags & ASKED), bool(flags & ANSWERED))


def _values(found: Entries, places: Array, store: "EmbeddedStore") -> Iterator[Array | None]:
    try:
        yield from codec.decode_each(list(found.blocks[places]))
    except codec.DamagedError:
        for place in places.tolist():
            try:
                yield codec.decode_each([found.blocks[place]])[0]
            except codec.DamagedError as error:
                index = found.index[place]
                store.told(Damage(store.hot_path, int(index[DEVICE]), int(index[AT]), f"{error}"))
                yield None


def _look_back(
    hot: "Hot",
    store: "EmbeddedStore",
    polls: Pairs,
    devices: Iterable[int] | None,
    window: tuple[int, int],
    plans: Mapping[int, Plan],
    wanted: set[int],
) -> None:
    """Complete, from blocks of hours and day files, what the head no longer holds, or got late."""
    files = [f for _, f in store.shelves[RAW].between(window[0] // DAY_MS, window[1] // DAY_MS)]
    known = {*hot.hour_devices(), *(d for f in files for d in f.devices())}
    for device in known if devices is None else known.intersection(devices):
        mine = [p for p in polls.get(device, ()) if p]
        since = mine[1].at_ms if len(mine) > 1 else window[0]
        parts = [
            *file_parts(store, files, device),
            *hour_parts(hot, store, device, (since, window[1]), plans),
        ]
        parts = [p for p in parts if p.plan.layout.id in wanted or p.plan.layout.id not in plans]
        older = _newest(device, merged(parts).within(since, window[1] + 1)) if parts else []
        some = sorted({p.at_ms: p for p in [*mine, *older]}.values(), key=lambda p: -p.at_ms)
        if some:
            polls[device] = (some[0], some[1] if len(some) > 1 else None)


def hour_parts(
    hot: "Hot", store: "EmbeddedStore", device: int, window: tuple[int, int], plans: Mapping[int, Plan]
) -> Iterator[Part]:
    """Yield a device's blocks of hours that may hold something of a window; what is damaged is told."""
    for first_ms, layout, data in hot.hours(device, *window):
        try:
            yield hour_part(data, plans[layout])
        except codec.DamagedError as error:
            store.told(Damage(store.hot_path, device, first_ms, f"{error}"))


def file_parts(store: "EmbeddedStore", files: Iterable[DayFile], device: int) -> Iterator[Part]:
    """Yield a device's days; what is damaged is told."""
    for file in files:
        try:
            if part := day_part(file, device):
                yield part
        except codec.DamagedError as error:
            store.told(Damage(file.path, device, day_of(file.path.name) * DAY_MS, f"{error}"))


def _newest(device: int, part: Part) -> list[Poll]:
    at = part.valued_ms
    return [
        Poll(device, int(at[i]), part.plan.layout, np.ascontiguousarray(part.values[:, i]))
        for i in range(len(at) - 1, max(-1, len(at) - 3), -1)
    ]


def top(pairs: Mapping[int, tuple[Poll, Poll | None]], metric: str, number: int) -> list[tuple[Key, float]]:
    """Return the highest rates of a counter per second; the order is found first, each is judged by `rates`."""
    found: list[tuple[Key, float]] = []
    for new, old, column in _by_growth(pairs, metric):
        rate = _rate(old, new, column)
        if rate is not None:
            found.append(((new.device, *new.layout.columns[column]), rate))
        if len(found) == number:
            break
    return sorted(found, key=lambda f: -f[1])


def torn(pairs: Pairs) -> set[int]:
    """Return the devices whose two newest polls have values of different columns, as where a part was read later."""
    return {
        device
        for device, (new, old) in pairs.items()
        if old is not None
        and new.values is not None
        and old.values is not None
        and new.layout.id == old.layout.id
        and ((new.values == MISSING) != (old.values == MISSING)).any()
    }


def rates(found: Mapping[Key, Series], metric: str) -> Iterator[tuple[Key, float]]:
    """Yield the rate of each counter over its own two newest readings, where it is sound."""
    for key, series in found.items():
        device, name, instance = key
        if name != metric:
            continue
        uptimes, marks, speeds = (
            dict(found[k].points()) if k in found else {}
            for k in (
                (device, "uptime", ""),
                (device, "discontinuity", instance),
                (device, "speed", instance),
            )
        )
        counts = [
            Count(at, value, None if (ticks := uptimes.get(at)) is None else ticks / 100, marks.get(at))
            for at, value in series.points()[-2:]
        ]
        speed = speeds[max(speeds)] if speeds else None
        if len(counts) == 2 and (rate := _step(counts[0], counts[1], metric, speed)) is not None:
            yield key, rate


def keys(pairs: Pairs, devices: Iterable[int], metric: str) -> list[Key]:
    """Return what the rates of a counter are made of on some devices."""
    about = (metric, "discontinuity", "speed")
    found: set[Key] = {(device, "uptime", "") for device in devices}
    for device in devices:
        columns = {c for poll in pairs[device] if poll is not None for c in poll.layout.columns}
        found |= {(device, m, i) for _, i in columns for m in about if (m, i) in columns}
    return sorted(found)


def _by_growth(
    pairs: Mapping[int, tuple[Poll, Poll | None]], metric: str
) -> Iterator[tuple[Poll, Poll, int]]:
    """Yield (new, old, column) by growth over time, the greatest first."""
    polls, columns, growth = [], [], []
    columns_of: dict[int, Array] = {}
    for new, old in pairs.values():
        if old is None or old.layout.id != new.layout.id or new.values is None or old.values is None:
            continue
        if new.layout.id not in columns_of:
            named = [i for i, (m, _) in enumerate(new.layout.columns) if m == metric]
            columns_of[new.layout.id] = np.array(named, np.int64)
        mine = columns_of[new.layout.id]
        delta = new.values[mine] - old.values[mine]
        growth.append(
            np.where(delta < 0, delta + 2 ** bits(metric) if bits(metric) < 64 else 0, delta)
            / (new.at_ms - old.at_ms)
        )
        columns.append(mine)
        polls += [(new, old)] * len(mine)
    if not polls:
        return
    numbers = np.concatenate(columns)
    for i in np.argsort(-np.concatenate(growth), kind="stable").tolist():
        yield *polls[i], int(numbers[i])


def _rate(old: Poll, new: Poll, column: int) -> float | None:
    metric, instance = new.layout.columns[column]
    known = _getter(new, instance)
    speed = known(new, "speed", instance)
    counts = [
        Count(
            time_of(p.at_ms),
            value,
            uptime / 100 if uptime is not None else None,
            known(p, "discontinuity", instance),
        )
        for p in (old, new)
        if (value := _unsigned(metric, known(p, metric, instance))) is not None
        for uptime in (known(p, "uptime", ""),)
    ]
    if len(counts) < 2:
        return None
    return _step(counts[0], counts[1], metric, speed)


def _step(before: Count, after: Count, metric: str, speed_bps: int | None) -> float | None:
    width = bits(metric)
    speed = (speed_bps or UNKNOWN_SPEED_BPS[width]) // octets_each(metric)
    return increment(before, after, bits=width, speed_bps=speed or None).per_second


def _getter(new: Poll, instance: str) -> Callable[[Poll, str, str], int | None]:
    places = new.layout.places

    def known(poll: Poll, metric: str, of: str) -> int | None:
        place = places.get((metric, of))
        value = int(poll.values[place]) if place is not None and poll.values is not None else MISSING
        return None if value == MISSING else value

    return known


def _unsigned(metric: str, value: int | None) -> int | None:
    return value + 2**64 if value is not None and value < 0 and bits(metric) == 64 else value
