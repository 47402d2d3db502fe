"""Whether the store is whole: every file can be opened, every block has its checksum, and days without a file.

It reads everything once and changes nothing. Whether a day without a file should have one, it cannot tell.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from monitor.tsdb import codec, hours
from monitor.tsdb.days import RAW, TIERS, DayFile, days_in, name_of
from monitor.tsdb.faults import Damage
from monitor.tsdb.head import AT, DAY_MS, DEVICE, FLAGS, LAYOUT, VALUED, entries
from monitor.tsdb.hot import Hot, device_of, first_of


def missing_days(root: Path) -> list[str]:
    """Return the days between the first and the last raw file of which there is none."""
    days = days_in(root / RAW)
    there = set(days)
    return (
        [name_of(d).removesuffix(".db") for d in range(days[0], days[-1]) if d not in there] if days else []
    )


@dataclass
class Checked:
    """What was looked at, and what is wrong; nothing wrong: the store is whole."""

    files: int = 0
    blocks: int = 0
    bytes: int = 0
    damage: list[Damage] = field(default_factory=list)
    leftovers: list[Path] = field(
        default_factory=list
    )  # of a compaction that was cut off; the next one removes them


def check(
    root: Path, progress: Callable[[Path], None] = lambda _: None, *, newest: int | None = None
) -> Checked:
    """Look at every file below the folder of the store; of the day files at the `newest` of each tier, or at all."""
    found = Checked(leftovers=sorted(root.glob("*/*.tmp")))
    hot = root / "hot.db"
    if hot.exists():
        _look(found, hot, 0, lambda: _hot(found, hot), progress)
    for tier in TIERS:
        days = days_in(root / tier)
        for day in days if newest is None else days[max(0, len(days) - newest) :]:
            path = root / tier / name_of(day)
            _look(found, path, day * DAY_MS, lambda p=path, d=day, t=tier: _day(found, p, d, t), progress)  # type: ignore[misc]
    return found


def _look(
    found: Checked, path: Path, at_ms: int, look: Callable[[], None], progress: Callable[[Path], None]
) -> None:
    progress(path)
    found.files += 1
    try:
        found.bytes += path.stat().st_size
        look()
    except (sqlite3.Error, OSError, ValueError) as error:
        found.damage.append(Damage(path, -1, at_ms, f"the file cannot be read ({error})"))


def _hot(found: Checked, path: Path) -> None:
    hot = Hot(path, writing=False, timeout_s=10)
    try:
        with hot.transaction("DEFERRED"):
            _whole(hot.db)
            plans = hot.layouts()
            for slot in range(60):
                for device, at, layout, block in _polls(hot, slot):
                    _block(found, path, device, at, block, codec.check, known=layout in plans)
            for key in hot.hour_keys(0, 2**31):
                row = hot.hour(key)
                assert row is not None
                where = (path, device_of(key), first_of(key))
                _block(found, *where, row[2], hours.check, known=row[1] in plans)
            for data in hot.asked(0, 2**62):
                _block(found, path, -1, 0, data, codec.check)
    finally:
        hot.close()


def _polls(hot: Hot, slot: int) -> Iterator[tuple[int, int, int, bytes]]:
    for row in hot.head([slot], 0, 2**62):
        some = entries([row])
        for index, block in zip(some.index, some.blocks, strict=True):
            if index[FLAGS] & VALUED:
                yield int(index[DEVICE]), int(index[AT]), int(index[LAYOUT]), block


def _day(found: Checked, path: Path, day: int, tier: str) -> None:
    file = DayFile(path)
    try:
        _whole(file.db)
        for device in file.devices():
            whole = file.whole(device)
            assert whole is not None
            blocks = [*([whole.marks, whole.edges] if tier == RAW else []), *whole.blocks]
            for block in blocks:
                _block(found, path, device, day * DAY_MS, block, codec.check)
            if len(whole.blocks) != len(whole.plan.groups) * (1 if tier == RAW else 2):
                found.damage.append(Damage(path, device, day * DAY_MS, "a block is not there"))
        for data in file.runs():
            _block(found, path, -1, day * DAY_MS, data, codec.check)
    finally:
        file.close()


def _whole(db: sqlite3.Connection) -> None:
    (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(said)


def _block(
    found: Checked,
    path: Path,
    device: int,
    at_ms: int,
    block: bytes,
    look: Callable[[bytes], None],
    *,
    known: bool = True,
) -> None:
    found.blocks += 1
    try:
        look(block)
        if not known:
            raise codec.DamagedError("its layout is not known")
    except codec.DamagedError as error:
        found.damage.append(Damage(path, device, at_ms, f"{error}"))
