"""The monitoring service: one loop that asks everybody in turn, stores and judges what comes, and watches itself.

    turns ──▶ tiers ──▶ inflow ──samples──▶ StoreSink ──a commit a second──▶ tsdb/
                          └──news──▶ Judge ──a transaction a batch──▶ states, alerts, outbox ──▶ who is told
                                       └──asks──▶ turns: who is there, now

What blocks (SQLite, a channel of messages, compaction) is in threads and processes of its own, so that the loop turns.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import datetime

from sqlalchemy import Engine

from inventory.store import reading
from monitor import chores, sdnotify, snmp
from monitor.alarm_store import Recall, recall
from monitor.engine_book import FILE as BOOK
from monitor.engine_book import EngineBook
from monitor.icmp import Echo
from monitor.inflow import Inflow
from monitor.instance import keep_status
from monitor.known import Known, known_ports
from monitor.lateness import Lateness
from monitor.reaching import Reacher, recalled
from monitor.rereading import Rereading
from monitor.samples import OWN
from monitor.schedule import Line
from monitor.selfwatch import SelfWatch, own_polls
from monitor.service_listen import Listening
from monitor.sinks import Judge, StoreSink
from monitor.store import last_ports
from monitor.tier_rim import Setting
from monitor.tier_services import ServiceTier
from monitor.tiers import Tiers
from monitor.turns import Turns
from siaga.errors import AuthError
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
        self._engine, self._now, self._say = engine, now, say
        self._seconds = asyncio.get_running_loop().time
        self._line = Line(now().timestamp(), self._seconds())
        self._store = StoreSink(settings, say, self._seconds)
        self._judge = Judge(engine, settings, run_id, say, self._seconds)
        lateness = Lateness(self._at())
        self._watch = SelfWatch(lateness, self._store, self._judge, now())
        self._turns = Turns(settings, self._at, lateness, self._fault, self._watch.lag)
        self._inflow = Inflow(self._store, self._judge, self._turns, self._watch, self._at, now)
        self._reread = Rereading(settings, engine, now, say, load, self._watch.problems)
        self._reread.holders += [self._store, self._judge, self._turns]
        self._listening = Listening(engine, settings, self._turns.wish, say, self._watch.problems)
        self._ended = asyncio.Event()
        self._again = asyncio.Event()  # read everything again, now

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._reread.settings

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
        reacher = self._reacher = Reacher(echo, engines, self.settings, self._now, self._turns.reached)
        self._tiers = Tiers(self.settings, engines, reacher, self._inflow, self._now)
        services = ServiceTier(self.settings, self._inflow, self._now)
        self._turns.connect(self._tiers, services, reacher, self._inflow)
        self._reread.holders += [reacher, self._tiers, services]
        if self.settings.monitor.listen:
            self._inflow.events = self._listening
            self._watch.counts = lambda: self._listening.counts
            await self._listening.open(stack)

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
            self._scenes(),
            chores.every(_STATUS_S, self._tell_status),
            chores.every(_MINUTE_S, self._minute),
            *chores.loops(self._engine, lambda: self.settings, self._now, self._watch.problems, self._fault),
            chores.every(chores.COMPACT_S, self._listening.trim, _MINUTE_S),
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

    async def _drain(self) -> None:
        """Wait for what is being asked, within a bound; then store and judge what came."""
        await self._turns.drain(self.settings.monitor.drain_s)
        await self._inflow.finish()
        self._write_status(ended=True)
        self._say("ended")

    # --- settings, devices, rules -----------------------------------------------------------------------

    def _reload(self) -> None:
        sdnotify.reloading()
        self._reread.reload()
        self._again.set()

    async def _scenes(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.monitor.scene_s):
                    await self._again.wait()
            asked = self._again.is_set()
            self._again.clear()
            await self._refresh(whole=asked)
            if asked:
                self._ready()

    async def _refresh(self, *, first: bool = False, whole: bool = False) -> None:
        """Read devices, rules and windows again, and go by them from now on."""
        other = await self._reread.again(whole=whole)
        found = self._reread.read
        assert found is not None
        if first:
            before, self._tiers.known = await asyncio.to_thread(_recalled, self._engine)
            self._judge.recall = before
            self._reacher.trouble |= recalled(before.standings, found.roll.devices)
        self._judge.scene = found.scene
        self._tiers.setting = self._setting()
        if other:
            self._watch.periods = self._turns.enrol(found.roll)
            await asyncio.to_thread(self._listening.renew)

    def _setting(self) -> Setting:
        return self._reread.setting(self._judge.recall.standings if self._judge.recall else {})

    # --- commits, and what is told of itself ------------------------------------------------------------

    async def _commits(self) -> None:
        """Commit batch after batch until the end is wanted: none is cut off halfway."""
        while not self._ended.is_set():
            if await self._inflow.commit():
                self._tiers.setting = self._setting()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.monitor.batch_s):
                    await self._ended.wait()

    async def _minute(self) -> None:
        """Once a minute: what is an hour old is sealed, and siaga's own figures are stored."""
        await self._store.maintain(self._now())
        self._store.add(own_polls(self._watch.figures(self._at()), OWN, self._now()))
        self._store.add(self._listening.heard(self._now()))
        self._listening.keep()

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


def _recalled(engine: Engine) -> tuple[Recall, dict[int, Known]]:
    """Return what was believed, and which interfaces were known, when the last service ended."""
    with reading(engine) as opened:
        found = {device: known_ports(ports, guessed=True) for device, ports in last_ports(opened).items()}
        return recall(opened), {device: known for device, known in found.items() if known is not None}
