"""Syslog messages: RFC 5424, RFC 3164 and what devices send instead, and their frames over TCP (RFC 6587). Pure.

The time that a message says is not taken: clocks of devices are wrong, and anybody can write one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from siaga.text import decoded

MOST_BYTES = 8 << 10
_PRI = re.compile(rb"<(\d{1,3})>")
_NEW = re.compile(rb"1 (\S{1,48}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) ")
_OLD = re.compile(
    rb"(?:\S+: )?[*.]?(?:[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{2,5})?"
    rb"|\d{4}-\d\d-\d\dT\S+) ([A-Za-z0-9_.:-]{1,255}) "
)


@dataclass(frozen=True)
class Line:
    """One message: `text` is all after the priority, safe to show; `host` what it says its sender is."""

    facility: int
    severity: int
    host: str
    text: str


def parsed(data: bytes) -> Line | None:
    """Return a message; None for what has no priority, or is none. A message that is too long is cut."""
    data = data[:MOST_BYTES].strip(b"\r\n\0 ")
    pri = _PRI.match(data)
    if not pri or int(pri[1]) > 191 or pri.end() == len(data):
        return None
    rest = data[pri.end() :]
    found = _NEW.match(rest) or _OLD.match(rest)
    host = found[2] if found and found.re is _NEW else found[1] if found else b""
    facility, severity = divmod(int(pri[1]), 8)
    return Line(
        facility, severity, "" if host == b"-" else decoded(host.rstrip(b":"), 255), decoded(rest, 2000)
    )


@dataclass
class Frames:
    """Takes the octets of one TCP stream apart: each frame has its length in front, or ends with a line feed."""

    _left: bytearray = field(default_factory=bytearray)
    _skipping: bool = False
    cut: int = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the frames that are whole now. What is longer than a message may be is thrown away and counted."""
        self._left += data
        while self._left:
            frame = self._next()
            if frame is None:
                break
            if frame:
                yield frame
        if len(self._left) > MOST_BYTES + 8:
            self._left.clear()
            self.cut += not self._skipping
            self._skipping = True

    def _next(self) -> bytes | None:
        """Return the next frame, empty for what is none; None when more must come."""
        counted = re.match(rb"([1-9]\d{0,7}) (?=<)", self._left[:12])
        if counted and not self._skipping:
            start, size = counted.end(), int(counted[1])
            if size <= MOST_BYTES:
                return self._take(start, start + size)
        end = self._left.find(b"\n")
        if end < 0:
            return None
        frame = self._take(0, end + 1)
        if self._skipping:
            self._skipping = False
            return b""
        return frame

    def _take(self, start: int, end: int) -> bytes | None:
        if len(self._left) < end:
            return None
        frame = bytes(self._left[start:end])
        del self._left[:end]
        return frame
