"""Compaction: the blocks of a day become files that never change. Merging only ever adds.

It needs no stop of the writer: it reads blocks of hours, writes files beside their places, brings them to the disk,
renames them, and only then removes the very blocks it has read. Killed anywhere it leaves the same samples; what was
in the file already is merged again, value by value.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.samples import MISSING
from monitor.tsdb import codec, runs, tiers
from monitor.tsdb.days import FIVE, HOURLY, RAW, TIERS, DayFile, DayWriter, DeviceDay, Shelf, name_of
from monitor.tsdb.faults import Damage
from monitor.tsdb.groups import Plan, counted
from monitor.tsdb.head import DAY_MS
from monitor.tsdb.hot import Hot, device_of, first_of
from monitor.tsdb.merge import Part, merged
from monitor.tsdb.pieces import Told, day_part, hour_part

Array = NDArray[np.int64]
BINS = {FIVE: 288, HOURLY: 24}
_AT_ONCE = 2000  # blocks removed in one transaction, so that the writer waits for none long


@dataclass
class Day:
    """A compaction of one day: what it reads, and what it could not read (which stays where it is)."""

    root: Path
    day: int
    hot: Hot
    shelves: dict[str, Shelf]
    told: Told
    read: list[int] = field(default_factory=list)
    runs: list[Array] = field(default_factory=list)

    @property
    def start_ms(self) -> int:
        """When the day begins."""
        return self.day * DAY_MS


def compact(day: Day, keys: Sequence[int], asked: Sequence[int]) -> int:
    """Bring the blocks with these keys into the files of their day; return how many devices they were of.

    `asked`: the ids of the runs that were there in the same moment as the blocks.
    """
    fresh: dict[int, list[int]] = {}
    for key in keys:
        fresh.setdefault(device_of(key), []).append(key)
    old = {tier: day.shelves[tier].file(day.day) for tier in TIERS}
    writers = {tier: DayWriter(day.root / tier / name_of(day.day)) for tier in TIERS}
    try:
        _fill(day, writers, old, fresh)
        writers[HOURLY].add_runs(runs.packed(day.runs))
        for writer in writers.values():
            writer.finish()
        for tier in reversed(TIERS):  # raw last: until it is there, everything is done again
            writers[tier].publish()
    except BaseException:
        for writer in writers.values():
            writer.abandon()
        raise
    _forget(day.hot, day.read, asked if len(day.read) == len(keys) else ())
    return len(fresh)


def _fill(
    day: Day, writers: dict[str, DayWriter], old: dict[str, DayFile | None], fresh: dict[int, list[int]]
) -> None:
    known = {d for file in old.values() if file for d in file.devices()}
    copied = []
    for device in sorted(known | fresh.keys()):
        made = _made(day, device, fresh[device], old) if device in fresh else None
        if made is None:
            copied.append(device)
        for tier in TIERS:
            file = old[tier]
            found = made[tier] if made else file.whole(device) if file else None
            if found is not None:
                writers[tier].add(found)
    if copied and (file := old[HOURLY]):
        table = runs.unpacked(file.runs())
        day.runs.append(table[:, np.isin(table[runs.DEVICE], copied)])


def _made(
    day: Day, device: int, keys: Sequence[int], old: dict[str, DayFile | None]
) -> dict[str, DeviceDay] | None:
    """Return the three tiers of a device's day, or None when nothing new could be read."""
    parts = list(_parts(day, device, keys))
    file = old[RAW]
    try:
        before = day_part(file, device) if file else None
    except codec.DamagedError as error:
        # What is damaged in the file is copied as it is, and what is new stays in its blocks.
        assert file is not None
        day.told(Damage(file.path, device, day.start_ms, f"{error}"))
        return None
    if not parts:
        return None
    day.read += [key for key, _ in parts]
    whole = merged([*([before] if before else []), *(p for _, p in parts)])
    day.runs.append(runs.runs_of(np.full_like(whole.at_ms, device), whole.at_ms, whole.flags))
    five = _five(day, device, whole, old[FIVE])
    counters = np.array([counted(m) for m, _ in whole.plan.layout.columns], bool)
    hourly = tiers.folded(five, counters, 12)
    hourly = _not_less(hourly, whole.plan, device, old[HOURLY], HOURLY)
    return filed(device, whole, five, hourly)


def filed(device: int, whole: Part, five: Array, hourly: Array) -> dict[str, DeviceDay]:
    """Return a device's day as it stands in the file of each tier."""
    marks = codec.encode(np.stack((whole.at_ms, whole.flags)))
    raw = [codec.encode(np.ascontiguousarray(whole.values[list(g.columns)])) for g in whole.plan.groups]
    return {
        RAW: DeviceDay(device, whole.plan, marks, _edges(whole), raw),
        FIVE: DeviceDay(device, whole.plan, b"", b"", _tier_blocks(whole.plan, five)),
        HOURLY: DeviceDay(device, whole.plan, b"", b"", _tier_blocks(whole.plan, hourly)),
    }


