"""The tiers of devices: how each asks one, and what of the answer goes where.

Nothing is raised for a device. Whoever is slow holds a place of its own tier at most; who is there is looked at beside.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from inventory.host_keys import KNOWN_HOSTS
from monitor import snmp
from monitor.alarms import News
from monitor.alarms import heard_of as heard_by_reading
from monitor.known import (
    COUNTERS,
    Counted,
    Known,
    bare,
    flows_between,
    known_of,
    outgrown,
    polls_of_round,
    ports_of,
)
from monitor.lean_round import Polled
from monitor.observation import Observation, Reach
from monitor.poller import samples_of
from monitor.reaching import Reached, Reacher
from monitor.rules.subjects import Around, Subject, subjects
from monitor.samples import Asked, Sample, polls_of
from monitor.snmp_agent import Fault, Trouble
from monitor.snmp_lean import wanted_of
from monitor.state import Heard
from monitor.store import named_ports
from monitor.targets import Target
from monitor.tier_rim import Setting, Sink
from monitor.watched import Watched
from siaga.hostkeys import HostKeys
from siaga.settings import Settings

THERE = (Reach.up, Reach.partial)


class Tiers:
    """Asks. `setting` is replaced when the inventory changed; `known` and what went before stay in memory."""

    def __init__(
        self,
        settings: Settings,
        engines: snmp.Engines,
        reacher: Reacher,
        sink: Sink,
        now: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.setting = Setting()
        self.known: dict[int, Known] = {}
        self._engines, self._reacher, self._sink, self._now = engines, reacher, sink, now
        self._before: dict[int, Counted] = {}
        self._counts: set[int] = set()  # whose last round of counters brought them
        self._readings = asyncio.Semaphore(settings.monitor.readings)
        self._logins = asyncio.Semaphore(settings.ssh.concurrency)

    def forget(self, device: int) -> None:
        """Forget a device that is not watched any more."""
        self.known.pop(device, None)
        self._before.pop(device, None)
        self._counts.discard(device)

    # --- who is there -----------------------------------------------------------------------------------

    def reached(self, found: Reached) -> None:
        """Take what a look at a device brought."""
        at, device = found.heard.at, found.device
        answered = found.heard.reach in THERE
        samples = []
        if found.rtt_s is not None:
            samples.append(Sample(device, "rtt", "", at, round(found.rtt_s * 1e6)))
        if found.loss_pct is not None:
            samples.append(Sample(device, "loss", "", at, round(found.loss_pct * 100)))
        self._sink.store(polls_of(samples, [Asked(device, at, answered)]))
        self._sink.hear(device, News((found.heard,)))

    # --- counters ---------------------------------------------------------------------------------------

    async def counters(self, device: Watched, began: Callable[[], None]) -> None:
        """Ask the known interfaces; one whose interfaces are not known is read as a whole."""
        known = self.known.get(device.id)
        if known is None or snmp.engine_of(device.target) != "lean":
            await self.reading(device, began, full=known is None)
            return
        began()
        came: asyncio.Future[Polled] = asyncio.get_running_loop().create_future()
        down = device.id in self.setting.silent

        def done(polled: Polled) -> None:
            if not came.done():
                came.set_result(polled)

        try:
            wanted = wanted_of(
                device.target, known.columns, known.indexes, down=down, round_s=device.periods.counters_s
            )
            self._engines.lean.poll(wanted, done)
        except Trouble:  # a host name, say: that way has its own look-up
            await self.reading(device, began, full=False)
            return
        self._counted(device, known, await came)

    def _counted(self, device: Watched, known: Known, polled: Polled) -> None:
        if polled.uptime_ticks is None:
            self._counts.discard(device.id)
            self._failed(device, polled.fault or Fault(Reach.silent, "It did not answer."))
            return
        at = self._now() - timedelta(seconds=max(0.0, asyncio.get_running_loop().time() - polled.at_s))
        counted = Counted(known, at, polled.uptime_ticks, polled.values, polled.late)
        if any(polled.values[place] is not None for place in known.takes):
            self._counts.add(device.id)
        else:
            self._counts.discard(device.id)
        self._sink.store(polls_of_round(device.id, counted))
        if polled.changed or bare(counted) or outgrown(counted):
            self._sink.changed(device.id)
        before = self._before.get(device.id)
        self._before[device.id] = counted
        self._note(device.id, polled.fault)
        reach = Reach.partial if polled.fault else Reach.up
        heard = Heard(device.id, at, reach, polled.fault.reason if polled.fault else "", "snmp")
        self._sink.hear(device.id, News((heard,), self._parts(device, before, counted)))

    def _parts(self, device: Watched, before: Counted | None, counted: Counted) -> tuple[Subject, ...]:
        committed = self.setting.committed.get(device.id, {})
        links = self.setting.links.get(device.id, {})
        ports = ports_of(counted)
        flows = flows_between(device.id, before, counted, ports, {*committed, *links})
        seen = Observation(
            device.target.name,
            device.target.address,
            device.target.snmp_port,
            "snmp",
            counted.at,
            Reach.up,
            uptime_s=counted.uptime_ticks / 100,
        )
        age_s = self.setting.config_age_s(device.id, counted.at)
        return tuple(subjects(seen, ports, Around(flows, committed, links, age_s)))

    # --- whole readings ---------------------------------------------------------------------------------

    async def reading(self, device: Watched, began: Callable[[], None], *, full: bool) -> None:
        """Read a device's health, with `full` also who it is and what is around it."""
        target = device.target
        if target.snmp is not None:
            async with self._readings:
                began()
                seen = await snmp.observe(target, now=self._now(), full=full, engines=self._engines)
        elif target.ssh is not None:
            async with self._logins:
                began()
                seen = await _by_ssh(target, self.settings, self._now())
        else:
            began()
            return
        if seen.host_key:
            self._sink.knocked(seen.name, seen.host_key)
        self._read(device, seen, full=full)

    def _read(self, device: Watched, seen: Observation, *, full: bool) -> None:
        if seen.reach not in THERE:
            self._failed(device, Fault(seen.reach, seen.reason))
            return
        self._note(device.id, None)
        known = known_of(seen)
        old = self.known.get(device.id)
        whole = seen.transport == "snmp" and seen.reach is Reach.up
        if known is not None and whole and not (old and known.same_as(old)):
            self.known[device.id] = known
        # A walk reaches the counters some questions after sysUpTime, a round asks both at once: the walk's would make
        # each rate a little too high, and the next as much too low.
        samples = (
            s
            for s in samples_of(device.id, seen)
            if s.metric not in COUNTERS or device.id not in self._counts
        )
        self._sink.store(polls_of(samples))
        around = Around(
            committed=self.setting.committed.get(device.id, {}),
            links=self.setting.links.get(device.id, {}),
            config_age_s=self.setting.config_age_s(device.id, seen.at),
        )
        parts = tuple(subjects(seen, named_ports(seen.ports), around))
        heard = (heard_by_reading(device.id, seen, seen.at),)
        news = News(heard, parts, seen.reach is Reach.up, seen)
        self._sink.hear(device.id, news, seen if full or seen.transport == "ssh" else None)

    def _failed(self, device: Watched, fault: Fault) -> None:
        """Silence of the device's own protocol is no silence yet: whether it is there is looked at now."""
        self._note(device.id, fault)
        if fault.reach is Reach.silent:
            self._sink.doubt(device.id)
        else:
            heard = Heard(device.id, self._now(), fault.reach, fault.reason, "snmp")
            self._sink.hear(device.id, News((heard,)))

    def _note(self, device: int, fault: Fault | None) -> None:
        if fault is None:
            self._reacher.trouble.pop(device, None)
        else:
            self._reacher.trouble[device] = fault


async def _by_ssh(target: Target, settings: Settings, now: datetime) -> Observation:
    from monitor import ssh

    known = HostKeys(settings.home / KNOWN_HOSTS, accept_new=settings.ssh.accept_new_host_keys)
    (seen,) = await ssh.observe_all(
        [target], concurrency=1, now=now, known_hosts=known, timeout_s=settings.ssh.timeout_s
    )
    return seen
