"""The lean engine's wire: one UDP socket for each address family, thousands of devices, one PDU in flight for each.

What comes is matched by its source address and port, and then by an unpredictable id. ICMP errors come back through
the socket's error queue (IP_RECVERR, Linux), each with the address it is about. Whoever waits is in one queue for
each length of waiting, so that nothing is sorted. Before a time-out counts, the socket is read empty, and the time
during which our own loop did not run is not counted: saturation never looks like an outage.
"""

import asyncio
import errno
import logging
import socket
import struct
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from monitor.snmp_message import new_ids
from siaga.text import safe

DRAIN = 128  # datagrams read at one wake-up, so that the rest of the program has its turns
LAUNCH = 64  # first requests sent at one turn, so that their answers fit the socket's buffer
WINDOW = 2048
_MANY = 64  # devices in flight from which on the sockets are read at intervals
_REGULAR_S = 0.002
_TICK_S = 0.05
_LATE_S = 0.01  # a tick this much late is a loop that did not run
_BUFFER_BYTES = 8 << 20
_SO_RCVBUFFORCE, _SO_MEMINFO, _MEMINFO_DROPS = 33, 55, 8
_IP_RECVERR, _IPV6_RECVERR, _MSG_ERRQUEUE = 11, 25, 0x2000
_FULL_S = 1.0  # so long a flood may keep all from being judged
_PAYLOAD_SEEN = 64  # an ICMP error that quotes this much and not the id is about an older question

_log = logging.getLogger(__name__)

Address = tuple[str, int] | tuple[str, int, int, int]


@dataclass(slots=True)
class Tally:
    """What the wire did, counted, and how late our own loop was at most."""

    sent: int = 0
    came: int = 0
    strays: int = 0  # from nobody that was asked, or late
    stale: int = 0  # good messages of another id
    garbled: int = 0
    resent: int = 0
    resynced: int = 0
    unreachable: int = 0
    dropped: int = 0  # by the kernel, because the socket's buffer was full
    broken: int = 0  # answers that our own reading stumbled over
    lag_max_s: float = 0.0


class Waiting(Protocol):
    """Who has one request in flight at an address."""

    address: Address
    number: bytes
    due_s: float  # when what is open is overdue; the wire sets it
    limit: "Bucket | None"

    def launch(self, now_s: float) -> None:
        """Send the first try."""

    def came(self, data: bytes, now_s: float) -> None:
        """Take a datagram from the address."""

    def expired(self, now_s: float, *, ours: bool) -> None:
        """Take a time-out; `ours` if we may have lost the answer ourselves."""

    def unreachable(self, number: int, *, sure: bool) -> None:
        """Take an ICMP error (an errno) for the address; `sure` if it quotes the id of the open question."""

    def broke(self, error: Exception) -> None:
        """End the question, because one of the above raised what it should not."""


@dataclass(slots=True)
class Bucket:
    """A token bucket: PDUs a second through one link of a site, and who waits for the next."""

    rate: float
    burst: float
    tokens: float
    at_s: float
    waiting: deque[Waiting] = field(default_factory=deque)

    def take(self, now_s: float) -> bool:
        """Take one token, if there is one."""
        self.tokens = min(self.burst, self.tokens + (now_s - self.at_s) * self.rate)
        self.at_s = now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def owe(self) -> None:
        """Take a token that may not be there yet, for what cannot wait: a try again."""
        self.tokens -= 1


@dataclass(slots=True)
class _Turn:
    """Who was sent something at one time and waits equally long: one object for many, because they are so many."""

    at_s: float
    wait_s: float
    due_s: float
    stalled_s: float
    asked: list[Waiting] = field(default_factory=list)


_NO_TURN = _Turn(-1.0, -1.0, 0.0, 0.0)  # nobody was sent anything at this time


