"""TCP and TLS ports: does somebody answer, how fast, with which certificate, and does the banner say what it should."""

import asyncio
import socket
from datetime import datetime

from monitor.probes.connect import Unreached, connected
from monitor.probes.plan import Limits, TcpCheck
from monitor.probes.result import Fault, Verdict
from monitor.probes.seen import Seen
from monitor.probes.tls import certificate_faults, greeted
from siaga.expressions import matches
from siaga.text import decoded, safe

BANNER_BYTES = 4096


async def ask(check: TcpCheck, limits: Limits, seen: Seen, now: datetime) -> None:
    """Connect, greet and read the banner as far as asked. Raises Unreached."""

    async def connect() -> socket.socket:
        sock = await connected(check.host, check.port, limits, seen.phases, inner=True)
        seen.address = sock.getpeername()[0]
        return sock

    if check.tls:
        tls = await greeted(connect, check.host, limits, seen.phases, now)
        reader, writer = tls.reader, tls.writer
        seen.certificate = tls.certificate
        seen.faults += certificate_faults(tls.certificate, check.host, limits, now)
    else:
        reader, writer = await asyncio.open_connection(sock=await connect())
    try:
        if check.expect:
            await _banner(reader, check, seen)
    finally:
        writer.transport.abort()


async def _banner(reader: asyncio.StreamReader, check: TcpCheck, seen: Seen) -> None:
    """Read until the banner holds what it should, the peer ends, or it has said too much; the time bounds it."""
    try:
        with seen.phases.timed("banner"):
            while len(seen.body) < BANNER_BYTES:
                data = await reader.read(BANNER_BYTES - len(seen.body))
                seen.body += data
                if not data or matches(check.expect, seen.body.decode("utf-8", "replace")):
                    break
    except OSError:
        raise Unreached("broken", "It ended the connection before it said anything whole.") from None
    if not matches(check.expect, seen.body.decode("utf-8", "replace")):
        said = decoded(bytes(seen.body), 80)
        text = f"It says '{said}'" if said else "It says nothing"
        seen.faults.append(Fault("content", Verdict.critical, f"{text}, not '{safe(check.expect, 80)}'."))
