"""/metrics over HTTP: read-only, bounded in connections, octets and time. One asyncio server, no framework.

A scrape is computed in a thread, one at a time; what comes while one is computed gets the same answer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from monitor.out.text import OPENMETRICS, PROMETHEUS
from siaga.errors import SiagaError

CONNECTIONS = 16  # at one time; more are told to come back
_HEAD_BYTES = 8192
_PATIENCE_S = 10.0  # for a request to come, and for an answer to be taken away
_PARTING_S, _PARTING_READS = 1.0, 16
Answer = tuple[int, str, str]  # status, content type, body
Scrape = Callable[[bool], str]  # openmetrics? → the page
_WORDS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}
_PLAIN = "text/plain; charset=utf-8"


class Server:
    """Answers GET and HEAD of /metrics; `scrape` makes the page and may raise SiagaError."""

    def __init__(self, scrape: Scrape, *, connections: int = CONNECTIONS) -> None:
        self._scrape, self._most = scrape, connections
        self._open = 0
        self._running: dict[bool, asyncio.Task[str]] = {}
        self._one = asyncio.Lock()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: one request, one answer."""
        self._open += 1
        try:
            with suppress(ConnectionError, TimeoutError):
                await self._serve(reader, writer)
        finally:
            await _part(reader, writer)
            self._open -= 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open > self._most:
            await _send(writer, (503, _PLAIN, "Too many connections at one time.\n"))
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await _send(writer, (400, _PLAIN, "This is no request.\n"))
            return
        method, answer = await self._answer(head)
        await _send(writer, answer, body=method != "HEAD")

    async def _answer(self, head: str) -> tuple[str, Answer]:
        line, _, headers = head.partition("\r\n")
        words = line.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return "", (400, _PLAIN, "This is no request.\n")
        method, path = words[0], words[1].partition("?")[0]
        if method not in ("GET", "HEAD"):
            return method, (405, _PLAIN, "Only GET and HEAD.\n")
        if path != "/metrics":
            return method, (404, _PLAIN, "siaga: see /metrics\n")
        return method, await self._page("application/openmetrics-text" in _accept(headers))

    async def _page(self, openmetrics: bool) -> Answer:
        try:
            page = await asyncio.shield(self._running.get(openmetrics) or self._begin(openmetrics))
        except SiagaError as error:  # locked, damaged: the sentence names files, so only its code goes out
            return 503, _PLAIN, f"{error.code}\n"
        return 200, OPENMETRICS if openmetrics else PROMETHEUS, page

    def _begin(self, openmetrics: bool) -> Awaitable[str]:
        task = asyncio.get_running_loop().create_task(self._computed(openmetrics))
        self._running[openmetrics] = task
        task.add_done_callback(lambda _: self._running.pop(openmetrics, None))
        return task

    async def _computed(self, openmetrics: bool) -> str:
        async with self._one:
            return await asyncio.to_thread(self._scrape, openmetrics)


def _accept(headers: str) -> str:
    pairs = (line.partition(":") for line in headers.split("\r\n"))
    return ",".join(value.lower() for name, _, value in pairs if name.strip().lower() == "accept")


async def _send(writer: asyncio.StreamWriter, answer: Answer, *, body: bool = True) -> None:
    status, kind, text = answer
    octets = text.encode()
    head = f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(octets)}\r\n"
    head += "Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    writer.write(head.encode() + (octets if body else b""))
    async with asyncio.timeout(_PATIENCE_S):
        await writer.drain()


async def _part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close without a reset, which would take the answer away from who has not yet said everything."""
    with suppress(ConnectionError, TimeoutError, OSError):
        writer.write_eof()
        async with asyncio.timeout(_PARTING_S):
            for _ in range(_PARTING_READS):
                if not await reader.read(_HEAD_BYTES):
                    break
    writer.close()
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(_PARTING_S):
            await writer.wait_closed()


@asynccontextmanager
async def listening(scrape: Scrape, host: str, port: int) -> AsyncIterator[int]:
    """Listen while inside; give the port, which is any free one for 0. Raises OSError."""
    served = Server(scrape)
    server = await asyncio.start_server(served.connected, host, port, limit=_HEAD_BYTES)
    async with server:
        yield server.sockets[0].getsockname()[1]
