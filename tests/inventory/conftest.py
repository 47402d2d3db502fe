"""A fresh inventory, made by the real migrations; on PostgreSQL where SIAGA_TEST_POSTGRESQL says how to reach one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine
from siaga.settings import Settings
from tests.homes import prepare

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def settings(scrubbed: Path) -> Iterator[Settings]:
    """Settings of an initialised home."""
    server = os.environ.get("SIAGA_TEST_POSTGRESQL")
    if not server:
        made = Settings(home=scrubbed)
        prepare(made)
        yield made
        return
    template, name = _template(server), f"t{uuid4().hex}"
    with _server(server) as administration:
        administration.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    made = Settings(home=scrubbed, database_url=f"{server}&dbname={name}")
    initialise(made)
    yield made
    with _server(server) as administration:
        administration.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@cache
def _template(server: str) -> str:
    """Return a database that the migrations have made, to be copied for every test."""
    name = f"m{uuid4().hex}"
    with _server(server) as administration:
        administration.execute(text(f"CREATE DATABASE {name}"))
    with TemporaryDirectory() as home:
        initialise(Settings(home=Path(home), database_url=f"{server}&dbname={name}"))
    return name


@contextmanager
def _server(url: str) -> Iterator[Connection]:
    administration = create_engine(f"{url}&dbname=postgres", isolation_level="AUTOCOMMIT")
    with administration.connect() as connection:
        yield connection
    administration.dispose()


@pytest.fixture
def engine(settings: Settings):
    """The engine of the fresh database, closed at the end."""
    opened: Engine = open_engine(settings)
    yield opened
    opened.dispose()


@pytest.fixture
def author() -> Author:
    """Somebody, at a known time."""
    return Author("budi", NOW, "test")