class Wire:
    """Sends for many and gives each what came for it. Lives in the running loop; `close` gives the sockets back."""

    def __init__(self, window: int = WINDOW) -> None:
        self.tally = Tally()
        self.ids = new_ids()
        self._loop = asyncio.get_running_loop()
        self.time = self._loop.time
        self.now_s = self.time()  # when what is read now was begun to be read
        self._window = window
        self._sockets: dict[int, socket.socket] = {}  # by how many parts an address has
        self._open: dict[Address, Waiting] = {}
        self._queued: deque[Waiting] = deque()  # for a place in the window
        self._behind: dict[Address, deque[Waiting]] = {}  # for another at the same address
        self._waits: dict[float, deque[_Turn]] = {}
        self._turn = _NO_TURN  # the last one
        self._buckets: dict[str, Bucket] = {}
        self._full_since_s = 0.0
        self._stalled_s = 0.0  # how long the loop did not run, altogether
        self._drops: dict[int, int] = {}
        self._outbox: list[tuple[socket.socket, bytes, Address]] | None = None  # while answers are read
        self._admitting = False
        self._regular = False  # read at intervals and not when something came
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Forget who waits, and close the sockets."""
        if self._timer is not None:
            self._timer.cancel()
        for opened in self._sockets.values():
            self._loop.remove_reader(opened.fileno())
            opened.close()
        self._turn = _NO_TURN
        for lost in (self._sockets, self._open, self._queued, self._behind, self._waits):
            lost.clear()

    @property
    def in_flight(self) -> int:
        """How many devices have a request in flight."""
        return len(self._open)

    def bucket(self, site: str, rate: float) -> Bucket:
        """Return the bucket of a site's link; a second's worth may go at once."""
        if site not in self._buckets:
            self._buckets[site] = Bucket(rate, max(1.0, rate), max(1.0, rate), self.time())
        return self._buckets[site]

    def submit(self, who: Waiting) -> None:
        """Launch, now or when there is a place in the window, at the address and on the link."""
        at = self._open.get(who.address)
        if at is not None and at is not who:
            self._behind.setdefault(who.address, deque()).append(who)
        elif len(self._open) >= self._window:
            self._queued.append(who)
            self._admit_soon()
        elif who.limit is not None and (who.limit.waiting or not who.limit.take(self.time())):
            who.limit.waiting.append(who)  # behind those that wait already
            self._tick_soon()
        else:
            self._launch(who)

    def _launch(self, who: Waiting) -> None:
        self._open[who.address] = who
        try:
            who.launch(self.time())
        except Exception as error:  # noqa: BLE001 - the rim: one device must not hold up the others
            self._broke(who, error)

    def queue(self, who: Waiting) -> None:
        """Submit in turn, after what came meanwhile was read: for whoever begins with many others."""
        self._queued.append(who)
        self._admit_soon()

    def release(self, who: Waiting) -> None:
        """Give the place back after an answer or the last time-out, or without any."""
        if self._open.get(who.address) is who:
            del self._open[who.address]
            if who.address in self._behind:
                self._next_at(who.address)
        if self._queued:
            self._admit_soon()

    def withdraw(self, who: Waiting) -> None:
        """Forget one that waits or is in flight."""
        lines = [self._queued, self._behind.get(who.address), who.limit and who.limit.waiting]
        for line in lines:
            with suppress(ValueError):
                if line:
                    line.remove(who)
        self.release(who)

    def _next_at(self, address: Address) -> None:
        line = self._behind[address]
        following = line.popleft() if line else None
        if not line:
            del self._behind[address]
        if following is not None:
            self._loop.call_soon(self.submit, following)

    def _admit_soon(self) -> None:
        if not self._admitting:
            self._admitting = True
            self._loop.call_soon(self._admit)

    def _admit(self) -> None:
        self._admitting = False
        for _ in range(LAUNCH):
            if not self._queued or len(self._open) >= self._window:
                return
            self.submit(self._queued.popleft())
        if self._queued:
            self._admit_soon()

    def send(self, who: Waiting, data: bytes, wait_s: float, now_s: float) -> None:
        """Send a datagram and wait for the answer to `who.number`; raises OSError where there is no way.

        While answers are read it is sent after them.
        """
        address = who.address
        opened = self._sockets.get(len(address)) or self._new_socket(len(address))
        if self._outbox is not None:
            self._outbox.append((opened, data, address))
        else:
            self._put(opened, data, address)
        self.tally.sent += 1
        turn = self._turn
        if turn.wait_s != wait_s or turn.at_s != now_s:
            turn = self._next_turn(wait_s, now_s)
        who.due_s = turn.due_s
        turn.asked.append(who)

    def _put(self, opened: socket.socket, data: bytes, address: Address) -> None:
        try:
            opened.sendto(data, address)
        except BlockingIOError:
            pass  # the socket's buffer is full: as good as lost, the next try comes
        except OSError:
            # An ICMP error for another device may be reported here: it is read, then this one is really sent.
            self._read_errors()
            with suppress(BlockingIOError):
                opened.sendto(data, address)

    def _send_out(self) -> None:
        """Send what was asked for while answers were read, all at once: who answers need not be woken for each."""
        outbox, self._outbox = self._outbox or (), None
        for opened, data, address in outbox:
            try:
                opened.sendto(data, address)
            except BlockingIOError:
                continue
            except OSError:
                self._put_late(opened, data, address)

    def _put_late(self, opened: socket.socket, data: bytes, address: Address) -> None:
        """Send again; where there is no way its question ends by its time-outs, which then say so."""
        try:
            self._put(opened, data, address)
        except OSError as error:
            if (who := self._open.get(address)) is not None:
                self._unreachable(who, error.errno or errno.EHOSTUNREACH, sure=False)

    def _next_turn(self, wait_s: float, now_s: float) -> _Turn:
        line = self._waits.setdefault(wait_s, deque())
        if line and line[-1].at_s == now_s:
            self._turn = line[-1]
        else:
            self._turn = _Turn(now_s, wait_s, now_s + wait_s, self._stalled_s)
            line.append(self._turn)
            if self._timer is None:
                self._tick_soon()
        return self._turn

    def _new_socket(self, parts: int) -> socket.socket:
        """Open the socket for addresses of two parts (IPv4) or four (IPv6)."""
        family = socket.AF_INET if parts == 2 else socket.AF_INET6
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
            try:
                opened.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
                break
            except OSError:  # only root may have more than net.core.rmem_max
                continue
        with suppress(OSError):  # Linux; elsewhere a closed port is a time-out
            if family == socket.AF_INET:
                opened.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            else:
                opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        opened.bind(("", 0))
        self._sockets[parts] = opened
        self._drops[parts] = _drops(opened)
        if not self._regular:
            self._loop.add_reader(opened.fileno(), self._readable, opened)
        return opened

    def _readable(self, opened: socket.socket) -> None:
        if not self._drain(opened):
            self._read_errors()
        if len(self._open) >= _MANY and not self._regular:
            self._regular = True
            for each in self._sockets.values():
                self._loop.remove_reader(each.fileno())
            self._loop.call_later(_REGULAR_S, self._read_regularly)

    def _read_regularly(self) -> None:
        """Look every few milliseconds, as long as many answers are due: to be woken for each costs more than it."""
        if not self._sockets:
            return  # closed meanwhile
        came = sum([self._drain(each) for each in tuple(self._sockets.values())])
        if not came:
            self._read_errors()
        if len(self._open) >= _MANY // 2:
            self._loop.call_later(0 if came >= DRAIN // 2 else _REGULAR_S, self._read_regularly)
            return
        self._regular = False
        for each in self._sockets.values():
            self._loop.add_reader(each.fileno(), self._readable, each)

    def _drain(self, opened: socket.socket) -> int:
        """Read what lies there, a bounded number of datagrams; return how many there were."""
        now_s = self.now_s = self.time()
        self._outbox = []
        try:
            return self._drained(opened, now_s)
        finally:
            self._send_out()

    def _drained(self, opened: socket.socket, now_s: float) -> int:
        receive, waiting, tally = opened.recvfrom, self._open, self.tally
        for count in range(DRAIN):
            try:
                data, address = receive(65535)
            except BlockingIOError:
                tally.came += count
                return count
            except OSError:
                self._read_errors()
                continue
            who = waiting.get(address)
            if who is None:
                tally.strays += 1
            else:
                try:
                    who.came(data, now_s)
                except Exception as error:  # noqa: BLE001 - the rim: one device must not hold up the others
                    self._broke(who, error)
        tally.came += DRAIN
        return DRAIN

    def _broke(self, who: Waiting, error: Exception) -> None:
        """End the question of one device over an error of our own, and go on with the others."""
        self.tally.broken += 1
        _log.warning("reading %s over SNMP failed: %s", safe(who.address), safe(repr(error)))
        try:
            who.broke(error)
        except Exception as again:  # noqa: BLE001 - whoever asked cannot even be told
            _log.warning("telling of %s failed: %s", safe(who.address), safe(repr(again)))

    def _read_errors(self) -> None:
        """Read the sockets' error queues: who is unreachable, and why."""
        for opened in self._sockets.values():
            for _ in range(DRAIN):
                try:
                    payload, ancillary, _, address = opened.recvmsg(1024, 512, _MSG_ERRQUEUE)
                except OSError:
                    break
                who = self._open.get(address)
                self.tally.unreachable += 1
                sure = who is not None and who.number in payload
                if who is None or (len(payload) >= _PAYLOAD_SEEN and not sure):
                    continue
                for _, kind, content in ancillary:
                    if kind in (_IP_RECVERR, _IPV6_RECVERR) and len(content) >= 4:
                        number = struct.unpack_from("=I", content)[0] or errno.ECONNREFUSED
                        self._unreachable(who, number, sure=sure)
                        break

    def _unreachable(self, who: Waiting, number: int, *, sure: bool) -> None:
        try:
            who.unreachable(number, sure=sure)
        except Exception as error:  # noqa: BLE001 - the rim: one device must not hold up the others
            self._broke(who, error)

    def _tick_soon(self) -> None:
        if self._timer is None:
            due = self.time() + _TICK_S
            firsts = [line[0].due_s for line in self._waits.values() if line]
            due = max(min([due, *firsts]), due - _TICK_S + 0.001)
            self._timer = self._loop.call_at(due, self._tick, due)

    def _tick(self, due_s: float) -> None:
        self._timer = None
        late_s = self.time() - due_s
        if late_s > _LATE_S:
            self._stalled_s += late_s
            self.tally.lag_max_s = max(self.tally.lag_max_s, late_s)
        if self._may_judge():
            self._expire(self.time())
        self._serve_buckets()
        if self._open or any(bucket.waiting for bucket in self._buckets.values()):
            self._tick_soon()

    def _may_judge(self) -> bool:
        """Read what lies there. Nobody is judged while more comes than can be read, but a flood that does not end."""
        if self._read_empty():
            self._full_since_s = 0.0
            return True
        now_s = self.time()
        self._full_since_s = self._full_since_s or now_s
        return now_s - self._full_since_s > _FULL_S

    def _read_empty(self) -> bool:
        """Read until nothing lies there; False if more comes than can be read."""
        for opened in tuple(self._sockets.values()):
            for _ in range(32):
                if self._drain(opened) < DRAIN:
                    break
            else:
                return False
        return True

    def _expire(self, now_s: float) -> None:
        self.now_s = now_s
        ours = self._overrun()
        for line in tuple(self._waits.values()):
            while line and line[0].due_s + self._stalled_s - line[0].stalled_s <= now_s:
                turn = line.popleft()
                if turn is self._turn:
                    self._turn = _NO_TURN
                for who in turn.asked:
                    if who.due_s == turn.due_s and self._open.get(who.address) is who:
                        self._expired(who, now_s, ours=ours)

    def _expired(self, who: Waiting, now_s: float, *, ours: bool) -> None:
        try:
            who.expired(now_s, ours=ours)
        except Exception as error:  # noqa: BLE001 - the rim: one device must not hold up the others
            self._broke(who, error)

    def _overrun(self) -> bool:
        """Tell whether the kernel dropped datagrams since the last look, because we were too slow."""
        lost = 0
        for parts, opened in self._sockets.items():
            now = _drops(opened)
            lost += now - self._drops[parts]
            self._drops[parts] = now
        self.tally.dropped += max(0, lost)
        return lost > 0

    def _serve_buckets(self) -> None:
        now_s = self.time()
        for bucket in self._buckets.values():
            while bucket.waiting and bucket.take(now_s):
                who = bucket.waiting.popleft()
                if who.address in self._open or len(self._open) >= self._window:
                    bucket.tokens += 1
                    self.submit(who)  # to wait for that instead
                else:
                    self._launch(who)


def _drops(opened: socket.socket) -> int:
    """Return how many datagrams the kernel dropped at this socket (SO_MEMINFO of Linux 4.10)."""
    try:
        found = opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 64)
    except OSError:
        return 0
    return int(struct.unpack_from("=I", found, 4 * _MEMINFO_DROPS)[0]) if len(found) >= 36 else 0
