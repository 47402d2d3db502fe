"""When whose turn is: spread evenly over the period by name, without drift, the same after a restart. Pure.

Times are seconds on a line that begins at the clock's time when the service starts and then only grows: a clock that
steps moves no turn. A turn that was missed by much (the machine slept, the process was stopped) is left out and not
caught up, so that not everybody is asked at once afterwards.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass

Key = tuple[str, int]  # tier, device or service
_LATEST = 0.5  # of the period: who is later than this waits for the next turn


class Line:
    """Seconds that only grow, beginning at the clock's time."""

    def __init__(self, unix_s: float, monotonic_s: float) -> None:
        self._ahead_s = unix_s - monotonic_s

    def at(self, monotonic_s: float) -> float:
        """Return where on the line a monotonic time is."""
        return monotonic_s + self._ahead_s


@dataclass(frozen=True)
class Beat:
    """A period, and the place in it (0 up to 1): turns are at (k + share) × period for every whole k."""

    period_s: float
    share: float

    def after(self, at_s: float) -> float:
        """Return the first turn after a time."""
        k = math.floor(at_s / self.period_s - self.share)
        while (due := (k + self.share) * self.period_s) <= at_s:
            k += 1
        return due


@dataclass(frozen=True)
class Turn:
    """Somebody's turn. `missed`: how many before it were left out; `run` is False if it is itself too late."""

    key: Key
    due_s: float
    missed: int = 0
    run: bool = True


class Agenda:
    """The turns to come."""

    def __init__(self) -> None:
        self._beats: dict[Key, Beat] = {}
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._beats)

    def replace(self, beats: Mapping[Key, Beat], now_s: float) -> None:
        """Take up other beats; whose beat stays as it was keeps the turn that is due."""
        for key in self._due.keys() - beats.keys():
            del self._due[key]
        for key, beat in beats.items():
            if self._beats.get(key) != beat:
                self._put(key, beat.after(now_s))
        self._beats = dict(beats)

    def _put(self, key: Key, due_s: float) -> None:
        self._due[key] = due_s
        self._count += 1
        heapq.heappush(self._heap, (due_s, self._count, key))

    def take(self, now_s: float) -> list[Turn]:
        """Return the turns that are due, the oldest first, and plan the next ones."""
        found = []
        while self._heap and self._heap[0][0] <= now_s:
            due_s, _, key = heapq.heappop(self._heap)
            if self._due.get(key) != due_s:
                continue  # it was planned anew since
            beat = self._beats[key]
            late_s = now_s - due_s
            missed = int(late_s // beat.period_s)
            found.append(Turn(key, due_s, missed, late_s <= _LATEST * beat.period_s))
            self._put(key, beat.after(now_s))
        return found

    def next_s(self) -> float | None:
        """Return when the next turn is; None without any."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
