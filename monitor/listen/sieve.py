"""Holds back floods: every known device has its own measure, all strangers share one, so that nobody drowns another."""

from dataclasses import dataclass, field


@dataclass
class Sieve:
    """Token buckets (rate a second, burst) by device id; None are the strangers. Times are monotonic seconds."""

    rate_per_s: float
    burst: int
    _left: dict[int | None, tuple[float, float]] = field(default_factory=dict)

    def lets(self, sender: int | None, at_s: float) -> bool:
        """Return whether one more message of this sender may pass now."""
        left, before_s = self._left.get(sender, (float(self.burst), at_s))
        left = min(float(self.burst), left + max(0.0, at_s - before_s) * self.rate_per_s)
        passes = left >= 1.0
        self._left[sender] = (left - 1.0 if passes else left, at_s)
        return passes


@dataclass
class Recent:
    """Remembers the last messages, so that one that comes twice is one. Bounded by time and by number."""

    window_s: float = 150.0
    most: int = 8192
    _seen: dict[bytes, float] = field(default_factory=dict)

    def again(self, mark: bytes, at_s: float) -> bool:
        """Return whether a message with this mark came within the window; it is remembered from now on."""
        if at_s - self._seen.get(mark, float("-inf")) <= self.window_s:
            return True
        self._seen.pop(mark, None)
        while self._seen and (
            len(self._seen) >= self.most or at_s - next(iter(self._seen.values())) > self.window_s
        ):
            del self._seen[next(iter(self._seen))]
        self._seen[mark] = at_s
        return False
