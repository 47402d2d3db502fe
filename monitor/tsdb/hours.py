"""The blocks of an hour: what the head held of one device, with one layout, put in order and compressed. Pure."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from monitor.tsdb import codec
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import AT, DAY_MS, DEVICE, FLAGS, HOUR_MS, LAYOUT, Entries

Array = NDArray[np.int64]
_LENGTHS = struct.Struct("<III")


@dataclass(frozen=True, slots=True)
class Block:
    """An hour of one device: times and flags (2 × n), then the values in two halves."""

    device: int
    layout: int
    first_ms: int
    last_ms: int
    data: bytes


def sealed(found: Entries, plans: dict[int, Plan], slot: int) -> Iterator[Block]:
    """Cut polls into blocks by device, layout, day and hour; the hours of a slot begin at its minute."""
    index = found.index
    at = index[:, AT]
    hour = (at - slot * 60_000) // HOUR_MS
    order = np.lexsort((np.arange(len(at)), at, at // DAY_MS, hour, index[:, LAYOUT], index[:, DEVICE]))
    found, index = found.where(order), index[order]
    keys = np.column_stack((index[:, DEVICE], index[:, LAYOUT], hour[order], index[:, AT] // DAY_MS))
    again = np.zeros(len(index), bool)  # the same device and time once more: the first one stays
    again[1:] = (keys[1:] == keys[:-1]).all(axis=1) & (index[1:, AT] == index[:-1, AT])
    found, keys = found.where(~again), keys[~again]
    edges = [0, *(np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1).tolist(), len(keys)]
    for start, stop in pairwise(edges):
        if stop > start:
            yield block_of(found.where(np.arange(start, stop)), plans[int(keys[start, 1])])


def block_of(found: Entries, plan: Plan) -> Block:
    """Return the block of polls of one device with one layout, ordered by time."""
    index = found.index
    values = found.values(len(plan.layout.columns))
    return build(int(index[0, DEVICE]), plan, index[:, AT], index[:, FLAGS], values)


def build(device: int, plan: Plan, at_ms: Array, flags: Array, values: Array) -> Block:
    """Return a block of n polls; `values` is n × columns."""
    parts = [codec.encode(np.stack((at_ms, flags)))]
    parts += [
        codec.encode(np.ascontiguousarray(values[:, list(half)].T)) if half else b"" for half in plan.halves
    ]
    data = _LENGTHS.pack(*map(len, parts)) + b"".join(parts)
    return Block(device, plan.layout.id, int(at_ms[0]), int(at_ms[-1]), data)


def times(data: bytes) -> Array:
    """Return times and flags (2 × n) of a block. Raises DamagedError."""
    return codec.decode(_part(data, 0))


def half(data: bytes, number: int, rows: Sequence[int] | None = None) -> Array:
    """Return columns × n of one half. Raises DamagedError."""
    return codec.decode(_part(data, number + 1), rows)


def _part(data: bytes, number: int) -> bytes:
    if len(data) < _LENGTHS.size:
        raise codec.DamagedError("it is cut short")
    lengths = _LENGTHS.unpack_from(data)
    start = _LENGTHS.size + sum(lengths[:number])
    return data[start : start + lengths[number]]


def whole(data: bytes, plan: Plan) -> tuple[Array, Array]:
    """Return (times and flags, columns × n) of a block in the layout's order. Raises DamagedError."""
    marks = times(data)
    values = np.empty((len(plan.layout.columns), marks.shape[1]), np.int64)
    for number, columns in enumerate(plan.halves):
        if columns:
            values[list(columns)] = half(data, number)
    return marks, values
