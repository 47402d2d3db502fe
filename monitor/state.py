"""What is believed of a device: a pure state machine. Three-valued at heart: up, down, not observed.

    not observed ──answer──▶ up ◀──answer── down
         │                   │ │              ▲
         └──N silences──▶ down └─N silences───┘      parent down or unreachable: unreachable instead of down

A device is called down only after `FAILURES` rounds without an answer (each round has its own retries);
until then it keeps its state, and the count of failures is shown. A device that answers, but refuses us or
stops halfway, is degraded: it is there, and what it did not say is not observed.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.observation import Reach

FAILURES = 2


class State(StrEnum):
    """The states of a device."""

    not_observed = "not observed"
    up = "up"
    degraded = "degraded"
    down = "down"
    unreachable = "unreachable"


@dataclass(frozen=True)
class Standing:
    """A device's state, since when, why, and how many rounds in a row it has been silent."""

    state: State = State.not_observed
    since: datetime | None = None
    reason: str = ""
    failures: int = 0


def judge(
    before: Standing,
    reach: Reach,
    reason: str,
    *,
    parent: State,
    now: datetime,
    failures: int = FAILURES,
) -> Standing:
    """Return what to believe after one more round; `parent` is the state, now, of the device in front."""
    if reach is not Reach.silent:
        state = State.up if reach is Reach.up else State.degraded
        return _to(before, state, "" if state is State.up else reason, now, 0)
    silent = before.failures + 1
    if silent < failures:
        return Standing(before.state, before.since, reason, silent)
    cut_off = parent in (State.down, State.unreachable)
    return _to(before, State.unreachable if cut_off else State.down, reason, now, silent)


def _to(before: Standing, state: State, reason: str, now: datetime, failures: int) -> Standing:
    since = before.since if before.state is state and before.since else now
    return Standing(state, since, reason, failures)
