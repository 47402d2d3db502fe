"""An event loop whose time jumps to what is due next as soon as nothing is under way: a day takes seconds.

Sockets and files are real. Time passes only by waiting, and what would be done in a thread is done at once: so what
happens is the same each time, to the millisecond, however busy the machine is.
"""

import asyncio
import selectors
from asyncio import Future
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any


class _Jumping(selectors.DefaultSelector):
    """Does not wait: the time that would be waited for comes at once."""

    loop: "FakeClock"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        assert timeout is not None, "everybody waits, and nothing is due"
        self.loop.pass_by(timeout)
        return []


class FakeClock(asyncio.SelectorEventLoop):
    """The loop. `now` is the clock that it tells, which begins at `begin`; `step` sets it forward or back."""

    def __init__(self, begin: datetime) -> None:
        self._passed_s = 0.0
        self._clock = begin.astimezone(UTC)
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self._passed_s

    def now(self) -> datetime:
        return self._clock + timedelta(seconds=self._passed_s)

    def step(self, seconds: float) -> None:
        self._clock += timedelta(seconds=seconds)

    def pass_by(self, seconds: float) -> None:
        # A little more than was asked for: a sum of floats that falls short of what is due would never come to it.
        self._passed_s += max(seconds, 0.0) + 1e-9

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Do the work now: what blocks takes no time here, and nobody else has a turn meanwhile."""
        future: Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for whoever waits
            future.set_exception(error)
        return future
