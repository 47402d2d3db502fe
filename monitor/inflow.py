"""What comes of asking, on its way: into the samples first, then into states and alerts, batch after batch."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from monitor.alarms import News
from monitor.observation import Observation
from monitor.rules.subjects import Subject
from monitor.samples import Poll
from monitor.selfwatch import SelfWatch
from monitor.sinks import Judge, StoreSink
from monitor.state import Probe
from monitor.turns import Turns


class Events(Protocol):
    """What devices told of themselves, waiting to be written."""

    async def flush(self) -> bool:
        """Write what waits; tell whether that went well."""
        ...


class Inflow:
    """Takes what the tiers bring (tier_rim.Sink), and commits it. `events`: what devices told of themselves."""

    def __init__(
        self,
        store: StoreSink,
        judge: Judge,
        turns: Turns,
        watch: SelfWatch,
        at: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self.events: Events | None = None
        self._store, self._judge, self._turns, self._watch = store, judge, turns, watch
        self._at, self._now = at, now
        self._services: dict[str, Subject] = {}

    def store(self, polls: list[Poll]) -> None:
        """Take samples."""
        self._store.add(polls)

    def hear(self, device: int, news: News, whole: Observation | None = None) -> None:
        """Take news of a device."""
        self._judge.hear(device, news, whole)

    def served(self, subject: Subject) -> None:
        """Take what a check of a service brought."""
        self._services[subject.name] = subject

    def knocked(self, device: str, host_key: str) -> None:
        """Take how the host key of a device was at a login."""
        self._judge.knocked(device, host_key)

    def doubt(self, device: int) -> None:
        """A device did not answer: who is there is looked at now."""
        self._turns.ask(Probe(device, "it was silent"))

    def changed(self, device: int) -> None:
        """Interfaces have come or gone: they are read anew, now."""
        self._turns.read_now(device)

    async def commit(self) -> bool:
        """Write samples first: what is judged is on the disk. Tell whether states may have changed."""
        await self._store.flush()
        if self.events is not None:
            await self.events.flush()
        own = (self._watch.subject(self._at()), *self._services.values())
        if not (len(self._judge) or self._services or self._watch.time_to_judge(self._at())):
            return False
        self._services = {}
        taken = await self._judge.batch(own, self._now())
        if taken is None:
            self._services = {s.name: s for s in own[1:]} | self._services
            return False
        for probe in taken.asks:
            self._turns.ask(probe)
        return True

    async def finish(self) -> None:
        """Store and judge what is left."""
        await self._store.flush()
        if self.events is not None:
            await self.events.flush()
        await self._judge.batch((), self._now())
