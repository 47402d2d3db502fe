"""When devices were asked and whether they answered: every look, and how long each state held."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.samples import Asked, Availability, time_of
from monitor.tsdb import codec, hours, runs
from monitor.tsdb.days import HOURLY, RAW
from monitor.tsdb.faults import Damage, told_of
from monitor.tsdb.head import ANSWERED, ASKED, AT, DAY_MS, DEVICE, FLAGS, HOUR_MS, index_of
from monitor.tsdb.hot import Hot, device_of, first_of

if TYPE_CHECKING:
    from monitor.tsdb.store import EmbeddedStore

Array = NDArray[np.int64]


def asked(
    store: "EmbeddedStore", start_ms: int, end_ms: int, devices: Iterable[int] | None
) -> Mapping[int, list[Asked]]:
    """Return device → every look in [start, end], by time."""
    found = marks(store, start_ms, end_ms, devices)
    return {
        device: [
            Asked(device, time_of(a), bool(f & ANSWERED))
            for a, f in zip(at.tolist(), flags.tolist(), strict=True)
        ]
        for device, (at, flags) in sorted(found.items())
    }


def marks(
    store: "EmbeddedStore", start_ms: int, end_ms: int, devices: Iterable[int] | None
) -> dict[int, tuple[Array, Array]]:
    """Return device → times and flags of its looks in [start, end], each once."""
    chosen = None if devices is None else set(devices)
    found: dict[int, list[Array]] = {}
    for device, table in _tables(store, start_ms, end_ms, chosen):
        found.setdefault(device, []).append(table)
    return {d: some for d, tables in found.items() if len((some := _once(tables, start_ms, end_ms))[0])}


def _once(tables: list[Array], start_ms: int, end_ms: int) -> tuple[Array, Array]:
    at, flags = np.concatenate(tables, axis=1)
    keep = (flags & ASKED != 0) & (at >= start_ms) & (at <= end_ms)
    times, place = np.unique(at[keep], return_inverse=True)
    joined = np.zeros(len(times), np.int64)
    np.bitwise_or.at(joined, place, flags[keep])
    return times, joined


def _tables(
    store: "EmbeddedStore", start_ms: int, end_ms: int, devices: set[int] | None
) -> Iterator[tuple[int, Array]]:
    """Yield (device, times and flags) from everywhere; hot.db first, in one moment."""
    with store.reading() as hot:
        if hot is not None:
            yield from list(_hot_tables(store, hot, start_ms, end_ms, devices))
    for day, file in store.shelves[RAW].between(start_ms // DAY_MS, end_ms // DAY_MS):
        with told_of(file.path, day * DAY_MS, store.told):
            for device in file.devices() if devices is None else devices:
                block = file.marks(device)
                if block is not None:
                    try:
                        yield device, codec.decode(block)
                    except codec.DamagedError as error:
                        store.told(Damage(file.path, device, day * DAY_MS, f"{error}"))


def _hot_tables(
    store: "EmbeddedStore", hot: Hot, start_ms: int, end_ms: int, devices: set[int] | None
) -> Iterator[tuple[int, Array]]:
    for key in hot.hour_keys((start_ms - HOUR_MS) // DAY_MS, end_ms // DAY_MS):
        row = hot.hour(key) if devices is None or device_of(key) in devices else None
        if row is not None and start_ms - HOUR_MS <= first_of(key) <= end_ms:
            try:
                yield device_of(key), hours.times(row[2])
            except codec.DamagedError as error:
                store.told(Damage(hot.path, device_of(key), first_of(key), f"{error}"))
    index = index_of(hot.head_index(start_ms, end_ms))
    if devices is not None:
        index = index[np.isin(index[:, DEVICE], list(devices))]
    index = index[np.argsort(index[:, DEVICE], kind="stable")]
    for part in np.split(index, np.flatnonzero(np.diff(index[:, DEVICE])) + 1):
        if len(part):
            yield int(part[0, DEVICE]), np.stack((part[:, AT], part[:, FLAGS]))


def last_asked(
    store: "EmbeddedStore", start_ms: int, end_ms: int, devices: Iterable[int] | None
) -> Mapping[int, tuple[datetime, datetime | None]]:
    """Return device → its last look in [start, end], and its last answer; a month of looks is never read for it."""
    chosen = None if devices is None else set(devices)
    table = _runs(store, start_ms, end_ms + 1)
    if chosen is not None:
        table = table[:, np.isin(table[runs.DEVICE], list(chosen))]
    whole = table[:, table[runs.LAST] <= end_ms]
    asked_ = _newest(whole[runs.DEVICE], whole[runs.LAST])
    answered = _newest(*whole[:, whole[runs.ANSWER] == 1][[runs.DEVICE, runs.LAST]])
    for device, at, answer in _at_the_end(store, table[:, table[runs.LAST] > end_ms], start_ms, end_ms):
        asked_[device] = max(asked_.get(device, at), at)
        if answer:
            answered[device] = max(answered.get(device, at), at)
    return {d: (time_of(at), time_of(answered[d]) if d in answered else None) for d, at in asked_.items()}


def _newest(devices: Array, at: Array) -> dict[int, int]:
    order = np.argsort(at, kind="stable")
    return dict(zip(devices[order].tolist(), at[order].tolist(), strict=True))


def _at_the_end(
    store: "EmbeddedStore", over: Array, start_ms: int, end_ms: int
) -> Iterator[tuple[int, int, bool]]:
    """Yield (device, time, answered) of the looks just before the end, of runs that go on behind it."""
    if not over.shape[1]:
        return
    gap_ms = int(over[runs.GAP].max())
    exact = marks(store, max(start_ms, end_ms - gap_ms), end_ms, np.unique(over[runs.DEVICE]).tolist())
    for device, (at, flags) in exact.items():
        yield from ((device, int(a), bool(f & ANSWERED)) for a, f in zip(at, flags, strict=True))
    for device, answer, gap in over[[runs.DEVICE, runs.ANSWER, runs.GAP]].T.tolist():
        if device not in exact and end_ms - start_ms > gap:  # the raw day is gone, and there was a look
            yield device, end_ms, bool(answer)


def availability(
    store: "EmbeddedStore", start_ms: int, end_ms: int, hold_ms: int, devices: Iterable[int] | None
) -> Mapping[int, Availability]:
    """Return how long each device answered and was silent, from runs; from every look where runs do not do."""
    table = untangled(store, start_ms, end_ms, hold_ms, devices)
    window_s = (end_ms - start_ms) / 1000
    return {
        device: Availability(up / 1000, silent / 1000, window_s)
        for device, up, silent in zip(
            *(a.tolist() for a in runs.covered(table, start_ms, end_ms, hold_ms)), strict=True
        )
        if up or silent
    }


def untangled(
    store: "EmbeddedStore", start_ms: int, end_ms: int, hold_ms: int, devices: Iterable[int] | None
) -> Array:
    """Return the runs that reach into [start, end), none over another, with no pause in one longer than `hold_ms`."""
    chosen = None if devices is None else set(devices)
    table = _runs(store, start_ms - hold_ms, end_ms)
    if chosen is not None:
        table = table[:, np.isin(table[runs.DEVICE], list(chosen))]
    knotted = runs.tangled(table, hold_ms)
    if len(knotted):
        exact = marks(store, start_ms - hold_ms, end_ms, knotted.tolist())
        looks = [_single(device, at, flags) for device, (at, flags) in exact.items()]
        known = np.array(list(exact), np.int64)  # of the others the raw days are gone, their runs are not
        table = np.concatenate([table[:, ~np.isin(table[runs.DEVICE], known)], *looks], axis=1)
    return table


def _single(device: int, at: Array, flags: Array) -> Array:
    """Return a run for each look."""
    answered = (flags & ANSWERED != 0).astype(np.int64)
    return np.stack((np.full(len(at), device), at, at, answered, np.zeros(len(at), np.int64)))


def _runs(store: "EmbeddedStore", start_ms: int, end_ms: int) -> Array:
    tables = []
    with store.reading() as hot:
        if hot is not None:
            tables.append(_unpacked(store, hot.path, hot.asked(start_ms, end_ms), start_ms))
            index = index_of(hot.head_index(start_ms, end_ms))
            index = index[index[:, FLAGS] & ASKED != 0]
            answered = (index[:, FLAGS] & ANSWERED != 0).astype(np.int64)
            tables.append(
                np.stack((index[:, DEVICE], index[:, AT], index[:, AT], answered, np.zeros_like(answered)))
            )
    for day, file in store.shelves[HOURLY].between(start_ms // DAY_MS, end_ms // DAY_MS):
        with told_of(file.path, day * DAY_MS, store.told):
            tables.append(_unpacked(store, file.path, file.runs(), day * DAY_MS))
    table = np.concatenate([runs.NONE, *tables], axis=1)
    return table[:, (table[runs.LAST] >= start_ms) & (table[runs.FIRST] < end_ms)]


def _unpacked(store: "EmbeddedStore", path: Path, blocks: list[bytes], at_ms: int) -> Array:
    try:
        return runs.unpacked(blocks)
    except codec.DamagedError as error:
        store.told(Damage(path, -1, at_ms, f"{error}"))
        return runs.NONE
