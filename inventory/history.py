"""The audit chain: every change with who, when, why, before and after, hashed over the entry before it.

What one command or import writes is one change set; it is undone as a whole (see undo.py).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import String, cast, func, insert, type_coerce, update
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, col, select

from inventory.models import Change, Head
from inventory.nouns import nouns
from inventory.store import seal_of
from siaga.clock import as_utc
from siaga.errors import SiagaError
from siaga.seal import Seal

GENESIS = "0" * 64
_AT_ONCE = 5000
_JSON = ("before", "after")
_UNSEALED = (
    "something else than siaga wrote it, or siaga without that key; when you have looked, 'siaga history seal'"
    " accepts it"
)
_TEXTS = ("who", "why", "cause", "noun", "row_name", "action", "previous_hash", "hash")


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
    _seal: Seal | None = None

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
        begun = sealed(self.session) if head else last is None
        self._seal = seal_of(self.session) if begun else None  # what is broken stays so until somebody looks
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
        seal = self._seal.of(_line(self._count, self._head)) if self._seal else ""
        values = {"entries": self._count, "hash": self._head, "seal": seal}
        self.session.execute(
            insert(Head).values(id=1, **values) if self._new else update(Head).values(**values)
        )
        self._new = False
        self.pending = []


def sealed(session: Session) -> bool | None:
    """Tell whether the head bears the seal of the home's master key; None where there is no key, or no head."""
    head, seal = session.get(Head, 1), seal_of(session)
    return seal.fits(_line(head.entries, head.hash), head.seal) if head and seal else None


def seal_head(session: Session) -> int:
    """Seal the head as it stands, and return how many entries it speaks of; 0 where there is no key, or no head."""
    head, seal = session.get(Head, 1), seal_of(session)
    if head is None or seal is None:
        return 0
    head.seal = seal.of(_line(head.entries, head.hash))
    session.flush()
    return head.entries


def _line(entries: int, last: str) -> str:
    return f"history-head {entries} {last}"


def last_hash(session: Session) -> str:
    """Return the hash at the head of the chain."""
    return session.exec(select(Change.hash).order_by(col(Change.id).desc()).limit(1)).first() or GENESIS


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON holds them."""
    return {k: v.isoformat() if isinstance(v, (date, datetime)) else v for k, v in values.items()}


def breaks(
    session: Session, noted: str = "", take: Callable[[Mapping[str, Any]], None] | None = None
) -> Iterator[str]:
    """Yield one sentence for each place where the chain does not hold: edits, deletions, reordering.

    The head kept apart shows when the end was cut off; `noted` is a head that somebody wrote down (the report
    prints it), which must stand in the chain: then nobody wrote the whole of it again. `take` is given every
    entry that can be read.
    """
    previous, last, count, met = GENESIS, 0, 0, noted in ("", GENESIS)
    for row in _rows(session):
        if row["id"] != last + 1:
            yield f"Entry {row['id']} stands where entry {last + 1} should: numbers were removed, added or changed."
        if row["previous_hash"] != previous:
            yield f"Entry {row['id']} does not follow the entry before it."
        entry, own = _as_hashed(row)
        if entry is None:
            yield f"Entry {row['id']} was edited after it was written: siaga writes no entry like that."
        elif own != entry["hash"]:
            yield f"Entry {entry['id']} ({entry['noun']} {entry['row_name']}) was edited after it was written."
        if entry is not None and take is not None:
            take(entry)
        previous, last, count, met = row["hash"], row["id"], count + 1, met or row["hash"] == noted
    head = session.get(Head, 1)
    if (head.entries, head.hash) != (count, previous) if head else count:
        kept = f"{head.entries} entries" if head else "no entries at all"
        yield f"The end does not fit: the head speaks of {kept}, and there are {count}."
    if sealed(session) is False:
        yield f"The head is not sealed with this home's master key: {_UNSEALED}."
    if not count and head is None and _rows_without_history(session):
        yield "The inventory holds rows, and its history is empty."
    if not met:
        yield f"The head {noted} is nowhere in the history: it was written again since."


def _rows_without_history(session: Session) -> bool:
    """Tell whether there are rows; what siaga observed has no history."""
    intended = (k.table.c for k in nouns().values() if not k.seen and k.name != "interface")
    return any(session.execute(select(c.id).limit(1)).first() for c in intended)


def entries(session: Session, after: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield every entry after this id (without one: all), some thousands at a time.

    Raises SiagaError (`history-damaged`).
    """
    table = Change.__table__  # type: ignore[attr-defined]
    query = select(table).order_by(table.c.id).limit(_AT_ONCE)
    while True:
        page = list(read(session, query if after is None else query.where(table.c.id > after)))
        yield from page
        if len(page) < _AT_ONCE:
            return
        after = page[-1]["id"]


