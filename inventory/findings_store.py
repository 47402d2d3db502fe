"""The SQL of findings: what is open, what a round changes, what a person decides, and what would mend one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, col, select

from inventory.findings import Judged, Remedy, due, rank, settled, standing
from inventory.history import Author, Chain
from inventory.models import Device
from inventory.models_findings import Finding
from inventory.models_people import Person
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

TEXT = 500
LINES = 20


@dataclass(frozen=True)
class Kept:
    """How many findings a round opened, saw again and closed."""

    opened: int = 0
    again: int = 0
    closed: int = 0


def open_keys(session: Session, source: str) -> dict[str, int]:
    """Return key → id of the open findings of a source."""
    query = select(col(Finding.open_key), col(Finding.id)).where(
        col(Finding.source) == source, col(Finding.open_key).is_not(None)
    )
    return {k: i for k, i in session.exec(query) if k and i}


def keep(
    session: Session,
    judged: Sequence[Judged],
    now: datetime,
    *,
    open_: Mapping[str, int],
    gone: Collection[str] = (),
) -> Kept:
    """Write what a round of answers changes, in three statements. The session must write."""
    done = settled(judged, open_, gone)
    table = Finding.__table__  # type: ignore[attr-defined]
    if done.opened:
        session.execute(insert(table), [_new(j, now) for j in done.opened])
    if done.again:
        session.execute(
            update(table).where(table.c.id == bindparam("b_id")).values(**_seen_binds()),
            [_seen(i, j, now) for i, j in done.again],
        )
    if done.closed:
        session.execute(
            update(table)
            .where(table.c.id == bindparam("b_id"))
            .values(closed_at=bindparam("b_at"), closed_why=bindparam("b_why"), open_key=None),
            [{"b_id": i, "b_at": now, "b_why": why} for i, why in done.closed.items()],
        )
    session.expire_all()
    return Kept(len(done.opened), len(done.again), len(done.closed))


def would_be(one: Judged, now: datetime) -> Finding:
    """Return the finding that an answer would open, which is not stored."""
    return Finding(**_new(one, now))


def _new(one: Judged, now: datetime) -> dict[str, Any]:
    return {
        "source": one.key.source,
        "rule": one.key.rule,
        "device_id": one.key.device_id,
        "subject": safe(one.key.subject, 200),
        "first_seen": now,
        "due": due(one.severity, now),
        "owner": "",
        "accepted_by": "",
        "accepted_why": "",
        "closed_why": "",
        "open_key": one.key.text,
        **_told(one, now),
    }


def _told(one: Judged, now: datetime) -> dict[str, Any]:
    return {
        "severity": one.severity,
        "article": one.article,
        "title": safe(one.title, TEXT),
        "detail": safe(one.detail, TEXT),
        "evidence": [safe(line, TEXT) for line in one.evidence[:LINES]],
        "evidence_at": one.evidence_at,
        "last_seen": now,
        "playbook": one.playbook,
        "params": dict(one.params),
    }


_TOLD = (
    *("severity", "article", "title", "detail", "evidence"),
    *("evidence_at", "last_seen", "playbook", "params"),
)


def _seen_binds() -> dict[str, Any]:
    return {name: bindparam(f"b_{name}") for name in _TOLD}


def _seen(number: int, one: Judged, now: datetime) -> dict[str, Any]:
    return {"b_id": number, **{f"b_{k}": v for k, v in _told(one, now).items()}}


def rows(
    session: Session,
    now: datetime,
    *,
    device_ids: Collection[int] | None = None,
    source: str = "",
    states: Collection[str] = ("open",),
    severities: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Return findings as rows, the worst and oldest first. `states`: open, accepted, closed."""
    query = select(Finding, Device.name).outerjoin(Device, col(Device.id) == col(Finding.device_id))
    if source:
        query = query.where(col(Finding.source) == source)
    if "closed" not in states:
        query = query.where(col(Finding.open_key).is_not(None))
    wanted = None if device_ids is None else set(device_ids)
    found = [
        row(f, name or "", now) for f, name in session.exec(query) if wanted is None or f.device_id in wanted
    ]
    found = [r for r in found if r["state"] in states and (not severities or r["severity"] in severities)]
    return sorted(found, key=lambda r: (rank(r["severity"]), r["first_seen"], r["id"]))


