"""Servers that live in a loop of their own, for tests that are not written as coroutines."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

Given = TypeVar("Given")
_LONGEST_S = 30


class InLoop:
    """A loop in a thread; `enter` opens a server in it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._opened: list[AbstractAsyncContextManager[object]] = []

    def enter(self, server: AbstractAsyncContextManager[Given]) -> Given:
        """Open a server; it is closed when the loop ends."""
        given = asyncio.run_coroutine_threadsafe(server.__aenter__(), self._loop).result(_LONGEST_S)
        self._opened.append(server)
        return given

    def close(self) -> None:
        """Close the servers, the last one first."""
        for server in reversed(self._opened):
            asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), self._loop).result(
                _LONGEST_S
            )


@contextmanager
def in_loop() -> Iterator[InLoop]:
    """Give a loop that turns in a thread until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    own = InLoop(loop)
    try:
        yield own
    finally:
        own.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_LONGEST_S)
        loop.close()
