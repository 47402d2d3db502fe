"""syslog, RFC 5424, over UDP (RFC 5426) or TCP with counted octets (RFC 6587, 3.4.1).

UDP says nothing about arrival: what is sent counts as told.
"""

import os
import socket
from datetime import UTC
from typing import Literal

from pydantic import Field

from monitor.notify.letter import Later, Letter, Message, Result, Sent
from siaga.settings import Frozen
from siaga.text import safe

KIND = "syslog"
ADDRESS = ""
DIGEST = False
SECRET = ""
_SEVERITY = {"critical": 2, "warning": 4}  # RFC 5424, 6.2.1: critical, warning; an end is a notice
_NOTICE = 5
_FACILITY = 16  # local0
_ELEMENT = "siaga@32473"  # RFC 5612: the number for documentation; siaga has none of its own
_LONGEST = 2000  # RFC 5424, 6.1: 2048 octets SHOULD be taken


class Options(Frozen):
    """Where the receiver is. `facility` 16 is local0."""

    host: str = Field("127.0.0.1", pattern="^[^ /]{1,253}$")
    port: int = Field(514, ge=1, le=65535)
    protocol: Literal["udp", "tcp"] = "udp"
    facility: int = Field(_FACILITY, ge=0, le=23)


def send(letter: Letter, options: Options) -> Result:
    """Send the messages of a letter, each as one line."""
    lines = [line(m, letter, options.facility) for m in letter.messages]
    where = (options.host, options.port)
    try:
        if options.protocol == "udp":
            _udp(lines, where)
        else:
            with socket.create_connection(where, timeout=letter.timeout_s) as stream:
                stream.sendall(b"".join(f"{len(octets)} ".encode() + octets for octets in lines))
                stream.shutdown(socket.SHUT_WR)
    except OSError as error:
        return Later(f"{options.host}:{options.port} cannot be reached: {error.strerror or error}")
    return Sent(f"{options.protocol} {options.host}:{options.port}")


def _udp(lines: list[bytes], where: tuple[str, int]) -> None:
    family, _, _, _, address = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as own:
        for octets in lines:
            own.sendto(octets, address)


def line(message: Message, letter: Letter, facility: int = _FACILITY) -> bytes:
    """Return one line of syslog; what is foreign in it can end neither the line nor a value."""
    severity = _NOTICE if message.event == "recovered" else _SEVERITY.get(message.severity, _NOTICE)
    at = letter.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    host = _word(socket.gethostname(), 255)
    pairs = {
        "key": message.key,
        "event": message.event,
        "rule": message.rule,
        "device": message.device,
        "subject": message.subject,
        "alert": str(message.alert_id or ""),
    }
    data = "".join(f' {name}="{_value(text)}"' for name, text in pairs.items() if text)
    head = f"<{facility * 8 + severity}>1 {at} {host} siaga {os.getpid()} {_word(message.event, 32)}"
    text = f"{message.title}: {message.said}" if message.said else message.title
    octets = f"{head} [{_ELEMENT}{data}] ".encode() + b"\xef\xbb\xbf" + safe(text, 1000).encode()
    return octets[:_LONGEST]


def _word(text: str, limit: int) -> str:
    """Return a header field: printable US-ASCII without spaces, or '-' for nothing."""
    return "".join(c for c in text if 33 <= ord(c) <= 126)[:limit] or "-"


def _value(text: str) -> str:
    """Return a PARAM-VALUE: a backslash before each of the three characters that mean something (6.3.3)."""
    return "".join(f"\\{c}" if c in '"\\]' else c for c in safe(text, 200))
