"""Who waits on the lean engine's wire: for a token of a link (Bucket), and for an answer (Waits).

Whoever waits equally long for an answer is in one queue, so that nothing is sorted, and whoever was sent something at
one time is in one object. The time during which our own loop did not run is not counted as waiting.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

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
    wait_s: float  # how long to wait for the answer to what is sent
    due_s: float  # when what is open is overdue; the wire sets it
    limit: "Bucket | None"
    take: "Callable[[bytes, float], bool]"  # gets each datagram first: it takes one that is as expected, and says so

    def launch(self, now_s: float) -> None:
        """Send the first try."""

    def came(self, data: bytes, now_s: float) -> None:
        """Take a datagram from the address; what it asks then is sent after all that came was read."""

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
class Turn:
    """Who was sent something at one time and waits equally long: one object for many, because they are so many."""

    at_s: float
    wait_s: float
    due_s: float
    stalled_s: float
    asked: list[Waiting] = field(default_factory=list)


class Waits:
    """The turns whose answers are awaited, in one queue for each length of waiting."""

    def __init__(self) -> None:
        self._lines: dict[float, deque[Turn]] = {}
        self._stalled_s = 0.0  # how long the loop did not run, altogether

    def turn(self, wait_s: float, now_s: float) -> Turn:
        """Return the turn of those that are sent something now and wait so long."""
        line = self._lines.get(wait_s)
        if line is None:
            line = self._lines[wait_s] = deque()
        if not line or line[-1].at_s != now_s:
            line.append(Turn(now_s, wait_s, now_s + wait_s, self._stalled_s))
        return line[-1]

    def stalled(self, late_s: float) -> None:
        """Count no waiting during the time in which the loop did not run."""
        self._stalled_s += late_s

    def first_due_s(self, otherwise: float) -> float:
        """Return when the first turn is due, but not later than `otherwise`."""
        return min([otherwise, *(line[0].due_s for line in self._lines.values() if line)])

    def overdue(self, now_s: float) -> Iterator[Waiting]:
        """Take the turns that are due, and yield whoever was sent nothing since."""
        for line in tuple(self._lines.values()):
            while line and line[0].due_s + self._stalled_s - line[0].stalled_s <= now_s:
                turn = line.popleft()
                for who in turn.asked:
                    if who.due_s == turn.due_s:
                        yield who

    def clear(self) -> None:
        """Forget all."""
        self._lines.clear()
