"""The history read: of one row under all its names, and of change sets."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlmodel import Session

from inventory.history import legible, read
from inventory.models import Change
from inventory.nouns import noun
from inventory.past import renamed

_MAX_NAMES = 50
_MAX_NOUNS = 4


def trail(session: Session, noun_name: str, name: str) -> list[dict[str, Any]]:
    """Return the changes of a row, oldest first, followed back through its renamings."""
    kind, table = noun(noun_name), Change.__table__  # type: ignore[attr-defined]
    found: dict[int, dict[str, Any]] = {}
    label, before = name, None
    for _ in range(_MAX_NAMES):
        came = _renaming(session, kind, label, before)
        query = select(table).where(table.c.noun == noun_name, table.c.row_name == label)
        if before is not None:
            query = query.where(table.c.id <= before)
        if came is not None:  # a row may come back to a name: each stay under it is looked at by itself
            query = query.where(table.c.id > came["id"])
        found |= {e["id"]: e for e in read(session, query.order_by(table.c.id))}
        if came is None:
            break
        found[came["id"]] = came
        label, before = came["row_name"], came["id"]
    return [found[i] for i in sorted(found)]


def _renaming(session: Session, kind: Any, label: str, before: int | None) -> dict[str, Any] | None:
    """Return the newest change that gave a row this name, and is older than what is known of it."""
    table = Change.__table__  # type: ignore[attr-defined]
    new = label.partition(":")[2] if len(kind.key) > 1 else label
    query = select(table).where(
        table.c.noun == kind.name,
        table.c.action == "set",
        table.c.row_name != label,
        # As it is stored, so that an entry that somebody made unreadable does not stop the search in SQL.
        cast(table.c.after, String).contains(f'"name": {json.dumps(new)}', autoescape=True),
    )
    if before is not None:
        query = query.where(table.c.id < before)
    for entry in read(session, query.order_by(table.c.id.desc()).limit(20)):
        if renamed(kind, entry["row_name"], entry["after"]) == label:
            return entry
    return None


def sets(
    session: Session, *, since: datetime | None = None, who: str = "", cause: str = "", limit: int = 50
) -> list[dict[str, Any]]:
    """Return the newest change sets: when, who, why, cause, how many rows of which nouns."""
    c = Change.__table__.c  # type: ignore[attr-defined]
    query = select(
        c.change_set,
        func.min(c.at).label("at"),
        func.min(c.who).label("who"),
        func.min(c.why).label("why"),
        func.min(c.cause).label("cause"),
        func.count().label("changes"),
        func.min(c.noun).label("noun"),
        func.count(c.noun.distinct()).label("nouns"),
        func.min(c.row_name).label("first"),
    ).where(c.change_set.is_not(None))
    if since is not None:
        query = query.where(c.at >= since)
    if who:
        query = query.where(c.who == who)
    if cause:
        whole = cause.removesuffix("*")
        query = query.where(
            c.cause.startswith(whole, autoescape=True) if whole != cause else c.cause == cause
        )
    query = query.group_by(c.change_set).order_by(c.change_set.desc()).limit(limit)
    with legible(session):
        found = [dict(row) for row in session.execute(query).mappings()]
    several = _several(session, [row["change_set"] for row in found if row["nouns"] > 1])
    return [_set(row, several.get(row["change_set"], "")) for row in found]


def _several(session: Session, numbers: Sequence[int]) -> dict[int, str]:
    """Return change set → what it changed of several nouns: 'device sw-7, 28 interface'."""
    c = Change.__table__.c  # type: ignore[attr-defined]
    query = select(c.change_set, c.noun, func.count(), func.min(c.row_name), func.min(c.id).label("first"))
    query = query.where(c.change_set.in_(numbers)).group_by(c.change_set, c.noun).order_by("first")
    told: dict[int, list[str]] = {}
    for number, noun_name, many, name, _ in session.execute(query):
        told.setdefault(number, []).append(f"{noun_name} {name}" if many == 1 else f"{many} {noun_name}")
    more = {n: len(parts) - _MAX_NOUNS for n, parts in told.items()}
    return {
        n: ", ".join([*parts[:_MAX_NOUNS], *([f"{more[n]} more nouns"] if more[n] > 0 else [])])
        for n, parts in told.items()
    }


def _set(row: Mapping[Any, Any], several: str) -> dict[str, Any]:
    more = row["changes"] - 1
    what = several or f"{row['noun']} {row['first']}" + (f" and {more} more" if more else "")
    keys: Sequence[str] = ("change_set", "at", "who", "changes")
    return {**{k: row[k] for k in keys}, "what": what, "why": row["why"], "cause": row["cause"]}
