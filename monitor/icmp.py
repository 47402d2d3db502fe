"""ICMP echo (RFC 792, RFC 4443) from one socket per family: thousands of addresses swept at a rate, or a burst to one.

A reply counts when it comes from the address asked and brings back the 8 random octets that only that address
was sent. Linux gives an echo socket to a group named in net.ipv4.ping_group_range, and a raw one to who has
CAP_NET_RAW; the first is tried first, as it sees nothing of others.
"""

import asyncio
import os
import secrets
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from monitor.echoes import Burst, Swept
from monitor.pace import Bucket, Pace, drain, paced, plain, roomy, until
from siaga.errors import AuthError

COOKIE = 8  # octets
_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
_ASK = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_SOL_RAW, _ICMP_FILTER, _ICMPV6_FILTER = 255, 1, 1  # <linux/icmp.h>, RFC 3542
_READ_AT_ONCE = 512
UNPERMITTED = (
    "siaga may not send ICMP echo: give its Python CAP_NET_RAW (AmbientCapabilities= of its service, or setcap"
    " cap_net_raw+ep), or name its group in the sysctl net.ipv4.ping_group_range."
)


class _Ask:
    """One address that is being asked: its cookie, when each try was sent, and who is told of an answer."""

    __slots__ = ("cookie", "heard", "sent_s", "to")

    def __init__(self, address: str, heard: Callable[[str, int, float], None]) -> None:
        self.cookie = os.urandom(COOKIE)
        self.to = (address, 0)
        self.sent_s: list[float] = []
        self.heard = heard


class Echo:
    """The sockets of one session; sweeps of it may run at the same time, but not of the same address."""

    def __init__(self, bucket: Bucket | None = None) -> None:
        self._bucket = bucket
        self._lines: dict[int, _Line] = {}

    async def __aenter__(self) -> "Echo":
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self._lines.values():
            line.close()

    def may(self, family: int = 4) -> None:
        """Raise AuthError (`no-ping`) if no socket of this family, 4 or 6, can be had."""
        self._line(family)

    async def sweep(
        self, addresses: Sequence[str], pace: Pace, told: Callable[[str, float], None] | None = None
    ) -> Swept:
        """Ask addresses of both families, each until it answers; `told` gets each that does, and its round trip.

        Raises AuthError (`no-ping`) where no socket can be had.
        """
        swept = Swept()
        names = {plain(a): a for a in addresses}
        done = asyncio.Event()

        def heard(name: str, _: int, rtt_s: float) -> None:
            if names[name] not in swept.rtt_s:
                swept.rtt_s[names[name]] = rtt_s
                if told:
                    told(names[name], rtt_s)
                if len(swept.rtt_s) + len(swept.unsent) >= len(names):
                    done.set()

        with self._asking(names, heard) as asks:
            for _ in range(pace.retries + 1):
                left = [a for n, a in asks.items() if names[n] not in swept.rtt_s]
                left = [a for a in left if names[a.to[0]] not in swept.unsent]
                if not left:
                    break
                bucket = self._bucket or Bucket(pace.rate_pps)
                unsent = await paced(left, self._send, bucket)
                swept.unsent.update((names[ask.to[0]], why) for ask, why in unsent)
                await until(done, pace.timeout_s)
                self._drain()
        return swept

    async def burst(
        self, address: str, count: int, *, interval_s: float = 0.02, timeout_s: float = 1.0
    ) -> Burst:
        """Ask one address `count` times at an interval; raises AuthError (`no-ping`)."""
        name = plain(address)
        found: dict[int, float] = {}
        done = asyncio.Event()

        def heard(_: str, number: int, rtt_s: float) -> None:
            found.setdefault(number, rtt_s)
            if len(found) == count:
                done.set()

        with self._asking({name: address}, heard) as asks:
            for number in range(count):
                await paced([asks[name]], self._send, Bucket(0))
                await until(done, timeout_s if number == count - 1 else interval_s)
            self._drain()
        return Burst(address, tuple(found.get(n) for n in range(count)))

    @contextmanager
    def _asking(
        self, names: dict[str, str], heard: Callable[[str, int, float], None]
    ) -> Iterator[dict[str, _Ask]]:
        asks = {name: _Ask(name, heard) for name in names}
        lines = {name: self._line(6 if ":" in name else 4) for name in names}
        for name, ask in asks.items():
            lines[name].asks[name] = ask
        try:
            yield asks
        finally:
            for name in asks:
                lines[name].asks.pop(name, None)

    def _send(self, ask: _Ask) -> None:
        self._lines[6 if ":" in ask.to[0] else 4].send(ask)

    def _drain(self) -> None:
        """Take in what came while the loop was busy: it lies there, and is no silence."""
        for line in self._lines.values():
            drain(line.read)

    def _line(self, family: int) -> "_Line":
        if family not in self._lines:
            self._lines[family] = _Line(socket.AF_INET6 if family == 6 else socket.AF_INET)
        return self._lines[family]


