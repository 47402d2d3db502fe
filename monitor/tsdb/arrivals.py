"""What arrived since a mark, in steps: how another system is kept up to date without a queue beside the store.

Rows of the head have numbers in the order in which they arrived, so that even what came late is found by them.
What was sealed into blocks before it was seen is found by its time. A step may give again what was given before, and
never leaves anything out but what arrived more than `LATE_MS` after its time and was sealed unseen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.tsdb import codec, pieces
from monitor.tsdb.days import RAW
from monitor.tsdb.faults import Damage, told_of
from monitor.tsdb.head import AT, DAY_MS, DEVICE, HOUR_MS, SLOTS, Entries, entries
from monitor.tsdb.merge import Part, merged

if TYPE_CHECKING:
    from monitor.tsdb.hot import Hot
    from monitor.tsdb.store import EmbeddedStore

Array = NDArray[np.int64]
LATE_MS = 300_000
_ROWS = 30  # of the head in one step
_EVER_MS = 2**42


@dataclass(frozen=True, slots=True)
class Mark:
    """How far somebody has read: the rows of the head up to `row`; and, of what was sealed, up to `at_ms`.

    `behind`: what lies between `at_ms` and those rows was not read, whatever the rows say.
    """

    row: int
    at_ms: int
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """Some samples, by device, and the mark that holds once they are dealt with."""

    mark: Mark
    parts: Iterable[tuple[int, Part]]


def end(store: "EmbeddedStore", at_ms: int, *, behind: bool = False) -> Mark:
    """Return the mark behind all that is stored now; with `behind` the one from which on all of `at_ms` is read."""
    with store.reading() as hot:
        return Mark(hot.arrived(0)[0] if hot else 0, at_ms, behind)


def steps(store: "EmbeddedStore", mark: Mark, now_ms: int) -> Iterator[Step]:
    """Yield what arrived after the mark until now. Its parts are read as they are asked for."""
    with store.reading() as hot:
        if hot is None:
            return
        newest, count = hot.arrived(mark.row)
    if newest - mark.row == count and not mark.behind:
        yield from _rows(store, mark, newest)
        return
    row = mark.row if mark.row <= newest else 0  # hot.db was begun anew
    yield from _hours(store, Mark(row, mark.at_ms), newest, now_ms)


def _rows(store: "EmbeddedStore", mark: Mark, newest: int) -> Iterator[Step]:
    """Yield rows as they arrived."""
    while mark.row < newest:
        with store.reading() as hot:
            rows = hot.head_after(mark.row, _ROWS) if hot else []
            if hot is None or [row[0] for row in rows] != [*range(mark.row + 1, mark.row + 1 + len(rows))]:
                return  # some were sealed just now: the next pass finds them by their time
            found = entries([(index, data) for _, index, data in rows])
            parts = list(_by_device(hot, store, found))
        mark = Mark(rows[-1][0], int(found.index[:, AT].max()))
        yield Step(mark, parts)


def _hours(store: "EmbeddedStore", mark: Mark, newest: int, now_ms: int) -> Iterator[Step]:
    """Yield by time what was sealed meanwhile, an hour a step; first what came late, last what is from the future."""
    start = max(0, mark.at_ms - LATE_MS)
    with store.reading() as hot:
        late = entries([row[1:] for row in hot.head_after(mark.row, -1)] if hot else [])
        late = late.where(late.index[:, AT] < start)
        parts = list(_by_device(hot, store, late)) if hot else []
    if parts:
        yield Step(Mark(mark.row, mark.at_ms, behind=True), parts)
    while start // HOUR_MS < now_ms // HOUR_MS:
        following = (start // HOUR_MS + 1) * HOUR_MS
        yield Step(Mark(mark.row, following, behind=True), _window(store, start, following))
        start = following
    yield Step(Mark(newest, now_ms), _window(store, start, _EVER_MS))


def _window(store: "EmbeddedStore", start_ms: int, end_ms: int) -> Iterator[tuple[int, Part]]:
    """Yield everything of [start, end): from the head first, for whatever leaves it meanwhile is in a block then."""
    last_ms = end_ms - 1
    with store.reading() as hot:
        if hot is None:
            return
        found = entries(hot.head(range(SLOTS), start_ms, last_ms))
        found = found.where((found.index[:, AT] >= start_ms) & (found.index[:, AT] <= last_ms))
        sealed = {device for device, _ in hot.hour_layouts(start_ms, last_ms)}
    heads = {int(found.index[p[0], DEVICE]): p for p in _places(found)}
    days = (start_ms // DAY_MS, min(last_ms, _EVER_MS) // DAY_MS)
    for device in sorted(sealed | _filed_devices(store, days) | heads.keys()):
        with store.reading() as hot:
            if hot is None:
                return
            parts = list(_blocks(hot, store, device, start_ms, last_ms))
            if device in heads:
                some = found.where(heads[device])
                parts += pieces.head_parts(some, hot.plan, store.hot_path, store.told)
        # The files last: a block leaves hot.db only when its file is in place.
        whole = merged([*_filed(store, days, device), *parts]).within(start_ms, end_ms)
        if whole.values.size:
            yield device, whole


def _by_device(hot: "Hot", store: "EmbeddedStore", found: Entries) -> Iterator[tuple[int, Part]]:
    for places in _places(found):
        some = found.where(places)
        whole = merged(list(pieces.head_parts(some, hot.plan, store.hot_path, store.told)))
        if whole.values.size:
            yield int(some.index[0, DEVICE]), whole


def _places(found: Entries) -> list[Array]:
    """Return the places of each device's polls, as they arrived."""
    if not len(found.index):
        return []
    order = np.argsort(found.index[:, DEVICE], kind="stable")
    cuts = np.flatnonzero(np.diff(found.index[order, DEVICE])) + 1
    return np.split(order, cuts)


def _blocks(hot: "Hot", store: "EmbeddedStore", device: int, start_ms: int, end_ms: int) -> Iterator[Part]:
    for first_ms, layout, data in hot.hours(device, start_ms, end_ms):
        try:
            yield pieces.hour_part(data, hot.plan(layout))
        except codec.DamagedError as error:
            store.told(Damage(store.hot_path, device, first_ms, f"{error}"))


def _filed(store: "EmbeddedStore", days: tuple[int, int], device: int) -> Iterator[Part]:
    for day, file in store.shelves[RAW].between(*days):
        try:
            with told_of(file.path, day * DAY_MS, store.told):
                if part := pieces.day_part(file, device):
                    yield part
        except codec.DamagedError as error:
            store.told(Damage(file.path, device, day * DAY_MS, f"{error}"))


def _filed_devices(store: "EmbeddedStore", days: tuple[int, int]) -> set[int]:
    found: set[int] = set()
    for day, file in store.shelves[RAW].between(*days):
        with told_of(file.path, day * DAY_MS, store.told):
            found.update(file.devices())
    return found
