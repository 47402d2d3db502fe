"""The blocks of an hour: what the head held of one device, with one layout, put in order and compressed. Pure."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from monitor.tsdb import codec
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import AT, DAY_MS, DEVICE, FLAGS, HOUR_MS, LAYOUT, VALUED, Entries
from monitor.tsdb.merge import Part, merged

Array = NDArray[np.int64]
Parts = tuple[memoryview, memoryview, memoryview]
_LENGTHS = struct.Struct("<III")


@dataclass(frozen=True, slots=True)
class Block:
    """An hour of one device: times and flags (2 × n), then the values of those that have any, in two halves."""

    device: int
    plan: Plan
    first_ms: int
    last_ms: int
    data: bytes


def sealed(found: Entries, plans: Mapping[int, Plan], slot: int) -> Iterator[Block]:
    """Cut polls, as they arrived, into blocks by device, layout, day and hour; a slot's hours begin at its minute."""
    order = np.lexsort((found.index[:, AT], found.index[:, DEVICE]))
    device, at = found.index[order, DEVICE], found.index[order, AT]
    twice = device[1:][(device[1:] == device[:-1]) & (at[1:] == at[:-1])]
    again = np.isin(found.index[:, DEVICE], twice)
    yield from _cut(found.where(~again), plans, slot)
    for one in np.unique(twice).tolist():
        some = found.where(found.index[:, DEVICE] == one)
        whole = merged([_part_of(some.where(group), plans) for group in arrivals(some)])
        for start, stop in _edges(whole.at_ms, slot):
            part = whole.within(int(whole.at_ms[start]), int(whole.at_ms[stop - 1]) + 1)
            yield build(one, part.plan, part.at_ms, part.flags, part.values)


def _cut(found: Entries, plans: Mapping[int, Plan], slot: int) -> Iterator[Block]:
    """Cut polls no two of which are of one device and time."""
    index = found.index
    found = found.where(np.lexsort((index[:, AT], index[:, LAYOUT], index[:, DEVICE])))
    groups = np.flatnonzero((np.diff(found.index[:, [DEVICE, LAYOUT]], axis=0) != 0).any(axis=1)) + 1
    for start, stop in pairwise([0, *groups.tolist(), len(found.index)]):
        at = found.index[start:stop, AT]
        for first, last in _edges(at, slot):
            part = _part_of(found.where(np.arange(start + first, start + last)), plans)
            device = int(found.index[start, DEVICE])
            yield build(device, part.plan, part.at_ms, part.flags, part.values)


def _edges(at: Array, slot: int) -> Iterator[tuple[int, int]]:
    """Yield first and end of each stretch of times in one day and hour."""
    hour, day = (at - slot * 60_000) // HOUR_MS, at // DAY_MS
    cuts = np.flatnonzero((np.diff(hour) != 0) | (np.diff(day) != 0)) + 1
    yield from (pair for pair in pairwise([0, *cuts.tolist(), len(at)]) if pair[1] > pair[0])


def arrivals(found: Entries) -> Iterator[Array]:
    """Yield the places of a device's polls that can be read together without one taking another's precedence."""
    layouts = found.index[:, LAYOUT]
    if len(np.unique(found.index[:, AT])) == len(layouts):
        for layout in dict.fromkeys(layouts.tolist()):
            yield np.flatnonzero(layouts == layout)
        return
    cuts = np.flatnonzero(np.diff(layouts)) + 1
    yield from (np.arange(*pair) for pair in pairwise([0, *cuts.tolist(), len(layouts)]))


def _part_of(found: Entries, plans: Mapping[int, Plan]) -> Part:
    plan = plans[int(found.index[0, LAYOUT])]
    values = np.empty((0, 0), np.int64)
    if plan.layout.columns:
        values = np.ascontiguousarray(found.values(len(plan.layout.columns)).T)
    return Part(plan, found.index[:, AT], found.index[:, FLAGS], values)


def build(device: int, plan: Plan, at_ms: Array, flags: Array, values: Array) -> Block:
    """Return a block of n polls; `values` is columns × (those of them that have any)."""
    parts = [codec.encode(np.stack((at_ms, flags)), level=codec.BRIEF)]
    parts += [
        codec.encode(values.take(half, axis=0), level=codec.BRIEF) if half else b"" for half in plan.halves
    ]
    data = _LENGTHS.pack(*map(len, parts)) + b"".join(parts)
    return Block(device, plan, int(at_ms[0]), int(at_ms[-1]), data)


def times(data: bytes) -> Array:
    """Return times and flags (2 × n) of a block. Raises DamagedError."""
    return codec.decode(_part(data, 0))


def half(data: bytes, number: int, rows: Sequence[int] | None = None) -> Array:
    """Return columns × n of one half. Raises DamagedError."""
    return codec.decode(_part(data, number + 1), rows)


def parts(data: bytes) -> Parts:
    """Return times and flags and the two halves, still packed and not copied; empty when the block is cut short."""
    view = memoryview(data)
    if len(data) < _LENGTHS.size:
        return view[:0], view[:0], view[:0]
    times, often, seldom = _LENGTHS.unpack_from(data)
    first = _LENGTHS.size + times
    second = first + often
    return view[_LENGTHS.size : first], view[first:second], view[second : second + seldom]


def _part(data: bytes, number: int) -> bytes:
    if len(data) < _LENGTHS.size:
        raise codec.DamagedError("it is cut short")
    lengths = _LENGTHS.unpack_from(data)
    start = _LENGTHS.size + sum(lengths[:number])
    return data[start : start + lengths[number]]


def check(data: bytes) -> None:
    """Compare the checksums. Raises DamagedError."""
    for number in range(3):
        part = _part(data, number)
        if part or not number:
            codec.check(part)


def whole(data: bytes, plan: Plan) -> tuple[Array, Array]:
    """Return (times and flags, columns × n) of a block in the layout's order. Raises DamagedError."""
    marks = times(data)
    values = np.empty((len(plan.layout.columns), int((marks[1] & VALUED != 0).sum())), np.int64)
    for number, columns in enumerate(plan.halves):
        if columns:
            values[list(columns)] = half(data, number)
    return marks, values
