"""Servers on loopback that speak what the channels speak: HTTP by POST, SMTP, syslog. A test says how they answer."""

import base64
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Posted:
    """One POST as it came."""

    path: str
    headers: dict[str, str]
    octets: bytes

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.octets)


@dataclass
class Inbox:
    """What a server was sent; `url` or `port` say where it is."""

    port: int = 0
    posts: list[Posted] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    mails: list["Mail"] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens for HTTP."""
        return f"http://127.0.0.1:{self.port}"


# What is answered: (status, body, headers); None hangs up without an answer, after the POST was taken.
Answer = tuple[int, Any, dict[str, str]] | None


@contextmanager
def http(answer: Callable[[Posted], Answer]) -> Iterator[Inbox]:
    """Take POSTs and answer them as the test says."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            octets = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            posted = Posted(self.path, dict(self.headers), octets)
            inbox.posts.append(posted)
            said = answer(posted)
            if said is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = json.dumps(said[1]).encode()
            self.send_response(said[0])
            for name, value in {"Content-Length": str(len(body)), **said[2]}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        inbox.port = port
        yield inbox


@contextmanager
def _running(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass(frozen=True)
class Mail:
    """One mail as SMTP carried it."""

    sender: str
    receivers: tuple[str, ...]
    octets: bytes


@contextmanager
def smtp(
    refuse: Callable[[str], str] = lambda _command: "", tls: ssl.SSLContext | None = None
) -> Iterator[Inbox]:
    """Speak as much of SMTP (RFC 5321) as a client needs. `refuse`: a line of the client → an answer in its place.

    With `tls` STARTTLS is offered (RFC 3207), and AUTH PLAIN under it; who logged in is kept in `lines`.
    """
    inbox = Inbox()

    class Handler(_Smtp):
        def handle(self) -> None:
            self.inbox, self.refuse, self.tls = inbox, refuse, tls
            self.converse()

    with _running(_Threads(("127.0.0.1", 0), Handler)) as port:
        inbox.port = port
        yield inbox


class _Smtp(socketserver.StreamRequestHandler):
    """One conversation with a client."""

    inbox: Inbox
    refuse: Callable[[str], str]
    tls: ssl.SSLContext | None

    def converse(self) -> None:
        self.sender, self.receivers = "", list[str]()
        self.say("220 test ready")
        try:
            while (line := self.rfile.readline().decode().strip()) and line[:4].upper() != "QUIT":
                word = line[:4].lower()
                instead = self.refuse(line)
                answer = (
                    self.say if instead else getattr(self, f"on_{word}", lambda _line: self.say("250 ok"))
                )
                answer(instead or line)
        except ssl.SSLError:  # the client does not trust us
            return
        finally:
            if isinstance(self.connection, ssl.SSLSocket):
                self.connection.close()

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def on_ehlo(self, _line: str) -> None:
        under = isinstance(self.connection, ssl.SSLSocket)
        offer = "AUTH PLAIN" if under else "STARTTLS" if self.tls else ""
        self.say(f"250-test\r\n250 {offer}" if offer else "250 test")

    def on_star(self, _line: str) -> None:
        assert self.tls is not None
        self.say("220 go on")
        self.connection = self.tls.wrap_socket(
            self.connection, server_side=True, do_handshake_on_connect=False
        )
        self.connection.do_handshake()
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def on_auth(self, line: str) -> None:
        self.inbox.lines.append(base64.b64decode(line.split()[2]))
        self.say("235 welcome")

    def on_mail(self, line: str) -> None:
        self.sender = line[10:].partition(" ")[0].strip("<>")
        self.say("250 ok")

    def on_rcpt(self, line: str) -> None:
        self.receivers.append(line[8:].strip("<>"))
        self.say("250 ok")

    def on_data(self, _line: str) -> None:
        self.say("354 go on")
        found = b""
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            found += line[1:] if line.startswith(b"..") else line
        self.inbox.mails.append(Mail(self.sender, tuple(self.receivers), found))
        self.say("250 taken")


class _Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def syslog(protocol: str) -> Iterator[Inbox]:
    """Take lines of syslog by UDP, or by TCP as one stream."""
    inbox = Inbox()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if protocol == "udp":
                inbox.lines.append(self.request[0])
                return
            whole = b""
            while part := self.request.recv(65_536):
                whole += part
            inbox.lines.append(whole)

    kind = socketserver.UDPServer if protocol == "udp" else _Threads
    with _running(kind(("127.0.0.1", 0), Handler)) as port:
        inbox.port = port
        yield inbox


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a context for a server on 127.0.0.1, and the file of the certificate that a client must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = (
        built.serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, private)
    return context, cert


def closed_tcp_port() -> int:
    """Return a TCP port of loopback where nothing listens."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])
