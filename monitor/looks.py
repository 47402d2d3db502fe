"""One look at each box that answered, many side by side, each for a bounded time: who it is, and whom it names."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from inventory import traits
from monitor.around import named
from monitor.hosts import Host, Login, Plan
from monitor.observation import Reach
from monitor.snmp import Engines, connected, observe_identity
from monitor.snmp_agent import Trouble
from monitor.targets import Target

_SAME_START_S = 5.0  # sysUpTime of one engine, asked at two of its addresses, tells the same start


class Looks:
    """The looks of one sweep: their places, and the boxes that were met."""

    def __init__(self, plan: Plan, *, now: Callable[[], datetime], told: Callable[[Host], None]) -> None:
        self._plan, self._now, self._told = plan, now, told
        self._engines = Engines()
        self._places = asyncio.Semaphore(plan.concurrency)
        self._met: dict[tuple[str, str, str], list[Host]] = {}

    async def each(self, hosts: Sequence[Host]) -> None:
        """Look at each box among hosts that a community opened; at one that was met before, not again."""
        async with asyncio.TaskGroup() as group:
            for host in hosts:
                if host.login is not None and not self._met_before(host):
                    group.create_task(self._look(host, host.login))

    async def as_user(self, hosts: Sequence[Host], login: Login) -> None:
        """Look at hosts as one user of SNMPv3, one after the other where they have one engine ID.

        That may be one box, of which its first address tells the others; or it was cloned.
        """
        engines: dict[str, list[Host]] = {}
        for host in hosts:
            engines.setdefault(host.greeting.engine_id, []).append(host)
        async with asyncio.TaskGroup() as group:
            for some in engines.values():
                group.create_task(self._in_turn([(host, login) for host in some]))

    async def doubtful(self, hosts: Mapping[str, Host]) -> None:
        """Look also at who was taken for a box that does not call the address its own, in turn for each box.

        Clones that got power at one moment say the same to a light probe, and are two boxes.
        """
        several: dict[str, list[tuple[Host, Login]]] = {}
        for host in hosts.values():
            if host.same_as and host.login is not None and host.address not in hosts[host.same_as].own:
                several.setdefault(host.same_as, []).append((host, host.login))
        async with asyncio.TaskGroup() as group:
            for some in several.values():
                group.create_task(self._in_turn(some))

    async def _in_turn(self, hosts: Sequence[tuple[Host, Login]]) -> None:
        owners: dict[str, Host] = {}
        for host, login in hosts:
            if host.address in owners:
                host.same_as, host.refused = owners[host.address].address, ""
                continue
            host.same_as = ""
            await self._look(host, login)
            owners |= dict.fromkeys(host.own, host)

    def _met_before(self, host: Host) -> bool:
        """Tell whether the box was met at another address: the same engine, with one name and one start."""
        greeting = host.greeting
        engine = traits.engine_id(greeting.engine_id)
        if not engine or greeting.booted_s is None:
            return False
        met = self._met.setdefault((engine, greeting.sysName, greeting.sysDescr), [])
        for other in met:
            started_s = other.greeting.booted_s
            if started_s is not None and abs(started_s - greeting.booted_s) <= _SAME_START_S:
                host.same_as = other.address
                return True
        met.append(host)
        return False

    async def _look(self, host: Host, login: Login) -> None:
        """Read who one host is; what it does or does not do is a value."""
        plan = self._plan
        target = Target(
            host.address,
            host.address,
            snmp_port=plan.port,
            snmp=login.auth,
            timeout_s=plan.timeout_s,
            retries=plan.retries,
        )
        async with self._places:
            try:
                async with asyncio.timeout(plan.look_s):
                    host.seen = await observe_identity(target, now=self._now(), engines=self._engines)
                    if host.heard and plan.hops:
                        await self._ask_around(host, target)
            except TimeoutError:
                host.refused = f"A look at it took longer than {plan.look_s:g} s."
        if host.seen is not None and host.seen.reach is Reach.refused:
            host.refused = host.seen.reason
        self._told(host)

    async def _ask_around(self, host: Host, target: Target) -> None:
        try:
            async with connected(target, self._engines) as agent:
                host.named = await named(agent)
        except Trouble:
            return
