"""Who said what should be: for each field of a row the change that set it last. (Observed values carry theirs.)"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from inventory.models import Change
from inventory.trail import trail
from siaga.clock import as_utc


class Provenance(NamedTuple):
    """Who set a field last, and why: `source` is person, import, proposal …, `cause` the run or proposal itself."""

    source: str
    who: str
    at: datetime
    why: str
    cause: str


def provenance(session: Session, noun_name: str, row_name: str) -> dict[str, Provenance]:
    """Return field → who set it last and when, from the history; variables stand as var.NAME. One query.

    Only a row that was renamed is looked up under its earlier names as well.
    """
    table: Any = Change.__table__  # type: ignore[attr-defined]
    query = select(table).where(table.c.noun == noun_name, table.c.row_name == row_name).order_by(table.c.id)
    entries = [dict(row) for row in session.execute(query).mappings()]
    if not entries or entries[0]["action"] != "add":
        entries = trail(session, noun_name, row_name)
    found: dict[str, Provenance] = {}
    for entry in entries:
        if entry["action"] == "add":
            found = {}
        source = entry["cause"].partition(" ")[0] or "person"
        by = Provenance(source, entry["who"], as_utc(entry["at"]), entry["why"], entry["cause"])
        found |= dict.fromkeys(_changed(entry["before"], entry["after"]), by)
    return found


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for field, value in after.items():
        if field != "vars":
            yield field
            continue
        old = before.get("vars") or {}
        yield from (f"var.{k}" for k in {**old, **(value or {})} if old.get(k) != (value or {}).get(k))
