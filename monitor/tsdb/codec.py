"""A block: a matrix of int64 as a short run of bytes, exact, with its own checksum. Pure.

Differences along time, zigzag (so that small negative ones are small too), as many bytes of each as the
greatest needs, all first bytes together, then all second ones: the runs this leaves compress well. Missing
values are carried forward and told by a bit mask, so that a gap costs bits and not two jumps of eight bytes.
zstandard compresses where it is installed, zlib where it is not; a block says which of them it needs. What lives only
an hour is not compressed at all, but loses its zero bytes (monitor/tsdb/sparse.py).
"""

import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.samples import MISSING
from monitor.tsdb import sparse

Array = NDArray[np.int64]
_HEADER = struct.Struct("<IBBBBII")  # crc, codec, kind, width, masked, rows, columns
_CRC = 4
BRIEF, DENSE = -1, 3  # levels: of what lives a day, and years


class Kind(IntEnum):
    """How values became bytes: as they are, zigzag alone, zigzag of their differences along time, without zeros."""

    raw = 0  # of heads that older versions wrote
    plain = 1
    delta = 2
    sparse = 3


class DamagedError(ValueError):
    """A block is not what was written."""


class _Local(threading.local):
    """Compressors are not shared between threads."""

    def __init__(self) -> None:
        self.compressors: dict[int, Any] = {}
        self.decompressor: Any = None


_local = _Local()
ZLIB, ZSTD, STORED = 0, 1, 2


def available() -> int:
    """Return the codec that new blocks are written with."""
    try:
        import zstandard  # noqa: F401
    except ImportError:
        return ZLIB
    return ZSTD


def _compressor(codec: int, level: int) -> Callable[[Any], bytes]:
    if codec == ZLIB:
        return lambda data: zlib.compress(data, 1 if level < DENSE else 6)
    if level not in _local.compressors:
        import zstandard

        _local.compressors[level] = zstandard.ZstdCompressor(level=level)
    compress: Callable[[Any], bytes] = _local.compressors[level].compress
    return compress


def _decompressor(codec: int) -> Callable[[Any], bytes]:
    if codec == ZLIB:
        return zlib.decompress
    if codec == STORED:
        return bytes
    if codec != ZSTD:
        raise DamagedError(f"codec {codec} is not known")
    if _local.decompressor is None:
        try:
            import zstandard
        except ImportError:
            raise DamagedError("it is compressed by zstandard, which is not installed") from None
        _local.decompressor = zstandard.ZstdDecompressor()
    decompress: Callable[[Any], bytes] = _local.decompressor.decompress
    return decompress


def encode(values: Array, kind: Kind = Kind.delta, *, codec: int | None = None, level: int = DENSE) -> bytes:
    """Return rows × columns (series × time) as one block."""
    rows, columns = values.shape
    present = values != MISSING
    masked = not bool(present.all())
    parts = []
    if masked:
        parts.append(np.packbits(present).tobytes())
        values = _carried(values, present) if kind is Kind.delta else np.where(present, values, 0)
    if kind is Kind.delta and columns:
        parts.append(_planes(_zigzag(values[:, 0]), 8))
        values = values[:, 1:] - values[:, :-1]
    steps = _zigzag(values)
    width = (int(steps.max()).bit_length() + 7) // 8 if steps.size else 0
    parts.append(_planes(steps, width))
    return _framed(b"".join(parts), (kind, width, masked, rows, columns), level, codec)


def encode_each(values: Array) -> list[bytes]:
    """Return each row (of count × width, in C order) as a block of its own, quickly."""
    tail = _HEADER.pack(0, STORED, Kind.sparse, 8, False, values.shape[1], 1)[_CRC:]
    start, crc32, pack = zlib.crc32(tail), zlib.crc32, struct.Struct("<I").pack
    return [
        b"".join((pack(crc32(found, crc32(mask, start))), tail, mask, found))
        for mask, found in sparse.packed(values)
    ]


