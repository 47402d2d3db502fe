"""Who is there: a sweep of echoes, a burst and a question to who was silent, and what both together say.

A device is called silent only when two ways found nobody: ICMP, and the protocol that it is managed by. One that
answers ICMP and not its protocol is degraded, not down.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address

from monitor import snmp
from monitor.echoes import Burst
from monitor.icmp import Echo
from monitor.observation import Reach
from monitor.pace import Pace
from monitor.snmp_agent import Fault, Trouble
from monitor.state import Heard, Standing, State
from monitor.tables import SYS_UPTIME
from monitor.targets import Target
from monitor.watched import Watched
from siaga.settings import Settings
from siaga.text import safe

_PACE = Pace(rate_pps=5000, timeout_s=1.0, retries=1)
_ECHOED = "It answers ICMP. "


@dataclass(frozen=True)
class Reached:
    """What one look at a device brought. `rtt_s` and `loss_pct` are of ICMP; None: not asked, or nothing came."""

    device: int
    heard: Heard
    rtt_s: float | None = None
    loss_pct: float | None = None


def heard_of(
    device: int, at: datetime, pinged: bool | None, managed: Fault | None, asked: bool, why: str = ""
) -> Heard:
    """Return what both ways say together. Pure.

    `pinged`: whether ICMP was answered, None if it was not asked. `asked`: whether the device's own protocol was
    asked just now, with `managed` as what was wrong; if it was not, `managed` is the trouble of the last round.
    """
    if pinged:
        if managed is None:
            return Heard(device, at, Reach.up, "", "icmp")
        reach = Reach.partial if managed.reach is Reach.silent else managed.reach
        return Heard(device, at, reach, safe(f"{_ECHOED}{managed.reason}", 300), "icmp")
    if asked and managed is None:
        return Heard(device, at, Reach.up, "", "direct")
    if asked and managed is not None and managed.reach is not Reach.silent:
        return Heard(device, at, managed.reach, managed.reason, "direct")
    reason = " ".join(filter(None, (why, managed.reason if asked and managed else "")))
    return Heard(
        device, at, Reach.silent, safe(reason or "No answer.", 300), "icmp" if pinged is False else "direct"
    )


def recalled(standings: Mapping[int, Standing], devices: Mapping[int, Watched]) -> dict[int, Fault]:
    """Return what was wrong with devices' own protocols when a service ended. Pure.

    Without it the first echo after a restart would be a recovery, and the same alert would ring again minutes later.
    """
    found = {}
    for number, standing in standings.items():
        device, last = devices.get(number), standing.evidence[-1] if standing.evidence else None
        asked = device is not None and (device.target.snmp is not None or device.target.ssh is not None)
        if not asked or last is None or standing.beneath is not State.degraded:
            continue
        if last.probe == "icmp" and last.reach is Reach.partial:
            found[number] = Fault(Reach.silent, last.reason.removeprefix(_ECHOED))
        elif last.reach in (Reach.refused, Reach.garbage):
            found[number] = Fault(last.reach, last.reason.removeprefix(_ECHOED))
    return found


class Reacher:
    """Looks who is there. `told` gets each result as it comes; nothing is raised for a device.

    `trouble`: device → what was wrong when its own protocol was asked last; the tiers keep it. `shared`: addresses of
    more than one device, where an echo tells nothing of any of them.
    """

    def __init__(
        self,
        echo: Echo | None,
        engines: snmp.Engines,
        settings: Settings,
        now: Callable[[], datetime],
        told: Callable[[Reached], None],
    ) -> None:
        self.echo = echo
        self.settings = settings
        self.trouble: dict[int, Fault] = {}
        self.shared: frozenset[str] = frozenset()
        self._engines = engines
        self._now, self._told = now, told
        self._asked: set[str] = (
            set()
        )  # addresses with echoes under way: one sweep at a time may ask an address

    async def look(self, devices: Sequence[Watched]) -> None:
        """Look at devices once, side by side. One whose address is just being asked is told of by that look.

        Those that share an address are asked by their own protocol, and so is a host name.
        """
        if self.echo is None:
            await _all(self._directly(d) for d in devices)
            return
        open_ones = [d for d in devices if d.target.address not in self._asked]
        own = {a: d for d in open_ones if (a := d.target.address) not in self.shared and _is_number(a)}
        others = [d for d in open_ones if d.target.address not in own]
        await _all([self._swept(self.echo, own), *(self._directly(d) for d in others)])

    async def _swept(self, echo: Echo, devices: dict[str, Watched]) -> None:
        """Echoes to all; who does not answer is asked again by a burst, and by its own protocol."""
        if not devices:
            return
        self._asked |= devices.keys()
        began = self._now()
        try:
            swept = await echo.sweep(
                list(devices), _PACE, told=lambda address, rtt_s: self._answered(devices[address], rtt_s)
            )
        except BaseException:
            self._asked -= devices.keys()
            raise
        # Who answered may be looked at again at once: the time-outs of those who did not are theirs alone.
        self._asked -= swept.rtt_s.keys()
        left = [(a, d) for a, d in devices.items() if a not in swept.rtt_s]
        await _all(self._again(echo, a, d, swept.unsent.get(a, ""), began) for a, d in left)

    def _answered(self, device: Watched, rtt_s: float, loss_pct: float = 0.0) -> None:
        trouble = self.trouble.get(device.id)
        heard = heard_of(device.id, self._now(), True, trouble, False)
        self._told(Reached(device.id, heard, rtt_s, loss_pct))

    async def _again(self, echo: Echo, address: str, device: Watched, unsent: str, began: datetime) -> None:
        count = self.settings.monitor.burst
        try:
            burst, managed = await asyncio.gather(
                echo.burst(address, count, interval_s=0.2), self._managed(device, tries=1)
            )
        finally:
            self._asked.discard(address)
        asked = device.target.snmp is not None or device.target.ssh is not None
        if asked:
            self._keep(device.id, managed)
        if burst.heard_s:
            self._answered(device, burst.heard_s[0], burst.loss_pct or 0.0)
            return
        heard = heard_of(device.id, self._now(), False, managed, asked, unsent or _no_echo(burst))
        self._told(Reached(device.id, _since(heard, began), None, 100.0))

    async def _directly(self, device: Watched) -> None:
        """Without ICMP there is one way only: the device's own protocol, with all its tries."""
        began = self._now()
        await self.answers(device)
        heard = heard_of(device.id, self._now(), None, self.trouble.get(device.id), True)
        self._told(Reached(device.id, _since(heard, began)))

    async def answers(self, device: Watched) -> bool:
        """Ask a device by its own protocol, with all its tries; tell whether it answers as it should."""
        managed = await self._managed(device, tries=device.target.retries + 1)
        self._keep(device.id, managed)
        return managed is None

    def _keep(self, device: int, managed: Fault | None) -> None:
        if managed is None:
            self.trouble.pop(device, None)
        else:
            self.trouble[device] = managed

    async def _managed(self, device: Watched, tries: int) -> Fault | None:
        target = device.target
        if target.snmp is not None:
            return await _by_snmp(replace(target, retries=tries - 1), self._engines)
        if target.ssh is not None:
            return await _by_tcp(target, self.settings.ssh.timeout_s)
        return Fault(Reach.refused, f"{safe(target.name, 80)} has no credential for its transport.")

    async def uplink(self, addresses: Sequence[str]) -> Heard | None:
        """Ask siaga's own gateway; None where nothing can be asked."""
        from monitor.topology import UPLINK

        if self.echo is None or not addresses:
            return None
        swept = await self.echo.sweep(list(addresses), _PACE)
        if swept.rtt_s:
            return Heard(UPLINK, self._now(), Reach.up, "", "icmp")
        return Heard(UPLINK, self._now(), Reach.silent, "none of the addresses of its uplink answers", "icmp")