def read(session: Session, query: Any) -> Iterator[dict[str, Any]]:
    """Yield the entries that a query selects whole; raises SiagaError (`history-damaged`) for one like no entry."""
    with legible(session):
        for row in session.execute(query).mappings():
            whole = isinstance(row["before"], dict) and isinstance(row["after"], dict)
            if not whole or not _are_texts(row):
                raise ValueError("no entry of siaga's")
            json.dumps(
                [row["before"], row["after"]], ensure_ascii=False
            ).encode()  # half of a character cannot
            yield dict(row)


@contextmanager
def legible(session: Session) -> Iterator[None]:
    """Name the entry on which reading the history fails; raises SiagaError (`history-damaged`)."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, DatabaseError):
        damaged = next((row["id"] for row in _rows(session) if _as_hashed(row)[0] is None), None)
        if damaged is None:
            raise
        sentence = f"Entry {damaged} of the history cannot be read: run 'siaga history verify'."
        raise SiagaError("history-damaged", sentence) from None


def _rows(session: Session) -> Iterator[Mapping[Any, Any]]:
    """Yield every entry as it lies in the database, whatever somebody put there."""
    table = Change.__table__  # type: ignore[attr-defined]
    # PostgreSQL holds a time in its own form, and JSON as the text that was given.
    as_text = type_coerce if session.get_bind().dialect.name == "sqlite" else cast
    columns = [as_text(c, String).label(c.name) if c.name in _JSON else c for c in table.c]
    columns = [type_coerce(c, String).label(c.name) if c.name == "at" else c for c in columns]
    query = select(*columns).order_by(table.c.id).limit(_AT_ONCE)
    page = _page(session, query)
    while page:
        yield from page
        page = _page(session, query.where(table.c.id > page[-1]["id"]))


def _page(session: Session, query: Any) -> Sequence[Mapping[Any, Any]]:
    try:
        return session.execute(query).mappings().all()
    except OperationalError:  # SQLite gives text as it is, and Python cannot read all of it
        driver = session.connection().connection.driver_connection
        if session.get_bind().dialect.name != "sqlite" or driver is None:
            raise
        driver.text_factory = _any_text
        try:
            return session.execute(query).mappings().all()
        finally:
            driver.text_factory = str


def _any_text(octets: bytes) -> str:
    return octets.decode(errors="surrogateescape")


def _as_hashed(row: Mapping[Any, Any]) -> tuple[dict[str, Any] | None, str]:
    """Return an entry as it was hashed, and its digest; None if siaga would not have written it like that.

    What was changed without changing the values (a key that stands twice, another form of a time) is seen so.
    """
    try:
        found = {**row, "at": _moment(row["at"]), **{c: _object(row[c]) for c in _JSON}}
        return (found, digest(found)) if _are_texts(row) else (None, "")
    except (ValueError, TypeError, RecursionError):
        return None, ""


def _are_texts(row: Mapping[Any, Any]) -> bool:
    return all(isinstance(row[c], str) for c in _TEXTS)


def _moment(stored: Any) -> datetime:
    if isinstance(stored, datetime):
        return as_utc(stored)
    found = datetime.fromisoformat(stored)
    if found.isoformat(" ", "microseconds") != stored:
        raise ValueError(stored)
    return as_utc(found)


def _object(stored: Any) -> dict[str, Any]:
    found = json.loads(stored)
    if not isinstance(found, dict) or json.dumps(found) != stored:
        raise ValueError(stored)
    return found
