"""Which characters the shipped font can print. What it cannot print is shown as a box, never borrowed.

PDF/UA-1 refuses text without glyphs, and a device may be called anything; the raw text stays in the JSON.
"""

import struct
from functools import cache
from pathlib import Path

from siaga.errors import SiagaError
from siaga.text import safe

FONTS = Path(__file__).parent / "fonts"
FACES = ("Inter-Regular.otf", "Inter-SemiBold.otf", "Inter-Bold.otf")
BOX = "□"


def printable(text: str, limit: int = 120) -> str:
    """Return `text` on one line, bounded, with a box for every character the font lacks."""
    known = covered()
    return "".join(c if ord(c) in known else BOX for c in safe(text, limit))


@cache
def covered() -> frozenset[int]:
    """Return the code points in the font's character map (OpenType `cmap`, subtable format 12 or 4).

    Raises SiagaError (`no-font`) where a font that the report is set in is not there.
    """
    lacking = [name for name in FACES if not (FONTS / name).is_file()]
    if lacking:
        sentence = f"The report's font is not there ({', '.join(lacking)} in {FONTS}): install siaga again."
        raise SiagaError("no-font", sentence)
    data = (FONTS / FACES[0]).read_bytes()
    start = _table(data, b"cmap")
    count = struct.unpack_from(">H", data, start + 2)[0]
    offsets = [struct.unpack_from(">HHI", data, start + 4 + 8 * i)[2] for i in range(count)]
    points: set[int] = set()
    for offset in offsets:
        points |= _points(data, start + offset)
    return frozenset(points)


def _table(data: bytes, tag: bytes) -> int:
    count = struct.unpack_from(">H", data, 4)[0]
    for i in range(count):
        name, _, offset, _ = struct.unpack_from(">4sIII", data, 12 + 16 * i)
        if name == tag:
            return int(offset)
    raise ValueError(f"the font has no table {tag!r}")


def _points(data: bytes, at: int) -> set[int]:
    form = struct.unpack_from(">H", data, at)[0]
    if form == 12:
        groups = struct.unpack_from(">I", data, at + 12)[0]
        spans = [struct.unpack_from(">III", data, at + 16 + 12 * i)[:2] for i in range(groups)]
        return {point for first, last in spans for point in range(first, last + 1)}
    if form == 4:
        doubled = struct.unpack_from(">H", data, at + 6)[0]
        ends = struct.unpack_from(f">{doubled // 2}H", data, at + 14)
        starts = struct.unpack_from(f">{doubled // 2}H", data, at + 16 + doubled)
        return {
            p
            for first, last in zip(starts, ends, strict=True)
            if first != 0xFFFF
            for p in range(first, last + 1)
        }
    return set()
