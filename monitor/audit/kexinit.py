"""What an SSH server offers, read from its first two messages: its identification and SSH_MSG_KEXINIT (RFC 4253).

Nothing is negotiated and nobody logs in: both come in the clear before any key is exchanged. Of what is said, at most
64 KiB are read, and no longer than the time given, however slowly it comes.
"""

import asyncio
import struct
from dataclasses import dataclass

from siaga.text import decoded, safe

OWN = b"SSH-2.0-siaga_audit\r\n"
MOST_BYTES = 64 << 10
_LONGEST_PACKET = 35_000  # RFC 4253, section 6.1
_LINES = 50  # that a server may say before it identifies itself
_KEXINIT = 20
_LISTS = 10
_NAMES = 200  # of one list that are kept


class NotSshError(Exception):
    """What answered is no SSH server, or says what RFC 4253 does not know; the message tells what."""


@dataclass(frozen=True)
class Offer:
    """What a server offers, in its order. `software` is what it says it is, safe to show; `protocol` such as 2.0."""

    protocol: str
    software: str
    kex: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()

    @property
    def strict(self) -> bool:
        """Whether it knows the answer to Terrapin (CVE-2023-48795)."""
        return "kex-strict-s-v00@openssh.com" in self.kex


async def offered(address: str, port: int, timeout_s: float) -> Offer:
    """Return what the SSH server there offers. Raises NotSshError, OSError, TimeoutError."""
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(address, port, limit=MOST_BYTES)
        try:
            return await _conversation(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            raise NotSshError("It ended, or spoke too long, before it had said what it offers.") from None
        finally:
            writer.transport.abort()


async def _conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Offer:
    protocol, software = await _identification(reader)
    if not protocol.startswith("2.") and protocol != "1.99":
        return Offer(protocol, software)
    writer.write(OWN)
    await writer.drain()
    return read_offer(await _packet(reader), protocol, software)


async def _identification(reader: asyncio.StreamReader) -> tuple[str, str]:
    left = MOST_BYTES
    for _ in range(_LINES):
        line = await reader.readline()
        left -= len(line)
        if not line or left < 0:
            break
        if line.startswith(b"SSH-"):
            protocol, _, software = decoded(line[4:259].rstrip(b"\r\n"), 255).partition("-")
            return safe(protocol, 10), safe(software, 120)
    raise NotSshError("It does not say that it is an SSH server.")


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """Return the payload of the first packet, which is not encrypted (RFC 4253, section 6)."""
    length, padding = struct.unpack(">IB", await reader.readexactly(5))
    if not 2 <= length <= _LONGEST_PACKET or padding > length - 2:
        raise NotSshError("Its first packet has a length that none may have.")
    body = await reader.readexactly(length - 1)
    return body[: len(body) - padding]


def read_offer(payload: bytes, protocol: str = "2.0", software: str = "") -> Offer:
    """Return the offer in the payload of SSH_MSG_KEXINIT; raises NotSshError for what is none."""
    if len(payload) < 17 or payload[0] != _KEXINIT:
        raise NotSshError("Its first message is not that by which keys are agreed on.")
    at, lists = 17, []
    for _ in range(_LISTS):
        if at + 4 > len(payload):
            raise NotSshError("Its list of algorithms is cut short.")
        (size,) = struct.unpack_from(">I", payload, at)
        if at + 4 + size > len(payload):
            raise NotSshError("Its list of algorithms is cut short.")
        lists.append(_names(payload[at + 4 : at + 4 + size]))
        at += 4 + size
    both = tuple(dict.fromkeys((*lists[2], *lists[3]))), tuple(dict.fromkeys((*lists[4], *lists[5])))
    return Offer(protocol, software, lists[0], lists[1], *both)


def _names(octets: bytes) -> tuple[str, ...]:
    words = octets[: _NAMES * 65].split(b",")[:_NAMES]
    return tuple(safe(w.decode("ascii", "replace"), 64) for w in words if w)
