"""Writes rows for the tests of addresses, by the same Writer as everything else."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Engine

from inventory.history import Author
from inventory.store import session
from inventory.writing import Writer

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
AUTHOR = Author("budi", NOW, "test")
Row = tuple[str, Mapping[str, object]]


def write(engine: Engine, *rows: Row) -> None:
    """Write rows (noun, values) in one transaction; raises BadRowError."""
    with session(engine) as opened:
        writer = Writer(opened, AUTHOR)
        for noun, values in rows:
            writer.put(noun, values)
        writer.finish()


def prefixes(*names: str, **values: object) -> Iterable[Row]:
    """Return prefixes that have the same values."""
    return [("prefix", {"name": n, **values}) for n in names]


def addresses(*names: str, **values: object) -> Iterable[Row]:
    """Return addresses that have the same values."""
    return [("address", {"name": n, **values}) for n in names]
