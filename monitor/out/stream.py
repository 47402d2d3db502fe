"""What happens, as a stream: states, alerts, changes, messages of devices, each told once, in the order of its time.

Everything is read from what is stored, so that a reader who was away misses nothing: a cursor says how far each kind
was told. An alert's end changes a row that was there; hence the cursor also holds which alerts were told as open.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from inventory.history import entries
from inventory.models import Change, Device
from monitor.models import Alert, DeviceEvent, StateChange
from siaga.clock import as_utc
from siaga.errors import InvalidError
from siaga.text import safe
from siaga.whole_file import replace_file

AT_ONCE = 1000  # of each kind in one look
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to which state change, alert, change and message all was told; `open`: alerts whose end is to come."""

    state: int = 0
    alert: int = 0
    change: int = 0
    open: tuple[int, ...] = ()
    message: int = 0


def begin(session: Session, since: datetime | None) -> Cursor:
    """Return the cursor from which on what happened since then is told; without a time only what is to come."""
    s, a, c, m = _tables()
    state, alert, change, message = (
        _last(session, table.c.id, None if since is None else at < since)
        for table, at in ((s, s.c.at), (a, a.c.opened_at), (c, c.c.at), (m, m.c.at))
    )
    waiting = a.c.closed_at.is_(None) if since is None else a.c.closed_at.is_(None) | (a.c.closed_at >= since)
    known = session.execute(select(a.c.id).where(a.c.id <= alert, waiting).order_by(a.c.id))
    return Cursor(state, alert, change, tuple(known.scalars()), message)


def look(session: Session, cursor: Cursor) -> tuple[list[Event], Cursor]:
    """Return what is new since the cursor, by time, and the cursor behind it."""
    states = list(_after(session, StateChange, cursor.state))
    opened = list(_after(session, Alert, cursor.alert))
    changes = list(islice(entries(session, cursor.change), AT_ONCE))
    heard = list(_after(session, DeviceEvent, cursor.message))
    known = [*cursor.open, *(a["id"] for a in opened)]
    ended = _ended(session, known)
    concerned = {row["device_id"] for row in (*states, *opened, *ended, *heard)}
    names = _names(session, concerned)
    found = [*_of_states(states, names), *_of_alerts(opened, ended, names), *map(_of_change, changes)]
    found += [_of_message(row, names) for row in heard]
    gone = {a["id"] for a in ended}
    moved = Cursor(
        states[-1]["id"] if states else cursor.state,
        opened[-1]["id"] if opened else cursor.alert,
        changes[-1]["id"] if changes else cursor.change,
        tuple(i for i in known if i not in gone),
        heard[-1]["id"] if heard else cursor.message,
    )
    return sorted(found, key=lambda e: e["at"]), moved


def line(event: Event) -> str:
    """Return an event as one line of JSON, in ASCII: nothing in it can drive a terminal."""
    return json.dumps(event, default=str) + "\n"


def read(path: Path) -> Cursor | None:
    """Return the cursor in a file, None if there is no file. Raises InvalidError (`bad-cursor`)."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        state, alert, change = (int(found[k]) for k in ("state", "alert", "change"))
        return Cursor(state, alert, change, tuple(map(int, found["open"])), int(found.get("message", 0)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        sentence = f"{path} is no cursor of 'siaga event follow': remove it to begin anew."
        raise InvalidError("bad-cursor", sentence) from None


def write(path: Path, cursor: Cursor) -> None:
    """Write the cursor in one piece. Raises OSError."""
    replace_file(path, json.dumps(asdict(cursor)))


def _of_states(rows: Iterable[Event], names: Mapping[int, str]) -> Iterator[Event]:
    for row in rows:
        yield {
            "at": _at(row["at"]),
            "event": "state",
            "id": f"state-{row['id']}",
            "device": names.get(row["device_id"], ""),
            "before": row["before"],
            "after": row["after"],
            "reason": safe(row["reason"]),
        }


def _of_alerts(opened: Iterable[Event], ended: Iterable[Event], names: Mapping[int, str]) -> Iterator[Event]:
    for row in opened:
        yield _alert(row, "alert-opened", row["opened_at"], names, "")
    for row in ended:
        yield _alert(row, "alert-closed", row["closed_at"], names, row["closed_why"])


def _alert(row: Event, kind: str, at: datetime, names: Mapping[int, str], why: str) -> Event:
    return {
        "at": _at(at),
        "event": kind,
        "id": f"{kind}-{row['id']}",
        "alert": row["id"],
        "device": names.get(row["device_id"], ""),
        "rule": row["rule"],
        "subject": safe(row["subject"]),
        "severity": row["severity"],
        "text": safe(row["text"]),
        "why": why,
    }


def _of_change(row: Event) -> Event:
    keys = ("noun", "row_name", "action", "before", "after", "who", "why", "cause", "change_set")
    return {"at": _at(row["at"]), "event": "change", "id": f"change-{row['id']}", **{k: row[k] for k in keys}}


def _of_message(row: Event, names: Mapping[int, str]) -> Event:
    return {
        "at": _at(row["at"]),
        "event": "message",
        "id": f"message-{row['id']}",
        "device": names.get(row["device_id"], ""),
        "source": row["source"],
        "channel": row["channel"],
        "kind": row["kind"],
        "text": safe(row["text"]),
        "authentic": bool(row["authentic"]),
    }


def _at(at: datetime) -> str:
    return as_utc(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _tables() -> tuple[Any, Any, Any, Any]:
    tables: tuple[Any, ...] = (StateChange, Alert, Change, DeviceEvent)
    state, alert, change, message = (t.__table__ for t in tables)
    return state, alert, change, message


def _last(session: Session, number: Any, before: Any) -> int:
    query = select(func.max(number))
    return session.execute(query if before is None else query.where(before)).scalar() or 0


def _after(session: Session, kind: Any, number: int) -> Iterator[Event]:
    table = kind.__table__
    query = select(table).where(table.c.id > number).order_by(table.c.id).limit(AT_ONCE)
    yield from map(dict, session.execute(query).mappings())


def _ended(session: Session, known: list[int]) -> list[Event]:
    table: Any = _tables()[1]
    found: list[Event] = []
    for first in range(0, len(known), AT_ONCE):
        some = known[first : first + AT_ONCE]
        query = select(table).where(table.c.id.in_(some), table.c.closed_at.is_not(None))
        found += map(dict, session.execute(query).mappings())
    return found


def _names(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    table: Any = Device.__table__  # type: ignore[attr-defined]
    wanted = {i for i in ids if i is not None}
    query = select(table.c.id, table.c.name)
    return {i: name for i, name in session.execute(query) if i in wanted} if wanted else {}
