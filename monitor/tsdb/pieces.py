"""The stored pieces of one device, read: from its slots of the head, its blocks of hours, and day files.

A piece that is damaged is told to `told` and left out; what `told` does (raise, or remember) is the caller's choice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.samples import MISSING, Name
from monitor.tsdb import codec, hours
from monitor.tsdb.days import DayFile
from monitor.tsdb.faults import Damage
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import AT, DAY_MS, DEVICE, FLAGS, LAYOUT, VALUED, Entries, cut
from monitor.tsdb.hot import Hot
from monitor.tsdb.merge import EMPTY, Part
from monitor.tsdb.strung import Strung, strung

Array = NDArray[np.int64]
Told = Callable[[Damage], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some columns of one device: their times, and the values of each."""

    at_ms: Array
    values: Mapping[Name, Array]


def head_entries(hot: Hot, device: int, start_ms: int, end_ms: int) -> Entries:
    """Return the polls of a device in the head that lie in [start, end], as they arrived."""
    rows = hot.head_rows(hot.slots(device), start_ms, end_ms)

    def mine(index: Array) -> NDArray[np.bool_]:
        at = index[:, AT]
        found: NDArray[np.bool_] = (index[:, DEVICE] == device) & (at >= start_ms) & (at <= end_ms)
        return found

    def block(row: int, start: int, length: int) -> bytes:
        number, _, data = rows[row]
        return hot.head_data(number, start, length) if data is None else data[start : start + length]

    return cut([polls for _, polls, _ in rows], block, mine)


def head_parts(found: Entries, plans: Callable[[int], Plan], file: Path, told: Told) -> Iterator[Part]:
    """Yield polls of one device, by layout."""
    for places in hours.arrivals(found):
        some = found.where(places)
        plan = plans(int(some.index[0, LAYOUT])) if len(places) else EMPTY.plan
        some, values = _decoded(some, len(plan.layout.columns), None, file, told)
        columns = values.T if plan.layout.columns else np.empty((0, 0), np.int64)
        yield Part(plan, some.index[:, AT], some.index[:, FLAGS], columns)


def _one_by_one(
    found: Entries, width: int, picked: Sequence[int] | None, file: Path, told: Told
) -> tuple[Entries, Array]:
    """Leave out the polls that are damaged."""
    sound, values = [], [np.empty((0, width if picked is None else len(picked)), np.int64)]
    for i, block in enumerate(found.blocks):
        try:
            values.append(codec.decode_each([block], picked))
            sound.append(i)
        except codec.DamagedError as error:
            told(Damage(file, int(found.index[i, DEVICE]), int(found.index[i, AT]), f"{error}"))
    return found.where(np.array(sound, np.int64)), np.concatenate(values)


def head_pieces(
    found: Entries, plans: Callable[[int], Plan], names: Sequence[Name], file: Path, told: Told
) -> Iterator[Piece]:
    """Yield the wanted columns of polls of one device."""
    for places in hours.arrivals(found):
        some = found.where(places)
        layout = plans(int(some.index[0, LAYOUT])).layout if len(places) else EMPTY.plan.layout
        wanted = {name: layout.places[name] for name in names if name in layout.places}
        if wanted:
            sound, values = _decoded(some, len(layout.columns), list(wanted.values()), file, told)
            valued = sound.index[:, FLAGS] & VALUED != 0
            yield Piece(sound.index[valued, AT], dict(zip(wanted, values.T, strict=True)))


def _decoded(
    found: Entries, width: int, picked: Sequence[int] | None, file: Path, told: Told
) -> tuple[Entries, Array]:
    """Return polls of one layout and their values, without those that are damaged."""
    try:
        return found, found.values(width, picked)
    except codec.DamagedError:
        return _one_by_one(found, width, picked, file, told)


def hour_pieces(
    blocks: Iterable[tuple[int, int, bytes]],
    names: Sequence[Name],
    plans: Callable[[int], Plan],
    where: tuple[Path, int],
    told: Told,
) -> list[Piece]:
    """Return the wanted columns of blocks of hours in their order; `where`: their file and device."""
    found = []
    for layout, some in groupby(blocks, key=itemgetter(1)):
        plan = plans(layout)
        wanted = _wanted(names, plan.in_halves)
        if wanted:
            mine = list(some)
            found.append(_strung(mine, plan, wanted, partial(_told, where, mine, told)))
    return found


Hour = tuple[int, int, bytes]  # when it begins, layout, block
Damaged = Callable[[Mapping[int, codec.DamagedError]], None]


def _told(
    where: tuple[Path, int], blocks: Sequence[Hour], told: Told, found: Mapping[int, codec.DamagedError]
) -> None:
    for i, error in found.items():
        told(Damage(*where, blocks[i][0], f"{error}"))


