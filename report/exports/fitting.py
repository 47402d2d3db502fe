"""Text that fits where it is printed: as the font knows it, with places to break where a word is too wide."""

import re
from functools import lru_cache

from report.glyphs import printable
from siaga.text import safe

LIMIT = 500
POINTS_PER_MM = 72 / 25.4
# Roughly how wide Inter's characters are, in ems, a little on the safe side; the rest is the middle one.
_NARROW, _WIDE = frozenset("ijlI.,:;'|!/()[] "), frozenset("WMm@%&□—…")
_BREAKS = re.compile(r"([/_:@+\-.,|](?=.)|[^/_:@+\-.,|\u200b]{8}(?=.))")


@lru_cache(maxsize=50_000)
def soft(text: str, room_em: float) -> str:
    """Return text as the font can print it; words wider than `room_em` get places to break (U+200B).

    No others: what is copied from the PDF, or searched for in it, is to be what was written.
    """
    words = printable(text, LIMIT).split(" ")
    return " ".join(w if wide(w) <= room_em else _BREAKS.sub("\\1\u200b", w) for w in words)


def lacking(text: str) -> bool:
    """Tell whether the font lacks a character of a text, such as Arabic or an emoji, so that a box is printed."""
    return not text.isascii() and printable(text, LIMIT) != safe(text, LIMIT)


def wide(word: str) -> float:
    """Return roughly how wide a word is, in ems."""
    return sum(map(_em, word))


def _em(char: str) -> float:
    if char in _NARROW:
        return 0.33
    if char in _WIDE:
        return 0.95
    return 0.7 if char.isupper() else 0.63


def room_em(width_mm: float, size_pt: float, inset_pt: float = 0) -> float:
    """Return how many ems of text of a size stand side by side between two insets."""
    return (width_mm * POINTS_PER_MM - 2 * inset_pt) / size_pt
