"""The period of a report: a month, quarter, half or year of the regency's time, or a length before its end."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from siaga.errors import UsageError
from siaga.text import safe

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MONTHS = {"Q": 3, "S": 6}  # quarter, half (semester)


@dataclass(frozen=True)
class Period:
    """From when to when (aware UTC), and its name: 2026-10, 2026-Q4, 2026, or the two days."""

    since: datetime
    until: datetime
    label: str


def named(text: str, zone: str) -> Period:
    """Return the period meant by 2026, 2026-10, 2026-Q4 or 2026-S1. Raises UsageError (`bad-period`)."""
    found = re.fullmatch(r"(\d{4})(?:-(?:(\d{2})|([QS])([1-4])))?", text.strip().upper())
    if not found or not 1 < int(found[1]) < 9998:
        raise _bad(text)
    year, month, letter, number = int(found[1]), found[2], found[3], found[4]
    if month:
        first, many = int(month), 1
    elif letter:
        many = _MONTHS[letter]
        first = (int(number) - 1) * many + 1
    else:
        first, many = 1, 12
    if not 1 <= first <= 12:
        raise _bad(text)
    last = first + many
    start, end = _first(year, first, zone), _first(year + (last - 1) // 12, (last - 1) % 12 + 1, zone)
    return Period(start, end, text.strip().upper())


def _bad(text: str) -> UsageError:
    return UsageError(
        "bad-period", f"'{safe(text, 40)}' is no period: write 2026-10, 2026-Q4, 2026-S2 or 2026."
    )


def _first(year: int, month: int, zone: str) -> datetime:
    return datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def of(period: str, since: str, at: str, now: datetime, zone: str) -> Period:
    """Return what was asked for: a named period as far as it has come, or a window that ends at `at`.

    Raises UsageError (`bad-period`, `bad-time`, `empty-window`).
    """
    if period:
        whole = named(period, zone)
        if whole.since >= now:
            raise UsageError(
                "empty-window", f"The period {whole.label} has not begun: it begins {whole.since}."
            )
        return Period(whole.since, min(whole.until, now), whole.label)
    until = moment(at, now, zone) if at else now
    begin = moment(since, until, zone)
    if begin >= until:
        raise UsageError("empty-window", f"The window is empty: it begins {begin} and ends {until}.")
    return Period(begin, until, label(begin, until, zone))


def label(since: datetime, until: datetime, zone: str) -> str:
    """Return the name of a window: a month or quarter if it is one, else its two days."""
    start, end = since.astimezone(ZoneInfo(zone)), until.astimezone(ZoneInfo(zone))
    for many, shape in ((1, "{y}-{m:02}"), (3, "{y}-Q{q}"), (12, "{y}")):
        quarter = (start.month - 1) // 3 + 1
        name = shape.format(y=start.year, m=start.month, q=quarter)
        whole = named(name, zone)
        if (whole.since, whole.until) == (since, until) and (start.month - 1) % many == 0:
            return name
    return f"{start:%Y-%m-%d}..{end:%Y-%m-%d}"


def before(period: str, zone: str) -> str:
    """Return the name of the month or quarter before a named one."""
    whole = named(period, zone)
    last = whole.since.astimezone(ZoneInfo(zone)) - timedelta(days=1)
    if "Q" in whole.label:
        return f"{last.year}-Q{(last.month - 1) // 3 + 1}"
    return f"{last:%Y-%m}" if len(whole.label) == 7 else str(last.year)


def last_month(now: datetime, zone: str) -> str:
    """Return the name of the last month that is over."""
    first = now.astimezone(ZoneInfo(zone)).replace(day=1)
    return f"{first - timedelta(days=1):%Y-%m}"


def day(text: str) -> date:
    """Return the day meant by 2026-11-03. Raises UsageError (`bad-time`)."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError("bad-time", f"'{safe(text, 40)}' is no day: write 2026-11-03.") from None


def moment(text: str, end: datetime, zone: str) -> datetime:
    """Return the time meant by `30d` (before `end`) or an ISO date or time (in `zone` unless it has one)."""
    back = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip())
    if back:
        return end - timedelta(**{_UNITS[back[2]]: int(back[1])})
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            "bad-time", f"'{safe(text, 40)}' is no time: write 30d, 12h, 45m, or 2026-11-23T07:00."
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
