"""Time: aware UTC inside, Asia/Jakarta where a person reads it."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from siaga.errors import UsageError
from siaga.text import safe

JAKARTA = "Asia/Jakarta"


def utc_now() -> datetime:
    """Return the current time as aware UTC. Only commands and services call this; all else takes `now`."""
    return datetime.now(UTC)


def as_utc(at: datetime) -> datetime:
    """Return `at` as aware UTC; a naive time, as SQLite gives it back, is taken to be UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def moment(text: str, now: datetime, zone: str = JAKARTA, relative: str = "ago") -> datetime:
    """Return the moment meant: 2026-08-01, '2026-08-01 10:00' (in `zone` unless it says its own), or 2h, 3d ago.

    Raises UsageError (`bad-time`), which says what 2h is: `relative`.
    """
    ago = re.fullmatch(r"-?([0-9]{1,6})([smhdw])(?: ago)?", text.strip())
    try:
        if ago:
            return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        found = datetime.fromisoformat(text.strip())
        return as_utc(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)))
    except OverflowError:
        raise UsageError(
            "bad-time", f"'{safe(text, 40)}' is before the first year or after the last."
        ) from None
    except ValueError:
        raise UsageError(
            "bad-time",
            f"'{safe(text, 40)}' is no time: write 2026-08-01, '2026-08-01 10:00' or 2h, 3d ({relative}).",
        ) from None


def span(since: str, until: str, now: datetime, zone: str = JAKARTA) -> tuple[datetime, datetime]:
    """Return the window that two options mean: until '' is now, and the time to come is no part of it.

    Raises UsageError (`bad-time`, `empty-window`).
    """
    end = moment(until, now, zone) if until else now
    start = moment(since, end, zone)
    if start >= end:
        sentence = f"The window is empty: it begins {shown(start, zone)} and ends {shown(end, zone)}."
        raise UsageError("empty-window", sentence)
    if start >= now:
        sentence = f"The window is still to come: it begins {shown(start, zone)}."
        raise UsageError("empty-window", sentence)
    return start, min(end, now)


def ahead(text: str, now: datetime, zone: str = JAKARTA) -> datetime:
    """Return the moment meant that is still to come: 2h, 3d (from now), 2026-08-01, '2026-08-01 10:00'.

    Raises UsageError (`bad-time`), also for a moment that is past.
    """
    from_now = re.fullmatch(r"\+?([0-9]{1,6})([smhdw])", text.strip())
    try:
        found = (
            now + timedelta(seconds=int(from_now[1]) * _UNITS[from_now[2]])
            if from_now
            else moment(text, now, zone, "from now")
        )
    except OverflowError:
        raise UsageError("bad-time", f"'{safe(text, 40)}' is after the last year.") from None
    if found <= now:
        raise UsageError(
            "bad-time", f"'{safe(text, 40)}' is past: write 2h, 3d (from now) or a time to come."
        )
    return found


def shown(at: datetime | None, zone: str = JAKARTA) -> str:
    """Return `at` in ISO 8601 with the zone's offset, to the second; empty if there is no time."""
    return "" if at is None else as_utc(at).astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def retry_after_s(said: str, now: datetime) -> float:
    """Return what Retry-After asks for, in seconds or as a date (RFC 9110, 10.2.3): 0 to 3600; 0 for anything else."""
    from email.utils import parsedate_to_datetime  # ten times as dear as this module

    if said.isascii() and said.isdigit():
        return float(min(int(said[:9]), 3600))
    try:
        return min(max((as_utc(parsedate_to_datetime(said)) - now).total_seconds(), 0.0), 3600.0)
    except (ValueError, OverflowError):
        return 0.0
