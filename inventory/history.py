"""The audit chain: every change with who, when, why, before and after, hashed over the entry before it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlmodel import Session, col, select

from inventory.models import Change

GENESIS = "0" * 64


@dataclass(frozen=True)
class Author:
    """Who changes something, why, in which run or import (`cause`), and when."""

    who: str
    now: datetime
    why: str = ""
    cause: str = ""


def digest(change: Change) -> str:
    """Return the SHA-256 of the entry with the hash before it, as 64 hex digits."""
    covered = [
        change.previous_hash,
        change.at.isoformat(),
        change.who,
        change.why,
        change.cause,
        change.noun,
        change.row_name,
        change.action,
        change.before,
        change.after,
    ]
    return sha256(json.dumps(covered, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def last_hash(session: Session) -> str:
    """Return the hash at the head of the chain."""
    return session.exec(select(Change.hash).order_by(col(Change.id).desc()).limit(1)).first() or GENESIS


def record(
    session: Session,
    author: Author,
    noun: str,
    row_name: str,
    action: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    previous: str,
) -> str:
    """Append one change after `previous` and return its hash. The session must hold the write lock."""
    change = Change(
        at=author.now,
        who=author.who,
        why=author.why,
        cause=author.cause,
        noun=noun,
        row_name=row_name,
        action=action,
        before=_storable(before),
        after=_storable(after),
        previous_hash=previous,
        hash="",
    )
    change.hash = digest(change)
    session.add(change)
    return change.hash


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, (date, datetime)) else v for k, v in values.items()}


def breaks(session: Session) -> Iterator[str]:
    """Yield one sentence for each place where the chain does not hold: edits, deletions, reordering."""
    previous = GENESIS
    for change in session.exec(select(Change).order_by(col(Change.id))):
        if change.previous_hash != previous:
            yield f"Entry {change.id} does not follow the entry before it."
        if digest(change) != change.hash:
            yield f"Entry {change.id} ({change.noun} {change.row_name}) was edited after it was written."
        previous = change.hash