class _Line:
    """One socket, and who is asked over it by address."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self.asks: dict[str, _Ask] = {}
        self._socket, self._raw = opened(family)
        self._identifier = secrets.randbelow(1 << 16)
        self._id_octets = self._identifier.to_bytes(2, "big")
        self._ask, self._reply = _ASK[family], _REPLY[family]
        self._sums = family == socket.AF_INET and self._raw
        # A raw IPv4 socket gives the IP header too (raw(7)); the others do not.
        self._headed = self._sums
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self.read)

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def send(self, ask: _Ask) -> None:
        """Send one echo request; raises OSError."""
        number = len(ask.sent_s)
        packet = _HEADER.pack(self._ask, 0, 0, self._identifier, number & 0xFFFF) + ask.cookie
        if self._sums:  # of the others the kernel reckons it
            packet = packet[:2] + checksum(packet).to_bytes(2, "big") + packet[4:]
        ask.sent_s.append(time.monotonic())
        try:
            self._socket.sendto(packet, ask.to)
        except OSError:
            ask.sent_s.pop()
            raise

    def read(self) -> bool:
        """Take in some of what lies there, so that a flood does not hold up the loop; tell if there may be more."""
        receive, take = self._socket.recvfrom, self._take
        for _ in range(_READ_AT_ONCE):
            try:
                data, where = receive(128)
            except BlockingIOError:
                return False
            except OSError:  # an ICMP error about an earlier request
                continue
            take(data, where[0], time.monotonic())
        return True

    def _take(self, data: bytes, where: str, now_s: float) -> None:
        start = (data[0] & 0xF) << 2 if self._headed and data else 0
        ask = self.asks.get(where)
        if ask is None or len(data) < start + 8 or data[start] != self._reply:
            return
        if data[start + 8 :] != ask.cookie or (self._raw and data[start + 4 : start + 6] != self._id_octets):
            return
        number = data[start + 6] << 8 | data[start + 7]
        if number < len(ask.sent_s):
            ask.heard(where, number, now_s - ask.sent_s[number])


def opened(family: socket.AddressFamily) -> tuple[socket.socket, bool]:
    """Return a socket for ICMP echo, and whether it is a raw one; raises AuthError (`no-ping`)."""
    refused = UNPERMITTED
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            made = socket.socket(family, kind, _PROTOCOL[family])
        except PermissionError:
            continue
        except OSError as error:
            refused = f"There is no ICMP socket: {error.strerror}."
            continue
        _prepare(made, family, raw=kind == socket.SOCK_RAW)
        return made, kind == socket.SOCK_RAW
    raise AuthError("no-ping", refused)


def _prepare(made: socket.socket, family: socket.AddressFamily, *, raw: bool) -> None:
    roomy(made)
    if not raw:
        return
    reply = _REPLY[family]
    blocked = [0xFFFFFFFF] * 8  # a set bit keeps a type out
    blocked[reply >> 5] &= ~(1 << (reply & 31)) & 0xFFFFFFFF
    if family == socket.AF_INET:
        made.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", blocked[0]))
    else:
        made.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, struct.pack("=8I", *blocked))


def checksum(packet: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of an even number of octets, whose own field is zero.

    The ones' complement sum of 16-bit words is the number itself modulo 65535, as 65536 is 1 there.
    """
    rest = int.from_bytes(packet, "big") % 0xFFFF
    return 0xFFFF - rest
