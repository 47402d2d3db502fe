"""Is it the whole configuration? A device that is cut off, refuses, or pages may not be believed. Pure."""

from collections.abc import Sequence

from inventory.platform_format import Config
from siaga.expressions import linear
from siaga.text import safe

_FIRST = 40
_FEWEST = 3
SHRUNK = 0.5  # of what it was: what is less is read again before it is believed


def refusal(lines: Sequence[str], config: Config) -> str:
    """Return what the device says instead of a configuration, or ''."""
    if not config.refused:
        return ""
    said = linear(config.refused)
    return next((safe(line.strip(), 80) for line in lines[:6] if said.search(line)), "")


def lacking(lines: Sequence[str], config: Config) -> str:
    """Return why this cannot be the whole of it, as the end of a sentence, or ''."""
    there = list(filter(str.strip, lines))
    if len(there) < _FEWEST:
        return "it has next to no lines"
    if config.begins and not any(map(linear(config.begins).search, there[:_FIRST])):
        return f"it does not begin as a configuration does, but with '{safe(there[0].strip(), 60)}'"
    if config.ends and not linear(config.ends).search(there[-1]):
        return f"it is cut short: its last line is '{safe(there[-1].strip(), 60)}'"
    return ""


def shrunk(lines: int, before: int) -> bool:
    """Tell whether so much is missing beside the last one that it must be read again."""
    return lines < before * SHRUNK