def _framed(payload: bytes, shape: tuple[int, ...], level: int, codec: int | None) -> bytes:
    codec = available() if codec is None else codec
    body = _HEADER.pack(0, codec, *shape)[_CRC:] + _compressor(codec, level)(payload)
    return zlib.crc32(body).to_bytes(_CRC, "little") + body


def decode(block: bytes, rows: Sequence[int] | None = None) -> Array:
    """Return the matrix of a block, or some of its rows. Raises DamagedError."""
    payload, *shape = opened(block)
    values: Array = unpacked([payload], shape, slice(None) if rows is None else list(rows))[0]
    return values


def unpacked(payloads: Sequence[bytes], shape: Sequence[int], picked: Any) -> Array:
    """Return blocks × rows × columns of blocks that all have one shape."""
    kind, width, masked, count, columns = shape
    if kind == Kind.sparse:
        try:
            return sparse.unpacked(payloads, count * columns).reshape(-1, count, columns)[:, picked]
        except ValueError as error:
            raise DamagedError(f"{error}") from None
    octets = np.frombuffer(b"".join(payloads), np.uint8).reshape(len(payloads), -1)
    at = (count * columns + 7) // 8 if masked else 0
    if kind == Kind.raw:
        return _joined(octets, 8, count, columns, 0, picked).view(np.int64)
    if kind == Kind.delta and columns:
        first = unzigzag(_joined(octets, 8, count, 1, at, picked))
        steps = unzigzag(_joined(octets, width, count, columns - 1, at + 8 * count, picked))
        values = np.concatenate((first, steps), axis=2)
        np.cumsum(values, axis=2, out=values)
    else:
        values = unzigzag(_joined(octets, width, count, columns, at, picked))
    if masked:
        bits = np.unpackbits(octets[:, :at], axis=1, count=count * columns)
        values[bits.reshape(len(payloads), count, columns)[:, picked] == 0] = MISSING
    return values


def decode_each(blocks: Sequence[bytes], picked: Sequence[int] | None = None) -> Array:
    """Return blocks of one column that have equally many values as rows of one matrix, or some columns of it.

    Raises DamagedError.
    """
    if not blocks:
        return np.empty((0, 0), np.int64)
    tails = {block[_CRC : _HEADER.size] for block in blocks}
    if len(tails) == 1:
        return _rows_of(blocks, picked)
    width = _header(blocks[0])[5]  # some are of an older version
    values = np.empty((len(blocks), width if picked is None else len(picked)), np.int64)
    for tail in tails:
        places = [i for i, block in enumerate(blocks) if block[_CRC : _HEADER.size] == tail]
        if _header(blocks[places[0]])[5] != width:
            raise DamagedError("its shape is not the one expected")
        values[places] = _rows_of([blocks[i] for i in places], picked)
    return values


def _rows_of(blocks: Sequence[bytes], picked: Sequence[int] | None) -> Array:
    """Return blocks with the same header as rows of one matrix; as little as can be is done for each."""
    _, codec, *shape = _header(blocks[0])
    decompress = _decompressor(codec)
    size, crc32, integer = _HEADER.size, zlib.crc32, int.from_bytes
    start = crc32(blocks[0][_CRC:size])
    payloads = []
    for block in blocks:
        view = memoryview(block)[size:]
        if crc32(view, start) != integer(block[:_CRC], "little"):
            raise DamagedError("its checksum is wrong")
        payloads.append(decompress(view))
    if shape[-1] != 1 or shape[0] not in (Kind.raw, Kind.sparse):
        raise DamagedError("its shape is not the one expected")
    if picked is not None and shape[0] == Kind.sparse:
        return _picked(payloads, shape[3], picked)
    return unpacked(payloads, shape, slice(None) if picked is None else list(picked))[:, :, 0]


def _picked(payloads: Sequence[bytes], width: int, columns: Sequence[int]) -> Array:
    try:
        return sparse.picked(payloads, width, columns)
    except ValueError as error:
        raise DamagedError(f"{error}") from None


