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
    """Return the wanted columns of blocks of hours; `where`: their file and device."""
    some = [(b, w) for b in blocks if (w := _wanted(names, plans(b[1]).in_halves))]
    parts: list[tuple[int, dict[Name, int] | None, tuple[int, ...], bytes]]
    parts = [(i, None, (0, 1), hours.part(b[2], 0)) for i, (b, _) in enumerate(some)]
    for i, (block, wanted) in enumerate(some):
        parts += [(i, p, tuple(p.values()), hours.part(block[2], n + 1)) for n, p in wanted.items()]
    times: dict[int, Array] = {}
    values: dict[int, dict[Name, Array]] = {i: {} for i in range(len(some))}
    for members, found in codec.decode_alike([p[3] for p in parts], [p[2] for p in parts]):
        for place, matrix in zip(members, [found] if isinstance(found, Exception) else found, strict=True):
            number, picked = parts[place][:2]
            if isinstance(matrix, Exception):
                values.pop(number, None)
                told(Damage(*where, some[number][0][0], f"{matrix}"))
            elif picked is None:
                times[number] = matrix[0][matrix[1] & VALUED != 0]
            elif number in values:
                values[number].update(zip(picked, matrix, strict=True))
    return [Piece(times[i], found) for i, found in values.items() if i in times]


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
