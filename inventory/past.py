"""The inventory as it was: a copy in memory, in which every later change is taken back in reverse order.

Commands that only read work on the copy as on the inventory itself (`--at`). What devices said is kept by its
newest value only: in the copy it is empty where that is younger than the moment asked for.
"""

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, func, insert, select, update
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel, create_engine

from inventory.buffer import Buffer
from inventory.consistency import kecamatans
from inventory.history import legible, read
from inventory.keys import Keys
from inventory.models import Change, Interface, Observed
from inventory.nouns import Noun, named_by, noun, nouns
from inventory.store import prepare_functions, reading
from siaga.clock import as_utc
from siaga.errors import NotFoundError


def as_of(engine: Engine, at: datetime) -> Engine:
    """Return an engine on a copy of the inventory as it was at `at`; nothing written there is kept."""
    copied = _copy(engine)
    with Session(copied) as session, session.begin():
        _take_back(session, at, Change.__table__.c.at > as_utc(at))  # type: ignore[attr-defined]
    return copied


def as_of_set(engine: Engine, number: int) -> Engine:
    """Return the same as it was when this change set was written, and nothing after it.

    Raises NotFoundError (`no-such-set`).
    """
    c = Change.__table__.c  # type: ignore[attr-defined]
    with reading(engine) as opened:
        query = select(func.max(c.id), func.max(c.at)).where(c.change_set == number)
        with legible(opened):
            last, at = opened.execute(query).one()
    if last is None:
        raise NotFoundError("no-such-set", f"There is no change set {number}; see 'siaga history list'.")
    copied = _copy(engine)
    with Session(copied) as session, session.begin():
        _take_back(session, as_utc(at), c.id > last)
    return copied


def _copy(engine: Engine) -> Engine:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    prepare_functions(connection)
    copied = create_engine("sqlite://", poolclass=StaticPool, creator=lambda: connection)
    if engine.dialect.name == "sqlite":
        with engine.connect() as source:
            source.connection.driver_connection.backup(connection)  # type: ignore[union-attr]
        return copied
    SQLModel.metadata.create_all(copied)
    tables = [k.table for k in nouns().values()]
    tables += [SQLModel.metadata.tables[name] for name in ("change", "history_head", "observed")]
    with reading(engine) as source_session, copied.begin() as target:
        for table in tables:
            rows = [dict(r) for r in source_session.execute(select(table)).mappings()]
            if rows:
                target.execute(insert(table), rows)
    return copied


def _take_back(session: Session, at: datetime, after: ColumnElement[bool]) -> None:
    table = Change.__table__  # type: ignore[attr-defined]
    later = select(table).where(after).order_by(table.c.id.desc())
    known = nouns()
    back = Restorer(session)
    with legible(session):
        for entry in read(session, later):
            if entry["noun"] in known:
                back.take_back(known[entry["noun"]], entry)
    back.buffer.flush()
    places = noun("place").table
    for row_id, name in kecamatans(session).items():
        session.execute(update(places).where(places.c.id == row_id).values(kecamatan=name))
    session.execute(delete(table).where(after))
    _unsee(session, at)


def _unsee(session: Session, at: datetime) -> None:
    """Empty what was observed after the moment: what was seen before it is not known any more."""
    seen = Observed.__table__  # type: ignore[attr-defined]
    session.execute(delete(seen).where(seen.c.at > as_utc(at)))
    port = Interface.__table__  # type: ignore[attr-defined]
    blank = {"seen_alias": "", "seen_mac": "", "admin_status": "", "oper_status": ""}
    session.execute(
        update(port).where(port.c.seen_at > as_utc(at)).values(seen_speed_bps=None, seen_at=None, **blank)
    )


class Restorer:
    """Takes changes back, the newest first, without rules and without history: for copies."""

    def __init__(self, session: Session) -> None:
        self.buffer = Buffer(session)
        self.keys = Keys(session)

    def take_back(self, kind: Noun, entry: Mapping[str, Any]) -> None:
        """Take one change back; one that does not fit what is there is passed over."""
        action, label = entry["action"], str(entry["row_name"])
        if action == "rm":
            row_id = self.buffer.insert(kind, self.columns(kind, entry["before"], {}))
            self.keys.add(kind.name, row_id, label)
            return
        now = label if action == "add" else renamed(kind, label, entry["after"])
        found = self.keys.find(kind.name, now)
        if found is None:
            return
        if action == "add":
            self.buffer.delete(kind, found)
            self.keys.drop(kind.name, found, now)
            return
        self.buffer.update(kind, found, self.columns(kind, entry["before"], self.buffer.current(kind, found)))
        if now != label:
            self.keys.drop(kind.name, found, now)
            self.keys.add(kind.name, found, label)
            for other in named_by(kind.name):  # an interface is called DEVICE:INTERFACE
                self.buffer.flush()
                self.keys.forget(other)

    def columns(self, kind: Noun, values: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns that hold what an entry of the history tells."""
        columns: dict[str, Any] = {}
        for name, value in values.items():
            attribute = kind.attributes.get(name)
            if attribute is None:
                continue
            if attribute.kind == "ref" and value is not None:
                value = self.keys.find(attribute.ref, str(value))
            elif isinstance(value, str) and attribute.kind in ("date", "time") and not attribute.custom:
                value = (
                    date.fromisoformat(value) if attribute.kind == "date" else datetime.fromisoformat(value)
                )
            if attribute.custom:
                own = columns.get("custom", row.get("custom")) or {}
                columns["custom"] = {k: v for k, v in {**own, name: value}.items() if v not in (None, "")}
            else:
                columns[attribute.column] = value
        return columns


def renamed(kind: Noun, label: str, after: Mapping[str, Any]) -> str:
    """Return what a row was called after a change: its natural key may be among what was changed."""
    parts = label.split(":", len(kind.key) - 1)
    return ":".join(str(after.get(k, p)) for k, p in zip(kind.key, parts, strict=True))
