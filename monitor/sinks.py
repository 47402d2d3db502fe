"""Where what came goes: samples into the store by one thread that holds it, news into states and alerts by another.

Neither ever holds up who asks. What cannot be written now (disk full, locked by another process) is kept and tried
again with what came since, within a bound; what did not fit any more is counted.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine

from inventory.history import Author
from inventory.host_keys import note_first_uses
from inventory.store import session
from monitor import store
from monitor.alarm_store import Recall
from monitor.alarms import News, Taken, take
from monitor.login_alarms import judge as judge_keys
from monitor.observation import Observation
from monitor.propose import held_apart
from monitor.rules.subjects import Subject
from monitor.samples import Poll, open_samples
from monitor.scene import Scene
from siaga.errors import SiagaError, TemporaryError
from siaga.settings import Settings
from siaga.text import safe

_MOST_POLLS = 200_000  # half an hour of 5,000 devices
_MOST_HEARD = 8  # of one device, in one batch
Say = Callable[[str], None]
Seconds = Callable[[], float]  # a clock that only grows: that of the loop


class StoreSink:
    """The sample store, held as its one writer from `open` to `close`. What `flush` has written is on the disk."""

    def __init__(self, settings: Settings, say: Say, seconds: Seconds) -> None:
        self.settings = settings
        self.lost = self.written = 0
        self.took_s = 0.0
        self.problem = self._upkeep = ""
        self._say, self._seconds = say, seconds
        self._waiting: deque[Poll] = deque()
        self._since_s: float | None = None
        self._thread = ThreadPoolExecutor(1, "samples")
        self._held = ExitStack()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def behind_s(self) -> float:
        """For how long something has been waiting to be written."""
        return self._seconds() - self._since_s if self._since_s is not None else 0.0

    async def _run(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def open(self) -> None:
        """Become the writer; raises TemporaryError (`samples-busy`)."""

        def begin() -> None:
            self._store = self._held.enter_context(open_samples(self.settings.home))
            self._held.enter_context(self._store.writer())

        await self._run(begin)

    async def close(self) -> None:
        """Let the next writer in."""
        await self._run(self._held.close)
        self._thread.shutdown()

    def add(self, polls: Sequence[Poll]) -> None:
        """Take polls to be written with the next flush."""
        if polls and self._since_s is None:
            self._since_s = self._seconds()
        self._waiting.extend(polls)
        while len(self._waiting) > _MOST_POLLS:
            self._waiting.popleft()
            self.lost += 1

    async def flush(self) -> bool:
        """Write what waits, in one commit; tell whether that went well. What did not is kept."""
        if not self._waiting:
            return True
        batch, self._waiting = list(self._waiting), deque()
        began, self._since_s = self._since_s, None
        started = time.monotonic()
        try:
            await self._run(partial(self._store.write, batch))
        except ValueError as error:  # a poll that no store would take
            await self._one_by_one(batch, error)
        except SiagaError as error:
            self._waiting.extendleft(reversed(batch))
            self._since_s = began
            self._told(error.sentence)
            return False
        self._told("")
        self.written += len(batch)
        self.took_s = time.monotonic() - started
        return True

    async def _one_by_one(self, batch: Sequence[Poll], error: ValueError) -> None:
        self._say(f"a sample has no place in the store: {safe(error, 200)}")
        for poll in batch:
            try:
                await self._run(partial(self._store.write, [poll]))
            except (ValueError, SiagaError):
                self.lost += 1

    def _told(self, problem: str) -> None:
        if problem != self.problem:
            self._say(f"samples wait: {problem}" if problem else "samples are written again")
        self.problem = problem

    async def maintain(self, now: datetime) -> None:
        """Seal what is an hour old. Compaction is another process's."""
        keep = self.settings.samples.kept_days
        problem = ""
        try:
            await self._run(lambda: self._store.maintain(now, keep, compacting=False))
        except SiagaError as error:
            problem = error.sentence
        if problem and problem not in (self._upkeep, self.problem):
            self._say(f"the store's housekeeping: {problem}")
        self._upkeep = problem


