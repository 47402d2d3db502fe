"""Availability: what was seen of devices in a window, in kinds of time that add up to it. Pure.

A look (somebody asked) holds to the next one, at most `hold_s`. An answer is up. Silence is what the monitor came to
believe of it, back to the first silence of the row that led there; a row that led nowhere says nothing. Time in which
no look holds is not observed, whatever state was believed meanwhile. In a window of maintenance silence is taken as
it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from monitor.intervals import Array, Pieces, Steps, first_of, laid, steps, totals
from monitor.state import State
from monitor.tsdb import runs

_NONE, _ANSWERED, _SILENT = range(3)
_CODES = {state.value: number for number, state in enumerate(State, 1)}
_DOWN, _UNREACHABLE = _CODES[State.down], _CODES[State.unreachable]
_FLAPPING, _MAINTENANCE = _CODES[State.flapping], _CODES[State.maintenance]


class Kind(IntEnum):
    """A kind of time. Those of maintenance tell what was met in it; `excused` is down by no fault of the line."""

    unobserved = 0
    up = 1
    down = 2
    unreachable = 3
    maintained_up = 4
    maintained_down = 5
    maintained_unseen = 6
    excused = 7


# An agency is there while one of its connections is, and is not known to be away while one may be there.
BEST = (
    Kind.up, Kind.maintained_up, Kind.unobserved, Kind.maintained_unseen,
    Kind.maintained_down, Kind.excused, Kind.unreachable, Kind.down,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """Whole milliseconds of each kind, and of how many (`members`) windows of `window_ms`."""

    window_ms: int
    members: int
    ms: tuple[int, ...]  # by Kind

    def of(self, *kinds: Kind) -> float:
        """Return the seconds of some kinds."""
        return sum(self.ms[k] for k in kinds) / 1000

    @property
    def total_s(self) -> float:
        """All the time there is: the window, times the members."""
        return self.window_ms * self.members / 1000

    @property
    def maintenance_s(self) -> float:
        """Seconds in windows of maintenance, whatever was met there."""
        return self.of(Kind.maintained_up, Kind.maintained_down, Kind.maintained_unseen)

    @property
    def met_up_s(self) -> float:
        """Seconds in which users met it there."""
        return self.of(Kind.up, Kind.maintained_up)

    @property
    def met_s(self) -> float:
        """Seconds of which it is known what users met: the denominator of what users met."""
        away = self.of(Kind.down, Kind.excused, Kind.unreachable, Kind.maintained_down)
        return self.met_up_s + away

    @property
    def sla_s(self) -> float:
        """Seconds that count for the contract: up, and down without excuse; neither maintenance nor another's fault."""
        return self.of(Kind.up, Kind.down)

    @property
    def users_pct(self) -> float | None:
        """What users met, in percent; None when nothing is known."""
        return 100 * self.met_up_s / self.met_s if self.met_s else None

    @property
    def sla_pct(self) -> float | None:
        """What the contract counts, in percent; None when nothing counts."""
        return 100 * self.of(Kind.up) / self.sla_s if self.sla_s else None

    @property
    def coverage_pct(self) -> float | None:
        """The share of all time in which something was seen."""
        seen = self.total_s - self.of(Kind.unobserved, Kind.maintained_unseen)
        return 100 * seen / self.total_s if self.total_s else None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A window of some devices in pieces, each of one kind; pieces of the same kind that touch are not joined."""

    pieces: Pieces
    kind: Array
    start_ms: int
    end_ms: int


def believed(device: Sequence[int] | Array, at_ms: Sequence[int] | Array, after: Sequence[str]) -> Steps:
    """Return the states as steps; an unknown word is as good as none."""
    return steps(device, at_ms, [_CODES.get(word, 0) for word in after])


def looked(table: Array, hold_ms: int) -> Steps:
    """Return the looks as steps, from a table of runs (monitor/tsdb/runs.py) that do not lie over each other."""
    if not table.shape[1]:
        return steps([], [], [])
    # One number by device and time, so that one stable sort does: a table comes as a piece for each day, in order.
    first = table[runs.FIRST] - table[runs.FIRST].min()
    table = table[:, np.argsort(table[runs.DEVICE] * (int(first.max()) + 1) + first, kind="stable")]
    device, first, last, answered = (table[row] for row in (runs.DEVICE, runs.FIRST, runs.LAST, runs.ANSWER))
    following = np.full(len(device), np.iinfo(np.int64).max)
    same = device[1:] == device[:-1]
    following[:-1][same] = first[1:][same]
    until = np.minimum(last + hold_ms, following)
    value = np.where(answered == 1, _ANSWERED, _SILENT)
    # The ends come first: where a look begins as another ceases to hold, the look counts.
    return Steps(
        np.concatenate((device, device)),
        np.concatenate((until, first)),
        np.concatenate((np.zeros_like(value), value)),
    )


def seen(
    looks: Steps,
    states: Steps,
    excuses: Steps,
    devices: Sequence[int] | Array,
    window_ms: tuple[int, int],
) -> Seen:
    """Say of every millisecond of the window and every device which kind of time it was."""
    pieces = laid((looks, states, excuses), devices, *window_ms)
    look, state, excused = pieces.values
    silent, answered = look == _SILENT, look == _ANSWERED
    settled = _settled(pieces.owner, look, state)
    away = silent & ((settled == _DOWN) | (settled == _FLAPPING))
    kind = np.select(
        [
            (state == _MAINTENANCE) & answered,
            (state == _MAINTENANCE) & silent,
            state == _MAINTENANCE,
            answered,
            away & (excused == 1),
            away,
            silent & (settled == _UNREACHABLE),
        ],
        [
            Kind.maintained_up,
            Kind.maintained_down,
            Kind.maintained_unseen,
            Kind.up,
            Kind.excused,
            Kind.down,
            Kind.unreachable,
        ],
        Kind.unobserved,
    ).astype(np.int64)
    return Seen(pieces, kind, *window_ms)


def _settled(owner: Array, look: Array, state: Array) -> Array:
    """Return what each silence came to: its own state where that says something, else the next one of its row."""
    if not len(owner):
        return state
    begins = np.append(True, owner[1:] != owner[:-1]) | (look == _ANSWERED)
    row = np.cumsum(begins)
    says = (look == _SILENT) & np.isin(state, (_DOWN, _UNREACHABLE, _FLAPPING))
    places = np.where(says, np.arange(len(owner)), len(owner))
    following = np.minimum.accumulate(places[::-1])[::-1]
    there = following < len(owner)
    inside = there & (row[np.where(there, following, 0)] == row)
    found: Array = np.where(inside, state[np.where(inside, following, 0)], state)
    return found


def per_device(view: Seen) -> dict[int, Parts]:
    """Return the parts of each device."""
    who, ms = totals(view.pieces.owner, view.pieces.length_ms, view.kind, len(Kind))
    width = view.end_ms - view.start_ms
    return {d: Parts(width, 1, tuple(row)) for d, row in zip(who.tolist(), ms.tolist(), strict=True)}


def added(parts: Iterable[Parts]) -> Parts | None:
    """Return the sum of some: of connections the connection-seconds. None of none."""
    some = list(parts)
    if not some:
        return None
    columns = zip(*(p.ms for p in some), strict=True)
    return Parts(some[0].window_ms, sum(p.members for p in some), tuple(map(sum, columns)))


def best(view: Seen, groups: Mapping[int, Sequence[int]]) -> dict[int, Parts]:
    """Return group → its parts, where a group (number → devices) is at every moment as its best device."""
    pairs = np.array([(d, g) for g, devices in groups.items() for d in set(devices)], np.int64).reshape(-1, 2)
    pieces, member = _per_member(view, pairs)
    grouped, kind = first_of(
        Pieces(pieces.owner, pieces.start_ms, pieces.end_ms, pieces.values), member[0], member[1], BEST
    )
    who, ms = totals(grouped.owner, grouped.length_ms, kind, len(Kind))
    width = view.end_ms - view.start_ms
    return {g: Parts(width, 1, tuple(row)) for g, row in zip(who.tolist(), ms.tolist(), strict=True)}


def _per_member(view: Seen, pairs: Array) -> tuple[Pieces, tuple[Array, Array]]:
    """Return the pieces once for each group their device is in, their kinds and their groups."""
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    owner = view.pieces.owner
    low, high = np.searchsorted(pairs[:, 0], owner), np.searchsorted(pairs[:, 0], owner, side="right")
    many = high - low
    piece = np.repeat(np.arange(len(owner)), many)
    offset = np.arange(len(piece)) - np.repeat(np.cumsum(many) - many, many)
    group = pairs[np.repeat(low, many) + offset, 1] if len(piece) else np.empty(0, np.int64)
    p = view.pieces
    some = Pieces(owner[piece], p.start_ms[piece], p.end_ms[piece], p.values[:, piece])
    return some, (view.kind[piece], group)


@dataclass(frozen=True, slots=True)
class Stretch:
    """An unbroken time in which a device was away: whole milliseconds; `open` at the end of the window.

    `parts`: how much of it was of which kind.
    """

    device: int
    start_ms: int
    end_ms: int
    open: bool
    parts: Mapping[Kind, int]

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end_ms - self.start_ms) / 1000


def stretches(view: Seen, kinds: Iterable[Kind], *, across: bool = False) -> list[Stretch]:
    """Return every unbroken time of these kinds together, by device and time. A gap ends it: the rest is not known.

    With `across` it goes on behind a gap in which nothing was seen, and is open when nothing was seen after it; the gap
    is in none of its parts.
    """
    wanted = np.isin(view.kind, list(kinds))
    unseen = (view.kind == Kind.unobserved) | (view.kind == Kind.maintained_unseen)
    # How many pieces in which something else was seen lie before each: equal for two between which nothing was.
    breaks = np.cumsum(~wanted & ~(unseen if across else np.zeros_like(unseen)))
    p, kind = view.pieces, view.kind
    following = np.append(p.owner[1:] != p.owner[:-1], True) if len(p.owner) else np.empty(0, bool)
    last = breaks[following][np.searchsorted(p.owner[following], p.owner)] if len(p.owner) else breaks
    found: list[Stretch] = []
    run = -1
    named = {k.value: k for k in Kind}
    # Plain numbers all at once: a regency's quarter has tens of thousands of pieces.
    columns = (a[wanted].tolist() for a in (p.owner, p.start_ms, p.end_ms, kind, breaks, last))
    for device, start, end, what, breaks_before, last_break in zip(*columns, strict=True):
        parts = {named[what]: end - start}
        if run == breaks_before and found and found[-1].device == device:
            old = found.pop()
            parts = {k: old.parts.get(k, 0) + parts.get(k, 0) for k in {**old.parts, **parts}}
            start = old.start_ms
        run = breaks_before
        open_ = end == view.end_ms or (across and run == last_break)
        found.append(Stretch(device, start, end, open_, parts))
    return found


def looks_of(evidence: Iterable[tuple[int, int, bool]]) -> NDArray[np.int64]:
    """Return a table of runs of single looks: (device, at_ms, answered)."""
    rows = [(d, at, at, int(answered), 0) for d, at, answered in evidence]
    return np.array(rows, np.int64).reshape(-1, 5).T.copy()
