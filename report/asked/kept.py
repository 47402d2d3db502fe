"""Answers the one question from the database and the samples: each kind read once, its facts in one order."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from inventory.store import open_engine, reading
from monitor.samples import open_samples
from report.asked import (
    apps,
    equipment,
    guarded,
    network,
    papers,
    provisioning,
    raw,
    rooms,
    traffic,
    watching,
    zones,
)
from report.asked.source import Source
from report.questions import Fact, Period
from report.rubric import Limits
from siaga.settings import Settings

Reader = Callable[[Source], Iterable[Any] | None]
_ROOMS = (network, watching, traffic, raw, equipment, rooms, apps, papers, provisioning, guarded, zones)
READERS: Mapping[type, Reader] = {k: reader for room in _ROOMS for k, reader in room.ANSWERS.items()}


class Kept:
    """What an installation knows of a period. It answers for as long as its source is open."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._answers: dict[type, tuple[Any, ...] | None] = {}

    @property
    def period(self) -> Period:
        """The period that is answered for."""
        return self.source.period

    def every(self, kind: type[Fact]) -> tuple[Fact, ...] | None:
        """Return every fact of a kind, read when it is asked for first; None where nobody keeps such facts."""
        if kind not in self._answers:
            found = READERS[kind](self.source)
            self._answers[kind] = None if found is None else tuple(found)
        return self._answers[kind]


@contextmanager
def kept(
    settings: Settings, period: Period, limits: Limits, *, filed: frozenset[date] | None = None
) -> Iterator[Kept]:
    """Open what an installation knows of a period. Raises what the stores raise.

    `filed`: the days whose raw samples are told by their file; by default those that have one now.
    """
    with reading(open_engine(settings)) as session, open_samples(settings.home) as samples:
        hold_s = 3.0 * settings.poll.interval_s
        yield Kept(Source(session, samples, period, limits, hold_s, settings.home, filed))
