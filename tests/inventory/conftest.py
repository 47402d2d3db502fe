"""A fresh inventory, made by the real migrations."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine
from siaga.settings import Settings

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def settings(scrubbed: Path) -> Settings:
    """Settings of an initialised home."""
    made = Settings(home=scrubbed)
    initialise(made)
    return made


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
