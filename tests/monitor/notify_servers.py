"""Servers on loopback that speak what the channels speak: HTTP by POST, SMTP, syslog. A test says how they answer."""

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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
def smtp(refuse: Callable[[str], str] = lambda _command: "") -> Iterator[Inbox]:
    """Speak as much of SMTP (RFC 5321) as a client needs. `refuse`: a line of the client → an answer in its place."""
    inbox = Inbox()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            self.say("220 test ready")
            sender, receivers = "", []
            while line := self.rfile.readline().decode().strip():
                word = line[:4].upper()
                if instead := refuse(line):
                    self.say(instead)
                elif word in ("EHLO", "HELO"):
                    self.say("250 test")
                elif word == "MAIL":
                    sender = line[10:].partition(" ")[0].strip("<>")
                    self.say("250 ok")
                elif word == "RCPT":
                    receivers.append(line[8:].strip("<>"))
                    self.say("250 ok")
                elif word == "DATA":
                    self.say("354 go on")
                    inbox.mails.append(Mail(sender, tuple(receivers), self.data()))
                    self.say("250 taken")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

        def data(self) -> bytes:
            found = b""
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                found += line[1:] if line.startswith(b"..") else line
            return found

    with _running(_Threads(("127.0.0.1", 0), Handler)) as port:
        inbox.port = port
        yield inbox


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


def closed_tcp_port() -> int:
    """Return a TCP port of loopback where nothing listens."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])
