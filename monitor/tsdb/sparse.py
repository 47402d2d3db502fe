"""Integers without their zero bytes: a bit for each byte tells whether it is there. Pure.

What the head holds is read again within the hour, by the sealing at the latest. Counters are mostly zero bytes, so this
is as small as a quick compression, and a whole batch is packed by a few calls of numpy: a fourth of the processor time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.int64]


def packed(values: Array) -> list[tuple[bytes, bytes]]:
    """Return of each row (count × width, in C order) its mask, a byte a value, and the bytes that are not zero."""
    count, width = values.shape
    octets = values.view(np.uint8).ravel()
    masks = np.packbits(octets.reshape(count, 8 * width), axis=1)
    found = octets.compress(octets.astype(np.bool_)).tobytes()
    ends = np.cumsum(np.bitwise_count(masks).sum(axis=1, dtype=np.int64)).tolist()
    mask = masks.tobytes()
    return [
        (mask[i * width : (i + 1) * width], found[start:end])
        for i, (start, end) in enumerate(zip([0, *ends], ends, strict=False))
    ]


def unpacked(payloads: Sequence[bytes], width: int) -> Array:
    """Return rows × width of masks and their bytes, one after the other. Raises ValueError when they do not fit."""
    masks = np.frombuffer(b"".join([p[:width] for p in payloads]), np.uint8)
    found = np.frombuffer(b"".join([p[width:] for p in payloads]), np.uint8)
    octets = np.unpackbits(masks)
    places = octets.view(np.bool_)
    if len(octets) != 8 * width * len(payloads) or np.count_nonzero(places) != len(found):
        raise ValueError("its bytes are not as many as it says")
    if len(found):
        np.place(octets, places, found)
    return octets.view(np.int64).reshape(len(payloads), width)


def picked(payloads: Sequence[bytes], width: int, columns: Sequence[int]) -> Array:
    """Return some columns of `unpacked`, without unpacking the others; they may be none of many."""
    masks = np.frombuffer(b"".join([p[:width] for p in payloads]), np.uint8).reshape(len(payloads), width)
    found = np.frombuffer(b"".join([p[width:] for p in payloads]), np.uint8)
    ends = np.bitwise_count(masks).cumsum(dtype=np.int64)
    if (ends[-1] if len(ends) else 0) != len(found):
        raise ValueError("its bytes are not as many as it says")
    wanted = masks[:, columns]
    octets = np.unpackbits(wanted).reshape(-1, 8)
    rows, places = octets.nonzero()
    # Each byte that is there stands behind those of the columns before its own, and those before it in its own.
    begins = ends.reshape(masks.shape)[:, columns] - np.bitwise_count(wanted)
    within = octets.cumsum(axis=1, dtype=np.int64)[rows, places] - 1
    octets[rows, places] = found[begins.ravel()[rows] + within]
    return octets.view(np.int64).reshape(len(payloads), -1)
