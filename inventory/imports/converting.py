"""Reads dates and numbers as people write them, and only in the way a column map says: nothing is guessed."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

_MONTHS = {
    month: number
    for number, names in enumerate(
        (
            "januari january jan",
            "februari february pebruari feb",
            "maret march mar",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "agustus august agu agt ags aug",
            "september sep sept",
            "oktober october okt oct",
            "november nopember nov nop",
            "desember december des dec",
        ),
        1,
    )
    for month in names.split()
}
_DATE = re.compile(
    r"(\d{1,4})[-/. ]\s*(\d{1,2}|[A-Za-z]{3,9})\.?[-/. ]\s*(\d{1,4})(?:[ T,]\s*(\d{1,2}[:.]\d{2}.*))?"
)
_MONEY = re.compile(r"(?i)^(?:rp\.?|idr)\s*|,-$|\s*%$")
_ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
_NUMBERS = {
    "id": re.compile(r"(-?)(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?"),
    "en": re.compile(r"(-?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?"),
}
_YEAR = re.compile(r"(?:19|20)\d\d")
EXAMPLES = {
    "dmy": "31/12/2026 or 31 Desember 2026",
    "mdy": "12/31/2026",
    "ymd": "2026-12-31",
    "id": "Rp 1.250.000,00",
    "en": "1,250,000.00",
    "year": "2023",
}


class NotSoWrittenError(ValueError):
    """A cell is not written as its format says; the text is a phrase that completes 'the cell …'."""


def day(text: str, order: str) -> str:
    """Return a date as ISO 8601 text, with its time if it has one; `order` is dmy, mdy or ymd.

    The month may be a word, Indonesian or English; a date of ISO 8601 is read whatever the order, because it can
    mean nothing else. Years have four digits. Raises NotSoWrittenError.
    """
    match = _DATE.fullmatch(text.strip())
    if not match:
        raise _not_so(text, order)
    parts = match.groups()[:3]
    year, month, number = (parts[i] for i in (_ORDERS["ymd"] if len(parts[0]) == 4 else _ORDERS[order]))
    if not month.isdigit() or len(year) != 4 or not number.isdigit():
        named = _MONTHS.get(month.lower(), 0)
        if not named or len(year) != 4 or not number.isdigit():
            raise _not_so(text, order)
        month = str(named)
    try:
        found = date(int(year), int(month), int(number)).isoformat()
    except ValueError:
        raise _not_so(text, order) from None
    return f"{found} {match[4].replace('.', ':')}" if match[4] else found


def number(text: str, style: str) -> str:
    """Return a number as plain text, such as 1250000 or 99.5; `style` is id (1.250.000,00) or en (1,250,000.00).

    Rp, IDR, a closing ,- and a percent sign fall away, and decimals that are zero. Raises NotSoWrittenError.
    """
    plain = _MONEY.sub("", _MONEY.sub("", text.strip())).replace("\u00a0", " ").strip()
    match = _NUMBERS[style].fullmatch(plain)
    if not match:
        raise _not_so(text, style)
    whole = re.sub(r"[.,]", "", match[2])
    part = (match[3] or "").rstrip("0")
    return f"{match[1]}{whole}.{part}" if part else f"{match[1]}{whole}"


def year(text: str, _: str = "year") -> str:
    """Return 1 January of a year: what the official books know of a purchase. Raises NotSoWrittenError."""
    plain = text.strip().removesuffix(".0")
    if not _YEAR.fullmatch(plain):
        raise _not_so(text, "year")
    return f"{plain}-01-01"


def _not_so(text: str, form: str) -> NotSoWrittenError:
    return NotSoWrittenError(f"is '{text.strip()[:40]}', not written as {form} says ({EXAMPLES[form]})")


_READERS: Mapping[str, Callable[[str, str], str]] = {
    **dict.fromkeys(_ORDERS, day),
    **dict.fromkeys(_NUMBERS, number),
    "year": year,
}
FORMS = tuple(_READERS)


def converted(cell: Any, form: str) -> Any:
    """Return a cell as its form reads it; what a spreadsheet holds as a number or a date already stays so.

    A year is a number there and no date yet. Raises NotSoWrittenError.
    """
    if form == "year" and isinstance(cell, (int, float)):
        cell = str(cell)
    if not isinstance(cell, str) or not cell.strip():
        return cell
    return _READERS[form](cell, form)
