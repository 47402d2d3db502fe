"""Samples of the first layout (one SQLite file, a row a value) brought into the store, once and whole."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.samples import Asked, Poll, Sample, polls_of, time_of
from monitor.tsdb.faults import explained

if TYPE_CHECKING:
    from monitor.tsdb.store import EmbeddedStore

_AT_ONCE = 2000  # polls in one transaction
_SAMPLES = """SELECT s.metric, s.instance, v.at_ms, v.value FROM series s JOIN sample v ON v.series = s.id
  WHERE s.device = ? ORDER BY v.at_ms, s.id"""


def migrate(path: Path, store: "EmbeddedStore") -> int:
    """Bring the samples of the old file into the store and rename it; return how many polls they were.

    Cut off in the middle it begins again the next time: what is there already is not stored twice.
    """
    if not path.exists():
        return 0
    with store.writer(), explained(path):
        if not path.exists():  # another process has just done it
            return 0
        with closing(sqlite3.connect(path, timeout=store.wait_s, isolation_level=None)) as old:
            count = sum(_bring(old, device, store) for device in _devices(old))
        path.replace(path.with_name("samples-migrated.db"))
        for log in (path.with_name(path.name + end) for end in ("-wal", "-shm")):
            log.unlink(missing_ok=True)
    return count


def _devices(old: sqlite3.Connection) -> list[int]:
    tables = {name for (name,) in old.execute("SELECT name FROM sqlite_master")}
    if not {"series", "sample", "asked"} <= tables:
        return []
    return [d for (d,) in old.execute("SELECT device FROM series UNION SELECT device FROM asked ORDER BY 1")]


def _bring(old: sqlite3.Connection, device: int, store: "EmbeddedStore") -> int:
    polls = _polls(old, device)
    for start in range(0, len(polls), _AT_ONCE):
        store.write(polls[start : start + _AT_ONCE])
    return len(polls)


def _polls(old: sqlite3.Connection, device: int) -> list[Poll]:
    query = "SELECT at_ms, answered FROM asked WHERE device = ?"
    marks = [Asked(device, time_of(at), bool(answered)) for at, answered in old.execute(query, (device,))]
    return polls_of(_samples(old, device), marks)


def _samples(old: sqlite3.Connection, device: int) -> Iterator[Sample]:
    for metric, instance, at, value in old.execute(_SAMPLES, (device,)):
        yield Sample(device, metric, instance, time_of(at), value)