def decode_alike(
    blocks: Sequence[bytes], rows: Sequence[tuple[int, ...]]
) -> Iterator[tuple[list[int], Array | DamagedError]]:
    """Yield (numbers of blocks, blocks × rows × columns) of those with one shape, and each that is damaged.

    Many small blocks at once are read several times quicker than one by one.
    """
    groups: dict[tuple[bytes, tuple[int, ...]], tuple[list[int], list[bytes]]] = {}
    for i, (block, picked) in enumerate(zip(blocks, rows, strict=True)):
        try:
            check(block)
        except DamagedError as error:
            yield [i], error
            continue
        numbers, members = groups.setdefault((block[_CRC : _HEADER.size], picked), ([], []))
        numbers.append(i)
        members.append(block)
    for (_, picked), (numbers, members) in groups.items():
        _, codec, *shape = _header(members[0])
        try:
            decompress = _decompressor(codec)
        except DamagedError as error:
            yield from (([i], error) for i in numbers)
            continue
        payloads = [decompress(memoryview(block)[_HEADER.size :]) for block in members]
        yield numbers, unpacked(payloads, shape, list(picked))


def check(block: bytes) -> None:
    """Compare the checksum, without unpacking. Raises DamagedError."""
    if len(block) < _HEADER.size:
        raise DamagedError("it is cut short")
    if zlib.crc32(memoryview(block)[_CRC:]) != int.from_bytes(block[:_CRC], "little"):
        raise DamagedError("its checksum is wrong")


def opened(block: bytes | memoryview) -> tuple[bytes, int, int, bool, int, int]:
    """Return what is in a block: its payload, kind, width, whether it has a mask, rows, columns.

    Raises DamagedError.
    """
    if len(block) < _HEADER.size:
        raise DamagedError("it is cut short")
    view = memoryview(block)
    crc, codec, kind, width, masked, rows, columns = _HEADER.unpack_from(view)
    if zlib.crc32(view[_CRC:]) != crc:
        raise DamagedError("its checksum is wrong")
    return _decompressor(codec)(view[_HEADER.size :]), kind, width, bool(masked), rows, columns


def _header(block: bytes) -> tuple[Any, ...]:
    if len(block) < _HEADER.size:
        raise DamagedError("it is cut short")
    return _HEADER.unpack_from(block)


def _zigzag(values: Array) -> NDArray[np.uint64]:
    sign, found = values >> 63, values << 1
    found ^= sign
    return found.view(np.uint64)


def unzigzag(values: NDArray[np.uint64]) -> Array:
    """Undo `_zigzag`, in place: new memory would cost more than the arithmetic."""
    sign = (values & np.uint64(1)).view(np.int64)
    np.negative(sign, out=sign)
    values >>= np.uint64(1)
    sign ^= values.view(np.int64)
    return sign


def _planes(values: NDArray[np.uint64], width: int) -> bytes:
    octets = np.ascontiguousarray(values).view(np.uint8).reshape(-1, 8)
    return octets[:, :width].T.tobytes()


def _joined(
    payloads: NDArray[np.uint8], width: int, rows: int, columns: int, at: int, picked: Any
) -> NDArray[np.uint64]:
    planes = payloads[:, at : at + width * rows * columns].reshape(len(payloads), width, rows, columns)[
        :, :, picked
    ]
    octets = np.zeros((*planes.shape[:1], *planes.shape[2:], 8), np.uint8)
    for i in range(width):  # a third of the time of one assignment of all, transposed
        octets[..., i] = planes[:, i]
    return octets.view(np.uint64)[..., 0]


def _carried(values: Array, present: NDArray[np.bool_]) -> Array:
    """Return the values with each missing one replaced by the one before it, or by the first there is."""
    places = np.where(present, np.arange(values.shape[1]), 0)
    np.maximum.accumulate(places, axis=1, out=places)
    filled = np.take_along_axis(values, places, axis=1)
    first = np.take_along_axis(values, present.argmax(axis=1)[:, None], axis=1)
    filled = np.where(filled == MISSING, first, filled)
    return np.where(filled == MISSING, 0, filled)
