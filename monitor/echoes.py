"""What ICMP echo brought: who answered a sweep, and the figures of a burst. Nothing here sends anything."""

from dataclasses import dataclass, field
from itertools import pairwise


@dataclass
class Swept:
    """What a sweep brought: address → round trip in seconds; and of what could not be asked, why."""

    rtt_s: dict[str, float] = field(default_factory=dict)
    unsent: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Burst:
    """What a burst to one address brought. `rtts_s` are in the order sent; None: no reply."""

    address: str
    rtts_s: tuple[float | None, ...]

    @property
    def heard_s(self) -> tuple[float, ...]:
        """The round trips of those that were answered."""
        return tuple(r for r in self.rtts_s if r is not None)

    @property
    def loss_pct(self) -> float | None:
        """Percent that were not answered; None if nothing was sent."""
        return 100 * (1 - len(self.heard_s) / len(self.rtts_s)) if self.rtts_s else None

    @property
    def min_s(self) -> float | None:
        """The shortest round trip."""
        return min(self.heard_s, default=None)

    @property
    def avg_s(self) -> float | None:
        """The mean round trip."""
        return sum(self.heard_s) / len(self.heard_s) if self.heard_s else None

    @property
    def max_s(self) -> float | None:
        """The longest round trip."""
        return max(self.heard_s, default=None)

    @property
    def jitter_s(self) -> float | None:
        """The mean difference between one round trip and the next; None of fewer than two."""
        steps = [abs(b - a) for a, b in pairwise(self.heard_s)]
        return sum(steps) / len(steps) if steps else None
