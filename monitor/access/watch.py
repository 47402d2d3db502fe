"""Takes the logins that devices tell of to where they are judged: a batch at a time, the same one once.

It has the shape of the sink of events: `event` is called for each and costs nothing, `flush` writes in a thread, so
that a locked database holds up nobody. What cannot be written waits, within a bound.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from inventory.store import session
from monitor.access.judge import Login
from monitor.access.store import take
from monitor.listen.event import Event, Kind
from siaga.clock import JAKARTA
from siaga.errors import SiagaError

MOST_WAITING = 5000


def login_of(event: Event) -> Login | None:
    """Return the login that an event tells of; None if it tells of none, or nobody knows where or whose."""
    details = dict(event.details)
    if event.kind is not Kind.login or event.device_id is None or not details.get("user"):
        return None
    return Login(
        event.device_id, event.device, details["user"], details.get("from", ""), event.at, event.text
    )


class LoginSink:
    """Where the receiver brings events; those that are logins wait for the next flush."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], zone: str = JAKARTA) -> None:
        self.lost = 0
        self.problem = ""
        self._engine, self._now, self._zone = engine, now, zone
        self._waiting: dict[tuple[int, str, str], Login] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def event(self, event: Event) -> None:
        """Take an event; of the same user at the same device from the same place the newest waits."""
        login = login_of(event)
        if login is None:
            return
        key = (login.device_id, login.user, login.source)
        if key in self._waiting or len(self._waiting) < MOST_WAITING:
            self._waiting[key] = login
        else:
            self.lost += 1

    async def flush(self) -> bool:
        """Judge and write what waits; tell whether that went well."""
        if not self._waiting:
            return True
        waiting, self._waiting = self._waiting, {}
        try:
            await asyncio.to_thread(self._taken, list(waiting.values()))
        except SiagaError as error:
            self.problem = error.sentence
            self._waiting = {**waiting, **self._waiting}
            return False
        self.problem = ""
        return True

    def _taken(self, logins: list[Login]) -> None:
        with session(self._engine) as writing:
            take(writing, logins, self._now(), self._zone)
