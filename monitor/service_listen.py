"""Traps and syslog inside the service: the receiver with its sockets, events kept, wishes handed on."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from sqlalchemy import Engine

from inventory.store import reading, session
from monitor.access.watch import LoginSink
from monitor.listen.event import Event, Wish
from monitor.listen.keep import EventSink, trim
from monitor.listen.ready import ready
from monitor.listen.receiver import Receiver
from monitor.listen.sockets import opened
from monitor.listen.store import known_sources
from monitor.rereading import Problems
from monitor.samples import HEARD, SKEW, Poll, Sample, polls_of
from siaga.clock import utc_now
from siaga.errors import SiagaError
from siaga.settings import Settings
from siaga.text import safe

Say = Callable[[str], None]


class Listening:
    """The receiver of the service. What cannot be opened is a problem, and no end; then nothing comes."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        look: Callable[[int], None],
        say: Say,
        problems: Problems,
    ) -> None:
        self.settings = settings
        self.sink = EventSink(engine, say)
        self.logins = LoginSink(engine, utc_now, settings.timezone)
        self._engine, self._look, self._say, self._problems = engine, look, say, problems
        self._receiver: Receiver | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """What came and what became of it."""
        own = Counter({"login.lost": self.logins.lost})
        return Counter(self._receiver.tally if self._receiver else {}) + self.sink.tally + own

    async def open(self, stack: AsyncExitStack) -> None:
        """Receive until the stack ends."""
        try:
            receiver = ready(self._engine, self.settings, self.settings.listen, self._event, self._wish)
            await stack.enter_async_context(opened(receiver, self.settings.listen))
        except SiagaError as error:
            self._problems["listen"] = error.sentence
            self._say(error.sentence)
            return
        self._receiver = receiver
        stack.callback(receiver.keep)

    async def flush(self) -> bool:
        """Write the events that wait, and judge the logins among them; tell whether both went well."""
        kept = await self.sink.flush()
        judged = await self.logins.flush()
        self._problems["logins"] = self.logins.problem
        return judged and kept

    def renew(self) -> None:
        """Know the devices by the addresses and names that they have now. Raises what reading raises."""
        if self._receiver is not None:
            with reading(self._engine) as opened_:
                self._receiver.sources = known_sources(opened_, [str(r) for r in self.settings.listen.relays])

    def keep(self) -> None:
        """Write what must outlive this process."""
        if self._receiver is not None:
            self._receiver.keep()

    def heard(self, at: datetime) -> list[Poll]:
        """Return as samples how many messages each device sent since this was asked last, and how its clock was."""
        if self._receiver is None:
            return []
        heard, skews = self._receiver.take_heard(), self._receiver.take_skews()
        counted = [Sample(device, HEARD, "", at, count) for device, count in heard.items()]
        return polls_of([*counted, *(Sample(device, SKEW, "", at, ms) for device, ms in skews.items())])

    async def trim(self) -> None:
        """Remove old events."""
        if not self.settings.monitor.listen:
            return
        try:
            await asyncio.to_thread(self._trim)
        except SiagaError as error:
            self._problems["events"] = error.sentence
        else:
            self._problems.pop("events", None)

    def _trim(self) -> None:
        with session(self._engine) as writing:
            trim(writing, utc_now() - timedelta(days=self.settings.listen.keep_days))

    def _event(self, event: Event) -> None:
        whose = event.device or event.source
        self._say(f"{event.channel} from {whose}: {event.kind.value}: {safe(event.text, 200)}")
        self.sink.event(event)
        self.logins.event(event)

    def _wish(self, one: Wish) -> None:
        if one.what == "poll":
            self._look(one.device_id)
        else:
            self.sink.wish(one)
