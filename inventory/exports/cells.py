"""Values as the texts of cells: numbers stay numbers, and no text can be taken for a formula (siaga.formulas)."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from siaga.clock import JAKARTA
from siaga.formulas import FORMULA_STARTS as FORMULA_STARTS
from siaga.formulas import guarded

_ZONE = ZoneInfo(JAKARTA)


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
