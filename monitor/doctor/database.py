"""The database of record: its version, whether it is whole, and what lies beside it."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from inventory.database import MIGRATIONS, version
from inventory.store import guarded
from monitor.doctor.finding import OK, WARNING, WRONG, Finding, Patient, many

_WAL_MOST = 256 * 2**20  # octets; a log that only grows has a reader that never ends
_NEWER = "Install a siaga as new as the one that wrote it."
_RESTORE = "Put a backup of it back; 'siaga history verify' tells what of the history still holds."


def newest_version() -> str:
    """Return the newest version that this siaga knows, without loading what makes it."""
    names = sorted(p.name for p in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    return names[-1].partition("_")[0] if names else ""


def database(patient: Patient) -> Iterator[Finding]:
    """Look at the database; on SQLite at its pages and references too."""
    engine = patient.engine
    if engine is None:
        yield Finding("database", WRONG, "There is no database of record.", "Run 'siaga init'.")
        return
    with guarded():
        known, newest = version(engine), newest_version()
    if known != newest:
        older = known < newest
        said = f"The database is at schema {known or 'none'}, and this siaga wants {newest}."
        yield Finding("database", WRONG, said, "Run 'siaga init': it keeps a copy." if older else _NEWER)
        return
    problem = _problem(engine, deep=patient.deep) if engine.dialect.name == "sqlite" else ""
    if problem:
        yield Finding("database", WRONG, problem, _RESTORE)
        return
    yield Finding("database", OK, f"The database is whole (schema {known}).")
    yield from _log(engine)


def _problem(engine: Engine, *, deep: bool) -> str:
    look = "integrity_check(1)" if deep else "quick_check(1)"
    with guarded(), engine.connect() as connection:
        said = connection.exec_driver_sql(f"PRAGMA {look}").scalar()
        if said != "ok":
            return f"The database is damaged: {str(said)[:200]}."
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if loose:
        return f"{many(len(loose), 'row')} of {loose[0][0]} without the row of {loose[0][2]} that is referred to."
    return ""


def _log(engine: Engine) -> Iterator[Finding]:
    if engine.dialect.name != "sqlite":
        return
    log = Path(f"{engine.url.database}-wal")
    if log.exists() and log.stat().st_size > _WAL_MOST:
        said = f"{log} has grown to {log.stat().st_size / 2**20:.0f} MiB: some process reads without an end."
        yield Finding("database", WARNING, said, "End that process: 'siaga doctor' names who holds locks.")
