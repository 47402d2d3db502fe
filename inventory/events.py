"""What is told to others of changes: each `[[events]]` rule reads the history from where it last stopped.

The history is the queue, so that nothing is lost when the other side is away, nothing is told twice in the normal
case, and no write ever waits for a network. Told at least once, in order, one message per change set.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlmodel import Session

from inventory.history import entries
from inventory.models import Change, Told
from inventory.nouns import noun
from inventory.select import selected
from inventory.store import labels
from siaga.errors import InvalidError, SiagaError
from siaga.settings import Event
from siaga.text import safe

MAX_CHANGES = 500  # of one change set in one message; the others are counted
_LONGEST = timedelta(hours=1)
_KEPT = 200


@dataclass(frozen=True)
class Message:
    """One change set as a rule tells it; `last` is the id of the entry up to which all is told."""

    event: str
    last: int
    body: Mapping[str, Any]

    @property
    def delivery(self) -> str:
        """What the receiver knows a message by that it gets twice."""
        return f"{self.event}-{self.body['change_set']}-{self.last}"


@dataclass(frozen=True)
class Standing:
    """How a rule stands: told up to entry `change_id`, `behind` entries are left."""

    event: Event
    change_id: int
    behind: int
    sent_at: datetime | None = None
    failures: int = 0
    tried_at: datetime | None = None
    error: str = ""

    def rests_until(self) -> datetime | None:
        """When it is tried again after failures: 1, 2, 4 … 60 minutes after the last try."""
        if not self.failures or self.tried_at is None:
            return None
        return self.tried_at + min(timedelta(minutes=2 ** min(self.failures - 1, 10)), _LONGEST)


def standings(session: Session, events: Sequence[Event]) -> list[Standing]:
    """Return how each rule stands. A rule that was never sent begins at the end of the history."""
    end = session.execute(select(func.max(Change.id))).scalar() or 0
    table = Told.__table__  # type: ignore[attr-defined]
    known = {row["name"]: dict(row) for row in session.execute(select(table)).mappings()}
    found = []
    for event in events:
        said = known.get(event.name)
        at = said.pop("change_id") if said else end
        rest = {k: v for k, v in (said or {}).items() if k != "name"}
        found.append(Standing(event, at, max(end - at, 0), **rest))
    return found


def begin(session: Session, events: Sequence[Event]) -> list[str]:
    """Note the end of the history for rules that are new, and return their names."""
    table = Told.__table__  # type: ignore[attr-defined]
    known = set(session.execute(select(table.c.name)).scalars())
    new = [s for s in standings(session, events) if s.event.name not in known]
    if new:
        session.execute(insert(table), [{"name": s.event.name, "change_id": s.change_id} for s in new])
    return [s.event.name for s in new]


def messages(session: Session, event: Event, after: int) -> Iterator[Message]:
    """Yield what this rule has to tell of the history after entry `after`, in order.

    The last message may be empty of changes: then all that followed is of no concern, and only its `last` counts.
    Raises InvalidError (`bad-event`) when the rule names what does not exist.
    """
    wanted, last = _wanted(session, event), after
    for number, group in groupby(entries(session, after), key=lambda e: e["change_set"]):
        whole = list(group)
        last = whole[-1]["id"]
        changes = [e for e in whole if wanted(e)]
        if changes:
            yield Message(event.name, last, _body(event, number, changes))
    yield Message(event.name, last, {"change_set": None, "changes": []})


def _wanted(session: Session, event: Event) -> Any:
    try:
        nouns = {noun(n).name for n in event.nouns}
        names = _selected(session, event) if event.when else None
    except SiagaError as error:
        sentence = f"The event '{event.name}' cannot be read: {error.sentence.splitlines()[0]}"
        raise InvalidError("bad-event", sentence) from None

    def wanted(entry: Mapping[str, Any]) -> bool:
        if (nouns and entry["noun"] not in nouns) or (event.actions and entry["action"] not in event.actions):
            return False
        if entry["action"] == "set" and event.fields and not set(event.fields) & set(entry["after"]):
            return False
        return names is None or entry["action"] == "rm" or entry["row_name"] in names

    return wanted


def _selected(session: Session, event: Event) -> set[str]:
    kind = event.nouns[0]
    return set(labels(session, kind, selected(session, kind, event.when)).values())


def _body(event: Event, number: int | None, changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = changes[0]
    keys = ("noun", "row_name", "action", "before", "after")
    return {
        "event": event.name,
        "change_set": number,
        "at": f"{first['at'].replace(tzinfo=None).isoformat()}Z",
        "who": first["who"],
        "why": first["why"],
        "cause": first["cause"],
        "changes": [{k: c[k] for k in keys} for c in changes[:MAX_CHANGES]],
        "left_out": max(len(changes) - MAX_CHANGES, 0),
    }


def told(session: Session, name: str, before: int, last: int, now: datetime | None) -> bool:
    """Note that a rule has told up to entry `last`; False when somebody else did so meanwhile.

    `now` is None when there was nothing to send.
    """
    table = Told.__table__  # type: ignore[attr-defined]
    values: dict[str, Any] = {"change_id": last, "failures": 0, "error": ""}
    if now is not None:
        values |= {"sent_at": now, "tried_at": now}
    query = update(table).where(table.c.name == name, table.c.change_id == before).values(**values)
    return bool(session.execute(query).rowcount)  # type: ignore[attr-defined]


def failed(session: Session, name: str, now: datetime, error: str) -> None:
    """Note that a rule could not be told, and why."""
    table = Told.__table__  # type: ignore[attr-defined]
    values = {"failures": table.c.failures + 1, "tried_at": now, "error": safe(error, _KEPT)}
    session.execute(update(table).where(table.c.name == name).values(**values))
