"""The SQL of the inventory: opening, reading rows as operators see them, writing them with their history."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, literal
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, col, select

from inventory.models import Device, Observed
from inventory.nouns import Attribute, Noun, declare, noun
from siaga.errors import NotFoundError, SiagaError, TemporaryError
from siaga.expressions import matches
from siaga.seal import Seal, open_seal
from siaga.settings import Settings
from siaga.text import safe

BUSY_TIMEOUT_MS = 10_000
IDS_AT_ONCE = 10_000
Value = TypeVar("Value", int, str)


def make_engine(url: str | URL, *, foreign_keys: bool = True) -> Engine:
    """Return an engine; on SQLite with WAL, `synchronous=FULL` and foreign keys (a migration does without).

    pysqlite's own transaction handling is switched off, so that BEGIN comes when we say (SQLAlchemy,
    "Serializable isolation / Savepoints / Transactional DDL" of the SQLite dialect).
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_reading if "mode" in engine.url.query else _prepare_sqlite)
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
    prepare_functions(connection)


def _prepare_reading(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    prepare_functions(connection)


def prepare_functions(connection: Any) -> None:
    """Teach an SQLite connection the operator REGEXP, in linear time."""
    connection.create_function("regexp", 2, matches, deterministic=True)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("siaga_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def open_engine(settings: Settings) -> Engine:
    """Return the engine of the database of record; NotFoundError (`not-initialised`) if it has no tables."""
    declare(settings.fields)
    if settings.database.startswith("sqlite:///") and not _exists(settings.database):
        raise NotFoundError("not-initialised", f"There is no inventory in {settings.home}: run 'siaga init'.")
    return make_engine(_address(settings.database)).execution_options(siaga_home=settings.home)


def _address(url: str) -> str | URL:
    """Return where to find the database: an SQLite file that cannot be written is only read, as an auditor's copy.

    SQLite reads a file in WAL mode only where it may make files beside it, unless it is told that nobody writes.
    """
    path = Path(url.removeprefix("sqlite:///")).absolute()
    if not url.startswith("sqlite:///") or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return url
    still = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    query = {"mode": "ro", "uri": "true", **({"immutable": "1"} if still else {})}
    return URL.create("sqlite", database=f"file:{quote(str(path))}", query=query)


def seal_of(session: Session) -> Seal | None:
    """Return what seals the history's head; None without the home's master key."""
    home = session.get_bind().get_execution_options().get("siaga_home")
    return open_seal(home) if home is not None else None


def _exists(url: str) -> bool:
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
    if "mode" in engine.url.query:
        raise _read_only(_place(engine))
    with (
        guarded(_place(engine)),
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
    with guarded(_place(engine)), Session(engine) as opened:
        yield opened


def _place(engine: Engine) -> str:
    return unquote(str(engine.url.database)).removeprefix("file:") if engine.dialect.name == "sqlite" else ""


def _read_only(place: str) -> TemporaryError:
    where = place or "The database"
    sentence = f"{where} cannot be written by this user; nothing was changed: see who may write it and its directory."
    return TemporaryError("database-readonly", sentence)


@contextmanager
def guarded(place: str = "") -> Iterator[None]:
    """Turn the database's own failures into errors with a sentence; `place` is the file, where there is one.

    Raises TemporaryError, NotFoundError (`not-initialised`) or SiagaError (`database-damaged`, `database-error`).
    """
    try:
        yield
    except OperationalError as error:
        raise _sentence(str(error.orig), place) from None
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # its subclasses are faults of the program, not of the file
            raise
        raise SiagaError(
            "database-damaged",
            f"The database of record is damaged, or is no database ({safe(error.orig)}):"
            " nothing was written; put a backup of it back.",
        ) from None


def _sentence(reason: str, place: str) -> SiagaError:
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
    if "no such column" in reason:
        sentence = "The database was made by an older siaga: run 'siaga init', which keeps a copy of it."
        return SiagaError("schema-outdated", sentence)
    if "unable to open" in reason:
        where = place or "The database"
        sentence = (
            f"{where} cannot be opened: see who may read it, and write its directory; or copy it elsewhere."
        )
        return TemporaryError("database-readonly", sentence)
    if "readonly" in reason:
        return _read_only(place)
    return SiagaError("database-error", f"The database refused the work: {safe(reason)}.")


def labels(session: Session, name: str, ids: Collection[int] | None = None) -> dict[int, str]:
    """Return id → natural key ('device:interface' for an interface) of the noun's rows, or of `ids`."""
    table = noun(name).table
    query = select(table.c.id, table.c.name)
    if name == "interface":
        device = noun("device").table
        joined = select(table.c.id, device.c.name + literal(":") + table.c.name)
        query = joined.join(device, device.c.id == table.c.device_id)
    return {i: label for part in _parts(query, table, ids) for i, label in session.execute(part)}


def in_parts(values: Iterable[Value], size: int = IDS_AT_ONCE) -> Iterator[list[Value]]:
    """Yield values, sorted, in parts: a database takes so many parameters at once."""
    known = sorted(values)
    for start in range(0, len(known), size):
        yield known[start : start + size]


def _parts(query: Any, table: Any, ids: Collection[int] | None) -> Iterator[Any]:
    """Yield the query for all rows, or in parts for these ids: a database takes so many parameters at once."""
    if ids is None:
        yield query
        return
    for part in in_parts(ids):
        yield query.where(table.c.id.in_(part))


def rows(session: Session, name: str, ids: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """Return rows as operators see them: `id`, then every attribute, references by name, in `ids` order.

    One query for the rows and one for each noun referred to; in parts where there are many ids.
    """
    kind = noun(name)
    table = kind.table
    columns = [table.c.id, *dict.fromkeys(_column(table, a) for a in kind.attributes.values())]
    found = [
        dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for a row as a mapping
        for part in _parts(select(*columns), table, ids)
        for row in session.execute(part)
    ]
    if ids is not None:
        by_id = {row["id"]: row for row in found}
        found = [by_id[i] for i in ids if i in by_id]
    return _shown(session, kind, found)


def _column(table: Any, attribute: Attribute) -> Any:
    return table.c.custom if attribute.custom else table.c[attribute.column]


def _shown(session: Session, kind: Noun, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    refs = [a for a in kind.attributes.values() if a.kind == "ref"]
    known = {a.name: labels(session, a.ref, ids) for a in refs for ids in [_referred(a, found)] if ids}
    plan = [
        (a.name, a.column, a.custom, known.get(a.name), a.kind == "ref") for a in kind.attributes.values()
    ]
    shown = []
    for row in found:
        out = {"id": row["id"]}
        own = row.get("custom") or {}
        for attribute, column, custom, names, is_ref in plan:
            value = own.get(attribute) if custom else row[column]
            out[attribute] = names.get(value, "") if is_ref and value is not None and names else value
        shown.append(out)
    return shown


def _referred(attribute: Attribute, found: Sequence[Mapping[str, Any]]) -> set[int]:
    if attribute.custom:
        values = {(row.get("custom") or {}).get(attribute.name) for row in found}
    else:
        values = {row[attribute.column] for row in found}
    return {v for v in values if isinstance(v, int)}


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
    if device_ids is not None and len(device_ids) < IDS_AT_ONCE:
        query = query.where(col(Observed.device_id).in_(device_ids))
    found: dict[int, dict[str, Observed]] = {}
    for row in session.exec(query):
        found.setdefault(row.device_id, {})[row.field] = row
    return found


def platforms(session: Session) -> dict[int, str]:
    """Return device id → its platform: what is recorded, else what was seen last; '' if neither is."""
    query = select(Observed.device_id, Observed.value).where(col(Observed.field) == "platform")
    seen = dict(session.exec(query.order_by(col(Observed.at))).all())
    rows = session.exec(select(Device.id, Device.platform))
    return {i: own or seen.get(i, "") for i, own in rows if i is not None}


def platforms_of(session: Session, names: Sequence[str]) -> dict[str, str]:
    """Return device name → its platform, of these devices."""
    found = session.exec(select(Device.name, Device.platform).where(col(Device.name).in_(names)))
    return {name: platform or "" for name, platform in found}
