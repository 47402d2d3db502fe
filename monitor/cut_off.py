"""What cuts a sweep off: Ctrl-C or SIGTERM. The first ends the asking; no other ends the keeping of what was found."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


class CutOff:
    """Whether a signal `came`, and what it ends while something is run."""

    def __init__(self) -> None:
        self.came = False
        self._end: Callable[[], object] | None = None

    def take(self, *_: object) -> None:
        """Take a signal in; all but the first change nothing."""
        if not self.came and self._end is not None:
            self._end()
        self.came = True

    def run(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run work until it ends or a signal comes, and tell whether it came to its end."""
        try:
            asyncio.run(self._until_cut_off(work))
        except (asyncio.CancelledError, KeyboardInterrupt):
            return False
        return True

    async def _until_cut_off(self, work: Coroutine[Any, Any, None]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        # What a handler calls wakes no loop that waits for its sockets, unless it is told as from another thread.
        self._end = lambda: loop.call_soon_threadsafe(task.cancel)
        if self.came:
            task.cancel()
        try:
            await work
        finally:
            self._end = None


@contextmanager
def cut_off() -> Iterator[CutOff]:
    """Take over the signals that end a program, as far as they are not ignored and this is the main thread."""
    one = CutOff()
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        before = {n: handler for n, handler in before.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, one.take)
    try:
        yield one
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
