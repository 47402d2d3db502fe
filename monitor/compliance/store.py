"""The SQL of compliance: who is judged, what was said of each, and what is shown of it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from inventory.findings import Judged, Verdict
from inventory.findings_store import Kept, keep, open_keys
from inventory.models import Device
from inventory.models_findings import Compliance
from inventory.store import in_parts, platforms
from monitor.compliance.check import SOURCE, Result, Subject, judged
from monitor.compliance.files import Library
from monitor.compliance.params import params_of
from siaga.clock import as_utc
from siaga.text import safe

_REASON = 200


def subjects(session: Session, ids: Sequence[int]) -> list[Subject]:
    """Return the active devices among these, by name, each with its parameters; platform said, else seen."""
    params = params_of(session, ids)
    spoken = platforms(session)
    wanted = set(ids)
    query = select(Device).where(Device.status == "active").order_by(Device.name)
    return [
        Subject(d.id, d.name, spoken.get(d.id, ""), d.role, params.get(d.id, {}))
        for d in session.exec(query)
        if d.id in wanted and d.id is not None
    ]


def store(session: Session, results: Sequence[Result], library: Library, now: datetime) -> Kept:
    """Write what was said of these devices, and what it makes of their findings. The session must write."""
    ids = [r.subject.device_id for r in results]
    table = Compliance.__table__  # type: ignore[attr-defined]
    for part in in_parts(ids):
        session.execute(delete(table).where(table.c.device_id.in_(part)))
    if results:
        session.execute(insert(table), [_row(r, now) for r in results])
    answers: list[Judged] = [j for r in results for j in judged(r, library)]
    open_ = open_keys(session, SOURCE)
    gone = _gone(session, open_, {j.key.text for j in answers}, set(ids))
    return keep(session, answers, now, open_=open_, gone=gone)


def _gone(session: Session, open_: Collection[str], told: set[str], judged_ids: set[int]) -> list[str]:
    """Return the open findings that nothing is said of any more: of a rule, or of a device, that is no longer there."""
    active = set(session.exec(select(Device.id).where(Device.status == "active")))
    devices = ((key, int(key.split("/", 3)[2] or 0)) for key in open_ if key not in told)
    return [key for key, device in devices if device in judged_ids or device not in active]


def _row(result: Result, now: datetime) -> dict[str, Any]:
    counts = result.counts
    return {
        "device_id": result.subject.device_id,
        "at": now,
        "evidence_at": result.at,
        "sha256": result.sha256,
        "met": counts[Verdict.met],
        "broken": counts[Verdict.broken],
        "unknown": counts[Verdict.unknown],
        "results": {n: [a.verdict.value, safe(a.reason, _REASON)] for n, a in result.answers.items()},
    }


def stored(session: Session, ids: Collection[int]) -> list[tuple[str, Compliance | None]]:
    """Return each active device among these by name, with what was last said of it."""
    wanted = set(ids)
    join = col(Device.id) == col(Compliance.device_id)
    query = select(Device.id, Device.name, Compliance).outerjoin(Compliance, join)
    rows = session.exec(query.where(Device.status == "active").order_by(Device.name))
    return [(name, one) for i, name, one in rows if i in wanted]


def details(
    rows: Iterable[tuple[str, Compliance | None]], library: Library, now: datetime
) -> list[dict[str, Any]]:
    """Return one row for each answer, as stored, with the age of what it rests on."""
    found = []
    for name, one in rows:
        for rule_name, (verdict, reason) in (one.results if one else {}).items():
            rule = library.by_name.get(rule_name)
            found.append(
                {
                    "device": name,
                    "rule": rule_name,
                    "severity": rule.severity if rule else "",
                    "verdict": verdict,
                    "reason": reason,
                    "evidence_at": one.evidence_at if one else None,
                    "age_d": age_d(one.evidence_at if one else None, now),
                }
            )
    return found


def age_d(at: datetime | None, now: datetime) -> float | None:
    """Return how many days old that is which an answer rests on."""
    return None if at is None else round((now - as_utc(at)).total_seconds() / 86400, 1)
