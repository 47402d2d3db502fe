"""The audit chain: every change with who, when, why, before and after, hashed over the entry before it.

What one command or import writes is one change set; it is undone as a whole (see undo.py).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import func, insert, update
from sqlmodel import Session, col, select

from inventory.models import Change, Head
from siaga.clock import as_utc

GENESIS = "0" * 64
_AT_ONCE = 5000


@dataclass(frozen=True)
class Author:
    """Who changes something, why, in which run or import (`cause`), and when."""

    who: str
    now: datetime
    why: str = ""
    cause: str = ""


def digest(entry: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the entry with the hash before it, as 64 hex digits."""
    covered = [
        entry["previous_hash"],
        entry["at"].isoformat(),
        entry["who"],
        entry["why"],
        entry["cause"],
        entry["noun"],
        entry["row_name"],
        entry["action"],
        entry["before"],
        entry["after"],
    ]
    if entry["change_set"] is not None:  # entries of the first schema have none
        covered.append(entry["change_set"])
    return sha256(json.dumps(covered, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@dataclass
class Chain:
    """Appends entries to the history in the order in which things were changed.

    The session must hold the write lock. Entries lie here until `flush`.
    """

    session: Session
    author: Author
    pending: list[dict[str, Any]] = field(default_factory=list)
    change_set: int = 0
    _head: str = ""
    _next: int = 0
    _count: int = 0
    _new: bool = False

    def add(
        self, noun: str, row_name: str, action: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> int:
        """Append one entry and return its id."""
        if not self._next:
            self._begin()
        number = self._next
        entry: dict[str, Any] = {
            "id": number,
            "at": as_utc(self.author.now),
            "who": self.author.who,
            "why": self.author.why,
            "cause": self.author.cause,
            "change_set": self.change_set,
            "noun": noun,
            "row_name": row_name,
            "action": action,
            "before": storable(before),
            "after": storable(after),
            "previous_hash": self._head,
        }
        entry["hash"] = self._head = digest(entry)
        self._next += 1
        self._count += 1
        self.pending.append(entry)
        return number

    def _begin(self) -> None:
        last, sets = self.session.execute(select(func.max(Change.id), func.max(Change.change_set))).one()
        head = self.session.get(Head, 1)
        self._next, self.change_set = (last or 0) + 1, (sets or 0) + 1
        self._head, self._count, self._new = (
            last_hash(self.session),
            head.entries if head else 0,
            head is None,
        )

    def flush(self) -> None:
        """Write what was appended, and the new head beside it."""
        if not self.pending:
            return
        self.session.execute(insert(Change.__table__), self.pending)  # type: ignore[attr-defined]
        values = {"entries": self._count, "hash": self._head}
        self.session.execute(
            insert(Head).values(id=1, **values) if self._new else update(Head).values(**values)
        )
        self._new = False
        self.pending = []


def last_hash(session: Session) -> str:
    """Return the hash at the head of the chain."""
    return session.exec(select(Change.hash).order_by(col(Change.id).desc()).limit(1)).first() or GENESIS


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON holds them."""
    return {k: v.isoformat() if isinstance(v, (date, datetime)) else v for k, v in values.items()}


def breaks(session: Session, noted: str = "") -> Iterator[str]:
    """Yield one sentence for each place where the chain does not hold: edits, deletions, reordering.

    The head kept apart shows when the end was cut off; `noted` is a head that somebody wrote down (the report
    prints it), which must stand in the chain: then nobody wrote the whole of it again.
    """
    previous, count, met = GENESIS, 0, noted in ("", GENESIS)
    for entry in entries(session):
        if entry["previous_hash"] != previous:
            yield f"Entry {entry['id']} does not follow the entry before it."
        if digest(entry) != entry["hash"]:
            yield f"Entry {entry['id']} ({entry['noun']} {entry['row_name']}) was edited after it was written."
        previous, count, met = entry["hash"], count + 1, met or entry["hash"] == noted
    head = session.get(Head, 1)
    if (head.entries, head.hash) != (count, previous) if head else count:
        kept = f"{head.entries} entries" if head else "no entries at all"
        yield f"The end does not fit: the head speaks of {kept}, and there are {count}."
    if not met:
        yield f"The head {noted} is nowhere in the history: it was written again since."


def entries(session: Session, after: int = 0) -> Iterator[dict[str, Any]]:
    """Yield every entry after this id, some thousands at a time."""
    table, last = Change.__table__, after  # type: ignore[attr-defined]
    while True:
        query = select(table).where(table.c.id > last).order_by(table.c.id).limit(_AT_ONCE)
        page = [dict(row) for row in session.execute(query).mappings()]
        yield from page
        if len(page) < _AT_ONCE:
            return
        last = page[-1]["id"]
