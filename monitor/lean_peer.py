"""One device on the lean engine's wire: its address, how it is spoken to, and the one question that is open.

A question has tries that wait longer each time. An SNMPv3 device is greeted first and asked again when its clock
differs; what does not answer the question is counted, and says at the end why nothing usable came.
"""

import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from monitor.ber import Malformed
from monitor.lean import Wire
from monitor.lean_waiting import Address, Bucket
from monitor.observation import Reach
from monitor.snmp_agent import Fault
from monitor.snmp_message import Opened, Stale, Template, Voice
from monitor.targets import SnmpVersion, Target
from monitor.usm import Engine, Reported, Why
from siaga.text import safe

BACK_OFF = 1.5  # each try waits this much longer than the one before
RESYNCS = 4  # discovery and time synchronisation take two; more is a device that never agrees
# A device that is heard answers in a fraction of its time-out: what is lost is asked again early, beside the tries.
_EARLY_S = (0.25, 0.5, 1.0)
_EARLY_TIMES = 4  # as long as the slowest answer of late
_FORGETS = 0.6  # of how slow it was, with each series of questions
_LOST_BY_US = 3  # tries that are not counted when our own buffer overflowed
_REFUSALS = {
    Why.unknown_user: "The device does not know this SNMPv3 user.",
    Why.wrong_digest: "The SNMPv3 authentication password or protocol is wrong.",
    Why.decryption_error: "The SNMPv3 privacy password or protocol is wrong.",
    Why.unsupported_level: "The device does not allow this user the SNMPv3 security level asked for.",
    Why.not_in_time_window: "The device's SNMPv3 clock (boots and time) never agrees with what it reported.",
    Why.unknown_engine: "The device never agrees to an SNMPv3 engine ID.",
    Why.other: "The SNMPv3 exchange failed with a report that is none of USM's.",
}


