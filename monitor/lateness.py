"""How well the service keeps to its schedule: who began late, who was left out, who was not asked for long. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.schedule import Key

_WINDOW_S = 60.0  # a late beginning counts for one to two of these
_LOST = 2.5  # periods without an end, and a device is unpolled
_SLACK_S = 30.0


@dataclass
class _Open:
    due_s: float
    began: bool = False


class Lateness:
    """The book of turns. Times are on the line of the schedule."""

    def __init__(self, now_s: float) -> None:
        self.done: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()  # it was still being asked when its turn came
        self.missed: Counter[str] = Counter()  # the service itself was away, or far too late
        self._open: dict[Key, _Open] = {}
        self._ended: dict[Key, float] = {}
        self._begun_s = now_s
        self._window_s = now_s
        self._now: dict[str, float] = {}
        self._before: dict[str, float] = {}

    def is_open(self, key: Key) -> bool:
        """Tell whether somebody is being asked."""
        return key in self._open

    @property
    def asking(self) -> int:
        """How many are being asked, or wait for their turn to be."""
        return len(self._open)

    def due(self, key: Key, due_s: float) -> None:
        """Note that a turn has come."""
        self._open[key] = _Open(due_s)

    def begin(self, key: Key, now_s: float) -> None:
        """Note that the first question was put."""
        turn = self._open.get(key)
        if turn is None or turn.began:
            return
        turn.began = True
        self._roll(now_s)
        self._now[key[0]] = max(self._now.get(key[0], 0.0), now_s - turn.due_s)

    def end(self, key: Key, now_s: float) -> None:
        """Note that a turn is over, whatever came of it."""
        self.begin(key, now_s)
        if self._open.pop(key, None) is not None:
            self.done[key[0]] += 1
            self._ended[key] = now_s

    def _roll(self, now_s: float) -> None:
        if now_s - self._window_s < _WINDOW_S:
            return
        # After more than one window without anything, what was before is over too.
        self._before = self._now if now_s - self._window_s < 2 * _WINDOW_S else {}
        self._now, self._window_s = {}, now_s

    def late_s(self, tier: str, now_s: float) -> float:
        """Return by how much the latest of this tier began late, lately, or is late still."""
        self._roll(now_s)
        waiting = max(
            (now_s - t.due_s for k, t in self._open.items() if k[0] == tier and not t.began), default=0.0
        )
        return max(0.0, waiting, self._now.get(tier, 0.0), self._before.get(tier, 0.0))

    def unpolled(self, periods: Mapping[Key, float], now_s: float) -> Iterator[Key]:
        """Yield whose turns have not come to an end for long."""
        self._ended = {k: at for k, at in self._ended.items() if k in periods}
        for key, period_s in periods.items():
            if now_s - self._ended.get(key, self._begun_s) > _LOST * period_s + _SLACK_S:
                yield key