def row(one: Finding, device: str, now: datetime) -> dict[str, Any]:
    """Return one finding as the stable row of every list."""
    return {
        "id": one.id,
        "state": standing(one.closed_at, one.accepted_until, now),
        "severity": one.severity,
        "device": device,
        "subject": one.subject,
        "title": one.title,
        "detail": one.detail,
        "source": one.source,
        "rule": one.rule,
        "article": one.article,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "evidence_at": one.evidence_at,
        "evidence": one.evidence,
        "owner": one.owner,
        "due": one.due,
        "overdue": one.closed_at is None and one.due is not None and one.due < now.date(),
        "playbook": one.playbook,
        "params": one.params,
        "accepted_until": one.accepted_until,
        "accepted_by": one.accepted_by,
        "accepted_why": one.accepted_why,
        "closed_at": one.closed_at,
        "closed_why": one.closed_why,
    }


def one(session: Session, number: int) -> Finding:
    """Return the finding of this number; raises NotFoundError (`no-such-finding`)."""
    found = session.get(Finding, number)
    if found is None:
        sentence = f"There is no finding {number}: see 'siaga finding list --all'."
        raise NotFoundError("no-such-finding", sentence)
    return found


def remedy_of(session: Session, number: int) -> Remedy:
    """Return what would mend a finding: the playbook, the device as a selector, the parameters filled in.

    Raises NotFoundError (`no-such-finding`), InvalidError (`finding-closed`, `no-remedy`).
    """
    found = one(session, number)
    if found.closed_at is not None:
        raise InvalidError("finding-closed", f"Finding {number} is closed: there is nothing to mend.")
    device = session.get(Device, found.device_id) if found.device_id is not None else None
    if not found.playbook or device is None:
        raise InvalidError("no-remedy", f"No playbook is known that mends finding {number}: {found.title}")
    return Remedy(found.playbook, device.name, dict(found.params))


def accept(session: Session, number: int, author: Author, until: datetime) -> Finding:
    """Carry the risk of a finding until then, by whom and why; kept in the history."""
    found = _still_open(session, number)
    before = {"accepted_until": found.accepted_until}
    found.accepted_until, found.accepted_by, found.accepted_why = until, author.who, safe(author.why, TEXT)
    session.add(found)
    _noted(session, author, found, before, {"accepted_until": until})
    return found


def assign(session: Session, number: int, author: Author, owner: str, day: date | None) -> Finding:
    """Give a finding to a person, and a day by which it is to be mended; raises NotFoundError (`no-such-person`)."""
    found = _still_open(session, number)
    before: dict[str, Any] = {"owner": found.owner, "due": found.due}
    if owner and session.exec(select(Person.id).where(Person.name == owner)).first() is None:
        raise NotFoundError(
            "no-such-person", f"No person is called '{safe(owner, 80)}': see 'siaga person list'."
        )
    found.owner, found.due = owner or found.owner, day or found.due
    session.add(found)
    _noted(session, author, found, before, {"owner": found.owner, "due": found.due})
    return found


def close(session: Session, number: int, author: Author) -> Finding:
    """Close a finding by hand: one that no check will judge again."""
    found = _still_open(session, number)
    found.closed_at, found.closed_why, found.open_key = author.now, "by hand", None
    session.add(found)
    _noted(session, author, found, {"closed_at": None}, {"closed_at": author.now})
    return found


def _still_open(session: Session, number: int) -> Finding:
    found = one(session, number)
    if found.closed_at is not None:
        raise InvalidError("finding-closed", f"Finding {number} is closed ({found.closed_why}).")
    return found


def _noted(
    session: Session, author: Author, found: Finding, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    chain = Chain(session, author)
    chain.add("finding", str(found.id), "set", before, after)
    chain.flush()
