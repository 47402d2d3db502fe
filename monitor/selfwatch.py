"""The service watches itself: how late it is, what waits, what it lost; as a status, as figures, and for the rules."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from monitor.lateness import Lateness
from monitor.rules.subjects import Subject
from monitor.samples import Poll, Sample, polls_of
from monitor.schedule import Key
from monitor.sinks import Judge, StoreSink
from siaga.clock import shown

_NAMED = 100  # of the unpolled, by name
_JUDGED_EACH_S = 10.0
_LAG_WINDOW_S = 60.0
_HOUR_S = 3600.0
_UNPOLLED_S = 5.0  # everybody is gone through for it, so not more often


class SelfWatch:
    """What the service knows of itself; `problems` are sentences by what they are of, '' where all is well."""

    def __init__(self, lateness: Lateness, store: StoreSink, judge: Judge, began: datetime) -> None:
        self.problems: dict[str, str] = {}
        self.periods: Mapping[Key, float] = {}
        self.faults = 0
        self.counts: Callable[[], Mapping[str, int]] = Counter
        self._lateness, self._store, self._judge, self._began = lateness, store, judge, began
        self._lag_s = 0.0
        self._judged_s: float | None = None
        self._unpolled: tuple[float, list[Key]] = (-_UNPOLLED_S, [])
        self._losses = deque([(0.0, 0)])  # when how many polls had been lost

    def lag(self, lag_s: float) -> None:
        """Note by how much the loop came back late; the worst fades away over a minute."""
        self._lag_s = max(lag_s, self._lag_s * (1 - 0.25 / _LAG_WINDOW_S))

    def late_s(self, at_s: float) -> float:
        """Return by how much siaga is behind, in whatever is latest."""
        tiers = {tier for tier, _ in self.periods}
        late = max((self._lateness.late_s(t, at_s) for t in tiers), default=0.0)
        return max(late, self._store.behind_s, self._judge.behind_s)

    def subject(self, at_s: float) -> Subject:
        """Return siaga itself, for the rules."""
        values = {
            "late_s": round(self.late_s(at_s), 1),
            "unpolled": len(self.unpolled(at_s)),
            "waiting": len(self._store) + len(self._judge),
            "lost": self._store.lost,
            "lost_hour": self._lost_hour(at_s),
        }
        return Subject("siaga", "", values)

    def _lost_hour(self, at_s: float) -> int:
        """Return how many polls were lost within the last hour."""
        lost = self._store.lost
        if lost != self._losses[-1][1]:
            self._losses.append((at_s, lost))
        while len(self._losses) > 1 and self._losses[1][0] <= at_s - _HOUR_S:
            self._losses.popleft()
        return lost - self._losses[0][1]

    def unpolled(self, at_s: float) -> list[Key]:
        """Return whose turns have not come to an end for long, as of a few seconds ago."""
        if at_s - self._unpolled[0] >= _UNPOLLED_S:
            self._unpolled = at_s, list(self._lateness.unpolled(self.periods, at_s))
        return self._unpolled[1]

    def time_to_judge(self, at_s: float) -> bool:
        """Tell whether siaga itself should be judged even though nothing else came."""
        if self._judged_s is None or at_s - self._judged_s >= _JUDGED_EACH_S:
            self._judged_s = at_s
            return True
        return False

    def figures(self, at_s: float) -> dict[str, float]:
        """Return the figures that are kept as samples."""
        return {
            "late_s": self.late_s(at_s),
            "unpolled": len(self.unpolled(at_s)),
            "asking": self._lateness.asking,
            "samples_waiting": len(self._store),
            "news_waiting": len(self._judge),
            "loop_lag_s": self._lag_s,
            "commit_s": self._store.took_s,
            "judge_s": self._judge.took_s,
        }

    def status(
        self, at_s: float, now: datetime, pid: int, names: Mapping[int, str], *, ended: bool
    ) -> dict[str, Any]:
        """Return the status as `siaga monitor status` shows it."""
        devices = sorted({names.get(n, f"service {n}") for t, n in self.unpolled(at_s) if t != "uplink"})
        figures = {k: round(v, 3) for k, v in self.figures(at_s).items()}
        return {
            "at": shown(now),
            "pid": pid,
            "began": shown(self._began),
            "ended": ended,
            "watched": dict(Counter(tier for tier, _ in self.periods)),
            **figures,
            "samples_written": self._store.written,
            "samples_lost": self._store.lost,
            "judged": self._judge.judged,
            "faults": self.faults + self._judge.faults,
            "tiers": [self._tier(t, at_s) for t in sorted({t for t, _ in self.periods})],
            "unpolled_names": list(islice(devices, _NAMED)),
            "problems": [f"{k}: {v}" for k, v in self._all_problems().items() if v],
            "messages": dict(self.counts()),
        }

    def _tier(self, tier: str, at_s: float) -> dict[str, Any]:
        book = self._lateness
        return {
            "tier": tier,
            "done": book.done[tier],
            "late_s": round(book.late_s(tier, at_s), 3),
            "skipped": book.skipped[tier],
            "missed": book.missed[tier],
        }

    def _all_problems(self) -> dict[str, str]:
        return {**self.problems, "samples": self._store.problem, "judging": self._judge.problem}


def own_polls(figures: Mapping[str, float], number: int, at: datetime) -> list[Poll]:
    """Return what siaga measured of itself as samples: thousandths of each figure."""
    return polls_of([Sample(number, f"siaga_{name}", "", at, round(v * 1000)) for name, v in figures.items()])