def _since(heard: Heard, began: datetime) -> Heard:
    """Return a silence with the time at which it was asked: that nobody answers is known only seconds later.

    So an outage is as long as it was, and not shorter by the time-outs at its beginning.
    """
    return replace(heard, at=began) if heard.reach is Reach.silent else heard


def _is_number(address: str) -> bool:
    try:
        ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return True


def _no_echo(burst: Burst) -> str:
    return f"None of {len(burst.rtts_s) + _PACE.retries + 1} echoes was answered."


async def _by_snmp(target: Target, engines: snmp.Engines) -> Fault | None:
    try:
        async with snmp.connected(target, engines) as agent:
            return (await agent.get([SYS_UPTIME])).fault
    except Trouble as trouble:
        return trouble.fault


async def _by_tcp(target: Target, timeout_s: float) -> Fault | None:
    """Open a connection to the port of SSH: that much is cheap, and logs nobody in."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(target.address, target.ssh_port)
    except (OSError, TimeoutError) as error:
        took = f"{time.monotonic() - started:.1f} s"
        why = getattr(error, "strerror", None) or "no answer"
        return Fault(Reach.silent, f"No connection to port {target.ssh_port} after {took}: {why}.")
    writer.close()
    return None


async def _all(several: Iterable[object]) -> None:
    """Await all; the fault of one does not end the others, and is raised at the end."""
    results = await asyncio.gather(*several, return_exceptions=True)  # type: ignore[call-overload]
    for result in results:
        if isinstance(result, BaseException):
            raise result
