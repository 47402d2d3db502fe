"""A connection in phases, each timed: the name, then the connection. Addresses are judged before any packet.

asyncio's own `open_connection` does the first two in one and cannot tell them apart; and a name that is looked up a
second time may lead elsewhere (DNS rebinding), so the address that was judged is the one that is connected to.
"""

import asyncio
import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from monitor.probes.plan import Limits
from monitor.probes.result import Verdict
from siaga.text import safe

ADDRESSES = 4  # of one name are tried, the first that answers is taken
# What this side's own network lacks says nothing of the service.
_OWN = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EMFILE, errno.ENFILE})


class Unreached(Exception):  # noqa: N818 - a value on its way up, caught by every check
    """There is no connection; `rule` and a sentence say why."""

    def __init__(self, rule: str, sentence: str, verdict: Verdict = Verdict.critical) -> None:
        super().__init__(sentence)
        self.rule = rule
        self.sentence = sentence
        self.verdict = verdict


@dataclass
class Phases:
    """The seconds that each phase took, in the order they came; a redirect's add up. `at`: the one it is in now."""

    seconds: dict[str, float] = field(default_factory=dict)
    at: str = ""

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time of the block to a phase, also when it ends badly."""
        self.at, started = phase, time.monotonic()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.monotonic() - started


async def connected(host: str, port: int, limits: Limits, phases: Phases, *, inner: bool) -> socket.socket:
    """Return a connected socket. Raises Unreached; `inner` lets it lead to this machine itself."""
    with phases.timed("dns"):
        found = await resolve(host, port)
    allowed = [a for a in found if _allowed(a[1], limits, inner=inner)]
    if not allowed:
        raise Unreached("forbidden", f"{safe(host, 80)} is {found[0][1]}, where no check may go.")
    with phases.timed("connect"):
        return await _first(allowed[:ADDRESSES], port)


Place = tuple[int, str, tuple[str, int] | tuple[str, int, int, int]]  # family, address, what the socket wants


async def resolve(host: str, port: int) -> list[Place]:
    """Return the addresses of a name as the system finds them. Raises Unreached if there is none.

    The C library's lookup cannot be ended; each has a thread of its own, so that a dead resolver holds up nobody else.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Place]] = loop.create_future()

    def look() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found: list[Place] = [(int(r[0]), str(r[4][0]), r[4]) for r in rows]  # type: ignore[misc]
            tell = (answer.set_result, found)
        except (OSError, UnicodeError) as error:
            tell = (answer.set_exception, Unreached("dns", _unknown(host, error)))  # type: ignore[assignment]
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(lambda: None if answer.done() else tell[0](tell[1]))

    threading.Thread(target=look, daemon=True).start()
    return await answer


def _unknown(host: str, error: Exception) -> str:
    why = error.strerror if isinstance(error, OSError) else "it is no name"
    return f"The name {safe(host, 80)} leads nowhere ({why})."


def _allowed(address: str, limits: Limits, *, inner: bool) -> bool:
    ip = ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return (inner or not ip.is_loopback) and not any(ip in ip_network(n) for n in limits.forbidden)


def is_loopback(address: str) -> bool:
    """Return whether an address is this machine's own."""
    ip = ip_address(address.partition("%")[0])
    return bool((getattr(ip, "ipv4_mapped", None) or ip).is_loopback)


async def _first(places: list[Place], port: int) -> socket.socket:
    """Connect to the first place that answers; when it is silent, the time of the check ends it (see `within`)."""
    last: OSError | None = None
    for n, (family, _, where) in enumerate(places):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            # A silent address of several leaves the next ones a chance.
            async with asyncio.timeout(None if n + 1 == len(places) else 2.0):
                await asyncio.get_running_loop().sock_connect(sock, where)
            return sock
        except TimeoutError:
            sock.close()
        except OSError as error:
            last = error
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise _refused(last, places[-1][1], port)


def _refused(error: OSError | None, address: str, port: int) -> Unreached:
    if isinstance(error, ConnectionRefusedError):
        return Unreached("refused", f"Nothing listens at {address} port {port}.")
    if error is not None and error.errno in _OWN:
        return Unreached(
            "no-way", f"There is no way from here to {address} ({error.strerror}).", Verdict.unknown
        )
    why = error.strerror if error is not None else "no answer"
    return Unreached("unreachable", f"{address} port {port} cannot be reached ({why}).")
