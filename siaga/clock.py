"""Time: aware UTC inside, Asia/Jakarta where a person reads it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

JAKARTA = "Asia/Jakarta"


def utc_now() -> datetime:
    """Return the current time as aware UTC. Only commands and services call this; all else takes `now`."""
    return datetime.now(UTC)


def as_utc(at: datetime) -> datetime:
    """Return `at` as aware UTC; a naive time, as SQLite gives it back, is taken to be UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def shown(at: datetime | None, zone: str = JAKARTA) -> str:
    """Return `at` in ISO 8601 with the zone's offset, to the second; empty if there is no time."""
    return "" if at is None else as_utc(at).astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
