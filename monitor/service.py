"""The monitoring service: one loop that asks everybody in turn, stores and judges what comes, and watches itself.

    turns ──▶ tiers ──samples──▶ StoreSink ──a commit a second──▶ tsdb/
                │
                └──news──▶ Judge ──a transaction a batch──▶ states, alerts, outbox ──▶ who is told
                             └──asks──▶ turns: who is there, now

What blocks (SQLite, a channel of messages, compaction) is in threads and processes of its own, so that the loop turns.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from inventory.store import reading
from monitor import chores, sdnotify, snmp
from monitor.alarm_store import Recall, recall
from monitor.alarms import News
from monitor.engine_book import FILE as BOOK
from monitor.engine_book import EngineBook
from monitor.icmp import Echo
from monitor.instance import keep_status
from monitor.known import Known, known_ports
from monitor.lateness import Lateness
from monitor.observation import Observation
from monitor.reaching import Reached, Reacher
from monitor.rules.subjects import Subject
from monitor.samples import OWN, Poll
from monitor.schedule import Line
from monitor.selfwatch import SelfWatch
from monitor.sinks import Judge, StoreSink
from monitor.state import Probe
from monitor.store import last_ports
from monitor.surroundings import Read, read_all
from monitor.tiers import Setting, Tiers, own_polls
from monitor.turns import Turns
from siaga.errors import AuthError, SiagaError
from siaga.settings import Settings
from siaga.text import safe

_STATUS_S = 5.0
_MINUTE_S = 60.0


class Service:
    """All of it. `run` returns after SIGTERM or SIGINT, with what was asked stored and judged.

    Made in the loop that runs it. Of time it knows `now`, which may step, and the loop's own clock, which only grows.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        *,
        run_id: int | None,
        now: Callable[[], datetime],
        say: Callable[[str], None],
        load: Callable[[], Settings],
    ) -> None:
        self.settings = settings
        self._engine, self._now, self._say, self._load = engine, now, say, load
        self._seconds = asyncio.get_running_loop().time
        self._line = Line(now().timestamp(), self._seconds())
        self._store = StoreSink(settings, say, self._seconds)
        self._judge = Judge(engine, settings, run_id, say, self._seconds)
        lateness = Lateness(self._at())
        self._watch = SelfWatch(lateness, self._store, self._judge, now())
        self._turns = Turns(settings, self._at, lateness, self._fault, self._watch.lag)
        self._read: Read | None = None
        self._services: dict[str, Subject] = {}
        self._ended = asyncio.Event()
        self._again = asyncio.Event()  # read everything again, now

    def _at(self) -> float:
        return self._line.at(self._seconds())

    def _fault(self, error: Exception) -> None:
        self._watch.faults += 1
        self._say(f"a fault of siaga: {type(error).__name__}: {safe(error, 200)}")

    # --- begin and end ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask until a signal comes. Raises TemporaryError (`samples-busy`) if somebody else writes samples."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        await self._store.open()
        try:
            async with AsyncExitStack() as stack:
                await self._open(stack)
                await self._refresh(first=True)
                self._ready()
                self._say(self._watching())
                await self._work(loop)
                sdnotify.tell("STOPPING=1")
                await self._drain()
        finally:
            await self._store.close()

    def _watching(self) -> str:
        roll = self._turns.roll
        return f"watching {len(roll.devices)} devices, {len(roll.services)} services"

    def _ready(self) -> None:
        sdnotify.tell("READY=1", f"STATUS={self._watching()}")

    def end(self) -> None:
        """Begin the end, as a signal does: nothing more is asked."""
        if self._ended.is_set():  # asked twice: nobody wants to wait
            self._turns.cut_off()
        self._ended.set()

    async def _open(self, stack: AsyncExitStack) -> None:
        engines = snmp.Engines(self.settings.poll, EngineBook(self.settings.home / BOOK))
        await stack.enter_async_context(engines.lean)
        echo = await self._echo(stack)
        self._reacher = Reacher(echo, engines, self.settings, self._now, self._reached)
        self._tiers = Tiers(self.settings, engines, self._reacher, self, self._now)
        self._turns.connect(self._tiers, self._reacher, self)
        if self.settings.monitor.listen:
            from monitor.service_listen import listening

            wish = self._turns.wish
            self._watch.counts = await listening(
                stack, self._engine, self.settings, wish, self._say, self._watch
            )

    async def _echo(self, stack: AsyncExitStack) -> Echo | None:
        if not self.settings.monitor.ping:
            return None
        echo = await stack.enter_async_context(Echo())
        try:
            echo.may()
        except AuthError as error:
            self._watch.problems["ping"] = error.sentence
            self._say(error.sentence)
            return None
        return echo

    async def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the loops turn until the end is wanted; if one fails the service ends, and systemd starts it anew."""
        works = [
            self._turns.run(),
            self._every(lambda: _STATUS_S, self._tell_status),
            self._every(lambda: _MINUTE_S, self._minute),
            self._scenes(),
            self._every(lambda: chores.OUTBOX_S, self._tell),
            self._every(lambda: 1.0, self._buttons),
            self._every(lambda: chores.COMPACT_S, self._compact, first_s=_MINUTE_S),
        ]
        tasks = [loop.create_task(w) for w in works]
        commits = loop.create_task(self._commits())
        await asyncio.wait([*tasks, commits], return_when=asyncio.FIRST_COMPLETED)
        self._ended.set()
        failed = [e for t in tasks if t.done() and not t.cancelled() and (e := t.exception())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await commits
        for error in failed:
            raise error

    async def _every(
        self, gap_s: Callable[[], float], work: Callable[[], Awaitable[None]], first_s: float = 0.0
    ) -> None:
        """Do some work again and again, each time after a gap."""
        await asyncio.sleep(first_s)
        while True:
            await work()
            await asyncio.sleep(gap_s())

    async def _drain(self) -> None:
        """Wait for what is being asked, within a bound; then store and judge what came."""
        await self._turns.drain(self.settings.monitor.drain_s)
        await self._store.flush()
        await self._judge.batch((), self._now())
        self._write_status(ended=True)
        self._say("ended")

    # --- settings, devices, rules -----------------------------------------------------------------------

    def _reload(self) -> None:
        sdnotify.reloading()
        try:
            self._adopt(self._load())
        except SiagaError as error:
            self._watch.problems["settings"] = " ".join([error.sentence, *error.problems])
            self._say(f"the settings before are kept: {self._watch.problems['settings']}")
        self._again.set()

    def _adopt(self, new: Settings) -> None:
        self._watch.problems.pop("settings", None)
        old = self.settings
        if (new.home, new.database) != (old.home, old.database):
            self._watch.problems["settings"] = "home and database_url change with a restart only"
            new = new.model_copy(update={"home": old.home, "database_url": old.database_url})
        self.settings = self._store.settings = self._judge.settings = new
        self._reacher.settings = self._tiers.settings = self._turns.settings = new
        self._say("the settings were read again")

    async def _scenes(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.monitor.scene_s):
                    await self._again.wait()
            asked = self._again.is_set()
            self._again.clear()
            await self._refresh(first=False, whole=asked)
            if asked:
                self._ready()

    async def _refresh(self, *, first: bool, whole: bool = False) -> None:
        """Read devices, rules and windows again; what cannot be read now stays as it was."""
        work = partial(read_all, self._engine, self.settings, self._now(), self._read, whole=whole)
        try:
            found = await asyncio.to_thread(work)
            if first:
                self._judge.recall, self._tiers.known = await asyncio.to_thread(_recalled, self._engine)
        except SiagaError as error:
            if first:
                raise
            self._watch.problems["inventory"] = error.sentence
            self._say(f"devices and rules stay as they were: {error.sentence}")
            return
        self._watch.problems.pop("inventory", None)
        self._tell_scene(" ".join((*found.scene.problems, *found.roll.problems)))
        self._read, self._judge.scene, other = found, found.scene, whole or found.mark != self._mark()
        self._tiers.setting = self._setting()
        if other:
            self._watch.periods = self._turns.enrol(found.roll)

    def _mark(self) -> object:
        return self._read.mark if self._read else None

    def _tell_scene(self, problems: str) -> None:
        if problems and problems != self._watch.problems.get("scene"):
            self._say(problems)
        self._watch.problems["scene"] = problems

    def _setting(self) -> Setting:
        assert self._read is not None
        standings = self._judge.recall.standings if self._judge.recall else {}
        silent = frozenset(d for d, s in standings.items() if s.silent)
        return Setting(self._read.committed, self._read.links(standings), silent)

    # --- what the tiers bring (tiers.Sink) --------------------------------------------------------------

    def store(self, polls: list[Poll]) -> None:
        """Take samples."""
        self._store.add(polls)

    def hear(self, device: int, news: News, whole: Observation | None = None) -> None:
        """Take news of a device."""
        self._judge.hear(device, news, whole)

    def served(self, subject: Subject) -> None:
        """Take what a check of a service brought."""
        self._services[subject.name] = subject

    def doubt(self, device: int) -> None:
        """A device did not answer: who is there is looked at now."""
        self._turns.ask(Probe(device, "it was silent"))

    def changed(self, device: int) -> None:
        """Interfaces have come or gone: they are read anew, now."""
        self._turns.read_now(device)

    def _reached(self, found: Reached) -> None:
        self._turns.reached(found)

    # --- commits and chores -----------------------------------------------------------------------------

    async def _commits(self) -> None:
        """Commit batch after batch until the end is wanted: none is cut off halfway."""
        while not self._ended.is_set():
            await self._commit()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.monitor.batch_s):
                    await self._ended.wait()

    async def _commit(self) -> None:
        """Samples first: what is judged is on the disk."""
        await self._store.flush()
        own = (self._watch.subject(self._at()), *self._services.values())
        if not (len(self._judge) or self._services or self._watch.time_to_judge(self._at())):
            return
        self._services = {}
        taken = await self._judge.batch(own, self._now())
        if taken is None:
            self._services = {s.name: s for s in own[1:]} | self._services
            return
        for probe in taken.asks:
            self._turns.ask(probe)
        self._tiers.setting = self._setting()

    async def _minute(self) -> None:
        """Once a minute: what is an hour old is sealed, and siaga's own figures are stored."""
        await self._store.maintain(self._now())
        self._store.add(own_polls(self._watch.figures(self._at()), OWN, self._now()))

    async def _tell_status(self) -> None:
        self._write_status()
        if sdnotify.watchdog_s():
            sdnotify.tell("WATCHDOG=1")

    def _write_status(self, *, ended: bool = False) -> None:
        names = {d.id: d.target.name for d in self._turns.roll.devices.values()}
        status = self._watch.status(self._at(), self._now(), os.getpid(), names, ended=ended)
        try:
            keep_status(self.settings.home, status)
        except OSError as error:
            self._watch.problems["status"] = f"its status cannot be written: {error.strerror}"

    async def _tell(self) -> None:
        self._watch.problems["notify"] = await chores.told(self._engine, self.settings, self._now)

    async def _buttons(self) -> None:
        self._watch.problems["buttons"] = await chores.buttons(self._engine, self.settings)

    async def _compact(self) -> None:
        self._watch.problems["compact"] = await chores.compacted(self.settings)


def _recalled(engine: Engine) -> tuple[Recall, dict[int, Known]]:
    """Return what was believed, and which interfaces were known, when the last service ended."""
    with reading(engine) as opened:
        found = {device: known_ports(ports, guessed=True) for device, ports in last_ports(opened).items()}
        return recall(opened), {device: known for device, known in found.items() if known is not None}
