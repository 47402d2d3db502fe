"""The number of a BAST: which one comes next, from those there are. Pure; the caller holds the write lock."""

import re
from collections.abc import Iterable
from datetime import date
from string import Formatter

from siaga.errors import InvalidError
from siaga.settings import Custody

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_PARTS = {
    "n": r"(?P<n>\d{1,9})",
    "unit": r".+",
    "month": r"[IVX]{1,4}",
    "year": r"(?P<year>\d{4})",
}


def next_number(custody: Custody, dated: date, known: Iterable[str]) -> str:
    """Return the number after the highest one of the year of `dated`; the first of a year is one.

    Numbers of another form (imported, or from before the form was changed) are not counted, but never given
    twice. Raises InvalidError (`bad-settings`) for a form that cannot number.
    """
    taken = set(known)
    matcher = _matcher(custody.number)
    matches = (matcher.fullmatch(name) for name in taken)
    used = [int(m["n"]) for m in matches if m and int(m["year"]) == dated.year]
    n = max(used, default=0) + 1
    while (name := formatted(custody, n, dated)) in taken:
        n += 1
    return name


def formatted(custody: Custody, n: int, dated: date) -> str:
    """Return the n-th number of a year as it is written."""
    return custody.number.format(n=n, unit=custody.unit, month=_ROMAN[dated.month - 1], year=dated.year)


def _matcher(form: str) -> re.Pattern[str]:
    """Return what reads numbers of this form. Raises InvalidError (`bad-settings`)."""
    pattern, seen = "", []
    for literal, name, spec, conversion in _parsed(form):
        pattern += re.escape(literal)
        if name is None:
            continue
        if name not in _PARTS or conversion or (spec and not (name == "n" and re.fullmatch(r"0?\d", spec))):
            raise _refused(form, f"'{name}' cannot stand in braces so")
        pattern += _PARTS[name]
        seen.append(name)
    for needed in ("n", "year"):
        if seen.count(needed) != 1:
            raise _refused(form, f"{{{needed}}} must stand in it once")
    return re.compile(pattern)


def _parsed(form: str) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(Formatter().parse(form))
    except ValueError as error:
        raise _refused(form, str(error)) from None


def _refused(form: str, why: str) -> InvalidError:
    return InvalidError("bad-settings", f"custody.number '{form}' cannot number a BAST: {why}.")
