"""The TCP connection under an SSH session: opened, listened to first, and cut when a step takes too long."""

import itertools
import math
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.observation import Reach
from siaga.text import decoded, safe


class MissedError(Exception):
    """A device could not be read; how far it was reached, and why, as a sentence."""

    def __init__(self, reach: Reach, reason: str) -> None:
        super().__init__(reason)
        self.reach = reach
        self.reason = reason


class Lines:
    """The connections that are open now, so that all can be cut when their round is called off."""

    def __init__(self) -> None:
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._called_off = False

    @contextmanager
    def held(self, sock: socket.socket) -> Iterator[socket.socket]:
        """Count the connection in while the block lasts, and close it then."""
        with self._lock:
            self._open.add(sock)
            if self._called_off:
                _hang_up(sock)
        try:
            yield sock
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def cut(self) -> None:
        """Cut every connection, and each that is opened later; whoever reads one sees its end."""
        with self._lock:
            self._called_off = True
            for sock in self._open:
                _hang_up(sock)


def dial(where: str, address: str, port: int, timeout_s: float) -> socket.socket:
    """Return a connected socket; `where` names the device in sentences.

    Raises MissedError: nothing listens, nothing answers, there is no way there. All are silence.
    """
    try:
        return socket.create_connection((address, port), timeout=timeout_s)
    except ConnectionRefusedError:
        raise MissedError(Reach.silent, f"Nothing listens for SSH at {where}.") from None
    except TimeoutError:
        raise MissedError(Reach.silent, f"{where} did not answer within {timeout_s:g} s.") from None
    except (OSError, UnicodeError) as error:  # no route, no such name, a name IDNA cannot write
        raise MissedError(Reach.silent, f"{where} cannot be reached: {safe(error, 120)}.") from None


def first_words(where: str, sock: socket.socket, timeout_s: float) -> str:
    """Return what the server says first, as safe text, and leave it in the socket for the SSH library.

    An SSH server speaks first (RFC 4253, section 4.2), if need be after lines of its own that do not begin
    with `SSH-`; the SSH library judges those. Raises MissedError if nothing comes, or the end comes first.
    """
    try:
        readable, _, _ = select.select([sock], [], [], timeout_s)
        words = sock.recv(255, socket.MSG_PEEK) if readable else None
    except OSError as error:
        raise MissedError(Reach.silent, f"{where} broke the connection: {safe(error, 120)}.") from None
    if words is None:
        said = f"{where} took the connection but said nothing within {timeout_s:g} s."
        raise MissedError(Reach.silent, said)
    if not words:
        raise MissedError(Reach.silent, f"{where} took the connection and closed it without a word.")
    return decoded(words, 80)


@contextmanager
def at_most(sock: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Cut the connection if the block takes longer; the event tells whether it was cut.

    The libraries above have time-outs of their own, but each waits anew for every line or packet, so that a
    server which sends one octet now and then could hold a worker for ever.
    """
    cut = threading.Event()
    alarm = _ALARMS.set(time.monotonic() + seconds, sock, cut)
    try:
        yield cut
    finally:
        _ALARMS.unset(alarm)


class _Alarms:
    """One thread that cuts whatever is over its time: one for each step would be started a hundred times a second."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._set: dict[int, tuple[float, socket.socket, threading.Event]] = {}
        self._numbers = itertools.count()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def set(self, at: float, sock: socket.socket, cut: threading.Event) -> int:
        """Have the connection cut at that time, unless it is unset before."""
        with self._changed:
            number = next(self._numbers)
            self._set[number] = (at, sock, cut)
            if self._thread is None or not self._thread.is_alive():  # none yet, or left behind by a fork
                self._thread = threading.Thread(target=self._run, name="cut", daemon=True)
                self._thread.start()
            elif at < self._wakes_at:
                self._changed.notify()
        return number

    def unset(self, number: int) -> None:
        """Forget one; it has come to its end in time, or was cut."""
        with self._changed:
            self._set.pop(number, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._wakes_at = min((at for at, _, _ in self._set.values()), default=math.inf)
                wait_s = self._wakes_at - time.monotonic()
                if wait_s > 0:
                    self._changed.wait(min(wait_s, threading.TIMEOUT_MAX))
                now = time.monotonic()
                over = [number for number, (at, _, _) in self._set.items() if at <= now]
                due = [self._set.pop(number) for number in over]
            for _, sock, cut in due:
                cut.set()
                _hang_up(sock)


_ALARMS = _Alarms()


def _hang_up(sock: socket.socket) -> None:
    """Shut the connection down without closing it: the descriptor stays ours, readers see its end."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already
