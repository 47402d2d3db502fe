"""One socket for a crowd: how fast small datagrams leave, and how what came is taken in before anyone is given up.

A burst that fills a site's link, a neighbour table or a buffer would look like silence of those who were asked.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

BURST = 32  # datagrams sent before the loop may take in answers
_TICK_S = 0.004
_CATCH_UP_S = 0.05  # a loop that was busy for so long may make up for it
# The kernel has no room: its buffers, or the neighbour table of a large network that is silent, are full.
_NO_ROOM = (errno.ENOBUFS, errno.EAGAIN, errno.ENOMEM)
_NO_ROOM_TRIES = 160  # four seconds: an ARP that nobody answers holds its place for three
_NO_ROOM_S = 0.025
_BUFFER = 4 << 20  # octets; answers wait there while the loop does something else
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_DRAIN_MOST = 256


@dataclass(frozen=True)
class Pace:
    """How a crowd is asked: datagrams a second, seconds to wait for each, how often again. Rate 0: no bound."""

    rate_pps: float = 5000
    timeout_s: float = 1.0
    retries: int = 1


class Bucket:
    """A token bucket that several rounds may share: together they send no more than its rate."""

    def __init__(self, rate_pps: float) -> None:
        self._rate = rate_pps
        self._most = max(float(BURST), rate_pps * _CATCH_UP_S)
        self._left, self._at = float(BURST), 0.0

    def take(self, now_s: float) -> int:
        """Return how many may be sent now, which then count as sent; `now_s` is a clock that never goes back."""
        if self._rate <= 0:
            return BURST
        self._left = min(self._most, self._left + (now_s - self._at) * self._rate)
        self._at = now_s
        free = min(BURST, int(self._left))
        self._left -= free
        return free


async def paced(
    items: Iterable[Item], send: Callable[[Item], None], bucket: Bucket
) -> list[tuple[Item, str]]:
    """Send each item, and return those that could not be sent, each with the reason.

    `send` raises OSError; where the kernel has no room it is tried again for some seconds.
    """
    loop = asyncio.get_running_loop()
    unsent: list[tuple[Item, str]] = []
    free = 0
    for item in items:
        while not free:
            # Even a rate without bound lets the loop read what came.
            await asyncio.sleep(0)
            free = bucket.take(loop.time())
            if not free:
                await asyncio.sleep(_TICK_S)
        free -= 1
        why = await _sent(item, send)
        if why:
            unsent.append((item, why))
    return unsent


async def _sent(item: Item, send: Callable[[Item], None]) -> str:
    """Send one; return '' or why it cannot be sent."""
    why = ""
    for _ in range(_NO_ROOM_TRIES):
        try:
            send(item)
        except OSError as error:
            why = error.strerror or type(error).__name__
            if error.errno not in _NO_ROOM:
                return why
            await asyncio.sleep(_NO_ROOM_S)
        else:
            return ""
    return why


async def until(done: asyncio.Event, timeout_s: float) -> None:
    """Wait until it is done, at most so long."""
    try:
        async with asyncio.timeout(timeout_s):
            await done.wait()
    except TimeoutError:
        pass


def roomy(opened: socket.socket) -> None:
    """Let a socket never block, hold what comes while the loop does something else, and what waits for ARP.

    A datagram to a silent neighbour fills the send buffer for the three seconds in which the kernel looks for him.
    """
    opened.setblocking(False)
    for force, plainly in ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            opened.setsockopt(socket.SOL_SOCKET, force, _BUFFER)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, plainly, _BUFFER)


def drain(read: Callable[[], bool]) -> None:
    """Read until nothing lies there, at most so often that a flood ends too."""
    for _ in range(_DRAIN_MOST):
        if not read():
            return


def plain(address: str) -> str:
    """Return an address as the kernel writes it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_ntop(family, socket.inet_pton(family, address))
