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


def runs_of(device: int, at_ms: Array, flags: Array) -> Array:
    """Return 5 × runs of one device, from its polls in order of time."""
    asked = flags & ASKED != 0
    at, answer = at_ms[asked], (flags[asked] & ANSWERED != 0).astype(np.int64)
    if not len(at):
        return NONE
    gaps = np.diff(at)
    missed = gaps > 2 * np.median(gaps) if len(gaps) else np.empty(0, bool)
    cut = (answer[1:] != answer[:-1]) | missed
    first = np.concatenate(([0], np.flatnonzero(cut) + 1))
    last = np.concatenate((first[1:] - 1, [len(at) - 1]))
    inside = np.concatenate((np.where(cut, 0, gaps), [0]))
    longest = np.maximum.reduceat(inside, first)
    return np.stack((np.full(len(first), device), at[first], at[last], answer[first], longest))


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
