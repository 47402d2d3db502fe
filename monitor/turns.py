"""Whose turn it is, put to the tiers: begun in time, never twice at once, and looked at between turns where wished.

A device that is still being asked when its turn comes is left out of that one, and counted. Of one that is silent
nothing is read until somebody has seen it again: that would only keep the question open whether it is there. Nor of one
that nobody has seen yet: a fleet's silent ones would hold all places of those that are read for the first time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

from monitor.alarms import News
from monitor.lateness import Lateness
from monitor.observation import Reach
from monitor.reaching import Reached, Reacher
from monitor.schedule import Agenda, Beat, Key, Turn
from monitor.snmp_lean import share
from monitor.state import Probe
from monitor.tier_rim import Sink
from monitor.tier_services import ServiceTier
from monitor.tiers import THERE, Tiers
from monitor.topology import UPLINK
from monitor.watched import Roll, Watched
from siaga.settings import Settings

_LONGEST_WAIT_S = 0.25
_SHORTEST_WAIT_S = 0.02
# Where several turns come within so many seconds, or such a part of the shortest period, they begin together: one
# sweep of echoes is of many, and answers that come together are read together.
_TOGETHER_S, _TOGETHER, _SEVERAL = 0.2, 1 / 150, 2.0
_WISH_GAP_S = 10.0
# The tiers by which a device is read as a whole before its interfaces are known.
_READ = ("counters", "health", "metadata")


class Turns:
    """The agenda and what is being asked now. `at` gives the time on the schedule's line."""

    def __init__(
        self,
        settings: Settings,
        at: Callable[[], float],
        lateness: Lateness,
        fault: Callable[[Exception], None],
        lag: Callable[[float], None],
    ) -> None:
        self.settings = settings
        self.roll = Roll({}, {})
        self._at, self._lateness, self._fault, self._lag = at, lateness, fault, lag
        self._agenda = Agenda()
        self._asked: dict[int, asyncio.TimerHandle] = {}
        self._wished: dict[int, float] = {}
        self._seen: set[int] = set()  # who has answered since the start
        self._put_off: set[int] = set()  # whose first reading waits until they do
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._together_s = _SHORTEST_WAIT_S

    def connect(self, tiers: Tiers, services: ServiceTier, reacher: Reacher, sink: Sink) -> None:
        """Say who does the asking, and where news of siaga's uplink go."""
        self._tiers, self._services, self._reacher, self._sink = tiers, services, reacher, sink

    def enrol(self, roll: Roll) -> dict[Key, float]:
        """Watch these from now on; return everybody's period in seconds. Who stays keeps the turn."""
        for gone in self.roll.devices.keys() - roll.devices.keys():
            self._tiers.forget(gone)
            self._seen.discard(gone)
            self._put_off.discard(gone)
        self.roll = roll
        self._reacher.shared = roll.shared
        beats = dict(beats_of(roll, self.settings))
        self._together_s = together_s([beat.period_s for beat in beats.values()])
        self._agenda.replace(beats, self._at())
        return {key: beat.period_s for key, beat in beats.items()}

    async def run(self) -> None:
        """Begin each turn when it is due, for ever."""
        while True:
            now_s = self._at()
            self._begin(self._agenda.take(now_s))
            upcoming = self._agenda.next_s()
            until_s = _LONGEST_WAIT_S if upcoming is None else upcoming - now_s
            wait_s = min(_LONGEST_WAIT_S, max(self._together_s, until_s))
            await asyncio.sleep(wait_s)
            self._lag(self._at() - now_s - wait_s)

    async def drain(self, longest_s: float) -> None:
        """Begin nothing more; wait for what is being asked, within a bound."""
        self._closed = True
        for handle in self._asked.values():
            handle.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=longest_s)
        self.cut_off()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_off(self) -> None:
        """Wait for nobody any more."""
        for task in self._tasks:
            task.cancel()

    # --- turns ------------------------------------------------------------------------------------------

    def _begin(self, turns: Iterable[Turn]) -> None:
        looks = []
        for turn in turns:
            tier, number = turn.key
            self._lateness.missed[tier] += turn.missed + (not turn.run)
            if not turn.run:
                continue
            if self._lateness.is_open(turn.key):
                self._lateness.skipped[tier] += 1
                continue
            self._lateness.due(turn.key, turn.due_s)
            if tier == "reachability":
                looks.append(self.roll.devices[number])
            else:
                self._start(turn.key)
        if looks:
            self._spawn(self._look(looks))

    def _start(self, key: Key) -> None:
        work = self._work(key, partial(self._began, key))
        if work is None:
            self._lateness.end(key, self._at())
        else:
            self._spawn(self._to_its_end(key, work))

    def _work(self, key: Key, began: Callable[[], None]) -> Awaitable[None] | None:
        tier, number = key
        if tier == "uplink":
            return self._uplink(began)
        if tier == "services":
            return self._services.check(number, self.roll.services[number], began)
        device = self.roll.devices[number]
        if self._is_away(device, tier) or self._has_no_need(device, tier):
            return None
        # Whoever was not read since the start is read as a whole first: who it is comes with what it has.
        new = device.id not in self._tiers.known
        if new and device.target.snmp is not None:
            return self._first(device, began)
        if tier == "counters":
            return self._tiers.counters(device, began)
        return self._tiers.reading(device, began, full=new or tier == "metadata")

    def _is_away(self, device: Watched, tier: str) -> bool:
        """Tell whether reading it is in vain now; the counters of one that answers ICMP tell when it reads again."""
        if device.id in self._tiers.setting.silent:
            return True
        return self._is_mute(device) and tier != "counters" and device.target.snmp is not None

    def _is_mute(self, device: Watched) -> bool:
        """Tell whether its own protocol was not answered when it was asked last, whatever ICMP says."""
        trouble = self._reacher.trouble.get(device.id)
        return trouble is not None and trouble.reach is Reach.silent

    async def _first(self, device: Watched, began: Callable[[], None]) -> None:
        """Read it as a whole if it answers one question; in vain that would hold a place for many time-outs."""
        began()
        if await self._reacher.answers(device):
            await self._tiers.reading(device, began, full=True)

    def _has_no_need(self, device: Watched, tier: str) -> bool:
        """Tell whether a device that is to be read as a whole is read so already, or when it is seen first."""
        if device.id in self._tiers.known or device.target.snmp is None:
            return False
        if device.id not in self._seen:
            self._put_off.add(device.id)
            return True
        return any(self._lateness.is_open((other, device.id)) for other in _READ if other != tier)

    def _began(self, key: Key) -> None:
        self._lateness.begin(key, self._at())

    async def _to_its_end(self, key: Key, work: Awaitable[None]) -> None:
        try:
            await work
        finally:
            self._lateness.end(key, self._at())

    def _spawn(self, work: Awaitable[None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - the rim of the loop: one odd device must not end the others
                self._fault(error)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, devices: list[Watched]) -> None:
        """Look who of these is there; each one's turn ends when that is known."""
        for device in devices:
            self._began(("reachability", device.id))
        try:
            await self._reacher.look(devices)
        finally:
            for device in devices:
                self._lateness.end(("reachability", device.id), self._at())

    def reached(self, found: Reached) -> None:
        """Take what a look brought: that device's turn is over, whoever else is still looked at."""
        self._tiers.reached(found)
        self._lateness.end(("reachability", found.device), self._at())
        if found.heard.reach in THERE:
            self._seen.add(found.device)
            if found.device in self._put_off:
                self._put_off.discard(found.device)
                self.read_now(found.device)

    async def _uplink(self, began: Callable[[], None]) -> None:
        began()
        heard = await self._reacher.uplink(self.settings.alarms.uplink)
        if heard is not None:
            self._sink.hear(UPLINK, News((heard,)))

    # --- between turns ----------------------------------------------------------------------------------

    def ask(self, probe: Probe) -> None:
        """Look at somebody in so many seconds; the machine's wishes come before every turn."""
        if probe.device in self._asked or self._closed:
            return
        loop = asyncio.get_running_loop()
        self._asked[probe.device] = loop.call_later(probe.after_s, self._look_now, probe.device)

    def _look_now(self, device: int) -> None:
        self._asked.pop(device, None)
        if self._closed:
            return
        if device == UPLINK:
            self._spawn(self._uplink(lambda: None))
        elif device in self.roll.devices:
            self._spawn(self._reacher.look([self.roll.devices[device]]))

    def read_now(self, device: int) -> None:
        """Read a device's health and interfaces now, unless that is being done."""
        key = ("health", device)
        if device in self.roll.devices and not self._lateness.is_open(key) and not self._closed:
            self._lateness.due(key, self._at())
            self._start(key)

    def wish(self, device: int) -> None:
        """A message made it desirable to look at a device now; many such messages are one wish."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._wished.get(device, -_WISH_GAP_S) < _WISH_GAP_S:
            return
        self._wished[device] = now_s
        self.ask(Probe(device, "a message told of it"))
        asyncio.get_running_loop().call_later(1.0, self.read_now, device)


def together_s(periods_s: Sequence[float]) -> float:
    """Return within how many seconds turns are begun together; where they are few nobody waits for another. Pure."""
    if sum(_TOGETHER_S / period_s for period_s in periods_s) < _SEVERAL:
        return _SHORTEST_WAIT_S
    return min(_TOGETHER_S, max(_SHORTEST_WAIT_S, min(periods_s) * _TOGETHER))


def beats_of(roll: Roll, settings: Settings) -> Iterable[tuple[Key, Beat]]:
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
    if settings.alarms.uplink:
        yield ("uplink", UPLINK), Beat(settings.monitor.reachability_s, 0.0)
