"""A contract's penalty rule, as it is written in `contract.penalty`, and what it makes of an outage. Pure, exact.

    prorata                       the monthly fee by the share of the month that is claimable
    5%/jam maks 50%               a percentage of the monthly fee for each claimable hour (menit, hari), at most 50 %
    <99.5:5%; <99:10%; <98:25%    a percentage of the monthly fee by the availability of the month; the last that holds

With `per sambungan` behind it the price is that of one connection; else the contract's connections share it equally.
The price is that of the whole term, so that a month costs its share of the term's whole months. Anything else is no
rule that siaga knows: it is quoted, and no sum is claimed.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

_EACH = re.compile(r"\s*,?\s*\bper[ -](sambungan|connection)\b\s*", re.IGNORECASE)
_NUMBER = r"(\d{1,3}(?:[.,]\d{1,6})?)\s*%"
_PER = re.compile(
    rf"{_NUMBER}\s*(?:/|per)\s*(menit|minute|jam|hour|hari|day)(?:\s*,?\s*(?:maks|max)\w*\.?\s*{_NUMBER})?",
    re.IGNORECASE,
)
_STEP = re.compile(rf"<\s*(\d{{1,3}}(?:[.,]\d{{1,6}})?)\s*%?\s*:\s*{_NUMBER}")
_SECONDS = {"menit": 60, "minute": 60, "jam": 3600, "hour": 3600, "hari": 86_400, "day": 86_400}


@dataclass(frozen=True)
class Rule:
    """A rule that can be computed. Shares are of the monthly fee; `steps`: (availability in percent, share)."""

    kind: str  # prorata, rate, steps
    share: Fraction = Fraction(0)
    unit_s: int = 1
    most: Fraction = Fraction(1)
    steps: tuple[tuple[Fraction, Fraction], ...] = ()
    per_line: bool = False


def rule(text: str) -> Rule | None:
    """Return the rule that a text means, or None if it is none that is known."""
    plain, each = _EACH.subn(" ", text.strip()[:500])
    plain, per_line = plain.strip().rstrip("."), each > 0
    if plain.casefold() in ("prorata", "pro rata", "pro-rata", "proporsional"):
        return Rule("prorata", per_line=per_line)
    if found := _PER.fullmatch(plain):
        most = _share(found[3]) if found[3] else Fraction(1)
        return Rule("rate", _share(found[1]), _SECONDS[found[2].casefold()], most, per_line=per_line)
    parts = [_STEP.fullmatch(p.strip()) for p in plain.split(";") if p.strip()]
    if parts and all(parts):
        steps = sorted(((_number(p[1]), _share(p[2])) for p in parts if p), reverse=True)
        return Rule("steps", steps=tuple(steps), per_line=per_line)
    return None


def _number(text: str) -> Fraction:
    return Fraction(text.replace(",", "."))


def _share(text: str) -> Fraction:
    return _number(text) / 100


def months(start: date, end: date) -> Fraction:
    """Return the length of a term, both days counted, in months: whole ones, and the rest by days of thirty."""
    if end < start:
        return Fraction(0)
    whole = (end.year - start.year) * 12 + end.month - start.month
    days = end.day - start.day + 1
    if _last_day(end) and start.day == 1:
        return Fraction(whole + 1)
    return Fraction(whole) + Fraction(days, 30)


def _last_day(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month


def monthly(price_idr: int | None, start: date | None, end: date | None) -> Fraction | None:
    """Return the fee of a month; None where the price or the term is not recorded."""
    if price_idr is None or start is None or end is None or (term := months(start, end)) <= 0:
        return None
    return Fraction(price_idr) / term


def amount(
    known: Rule, fee: Fraction, claimable_ms: int, window_ms: int, availability_pct: float | None
) -> Fraction:
    """Return what is due for one line: rupiah, exact, never more than its fee."""
    if known.kind == "steps":
        reached = Fraction(availability_pct) if availability_pct is not None else Fraction(100)
        shares = [share for limit, share in known.steps if reached < limit]
        part = shares[-1] if shares else Fraction(0)
    elif known.kind == "rate":
        part = min(known.most, known.share * Fraction(claimable_ms, known.unit_s * 1000))
    else:
        part = Fraction(claimable_ms, window_ms)
    return fee * min(part, Fraction(1))
