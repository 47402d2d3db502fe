"""The embedded store: one writer, any number of readers in other processes, files below one folder.

Reading looks at hot.db first, in one moment of it, and at the day files after that: a block is removed from
hot.db only when its file is in place, so nothing can fall between the two.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.samples import Asked, Availability, Bins, Key, Name, Percentile, Poll, Series, ms_of, time_of
from monitor.tsdb import catalog, housekeeping, latest, looks, newest, pieces, ranges
from monitor.tsdb.days import TIERS, Shelf
from monitor.tsdb.faults import Damage, DamagedSamplesError, explained, told_of
from monitor.tsdb.head import DAY_MS, fits, rows_of, slots_of
from monitor.tsdb.hot import Hot, is_begun
from siaga.lock import BusyError, held

if TYPE_CHECKING:
    from monitor.samples import Array

Keep = Mapping[str, int]
KEPT_DAYS: Keep = {"raw": 90, "r5": 400, "r60": 1830}


class EmbeddedStore:
    """Samples below a folder; docs/samples.md describes the files. Not to be shared between threads.

    A damaged block raises DamagedSamplesError when a window touches it; with `on_damage` it is told there
    instead, and left out. `wait_s`: how long to wait for another writer, or for another process's lock.
    """

    def __init__(
        self, root: Path, *, wait_s: float = 10, on_damage: Callable[[Damage], None] | None = None
    ) -> None:
        self.root, self.wait_s = root, wait_s
        self.told = on_damage or _raised
        self.hot_path = root / "hot.db"
        self.shelves = {tier: Shelf(root / tier) for tier in TIERS}
        self._hot: Hot | None = None
        self._writing = 0
        self._lock = ExitStack()
        self._slots: dict[int, int] = {}
        self._layouts: set[int] = set()

    def close(self) -> None:
        """Close all files and let the next writer in."""
        if self._hot:
            self._hot.close()
        self._hot = None
        self._writing = 0
        self._lock.close()
        for shelf in self.shelves.values():
            shelf.close()

    def __enter__(self) -> "EmbeddedStore":
        """Return itself; `close` is called at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    # Writing.

    @contextmanager
    def writer(self) -> Iterator[Hot]:
        """Be the one writer while inside. Raises TemporaryError (`samples-busy`) when another process is."""
        if not self._writing:
            self._begin()
        self._writing += 1
        try:
            with explained(self.hot_path):
                assert self._hot is not None
                yield self._hot
        finally:
            self._writing -= 1
            if self._writing <= 0:
                self._end()

    def _alone(self, name: str, does: str, wait_s: float) -> AbstractContextManager[None]:
        sentence = (
            f"Another process (pid {{pid}}) {does} the samples in {self.root}; one may at a time."
            " Wait for it, or stop it."
        )
        return held(self.root / name, "samples-busy", sentence, wait_s=wait_s, unusable="samples-unavailable")

    def _begin(self) -> None:
        self._lock.enter_context(self._alone("writer.lock", "writes", self.wait_s))
        self._drop()
        try:
            with explained(self.hot_path):
                self._hot = Hot(self.hot_path, writing=True, timeout_s=self.wait_s)
                self._slots, self._layouts = self._hot.current_slots(), set(self._hot.layouts())
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        self._writing = 0
        self._drop()
        self._lock.close()

    def _drop(self) -> None:
        if self._hot:
            self._hot.close()
        self._hot = None

    def write(self, polls: Sequence[Poll]) -> None:
        """Store polls in one transaction, on the disk when it returns.

        Raises TemporaryError (`samples-busy`; `samples-unavailable`: disk full, locked) and ValueError (a poll
        that does not fit its layout); then nothing was stored.
        """
        with self.writer() as hot:
            slots, moving = self._slots, self._writing > 1  # a service; single rounds come when they come
            fresh = slots_of([p for p in polls if not fits(p, slots.get(p.device), moving=moving)])
            rows = rows_of(polls, {**slots, **fresh} if fresh else slots)
            layouts = {p.layout.id: p.layout for p in polls if p.layout.id not in self._layouts}
            with hot.transaction():
                hot.add_layouts(layouts.values())
                hot.add_slots(fresh.items())
                hot.add_head(rows)
            self._slots |= fresh
            self._layouts |= layouts.keys()

    def maintain(self, now: datetime, keep: Keep = KEPT_DAYS, *, compacting: bool = True) -> None:
        """Seal what is an hour old; with `compacting` also bring past days into files and remove old ones."""
        with self.writer() as hot:
            housekeeping.seal(hot, ms_of(now), current=self._slots, told=lambda _: None)
        if compacting:
            with suppress(BusyError):  # another process is at it
                self.compact(now, keep, wait_s=0)

    def compact(
        self, now: datetime, keep: Keep = KEPT_DAYS, *, wait_s: float | None = None
    ) -> housekeeping.Done:
        """Bring past days into files, remove files that are too old and what a killed compaction left.

        Another process may write meanwhile. Raises TemporaryError (`samples-busy`) when one compacts already.
        """
        if not self.hot_path.exists():
            return housekeeping.Done()
        wait_s = self.wait_s if wait_s is None else wait_s
        with self._alone("compact.lock", "compacts", wait_s), explained(self.hot_path):
            hot = Hot(self.hot_path, writing=True, timeout_s=self.wait_s)
            try:
                return housekeeping.compact(self.root, hot, self.shelves, ms_of(now), keep)
            finally:
                hot.close()

    # Reading.

    @contextmanager
    def reading(self) -> Iterator[Hot | None]:
        """Give one moment of hot.db, or None when nothing was ever stored."""
        with explained(self.hot_path):
            if self._hot is None and self.hot_path.exists() and is_begun(self.hot_path, self.wait_s):
                self._hot = Hot(self.hot_path, writing=False, timeout_s=self.wait_s)
            if self._hot is None:
                yield None
                return
            with self._hot.transaction("DEFERRED"):
                yield self._hot

    def read(self, keys: Sequence[Key], start: datetime, end: datetime) -> Mapping[Key, Series]:
        """Return the raw values in [start, end]. Raises DamagedSamplesError, TemporaryError."""
        found: dict[Key, Series] = {}
        first, last = ms_of(start), ms_of(end)
        for device, names in _by_device(keys).items():
            some = self.pieces(device, names, first, last)
            for name in names:
                at, values = pieces.series(some, name, first, last)
                if len(at):
                    found[(device, *name)] = Series(name[0], at, values)
        return found

    def begins(self) -> datetime | None:
        """Return the beginning of the first day (UTC) of which anything is stored, None where nothing is."""
        at_ms = catalog.begins_ms(self)
        return None if at_ms is None else time_of(at_ms)

    def names(self, start: datetime, end: datetime) -> Mapping[int, set[Name]]:
        """Return device → (metric, instance) of what may have values in [start, end]."""
        return catalog.layouts(self, ms_of(start), ms_of(end))

    def pieces(
        self, device: int, names: Sequence[Name], start_ms: int, end_ms: int, *, files: bool = True
    ) -> list[pieces.Piece]:
        """Return what is stored of some series, files first; `files` False: only what is in none yet."""
        hot_pieces: list[pieces.Piece] = []
        with self.reading() as hot:
            if hot is not None:
                where = (self.hot_path, device)
                blocks = hot.hours(device, start_ms, end_ms)
                hot_pieces += pieces.hour_pieces(blocks, names, hot.plan, where, self.told)
                entries = pieces.head_entries(hot, device, start_ms, end_ms)
                hot_pieces += pieces.head_pieces(entries, hot.plan, names, self.hot_path, self.told)
        if not files:
            return hot_pieces
        found: list[pieces.Piece] = []
        for day, file in self.shelves["raw"].between(start_ms // DAY_MS, end_ms // DAY_MS):
            with told_of(file.path, day * DAY_MS, self.told):
                found += pieces.day_pieces(file, day, device, names, self.told)
        return found + hot_pieces

    def bins(self, keys: Sequence[Key], start: datetime, end: datetime, step_s: int) -> Mapping[Key, Bins]:
        """Return bins of `step_s` (a multiple of 300) that lie in [start, end). Raises ValueError for another."""
        return ranges.bins(self, keys, ms_of(start), ms_of(end), step_s)

    def carried(
        self, keys: Sequence[Key], start: datetime, end: datetime
    ) -> "Iterator[tuple[Key, Array, Array, Array]]":
        """Yield of each counter the 5-minute bins that lie whole in [start, end): begins, totals, known ms."""
        return ranges.carried(self, keys, ms_of(start), ms_of(end))

    def percentiles(
        self, keys: Sequence[Key], share: float, start: datetime, end: datetime
    ) -> Mapping[Key, Percentile]:
        """Return the nearest-rank percentile of each counter's 5-minute means in [start, end)."""
        return ranges.percentiles(self, keys, share, ms_of(start), ms_of(end))

    def last(
        self, now: datetime, devices: Iterable[int] | None = None, max_age_s: int = 150
    ) -> Mapping[int, tuple[Poll, Poll | None]]:
        """Return device → its newest poll with values and the one before, none older than `max_age_s`."""
        return latest.last(self, ms_of(now), devices, max_age_s * 1000, None)

    def newest(
        self, now: datetime, devices: Iterable[int] | None = None, max_age_s: int = 150
    ) -> Mapping[int, list[Poll]]:
        """Return device → polls in which each series has its newest value and no other, the newest poll first."""
        return newest.newest(self, ms_of(now), devices, max_age_s * 1000)

    def top(
        self, metric: str, now: datetime, number: int = 20, max_age_s: int = 150
    ) -> list[tuple[Key, float]]:
        """Return the series of a counter with the highest rates now, per second; unsound increments have none."""
        age_ms = max_age_s * 1000
        pairs = latest.last(self, ms_of(now), None, age_ms, metric)
        torn = latest.torn(pairs)
        whole = latest.top({d: p for d, p in pairs.items() if d not in torn}, metric, number)
        begin = time_of(ms_of(now) - age_ms)
        series = self.read(latest.keys(pairs, torn, metric), begin, now) if torn else {}
        return sorted([*whole, *latest.rates(series, metric)], key=lambda f: -f[1])[:number]

    def asked(
        self, start: datetime, end: datetime, devices: Iterable[int] | None = None
    ) -> Mapping[int, list[Asked]]:
        """Return device → when it was asked in [start, end], by time."""
        return looks.asked(self, ms_of(start), ms_of(end), devices)

    def last_asked(
        self, start: datetime, end: datetime, devices: Iterable[int] | None = None
    ) -> Mapping[int, tuple[datetime, datetime | None]]:
        """Return device → when it was asked last in [start, end], and when it answered last; from runs, not looks."""
        return looks.last_asked(self, ms_of(start), ms_of(end), devices)

    def availability(
        self, start: datetime, end: datetime, hold_s: float, devices: Iterable[int] | None = None
    ) -> Mapping[int, Availability]:
        """Return how long each device that was asked answered and was silent in [start, end)."""
        return looks.availability(self, ms_of(start), ms_of(end), round(hold_s * 1000), devices)

    def runs(
        self, start: datetime, end: datetime, hold_s: float, devices: Iterable[int] | None = None
    ) -> "Array":
        """Return looks as runs that reach into [start, end): device, first, last, answered (0, 1), longest pause."""
        return looks.untangled(self, ms_of(start), ms_of(end), round(hold_s * 1000), devices)


def _by_device(keys: Sequence[Key]) -> dict[int, list[Name]]:
    found: dict[int, list[Name]] = {}
    for device, metric, instance in dict.fromkeys(keys):
        found.setdefault(device, []).append((metric, instance))
    return found


def _raised(damage: Damage) -> None:
    raise DamagedSamplesError((damage,))
