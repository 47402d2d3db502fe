"""The message of Prometheus remote write 1.0, a WriteRequest in Protocol Buffers, packed with Snappy. Pure.

WriteRequest {1: TimeSeries*}, TimeSeries {1: Label*, 2: Sample*}, Label {1: name, 2: value},
Sample {1: double, 2: int64 milliseconds}. Labels by name, samples by time.
Source: prometheus.io/docs/specs/prw/remote_write_spec.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from monitor.out.families import Labels
from monitor.out.snappy import Block
from monitor.out.varint import varint

_SAMPLE = 18  # octets: tag, length, tag, double, tag, six octets of time
_TIMES = 7 * np.arange(6)


@dataclass(frozen=True, slots=True)
class Series:
    """One series to be sent: its name and its other labels as octets, its samples, how many, and what it is called."""

    name: bytes
    rest: bytes
    samples: bytes
    count: int
    what: tuple[str, Labels]

    def __str__(self) -> str:
        """Return it as PromQL would name it."""
        return self.what[0] + "{" + ", ".join(f"{k}='{v}'" for k, v in self.what[1]) + "}"


def series(called: str, rest: Labels) -> Series:
    """Return a series without samples yet."""
    return Series(name(called), labels(rest), b"", 0, (called, rest))


@cache
def name(called: str) -> bytes:
    """Return the label that is a series' name; there are some dozens of names."""
    return labels((("__name__", called),))


def halves(batch: Sequence[Series]) -> tuple[list[Series], list[Series]] | None:
    """Return a batch in two: by series, and one series by its samples; None of a single sample."""
    middle = len(batch) // 2
    if middle:
        return list(batch[:middle]), list(batch[middle:])
    one = batch[0]
    half = one.count // 2
    if not half:
        return None
    first = replace(one, samples=one.samples[: half * _SAMPLE], count=half)
    return [first], [replace(one, samples=one.samples[half * _SAMPLE :], count=one.count - half)]


def labels(pairs: Labels) -> bytes:
    """Return labels as fields of a TimeSeries."""
    return b"".join(_field(1, _field(1, k.encode()) + _field(2, v.encode())) for k, v in pairs)


def samples(at_ms: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return columns × (n × 18) octets: the samples of each column, one after another.

    Times between 1970 and 2109 always have six octets; those that would do with five are padded.
    """
    columns, count = values.shape
    found = np.empty((columns, count, _SAMPLE), np.uint8)
    found[..., :3] = (0x12, _SAMPLE - 2, 0x09)
    found[..., 3:11] = np.ascontiguousarray(values, "<f8")[..., None].view(np.uint8)
    found[..., 11] = 0x10
    found[..., 12:] = (at_ms[:, None] >> _TIMES) & 0x7F
    found[..., 12:17] |= 0x80
    return found.reshape(columns, count * _SAMPLE)


def body(batch: Sequence[Series]) -> bytes:
    """Return a whole WriteRequest, compressed."""
    block = Block()
    for one in batch:
        length = len(one.name) + len(one.rest) + len(one.samples)
        block.literal(b"\x0a" + varint(length))
        block.again(one.name)
        block.again(one.rest)
        block.literal(one.samples)
    return block.done()


def _field(number: int, octets: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + varint(len(octets)) + octets