def _strung(
    blocks: Sequence[Hour], plan: Plan, wanted: Mapping[int, Mapping[Name, int]], damaged: Damaged
) -> Piece:
    """Return the wanted columns of blocks with one layout; what is damaged leaves no times, or `MISSING`."""
    packed = [hours.parts(data) for _, _, data in blocks]
    marks = strung([p[0] for p in packed], 2, (0, 1))
    damaged(marks.damaged)
    at, sizes = _valued(marks)
    values: dict[Name, Array] = {}
    for half, rows in wanted.items():
        some = strung([p[half + 1] for p in packed], len(plan.halves[half]), tuple(rows.values()))
        damaged(some.damaged)
        values.update(zip(rows, some.values if some.sizes == sizes else _laid(some, sizes), strict=True))
    return Piece(at, values)


def _valued(marks: Strung) -> tuple[Array, list[int]]:
    """Return the times of the polls that have values, and how many each block has of them."""
    at, flags = marks.values
    valued = flags & VALUED != 0
    if valued.all():
        return at, marks.sizes
    blocks = np.arange(len(marks.sizes)).repeat(marks.sizes)
    return at[valued], np.bincount(blocks[valued], minlength=len(marks.sizes)).tolist()


def _laid(some: Strung, sizes: Sequence[int]) -> Array:
    """Return the values of blocks that should have these sizes; those of one that has another are `MISSING`."""
    values = np.full((len(some.values), sum(sizes)), MISSING)
    read = write = 0
    for size, expected in zip(some.sizes, sizes, strict=True):
        if size == expected:
            values[:, write : write + size] = some.values[:, read : read + size]
        read, write = read + size, write + expected
    return values


def day_pieces(file: DayFile, day: int, device: int, names: Sequence[Name], told: Told) -> Iterator[Piece]:
    """Yield the wanted columns of a day."""
    plan = file.plan(device)
    wanted = _wanted(names, plan.in_groups) if plan else {}
    marks = file.marks(device) if wanted else None
    if marks is None:
        return
    try:
        times = codec.decode(marks)
        values: dict[Name, Array] = {}
        for number, picked in wanted.items():
            rows = codec.decode(_present(file.block(device, number)), list(picked.values()))
            values.update(zip(picked, rows, strict=True))
    except codec.DamagedError as error:
        told(Damage(file.path, device, day * DAY_MS, f"{error}"))
        return
    yield Piece(times[0][times[1] & VALUED != 0], values)


def _present(block: bytes | None) -> bytes:
    if block is None:
        raise codec.DamagedError("a block is not there")
    return block


def _wanted(names: Sequence[Name], places: Mapping[Name, tuple[int, int]]) -> dict[int, dict[Name, int]]:
    """Return block → the wanted names in it and their rows."""
    found: dict[int, dict[Name, int]] = {}
    for name in names:
        if name in places:
            block, row = places[name]
            found.setdefault(block, {})[name] = row
    return found


def hour_part(data: bytes, plan: Plan) -> Part:
    """Return a whole block of an hour. Raises DamagedError."""
    marks, values = hours.whole(data, plan)
    return Part(plan, marks[0], marks[1], values if plan.layout.columns else np.empty((0, 0), np.int64))


def day_part(file: DayFile, device: int) -> Part | None:
    """Return a whole device of a day. Raises DamagedError."""
    found = file.whole(device)
    if found is None:
        return None
    marks = codec.decode(found.marks)
    times = marks[0][marks[1] & VALUED != 0]
    values = np.full((len(found.plan.layout.columns), len(times)), MISSING)
    if len(found.blocks) != len(found.plan.groups):
        raise codec.DamagedError("a block is not there")
    for group, block in zip(found.plan.groups, found.blocks, strict=True):
        values[list(group.columns)] = codec.decode(block)
    return Part(found.plan, marks[0], marks[1], values)


def series(pieces: Sequence[Piece], name: Name, start_ms: int, end_ms: int) -> tuple[Array, Array]:
    """Return times and values of one series in [start, end]; of two for one time the first stays."""
    some = [(p.at_ms, p.values[name]) for p in pieces if name in p.values]
    if not some:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    at, values = np.concatenate([a for a, _ in some]), np.concatenate([v for _, v in some])
    keep = (values != MISSING) & (at >= start_ms) & (at <= end_ms)
    if not keep.all():
        at, values = at[keep], values[keep]
    if len(at) > 1 and not (at[1:] > at[:-1]).all():
        at, places = np.unique(at, return_index=True)
        values = values[places]
    return at, values
