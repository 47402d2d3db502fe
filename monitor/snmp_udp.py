"""One question and its answer over a connected UDP socket: tries, growing waits, and why nothing came.

Every device has its own connected socket: the kernel passes on only what comes from the address asked, and
tells when nothing listens there. What the datagrams mean is a codec's business (see snmp.py).
"""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Protocol, cast

from monitor.observation import Reach
from monitor.snmp_agent import Fault, Reply, Request, Trouble
from monitor.targets import SnmpVersion, Target

BACK_OFF = 1.5  # each try waits this much longer than the one before
RESYNCS = 4  # engine discovery and time synchronisation take two; more is a device that never agrees
# One device may take this long; a slow trickle of good answers is no reason to wait longer.
PATIENCE_S = 300.0


class Line(asyncio.DatagramProtocol):
    """One connected socket; what came lies in a bounded queue, a flood beyond it is dropped."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes | OSError] = asyncio.Queue(64)
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Before Python 3.12 the loop's datagram transport is no DatagramTransport by class.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.came.full():
            self.came.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError) and not self.came.full():
            self.came.put_nowait(exc)

    def send(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.sendto(data)


@dataclass(frozen=True)
class Garbled:
    """A datagram that is no SNMP response of the version asked."""


@dataclass(frozen=True)
class Stale:
    """A response to no question that is open."""


@dataclass(frozen=True)
class Again:
    """The device must be asked once more: SNMPv3 discovery or time synchronisation; `why` if it never ends."""

    why: Fault


@dataclass(frozen=True)
class Good:
    """A response, by the id of its request."""

    number: int
    reply: Reply


Judged = Garbled | Stale | Again | Good


class Codec(Protocol):
    """Turns requests into datagrams and datagrams into responses, for one device."""

    def pack(self, request: Request) -> tuple[int, bytes]:
        """Return the request's id and its datagram."""

    def unpack(self, data: bytes) -> Judged:
        """Return what the datagram is; raises Trouble when the device refuses."""

    def silence(self) -> tuple[Reach, str]:
        """Return what no answer means, and the words that follow "No answer in N s"."""


@dataclass
class _Seen:
    """What came during one question, when no answer did."""

    ids: set[int] = field(default_factory=set)
    garbled: int = 0
    stale: int = 0
    error: OSError | None = None
    waited_s: float = 0.0


class Exchange:
    """One question and its answer: sends, waits longer each time, and says why nothing usable came."""

    def __init__(self, line: Line, codec: Codec, target: Target) -> None:
        self._line = line
        self._codec = codec
        self._target = target
        self._until = asyncio.get_running_loop().time() + PATIENCE_S
        self.bulk = target.snmp is not None and target.snmp.version is not SnmpVersion.v1

    async def ask(self, request: Request, tries: int | None = None) -> Reply:
        """Return the reply; raises Trouble (silent, refused or garbage)."""
        seen = _Seen()
        if asyncio.get_running_loop().time() > self._until:
            raise Trouble(Fault(Reach.silent, f"Reading took longer than {PATIENCE_S:.0f} s."))
        for number in range(tries or self._target.retries + 1):
            wait_s = self._target.timeout_s * BACK_OFF**number
            smaller = replace(request, rows=max(1, request.rows >> number))
            reply = await self._try(smaller, wait_s, seen)
            if reply is not None:
                return replace(reply, tries=number + 1)
        raise Trouble(self._why(seen))

    async def _try(self, request: Request, wait_s: float, seen: _Seen) -> Reply | None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._send(request, seen)
        asked_again = 0
        try:
            while (data := await self._next(started + wait_s)) is not None:
                if isinstance(data, OSError):
                    seen.error = data
                    return None
                match self._codec.unpack(data):
                    case Good(number, reply) if number in seen.ids:
                        return reply
                    case Again(why):
                        asked_again += 1
                        if asked_again > RESYNCS:
                            raise Trouble(why)
                        self._send(request, seen)
                    case Garbled():
                        seen.garbled += 1
                        return None
                    case _:
                        seen.stale += 1
            return None
        finally:
            seen.waited_s += loop.time() - started

    def _send(self, request: Request, seen: _Seen) -> None:
        number, data = self._codec.pack(request)
        seen.ids.add(number)
        self._line.send(data)

    async def _next(self, until: float) -> bytes | OSError | None:
        """Return what came next, or None when the time is over; what already lies there is never timed out."""
        try:
            async with asyncio.timeout_at(until):
                return await self._line.came.get()
        except TimeoutError:
            return None if self._line.came.empty() else self._line.came.get_nowait()

    def _why(self, seen: _Seen) -> Fault:
        where = f"{self._target.address} port {self._target.snmp_port}"
        if isinstance(seen.error, ConnectionRefusedError):
            return Fault(Reach.silent, f"Nothing listens at {where} (ICMP port unreachable).")
        if seen.error is not None:
            return Fault(Reach.silent, f"There is no way to {where}: {seen.error.strerror or seen.error}.")
        if seen.garbled:
            return Fault(Reach.garbage, f"What answers at {where} does not speak SNMP{self._version()}.")
        if seen.stale:
            return Fault(Reach.garbage, f"What answers at {where} answers other questions than those asked.")
        reach, sentence = self._codec.silence()
        return Fault(reach, f"No answer in {seen.waited_s:.1f} s: {sentence}")

    def _version(self) -> str:
        return f"v{self._target.snmp.version.value}" if self._target.snmp else ""
