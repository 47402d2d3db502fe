"""The stored pieces of one device, read: from its slots of the head, its blocks of hours, and day files.

A piece that is damaged is told to `told` and left out; what `told` does (raise, or remember) is the caller's choice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.samples import MISSING, Name
from monitor.tsdb import codec, hours
from monitor.tsdb.days import DayFile
from monitor.tsdb.faults import Damage
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import AT, DAY_MS, DEVICE, FLAGS, LAYOUT, VALUED, Entries, entries
from monitor.tsdb.hot import Hot
from monitor.tsdb.merge import EMPTY, Part

Array = NDArray[np.int64]
Told = Callable[[Damage], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some columns of one device: their times, and the values of each."""

    at_ms: Array
    values: Mapping[Name, Array]


def head_entries(hot: Hot, device: int, start_ms: int, end_ms: int) -> Entries:
    """Return the polls of a device in the head that lie in [start, end], as they arrived."""
    found = entries(hot.head(hot.slots(device), start_ms, end_ms), device)
    return found.where((found.index[:, AT] >= start_ms) & (found.index[:, AT] <= end_ms))


def head_parts(found: Entries, plans: Callable[[int], Plan], file: Path, told: Told) -> Iterator[Part]:
    """Yield polls of one device, by layout."""
    for places in hours.arrivals(found):
        some = found.where(places)
        plan = plans(int(some.index[0, LAYOUT])) if len(places) else EMPTY.plan
        try:
            values = some.values(len(plan.layout.columns))
        except codec.DamagedError:
            some, values = _one_by_one(some, len(plan.layout.columns), file, told)
        columns = values.T if plan.layout.columns else np.empty((0, 0), np.int64)
        yield Part(plan, some.index[:, AT], some.index[:, FLAGS], columns)


def _one_by_one(found: Entries, width: int, file: Path, told: Told) -> tuple[Entries, Array]:
    """Leave out the polls that are damaged."""
    sound, values = [], [np.empty((0, width), np.int64)]
    for i, block in enumerate(found.blocks):
        try:
            values.append(codec.decode_each([block]))
            sound.append(i)
        except codec.DamagedError as error:
            told(Damage(file, int(found.index[i, DEVICE]), int(found.index[i, AT]), f"{error}"))
    return found.where(np.array(sound, np.int64)), np.concatenate(values)


def head_pieces(parts: Iterable[Part], names: Sequence[Name]) -> Iterator[Piece]:
    """Yield the wanted columns of parts."""
    for part in parts:
        places = part.plan.layout.places
        values = {name: part.values[places[name]] for name in names if name in places}
        if values:
            yield Piece(part.valued_ms, values)


def hour_pieces(
    blocks: Iterable[tuple[int, int, bytes]],
    names: Sequence[Name],
    plans: Callable[[int], Plan],
    where: tuple[Path, int],
    told: Told,
) -> list[Piece]:
    """Return the wanted columns of blocks of hours, as one piece in their order; `where`: their file and device."""
    wanted: dict[int, dict[int, dict[Name, int]]] = {}  # layout → half → name → row
    numbers: dict[int, list[int]] = {}  # layout → its blocks
    packed: list[tuple[bytes, bytes, bytes]] = []
    begins: list[int] = []
    for first_ms, layout, data in blocks:
        if layout not in wanted:
            wanted[layout] = _wanted(names, plans(layout).in_halves)
        if wanted[layout]:
            numbers.setdefault(layout, []).append(len(packed))
            packed.append(hours.parts(data))
            begins.append(first_ms)
    laid = _Laid([p[0] for p in packed], lambda i, error: told(Damage(*where, begins[i], f"{error}")))
    for layout, mine in numbers.items():
        for half, some in wanted[layout].items():
            laid.fill(np.array(mine), [packed[i][half + 1] for i in mine], some)
    return [Piece(laid.at_ms, laid.values)] if packed else []


class _Laid:
    """Blocks of hours one after the other: their times, and the values of the columns that are asked for.

    Blocks of one shape are laid out together. What is damaged leaves no times, or `MISSING`.
    """

    def __init__(self, marks: Sequence[bytes], damaged: Callable[[int, codec.DamagedError], None]) -> None:
        self.damaged = damaged
        self.values: dict[Name, Array] = {}
        self.sizes = np.zeros(len(marks), np.int64)
        found = []
        for members, times in codec.decode_alike(marks, [(0, 1)] * len(marks)):
            if isinstance(times, codec.DamagedError):
                damaged(members[0], times)
                continue
            valued = times[:, 1] & VALUED != 0
            self.sizes[members] = valued.sum(axis=1)
            found.append((members, times[:, 0][valued]))
        self.starts = self.sizes.cumsum() - self.sizes
        self.at_ms = np.empty(self.sizes.sum(), np.int64)
        for members, at in found:
            self.at_ms[self._spots(members)] = at

    def fill(self, numbers: Array, blocks: Sequence[bytes], wanted: Mapping[Name, int]) -> None:
        """Lay out one half of the blocks with these numbers."""
        for name in wanted:
            self.values.setdefault(name, np.full(len(self.at_ms), MISSING))
        for members, rows in codec.decode_alike(blocks, [tuple(wanted.values())] * len(blocks)):
            mine = numbers[members]
            if isinstance(rows, codec.DamagedError):
                self.damaged(mine[0], rows)
                continue
            known = self.sizes[mine] == rows.shape[2]  # not where the times are damaged
            if not known.all():
                mine, rows = mine[known], rows[known]
            spots = self.starts[mine][:, None] + np.arange(rows.shape[2])
            for i, name in enumerate(wanted):
                self.values[name][spots] = rows[:, i]

    def _spots(self, members: Sequence[int]) -> Array:
        """Return the places of the polls of some blocks."""
        starts, sizes = self.starts[members], self.sizes[members]
        return np.repeat(starts - sizes.cumsum() + sizes, sizes) + np.arange(sizes.sum())


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
