"""Day files: one SQLite file for each UTC day and tier, written once, renamed into place, never changed.

A reader opens them as immutable: no locks, no log. To replace one is to rename a new one over it; who still reads
the old one keeps it to the end.
"""

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from json import dumps
from pathlib import Path

from monitor.tsdb.groups import GROUPS, Plan, plan_of

RAW, FIVE, HOURLY = "raw", "r5", "r60"
TIERS = (RAW, FIVE, HOURLY)
_EPOCH = date(1970, 1, 1)
_OPEN = 512  # files a reader keeps open
_MANY = 50  # devices, from which on one look at all is quicker than one at each
_PAGE = 1024  # most blocks are smaller than 4 KiB, and half of the last page of each is lost
_SCHEMA = """
CREATE TABLE layout (id INTEGER PRIMARY KEY, columns TEXT NOT NULL);
CREATE TABLE device (device INTEGER PRIMARY KEY, layout INTEGER NOT NULL, marks BLOB NOT NULL, edges BLOB NOT NULL);
CREATE TABLE block (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE runs (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class DeviceDay:
    """One device's day in one tier: its layout, times and flags, first and last values, and a block a group."""

    device: int
    plan: Plan
    marks: bytes
    edges: bytes
    blocks: Sequence[bytes]


def name_of(day: int) -> str:
    """Return the name of a day's file."""
    return f"{_EPOCH + timedelta(days=day)}.db"


def day_of(name: str) -> int:
    """Return the day of a file's name. Raises ValueError."""
    return (datetime.strptime(name, "%Y-%m-%d.db").replace(tzinfo=UTC).date() - _EPOCH).days


def days_in(folder: Path) -> list[int]:
    """Return the days of which there is a file, in order."""
    found = []
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            with suppress(ValueError):
                found.append(day_of(entry.name))
    return sorted(found)


