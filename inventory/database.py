"""Makes and upgrades the database of record by its migrations (Alembic), from a copy when there is data."""

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from inventory.history import seal_head
from inventory.store import guarded, has_tables, make_engine, open_engine, session
from siaga.errors import AuthError, SiagaError
from siaga.secrets import key_path, make_key
from siaga.settings import Settings

_SEALED_SINCE = "0004"
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def initialise(settings: Settings) -> list[str]:
    """Make home, master key and schema where they are missing; return one sentence for each thing done.

    Running it again is harmless. Raises SiagaError (`cannot-initialise`, `database-damaged`), TemporaryError.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        settings.home.chmod(0o700)
        new_key = not key_path(settings.home).exists()
        if new_key and sealed_secrets(settings):
            raise AuthError(
                "no-master-key",
                f"{settings.database} holds secrets sealed with a key that is not in {settings.home}: put its"
                " master.key back; a new one could not open them.",
            )
        key = make_key(settings.home)
    except OSError as error:
        sentence = f"{settings.home} cannot be set up: {error.strerror}."
        raise SiagaError("cannot-initialise", sentence) from None
    done = [f"Made the master key {key}: keep a copy of it apart from the backups."] if new_key else []
    with guarded():
        return [*done, *upgrade(settings)]


def sealed_secrets(settings: Settings) -> int:
    """Return how many secrets lie sealed in the database, 0 where there is none yet."""
    if settings.database.startswith("sqlite:///") and not Path(settings.database[10:]).exists():
        return 0
    engine = make_engine(settings.database)
    try:
        with guarded(), engine.connect() as connection:
            if not inspect(connection).has_table("secret"):
                return 0
            return int(connection.execute(text("SELECT count(*) FROM secret")).scalar_one())
    finally:
        engine.dispose()


def upgrade(settings: Settings) -> list[str]:
    """Bring the schema to the newest version; an existing SQLite file is copied aside first."""
    # SQLite rebuilds a table to change it (Alembic, "batch"), which foreign keys would forbid: they are checked
    # at the end instead.
    engine = make_engine(settings.database, foreign_keys=False)
    try:
        before = version(engine)
        copy = _copied_aside(engine) if before else ""
        _to_head(engine)
        after = version(engine)
    finally:
        engine.dispose()
    if before == after:
        return [f"The database is ready (schema {after})."]
    kept = f" The old file is kept as {copy}." if copy else ""
    sealed = _seal_old_head(settings) if before and before < _SEALED_SINCE else []
    return [f"The database of record is at schema {after}.{kept}", *sealed]


def _seal_old_head(settings: Settings) -> list[str]:
    """Seal the head of a history that was begun when heads had no seal: it is taken as it stands, this once."""
    engine = open_engine(settings)
    try:
        with session(engine) as opened:
            entries = seal_head(opened)
    finally:
        engine.dispose()
    return (
        [f"The history's head was sealed with the master key, as it stood at {entries} entries."]
        if entries
        else []
    )


def version(engine: Engine) -> str:
    """Return the schema's version, or '' where there is none."""
    with engine.connect() as connection:
        if not has_tables(engine):
            return ""
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _to_head(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.execution_options(siaga_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise SiagaError(
                "cannot-upgrade", "The old database holds rows that refer to nothing; nothing was changed."
            )


def _copied_aside(engine: Engine) -> str:
    """Copy a SQLite file that is about to be migrated, with SQLite's own online backup."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    current = version(engine)
    if engine.dialect.name != "sqlite" or ScriptDirectory.from_config(config).get_current_head() == current:
        return ""
    path = Path(str(engine.url.database))
    copy = path.with_name(f"{path.name}.{current}")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    return str(copy)
