"""What is believed of a device: a pure state machine. Three-valued at heart: up, down, not observed.

    not observed ──answer──▶ up, degraded ──silence──▶ (in doubt: asked again, then the one in front is asked)
                                  ▲                        │ an answer        │ still silent, the one in front answers
                                  └────────────────────────┘                  ├──▶ down
                                                                              └──▶ unreachable: nobody in front does

Over it lie two words that say how to take it: maintenance (somebody works there) and flapping (it comes and goes);
`beneath` is what the probes say meanwhile. Rules of the machine:

- A device is called down after `failures` silences in a row and `grace_s` of silence, not before whoever stands in
  front of it has answered after its last silence. The machine asks for that as a value (`Probe`), and waits a
  bounded number of silences for it.
- A device without any live way to it is unreachable; when the way is back, it is counted from the beginning.
- One that was down before its way was lost stays down: its alert is the true one.
- While siaga's own uplink is silent together with most of the network, nothing is observed: nothing is down.
- Order is counted, never read from a clock; waiting is the sum of bounded gaps. A clock that steps delays nothing
  by more than a gap, and hastens nothing that is not silent often enough as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.observation import Reach
from monitor.topology import UPLINK, Topology

_PASSES = 8
KEPT = 8  # probes that are kept as evidence
UPLINK_REASON = "siaga's own uplink is silent"


_UNCOUNTED: Mapping[str, Any] = {"failures": 0, "silent_since": None, "waited_s": 0.0, "overdue": 0}


class State(StrEnum):
    """The states of a device."""

    not_observed = "not observed"
    up = "up"
    degraded = "degraded"
    down = "down"
    unreachable = "unreachable"
    maintenance = "maintenance"
    flapping = "flapping"


THERE = (State.up, State.degraded)
AWAY = (State.down, State.unreachable)


@dataclass(frozen=True)
class Limits:
    """When a device is called down, and when flapping.

    A gap between two probes that is longer than `longest_gap_s` counts as that. `patience`: how many silences
    more are waited for news of the one in front. A change between there and down adds 1 to the score of flapping,
    which halves in `flap_half_life_s`.
    """

    failures: int = 2
    grace_s: float = 0.0
    recheck_s: float = 2.0
    patience: int = 3
    flap_high: float = 3.0
    flap_low: float = 1.0
    flap_half_life_s: float = 900.0
    longest_gap_s: float = 300.0


@dataclass(frozen=True)
class Heard:
    """What one probe brought. `device` is an id, or UPLINK."""

    device: int
    at: datetime
    reach: Reach
    reason: str = ""
    probe: str = "snmp"


@dataclass(frozen=True)
class Standing:
    """A device's state, since when, why, and all that the machine must remember of it."""

    state: State = State.not_observed
    since: datetime | None = None
    reason: str = ""
    failures: int = 0  # silences in a row that count
    beneath: State = State.not_observed
    at: datetime | None = None
    silent_since: datetime | None = None
    waited_s: float = 0.0
    overdue: int = 0  # silences since it was silent often and long enough: patience ends by them
    silent_from: int = 0  # the order of the first of them
    silent_order: int = 0
    answered_order: int = 0
    flaps: float = 0.0
    flapping: bool = False
    evidence: tuple[Heard, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether the last that came was a silence."""
        return self.silent_order > self.answered_order


@dataclass(frozen=True)
class Probe:
    """Somebody must be asked, now or in `after_s`, before more can be said. `device` is an id, or UPLINK."""

    device: int
    why: str
    after_s: float = 0.0


@dataclass(frozen=True)
class Transition:
    """One change of what is said of a device, with what it rests on; `behind`: who blocks the way."""

    device: int
    at: datetime
    before: State
    after: State
    reason: str
    evidence: tuple[Heard, ...] = ()
    behind: tuple[int, ...] = ()


@dataclass(frozen=True)
class World:
    """What the machine must know besides the probes.

    `maintenance`: device → the name of the window it is in. `watch_uplink`: whether the uplink is probed at all.
    `blind_share`: more than this share silent, together with the uplink, and nothing is observed.
    """

    topology: Topology = field(default_factory=Topology)
    limits: Mapping[int, Limits] = field(default_factory=dict)
    maintenance: Mapping[int, str] = field(default_factory=dict)
    watch_uplink: bool = False
    blind_share: float = 0.5
    usual: Limits = field(default_factory=Limits)

    def limits_of(self, device: int) -> Limits:
        """Return the limits of a device."""
        return self.limits.get(device, self.usual)


@dataclass(frozen=True)
class Judged:
    """What a round comes to: the standings that changed in any way, what is said anew, and who is asked next.

    `asks` are to be put in this order, each after those that were wanted before; one device once.
    """

    after: Mapping[int, Standing]
    transitions: tuple[Transition, ...] = ()
    asks: tuple[Probe, ...] = ()
    blind: bool = False


def judge(before: Mapping[int, Standing], heard: Iterable[Heard], world: World, now: datetime) -> Judged:
    """Return what to believe after what was heard. Pure; order within `heard` counts for one device only."""
    return _Round(before, world, now).run(heard)


class _Round:
    """One call of `judge` while it is worked out."""

    def __init__(self, before: Mapping[int, Standing], world: World, now: datetime) -> None:
        self.before = before
        self.world = world
        self.now = now
        self.order = 1 + max((max(s.silent_order, s.answered_order) for s in before.values()), default=0)
        self.after: dict[int, Standing] = {}
        self.asks: dict[int, Probe] = {}
        self.behind: dict[int, tuple[int, ...]] = {}

    def run(self, heard: Iterable[Heard]) -> Judged:
        for one in heard:
            self._note(one)
        blind = self._blind()
        silent = [d for d, s in self._all() if s.silent and d != UPLINK]
        if blind:
            for device in silent:
                self._unseen(device)
        elif silent:
            self._settle(silent)
        for device in [d for d, s in self._all() if d in self.after or self._overlaid(d, s)]:
            self._show(device)
        changed = tuple(t for d in self.after if d != UPLINK and (t := self._transition(d)))
        asks = tuple(sorted(self.asks.values(), key=lambda ask: ask.after_s))
        return Judged(self.after, changed, asks, blind)

    def _all(self) -> list[tuple[int, Standing]]:
        return list({**self.before, **self.after}.items())

    def _of(self, device: int) -> Standing:
        return self.after.get(device) or self.before.get(device) or Standing()

    # --- what came ------------------------------------------------------------------------------------

    def _note(self, one: Heard) -> None:
        old = self._of(one.device)
        limits = self.world.limits_of(one.device)
        gap_s = (self.now - old.at).total_seconds() if old.at else 0.0
        gap_s = min(max(gap_s, 0.0), limits.longest_gap_s)
        old = replace(old, at=self.now, flaps=old.flaps * 0.5 ** (gap_s / limits.flap_half_life_s))
        if one.reach is Reach.silent:
            over = old.silent and old.failures >= limits.failures and old.waited_s >= limits.grace_s
            new = replace(
                old,
                failures=old.failures + 1,
                silent_from=old.silent_from if old.silent else self.order,
                silent_order=self.order,
                silent_since=old.silent_since or one.at,
                waited_s=old.waited_s + gap_s if old.silent_since else 0.0,
                overdue=old.overdue + 1 if over else 0,
                reason=one.reason if old.state is not State.unreachable else old.reason,
                evidence=(*old.evidence, one)[-KEPT:],
            )
        else:
            new = _answered(old, one, self.order)
        self.after[one.device] = new

    # --- siaga's own eyes -----------------------------------------------------------------------------

    def _blind(self) -> bool:
        uplink = self._of(UPLINK)
        limits = self.world.limits_of(UPLINK)
        if not self.world.watch_uplink or not uplink.silent or uplink.failures < min(limits.failures, 2):
            return False
        # Only what was heard since the uplink fell silent tells: the answers before it say nothing.
        since = uplink.silent_from
        known = [s for d, s in self._all() if d != UPLINK and max(s.silent_order, s.answered_order) >= since]
        return bool(known) and sum(s.silent for s in known) > self.world.blind_share * len(known)

    def _unseen(self, device: int) -> None:
        """Nothing can be said of it; its silences do not count."""
        self._put(device, beneath=State.not_observed, reason=UPLINK_REASON, **_UNCOUNTED)

    def _put(self, device: int, **values: Any) -> None:
        """Change a standing, if that changes anything."""
        old = self._of(device)
        new = replace(old, **values)
        if new != old:
            self.after[device] = new

    # --- who is in front ------------------------------------------------------------------------------

    def _settle(self, silent: Sequence[int]) -> None:
        """Say of those that are silent long enough what they are: as often as one of them clears up another."""
        for _ in range(_PASSES):
            called = {d: self._of(d).beneath for d in silent}
            self.asks.clear()
            self._pass(silent)
            if all(self._of(d).beneath is called[d] for d in silent):
                return

    def _pass(self, silent: Sequence[int]) -> None:
        reached = self.world.topology.reached(self._passes)
        hoped = self.world.topology.reached(lambda d: self._passes(d) or self._hoped(d))
        for device in silent:
            standing = self._of(device)
            if standing.beneath is State.down:
                continue
            front = [d for d in self.world.topology.in_front(device) if d in reached]
            if standing.beneath is State.unreachable and not front:
                self._put(device, **_UNCOUNTED)
            elif self._in_doubt(device):
                limits = self.world.limits_of(device)
                self._ask(device, "it was silent", limits.recheck_s)
            else:
                self._call(device, standing, front, hoped)

    def _call(self, device: int, standing: Standing, front: list[int], hoped: frozenset[int]) -> None:
        limits = self.world.limits_of(device)
        patient = standing.overdue < limits.patience
        if front and not any(self._fresh(d, standing) for d in front) and patient:
            for other in front:
                self._ask(other, "it stands in front of one that is silent")
            self._ask(device, "the one in front of it is asked", limits.recheck_s)
        elif front:
            self._become(device, State.down)
        elif patient and (near := [d for d in self.world.topology.in_front(device) if d in hoped]):
            for other in near:
                # One that was silent often enough waits for those in front of it: it is these that tell.
                if not self._of(other).silent or self._in_doubt(other):
                    self._ask(other, "it stands in front of one that is silent")
            self._ask(device, "the one in front of it is in doubt", limits.recheck_s)
        else:
            self.behind[device] = self.world.topology.nearest(device, self._blocks)
            self._become(device, State.unreachable)

    def _passes(self, device: int) -> bool:
        """Tell whether one can be reached through this: it answers, or nobody ever asked it."""
        standing = self._of(device)
        return not standing.silent and standing.beneath not in AWAY

    def _in_doubt(self, device: int) -> bool:
        """Tell whether this was silent, and not yet often and long enough."""
        standing, limits = self._of(device), self.world.limits_of(device)
        if not standing.silent or standing.beneath is State.down:
            return False
        return standing.failures < limits.failures or standing.waited_s < limits.grace_s

    def _hoped(self, device: int) -> bool:
        """Tell whether this is silent and nobody has called it anything yet: it may turn out to be there."""
        return self._of(device).silent and self._of(device).beneath not in AWAY

    def _fresh(self, device: int, child: Standing) -> bool:
        """Tell whether the one in front has answered since the child's last silence, or is never asked."""
        if device == UPLINK and not self.world.watch_uplink:
            return True
        standing = self._of(device)
        unasked = not standing.answered_order and not standing.silent_order and device != UPLINK
        return unasked or standing.answered_order >= child.silent_order

    def _blocks(self, device: int) -> bool:
        return self._of(device).beneath is State.down

    def _become(self, device: int, state: State) -> None:
        old = self._of(device)
        moved = old.beneath is not state
        # A way that is lost says nothing about the device: its own silences begin anew when the way is back.
        again = _UNCOUNTED if state is State.unreachable else {}
        flap = 1.0 if moved and state is State.down and old.beneath in THERE else 0.0
        self._put(device, beneath=state, flaps=old.flaps + flap, **again)

    def _ask(self, device: int, why: str, after_s: float = 0.0) -> None:
        if device < UPLINK or (device == UPLINK and not self.world.watch_uplink):
            return
        if device not in self.asks or self.asks[device].after_s > after_s:
            self.asks[device] = Probe(device, why, after_s)

    # --- what is said ---------------------------------------------------------------------------------

    def _overlaid(self, device: int, standing: Standing) -> bool:
        return (device in self.world.maintenance) != (standing.state is State.maintenance)

    def _show(self, device: int) -> None:
        standing = self._of(device)
        limits = self.world.limits_of(device)
        held = standing.flapping and standing.flaps > limits.flap_low
        flapping = standing.flaps >= limits.flap_high or held
        window = self.world.maintenance.get(device)
        state, reason = standing.beneath, standing.reason
        if window is not None:
            # What is done to it on purpose is no flapping either.
            state, flapping, reason = State.maintenance, False, f"in the maintenance window '{window}'"
            standing = replace(standing, flaps=0.0)
        elif flapping:
            state, reason = State.flapping, "it comes and goes"
        elif state is State.up:
            reason = "" if not standing.silent else reason
        since = standing.since if standing.state is state and standing.since else self.now
        self.after[device] = replace(standing, state=state, reason=reason, since=since, flapping=flapping)

    def _transition(self, device: int) -> Transition | None:
        old, new = self.before.get(device, Standing()), self.after[device]
        if old.state is new.state:
            return None
        behind = self.behind.get(device, ())
        return Transition(device, self.now, old.state, new.state, new.reason, new.evidence, behind)


def _answered(old: Standing, one: Heard, order: int) -> Standing:
    state = State.up if one.reach is Reach.up else State.degraded
    return replace(
        old,
        failures=0,
        answered_order=order,
        silent_since=None,
        waited_s=0.0,
        overdue=0,
        beneath=state,
        reason="" if state is State.up else one.reason,
        flaps=old.flaps + (1.0 if old.beneath is State.down else 0.0),
        evidence=(*old.evidence[-KEPT // 2 :], one) if old.silent else (one,),
    )
