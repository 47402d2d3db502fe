"""Listens to one command's answer on a command line, to its prompt: pages are turned, silence and cuts are noticed.

netmiko reads until a pattern with a time-out of its own; this reads what there is and looks at the end of it alone, so
that ten megabytes cost what they weigh, and tells apart what a device can do wrong.
"""

import re
import time
from typing import Any, NamedTuple

_PIECE = 65_536
_TAIL = 400  # characters: a prompt, or what a pager shows, is shorter
_GATHER_S = 0.01  # a device speaks in hundreds of packets; each by itself would be a turn of two threads
_SETTLED_S = 0.06  # after what looks like the prompt nothing more comes
_STRANGE_S = 2.0  # for so long another prompt than ours may be anything
_PROMPT = re.compile(r"(?:^|[\r\n])[^\r\n]{1,64}[>#$%\]] ?$")
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class CutError(Exception):
    """The answer did not come whole; `kind` is a result of a backup, the message the end of a sentence."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class Limits(NamedTuple):
    """How long a device may be silent and take altogether, in seconds, and what it may say."""

    silent_s: float
    longest_s: float
    octets: int


def prompt_of(base: str) -> re.Pattern[str]:
    """Return what a prompt looks like of which netmiko found a part; the mode, as in `sw(config)#`, may change."""
    bare = base.strip().rstrip("<>#$%[] ").lstrip("<[")
    name = re.escape(bare.partition("(")[0] or bare or base.strip())
    return re.compile(rf"(?:^|[\r\n])[^\r\n]{{0,12}}{name}[^\r\n]{{0,64}}[>#$%\]]\s*$")


def answer(session: Any, command: str, prompt: re.Pattern[str], limits: Limits, more: str = "") -> bytes:
    """Say a command and return the octets of its answer, with the echo and the prompt. Raises CutError."""
    channel = session.remote_conn
    session.write_channel(command + session.RETURN)
    return _Listener(channel, prompt, limits, re.compile(more) if more else None).heard()


class _Listener:
    def __init__(
        self, channel: Any, prompt: re.Pattern[str], limits: Limits, more: re.Pattern[str] | None
    ) -> None:
        self._channel, self._prompt, self._limits, self._more = channel, prompt, limits, more
        self._parts: list[bytes] = []
        self._size = 0
        self._tail = ""

    def heard(self) -> bytes:
        began = last = time.monotonic()
        while True:
            piece = self._piece(self._wait_s(last))
            now = time.monotonic()
            if piece:
                last = now
                self._take(piece)
                time.sleep(_GATHER_S)
            elif self._prompt.search(self._tail):
                return b"".join(self._parts)
            else:
                self._idle(now - last)
            if now - began > self._limits.longest_s:
                raise CutError("incomplete", f"it did not end within {self._limits.longest_s:g} s")

    def _wait_s(self, last: float) -> float:
        if self._prompt.search(self._tail):
            return _SETTLED_S
        return min(0.5, max(0.01, last + self._limits.silent_s - time.monotonic()))

    def _piece(self, wait_s: float) -> bytes:
        self._channel.settimeout(wait_s)
        try:
            piece: bytes = self._channel.recv(_PIECE)
        except TimeoutError:
            return b""
        except OSError:
            piece = b""
        if not piece:
            raise CutError("incomplete", f"the session ended after {self._size} characters of it")
        return piece

    def _take(self, piece: bytes) -> None:
        self._parts.append(piece)
        self._size += len(piece)
        if self._size > self._limits.octets:
            raise CutError("garbled", f"it said more than {self._limits.octets} characters")
        self._tail = _ESCAPES.sub("", (self._tail + piece.decode("latin-1"))[-_TAIL:])
        if self._more is not None:
            line = re.split(r"[\r\n]", self._tail)[-1].strip()
            if line and self._more.search(line):
                self._tail = ""
                self._channel.sendall(b" ")

    def _idle(self, silent_s: float) -> None:
        if silent_s > _STRANGE_S and _PROMPT.search(self._tail):
            shown = re.split(r"[\r\n]", self._tail)[-1].strip()
            raise CutError("incomplete", f"its prompt changed in mid-session, to '{shown[:60]}'")
        if silent_s > self._limits.silent_s:
            raise CutError("incomplete", f"it fell silent after {self._size} characters of it")
