"""What is due with time: head into hours, hours into day files, files that are too old removed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monitor.tsdb import hours, runs
from monitor.tsdb.codec import DamagedError, decode_each
from monitor.tsdb.compact import Day
from monitor.tsdb.compact import compact as compact_day
from monitor.tsdb.days import RAW, TIERS, Shelf, days_in, name_of, remove_leftovers
from monitor.tsdb.faults import Damage, explained
from monitor.tsdb.head import AT, DAY_MS, DEVICE, FLAGS, HOUR_MS, Entries, entries, index_of
from monitor.tsdb.hot import Hot
from monitor.tsdb.pieces import Told
from siaga.errors import SiagaError, TemporaryError

_NEW_MS = 300_000  # what is younger stays in the head, where the last values are looked for
_GRACE_MS = 2 * HOUR_MS  # after midnight, until the last hours of a day are sealed and late replies are in


@dataclass
class Done:
    """What a compaction did."""

    days: list[str] = field(default_factory=list)
    devices: int = 0
    removed: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)


def seal(hot: Hot, now_ms: int, *, current: Mapping[int, int], told: Told) -> int:
    """Bring each slot's finished hours from the head into blocks; return how many blocks they were.

    The hours of a slot begin at its minute, so that with a call a minute one slot is due at a time.
    `current`: in which slot the writer puts each device now.
    """
    return sum(
        _seal_slot(hot, slot, boundary, current, told)
        for slot, oldest in hot.oldest_in_head().items()
        if oldest < (boundary := _boundary(slot, now_ms - _NEW_MS))
    )


def _boundary(slot: int, at_ms: int) -> int:
    return (at_ms - slot * 60_000) // HOUR_MS * HOUR_MS + slot * 60_000


def _seal_slot(hot: Hot, slot: int, before_ms: int, current: Mapping[int, int], told: Told) -> int:
    ids, rows = hot.sealable(slot, before_ms)
    plans = hot.layouts()
    try:
        found = entries(rows)
        blocks = list(hours.sealed(found, plans, slot))
    except DamagedError as error:
        # The rows with a damaged poll stay in the head, where the others of the row can still be read.
        told(Damage(hot.path, -1, before_ms, f"{error}"))
        sound = [i for i, row in enumerate(rows) if _is_sound(row)]
        ids, rows = [ids[i] for i in sound], [rows[i] for i in sound]
        found = entries(rows)
        blocks = list(hours.sealed(found, plans, slot))
    if not ids:
        return 0
    with hot.transaction():
        hot.add_layouts({b.plan.layout.id: b.plan.layout for b in blocks}.values())
        hot.add_hours(blocks, max(ids))
        for table in _runs_by_day(found):
            first, last = int(table[runs.FIRST].min()), int(table[runs.LAST].max())
            hot.add_asked(first, last, runs.packed([table]))
        hot.drop_head(ids)
        left = set(index_of(hot.slot_index(slot))[:, DEVICE].tolist())
        gone = [d for d in hot.slot_devices(slot) if d not in left and current.get(d) != slot]
        hot.drop_slots(slot, gone)
    return len(blocks)


def _is_sound(row: tuple[bytes, bytes]) -> bool:
    found = entries([row])
    try:
        for block in found.blocks:
            if len(block):
                decode_each([block])
    except DamagedError:
        return False
    return True


def _runs_by_day(found: Entries) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Yield a table of runs for each day that these polls are of."""
    index = found.index[np.lexsort((found.index[:, AT], found.index[:, DEVICE]))]
    for day in np.unique(index[:, AT] // DAY_MS):
        some = index[index[:, AT] // DAY_MS == day]
        table = runs.runs_of(some[:, DEVICE], some[:, AT], some[:, FLAGS])
        if table.shape[1]:
            yield table


def compact(root: Path, hot: Hot, shelves: Mapping[str, Shelf], now_ms: int, keep: Mapping[str, int]) -> Done:
    """Compact every day that is over, then remove the files that are too old."""
    done = Done(leftovers=[p.name for p in remove_leftovers(root / tier for tier in TIERS)])
    over = (now_ms - _GRACE_MS) // DAY_MS
    for day in hot.days_before(over):
        with hot.transaction("DEFERRED"):  # blocks and runs of one moment
            keys = hot.hour_keys(day, day)
            asked = hot.asked_ids(day * DAY_MS, (day + 1) * DAY_MS)
        path = root / RAW / name_of(day)
        try:
            with explained(path):
                job = Day(root, day, hot, dict(shelves), done.damage.append)
                done.devices += compact_day(job, keys, asked)
        except TemporaryError:
            raise
        except SiagaError as error:  # a damaged file keeps its own day back, and no other
            done.damage.append(Damage(path, -1, day * DAY_MS, error.sentence))
            continue
        done.days.append(name_of(day).removesuffix(".db"))
    done.removed = [str(p.relative_to(root)) for p in _expired(root, now_ms, keep)]
    return done


def _expired(root: Path, now_ms: int, keep: Mapping[str, int]) -> Iterator[Path]:
    for tier in TIERS:
        for day in days_in(root / tier):
            if day < now_ms // DAY_MS - keep[tier]:
                path = root / tier / name_of(day)
                path.unlink(missing_ok=True)
                yield path