class DayWriter:
    """Writes a day file beside its place; `publish` puts it there, durable, or nothing changes."""

    def __init__(self, path: Path) -> None:
        self.path, self.new = path, path.with_suffix(".db.tmp")
        path.parent.mkdir(exist_ok=True, mode=0o750)
        self.new.unlink(missing_ok=True)
        self.db = sqlite3.connect(self.new, isolation_level=None)
        self.layouts: set[int] = set()
        for pragma in (f"page_size={_PAGE}", "journal_mode=OFF", "synchronous=OFF", "cache_size=-16384"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(_SCHEMA)
        self.db.execute("BEGIN")

    def add(self, found: DeviceDay) -> None:
        """Add a device; they come in order of their ids."""
        self._keep(found.plan)
        row = (found.device, found.plan.layout.id, found.marks, found.edges)
        self.db.execute("INSERT INTO device VALUES (?, ?, ?, ?)", row)
        base = found.device * GROUPS
        self.db.executemany(
            "INSERT INTO block VALUES (?, ?)", [(base + g, b) for g, b in enumerate(found.blocks)]
        )

    def _keep(self, plan: Plan) -> None:
        if plan.layout.id not in self.layouts:
            self.layouts.add(plan.layout.id)
            self.db.execute("INSERT INTO layout VALUES (?, ?)", (plan.layout.id, plan.layout.json))

    def add_runs(self, data: bytes) -> None:
        """Add the runs of who was asked on this day."""
        self.db.execute("INSERT INTO runs (data) VALUES (?)", (data,))

    def finish(self) -> None:
        """Bring everything to the disk; the file is not yet in its place."""
        self.db.execute("COMMIT")
        self.db.close()
        _sync(self.new)

    def publish(self) -> None:
        """Put the finished file in its place."""
        self.new.replace(self.path)
        _sync(self.path.parent)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self.db.close()
        self.new.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class DayFile:
    """A day file that is read. `sqlite3.Error` passes through."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(
            f"{path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False
        )
        self.db.execute("PRAGMA mmap_size=17179869184")
        self._plans: dict[int, Plan] = {}

    def close(self) -> None:
        """Close it."""
        self.db.close()

    def plan(self, device: int) -> Plan | None:
        """Return the layout of a device, or None when it has nothing on this day."""
        row = self.db.execute("SELECT layout FROM device WHERE device = ?", (device,)).fetchone()
        return self._plan(row[0]) if row else None

    def plans(self, devices: Collection[int]) -> dict[int, Plan]:
        """Return the layouts of those devices that have something on this day."""
        if len(devices) < _MANY:
            return {d: plan for d in devices if (plan := self.plan(d))}
        rows = self.db.execute("SELECT device, layout FROM device")
        return {device: self._plan(layout) for device, layout in rows if device in devices}

    def layouts(self) -> list[tuple[int, int]]:
        """Return (device, id of its layout) of every device of this day."""
        return self.db.execute("SELECT device, layout FROM device").fetchall()

    def layout(self, layout_id: int) -> Plan:
        """Return a layout of this file."""
        return self._plan(layout_id)

    def _plan(self, layout_id: int) -> Plan:
        if layout_id not in self._plans:
            query = "SELECT columns FROM layout WHERE id = ?"
            self._plans[layout_id] = plan_of(layout_id, self.db.execute(query, (layout_id,)).fetchone()[0])
        return self._plans[layout_id]

    def devices(self) -> list[int]:
        """Return the devices of this day."""
        return [d for (d,) in self.db.execute("SELECT device FROM device ORDER BY 1")]

    def marks(self, device: int) -> bytes | None:
        """Return times and flags of a device."""
        row = self.db.execute("SELECT marks FROM device WHERE device = ?", (device,)).fetchone()
        return row[0] if row else None

    def edges(self, device: int) -> bytes | None:
        """Return the first and the last values of a device."""
        row = self.db.execute("SELECT edges FROM device WHERE device = ?", (device,)).fetchone()
        return row[0] if row else None

    def block(self, device: int, group: int) -> bytes | None:
        """Return one block."""
        row = self.db.execute("SELECT data FROM block WHERE key = ?", (device * GROUPS + group,)).fetchone()
        return row[0] if row else None

    def some_blocks(self, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return blocks by (device, group), in one query; b"" for one that is not there."""
        keys = [device * GROUPS + group for device, group in wanted]
        query = "SELECT key, data FROM block WHERE key IN (SELECT value FROM json_each(?))"
        found: dict[int, bytes] = dict(self.db.execute(query, (dumps(keys),)))
        return [found.get(key, b"") for key in keys]

    def blocks(self, device: int) -> list[bytes]:
        """Return all blocks of a device by group."""
        query = "SELECT data FROM block WHERE key BETWEEN ? AND ? ORDER BY key"
        return [b for (b,) in self.db.execute(query, (device * GROUPS, device * GROUPS + GROUPS - 1))]

    def whole(self, device: int) -> DeviceDay | None:
        """Return everything of a device, as it is stored."""
        plan = self.plan(device)
        if plan is None:
            return None
        marks, edges = self.marks(device), self.edges(device)
        assert marks is not None
        assert edges is not None
        return DeviceDay(device, plan, marks, edges, self.blocks(device))

    def runs(self) -> list[bytes]:
        """Return the runs of who was asked on this day."""
        return [d for (d,) in self.db.execute("SELECT data FROM runs")]


class Shelf:
    """The day files of one tier. Files stay open; one that was replaced is opened anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: OrderedDict[int, tuple[tuple[int, int], DayFile]] = OrderedDict()

    def path(self, day: int) -> Path:
        """Return where a day's file is, or would be."""
        return self.folder / name_of(day)

    def file(self, day: int) -> DayFile | None:
        """Return a day's file, or None when there is none."""
        path = self.path(day)
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        mark = (status.st_ino, status.st_mtime_ns)
        known = self._open.get(day)
        if known and known[0] == mark:
            self._open.move_to_end(day)
            return known[1]
        if known:
            known[1].close()
        opened = DayFile(path)
        self._open[day] = (mark, opened)
        while len(self._open) > _OPEN:
            self._open.popitem(last=False)[1][1].close()
        return opened

    def between(self, first: int, last: int) -> Iterator[tuple[int, DayFile]]:
        """Yield the files of some days, in order."""
        for day in days_in(self.folder) if last - first > 400 else range(first, last + 1):
            if first <= day <= last and (found := self.file(day)):
                yield day, found

    def close(self) -> None:
        """Close all files."""
        for _, opened in self._open.values():
            opened.close()
        self._open.clear()


def remove_leftovers(folders: Iterable[Path]) -> list[Path]:
    """Remove what a killed compaction left behind; return what it was."""
    gone = []
    for folder in folders:
        for path in folder.glob("*.tmp"):
            path.unlink(missing_ok=True)
            gone.append(path)
    return gone
