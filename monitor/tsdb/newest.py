"""The newest value of every series: each tier, an echo, and a part of a round that came late is a poll of its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.samples import MISSING, Name, Poll
from monitor.tsdb import latest
from monitor.tsdb.days import RAW
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import AT, DAY_MS, DEVICE, FLAGS, LAYOUT, VALUED, Entries
from monitor.tsdb.merge import Part

if TYPE_CHECKING:
    from monitor.tsdb.hot import Hot
    from monitor.tsdb.store import EmbeddedStore

Array = NDArray[np.int64]


def newest(
    store: "EmbeddedStore", now_ms: int, devices: Iterable[int] | None, age_ms: int
) -> dict[int, list[Poll]]:
    """Return device → polls, the newest first, in which each of its series has its newest value and no other."""
    chosen = None if devices is None else set(devices)
    with store.reading() as hot:
        if hot is None:
            return {}
        plans = hot.layouts()
        found = latest.recent(hot, now_ms, age_ms)
        keep = found.index[:, FLAGS] & VALUED != 0
        if chosen is not None:
            keep &= np.isin(found.index[:, DEVICE], list(chosen))
        polls: dict[int, list[Poll]] = {}
        for poll in _of_head(found.where(keep), plans, store):
            polls.setdefault(poll.device, []).append(poll)
        if age_ms > latest.IN_HEAD_MS:
            for poll in _older(hot, store, chosen, (now_ms - age_ms, now_ms), plans):
                polls.setdefault(poll.device, []).append(poll)
    return {device: _once(sorted(some, key=lambda p: -p.at_ms)) for device, some in polls.items()}


def _of_head(found: Entries, plans: Mapping[int, Plan], store: "EmbeddedStore") -> Iterator[Poll]:
    """Yield each layout's newest poll of each device, and the ones before it where it lacks a value."""
    order = np.lexsort((-np.arange(len(found.index)), *(found.index[:, c] for c in (AT, LAYOUT, DEVICE))))
    group = found.index[order][:, [DEVICE, LAYOUT]]
    last = np.ones(len(order), bool)
    last[:-1] = (group[1:] != group[:-1]).any(axis=1)
    tops = list(latest.unpacked(found.where(order[last]), plans, store))
    yield from tops
    whole = {(p.device, p.layout.id) for p in tops if p.values is not None and (p.values != MISSING).all()}
    lacks = np.array([tuple(pair) not in whole for pair in group.tolist()], bool)
    yield from latest.unpacked(found.where(order[lacks & ~last][::-1]), plans, store)


def _older(
    hot: "Hot",
    store: "EmbeddedStore",
    devices: set[int] | None,
    window: tuple[int, int],
    plans: Mapping[int, Plan],
) -> Iterator[Poll]:
    """Yield the newest values in blocks of hours and day files, of which the head may no longer hold any."""
    files = [f for _, f in store.shelves[RAW].between(window[0] // DAY_MS, window[1] // DAY_MS)]
    known = {*hot.hour_devices(), *(d for f in files for d in f.devices())}
    for device in known if devices is None else known & devices:
        for part in (
            *latest.file_parts(store, files, device),
            *latest.hour_parts(hot, store, device, window, plans),
        ):
            yield from _tops(device, part.within(window[0], window[1] + 1))


def _tops(device: int, part: Part) -> Iterator[Poll]:
    """Yield the polls of a part that hold the newest value of one of its series."""
    at = part.valued_ms
    if not len(at):
        return
    order = np.argsort(at, kind="stable")
    present = part.values[:, order] != MISSING
    newest_of = present.shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    for place in np.unique(newest_of[present.any(axis=1)]).tolist():
        column: Array = np.ascontiguousarray(part.values[:, order[place]])
        yield Poll(device, int(at[order[place]]), part.plan.layout, column)


def _once(polls: Iterable[Poll]) -> list[Poll]:
    """Return polls without the values that a poll before has too, and without those that then have none."""
    told: set[Name] = set()
    found = []
    for poll in polls:
        if poll.values is None:
            continue
        columns = poll.layout.columns
        fresh = np.array([name not in told for name in columns], bool) & (poll.values != MISSING)
        if fresh.any():
            told.update(columns[i] for i in np.flatnonzero(fresh).tolist())
            found.append(poll if fresh.all() else replace(poll, values=np.where(fresh, poll.values, MISSING)))
    return found