def joined(old: News | None, new: News) -> News:
    """Return the news of one device in one batch: what came later stands first where both speak of the same."""
    if old is None:
        return new
    parts = {(s.kind, s.name, frozenset(s.values)): s for s in (*old.subjects, *new.subjects)}
    newest_first = tuple(reversed(parts.values()))
    heard = (*old.heard, *new.heard)[-_MOST_HEARD:]
    return News(heard, newest_first, old.whole or new.whole, new.seen or old.seen)


class Judge:
    """States and alerts: a batch is one transaction, and what it rests on is remembered only once it is committed."""

    def __init__(
        self, engine: Engine, settings: Settings, run_id: int | None, say: Say, seconds: Seconds
    ) -> None:
        self.settings = settings
        self.scene: Scene | None = None
        self.recall: Recall | None = None
        self.took_s = 0.0
        self.judged = self.faults = 0
        self.problem = ""
        self._engine, self._run_id, self._say, self._seconds = engine, run_id, say, seconds
        self._news: dict[int, News] = {}
        self._whole: dict[int, Observation] = {}
        self._keys: dict[str, str] = {}
        self._since_s: float | None = None

    def __len__(self) -> int:
        return len(self._news) or len(self._keys)

    @property
    def behind_s(self) -> float:
        """For how long something has been waiting to be judged."""
        return self._seconds() - self._since_s if self._since_s is not None else 0.0

    def hear(self, device: int, news: News, whole: Observation | None = None) -> None:
        """Take news to be judged with the next batch; `whole`: a reading that tells who the device is."""
        self._since_s = self._since_s or self._seconds()
        self._news[device] = joined(self._news.get(device), news)
        if whole is not None:
            self._whole[device] = whole

    def knocked(self, device: str, host_key: str) -> None:
        """Take how the host key of a device was, to be judged with the next batch."""
        self._keys[device] = host_key

    async def batch(self, own: Sequence[Subject], now: datetime) -> Taken | None:
        """Judge what waits; None if that was not possible now, or there was nothing."""
        if self.scene is None or not (self._news or self._keys or own):
            return None
        news, whole, keys, began = self._news, self._whole, self._keys, self._since_s
        self._news, self._whole, self._keys, self._since_s = {}, {}, {}, None
        started = time.monotonic()
        try:
            taken = await asyncio.to_thread(self._take, self.scene, news, whole, keys, own, now)
        except TemporaryError as error:
            self._put_back(news, whole, began)
            self._keys = {**keys, **self._keys}
            self._told(error.sentence)
            return None
        except Exception as error:  # noqa: BLE001 - the rim: a batch that cannot be judged must not end the service
            self.faults += 1
            self.recall = None  # it is read anew: somebody else may have written
            self._told(f"a batch was not judged ({type(error).__name__}: {safe(error, 200)})")
            return None
        self._told("")
        self.recall = taken.recall
        self.judged += len(news)
        self.took_s = time.monotonic() - started
        return taken

    def _put_back(
        self, news: Mapping[int, News], whole: Mapping[int, Observation], began: float | None
    ) -> None:
        for device, old in news.items():
            new = self._news.get(device)
            self._news[device] = joined(old, new) if new else old
        self._whole = {**whole, **self._whole}
        self._since_s = began

    def _told(self, problem: str) -> None:
        if problem != self.problem:
            self._say(f"judging: {problem}" if problem else "judging goes on")
        self.problem = problem

    def _take(
        self,
        scene: Scene,
        news: Mapping[int, News],
        whole: Mapping[int, Observation],
        keys: Mapping[str, str],
        own: Sequence[Subject],
        now: datetime,
    ) -> Taken:
        whole = {d: o for d, o in whole.items() if d in scene.book.names}
        cause = f"monitor {self._run_id or ''}".strip()
        with session(self._engine) as writing:
            if whole:
                # A box that answers in another's place is asked about; the row keeps what its own box said.
                kept, _ = held_apart(writing, Author("siaga", now, cause=cause), whole)
                store.keep_identity(writing, kept, cause=cause)
                store.keep_interfaces(writing, kept)
            taken = take(writing, scene, news, now, own=own, run_id=self._run_id, recall=self.recall)
            judge_keys(writing, self.settings, keys, now, run_id=self._run_id, scene=scene)
            if keys:
                note_first_uses(writing, self.settings.home, who="siaga", now=now, cause=cause)
            return taken
