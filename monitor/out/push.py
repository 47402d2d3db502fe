"""One pass of remote write: what arrived since the last one goes out, batch after batch; the store is the queue.

One request is under way at a time, and nothing waits in memory but its batch. The cursor moves at 2xx only. What is
refused (400) is cut in halves until the series that is wrong stands alone; it is left out and named.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import select

from inventory.credentials import OpenCredential, opened
from inventory.models import Credential
from inventory.select import selected
from inventory.store import reading
from monitor.notify.backoff import wait_s
from monitor.out import cursor as cursors
from monitor.out.book import Book, open_book
from monitor.out.cursor import Cursor
from monitor.out.facts import facts
from monitor.out.message import Series, body, halves
from monitor.out.now import freshness, health
from monitor.out.pack import Packer, batches, of_points
from monitor.out.send import Later, Refused, Wire
from monitor.samples import SampleStore, ms_of, open_samples
from monitor.tsdb import arrivals
from monitor.tsdb.faults import Damage
from siaga.errors import NotFoundError, SiagaError
from siaga.lock import held
from siaga.secrets import open_vault
from siaga.settings import RemoteWrite, Settings

_NAMED = 20  # series that were left out, in a report
_CUTS = 200  # requests spent on finding what is wrong in one step


@dataclass(frozen=True)
class Left:
    """Series that the other side refused for good: how many samples, and which, with its reason."""

    samples: int
    what: str
    why: str


@dataclass(frozen=True)
class Pushed:
    """What one pass came to. `error`: why it ended early; `rests_s`: for how long nothing is tried."""

    name: str
    samples: int = 0
    facts: int = 0
    left: tuple[Left, ...] = ()
    damage: tuple[Damage, ...] = ()
    error: str = ""
    rests_s: float = 0.0

    @property
    def dropped(self) -> int:
        """Samples that were left out."""
        return sum(one.samples for one in self.left)


class _LaterError(Exception):
    """The pass ends here."""

    def __init__(self, later: Later) -> None:
        super().__init__(later.why)
        self.later = later


def push_all(
    engine: Engine,
    settings: Settings,
    chosen: Sequence[RemoteWrite],
    now: Callable[[], datetime],
    *,
    since: datetime | None = None,
    at_once: bool = False,
) -> list[Pushed]:
    """Push to each of several destinations; what is wrong with one does not hold up the others. See `push`."""
    found = []
    for to in chosen:
        try:
            found.append(push(engine, settings, to, now, since=since, at_once=at_once))
        except SiagaError as error:
            if len(chosen) == 1:
                raise
            found.append(Pushed(to.name, error=error.sentence))
    return found


def push(
    engine: Engine,
    settings: Settings,
    to: RemoteWrite,
    now: Callable[[], datetime],
    *,
    since: datetime | None = None,
    at_once: bool = False,
) -> Pushed:
    """Send one destination all that arrived since the last pass, then what is held for true now.

    A destination that is new begins with what arrives from now on; `since` begins (again) earlier. `at_once` does not
    wait for the end of a rest after failures. Raises TemporaryError (`push-running`) when another process sends to it.
    """
    path = cursors.place(settings.home, to.name)
    with (
        held(
            path.with_suffix(".lock"),
            "push-running",
            f"Another process (pid {{pid}}) sends to {to.name}: wait for its end.",
        ),
        open_samples(settings.home) as store,
    ):
        damage: list[Damage] = []
        store.told = damage.append
        start = now()
        standing = cursors.read(path)
        if standing is None or since is not None:
            mark = arrivals.end(store, ms_of(since or start), behind=since is not None)
            standing = replace(
                standing or cursors.begun(mark, _clock_s()), trail=cursors.begun(mark, _clock_s()).trail
            )
            cursors.write(path, standing)
        rests_s = standing.rests_until - start.timestamp()
        if 0 < rests_s < 2 * 3600 and not at_once:
            return Pushed(to.name, error=standing.error, rests_s=rests_s)
        with reading(engine) as session:
            ids = selected(session, "device", to.when) if to.when else None
            book = open_book(session, ids, to.labels)
            credential = _credential(engine, settings, to)
        with Wire(to, credential) as wire:
            one = _Pass(to, wire, path, standing, now)
            steps = arrivals.steps(store, cursors.begins(standing, to.again_s), ms_of(start))
            said = one.run(Packer(book), steps, lambda: _facts(engine, settings, store, book, now()))
    return replace(said, damage=tuple(damage))


def _credential(engine: Engine, settings: Settings, to: RemoteWrite) -> OpenCredential | None:
    if not to.credential:
        return None
    with reading(engine) as session:
        row = session.exec(select(Credential).where(Credential.name == to.credential)).first()
        if row is None or row.id is None:
            sentence = (
                f"The destination '{to.name}' names the credential '{to.credential}', and there is none."
            )
            raise NotFoundError("no-such-credential", sentence)
        return opened(session, open_vault(settings.home), row.id)


def _facts(engine: Engine, settings: Settings, store: SampleStore, book: Book, now: datetime) -> list[Series]:
    """Return states, alerts, contracts and siaga's own health as they are now."""
    age = timedelta(seconds=max(300, 5 * settings.poll.interval_s))
    with reading(engine) as session:
        found = [*facts(session, book, now, age), *health(session, settings, book)]
    newest = store.last(now, book.devices, int(age.total_seconds())).values()
    found += freshness(book, [new for new, _ in newest])
    return list(of_points(found, ms_of(now)))


