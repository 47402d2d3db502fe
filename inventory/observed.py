"""Writes what was observed of devices: many values in three statements, each with who said it, when, in which run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session

from inventory.models import Observed
from inventory.store import in_parts
from siaga.text import safe

LIMIT = 500
_TABLE: Any = Observed.__table__  # type: ignore[attr-defined]
_ALL_FROM = 1000  # devices: from here on every observed value is read, not only theirs


@dataclass(frozen=True)
class Said:
    """What one source (snmp, ssh, ansible) said of one device at one time, by field; empty values say nothing."""

    device_id: int
    source: str
    at: datetime
    values: Mapping[str, str]


def keep(session: Session, said: Iterable[Said], *, cause: str) -> None:
    """Store observed values; a newer one takes the place of the older of the same source."""
    rows = {
        (s.device_id, field, s.source): {"value": safe(value, LIMIT), "at": s.at, "cause": cause}
        for s in said
        for field, value in s.values.items()
        if value
    }
    there = _there(session, {device_id for device_id, _, _ in rows})
    new = [_keyed(key, row) for key, row in rows.items() if key not in there]
    old = [
        {f"k_{c}": v for c, v in _keyed(key, {}).items()} | row for key, row in rows.items() if key in there
    ]
    if new:
        session.execute(insert(_TABLE), new)
    if old:
        keys = [_TABLE.c[c] == bindparam(f"k_{c}") for c in ("device_id", "field", "source")]
        values: dict[str, Any] = {c: bindparam(c) for c in ("value", "at", "cause")}
        session.execute(update(_TABLE).where(*keys).values(values), old)


def _keyed(key: tuple[int, str, str], row: Mapping[str, Any]) -> dict[str, Any]:
    return {"device_id": key[0], "field": key[1], "source": key[2], **row}


def _there(session: Session, ids: set[int]) -> set[tuple[int, str, str]]:
    c = _TABLE.c
    query = select(c.device_id, c.field, c.source)
    if len(ids) >= _ALL_FROM:
        return {(d, f, s) for d, f, s in session.execute(query)}
    return {
        (d, f, s) for part in in_parts(ids) for d, f, s in session.execute(query.where(c.device_id.in_(part)))
    }
