"""Who speaks SNMP? A light probe of thousands of hosts over one socket per family, before any is looked at whole.

A reply counts when it comes from the address and port asked and bears the random number that was sent there. What
an attempt costs a device is one GET; of SNMPv3 nothing is sent but the greeting by which its engine is found. A host
that says itself that nothing listens there (ICMP port unreachable, with our number in what it quotes) is asked no more.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from monitor import identify
from monitor import knock_wire as wire
from monitor.ber import Malformed
from monitor.pace import Bucket, Pace, drain, paced, plain, roomy, until
from monitor.tables import ENGINE_ID, Oid, Value, as_text
from monitor.targets import SnmpAuth, SnmpVersion

_READ_AT_ONCE = 256
_NUMBERS_FROM = 1 << 30
# IP_RECVERR and IPV6_RECVERR of <linux/in.h> and <linux/in6.h>, and who an error comes from (<linux/errqueue.h>).
_ERRORS = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
_BY_ICMP, _BY_ICMPV6 = 2, 3


@dataclass(frozen=True)
class Greeting:
    """What a host said to a light probe. `booted_s`: when its engine started, on this machine's monotonic clock."""

    sysDescr: str = ""  # noqa: N815 - the MIB's own names
    sysObjectID: str = ""  # noqa: N815
    sysName: str = ""  # noqa: N815
    engine_id: str = ""
    booted_s: float | None = None


@dataclass
class Knocked:
    """What a round of probes brought: address → greeting; who has no agent; of what could not be asked, why."""

    heard: dict[str, Greeting] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    unsent: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Question:
    """One way to ask: the message, and what reads its answer."""

    message: wire.Message
    read: Callable[[bytes], tuple[int, Greeting]]


class Knocker:
    """The sockets of one session; rounds may run at the same time, but not of the same address."""

    def __init__(self, port: int = 161, bucket: Bucket | None = None) -> None:
        self._port = port
        self._bucket = bucket
        self._lines: dict[int, _Line] = {}

    async def __aenter__(self) -> "Knocker":
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self._lines.values():
            line.close()

    async def knock(self, addresses: Sequence[str], auth: SnmpAuth, pace: Pace) -> Knocked:
        """Ask each host once, and again if it says nothing; a community goes with it, of a v3 user nothing."""
        question = _question(auth)
        knocked = Knocked()
        names = {plain(a): a for a in addresses}
        done = asyncio.Event()

        def heard(name: str, greeting: Greeting | None) -> None:
            if greeting is None:
                knocked.closed.add(names[name])
            else:
                knocked.heard[names[name]] = greeting
            if len(knocked.heard) + len(knocked.closed) + len(knocked.unsent) >= len(names):
                done.set()

        asks = [_Ask(name, question, heard) for name in names]
        try:
            for _ in range(pace.retries + 1):
                left = [a for a in asks if not a.answered and names[a.name] not in knocked.unsent]
                if not left:
                    break
                unsent = await paced(left, self._send, self._bucket or Bucket(pace.rate_pps))
                knocked.unsent.update((names[ask.name], why) for ask, why in unsent)
                await until(done, pace.timeout_s)
                self._drain()
        finally:
            for line in self._lines.values():
                for ask in asks:
                    line.asks.pop(ask.name, None)
        return knocked

    def _send(self, ask: "_Ask") -> None:
        line = self._line(ask.name)
        line.asks[ask.name] = ask
        message, where = ask.question.message(ask.number), (ask.name, self._port)
        try:
            line.socket.sendto(message, where)
        except OSError:  # perhaps of an earlier request: the kernel tells of an ICMP error at the next call
            line.socket.sendto(message, where)

    def _drain(self) -> None:
        for line in self._lines.values():
            drain(line.read)

    def _line(self, name: str) -> "_Line":
        family = socket.AF_INET6 if ":" in name else socket.AF_INET
        if family not in self._lines:
            self._lines[family] = _Line(family, self._port)
        return self._lines[family]


