"""The lean engine's wire: one UDP socket for each address family, thousands of devices, one PDU in flight for each.

What comes is matched by its source address and port, and then by an unpredictable id. ICMP errors come back through
the socket's error queue, each with the address it is about. Before a time-out counts, the socket is read empty:
saturation never looks like an outage.
"""

import asyncio
import errno
import logging
import socket
from collections import deque
from contextlib import suppress

from monitor.lean_sockets import dropped, icmp_errors, udp_socket
from monitor.lean_waiting import Address, Bucket, Tally, Turn, Waiting, Waits
from monitor.snmp_message import new_ids
from siaga.text import safe

DRAIN = 128  # datagrams read at one wake-up, so that the rest of the program has its turns
LAUNCH = 32  # first requests sent at one turn, so that their answers fit the socket's buffer
WINDOW = 2048
_MANY = 64  # devices in flight from which on the sockets are read at intervals
_REGULAR_S, _SELDOM_S = 0.002, 0.004
_ROOMY_BYTES = 1 << 20  # a socket with so much room may be looked at seldom: thousands of answers lie in it
_IN_VAIN = 5  # looks at intervals that found nothing, after which to be woken is cheaper
_TICK_S = 0.05
_LATE_S = 0.01  # a tick this much late is a loop that did not run
_FULL_S = 1.0  # so long a flood may keep all from being judged
_PAYLOAD_SEEN = 64  # an ICMP error that quotes this much and not the id is about an older question

