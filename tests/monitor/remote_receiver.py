"""A receiver of remote write on loopback: unpacks what comes, and keeps it as a database would."""

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Labels = tuple[tuple[str, str], ...]
Wrote = dict[Labels, dict[int, float]]


def unsnapped(block: bytes) -> bytes:
    """Return what a Snappy block holds (github.com/google/snappy, format_description.txt)."""
    size, at = number(block, 0)
    found = bytearray()
    while at < len(block):
        tag, at = block[at], at + 1
        if tag & 3 == 0:
            length = tag >> 2
            if length >= 60:
                wide = length - 59
                length, at = int.from_bytes(block[at : at + wide], "little"), at + wide
            found += block[at : at + length + 1]
            at += length + 1
            continue
        assert tag & 3 in (2, 3), "only copies with two or four octets of offset are written"
        wide = 2 if tag & 3 == 2 else 4
        offset, at = int.from_bytes(block[at : at + wide], "little"), at + wide
        assert 0 < offset <= len(found)
        for _ in range((tag >> 2) + 1):
            found.append(found[-offset])
    assert len(found) == size
    return bytes(found)


def number(octets: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet, at = octets[at], at + 1
        value |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            return value, at


def fields(octets: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield (number, value) of a message of Protocol Buffers; a double is its eight octets."""
    at = 0
    while at < len(octets):
        tag, at = number(octets, at)
        if tag & 7 == 0:
            value, at = number(octets, at)
            yield tag >> 3, value
            continue
        length, at = (8, at) if tag & 7 == 1 else number(octets, at)
        yield tag >> 3, octets[at : at + length]
        at += length


def unpacked(body: bytes) -> Wrote:
    """Return series → time → value of a request."""
    wrote: Wrote = {}
    for _, series in fields(unsnapped(body)):
        assert isinstance(series, bytes)
        parts = list(fields(series))
        labels = tuple(
            tuple(v.decode() for _, v in fields(part))
            for n, part in parts
            if n == 1  # type: ignore[union-attr, arg-type]
        )
        assert list(labels) == sorted(labels), "labels are in order"
        times = wrote.setdefault(labels, {})  # type: ignore[arg-type]
        before = -1
        for n, part in parts:
            if n == 2:
                (_, value), (_, at) = fields(part)  # type: ignore[arg-type]
                assert isinstance(value, bytes)
                assert isinstance(at, int)
                assert at > before, "samples are in order"
                before = at
                times[at] = struct.unpack("<d", value)[0]
    return wrote


@dataclass
class Receiver:
    """What came, and what is answered: `answer` gets what a request wrote and returns status, text, headers."""

    refuse: int = 0  # a status that is answered without a look
    answer: Callable[[Wrote], tuple[int, str, dict[str, str]]] = lambda _: (204, "", {})
    wrote: Wrote = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)  # octets of each
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def samples(
        self, prefix: tuple[str, ...] = ("siaga_device", "siaga_alert", "siaga_conn", "siaga_link")
    ) -> int:
        """Count the samples from the store: all but what is told of states and of siaga itself."""
        own = (*prefix, "siaga_newest", "siaga_samples", "siaga_remote", "ifOper", "ifAdmin")
        return sum(len(times) for labels, times in self.wrote.items() if not labels[0][1].startswith(own))


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """Receive on a free port of loopback; gone at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.headers = dict(self.headers.items())
            receiver.requests.append(len(body))
            wrote = {} if receiver.refuse else unpacked(body)
            status, text, headers = (receiver.refuse, "no", {}) if receiver.refuse else receiver.answer(wrote)
            if 200 <= status < 300:
                for labels, times in wrote.items():
                    receiver.wrote.setdefault(labels, {}).update(times)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text.encode())), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/api/v1/write"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
