"""One batch of news into states, alerts and what is to be told of them: all in the caller's one transaction.

`take` is what `siaga poll` and the service call. It reads no clock and opens no socket; what it wants asked comes back
as values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from monitor import alarm_store as store
from monitor.alerts import Change, Key, Sight, decide
from monitor.maintenance import away as any_away
from monitor.maintenance import may_end
from monitor.models import Alert, StateChange
from monitor.notify import outbox
from monitor.observation import Observation
from monitor.rules.format import Rule, filled
from monitor.rules.subjects import Subject, of_state
from monitor.rules.values import shown
from monitor.rules.verdict import LONGEST_GAP_S, NOTHING, Memory
from monitor.scene import Scene
from monitor.state import AWAY, Heard, Judged, Probe, Standing, State, judge
from monitor.topology import UPLINK
from siaga.text import safe

_EVIDENCE = 20
# While a device is in one of these, its parts open no alerts.
_HELD = (State.maintenance, State.not_observed, State.unreachable, State.flapping)


@dataclass(frozen=True)
class News:
    """What came of one device (or of UPLINK) in a batch.

    `subjects`: its parts as far as they were read; `whole`: whether that was all of them, so that what is missing
    is missing. `seen` is kept as its health.
    """

    heard: tuple[Heard, ...] = ()
    subjects: tuple[Subject, ...] = ()
    whole: bool = False
    seen: Observation | None = None


@dataclass(frozen=True)
class Taken:
    """What a batch came to; `asks`: who is to be asked next; `recall`: what the next batch begins with."""

    recall: store.Recall
    changes: tuple[StateChange, ...] = ()
    opened: tuple[Alert, ...] = ()
    closed: tuple[Alert, ...] = ()
    asks: tuple[Probe, ...] = ()
    blind: bool = False


def take(
    session: Session,
    scene: Scene,
    news: Mapping[int, News],
    now: datetime,
    *,
    own: Sequence[Subject] = (),
    run_id: int | None = None,
    recall: store.Recall | None = None,
) -> Taken:
    """Judge a batch and write what it changes. `own`: subjects of siaga itself and of services.

    Without `recall` all that is remembered is read from the database; what is returned may be given to the next
    call once the transaction is committed, and is thrown away if it is not.
    """
    known = _present(recall or store.recall(session), scene)
    news = {d: n for d, n in news.items() if d == UPLINK or d in scene.book.names}
    judged = judge(known.standings, (h for n in news.values() for h in n.heard), scene.world, now)
    blocked = {t.device: store.because(t, scene.book.names) for t in judged.transitions if t.behind}
    named = {d: replace(judged.after[d], reason=why) for d, why in blocked.items()}
    judged = replace(judged, after={**judged.after, **named})
    seen = {d: n.seen for d, n in news.items() if n.seen is not None}
    store.keep_standings(session, known.standings, judged.after, seen, now)
    changes = store.keep_changes(session, judged.transitions, scene.book.names, run_id)
    batch = _Batch(session, scene, known, judged, now, run_id)
    batch.run(news, own)
    _end_windows(session, scene, batch.standings, now)
    return Taken(
        store.Recall(batch.standings, batch.memories, batch.open_now),
        tuple(changes),
        tuple(batch.opened),
        tuple(batch.closed),
        judged.asks,
        judged.blind,
    )


def take_own(
    session: Session, scene: Scene, own: Sequence[Subject], now: datetime, *, run_id: int | None = None
) -> tuple[Sequence[Alert], Sequence[Alert]]:
    """Judge subjects that are no part of a device that is polled (logins), and nothing else; return opened and closed.

    It may be called beside the service, which knows of no such subject: no state of a device is touched.
    """
    batch = _Batch(session, scene, store.recall(session), Judged({}), now, run_id)
    batch.decide_own(own)
    return batch.opened, batch.closed


def _present(known: store.Recall, scene: Scene) -> store.Recall:
    """Return what is remembered of devices that are there: of one that was removed nothing can be kept."""
    names = scene.book.names
    return replace(known, standings={d: s for d, s in known.standings.items() if d == UPLINK or d in names})


@dataclass
class _Batch:
    """The alerts of one batch while they are worked out."""

    session: Session
    scene: Scene
    before: store.Recall
    judged: Judged
    now: datetime
    run_id: int | None
    opened: list[Alert] = field(default_factory=list)
    closed: list[Alert] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.standings: dict[int, Standing] = {**self.before.standings, **self.judged.after}
        self.memories: dict[int | None, Mapping[Key, Memory]] = dict(self.before.memories)
        self.open_now: dict[int | None, dict[Key, tuple[int, str]]] = {
            d: dict(keys) for d, keys in self.before.opened.items()
        }
        self.gap_s = max(LONGEST_GAP_S, 2.0 * self.scene.settings.poll.interval_s)

    def run(self, news: Mapping[int, News], own: Sequence[Subject]) -> None:
        touched = [d for d in {**news, **self.judged.after} if d != UPLINK]
        rules = self.scene.book.of_device
        for device in touched:
            self._device(device, rules.get(device, ()), news.get(device, News()))
        self.decide_own((self._uplink(), *own) if self.scene.world.watch_uplink else tuple(own))
        for device in [d for d in self.open_now if d is not None and d not in rules]:
            self._decide(device, (), (), Sight(self.now, False, False, self.gap_s))

    def decide_own(self, own: Sequence[Subject]) -> None:
        """Judge subjects that belong to no device."""
        if own:
            book = self.scene.book
            self._decide(None, book.own, own, Sight(self.now, False, True, self.gap_s, book.unread))

    def _uplink(self) -> Subject:
        """Return siaga's own way into the network; nobody knows how it is before it was asked."""
        answers = self.standings.get(UPLINK, Standing()).answered_order > 0
        said = "down" if self.judged.blind else "up" if answers else None
        return Subject("siaga", "", {"uplink": said})

    def _device(self, device: int, rules: Sequence[Rule], news: News) -> None:
        standing = self.standings.get(device, Standing())
        parts = () if standing.state in AWAY else news.subjects
        may_open = standing.state not in _HELD
        sight = Sight(self.now, news.whole, may_open, self.gap_s, self.scene.book.unread)
        self._decide(device, rules, (of_state(standing.state.value), *parts), sight)

    def _decide(
        self,
        device: int | None,
        rules: Sequence[Rule],
        subjects: Sequence[Subject],
        sight: Sight,
    ) -> None:
        memories = self.memories.get(device, {})
        opened = {key: severity for key, (_, severity) in self.open_now.get(device, {}).items()}
        decision = decide(rules, subjects, memories, opened, sight)
        if decision.memories:
            store.keep_memories(self.session, device, decision.memories)
            self.memories[device] = {
                k: m for k, m in {**memories, **decision.memories}.items() if m != NOTHING
            }
        for change in decision.changes:
            self._apply(device, change)

    def _apply(self, device: int | None, change: Change) -> None:
        if change.event == "opened":
            self._open(device, change)
            return
        alert_id, _ = self.open_now[device][change.key]
        alert = self.session.get(Alert, alert_id)
        if alert is None:  # it went with its device
            del self.open_now[device][change.key]
            return
        if change.event == "closed":
            alert.closed_at = max(self.now, alert.opened_at)  # a clock may have gone back
            alert.closed_why, alert.open_key = change.why, None
            del self.open_now[device][change.key]
            self.closed.append(alert)
            outbox.closed(self.session, self.scene, alert, self.now)
        else:
            alert.severity, alert.text = change.severity, self._text(device, change)
            alert.evidence = [*alert.evidence, self._proof(device, change)][-_EVIDENCE:]
            self.open_now[device][change.key] = (alert_id, change.severity)
            if change.event == "worse":
                outbox.worse(self.session, self.scene, alert, change.rule, self.now)
        self.session.add(alert)

    def _open(self, device: int | None, change: Change) -> None:
        alert = Alert(
            device_id=device,
            rule=change.key.rule,
            subject=change.key.subject,
            severity=change.severity,
            text=self._text(device, change),
            opened_at=self.now,
            open_key=store.key_of(device, change.key),
            evidence=[self._proof(device, change)],
            run_id=self.run_id,
        )
        self.session.add(alert)
        self.session.flush()
        assert alert.id is not None
        self.open_now.setdefault(device, {})[change.key] = (alert.id, change.severity)
        self.opened.append(alert)
        outbox.opened(self.session, self.scene, alert, change.rule, self.now)

    def _text(self, device: int | None, change: Change) -> str:
        rule = change.rule
        assert rule is not None
        text = filled(
            rule.text.en,
            device=safe(self.scene.book.names.get(device or 0, "siaga"), 120),
            subject=safe(change.key.subject, store.SUBJECT),
            value=shown(change.value, rule.unit),
            limit=shown(change.limit, rule.unit),
        )
        reason = self._reason(device) if (rule.of, rule.measure) == ("device", "state") else ""
        return safe(f"{text.rstrip('.')}: {reason}" if reason else text, 500)

    def _reason(self, device: int | None) -> str:
        return self.standings.get(device or 0, Standing()).reason

    def _proof(self, device: int | None, change: Change) -> dict[str, Any]:
        """Return what an alert rests on: the value, its limit, and for a state the probes."""
        rule = change.rule
        found: dict[str, Any] = {
            "at": self.now.isoformat(),
            "severity": change.severity,
            "value": safe(change.value, 200) if isinstance(change.value, str) else change.value,
            "limit": change.limit,
        }
        if rule is not None:
            found |= {"measure": rule.measure, "unit": rule.unit}
        if rule is not None and rule.measure == "state" and device is not None:
            found["reason"] = safe(self._reason(device), store.REASON)
            found["probes"] = [store.proof(h) for h in self.standings.get(device, Standing()).evidence]
        return found


def _end_windows(session: Session, scene: Scene, standings: Mapping[int, Standing], now: datetime) -> None:
    """Note when the devices of windows are away, and end the windows whose devices are back for good."""
    for window, devices in scene.windows.values():
        if not window.ends_early:
            continue
        known = [standings[d] for d in devices if d in standings]
        row = session.merge(window)
        if any_away(known):
            row.away_at = now
        elif may_end(row, known, now):
            row.ended_at, row.away_at = now, None


def heard_of(device: int, seen: Observation, now: datetime) -> Heard:
    """Return an observation as the machine of states hears it."""
    return Heard(device, now, seen.reach, seen.reason, seen.transport)