def _parts(day: Day, device: int, keys: Sequence[int]) -> Iterator[tuple[int, Part]]:
    """Yield the blocks that can be read, as they were sealed."""
    found = []
    for key in keys:
        row = day.hot.hour(key)
        if row is None:
            continue
        try:
            found.append((row[0], key, hour_part(row[2], day.hot.plan(row[1]))))
        except codec.DamagedError as error:
            day.told(Damage(day.hot.path, device, first_of(key), f"{error}"))
    for _, key, part in sorted(found, key=lambda f: f[:2]):
        yield key, part


def _edges(part: Part) -> bytes:
    """Return the first and the last value of each column and their times (4 × columns), for the days beside."""
    present = part.values != MISSING
    if not part.values.size:
        return codec.encode(np.empty((4, len(part.values)), np.int64), codec.Kind.plain)
    rows = np.arange(len(part.values))
    first, last = present.argmax(axis=1), present.shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    at = np.where(present.any(axis=1), part.valued_ms[np.stack((first, last))], MISSING)
    values = np.stack((at[0], part.values[rows, first], at[1], part.values[rows, last]))
    return codec.encode(values, codec.Kind.plain)


def _five(day: Day, device: int, whole: Part, old: DayFile | None) -> Array:
    """Return the bins of 5 minutes, with the help of the readings just before and after the day."""
    before = _beside(day, device, -1)
    after = _beside(day, device, 1)
    around = merged([*before, whole, *after])
    found = tiers.binned(around.plan, around.valued_ms, around.values, day.start_ms, BINS[FIVE])
    rows = [around.plan.layout.places[name] for name in whole.plan.layout.columns]
    return _not_less(found[rows], whole.plan, device, old, FIVE)


def _beside(day: Day, device: int, step: int) -> list[Part]:
    """Return the readings of the day before (its last ones) or after (its first ones)."""
    file = day.shelves[RAW].file(day.day + step)
    try:
        plan = file.plan(device) if file else None
        if file is not None and plan is not None:
            edges = codec.decode(file.edges(device) or b"")
            at, values = edges[:2] if step > 0 else edges[2:]
            return [_edge_part(plan, at, values)]
    except (codec.DamagedError, sqlite3.Error):
        return []  # a damaged day costs the one beside it a part of one bin
    start = day.start_ms + step * DAY_MS
    blocks = day.hot.hours(device, start, start + DAY_MS - 1)
    return list(_nearest(day, blocks, step))


def _edge_part(plan: Plan, at: Array, values: Array) -> Part:
    times = np.unique(at[at != MISSING])
    matrix = np.where(at[:, None] == times, values[:, None], MISSING)
    return Part(plan, times, np.full(len(times), 7), matrix)


def _nearest(day: Day, blocks: Sequence[tuple[int, int, bytes]], step: int) -> Iterator[Part]:
    """Yield, of the day beside that is not yet a file, the one block that is nearest."""
    for _, layout, data in sorted(blocks, key=lambda b: b[0] * step)[:1]:
        try:
            yield hour_part(data, day.hot.plan(layout))
        except codec.DamagedError:
            return


def _not_less(found: Array, plan: Plan, device: int, old: DayFile | None, tier: str) -> Array:
    """Keep what the old file knows better: the raw values of then may be gone by now."""
    had = old.plan(device) if old else None
    if old is None or had is None or not had.groups:
        return found  # of a device that was only silent there is no bin to keep
    try:
        bins = tier_bins(had, old.blocks(device))
    except codec.DamagedError:
        return found
    laid = np.full_like(found, MISSING)
    laid[[plan.layout.places[n] for n in had.layout.columns if n in plan.layout.places]] = bins[
        [i for i, n in enumerate(had.layout.columns) if n in plan.layout.places]
    ]
    return tiers.better(laid, found)


def _tier_blocks(plan: Plan, bins: Array) -> list[bytes]:
    """Return two blocks a group: totals and weights, lows and highs."""
    blocks = []
    for group in plan.groups:
        some = bins[list(group.columns)]
        for first in (tiers.TOTAL, tiers.LOW):
            pair = np.concatenate((some[:, first], some[:, first + 1]))
            blocks.append(codec.encode(np.ascontiguousarray(pair), codec.Kind.plain))
    return blocks


def tier_bins(plan: Plan, blocks: Sequence[bytes]) -> Array:
    """Return columns × 4 × bins of a device's blocks in a tier. Raises DamagedError."""
    if len(blocks) != 2 * len(plan.groups):
        raise codec.DamagedError("a block is not there")
    pairs = [codec.decode(b) for b in blocks]
    found = np.empty((len(plan.layout.columns), 4, pairs[0].shape[1] if pairs else 0), np.int64)
    for g, group in enumerate(plan.groups):
        for part in range(2):
            found[list(group.columns), 2 * part : 2 * part + 2] = (
                pairs[2 * g + part].reshape(2, len(group.columns), -1).transpose(1, 0, 2)
            )
    return found


def _forget(hot: Hot, keys: Sequence[int], asked: Sequence[int]) -> None:
    """Remove what is now in files, a part at a time."""
    for start in range(0, len(keys), _AT_ONCE):
        with hot.transaction():
            hot.drop_hours(keys[start : start + _AT_ONCE])
    with hot.transaction():
        hot.drop_asked(asked)