class _Ask:
    """One host that is being asked, and who is told of its answer."""

    __slots__ = ("answered", "heard", "name", "number", "question")

    def __init__(self, name: str, question: _Question, heard: Callable[[str, Greeting | None], None]) -> None:
        self.name = name
        self.question = question
        self.heard = heard
        self.number = _NUMBERS_FROM + secrets.randbits(30)
        self.answered = False


class _Line:
    """One socket that is bound to no peer, and who is asked over it by address."""

    def __init__(self, family: socket.AddressFamily, port: int) -> None:
        self.asks: dict[str, _Ask] = {}
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        roomy(self.socket)
        self._level, self._option = _ERRORS[family]
        self.socket.setsockopt(self._level, self._option, 1)
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.socket, self.read)

    def close(self) -> None:
        self._loop.remove_reader(self.socket)
        self.socket.close()

    def read(self) -> bool:
        """Take in some of what lies there, so that a flood does not hold up the loop; tell if there may be more."""
        for _ in range(_READ_AT_ONCE):
            try:
                data, where = self.socket.recvfrom(65535)
            except BlockingIOError:
                self._read_errors()
                return False
            except OSError:  # that of an ICMP error, which waits to be read
                continue
            if where[1] == self._port:
                self._take(data, where[0])
        return True

    def _read_errors(self) -> None:
        for _ in range(_READ_AT_ONCE):
            try:
                quoted, extra, _, where = self.socket.recvmsg(512, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            errors = [e for level, option, e in extra if (level, option) == (self._level, self._option)]
            if errors and _port_unreachable(errors[0], where[0]):
                self._take_closed(quoted, where[0])

    def _take_closed(self, quoted: bytes, where: str) -> None:
        ask = self.asks.get(where)
        if ask is not None and not ask.answered and ask.number.to_bytes(4, "big") in quoted:
            ask.answered = True
            ask.heard(where, None)

    def _take(self, data: bytes, where: str) -> None:
        ask = self.asks.get(where)
        if ask is None or ask.answered:
            return
        try:
            number, greeting = ask.question.read(data)
        except Malformed:
            return
        if number == ask.number:
            ask.answered = True
            ask.heard(where, greeting)


def _port_unreachable(error: bytes, where: str) -> bool:
    """Tell whether a sock_extended_err (ip(7)) says that the host itself has nothing at this port."""
    if len(error) < 24:
        return False
    origin, kind, code = error[4:7]
    if (origin, kind, code) == (_BY_ICMP, 3, 3):
        return socket.inet_ntop(socket.AF_INET, error[20:24]) == where
    by_v6 = (origin, kind, code) == (_BY_ICMPV6, 1, 4) and len(error) >= 40
    return by_v6 and socket.inet_ntop(socket.AF_INET6, error[24:40]) == where


def _question(auth: SnmpAuth) -> _Question:
    if auth.version is SnmpVersion.v3:
        return _Question(wire.greeting, _report)
    version = 0 if auth.version is SnmpVersion.v1 else 1
    message = wire.get(version, auth.community.get_secret_value().encode())
    return _Question(message, lambda data: _response(data, version))


def _report(data: bytes) -> tuple[int, Greeting]:
    number, engine_id = wire.read_report(data)
    return number, Greeting(engine_id=engine_id.hex())


def _response(data: bytes, version: int) -> tuple[int, Greeting]:
    number, seen = wire.read_response(data, version)
    return number, greeting_of(seen, time.monotonic())


def greeting_of(seen: dict[Oid, Value], now_s: float) -> Greeting:
    """Return what was read, as a greeting."""
    ticks, engine = seen.get(identify.SYS_UPTIME), seen.get(ENGINE_ID)
    return Greeting(
        sysDescr=as_text(seen.get(identify.SYS_DESCR)),
        sysObjectID=as_text(seen.get(identify.SYS_OBJECT_ID)),
        sysName=as_text(seen.get(identify.SYS_NAME)),
        engine_id=engine.hex() if isinstance(engine, bytes) and 5 <= len(engine) <= 32 else "",
        booted_s=now_s - ticks / 100 if isinstance(ticks, int) and ticks >= 0 else None,
    )
