"""The SQL of the inventory: opening, reading rows as operators see them, writing them with their history."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, col, select

from inventory.models import Interface, Observed
from inventory.nouns import Attribute, Noun, noun
from siaga.errors import NotFoundError, SiagaError, TemporaryError
from siaga.settings import Settings
from siaga.text import safe

BUSY_TIMEOUT_MS = 10_000


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Return an engine; on SQLite with WAL, `synchronous=FULL` and foreign keys (a migration does without).

    pysqlite's own transaction handling is switched off, so that BEGIN comes when we say (SQLAlchemy,
    "Serializable isolation / Savepoints / Transactional DDL" of the SQLite dialect).
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        if not foreign_keys:
            event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA foreign_keys=OFF") and None)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("siaga_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def open_engine(settings: Settings) -> Engine:
    """Return the engine of the database of record; NotFoundError (`not-initialised`) if it has no tables."""
    if settings.database.startswith("sqlite:///") and not _exists(settings.database):
        raise NotFoundError("not-initialised", f"There is no inventory in {settings.home}: run 'siaga init'.")
    return make_engine(settings.database)


def _exists(url: str) -> bool:
    from pathlib import Path

    return Path(url.removeprefix("sqlite:///")).exists()


def has_tables(engine: Engine) -> bool:
    """Return whether the schema is there at all."""
    return inspect(engine).has_table("device")


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """Open a writing transaction: committed at the end, rolled back on any exception.

    On SQLite the write lock is taken at once, so that what was read is still true when it is written.
    Raises TemporaryError (`database-busy`, `disk-full`) for what may pass.
    """
    with (
        guarded(),
        Session(engine.execution_options(siaga_writes=True), expire_on_commit=False) as opened,
        opened.begin(),
    ):
        connection = opened.connection()  # takes the lock now, not at the first statement
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE change IN SHARE ROW EXCLUSIVE MODE")
        yield opened


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Open a transaction that only reads; it sees one moment of the database."""
    with guarded(), Session(engine) as opened:
        yield opened


@contextmanager
def guarded() -> Iterator[None]:
    """Turn the database's own failures into errors with a sentence.

    Raises TemporaryError, NotFoundError (`not-initialised`) or SiagaError (`database-damaged`, `database-error`).
    """
    try:
        yield
    except OperationalError as error:
        raise _sentence(str(error.orig)) from None
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # its subclasses are faults of the program, not of the file
            raise
        raise SiagaError(
            "database-damaged",
            f"The database of record is damaged, or is no database ({safe(error.orig)}):"
            " nothing was written; put a backup of it back.",
        ) from None


def _sentence(reason: str) -> SiagaError:
    if "locked" in reason:
        return TemporaryError(
            "database-busy",
            f"The database was locked for {BUSY_TIMEOUT_MS // 1000} s by another command: try again.",
        )
    if "full" in reason or "disk I/O" in reason:
        return TemporaryError(
            "disk-full", "The disk of the database is full; nothing was written: make room and run it again."
        )
    if "no such table" in reason:
        return NotFoundError("not-initialised", "The database has no tables yet: run 'siaga init'.")
    if "readonly" in reason or "unable to open" in reason:
        return TemporaryError("database-readonly", f"The database cannot be opened for writing: {reason}.")
    return SiagaError("database-error", f"The database refused the work: {safe(reason)}.")


def labels(session: Session, name: str, ids: set[int] | None = None) -> dict[int, str]:
    """Return id → natural key ('device:interface' for an interface) of the noun's rows, or of `ids`."""
    if name == "interface":
        return _interface_labels(session, ids)
    table = noun(name).model.__table__  # type: ignore[attr-defined]
    query = select(table.c.id, table.c.name)
    if ids is not None and len(ids) < 500:
        query = query.where(table.c.id.in_(ids))
    return {row[0]: row[1] for row in session.exec(query)}


def _interface_labels(session: Session, ids: set[int] | None) -> dict[int, str]:
    from inventory.models import Device

    query = select(Interface.id, Device.name, Interface.name).join(
        Device, col(Device.id) == col(Interface.device_id)
    )
    if ids is not None and len(ids) < 500:
        query = query.where(col(Interface.id).in_(ids))
    return {i: f"{device}:{name}" for i, device, name in session.exec(query) if i is not None}


def rows(session: Session, name: str, ids: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """Return rows as operators see them: `id`, then every attribute, references by name, in `ids` order.

    One query for the rows and one for each noun referred to.
    """
    kind = noun(name)
    table = kind.model.__table__  # type: ignore[attr-defined]
    query = select(table)
    if ids is not None and len(ids) < 500:
        query = query.where(table.c.id.in_(ids))
    found = {row["id"]: dict(row) for row in session.execute(query).mappings()}
    wanted = [found[i] for i in ids if i in found] if ids is not None else list(found.values())
    refs = [a for a in kind.attributes.values() if a.kind == "ref"]
    known = {a.ref: labels(session, a.ref) for a in refs if any(r[a.column] is not None for r in wanted)}
    return [_shown(kind, refs, row, known) for row in wanted]


def _shown(
    kind: Noun, refs: Sequence[Attribute], row: Mapping[str, Any], known: Mapping[str, Mapping[int, str]]
) -> dict[str, Any]:
    shown = {"id": row["id"]}
    for attribute in kind.attributes.values():
        value = row[attribute.column]
        if attribute.kind == "ref" and value is not None:
            value = known[attribute.ref].get(value, "")
        shown[attribute.name] = value
    return shown


def observe(
    session: Session,
    device_id: int,
    values: Mapping[str, str],
    *,
    source: str,
    at: datetime,
    cause: str = "",
) -> None:
    """Store what `source` (snmp, ssh, ansible) said of a device; empty values say nothing."""
    for name, value in values.items():
        if value == "":
            continue
        row = session.get(Observed, (device_id, name, source))
        if row is None:
            row = Observed(device_id=device_id, field=name, source=source, value="", at=at)
        row.value, row.at, row.cause = safe(value, 500), at, cause
        session.add(row)


def observed(session: Session, device_ids: Sequence[int] | None = None) -> dict[int, dict[str, Observed]]:
    """Return device id → field → its newest observation, in one query."""
    query = select(Observed).order_by(col(Observed.at))
    if device_ids is not None and len(device_ids) < 500:
        query = query.where(col(Observed.device_id).in_(device_ids))
    found: dict[int, dict[str, Observed]] = {}
    for row in session.exec(query):
        found.setdefault(row.device_id, {})[row.field] = row
    return found
