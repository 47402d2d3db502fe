"""The memory of the monitor: raw counters and scaled gauges as integers, never rates, never overwritten.

`SampleStore` is what callers know. `EmbeddedStore` is one SQLite file beside the database of record, with one
commit a round; the block store for years of data takes its place behind the same protocol.
A device that was asked and did not answer leaves a mark (`Asked`), not a zero.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from siaga.clock import as_utc
from siaga.errors import SiagaError, TemporaryError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
  id INTEGER PRIMARY KEY, device INTEGER NOT NULL, metric TEXT NOT NULL, instance TEXT NOT NULL,
  UNIQUE (device, metric, instance));
CREATE TABLE IF NOT EXISTS sample (
  series INTEGER NOT NULL, at_ms INTEGER NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY (series, at_ms)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS asked (
  device INTEGER NOT NULL, at_ms INTEGER NOT NULL, answered INTEGER NOT NULL,
  PRIMARY KEY (device, at_ms)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one metric. `instance` is an interface's name, a sensor's, or empty.

    Metrics: in_octets, out_octets, in_errors, out_errors, in_discards, out_discards (raw counters; those of
    64 bits end in _64), discontinuity (ticks), uptime (hundredths of a second), cpu and memory (hundredths
    of a percent), temperature (hundredths of a degree Celsius), and every other class of sensor by its name
    (voltage, current, power, charge, state ...; thousandths of its unit).
    """

    device: int
    metric: str
    instance: str
    at: datetime
    value: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A device was asked at this time, and answered or not."""

    device: int
    at: datetime
    answered: bool


Key = tuple[int, str, str]  # device, metric, instance


class SampleStore(Protocol):
    """What keeps samples. (device, metric, instance, time) identifies one; writing it twice is once."""

    def write(self, samples: Iterable[Sample], asked: Iterable[Asked]) -> None:
        """Store a round; durable on return."""

    def read(
        self, keys: Sequence[Key], start: datetime, end: datetime
    ) -> Mapping[Key, list[tuple[datetime, int]]]:
        """Return the values of each series in the window, by time; a series without values has no entry."""

    def instances(self, device: int, metric: str) -> list[str]:
        """Return the instances that a metric of a device was ever stored for."""

    def asked(self, start: datetime, end: datetime) -> Mapping[int, list[Asked]]:
        """Return device → when it was asked in the window, by time."""


class EmbeddedStore:
    """Samples in one SQLite file: WAL, `synchronous=FULL`, one writer, any number of readers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                connection.executescript(_SCHEMA)
                yield connection
        except sqlite3.OperationalError as error:
            sentence = (
                f"The samples in {self.path} cannot be used now: {error}. What was stored before is kept."
            )
            raise TemporaryError("samples-unavailable", sentence) from None
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # its subclasses are faults of the program
                raise
            sentence = (
                f"The samples in {self.path} are damaged ({error}): put a backup back, or move the file"
                " aside to begin a new one; the inventory is not touched."
            )
            raise SiagaError("samples-damaged", sentence) from None

    def write(self, samples: Iterable[Sample], asked: Iterable[Asked]) -> None:
        """Store a round in one transaction. Raises TemporaryError (disk full, locked)."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                known = {
                    (d, m, i): s
                    for s, d, m, i in db.execute("SELECT id, device, metric, instance FROM series")
                }
                rows = [(_series(db, known, s), _ms(s.at), _signed(s.value)) for s in samples]
                db.executemany("INSERT OR IGNORE INTO sample VALUES (?, ?, ?)", rows)
                marks = [(a.device, _ms(a.at), int(a.answered)) for a in asked]
                db.executemany("INSERT OR IGNORE INTO asked VALUES (?, ?, ?)", marks)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def read(
        self, keys: Sequence[Key], start: datetime, end: datetime
    ) -> Mapping[Key, list[tuple[datetime, int]]]:
        """Return the values in [start, end]; one index range per series."""
        if not self.path.exists():
            return {}
        found: dict[Key, list[tuple[datetime, int]]] = {}
        with self._open() as db:
            known = {
                (d, m, i): s for s, d, m, i in db.execute("SELECT id, device, metric, instance FROM series")
            }
            for key in keys:
                if key not in known:
                    continue
                rows = db.execute(
                    "SELECT at_ms, value FROM sample WHERE series = ? AND at_ms BETWEEN ? AND ? ORDER BY 1",
                    (known[key], _ms(start), _ms(end)),
                ).fetchall()
                if rows:
                    found[key] = [(_time(at), _unsigned(key[1], value)) for at, value in rows]
        return found

    def instances(self, device: int, metric: str) -> list[str]:
        """Return the instances that a metric of a device was ever stored for."""
        if not self.path.exists():
            return []
        with self._open() as db:
            query = "SELECT instance FROM series WHERE device = ? AND metric = ? ORDER BY 1"
            return [row[0] for row in db.execute(query, (device, metric))]

    def asked(self, start: datetime, end: datetime) -> Mapping[int, list[Asked]]:
        """Return who was asked when, in one query."""
        if not self.path.exists():
            return {}
        found: dict[int, list[Asked]] = {}
        with self._open() as db:
            query = (
                "SELECT device, at_ms, answered FROM asked WHERE at_ms BETWEEN ? AND ? ORDER BY device, at_ms"
            )
            for device, at, answered in db.execute(query, (_ms(start), _ms(end))):
                found.setdefault(device, []).append(Asked(device, _time(at), bool(answered)))
        return found


def _series(db: sqlite3.Connection, known: dict[Key, int], sample: Sample) -> int:
    key = (sample.device, sample.metric, sample.instance)
    if key not in known:
        cursor = db.execute("INSERT INTO series (device, metric, instance) VALUES (?, ?, ?)", key)
        assert cursor.lastrowid is not None
        known[key] = cursor.lastrowid
    return known[key]


def _ms(at: datetime) -> int:
    return round(as_utc(at).timestamp() * 1000)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _signed(value: int) -> int:
    """SQLite's integers are signed: a Counter64 above 2^63 is kept as its two's complement."""
    return value - 2**64 if value >= 2**63 else value


def _unsigned(metric: str, value: int) -> int:
    return value + 2**64 if value < 0 and metric.endswith("_64") else value


def open_samples(home: Path) -> EmbeddedStore:
    """Return the sample store of this home."""
    return EmbeddedStore(home / "samples.db")