def _clock_s() -> float:
    """Return seconds since the machine started, the same for all processes, and stepped by nobody."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class _Pass:
    """One pass over one destination."""

    def __init__(
        self, to: RemoteWrite, wire: Wire, path: Path, standing: Cursor, now: Callable[[], datetime]
    ) -> None:
        self._to, self._wire, self._path, self._now = to, wire, path, now
        self._standing = standing
        self._samples = 0
        self._left: list[Left] = []

    def run(
        self, packer: Packer, steps: Iterator[arrivals.Step], facts_now: Callable[[], Sequence[Series]]
    ) -> Pushed:
        told = 0
        try:
            for step in steps:
                sent, left = self._sent(packer.series(step.parts))
                self._moved(step.mark, sent, left)
            told, left = self._sent(facts_now())
            self._left += left
        except _LaterError as error:
            return self._failed(error.later)
        return Pushed(self._to.name, self._samples, told, tuple(self._left[:_NAMED]))

    def _sent(self, series: Iterable[Series]) -> tuple[int, list[Left]]:
        """Send series in batches; return how many samples were taken, and what was left out."""
        taken, left = 0, []
        waiting: list[list[Series]] = []
        cuts = _CUTS
        for batch in batches(series, self._to.batch_samples):
            waiting.append(batch)
            while waiting:
                some = waiting.pop()
                count = sum(s.count for s in some)
                result = self._wire.send(body(some))
                if isinstance(result, Later):
                    raise _LaterError(result)
                if not isinstance(result, Refused):
                    taken += count
                    continue
                parts = halves(some) if cuts > 0 else None
                if parts:
                    cuts -= 1
                    waiting += reversed(parts)
                else:
                    more = f" and {len(some) - 1} more" if len(some) > 1 else ""
                    left.append(Left(count, f"{some[0]}{more}", result.why))
        return taken, left

    def _moved(self, mark: arrivals.Mark, sent: int, left: Sequence[Left]) -> None:
        self._samples += sent
        self._left += left
        moved = cursors.taken(self._standing, mark, _clock_s(), self._to.rewind_s, sent=sent, now=self._now())
        self._standing = replace(moved, dropped=moved.dropped + sum(one.samples for one in left))
        cursors.write(self._path, self._standing)

    def _failed(self, later: Later) -> Pushed:
        rests_s = wait_s(self._standing.failures + 1, random.random(), later.after_s)  # noqa: S311 - jitter
        until = self._now().timestamp() + rests_s
        self._standing = cursors.failed(
            self._standing, later.why, until, self._to.rewind_s, rewind=not later.lives
        )
        cursors.write(self._path, self._standing)
        left = tuple(self._left[:_NAMED])
        return Pushed(self._to.name, self._samples, 0, left, error=later.why, rests_s=rests_s)
