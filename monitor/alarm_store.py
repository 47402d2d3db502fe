"""The SQL of states and alerts: what the machine remembers, what is open, and what a round changes. Sets, not loops."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import Session, col
from sqlmodel import select as rows_of

from monitor.alerts import Key
from monitor.models import Alert, DeviceState, RuleMemory, StateChange
from monitor.observation import Observation, Reach
from monitor.rules.verdict import NOTHING, Memory, as_json, from_json
from monitor.state import Heard, Standing, State, Transition
from monitor.topology import UPLINK
from siaga.clock import as_utc
from siaga.text import safe

REASON = 300
SUBJECT = 120

_COLUMNS = (
    "device_id",
    "state",
    "since",
    "at",
    "reason",
    "failures",
    "beneath",
    "silent_since",
    "waited_s",
    "overdue",
    "silent_order",
    "answered_order",
    "flaps",
    "flapping",
    "evidence",
)
Memories = Mapping[int | None, Mapping[Key, Memory]]


@dataclass(frozen=True)
class Recall:
    """All that must be known before a round; read from the database, or kept by the service between rounds.

    `opened`: device → key → (alert's id, severity); device None is siaga itself and services.
    """

    standings: Mapping[int, Standing]
    memories: Memories
    opened: Mapping[int | None, Mapping[Key, tuple[int, str]]]


def recall(session: Session) -> Recall:
    """Return what is remembered, in three queries."""
    opened: dict[int | None, dict[Key, tuple[int, str]]] = {}
    table = Alert.__table__  # type: ignore[attr-defined]
    names = ("id", "device_id", "rule", "subject", "severity")
    for row in session.execute(select(*(table.c[n] for n in names)).where(table.c.closed_at.is_(None))):
        opened.setdefault(row[1], {})[Key(row[2], row[3])] = (row[0], row[4])
    return Recall(standings(session), _memories(session), opened)


def standings(session: Session) -> dict[int, Standing]:
    """Return what is believed of every device that has been asked."""
    table = DeviceState.__table__  # type: ignore[attr-defined]
    found = {}
    for row in session.execute(select(*(table.c[c] for c in _COLUMNS))).mappings():
        values = {k: row[k] for k in _COLUMNS if k not in ("device_id", "state", "beneath", "evidence")}
        found[row["device_id"]] = Standing(
            **values,
            state=State(row["state"]),
            beneath=State(row["beneath"] or row["state"]),
            evidence=tuple(_heard(row["device_id"], e) for e in row["evidence"] or ()),
        )
    return found


def _memories(session: Session) -> dict[int | None, dict[Key, Memory]]:
    table = RuleMemory.__table__  # type: ignore[attr-defined]
    found: dict[int | None, dict[Key, Memory]] = {}
    for row in session.execute(select(table.c.device_id, table.c.rule, table.c.subject, table.c.memory)):
        found.setdefault(row[0], {})[Key(row[1], row[2])] = from_json(row[3])
    return found


def proof(heard: Heard) -> dict[str, Any]:
    """Return one probe as it is kept as evidence."""
    return {
        "at": heard.at.isoformat(),
        "probe": heard.probe,
        "reach": heard.reach.value,
        "reason": safe(heard.reason, REASON),
    }


def _heard(device: int, row: Mapping[str, Any]) -> Heard:
    at = as_utc(datetime.fromisoformat(row["at"]))
    return Heard(device, at, Reach(row["reach"]), row["reason"], row["probe"])


def keep_standings(
    session: Session,
    before: Mapping[int, Standing],
    after: Mapping[int, Standing],
    seen: Mapping[int, Observation],
    now: datetime,
) -> None:
    """Write the standings that changed, and the health of the devices that were read."""
    table = DeviceState.__table__  # type: ignore[attr-defined]
    rows = {d: _row(d, s, now) for d, s in after.items() if d != UPLINK}
    new = [{**r, "health": {}, "uptime_s": None} for d, r in rows.items() if d not in before]
    if new:
        session.execute(insert(table), new)
    _many(session, table, "device_id", [r for d, r in rows.items() if d in before])
    answered = {d: o for d, o in seen.items() if d in before or d in rows}
    _many(session, table, "device_id", [{"device_id": d, "health": health(o)} for d, o in answered.items()])
    up = [{"device_id": d, "uptime_s": o.uptime_s} for d, o in answered.items() if o.uptime_s is not None]
    _many(session, table, "device_id", up)


def _row(device: int, standing: Standing, now: datetime) -> dict[str, Any]:
    return {
        "device_id": device,
        "state": standing.state.value,
        "since": standing.since or now,
        "at": standing.at or now,
        "reason": safe(standing.reason, REASON),
        "failures": standing.failures,
        "beneath": standing.beneath.value,
        "silent_since": standing.silent_since,
        "waited_s": standing.waited_s,
        "overdue": standing.overdue,
        "silent_order": standing.silent_order,
        "answered_order": standing.answered_order,
        "flaps": standing.flaps,
        "flapping": standing.flapping,
        "evidence": [proof(e) for e in standing.evidence],
    }


def _many(session: Session, table: Any, key: str, rows: Sequence[dict[str, Any]]) -> None:
    """Update many rows of the same columns by one statement."""
    if not rows:
        return
    names = [n for n in rows[0] if n != key]
    query = update(table).where(table.c[key] == bindparam(f"the_{key}"))
    query = query.values({n: bindparam(n) for n in names})
    session.connection().execute(query, [{f"the_{key}": r[key], **{n: r[n] for n in names}} for r in rows])


def health(seen: Observation) -> dict[str, Any]:
    """Return the figures that 'siaga status' shows."""
    found: dict[str, Any] = {}
    if seen.processors:
        found["cpu_pct"] = round(sum(p.percent for p in seen.processors) / len(seen.processors), 1)
    if seen.mempools:
        found["memory_pct"] = round(seen.mempools[0].percent, 1)
    temperatures = [s.value for s in seen.sensors if s.kind == "temperature"]
    if temperatures:
        found["temperature_c"] = max(temperatures)
    return found


def keep_changes(
    session: Session, transitions: Iterable[Transition], names: Mapping[int, str], run_id: int | None
) -> list[StateChange]:
    """Write one row for each transition, with its evidence; return the rows."""
    rows = [
        StateChange(
            device_id=t.device,
            at=t.at,
            before=t.before.value,
            after=t.after.value,
            reason=safe(because(t, names), REASON),
            evidence=[proof(e) for e in t.evidence],
            run_id=run_id,
        )
        for t in transitions
    ]
    session.add_all(rows)
    return rows


def because(transition: Transition, names: Mapping[int, str]) -> str:
    """Return why a state changed, with the names of who blocks the way."""
    blocked = [names.get(d, "?") for d in transition.behind]
    return f"behind {', '.join(blocked)}: {transition.reason}" if blocked else transition.reason


def keep_memories(session: Session, device: int | None, memories: Mapping[Key, Memory]) -> None:
    """Write what rules remember of one device; NOTHING is forgotten."""
    table = RuleMemory.__table__  # type: ignore[attr-defined]
    rows = {
        key_of(device, key): {
            "key": key_of(device, key),
            "device_id": device,
            "rule": key.rule,
            "subject": key.subject,
            "memory": as_json(memory),
        }
        for key, memory in memories.items()
        if memory != NOTHING
    }
    keys = [key_of(device, key) for key in memories]
    session.execute(delete(table).where(table.c.key.in_(keys)))
    if rows:
        session.execute(insert(table), list(rows.values()))


def key_of(device: int | None, key: Key) -> str:
    """Return the text of a key: what at most one alert is open for."""
    return f"{device or 0}/{key.rule}/{key.subject}"


def open_alerts(session: Session) -> Sequence[Alert]:
    """Return the alerts that are open, by id."""
    return session.exec(rows_of(Alert).where(col(Alert.closed_at).is_(None)).order_by(col(Alert.id))).all()
