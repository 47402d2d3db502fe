"""Facts at hand for measures: October 2026 in Jakarta, and short ways to write lines and days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from report.questions import Period, Told
from report.records import Away, Contract, Day, Line

SINCE = datetime(2026, 9, 30, 17, tzinfo=UTC)
UNTIL = datetime(2026, 10, 31, 17, tzinfo=UTC)
PERIOD = Period(SINCE, UNTIL)
LAST = date(2026, 10, 31)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MONTH_MS = 31 * DAY_MS


def told(*facts: object, period: Period = PERIOD, **unknown: Any) -> Told:
    """Answer with these facts; a kind of which none is given is not known."""
    kinds: dict[type, tuple[object, ...] | None] = {}
    for fact in facts:
        kinds[type(fact)] = (*(kinds.get(type(fact)) or ()), fact)
    return Told(period, kinds)


def day(line: str, up_ms: int = DAY_MS, observed_ms: int = DAY_MS, on: date = date(2026, 10, 5)) -> Day:
    """A day of a line."""
    return Day(line, on, DAY_MS, observed_ms, up_ms)


def away(line: str, minutes: int, cause: str = "link", *, start_h: int = 0, **more: Any) -> Away:
    """A time away on 5 October."""
    start = datetime(2026, 10, 5, tzinfo=UTC) + timedelta(hours=start_h)
    return Away(line, start, start + timedelta(minutes=minutes), cause, **more)


def bought(name: str, agency: str = "", **more: Any) -> Line:
    """A line under the contract K/1."""
    return Line(name, agency=agency, contract="K/1", down_bps=50_000_000, up_bps=50_000_000, **more)


def contract(**more: Any) -> Contract:
    """The contract K/1: 99 %, claims after 300 s."""
    return Contract("K/1", "isp", sla_pct=99.0, claim_after_s=300, **more)
