"""hot.db: the head and the blocks of hours, in one SQLite file with a write-ahead log. All its SQL is here."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

from monitor.samples import Layout
from monitor.tsdb.groups import Plan, plan_of
from monitor.tsdb.head import DAY_MS, HOUR_MS, MOST_MS, SLOTS, Row
from monitor.tsdb.hours import Block

_SCHEMA = """
CREATE TABLE IF NOT EXISTS layout (id INTEGER PRIMARY KEY, columns TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS slot (
  device INTEGER NOT NULL, slot INTEGER NOT NULL, PRIMARY KEY (device, slot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (
  id INTEGER PRIMARY KEY AUTOINCREMENT, slot INTEGER NOT NULL, first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL, polls BLOB NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS head_slot ON head (slot, first_ms);
CREATE TABLE IF NOT EXISTS hour (
  key INTEGER PRIMARY KEY, day INTEGER NOT NULL, last_ms INTEGER NOT NULL, sealed INTEGER NOT NULL,
  layout INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS hour_day ON hour (day);
CREATE TABLE IF NOT EXISTS asked (
  id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, data BLOB NOT NULL);
"""
_PRAGMAS = (
    "PRAGMA page_size=8192",  # of a new file: rows are 20 to 30 KiB, and each page is two writes into the log
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a commit is on the disk when it returns: a power cut is the likely failure
    "PRAGMA wal_autocheckpoint=2000",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
)
_MAPPED = 256 * 2**20


def is_begun(path: Path, timeout_s: float) -> bool:
    """Tell whether a writer has ever come: the file may be there a moment before its tables are."""
    with closing(sqlite3.connect(path, timeout=timeout_s, isolation_level=None)) as db:
        return db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


class Hot:
    """A connection to hot.db. `sqlite3.Error` passes through; `faults.explained` is round every use."""

    def __init__(self, path: Path, *, writing: bool, timeout_s: float) -> None:
        self.path = path
        self._plans: dict[int, Plan] = {}
        self.db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
        try:
            self.db.execute(f"PRAGMA mmap_size={_MAPPED}")
            if writing:
                for pragma in _PRAGMAS:
                    self.db.execute(pragma)
                # As one transaction: a reader that comes at the same moment sees all of the tables, or none.
                self.db.executescript(f"BEGIN;{_SCHEMA};COMMIT;")
            else:
                self.db.execute("PRAGMA query_only=1")
                self.db.execute("SELECT 1 FROM hour LIMIT 1")  # not a database: say it now
        except BaseException:
            self.db.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """Do everything inside or nothing; DEFERRED gives a reader one moment of the file."""
        self.db.execute(f"BEGIN {kind}")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    # The head.

    def layouts(self) -> dict[int, Plan]:
        """Return all layouts."""
        return {i: plan_of(i, columns) for i, columns in self.db.execute("SELECT id, columns FROM layout")}

    def plan(self, layout_id: int) -> Plan:
        """Return one layout. Raises KeyError."""
        if layout_id not in self._plans:
            row = self.db.execute("SELECT columns FROM layout WHERE id = ?", (layout_id,)).fetchone()
            if row is None:
                raise KeyError(layout_id)
            self._plans[layout_id] = plan_of(layout_id, row[0])
        return self._plans[layout_id]

    def add_layouts(self, layouts: Iterable[Layout]) -> None:
        """Keep layouts that are not yet known."""
        self.db.executemany(
            "INSERT OR IGNORE INTO layout VALUES (?, ?)", [(la.id, la.json) for la in layouts]
        )

    def add_slots(self, slots: Iterable[tuple[int, int]]) -> None:
        """Keep in which slots of the head a device may be found."""
        self.db.executemany("INSERT OR IGNORE INTO slot VALUES (?, ?)", slots)

    def slots(self, device: int) -> list[int]:
        """Return the slots in which a device may be found: one, but for the hour after a restart."""
        return [s for (s,) in self.db.execute("SELECT slot FROM slot WHERE device = ?", (device,))]

    def current_slots(self) -> dict[int, int]:
        """Return a slot of each device."""
        return dict(self.db.execute("SELECT device, slot FROM slot"))

    def drop_slots(self, slot: int, devices: Iterable[int]) -> None:
        """Forget that these devices may be found in a slot."""
        self.db.executemany("DELETE FROM slot WHERE slot = ? AND device = ?", [(slot, d) for d in devices])

    def slot_index(self, slot: int) -> list[bytes]:
        """Return the indexes of all rows of a slot."""
        return [p for (p,) in self.db.execute("SELECT polls FROM head WHERE slot = ?", (slot,))]

    def slot_devices(self, slot: int) -> list[int]:
        """Return the devices that may be found in a slot."""
        return [d for (d,) in self.db.execute("SELECT device FROM slot WHERE slot = ?", (slot,))]

    def add_head(self, rows: Iterable[Row]) -> None:
        """Append rows of polls."""
        self.db.executemany(
            "INSERT INTO head (slot, first_ms, last_ms, polls, data) VALUES (?, ?, ?, ?, ?)",
            [(r.slot, r.first_ms, r.last_ms, r.index, r.data) for r in rows],
        )

    def head(self, slots: Iterable[int], start_ms: int, end_ms: int) -> list[tuple[bytes, bytes]]:
        """Return (index, data) of the rows that may hold something of the window, as they arrived."""
        query = (
            "SELECT id, polls, data FROM head WHERE slot = ? AND first_ms BETWEEN ? AND ? AND last_ms >= ?"
        )
        return [(polls, data) for _, polls, data in self._rows(query, slots, start_ms, end_ms)]

    def head_rows(
        self, slots: Iterable[int], start_ms: int, end_ms: int
    ) -> list[tuple[int, bytes, bytes | None]]:
        """Return (id, index, data) of these rows; None for much data, of which one device has but a small part."""
        query = (
            "SELECT id, polls, CASE WHEN length(data) <= 8192 THEN data END FROM head"
            " WHERE slot = ? AND first_ms BETWEEN ? AND ? AND last_ms >= ?"
        )
        return self._rows(query, slots, start_ms, end_ms)

    def _rows(self, query: str, slots: Iterable[int], start_ms: int, end_ms: int) -> list[Any]:
        window = (start_ms - HOUR_MS, end_ms, start_ms)
        rows = [row for slot in slots for row in self.db.execute(query, (slot, *window))]
        rows.sort(key=itemgetter(0))
        return rows

    def head_data(self, row: int, start: int, length: int) -> bytes:
        """Return some octets of a row's data; fewer where it has not so many."""
        with self.db.blobopen("head", "data", row, readonly=True) as data, suppress(ValueError):
            data.seek(start)
            return data.read(length)
        return b""

    def head_index(self, start_ms: int, end_ms: int) -> list[bytes]:
        """Return the indexes alone of all slots' rows that may hold something of the window."""
        query = "SELECT polls FROM head WHERE slot = ? AND first_ms BETWEEN ? AND ? AND last_ms >= ?"
        window = (start_ms - HOUR_MS, end_ms, start_ms)
        return [p for slot in range(SLOTS) for (p,) in self.db.execute(query, (slot, *window))]

    def head_after(self, row: int, most: int) -> list[tuple[int, bytes, bytes]]:
        """Return (id, index, data) of the rows that arrived after one, in order, at most so many."""
        query = "SELECT id, polls, data FROM head WHERE id > ? ORDER BY id LIMIT ?"
        return self.db.execute(query, (row, most)).fetchall()

    def arrived(self, row: int) -> tuple[int, int]:
        """Return the id of the newest row there ever was, and how many after `row` are still in the head."""
        newest = self.db.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'head'").fetchone()[0]
        count = self.db.execute("SELECT count(*) FROM head WHERE id > ?", (row,)).fetchone()[0]
        return newest or 0, count

    def oldest_in_head(self) -> dict[int, int]:
        """Return slot → when its oldest row begins."""
        return dict(self.db.execute("SELECT slot, min(first_ms) FROM head GROUP BY slot"))

    def sealable(self, slot: int, before_ms: int) -> tuple[list[int], list[tuple[bytes, bytes]]]:
        """Return ids and rows of a slot that end before a time, as they arrived."""
        query = "SELECT id, polls, data FROM head WHERE slot = ? AND first_ms < ? AND last_ms < ? ORDER BY id"
        rows = self.db.execute(query, (slot, before_ms, before_ms)).fetchall()
        return [r[0] for r in rows], [(r[1], r[2]) for r in rows]

    def drop_head(self, ids: Sequence[int]) -> None:
        """Remove rows of the head."""
        self.db.executemany("DELETE FROM head WHERE id = ?", [(i,) for i in ids])

    # The hours.

    def add_hours(self, blocks: Iterable[Block], sealed: int) -> None:
        """Add blocks; one never takes the place of another."""
        for block in blocks:
            key = _key(block.device, block.first_ms)
            while self.db.execute("SELECT 1 FROM hour WHERE key = ?", (key,)).fetchone():
                key += 1
            row = (key, block.first_ms // DAY_MS, block.last_ms, sealed, block.plan.layout.id, block.data)
            self.db.execute("INSERT INTO hour VALUES (?, ?, ?, ?, ?, ?)", row)

    def hours(self, device: int, start_ms: int, end_ms: int) -> list[tuple[int, int, bytes]]:
        """Return (first_ms, layout, data) of a device's blocks that may hold something, as they were sealed."""
        # Put in order here: SQLite would copy every block into its sorter and out again.
        query = "SELECT sealed, key, layout, data FROM hour WHERE key BETWEEN ? AND ? AND last_ms >= ?"
        window = (_key(device, max(0, start_ms - HOUR_MS)), _key(device, end_ms), start_ms)
        return [(k % MOST_MS, layout, data) for _, k, layout, data in sorted(self.db.execute(query, window))]

    def days_before(self, day: int) -> list[int]:
        """Return the days before one of which there are blocks."""
        return [
            d for (d,) in self.db.execute("SELECT DISTINCT day FROM hour WHERE day < ? ORDER BY 1", (day,))
        ]

    def first_days(self) -> list[int]:
        """Return the oldest day of the blocks, and that of the head; none of what is empty."""
        query = "SELECT min(day) FROM hour UNION ALL SELECT min(first_ms) / ? FROM head"
        return [d for (d,) in self.db.execute(query, (DAY_MS,)) if d is not None]

    def hour_keys(self, first_day: int, last_day: int) -> list[int]:
        """Return the keys of the blocks of some days; `device_of` and `first_of` take them apart."""
        query = "SELECT key FROM hour WHERE day BETWEEN ? AND ? ORDER BY key"
        return [k for (k,) in self.db.execute(query, (first_day, last_day))]

    def hour_devices(self) -> list[int]:
        """Return the devices that have blocks of hours."""
        return sorted({device_of(k) for (k,) in self.db.execute("SELECT key FROM hour")})

    def hour_layouts(self, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """Return (device, layout) of the blocks that may hold something of a window."""
        query = "SELECT DISTINCT key / ?, layout FROM hour WHERE day BETWEEN ? AND ? AND last_ms >= ?"
        return self.db.execute(
            query, (MOST_MS, start_ms // DAY_MS - 1, end_ms // DAY_MS, start_ms)
        ).fetchall()

    def hour(self, key: int) -> tuple[int, int, bytes] | None:
        """Return (sealed, layout, data) of a block."""
        row: tuple[int, int, bytes] | None = self.db.execute(
            "SELECT sealed, layout, data FROM hour WHERE key = ?", (key,)
        ).fetchone()
        return row

    def drop_hours(self, keys: Iterable[int]) -> None:
        """Remove blocks."""
        self.db.executemany("DELETE FROM hour WHERE key = ?", [(k,) for k in keys])

    # Who was asked, in runs.

    def add_asked(self, first_ms: int, last_ms: int, data: bytes) -> None:
        """Keep runs of the polls that were just sealed."""
        self.db.execute(
            "INSERT INTO asked (first_ms, last_ms, data) VALUES (?, ?, ?)", (first_ms, last_ms, data)
        )

    def asked(self, start_ms: int, end_ms: int) -> list[bytes]:
        """Return the runs that may touch a window."""
        query = "SELECT data FROM asked WHERE first_ms <= ? AND last_ms >= ?"
        return [d for (d,) in self.db.execute(query, (end_ms, start_ms))]

    def asked_ids(self, start_ms: int, end_ms: int) -> list[int]:
        """Return the ids of the runs that lie in a window."""
        query = "SELECT id FROM asked WHERE first_ms >= ? AND last_ms < ?"
        return [i for (i,) in self.db.execute(query, (start_ms, end_ms))]

    def drop_asked(self, ids: Iterable[int]) -> None:
        """Remove runs."""
        self.db.executemany("DELETE FROM asked WHERE id = ?", [(i,) for i in ids])


def _key(device: int, first_ms: int) -> int:
    """Return the key of a block: by device, then by time. Python's int, for numpy's would be stored as a blob."""
    return int(device) * MOST_MS + int(first_ms)


def device_of(key: int) -> int:
    """Return the device of a block."""
    return key // MOST_MS


def first_of(key: int) -> int:
    """Return when a block begins."""
    return key % MOST_MS
