"""Whether a rule holds for one subject: a pure fold over its values, one after another.

What a rule remembers between two values is `Memory`: how long a level has held, which level is open, and for how
long the value has been past its end. `step` takes the next value; `verdict` folds a whole history window; the
replay of `siaga alert test` and the monitor itself run the same function.

Time is the sum of bounded gaps between values, so that a clock that steps neither opens nor ends anything by
itself. No value is no news: it neither opens nor closes (but for `missing_s`), and its time does not count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.rules.format import SEVERITIES, Level, Rule
from siaga.clock import as_utc

Value = float | str | None
LONGEST_GAP_S = 300.0
_POINTS = 120


@dataclass(frozen=True)
class Memory:
    """What a rule remembers of one subject; the default is a subject of which there is nothing to remember.

    `open`: the severity that holds, '' for none. `held_s`: how long each level has held. `past_s`: how long the
    open level has not (None: it holds). `missed_s`: how long there was no value. `at`: the time of the last value,
    None after a gap. `points`: the values within reach of `rises`.
    """

    open: str = ""
    held_s: Mapping[str, float] = field(default_factory=dict)
    past_s: float | None = None
    missed_s: float = 0.0
    at: datetime | None = None
    points: tuple[tuple[datetime, float], ...] = ()

    @property
    def idle(self) -> bool:
        """Whether nothing of it matters."""
        return not (self.open or self.held_s or self.missed_s or self.points)


NOTHING = Memory()


def step(
    rule: Rule, memory: Memory, value: Value, at: datetime, longest_gap_s: float = LONGEST_GAP_S
) -> Memory:
    """Return the memory after one more value (None: it was looked for, and there was none)."""
    gap_s = (at - memory.at).total_seconds() if memory.at else 0.0
    gap_s = min(max(gap_s, 0.0), longest_gap_s)
    if value is not None:
        gap_s = 0.0 if memory.missed_s else gap_s
        points = _points(rule, memory, value, at)
        return _judged(rule, replace(memory, missed_s=0.0, at=at, points=points), value, gap_s)
    if any(level.missing_s is not None for _, level in rule.levels()):
        return _judged(rule, replace(memory, missed_s=memory.missed_s + gap_s, at=at), None, gap_s)
    return replace(
        memory, at=None
    )  # nobody knows how it is meanwhile: the time up to the next value does not count


def verdict(
    rule: Rule, history: Iterable[tuple[datetime, Value]], longest_gap_s: float = LONGEST_GAP_S
) -> str:
    """Return the severity that holds at the end of a history window, '' for none."""
    memory = NOTHING
    for at, value in history:
        memory = step(rule, memory, value, at, longest_gap_s)
    return memory.open


def holds(rule: Rule, value: Value) -> str:
    """Return the severity for which a value is bad right now, however long it has been."""
    return next((s for s, level in rule.levels() if _holds(level, value, NOTHING, kept=False)), "")


def _judged(rule: Rule, memory: Memory, value: Value, gap_s: float) -> Memory:
    """Return the memory with what now holds: it opens or grows at once, and ends as slowly as the rule says."""
    held: dict[str, float] = {}
    for severity, level in rule.levels():
        kept = bool(memory.open) and _rank(severity) <= _rank(memory.open)
        if _holds(level, value, memory, kept=kept):
            before = memory.held_s.get(severity)
            held[severity] = 0.0 if before is None else before + gap_s
    reached = next((s for s, held_s in held.items() if held_s >= rule.for_s), "")
    memory = replace(memory, held_s=held)
    if _rank(reached) > _rank(memory.open):
        return replace(memory, open=reached, past_s=None)
    if not memory.open or memory.open in held:
        return replace(memory, past_s=None)
    past_s = 0.0 if memory.past_s is None else memory.past_s + gap_s
    if past_s < rule.clear_for_s:
        return replace(memory, past_s=past_s)
    return replace(memory, open=next(iter(held), ""), past_s=None)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) + 1 if severity else 0


def _holds(level: Level, value: Value, memory: Memory, *, kept: bool) -> bool:
    """Tell whether a level holds; what is open is held until the value is past `clear`."""
    if level.missing_s is not None:
        return value is None and memory.missed_s >= level.missing_s
    if value is None:
        return False
    if level.equals:
        return str(value).casefold() in {w.casefold() for w in level.equals}
    if not isinstance(value, (int, float)):
        return False
    if level.rises is not None:
        return bool(memory.points) and value - min(v for _, v in memory.points) >= level.rises
    if level.above is not None:
        return value > level.clear if kept and level.clear is not None else value >= level.above
    assert level.below is not None
    return value < level.clear if kept and level.clear is not None else value <= level.below


def _points(rule: Rule, memory: Memory, value: Value, at: datetime) -> tuple[tuple[datetime, float], ...]:
    if not isinstance(value, (int, float)) or all(level.rises is None for _, level in rule.levels()):
        return ()
    since = at - timedelta(seconds=rule.within_s)
    return (*(p for p in memory.points if since <= p[0] <= at), (at, float(value)))[-_POINTS:]


def as_json(memory: Memory) -> dict[str, Any]:
    """Return a memory as it is kept."""
    row = asdict(memory)
    row["at"] = memory.at.isoformat() if memory.at else None
    row["points"] = [[at.isoformat(), v] for at, v in memory.points]
    return {k: v for k, v in row.items() if v or v == 0.0}


def from_json(row: Mapping[str, Any]) -> Memory:
    """Return a memory that was kept."""
    at = row.get("at")
    points = tuple((as_utc(datetime.fromisoformat(t)), float(v)) for t, v in row.get("points", ()))
    rest = {k: v for k, v in row.items() if k not in ("at", "points")}
    return Memory(**rest, at=as_utc(datetime.fromisoformat(at)) if at else None, points=points)