class Peer:
    """A device with at most one question open; `ask` calls back once with what was read, or with a Fault."""

    __slots__ = (
        "_answering", "_done", "_early_s", "_free", "_greeted", "_greeting", "_left", "_read", "_request",
        "_resyncs", "_sent_s", "_slow_s", "_smaller", "_try_s", "_waited_s", "_window", "address",
        "busy", "due_s", "error", "garbled", "heard", "limit", "muddy", "number", "plan", "stale", "take", "target",
        "tries", "voice", "wait_s", "wire",
    )  # fmt: skip

    def __init__(self, target: Target, address: Address, voice: Voice, wire: Wire) -> None:
        self.target = target
        self.address = address
        self.voice = voice
        self.wire = wire
        self.limit: Bucket | None = None
        self.plan: Any = None  # what lean_round.py knows of this device
        self.number = b""
        self.wait_s = self.due_s = 0.0
        self.heard = False
        self._window: Callable[[Opened, float], bool] | None = None
        self.take: Callable[[bytes, float], bool] = _nothing
        self.busy = False
        self._answering = False
        self._slow_s = self._sent_s = 0.0
        self.tries = 0
        self._greeted = False
        self._begin()

    def __repr__(self) -> str:
        return f"Peer({self.target.name!r}, {self.address})"

    def _begin(self) -> None:
        self.muddy = False  # nothing went wrong yet with the open question
        self._greeting = False
        self._free = _LOST_BY_US
        self._resyncs = 0
        self._waited_s = 0.0
        self.error = self.garbled = self.stale = 0

    def ask(
        self,
        request: Template,
        read: Callable[[Opened], Any],
        done: Callable[[Any], None],
        *,
        tries: int,
        wait_s: float,
        smaller: Callable[[int], Template] | None = None,
        window: Callable[[Opened, float], bool] | None = None,
        take: Callable[[bytes, float], bool] | None = None,
        queued: bool = False,
    ) -> None:
        """Ask; `done` gets what `read` made of the response (it may raise Malformed), or a Fault.

        All tries have one id, so that a late answer is taken as well. `smaller` makes the request of the second try
        (1) and the following ones. `window` gets the response first: it takes it and says so, and then asks
        `at_once` for more or ends with `told`; what it does not take is read by `read`. `take` does the same with
        the datagram as it came, before anything else. `queued`: begin when it is this device's turn among many.
        """
        self._read = read
        self._done = done
        self._smaller = smaller
        self._window = window
        self.take = take or _nothing
        self.go_on(request, tries, wait_s, self.wire.queue if queued else self.wire.submit)

    def go_on(
        self, request: Template, tries: int, wait_s: float, begin: Callable[["Peer"], None] | None = None
    ) -> None:
        """Ask the next request of a series: read, told and timed as the last one was."""
        self.busy = True
        self._request = request
        self._left = tries
        self._try_s = wait_s
        self._slow_s *= _FORGETS
        self._early_s = self._early() if self._slow_s else 0.0
        wire = self.wire
        self.number = next(wire.ids)
        self.tries = 1
        if self.muddy:
            self._begin()
        if self._answering and self.limit is None and begin is None:
            self.launch(wire.now_s)  # it has its place in the window still
        else:
            if self._answering:
                wire.release(self)
            (begin or wire.submit)(self)

    def at_once(self, request: Template, now_s: float) -> None:
        """Ask the next request of a series as the last one was asked, which was answered well (from `window`).

        Only where nothing went wrong with the last one (`muddy`), and no link is shared (`limit`).
        """
        took_s = now_s - self._sent_s
        if took_s > self._slow_s:
            self._slow_s = took_s
            if took_s * _EARLY_TIMES >= self._early_s:
                self._early_s = self._early()
                self.wait_s = self._early_s or self._try_s
        self._request = request
        self._sent_s = now_s
        wire = self.wire
        self.number = number = next(wire.ids)
        wire.outbox.append((self, self.voice.pack(number, request, now_s)))

    def _early(self) -> float:
        """Return after how long to ask again for the first time; 0 for no sooner than usual."""
        slow_s = self._slow_s * _EARLY_TIMES
        for early_s in _EARLY_S:
            if slow_s < early_s:
                return early_s if early_s <= self._try_s / 2 and self._left > 1 else 0.0
        return 0.0

    def abandon(self) -> None:
        """Give the open question up; nobody is called."""
        self.busy = False
        self._done = _nobody
        self.wire.withdraw(self)

    def _resend(self, now_s: float) -> None:
        if self.limit is not None:
            self.limit.owe()
        self.launch(now_s)

    def launch(self, now_s: float) -> None:
        """Send a try (the first one is called by the wire)."""
        voice = self.voice
        self._sent_s = now_s
        if voice.met:
            data = voice.pack(self.number, self._request, now_s)
        else:
            self._greeting = True
            data = voice.hello(self.number)
        self.wait_s = self._early_s or self._try_s
        try:
            self.wire.send(self, data, now_s)
        except OSError as error:
            self._no_way(error)

    def _no_way(self, error: OSError) -> None:
        self.muddy = True
        self.error = error.errno or errno.EHOSTUNREACH
        self._fail()

    def came(self, data: bytes, now_s: float) -> None:
        """Take a datagram from the device's address that `take` did not take (called by the wire)."""
        try:
            if self._greeting:
                self.voice.greeted(data, self.number, now_s)
                self._again(now_s)
                return
            opened = self.voice.open(data, self.number, now_s)
        except Stale:
            self.muddy = True
            self.stale += 1
            self.wire.tally.stale += 1
        except Malformed:
            self._garbled()
        except Reported as report:
            self._reported(report, now_s)
        else:
            window = self._window
            if window is None or not window(opened, now_s):
                self._opened(opened)

    def _opened(self, opened: Opened) -> None:
        try:
            found = self._read(opened)
        except Malformed:
            self._garbled()
        else:
            self.told(found)

    def _garbled(self) -> None:
        self.muddy = True
        self.garbled += 1
        self.wire.tally.garbled += 1

    def told(self, found: Any) -> None:
        """Take the last answer for good and tell what it held."""
        self.heard = True
        self._slow_s = max(self._slow_s, self.wire.now_s - self._sent_s)
        self._over(found)

    def _over(self, found: Any) -> None:
        """Tell what was asked for; who goes on at once keeps the place in the window."""
        self.busy = False
        self._answering = True
        try:
            self._done(found)
        finally:
            self._answering = False
            if not self.busy:
                self.wire.release(self)

    def _again(self, now_s: float) -> None:
        """Ask once more under a new id, so that a second copy of what was just read is of another question."""
        self._greeting = False
        self._greeted = True
        self.number = next(self.wire.ids)
        self._resend(now_s)

    def _reported(self, report: Reported, now_s: float) -> None:
        self.muddy = True
        self._resyncs += 1
        self.wire.tally.resynced += 1
        if report.again and self._resyncs <= RESYNCS:
            self._again(now_s)
        else:
            self._end(Fault(Reach.refused, _REFUSALS[report.why]))

    def expired(self, now_s: float, *, ours: bool) -> None:
        """Take a time-out (called by the wire)."""
        self.muddy = True
        self._waited_s += self._early_s or self._try_s
        if self._early_s:
            self._early_s = 0.0
            self.wire.tally.resent += 1
            self._resend(now_s)
        elif ours and self._free:
            self._free -= 1
            self._resend(now_s)
        elif self._left > 1:
            self._left -= 1
            if self._smaller is not None:
                self._request = self._smaller(self.tries)
            self.tries += 1
            self._try_s *= BACK_OFF
            self.wire.tally.resent += 1
            self._resend(now_s)
        else:
            self._fail()

    def unreachable(self, number: int, *, sure: bool) -> None:
        """Take an ICMP error: a closed port is an answer, any other may pass (called by the wire).

        One that does not quote our id may be forged by whoever guesses a port: it is believed when nothing else comes.
        """
        self.muddy = True
        self.error = number
        if number == errno.ECONNREFUSED and sure:
            self._fail()

    def broke(self, error: Exception) -> None:
        """End the question after an error of our own, wherever it was (called by the wire)."""
        done, self._done = self._done, _nobody
        self.muddy = True
        self._answering = self.busy = False
        self.wire.release(self)
        done(Fault(Reach.garbage, f"{self._where()} could not be read: {safe(repr(error), 120)}."))

    def _fail(self) -> None:
        self._end(self.why())

    def _end(self, fault: Fault) -> None:
        self._over(fault)

    def _where(self) -> str:
        return f"{self.target.address} port {self.target.snmp_port}"

    def why(self) -> Fault:
        """Return why nothing usable came to the question that was open."""
        where = self._where()
        if self.error == errno.ECONNREFUSED:
            return Fault(Reach.silent, f"Nothing listens at {where} (ICMP port unreachable).")
        if self.error:
            return Fault(Reach.silent, f"There is no way to {where}: {os.strerror(self.error)}.")
        version = self.target.snmp.version.value if self.target.snmp else ""
        if self.garbled:
            return Fault(Reach.garbage, f"What answers at {where} does not speak SNMPv{version}.")
        if self.stale:
            return Fault(Reach.garbage, f"What answers at {where} answers other questions than those asked.")
        reach, sentence = self._silence()
        return Fault(reach, f"No answer in {self._waited_s:.1f} s: {sentence}")

    def _silence(self) -> tuple[Reach, str]:
        """Some agents drop what they cannot decrypt: silence right after the greeting is a refusal."""
        if self.target.snmp is None or self.target.snmp.version is not SnmpVersion.v3:
            return Reach.silent, "down, filtered, or the community is wrong."
        if self.heard:
            return Reach.silent, "it answered before."
        if self._greeted and isinstance(self.voice, Engine) and self.voice.user.cipher:
            return (
                Reach.refused,
                "it greeted and then said nothing: the privacy password or protocol is wrong.",
            )
        if self._greeted:
            return Reach.refused, "it greeted and then said nothing: it does not accept this SNMPv3 user."
        if isinstance(self.voice, Engine) and self.voice.met and self.voice.user.cipher:
            # Remembered, it was not greeted: what cannot decrypt says nothing, as one that is down.
            return (
                Reach.silent,
                "down, filtered, or the privacy password or protocol is wrong; it spoke SNMPv3 before.",
            )
        return Reach.silent, "down, filtered, or it does not speak SNMPv3."


def _nobody(_: object) -> None:
    """Take the answer to a question that was given up."""


def _nothing(_data: bytes, _now_s: float) -> bool:
    """Take no datagram as it came."""
    return False


def numeric(address: str, port: int) -> Address | None:
    """Return the address as the kernel gives it back with each datagram, or None for what is no number."""
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError, ValueError):
        return None
    return found[0][4]  # type: ignore[return-value]  # numeric ports only
