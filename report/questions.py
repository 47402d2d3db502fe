"""The one question that measures ask, and the period they ask it for.

Two things answer it: the database of record with its samples (`report.asked`), and a snapshot of what these said
(`report.snapshot`). That they give the same report is what `siaga report verify` proves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from siaga.clock import JAKARTA

Fact = TypeVar("Fact")


@dataclass(frozen=True)
class Period:
    """From `since` (inclusive) to `until` (exclusive), aware UTC; days and months are those of `zone`."""

    since: datetime
    until: datetime
    zone: str = JAKARTA

    @property
    def ms(self) -> int:
        """How long it is."""
        return round((self.until - self.since).total_seconds() * 1000)

    @property
    def last_day(self) -> date:
        """The last day of the period: ages are counted to its end."""
        return (self.until - timedelta(microseconds=1)).astimezone(ZoneInfo(self.zone)).date()

    def days(self) -> Iterator[tuple[date, datetime, datetime]]:
        """Yield the days of the period with when each begins and ends in it."""
        zone = ZoneInfo(self.zone)
        day = self.since.astimezone(zone).date()
        while day <= self.last_day:
            begins = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
            following = day + timedelta(days=1)
            ends = datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)
            yield day, max(begins, self.since), min(ends, self.until)
            day = following


class Questions(Protocol):
    """What answers for one period."""

    @property
    def period(self) -> Period:
        """The period that is answered for."""

    def every(self, kind: type[Fact]) -> tuple[Fact, ...] | None:
        """Return every fact of a kind (see report.records), by name; None where nobody keeps such facts: not known."""


@dataclass(frozen=True, eq=False)
class Told:
    """Answers from facts at hand: those of a snapshot, or of a test. One is another one, whatever it answers."""

    period: Period
    facts: dict[type, tuple[object, ...] | None]

    def every(self, kind: type[Fact]) -> tuple[Fact, ...] | None:
        """Return the facts of a kind; a kind that was not answered is not known."""
        return self.facts.get(kind)  # type: ignore[return-value]
