"""The head: polls as they arrive, many in one row, each compressed alone so that each is read alone. Pure.

A row holds polls of devices of one slot. A slot is a second of the minute: devices that are polled together lie
together, so a second's commit is one row, and a device's last hour is sixty.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.samples import Poll
from monitor.tsdb import codec

Array = NDArray[np.int64]
_INT64 = np.dtype(np.int64).num

SLOTS = 60
_TOGETHER_MS = 5000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MOST_MS, MOST_DEVICES = 2**42, 2**21  # what the key of a block has room for: the year 2109
ASKED, ANSWERED, VALUED = 1, 2, 4  # what is so of a poll
DEVICE, AT, FLAGS, LAYOUT, LENGTH = range(5)  # the columns of a row's index


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the head as it is stored."""

    slot: int
    first_ms: int
    last_ms: int
    index: bytes
    data: bytes


def slots_of(polls: Sequence[Poll]) -> dict[int, int]:
    """Give devices that are new their slots: who comes within the same five seconds comes together from now on."""
    if not polls:
        return {}
    first = min(p.at_ms for p in polls)
    return {
        p.device: (first + (p.at_ms - first) // _TOGETHER_MS * _TOGETHER_MS) // 1000 % SLOTS for p in polls
    }


def rows_of(polls: Sequence[Poll], slots: Mapping[int, int]) -> list[Row]:
    """Pack polls into rows by slot and hour. Raises ValueError for what has no place."""
    groups: dict[tuple[int, int], list[Poll]] = {}
    for poll in polls:
        if not (0 <= poll.at_ms < MOST_MS and 0 <= poll.device < MOST_DEVICES):
            raise ValueError(f"device {poll.device} at {poll.at_ms} ms has no place in the store")
        groups.setdefault((slots[poll.device], poll.at_ms // HOUR_MS), []).append(poll)
    return [_row(slot, group) for (slot, _), group in groups.items()]


def _row(slot: int, polls: Sequence[Poll]) -> Row:
    blocks = _blocks(polls)
    index = array("q")
    for poll, block in zip(polls, blocks, strict=True):
        index.extend((poll.device, poll.at_ms, _flags(poll), poll.layout.id, len(block)))
    times = index[AT::5]
    return Row(slot, min(times), max(times), index.tobytes(), b"".join(blocks))


def _flags(poll: Poll) -> int:
    valued = VALUED if poll.layout.columns else 0
    return valued | (ASKED | (ANSWERED if poll.answered else 0) if poll.asked else 0)


def _blocks(polls: Sequence[Poll]) -> list[bytes]:
    """Return the block of each poll; polls of the same width are encoded together."""
    by_width: dict[int, list[int]] = {}
    for i, poll in enumerate(polls):
        by_width.setdefault(len(poll.layout.columns), []).append(i)
    blocks = [b""] * len(polls)
    for width, places in by_width.items():
        if width:
            rows = _rows([polls[i] for i in places], width)
            for i, block in zip(places, codec.encode_each(rows), strict=True):
                blocks[i] = block
    return blocks


def _rows(polls: Sequence[Poll], width: int) -> Array:
    """Return the values of polls of one width as a matrix. Raises ValueError for those that are not of their layout."""
    values = [p.values for p in polls if p.values is not None]
    if len(values) < len(polls) or {(v.shape, v.dtype.num) for v in values} != {((width,), _INT64)}:
        raise ValueError(next(filter(None, (_wrong(p, width) for p in polls))))
    return np.concatenate(values).reshape(-1, width)


def _wrong(poll: Poll, width: int) -> str:
    if poll.values is None or poll.values.shape != (width,) or poll.values.dtype != np.int64:
        return f"device {poll.device} at {poll.at_ms} ms: the values are not those of the layout"
    return ""


def fits(poll: Poll, slot: int | None, *, moving: bool) -> bool:
    """Return whether a device has a slot; with `moving` also whether it still comes at about that second."""
    return slot is not None and not (
        moving and (poll.at_ms // 1000 - slot + 2) % SLOTS > 2 * _TOGETHER_MS // 1000
    )


@dataclass(frozen=True, slots=True)
class Entries:
    """Polls of the head that are still packed: the index, and each one's block."""

    index: Array  # n × 5
    blocks: NDArray[np.object_]

    def where(self, chosen: NDArray[np.bool_] | Array) -> "Entries":
        """Return some of them."""
        return Entries(self.index[chosen], self.blocks[chosen])

    def values(self, width: int, picked: Sequence[int] | None = None) -> Array:
        """Return n × width values, or n × some of them; all must have the same layout. Raises DamagedError."""
        if not width or not len(self.blocks):
            return np.empty((len(self.blocks), width if picked is None else len(picked)), np.int64)
        return codec.decode_each(list(self.blocks), picked)


def index_of(indexes: Sequence[bytes]) -> Array:
    """Return the polls in some rows' indexes (n × 5), without their values."""
    return np.frombuffer(b"".join(indexes), np.int64).reshape(-1, 5)


def entries(rows: Sequence[tuple[bytes, bytes]]) -> Entries:
    """Return what is in rows of the head, in their order."""
    return cut([polls for polls, _ in rows], lambda row, start, length: rows[row][1][start : start + length])


def cut(
    indexes: Sequence[bytes],
    data: Callable[[int, int, int], bytes],
    wanted: Callable[[Array], NDArray[np.bool_]] | None = None,
) -> Entries:
    """Return polls of rows with these indexes, in their order.

    `data` gives octets of a row's data: the number of the row, where they begin, how many; `wanted`: n × 5 → which of
    the polls (None: all).
    """
    index = index_of(indexes)
    chosen = np.arange(len(index)) if wanted is None else np.flatnonzero(wanted(index))
    row, starts = (found[chosen].tolist() for found in _spots(index, indexes))
    index = index[chosen]
    blocks = np.empty(len(chosen), object)
    for i, spot in enumerate(zip(row, starts, index[:, LENGTH].tolist(), strict=True)):
        blocks[i] = data(*spot)
    return Entries(index, blocks)


def _spots(index: Array, indexes: Sequence[bytes]) -> tuple[Array, Array]:
    """Return of each poll in some rows' indexes the number of its row, and where in the row's data its block begins."""
    counts = np.array([len(one) // 40 for one in indexes], np.int64)
    row = np.arange(len(counts)).repeat(counts)
    starts = index[:, LENGTH].cumsum() - index[:, LENGTH]
    firsts = np.concatenate((starts, [0]))[counts.cumsum() - counts]
    return row, starts - firsts[row]
