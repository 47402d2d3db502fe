"""The sockets of the receiver: UDP for traps and syslog, TCP for syslog, for IPv4 and IPv6. Bounded in every way."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

from monitor.listen.receiver import Receiver
from monitor.listen.syslog import Frames
from siaga.errors import AuthError, TemporaryError
from siaga.settings import Listen

CONNECTIONS = 256
PER_SOURCE = 8
IDLE_S = 900.0
_BUFFER_BYTES = 4 << 20  # of the kernel: what comes in a burst waits there


@dataclass(frozen=True)
class Ports:
    """The ports that are open; 0: none."""

    trap: int = 0
    syslog: int = 0
    syslog_tcp: int = 0


@asynccontextmanager
async def opened(receiver: Receiver, settings: Listen) -> AsyncIterator[Ports]:
    """Receive until the block ends. Raises AuthError (`port-not-allowed`) or TemporaryError (`port-taken`)."""
    addresses = [str(a) for a in settings.addresses] or ["0.0.0.0", "::"]  # noqa: S104 - all, unless some are named
    async with AsyncExitStack() as stack:
        ports = []
        for port, take in ((settings.trap_port, receiver.trap), (settings.syslog_port, receiver.syslog)):
            ports.append(await _datagrams(stack, addresses, port, take) if port else 0)
        tcp = settings.syslog_tcp_port
        ports.append(await _streams(stack, addresses, tcp, receiver) if tcp else 0)
        yield Ports(*ports)


async def _datagrams(
    stack: AsyncExitStack, addresses: Sequence[str], port: int, take: Callable[[bytes, str], bytes | None]
) -> int:
    for address in addresses:
        sock = _bound(socket.SOCK_DGRAM, address, port)
        if sock is None:
            continue
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(take), sock=sock)
        stack.callback(transport.close)
    return port


async def _streams(stack: AsyncExitStack, addresses: Sequence[str], port: int, receiver: Receiver) -> int:
    crowd = _Crowd(receiver)
    for address in addresses:
        sock = _bound(socket.SOCK_STREAM, address, port)
        if sock is None:
            continue
        server = await asyncio.start_server(crowd.take, sock=sock, limit=65536)
        stack.push_async_callback(crowd.end)
        stack.callback(server.close)
    return port


def _bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket | None:
    """Return a bound socket; None where this machine has no IPv6 at all."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, kind)
    except OSError:
        return None
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        raise _not_opened(error, address, port) from None
    sock.setblocking(False)
    return sock


def _not_opened(error: OSError, address: str, port: int) -> Exception:
    if isinstance(error, PermissionError):
        way = "run it with CAP_NET_BIND_SERVICE, or set another port in [listen]"
        return AuthError("port-not-allowed", f"Port {port} may not be opened by this user: {way}.")
    where = f"{address} port {port}"
    return TemporaryError("port-taken", f"{where} cannot be opened: {error.strerror}.")


class _Datagrams(asyncio.DatagramProtocol):
    """Hands each datagram on, and sends back what comes of it."""

    def __init__(self, take: Callable[[bytes, str], bytes | None]) -> None:
        self._take = take
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        reply = self._take(data, addr[0])
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """Pass over what ICMP says of an acknowledgement: nobody waits for it."""


class _Crowd:
    """The senders connected by TCP: so many in all, so many from one address, none idle for long."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._by_source: Counter[str] = Counter()
        self._talks: set[asyncio.Task[None]] = set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one connection to its end."""
        source = writer.get_extra_info("peername")[0]
        if self._by_source.total() >= CONNECTIONS or self._by_source[source] >= PER_SOURCE:
            self._receiver.tally["syslog.refused.connections"] += 1
            writer.transport.abort()
            return
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._talks.add(task)
        self._by_source[source] += 1
        try:
            with suppress(OSError, TimeoutError, asyncio.CancelledError):
                await self._read(reader, source)
        finally:
            self._by_source[source] -= 1
            self._talks.discard(task)
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, source: str) -> None:
        frames = Frames()
        while True:
            async with asyncio.timeout(IDLE_S):
                data = await reader.read(65536)
            if not data:
                break
            for frame in frames.feed(data):
                self._receiver.syslog(frame, source)
            self._receiver.tally["syslog.refused.too-long"] += frames.cut
            frames.cut = 0
            await asyncio.sleep(0)  # one sender never holds up the others

    async def end(self) -> None:
        """End every connection."""
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
