"""When something is tried again: growing waits with jitter, and an end. Pure: the chance is given."""

from datetime import datetime, timedelta

FIRST_S = 5.0
LONGEST_S = 900.0


def wait_s(attempts: int, chance: float, asked_s: float | None = None) -> float:
    """Return how long to wait after `attempts` tries that failed: 5, 10, 20 … 900 s, give or take a quarter.

    `chance` is in [0, 1); `asked_s` is what the other side asked for (Retry-After, retry_after), at least that.
    """
    grown = min(FIRST_S * 2.0 ** min(attempts - 1, 20), LONGEST_S)
    return max(grown * (0.75 + chance / 2), asked_s or 0.0)


def over(began: datetime, now: datetime, give_up_h: float) -> bool:
    """Tell whether it was tried for long enough."""
    return now - began >= timedelta(hours=give_up_h)
