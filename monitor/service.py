"""The monitoring service: one loop that asks everybody in turn, stores and judges what comes, and watches itself.

    agenda ──turns──▶ tiers ──samples──▶ StoreSink ──a commit a second──▶ tsdb/
                        │                                       (docs/monitor.md)
                        └──news──▶ Judge ──a transaction a batch──▶ states, alerts, outbox ──▶ worker
                                     └──asks──▶ who is there, now

What blocks (SQLite, a channel of messages, compaction) is in threads and processes of its own, so that the loop turns.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from inventory.store import reading
from monitor import sdnotify, snmp
from monitor.alarm_store import Recall, recall
from monitor.alarms import News
from monitor.engine_book import FILE as BOOK
from monitor.engine_book import EngineBook
from monitor.icmp import Echo
from monitor.instance import keep_status
from monitor.lateness import Lateness
from monitor.observation import Observation
from monitor.reaching import Reached, Reacher
from monitor.rules.subjects import Subject
from monitor.samples import OWN, Poll
from monitor.schedule import Agenda, Beat, Key, Line, Turn
from monitor.selfwatch import SelfWatch
from monitor.sinks import Judge, StoreSink
from monitor.snmp_lean import share
from monitor.state import Probe
from monitor.surroundings import Read, read_all
from monitor.tiers import Setting, Tiers, own_polls
from monitor.topology import UPLINK
from monitor.watched import Roll, Watched
from siaga.errors import AuthError, SiagaError
from siaga.settings import Settings
from siaga.text import safe

_LONGEST_WAIT_S = 0.25
_STATUS_S = 5.0
_MINUTE_S = 60.0
_COMPACT_S = 3600.0
_OUTBOX_S = 5.0
_BUTTONS_S = 8
_WISH_GAP_S = 10.0
TIERS = ("reachability", "counters", "health", "metadata", "services", "uplink")


class Service:
    """All of it. `run` returns after SIGTERM or SIGINT, with what was asked stored and judged."""

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
        self._line = Line(now().timestamp(), time.monotonic())
        self._store = StoreSink(settings, say)
        self._judge = Judge(engine, settings, run_id, say)
        self._agenda = Agenda()
        self._roll = Roll({}, {})
        self._read: Read | None = None
        self._lateness = Lateness(self._at())
        self._watch = SelfWatch(self._lateness, self._store, self._judge, now())
        self._services: dict[str, Subject] = {}
        self._asked: dict[int, asyncio.TimerHandle] = {}
        self._wished: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._again = asyncio.Event()  # read everything again, now

    def _at(self) -> float:
        return self._line.at(time.monotonic())

    # --- begin and end ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask until a signal comes. Raises TemporaryError (`samples-busy`) if somebody else writes samples."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        await self._store.open()
        try:
            async with AsyncExitStack() as stack:
                await self._open(stack)
                await self._refresh(first=True)
                sdnotify.tell("READY=1", f"STATUS=Watching {len(self._roll.devices)} devices.")
                self._say(f"watching {len(self._roll.devices)} devices, {len(self._roll.services)} services")
                await self._turn(loop)
                sdnotify.tell("STOPPING=1")
                await self._drain()
        finally:
            await self._store.close()

    def _end(self) -> None:
        if self._ended.is_set():  # asked twice: nobody wants to wait
            for task in self._tasks:
                task.cancel()
        self._ended.set()

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
        if (new.home, new.database) != (self.settings.home, self.settings.database):
            self._watch.problems["settings"] = "home and database_url change with a restart only"
            new = new.model_copy(
                update={"home": self.settings.home, "database_url": self.settings.database_url}
            )
        self.settings = new
        for part in (self._store, self._judge, self._reacher, self._tiers):
            part.settings = new
        self._say("the settings were read again")

    async def _open(self, stack: AsyncExitStack) -> None:
        engines = snmp.Engines(self.settings.poll, EngineBook(self.settings.home / BOOK))
        await stack.enter_async_context(engines.lean)
        echo = await self._echo(stack)
        self._reacher = Reacher(echo, engines, self.settings, self._now, self._reached)
        self._tiers = Tiers(self.settings, engines, self._reacher, self, self._now)
        if self.settings.monitor.listen:
            from monitor.service_listen import listening

            self._watch.counts = await listening(
                stack, self._engine, self.settings, self._wish, self._say, self._watch
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

    async def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the loops turn until the end is wanted; one that fails ends the service, and systemd starts it anew."""
        works = [
            self._turns(),
            self._every(lambda: self.settings.monitor.batch_s, self._commit),
            self._every(lambda: _STATUS_S, self._tell_status),
            self._every(lambda: _MINUTE_S, self._minute),
            self._scenes(),
            self._every(lambda: _OUTBOX_S, self._outbox),
            self._every(lambda: 1.0, self._buttons),
            self._every(lambda: _COMPACT_S, self._compact, first_s=_MINUTE_S),
        ]
        tasks = [loop.create_task(w) for w in works]
        ended = loop.create_task(self._ended.wait())
        await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
        failed = [t for t in tasks if t.done() and not t.cancelled() and t.exception()]
        for task in (*tasks, ended):
            task.cancel()
        await asyncio.gather(*tasks, ended, return_exceptions=True)
        for task in failed:
            raise task.exception() or RuntimeError

    async def _drain(self) -> None:
        """Wait for what is being asked, within a bound; then store and judge what came."""
        for handle in self._asked.values():
            handle.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.settings.monitor.drain_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.flush()
        await self._judge.batch((), self._now())
        self._write_status(ended=True)
        self._say("ended")

    async def _every(
        self, gap_s: Callable[[], float], work: Callable[[], Awaitable[None]], first_s: float = 0.0
    ) -> None:
        """Do some work again and again, each time after a gap."""
        await asyncio.sleep(first_s)
        while True:
            await work()
            await asyncio.sleep(gap_s())

    # --- who is watched, and in which scene -------------------------------------------------------------

    async def _scenes(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.monitor.scene_s):
                    await self._again.wait()
            asked = self._again.is_set()
            self._again.clear()
            await self._refresh(first=False)
            if asked:
                sdnotify.tell("READY=1", f"STATUS=Watching {len(self._roll.devices)} devices.")

    async def _refresh(self, *, first: bool) -> None:
        """Read devices, rules and windows again; what cannot be read now stays as it was."""
        work = partial(read_all, self._engine, self.settings, self._now(), self._read)
        try:
            self._read = await asyncio.to_thread(work)
            if first:
                self._judge.recall = await asyncio.to_thread(partial(_recalled, self._engine))
        except SiagaError as error:
            if first:
                raise
            self._watch.problems["inventory"] = error.sentence
            self._say(f"devices and rules stay as they were: {error.sentence}")
            return
        self._watch.problems.pop("inventory", None)
        said = " ".join((*self._read.scene.problems, *self._read.roll.problems))
        if said and said != self._watch.problems.get("scene"):
            self._say(said)
        self._watch.problems["scene"] = said
        self._judge.scene = self._read.scene
        self._tiers.setting = self._setting()
        self._enrol(self._read.roll)

    def _setting(self) -> Setting:
        assert self._read is not None
        standings = self._judge.recall.standings if self._judge.recall else {}
        silent = frozenset(d for d, s in standings.items() if s.silent)
        return Setting(self._read.committed, self._read.links(standings), silent)

    def _enrol(self, roll: Roll) -> None:
        if roll is self._roll and len(self._agenda):
            return
        for gone in self._roll.devices.keys() - roll.devices.keys():
            self._tiers.forget(gone)
        self._roll = roll
        beats = dict(_beats(roll, self.settings, uplink=bool(self.settings.alarms.uplink)))
        self._agenda.replace(beats, self._at())
        self._watch.periods = {key: beat.period_s for key, beat in beats.items()}

    # --- turns ------------------------------------------------------------------------------------------

    async def _turns(self) -> None:
        while True:
            now_s = self._at()
            due = self._agenda.take(now_s)
            if due:
                self._begin(due)
            upcoming = self._agenda.next_s()
            wait_s = (
                _LONGEST_WAIT_S if upcoming is None else min(_LONGEST_WAIT_S, max(0.02, upcoming - now_s))
            )
            await asyncio.sleep(wait_s)
            self._watch.lag(self._at() - now_s - wait_s)

    def _begin(self, turns: Iterable[Turn]) -> None:
        looks = []
        for turn in turns:
            key = turn.key
            tier, number = key
            self._lateness.missed[tier] += turn.missed + (not turn.run)
            if not turn.run:
                continue
            if self._lateness.is_open(key):
                self._lateness.skipped[tier] += 1
                continue
            self._lateness.due(key, turn.due_s)
            if tier == "reachability":
                looks.append(self._roll.devices[number])
            else:
                self._start(key)
        if looks:
            self._spawn(self._look(looks))

    def _start(self, key: Key) -> None:
        tier, number = key
        began = partial(self._began, key)
        if tier == "uplink":
            self._spawn(self._ended_with(key, self._uplink(began)))
        elif tier == "services":
            self._spawn(
                self._ended_with(key, self._tiers.service(number, self._roll.services[number], began))
            )
        elif tier == "counters":
            self._spawn(self._ended_with(key, self._tiers.counters(self._roll.devices[number], began)))
        else:
            full = tier == "metadata"
            work = self._tiers.reading(self._roll.devices[number], began, full=full)
            self._spawn(self._ended_with(key, work))

    def _began(self, key: Key) -> None:
        self._lateness.begin(key, self._at())

    async def _ended_with(self, key: Key, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the rim of the loop: one odd device must not end the others' turns
            self._fault(error)
        finally:
            self._lateness.end(key, self._at())

    def _spawn(self, work: Awaitable[None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - the rim again, for what has no turn
                self._fault(error)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _fault(self, error: Exception) -> None:
        self._watch.faults += 1
        self._say(f"a fault of siaga: {type(error).__name__}: {safe(error, 200)}")

    async def _look(self, devices: list[Watched]) -> None:
        """Look who of these is there; each one's turn ends when that is known."""
        now_s = self._at()
        for device in devices:
            self._lateness.begin(("reachability", device.id), now_s)
        try:
            await self._reacher.look(devices)
        finally:
            for device in devices:
                self._lateness.end(("reachability", device.id), self._at())

    def _reached(self, found: Reached) -> None:
        self._tiers.reached(found)
        self._lateness.end(("reachability", found.device), self._at())

    async def _uplink(self, began: Callable[[], None]) -> None:
        began()
        heard = await self._reacher.uplink(self.settings.alarms.uplink)
        if heard is not None:
            self._judge.hear(UPLINK, News((heard,)))

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
        self._ask(Probe(device, "it was silent"))

    def changed(self, device: int) -> None:
        """Interfaces have come or gone: they are read anew, now."""
        self._now_reading(device)

    def _now_reading(self, device: int) -> None:
        key = ("health", device)
        if device in self._roll.devices and not self._lateness.is_open(key) and not self._ended.is_set():
            self._lateness.due(key, self._at())
            self._start(key)

    def _wish(self, device: int) -> None:
        """A message made it desirable to look at a device now; many such messages are one wish."""
        now_s = time.monotonic()
        if now_s - self._wished.get(device, -_WISH_GAP_S) < _WISH_GAP_S:
            return
        self._wished[device] = now_s
        self._ask(Probe(device, "a message told of it"))
        asyncio.get_running_loop().call_later(1.0, self._now_reading, device)

    def _ask(self, probe: Probe) -> None:
        """Look at somebody in so many seconds; the machine's wishes come before every turn."""
        if probe.device in self._asked or self._ended.is_set():
            return
        loop = asyncio.get_running_loop()
        self._asked[probe.device] = loop.call_later(probe.after_s, self._look_now, probe.device)

    def _look_now(self, device: int) -> None:
        self._asked.pop(device, None)
        if device == UPLINK:
            self._spawn(self._uplink(lambda: None))
        elif device in self._roll.devices:
            self._spawn(self._reacher.look([self._roll.devices[device]]))

    # --- commits ----------------------------------------------------------------------------------------

    async def _commit(self) -> None:
        """Samples first: what is judged is on the disk."""
        await self._store.flush()
        own = (self._watch.subject(self._at()), *self._services.values())
        self._services = {}
        due = len(self._judge) or len(own) > 1 or self._watch.time_to_judge(self._at())
        if not due:
            return
        taken = await self._judge.batch(own, self._now())
        if taken is None:
            self._services = {s.name: s for s in own[1:]} | self._services
            return
        for probe in taken.asks:
            self._ask(probe)
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
        names = {d.id: d.target.name for d in self._roll.devices.values()}
        status = self._watch.status(self._at(), self._now(), os.getpid(), names, ended=ended)
        try:
            keep_status(self.settings.home, status)
        except OSError as error:
            self._watch.problems["status"] = f"its status cannot be written: {error.strerror}"

    async def _outbox(self) -> None:
        """Tell what is due, in a thread of its own: a channel that hangs holds up no poll."""
        if not self.settings.monitor.notify:
            return
        from monitor.notify.worker import run_once

        try:
            done = await asyncio.to_thread(run_once, self._engine, self.settings)
        except SiagaError as error:
            self._watch.problems["notify"] = error.sentence
            return
        failed = [f"route '{d.route}': {d.why}" for d in done if d.status != "sent"]
        self._watch.problems["notify"] = "; ".join(failed)

    async def _buttons(self) -> None:
        """Take the buttons pressed in the chats of each bot."""
        routes = [r for r in self.settings.routes if r.channel == "telegram" and r.credential]
        if not routes or not self.settings.monitor.notify:
            await asyncio.sleep(_OUTBOX_S)
            return
        from monitor.notify.buttons import listen

        bots = {r.credential: r.name for r in routes}
        for route in bots.values():
            try:
                await asyncio.to_thread(listen, self._engine, self.settings, route, _BUTTONS_S)
            except SiagaError as error:
                self._watch.problems["buttons"] = error.sentence
                await asyncio.sleep(_OUTBOX_S)

    async def _compact(self) -> None:
        """Bring finished days into files, in a process of its own."""
        if not self.settings.monitor.compact:
            return
        arguments = (sys.executable, "-P", "-m", "cli", "samples", "compact", "--quiet")
        environment = {**os.environ, "SIAGA_HOME": str(self.settings.home)}
        process = await asyncio.create_subprocess_exec(
            *arguments, env=environment, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            _, said = await process.communicate()
        except asyncio.CancelledError:  # a compaction that is cut off leaves the same samples
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        busy = process.returncode == 75  # EX_TEMPFAIL: another one is at it
        self._watch.problems["compact"] = "" if busy or not process.returncode else safe(said.decode(), 300)


def _recalled(engine: Engine) -> Recall:
    with reading(engine) as opened:
        return recall(opened)


def _beats(roll: Roll, settings: Settings, *, uplink: bool) -> Iterable[tuple[Key, Beat]]:
    """Yield everybody's beats. All tiers of a device have the same place in the period: its samples lie together."""
    for device in roll.devices.values():
        place, own = share(device.target.name), device.periods
        yield ("reachability", device.id), Beat(own.reachability_s, place)
        if device.target.snmp is not None:
            yield ("counters", device.id), Beat(own.counters_s, place)
            yield ("metadata", device.id), Beat(own.metadata_s, place)
        if device.target.snmp is not None or device.target.ssh is not None:
            yield ("health", device.id), Beat(own.health_s, place)
    for number, check in roll.services.items():
        yield ("services", number), Beat(settings.monitor.services_s, share(f"service {check.name}"))
    if uplink:
        yield ("uplink", UPLINK), Beat(settings.monitor.reachability_s, 0.0)
