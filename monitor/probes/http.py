"""HTTP(S) as the users of an application meet it: status, content, times of each phase, and the certificate.

httpx is not used here: it tells neither the time of a name's lookup from that of the connection, nor the certificate of
a chain that it does not trust, nor does it let the address be judged before the connection. The parser that it uses,
h11, stands here over our own connection.
"""

import asyncio
import socket
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import h11

from monitor.probes.connect import Unreached, connected, is_loopback
from monitor.probes.plan import DEFAULT_STATUSES, HttpCheck, Limits
from monitor.probes.result import Fault, Verdict
from monitor.probes.seen import Seen
from monitor.probes.tls import certificate_faults, greeted
from siaga.expressions import matches
from siaga.text import decoded, safe

HEADER_BYTES = 64 << 10
_REDIRECTS = (301, 302, 303, 307, 308)
_SAFE = "/%:@!$&'()*+,;=~-._?"


async def ask(check: HttpCheck, limits: Limits, seen: Seen, now: datetime) -> None:
    """Fetch the URL, follow redirects within bounds, and write down what comes. Raises Unreached."""
    for _ in range(limits.redirects + 1):
        await _fetch(seen, limits, now)
        if not _leads_on(check, seen):
            seen.faults += _judged(check, seen)
            return
        _follow(seen)
    raise Unreached("redirects", f"It redirects more than {limits.redirects} times.")


def _leads_on(check: HttpCheck, seen: Seen) -> bool:
    meant = check.statuses != DEFAULT_STATUSES and _right(check, seen.status)
    return seen.status in _REDIRECTS and bool(seen.location) and not meant


def _right(check: HttpCheck, status: int | None) -> bool:
    return status is not None and any(low <= status <= high for low, high in check.statuses)


def _follow(seen: Seen) -> None:
    """Go where the answer points; raises Unreached where no check follows."""
    try:
        new = urljoin(seen.url, seen.location)
        parts = urlsplit(new)
        good = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        _ = parts.port
    except ValueError:
        good = None
    if not good:
        raise Unreached("redirects", f"It redirects to {safe(seen.location, 80)}, which is no web address.")
    if seen.url.startswith("https:") and parts.scheme == "http":
        text = "It redirects from https to http, where anybody can read along."
        seen.faults.append(Fault("downgrade", Verdict.warning, text))
    seen.url = new


async def _fetch(seen: Seen, limits: Limits, now: datetime) -> None:
    parts = urlsplit(seen.url)
    seen.status, seen.location, seen.encoding = None, "", ""
    seen.body.clear()
    reader, writer = await _opened(parts, seen, limits, now)
    try:
        await _exchange(reader, writer, _request(parts, limits), seen, limits)
    except h11.RemoteProtocolError as error:
        raise Unreached("garbage", f"What answers does not speak HTTP ({safe(error, 80)}).") from None
    except OSError:
        raise Unreached("broken", "It ended the connection before the answer was whole.") from None
    finally:
        writer.transport.abort()


async def _opened(
    parts: SplitResult, seen: Seen, limits: Limits, now: datetime
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)

    async def connect() -> socket.socket:
        at = limits.proxy or (host, port)
        sock = await connected(*at, limits, seen.phases, inner=seen.inner or limits.proxy is not None)
        seen.address = sock.getpeername()[0]
        if limits.proxy is None:
            seen.inner = seen.inner and is_loopback(seen.address)
        elif parts.scheme == "https":
            await _tunnel(sock, host, port)
        return sock

    if parts.scheme == "http":
        return await asyncio.open_connection(sock=await connect())
    tls = await greeted(connect, host, limits, seen.phases, now)
    seen.certificate = tls.certificate
    seen.faults += certificate_faults(tls.certificate, host, limits, now)
    return tls.reader, tls.writer


async def _tunnel(sock: socket.socket, host: str, port: int) -> None:
    """Let the proxy connect (RFC 9110, 9.3.6); raises Unreached when it does not."""
    loop = asyncio.get_running_loop()
    talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_BYTES)
    at = _authority(host, port)
    try:
        await loop.sock_sendall(
            sock, talk.send(h11.Request(method="CONNECT", target=at, headers=[("Host", at)])) or b""
        )
        while (event := talk.next_event()) is h11.NEED_DATA or isinstance(event, h11.InformationalResponse):
            if event is h11.NEED_DATA:
                talk.receive_data(await loop.sock_recv(sock, 4096))
        if isinstance(event, h11.Response) and 200 <= event.status_code < 300:
            return
        said = f"HTTP {event.status_code}" if isinstance(event, h11.Response) else "nothing"
    except (OSError, h11.RemoteProtocolError):
        said = "no HTTP"
    except BaseException:
        sock.close()
        raise
    sock.close()
    raise Unreached("proxy", f"The proxy does not connect to it (it said {said}).", Verdict.unknown)


def _authority(host: str, port: int) -> str:
    name = host if host.isascii() else host.encode("idna").decode()
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _request(parts: SplitResult, limits: Limits) -> h11.Request:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = _authority(parts.hostname or "", port)
    if port == (443 if parts.scheme == "https" else 80):
        host = host.rpartition(":")[0]
    target = quote(parts.path or "/", safe=_SAFE) + (
        f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    )
    if limits.proxy and parts.scheme == "http":
        target = f"http://{host}{target}"
    headers = [
        ("Host", host),
        ("User-Agent", "siaga"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    return h11.Request(method="GET", target=target, headers=headers)


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: h11.Request,
    seen: Seen,
    limits: Limits,
) -> None:
    """Ask and read the answer, at most `body_bytes` of it."""
    talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_BYTES)
    with seen.phases.timed("first_byte"):
        writer.write((talk.send(request) or b"") + (talk.send(h11.EndOfMessage()) or b""))
        talk.receive_data(await reader.read(65536))
    with seen.phases.timed("body"):
        while not isinstance(event := talk.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
            if event is h11.NEED_DATA:
                talk.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Response):
                _noted(event, seen)
            elif isinstance(event, h11.Data):
                seen.body += event.data[: limits.body_bytes - len(seen.body)]
                if len(seen.body) >= limits.body_bytes:
                    seen.cut = True
                    return


def _noted(event: h11.Response, seen: Seen) -> None:
    seen.status = event.status_code
    for name, value in event.headers:
        if name == b"location":
            seen.location = value.decode("latin-1")[:2000]
        elif name == b"content-encoding" and value.lower() != b"identity":
            seen.encoding = decoded(value, 40)


def _judged(check: HttpCheck, seen: Seen) -> Iterator[Fault]:
    """Yield what is wrong with the last answer."""
    if not _right(check, seen.status):
        yield Fault("status", Verdict.critical, f"It answers HTTP {seen.status}.")
    elif not check.expect:
        return
    elif seen.encoding:
        yield Fault(
            "content", Verdict.unknown, f"Its answer is coded ({seen.encoding}) though nobody asked for it."
        )
    elif not matches(check.expect, seen.body.decode("utf-8", "replace")):
        start = f"the first {len(seen.body)} octets of its answer" if seen.cut else "its answer"
        yield Fault("content", Verdict.critical, f"'{safe(check.expect, 80)}' is not in {start}.")