_log = logging.getLogger(__name__)


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
        self._waits = Waits()
        self.outbox: list[tuple[Waiting, bytes]] = []  # what is sent when all that came was read
        self._reading = False
        self._buckets: dict[str, Bucket] = {}
        self._full_since_s = 0.0
        self._drops: dict[int, int] = {}
        self._admitting = False
        self._regular = False  # read at intervals and not when something came
        self._regular_s = _SELDOM_S
        self._in_vain = 0
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Forget who waits, and close the sockets."""
        if self._timer is not None:
            self._timer.cancel()
        for opened in self._sockets.values():
            self._loop.remove_reader(opened.fileno())
            opened.close()
        for lost in (self._sockets, self._open, self._queued, self._behind, self._waits, self.outbox):
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
        self._submit(who, self.time())

    def _submit(self, who: Waiting, now_s: float) -> None:
        at = self._open.get(who.address)
        if at is not None and at is not who:
            self._behind.setdefault(who.address, deque()).append(who)
        elif len(self._open) >= self._window:
            self._queued.append(who)
            self._admit_soon()
        elif who.limit is not None and (who.limit.waiting or not who.limit.take(now_s)):
            who.limit.waiting.append(who)  # behind those that wait already
            self._tick_soon()
        else:
            self._launch(who, now_s)

    def _launch(self, who: Waiting, now_s: float) -> None:
        self._open[who.address] = who
        try:
            who.launch(now_s)
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
        if not self._admitting and not self._regular:  # a regular look admits some by itself
            self._admitting = True
            self._loop.call_soon(self._admit)

    def _admit(self) -> None:
        self._admitting = False
        now_s = self.time()
        for _ in range(LAUNCH):
            if not self._queued or len(self._open) >= self._window:
                return
            self._submit(self._queued.popleft(), now_s)
        if self._queued:
            self._admit_soon()

    def send(self, who: Waiting, data: bytes, now_s: float) -> None:
        """Send a datagram and wait for the answer to `who.number`; raises OSError where there is no way.

        While answers are read it is sent after them.
        """
        address = who.address
        if len(address) not in self._sockets:
            self._new_socket(len(address))
        if self._reading:
            self.outbox.append((who, data))
            return
        self._put(self._sockets[len(address)], data, address)
        self.tally.sent += 1
        turn = self._turn(who.wait_s, now_s)
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

    def _send_out(self, now_s: float) -> None:
        """Send what was asked for while answers were read, all at once: who answers need not be woken for each."""
        outbox, self.outbox = self.outbox, []
        sockets, wait_s, turn = self._sockets, -1.0, None
        for who, data in outbox:
            address = who.address
            try:
                sockets[len(address)].sendto(data, address)
            except BlockingIOError:
                pass
            except OSError:
                self._put_late(sockets[len(address)], data, address)
            if turn is None or wait_s != who.wait_s:
                wait_s = who.wait_s
                turn = self._turn(wait_s, now_s)
            who.due_s = turn.due_s
            turn.asked.append(who)
        self.tally.sent += len(outbox)

    def _put_late(self, opened: socket.socket, data: bytes, address: Address) -> None:
        """Send again; where there is no way its question ends by its time-outs, which then say so."""
        try:
            self._put(opened, data, address)
        except OSError as error:
            if (who := self._open.get(address)) is not None:
                self._unreachable(who, error.errno or errno.EHOSTUNREACH, sure=False)

    def _turn(self, wait_s: float, now_s: float) -> Turn:
        turn = self._waits.turn(wait_s, now_s)
        if self._timer is None:
            self._tick_soon()
        return turn

    def _new_socket(self, parts: int) -> socket.socket:
        opened = self._sockets[parts] = udp_socket(parts)
        if opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < _ROOMY_BYTES:
            self._regular_s = _REGULAR_S
        self._drops[parts] = dropped(opened)
        if not self._regular:
            self._loop.add_reader(opened.fileno(), self._readable, opened)
        return opened

    def _readable(self, opened: socket.socket) -> None:
        if not self._drain(opened):
            self._read_errors()
        if len(self._open) >= _MANY and not self._regular:
            self._regular, self._in_vain = True, 0
            for each in self._sockets.values():
                self._loop.remove_reader(each.fileno())
            self._loop.call_later(self._regular_s, self._read_regularly)

    def _read_regularly(self) -> None:
        """Look every few milliseconds, as long as many answers come: to be woken for each costs more than it."""
        if not self._sockets:
            return  # closed meanwhile
        came = sum([self._drain(each) for each in tuple(self._sockets.values())])
        self._in_vain = 0 if came else self._in_vain + 1
        if not came:
            self._read_errors()
        if self._queued:
            self._admit()
        if len(self._open) >= _MANY // 2 and self._in_vain < _IN_VAIN:
            self._loop.call_later(0 if came >= DRAIN // 2 else self._regular_s, self._read_regularly)
            return
        self._regular = False
        for each in self._sockets.values():
            self._loop.add_reader(each.fileno(), self._readable, each)
        if self._queued:
            self._admit_soon()

    def _drain(self, opened: socket.socket) -> int:
        """Read what lies there, a bounded number of datagrams; return how many there were."""
        now_s = self.now_s = self.time()
        self._reading = True
        try:
            return self._drained(opened, now_s)
        finally:
            self._reading = False
            if self.outbox:
                self._send_out(now_s)

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
                    if not who.take(data, now_s):
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
        for opened in tuple(self._sockets.values()):
            for address, number, payload in icmp_errors(opened):
                self.tally.unreachable += 1
                who = self._open.get(address)
                sure = who is not None and who.number in payload
                if who is not None and number is not None and (sure or len(payload) < _PAYLOAD_SEEN):
                    self._unreachable(who, number, sure=sure)

    def _unreachable(self, who: Waiting, number: int, *, sure: bool) -> None:
        try:
            who.unreachable(number, sure=sure)
        except Exception as error:  # noqa: BLE001 - the rim: one device must not hold up the others
            self._broke(who, error)

    def _tick_soon(self) -> None:
        if self._timer is None:
            now_s = self.time()
            due_s = max(self._waits.first_due_s(now_s + _TICK_S), now_s + 0.001)
            self._timer = self._loop.call_at(due_s, self._tick, due_s)

    def _tick(self, due_s: float) -> None:
        self._timer = None
        late_s = self.time() - due_s
        if late_s > _LATE_S:
            self._waits.stalled(late_s)
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
        for who in self._waits.overdue(now_s):
            if self._open.get(who.address) is who:
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
            now = dropped(opened)
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
                    self._launch(who, now_s)
