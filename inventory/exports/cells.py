"""Text in cells that no spreadsheet takes for a formula, and that comes back exactly as it was (OWASP, CSV Injection).

A text that begins with = + - @, a tab or a carriage return gets an apostrophe in front; so does one that would
look like that afterwards. `restored` takes exactly one away again, so that nothing is lost on the way.
"""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from siaga.clock import JAKARTA

FORMULA_STARTS = "=+-@\t\r"
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_ZONE = ZoneInfo(JAKARTA)


def guarded(text: str) -> str:
    """Return a text as it may stand in a CSV cell."""
    first = text[:1]
    if first and (first in FORMULA_STARTS or (first == "'" and _GUARDED.match(text))):
        return "'" + text
    return text


def restored(cell: str) -> str:
    """Return the text that `guarded` made this cell of."""
    return cell[1:] if cell[:1] == "'" and _GUARDED.match(cell) else cell


def local(at: datetime) -> datetime:
    """Return an aware time in the regency's zone."""
    return at.astimezone(_ZONE)


def moment(at: datetime) -> str:
    """Return a time exactly, in the regency's zone: 2026-11-24T10:00:00+07:00."""
    return local(at).isoformat()


def packed(value: Any) -> str:
    """Return a list or a mapping as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)


def text(value: Any) -> str:
    """Return a value of any kind as the text of a CSV cell; numbers stay numbers, nothing is an empty cell."""
    if isinstance(value, str):
        return guarded(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return repr(value)
    return _TEXTS.get(type(value), packed)(value)


_TEXTS: dict[type, Callable[[Any], str]] = {date: date.isoformat, datetime: moment}
