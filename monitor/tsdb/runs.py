"""Who was asked when, shortened: a run is a time in which a device was asked regularly and always did the same. Pure.

A run ends where the answer changes and where a look was missed, so that availability over months can be computed from
runs alone, to the millisecond, for any holding time that is not shorter than the looks were apart.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.tsdb.codec import Kind, decode, encode
from monitor.tsdb.head import ANSWERED, ASKED

Array = NDArray[np.int64]
DEVICE, FIRST, LAST, ANSWER, GAP = range(5)  # the rows of a table of runs
NONE = np.empty((5, 0), np.int64)


def runs_of(device: Array, at_ms: Array, flags: Array) -> Array:
    """Return 5 × runs of polls (n each) that are in order of device and time."""
    asked = flags & ASKED != 0
    device, at, answer = device[asked], at_ms[asked], (flags[asked] & ANSWERED != 0).astype(np.int64)
    if not len(at):
        return NONE
    other = np.concatenate(([True], device[1:] != device[:-1]))
    gaps = np.diff(at, prepend=at[0])
    usual = _least(np.where(other, np.iinfo(np.int64).max, gaps), other)
    cut = other | (gaps > 2.5 * usual)
    cut[1:] |= answer[1:] != answer[:-1]
    first = np.flatnonzero(cut)
    last = np.concatenate((first[1:] - 1, [len(at) - 1]))
    longest = np.maximum.reduceat(np.where(cut, 0, gaps), first)
    return np.stack((device[first], at[first], at[last], answer[first], longest))


def _least(gaps: Array, begins: NDArray[np.bool_]) -> Array:
    """Return, for each look, the shortest gap between looks of its device."""
    least: Array = np.minimum.reduceat(gaps, np.flatnonzero(begins))[np.cumsum(begins) - 1]
    return least


def packed(runs: Sequence[Array]) -> bytes:
    """Return tables of runs as one block, ordered by device and time."""
    table = np.concatenate([NONE, *runs], axis=1)
    table = table[:, np.lexsort((table[FIRST], table[DEVICE]))]
    return encode(np.ascontiguousarray(table), Kind.delta)


def unpacked(blocks: Sequence[bytes]) -> Array:
    """Return all runs of some blocks. Raises DamagedError."""
    return np.concatenate([NONE, *(decode(b) for b in blocks)], axis=1)


def tangled(runs: Array, hold_ms: int) -> Array:
    """Return the devices whose runs lie over each other, or whose looks were farther apart than `hold_ms`."""
    runs = ordered(runs)
    over = (runs[DEVICE, 1:] == runs[DEVICE, :-1]) & (runs[FIRST, 1:] <= runs[LAST, :-1])
    return np.unique(np.concatenate((runs[DEVICE, 1:][over], runs[DEVICE][runs[GAP] > hold_ms])))


def ordered(runs: Array) -> Array:
    """Return runs by device and time."""
    return runs[:, np.lexsort((runs[FIRST], runs[DEVICE]))]


def covered(runs: Array, start_ms: int, end_ms: int, hold_ms: int) -> tuple[Array, Array, Array]:
    """Return devices, and how many milliseconds of [start, end) each answered and was silent.

    The last look of a run holds to the next look of the device, at most `hold_ms`.
    """
    runs = ordered(runs)
    following = np.full(runs.shape[1], end_ms)
    same = runs[DEVICE, 1:] == runs[DEVICE, :-1]
    following[:-1][same] = runs[FIRST, 1:][same]
    until = np.minimum(runs[LAST] + hold_ms, np.maximum(following, runs[LAST]))
    length = np.clip(np.minimum(until, end_ms) - np.maximum(runs[FIRST], start_ms), 0, None)
    devices, place = np.unique(runs[DEVICE], return_inverse=True)
    answered, silent = np.zeros(len(devices), np.int64), np.zeros(len(devices), np.int64)
    np.add.at(answered, place, np.where(runs[ANSWER] == 1, length, 0))
    np.add.at(silent, place, np.where(runs[ANSWER] == 0, length, 0))
    return devices, answered, silent
