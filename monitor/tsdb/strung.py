"""Blocks of one layout, unpacked one after the other as one run of values, however long each is. Pure.

Today's hours of one link are two dozen small blocks of different lengths and widths. A call of numpy costs more than
what it does for each of so few values, so they are laid side by side as octets first, and computed with once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.samples import MISSING
from monitor.tsdb import codec

Array = NDArray[np.int64]
_Laid = tuple[bytes, int, int, int]  # payload, where its steps begin, how many octets each has, columns
_FIRST = 8  # octets of the first value of each row


@dataclass(frozen=True, slots=True)
class Strung:
    """Rows × all columns of all blocks; how many are each block's; block → what is wrong with it: it has none."""

    values: Array
    sizes: list[int]
    damaged: dict[int, codec.DamagedError]


def strung(blocks: Sequence[bytes | memoryview], count: int, rows: Sequence[int]) -> Strung:
    """Return some rows of blocks of differences, each of `count` rows; one that is of another kind is damaged."""
    laid: list[_Laid] = []
    masked: list[int] = []
    sizes = [0] * len(blocks)
    damaged: dict[int, codec.DamagedError] = {}
    for i, block in enumerate(blocks):
        try:
            payload, kind, width, has_mask, found, columns = codec.opened(block)
            if (found, kind) != (count, codec.Kind.delta):
                raise codec.DamagedError("its shape is not the one expected")
        except codec.DamagedError as error:
            damaged[i] = error
            continue
        sizes[i] = columns
        if columns:
            mask = (count * columns + 7) // 8 if has_mask else 0
            if has_mask:
                masked.append(len(laid))
            laid.append((payload, mask + _FIRST * count, width, columns))
    values = _summed(laid, count, rows) if laid else np.empty((len(rows), 0), np.int64)
    for number in masked:
        _blank(values, laid, number, count, rows)
    return Strung(values, sizes, damaged)


def _summed(laid: Sequence[_Laid], count: int, rows: Sequence[int]) -> Array:
    """Return first values and differences as values."""
    ends = np.array([columns for _, _, _, columns in laid]).cumsum()
    starts = [0, *ends[:-1].tolist()]
    sums: Array = codec.unzigzag(_steps(laid, count, rows, int(ends[-1])))
    np.cumsum(sums, axis=1, out=sums)
    # The sums of a block begin where those of the one before it ended: they are moved to begin with its first value.
    moved = _firsts(laid, count, rows) - sums[:, starts]
    sums += moved.repeat([columns for _, _, _, columns in laid], axis=1)
    return sums


def _steps(laid: Sequence[_Laid], count: int, rows: Sequence[int], total: int) -> NDArray[np.uint64]:
    """Return rows × columns of differences, still zigzag; of each block the first is 0."""
    most = max(width for _, _, width, _ in laid)
    # Slices of bytes, joined by the 0 of each first column: calls of numpy for each block would cost twice as much.
    slices = [
        payload[(at := begin + (place * count + row) * (columns - 1)) : at + columns - 1]
        if place < width
        else bytes(columns - 1)
        for row in rows
        for place in range(most)
        for payload, begin, width, columns in laid
    ]
    octets = np.zeros((len(rows), total, 8), np.uint8)
    if slices:
        planes = np.frombuffer(b"\0" + b"\0".join(slices), np.uint8).reshape(len(rows), most, total)
        for place in range(most):
            octets[..., place] = planes[:, place]
    return octets.view(np.uint64)[..., 0]


def _firsts(laid: Sequence[_Laid], count: int, rows: Sequence[int]) -> Array:
    """Return rows × blocks: the first value of each row."""
    planes = b"".join([payload[begin - _FIRST * count : begin] for payload, begin, _, _ in laid])
    picked = np.frombuffer(planes, np.uint8).reshape(len(laid), _FIRST, count)[:, :, list(rows)]
    return codec.unzigzag(np.ascontiguousarray(picked.transpose(2, 0, 1)).view(np.uint64)[..., 0])


def _blank(values: Array, laid: Sequence[_Laid], number: int, count: int, rows: Sequence[int]) -> None:
    """Mark the values of one block that are missing."""
    payload, _, _, columns = laid[number]
    start = sum(columns for _, _, _, columns in laid[:number])
    mask = np.frombuffer(payload, np.uint8, (count * columns + 7) // 8)
    present = np.unpackbits(mask, count=count * columns).reshape(count, columns)[list(rows)]
    values[:, start : start + columns][present == 0] = MISSING
