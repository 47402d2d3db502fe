"""What the rules make of one device: which alerts open, change and close. Pure; at most one is open per subject.

The alert that is open is the truth of what is open; what a rule remembers besides (`Memory`) is how long something
has held. So nothing is doubled or forgotten when siaga is cut off between two rounds, wherever that is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from monitor.rules.format import SEVERITIES, Rule
from monitor.rules.subjects import Subject
from monitor.rules.thresholds import with_own_limits
from monitor.rules.verdict import LONGEST_GAP_S, NOTHING, Memory, Value, holds, step

# What a device has become that is no recovery: another alert takes the place of the one before.
REPLACED = ("flapping", "down", "unreachable")
GONE_S = 86_400.0  # a part that its device no longer tells of for so long is not there any more


class Key(NamedTuple):
    """What at most one alert is open for: a rule, and a subject of the device."""

    rule: str
    subject: str


@dataclass(frozen=True)
class Change:
    """What happens to the alert of a key.

    `event`: opened, worse, better, closed. `why` an alert is closed: recovered; flapping, down, unreachable (another
    takes its place); gone (the part is not there any more); unwatched (the rule or device is not looked at any more).
    """

    event: str
    key: Key
    severity: str
    rule: Rule | None = None
    value: Value = None
    limit: float | str | None = None
    why: str = ""


@dataclass(frozen=True)
class Decision:
    """What a round comes to for one device. `memories`: those that changed; NOTHING is to be forgotten."""

    changes: tuple[Change, ...]
    memories: Mapping[Key, Memory]


@dataclass(frozen=True)
class Sight:
    """How a device was looked at: when, whether all of it was read, and whether alerts on its parts may open now.

    `unread`: rules that cannot be read at the moment; what they have rung, and remember, stays as it is.
    """

    at: datetime
    whole: bool = True
    may_open: bool = True
    longest_gap_s: float = LONGEST_GAP_S
    unread: frozenset[str] = frozenset()


def decide(
    rules: Sequence[Rule],
    subjects: Sequence[Subject],
    memories: Mapping[Key, Memory],
    opened: Mapping[Key, str],
    sight: Sight,
) -> Decision:
    """Return what to open and close. `opened`: key → severity of the alerts that are open."""
    changes: list[Change] = []
    after: dict[Key, Memory] = {}
    seen: set[tuple[str, str]] = set()
    judged: set[Key] = set()
    known = bool(memories or opened)
    for rule, subject, value in _pairs(rules, subjects):
        named = (rule.name, subject)
        if known:
            seen.add(named)
        if not (known and (named in opened or named in memories)) and not _notable(rule, value):
            continue  # most of what is read is well, and was: that must cost little
        key = Key(*named)
        if key in judged:
            continue  # two parts under one name: the first speaks for both
        judged.add(key)
        own = opened.get(key, "")
        before = replace(memories.get(key, NOTHING), open=own)
        new = step(rule, before, value, sight.at, sight.longest_gap_s)
        if not own and not sight.may_open and rule.measure != "state":
            new = replace(new, open="")  # it is kept how long it has held: it opens when it may
        changes += _change(rule, key, own, new, value)
        _keep(after, memories, key, new)
    watched = {r.name for r in rules}
    for key in opened:
        if key in seen or key.rule in sight.unread:
            continue
        memory = memories.get(key, Memory(open=opened[key]))
        if key.rule not in watched:
            changes.append(Change("closed", key, opened[key], why="unwatched"))
            after[key] = NOTHING
        elif sight.whole:
            changes += _missing(key, opened[key], memory, sight, after)
    for key in memories.keys() - seen - opened.keys():
        if key.rule not in sight.unread and (sight.whole or key.rule not in watched):
            after[key] = NOTHING
    return Decision(tuple(changes), after)


def _pairs(rules: Sequence[Rule], subjects: Sequence[Subject]) -> Iterator[tuple[Rule, str, Value]]:
    by_kind: dict[str, list[Subject]] = {}
    for s in subjects:
        by_kind.setdefault(s.kind, []).append(s)
    for rule in rules:
        measure = rule.measure
        found = [
            s for s in by_kind.get(rule.of, ()) if measure in s.values and (not rule.where or _facts(rule, s))
        ]
        if rule.yields_to and found:
            found = _unyielding(rules, rule, found)
        if rule.per_device and found:
            one = max(found, key=lambda s: _rank(holds(rule, s.values[rule.measure])))
            yield with_own_limits(rule, one.limits), "", one.values[measure]
        elif not rule.per_device:
            for s in found:
                own = with_own_limits(rule, s.limits) if rule.own_limits else rule
                yield own, s.name, s.values[measure]


def _facts(rule: Rule, subject: Subject) -> bool:
    return all(subject.facts.get(fact, "") in words for fact, words in rule.where.items())


def _unyielding(rules: Sequence[Rule], rule: Rule, found: Sequence[Subject]) -> list[Subject]:
    """Return the subjects for which none of the rules holds that this one yields to."""
    others = [r for r in rules if r.name in rule.yields_to]
    return [
        s
        for s in found
        if not any(o.measure in s.values and _facts(o, s) and holds(o, s.values[o.measure]) for o in others)
    ]


def _notable(rule: Rule, value: Value) -> bool:
    """Tell whether a value is anything to a rule that remembers nothing of its subject."""
    for level in (rule.critical, rule.warning):
        if level is None:
            continue
        if level.rises is not None or level.missing_s is not None:
            return True
        if level.above is not None and isinstance(value, (int, float)):
            if value >= level.above:
                return True
        elif value is not None and holds(rule, value):
            return True
    return False


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) + 1 if severity else 0


def _change(rule: Rule, key: Key, own: str, new: Memory, value: Value) -> Iterable[Change]:
    if new.open == own:
        return
    if not new.open:
        why = str(value) if rule.measure == "state" and value in REPLACED else "recovered"
        yield Change("closed", key, own, rule, value, why=why)
        return
    level = rule.critical if new.open == "critical" else rule.warning
    event = "opened" if not own else "worse" if _rank(new.open) > _rank(own) else "better"
    yield Change(event, key, new.open, rule, value, level.limit if level else None)


def _missing(
    key: Key, severity: str, memory: Memory, sight: Sight, after: dict[Key, Memory]
) -> Iterable[Change]:
    """What a device does not tell of any more is a gap for a day, and then gone."""
    gap_s = (sight.at - memory.at).total_seconds() if memory.at else 0.0
    missed_s = memory.missed_s + min(max(gap_s, 0.0), sight.longest_gap_s)
    after[key] = replace(memory, open=severity, missed_s=missed_s, at=sight.at)
    if missed_s >= GONE_S:
        after[key] = NOTHING
        yield Change("closed", key, severity, why="gone")


def _keep(after: dict[Key, Memory], memories: Mapping[Key, Memory], key: Key, new: Memory) -> None:
    if new.idle:
        if key in memories:
            after[key] = NOTHING
    elif new != memories.get(key):
        after[key] = new
