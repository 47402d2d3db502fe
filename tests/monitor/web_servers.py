"""Servers that the service checks meet: certificates of every kind, raw HTTP over TCP or TLS, and DNS."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import dns.message
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.86.0.1"
NOW = datetime.now(UTC)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key; `ca`: the file of the authority that would make it trusted."""

    pem: Path
    ca: Path

    def context(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.load_cert_chain(self.pem)
        if version:
            found.maximum_version = version
        return found


@cache
def authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Test authority")
    return _signed(name, name, key.public_key(), key, -400, 4000, ca=True), key


def issued(
    folder: Path,
    *,
    days: float = 90,
    names: tuple[str, ...] = (HOST, "localhost"),
    begins: float = -10,
    self_signed: bool = False,
) -> Issued:
    """Make a certificate that ends in `days`."""
    root, root_key = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("Test server")
    issuer, by = (subject, key) if self_signed else (root.subject, root_key)
    one = _signed(subject, issuer, key.public_key(), by, begins, days, names=names)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(secret + one.public_bytes(pem))
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    return Issued(folder / "server.pem", folder / "ca.pem")


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    by: ec.EllipticCurvePrivateKey,
    begins: float,
    days: float,
    *,
    names: tuple[str, ...] = (),
    ca: bool = False,
) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer, subject, public, x509.random_serial_number(), NOW + begins * _DAY, NOW + days * _DAY
    ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if names:
        kinds = [x509.IPAddress(ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(kinds), critical=False)
    return builder.sign(by, hashes.SHA256())


@asynccontextmanager
async def server(talk: Talk, tls: ssl.SSLContext | None = None, host: str = HOST) -> AsyncIterator[int]:
    """Run a TCP or TLS server and give its port; at its end every connection is cut."""
    open_: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.transport.abort()

    running = await asyncio.start_server(accept, host, 0, ssl=tls)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()
        for task in tasks:
            task.cancel()
        for writer in open_:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


def answers(*replies: bytes, then: Talk | None = None) -> Talk:
    """Return a server that reads a request and sends these octets, then does something else or ends."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for reply in replies:
            writer.write(reply)
            await writer.drain()
        if then:
            await then(reader, writer)

    return talk


def page(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Return an HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the peer goes."""
    while await reader.read(1024):
        pass


async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send without end."""
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


Reply = Callable[[dns.message.Message], dns.message.Message | bytes | None]


class _Dns(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.reply(dns.message.from_wire(data))
        if answer is not None and self.transport:
            self.transport.sendto(answer if isinstance(answer, bytes) else answer.to_wire(), addr)


@asynccontextmanager
async def dns_server(
    reply: Reply, *, host: str = HOST, port: int = 0, by_tcp: Reply | None = None
) -> AsyncIterator[int]:
    """Run a DNS server that answers each question as `reply` says, over UDP and, if asked for, over TCP."""
    loop = asyncio.get_running_loop()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        assert by_tcp
        answer = by_tcp(dns.message.from_wire(await reader.readexactly(size)))
        assert isinstance(answer, dns.message.Message)
        wire = answer.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        await reader.read()

    async with AsyncExitStack() as stack:
        if by_tcp:
            port = await stack.enter_async_context(server(talk, host=host))
        transport, _ = await loop.create_datagram_endpoint(lambda: _Dns(reply), local_addr=(host, port))
        try:
            yield transport.get_extra_info("sockname")[1]
        finally:
            transport.close()
            await asyncio.sleep(0)
