"""The migrations make what the models say, and a full disk or an older schema loses nothing."""

import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import SQLModel, select

import infra.models  # noqa: F401
import inventory.models_findings  # noqa: F401
import monitor.configs.models
import monitor.models  # noqa: F401
from inventory.credentials import opened, store_secret
from inventory.database import initialise
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.sheets import Sheet
from inventory.models import Secret
from inventory.store import make_engine, open_engine, reading, session
from inventory.writing import BadRowError, Writer
from siaga.errors import AuthError, InvalidError, NotFoundError, TemporaryError
from siaga.secrets import Vault, open_vault
from siaga.settings import Settings


def test_the_migrations_make_what_the_models_say(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_initialising_twice_is_harmless(settings: Settings) -> None:
    assert initialise(settings) == ["The database is ready (schema 0011)."]
    assert (settings.home / "master.key").stat().st_mode & 0o777 == 0o400


def test_a_home_without_inventory_is_said(settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="siaga init"):
        open_engine(Settings(home=settings.home / "other"))


def test_a_full_disk_is_one_error_and_nothing_is_lost(settings: Settings, author: Author) -> None:
    engine = make_engine(settings.database)
    load(engine, [Sheet("d", "device", ("name",), ((2, ("rtr-1",)),))], author)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    from sqlalchemy import event

    event.listen(engine, "connect", lambda c, _: c.execute(f"PRAGMA max_page_count={pages + 2}"))
    engine.dispose()
    sheet = Sheet("d", "device", ("name", "notes"), tuple((i, (f"sw-{i}", "x" * 900)) for i in range(2, 600)))
    with pytest.raises(TemporaryError) as caught:
        load(engine, [sheet], author)
    assert caught.value.code == "disk-full"
    engine.dispose()
    with sqlite3.connect(settings.home / "siaga.db") as plain:
        assert plain.execute("SELECT name FROM device").fetchall() == [("rtr-1",)]
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


def test_a_locked_database_is_temporary(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.store.BUSY_TIMEOUT_MS", 50)
    engine = make_engine(settings.database)
    with session(engine), pytest.raises(TemporaryError) as caught, session(engine):
        pass
    assert caught.value.exit_code == 75
    engine.dispose()


def test_a_secret_is_sealed_and_opens_only_with_its_key(
    settings: Settings, engine: Engine, author: Author
) -> None:
    vault = open_vault(settings.home)
    with session(engine) as writing:
        writer = Writer(writing, author)
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        writer.flush()
        store_secret(
            writing, vault, writer.ids("credential")["noc"], "community", SecretStr("rahasia-sekali")
        )
    with reading(engine) as session_:
        assert opened(session_, vault, 1).secrets["community"].get_secret_value() == "rahasia-sekali"
        assert b"rahasia" not in session_.exec(select(Secret)).one().sealed
        with pytest.raises(AuthError, match="sealed with key"):
            opened(session_, Vault(bytes(32)), 1)
    assert b"rahasia" not in (settings.home / "siaga.db").read_bytes()


def test_a_short_v3_passphrase_is_refused(settings: Settings, engine: Engine, author: Author) -> None:
    vault = open_vault(settings.home)
    with session(engine) as writing:
        credentials = Writer(writing, author)
        credentials.put("credential", {"name": "v3", "kind": "snmp-v3"})
        credentials.flush()
        with pytest.raises(InvalidError, match="RFC 3414"):
            store_secret(writing, vault, 1, "auth", SecretStr("short"))


def test_what_is_referred_to_cannot_be_removed(engine: Engine, author: Author) -> None:
    with session(engine) as writing:
        writer = Writer(writing, author)
        writer.put("place", {"name": "Mauk", "kind": "kecamatan"})
        writer.put("device", {"name": "rtr-1", "place": "Mauk"})
        with pytest.raises(BadRowError, match="still referred to"):
            writer.remove("place", writer.ids("place")["Mauk"])
        writer.remove("device", writer.ids("device")["rtr-1"])
        writer.remove("place", writer.ids("place")["Mauk"])
