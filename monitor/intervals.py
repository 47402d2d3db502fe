"""The algebra of intervals: what holds of many owners over time, as steps and pieces. Pure; whole milliseconds.

Everything in a window is cut into pieces that touch and never lie over each other, so that the parts of a window
add up to it to the millisecond, whatever came in, and in whatever order.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.int64]
NOTHING = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """`value` holds of `owner` from `at_ms` to the owner's next step; before the first one 0 does.

    Of two steps at one time the one that stands later in the arrays holds; otherwise their order says nothing.
    """

    owner: Array
    at_ms: Array
    value: Array


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """A window in pieces, by owner and time; each owner's pieces cover the window exactly.

    `values` has a row for each layer that was laid: what it held during the piece.
    """

    owner: Array
    start_ms: Array
    end_ms: Array
    values: Array

    @property
    def length_ms(self) -> Array:
        """How long each piece is; never nothing, never less."""
        found: Array = self.end_ms - self.start_ms
        return found


def steps(owner: Sequence[int] | Array, at_ms: Sequence[int] | Array, value: Sequence[int] | Array) -> Steps:
    """Return steps of plain sequences."""
    return Steps(*(np.asarray(a, np.int64) for a in (owner, at_ms, value)))


def joined(*some: Steps) -> Steps:
    """Return the steps of several as one layer; where two are at one time those of the later argument hold."""
    return Steps(*(np.concatenate([NOTHING, *(getattr(s, n) for s in some)]) for n in Steps.__slots__))


def union(owner: Array, start_ms: Array, end_ms: Array) -> Steps:
    """Return steps that are 1 wherever at least one of these spans lies, else 0; an empty span is none."""
    real = end_ms > start_ms
    owner, start_ms, end_ms = owner[real], start_ms[real], end_ms[real]
    owners = np.concatenate((owner, owner))
    at = np.concatenate((start_ms, end_ms))
    change = np.repeat([1, -1], len(owner))
    order = np.lexsort((at, owners))
    # Every span is closed again, so that the count is zero where the next owner begins.
    return Steps(owners[order], at[order], (np.cumsum(change[order]) > 0).astype(np.int64))


def laid(layers: Sequence[Steps], owners: Sequence[int] | Array, start_ms: int, end_ms: int) -> Pieces:
    """Lay layers over [start, end) of each owner. Raises ValueError for a window without length."""
    if end_ms <= start_ms:
        raise ValueError("a window ends after it begins")
    who = np.unique(np.asarray(owners, np.int64))
    width = end_ms - start_ms
    known = [_keys(layer, who, start_ms, end_ms) for layer in layers]
    begins = np.arange(len(who), dtype=np.int64) * width
    keys = np.sort(np.concatenate([begins, *(key for key, _ in known)]), kind="stable")
    keys = keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys
    place = keys // width
    start = keys - place * width
    last = np.append(place[1:] != place[:-1], True) if len(keys) else np.empty(0, bool)
    end = np.where(last, width, np.append(start[1:], 0)) if len(keys) else NOTHING
    values = np.array([_held(key, value, keys, width) for key, value in known], np.int64)
    return Pieces(who[place], start + start_ms, end + start_ms, values.reshape(len(layers), len(keys)))


def _keys(layer: Steps, who: Array, start_ms: int, end_ms: int) -> tuple[Array, Array]:
    """Return the steps before the window's end as keys (owner's number × width + time), in order, and their values."""
    if not len(layer.owner) or not len(who):
        return NOTHING, NOTHING
    place = np.minimum(np.searchsorted(who, layer.owner), len(who) - 1)
    inside = (layer.at_ms < end_ms) & (who[place] == layer.owner)
    place, at, value = place[inside], layer.at_ms[inside], layer.value[inside]
    # One number by owner and time, so that one stable sort does; steps mostly come in order already.
    least = min(int(at.min()), start_ms) if len(at) else start_ms
    order = np.argsort(place * (end_ms - least) + (at - least), kind="stable")
    keys = place * (end_ms - start_ms) + np.maximum(at - start_ms, 0)
    return keys[order], value[order]


def _held(known: Array, value: Array, keys: Array, width: int) -> Array:
    """Return what a layer holds at each key: its last step there or before, of the same owner."""
    if not len(known):
        return np.zeros(len(keys), np.int64)
    last = np.searchsorted(known, keys, side="right") - 1
    same = (last >= 0) & (known[last] // width == keys // width)
    found: Array = np.where(same, value[last], 0)
    return found


def totals(owner: Array, length_ms: Array, kind: Array, kinds: int) -> tuple[Array, Array]:
    """Return owners, and owners × kinds: how many milliseconds of each kind there are. Owners come in order."""
    begins = np.append(True, owner[1:] != owner[:-1]) if len(owner) else np.empty(0, bool)
    who, place = owner[begins], np.cumsum(begins) - 1
    # Below 2^53 a double counts whole milliseconds exactly: 285,000 years.
    sums = np.bincount(place * kinds + kind, weights=length_ms, minlength=len(who) * kinds)
    return who, sums.astype(np.int64).reshape(len(who), kinds)


def first_of(pieces: Pieces, kind: Array, group: Array, ranks: Sequence[int]) -> tuple[Pieces, Array]:
    """Return pieces of groups of owners, and the kind of each: the foremost in `ranks` that some member has then.

    `group` is the group of each piece; all kinds stand in `ranks`. Owners may overlap in time, never one with itself.
    """
    kinds = len(ranks)
    at = np.concatenate((pieces.start_ms, pieces.end_ms))
    who, what = np.concatenate((group, group)), np.concatenate((kind, kind))
    change = np.repeat([1, -1], len(kind))
    order = np.lexsort((at, who))
    at, who, what, change = at[order], who[order], what[order], change[order]
    counts = np.zeros((len(at), kinds), np.int64)
    counts[np.arange(len(at)), what] = change
    counts = np.cumsum(counts, axis=0)
    last = np.append((who[1:] != who[:-1]) | (at[1:] != at[:-1]), True) if len(at) else np.empty(0, bool)
    at, who, there = at[last], who[last], counts[last][:, list(ranks)] > 0
    some = there.any(axis=1)  # at the end of a group nobody is there any more
    end = np.append(at[1:], 0)[some] if len(at) else NOTHING
    best = np.asarray(ranks, np.int64)[np.argmax(there[some], axis=1)] if some.any() else NOTHING
    return Pieces(who[some], at[some], end, best[None, :]), best


def in_order(at: Sequence[int]) -> list[int]:
    """Return the times of events that came in this order, none before the one in front of it.

    A clock may have been set in between. The longest run of times that never goes back is believed (of two the one
    that ends later in the order); what does not fit is put to the next event whose time is believed, or to the last.
    """
    believed = _longest(at)
    times: list[int] = []
    for i in range(len(at)):
        following = bisect_right(believed, i - 1)
        times.append(at[believed[min(following, len(believed) - 1)]])
    return times


def _longest(at: Sequence[int]) -> list[int]:
    """Return the places of a longest run that never goes back (patience sorting)."""
    tails: list[int] = []  # the least last time of a run of each length
    ends: list[int] = []
    before: list[int] = []
    for i, time in enumerate(at):
        length = bisect_right(tails, time)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [time]
        ends[length : length + 1] = [i]
    found: list[int] = []
    place = ends[-1] if ends else -1
    while place >= 0:
        found.append(place)
        place = before[place]
    return found[::-1]
