"""A sweep: who is there, who of them speaks SNMP, and what he is. Nothing is stored here; what is found is a value.

Addresses go through in slices, of which some are under way at once: ICMP echo, then a light probe with each
credential in turn, then one look at who each box is that answered. A secret goes only where the scope of the sweep
says, at most so many of them to one address; users of SNMPv3 only to who answered its greeting.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import islice

from monitor.hosts import Host, Login, Plan, Tally
from monitor.icmp import Echo
from monitor.knock import Greeting, Knocker
from monitor.looks import Looks
from monitor.pace import Bucket
from monitor.targets import SnmpVersion
from siaga.errors import AuthError

SLICE = 4096  # addresses at most
_SLICE_S = 0.8  # of a slow sweep a slice is what leaves in this time, so that what answers is soon looked at
_SLICE_LEAST = 16
SLICES_AT_ONCE = 6


class Sweep:
    """One sweep under way: what it found is in `hosts`, also when it is cut off.

    `asked`: what was asked → how many of its addresses.
    """

    def __init__(
        self, plan: Plan, *, now: Callable[[], datetime], told: Callable[[Tally], None] | None = None
    ) -> None:
        self.plan = plan
        self.hosts: dict[str, Host] = {}
        self.tally = Tally()
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.asked: dict[str, int] = {}
        self._unsent: dict[str, str] = {}
        self._now, self._told = now, told
        self._pings = plan.ping
        self._touched: set[str] = set()
        self._closed: set[str] = set()

    @property
    def unsent(self) -> dict[str, int]:
        """Why addresses could not be asked → how many; one that answered anything was asked."""
        return dict(Counter(why for address, why in self._unsent.items() if address not in self.hosts))

    async def run(self) -> None:
        """Sweep what was asked, then follow neighbours. Raises nothing for what devices do."""
        self._looks = Looks(self.plan, now=self._now, told=self._looked)
        rate_pps = self.plan.pace.rate_pps
        async with AsyncExitStack() as stack:
            self._echo = await stack.enter_async_context(Echo(Bucket(rate_pps)))
            self._knocker = await stack.enter_async_context(Knocker(self.plan.port, Bucket(rate_pps)))
            await self._all(self.plan.scope.addresses(), len(self.plan.scope), {})
            for _ in range(self.plan.hops):
                named = self._named()
                await self._all(named, len(named), named)
                if not named:
                    break

    async def _all(self, addresses: Iterable[str], number: int, named: Mapping[str, str]) -> None:
        """Take addresses through slice by slice; `named`: who named them, where they are neighbours."""
        self.tally.total += number
        places = asyncio.Semaphore(SLICES_AT_ONCE)
        source = iter(addresses)

        async def one(some: list[str]) -> None:
            try:
                await self._slice(some, named)
            finally:
                places.release()

        async with asyncio.TaskGroup() as group:
            while some := list(islice(source, self._size)):
                await places.acquire()
                group.create_task(one(some))
        await self._looks.doubtful(self.hosts)

    @property
    def _size(self) -> int:
        rate_pps = self.plan.pace.rate_pps
        return min(SLICE, max(_SLICE_LEAST, int(rate_pps * _SLICE_S))) if rate_pps else SLICE

    async def _slice(self, addresses: list[str], named: Mapping[str, str]) -> None:
        if self.plan.hops:
            self._touched.update(addresses)
        alive = await self._alive(addresses)
        for address in addresses:
            label = self.plan.scope.label(address)
            self.asked[label] = self.asked.get(label, 0) + 1
        self.tally.asked += len(addresses)
        self._step()
        opened = await self._try(alive)
        for address in named.keys() & self.hosts.keys():
            self.hosts[address].found_by = named[address]
        await self._looks.each(opened)

    async def _alive(self, addresses: list[str]) -> list[str]:
        """Return the addresses that are worth a probe: those that answer ICMP echo, or all where it is not asked."""
        if not self._pings:
            return addresses
        try:
            swept = await self._echo.sweep(addresses, self.plan.pace, self._pinged)
        except AuthError as error:
            if self._pings:
                self.warnings.append(f"{error.sentence} Without it hosts are looked for by SNMP alone.")
            self._pings = False
            return addresses
        self._unsent |= swept.unsent
        return [a for a in addresses if a in swept.rtt_s]

    def _pinged(self, address: str, rtt_s: float) -> None:
        self._host(address).rtt_s = rtt_s

    def _host(self, address: str) -> Host:
        if address not in self.hosts:
            self.hosts[address] = Host(address)
            self.tally.alive += 1
            self._step()
        return self.hosts[address]

    # --- credentials -------------------------------------------------------------------------------------------

    async def _try(self, addresses: Sequence[str]) -> list[Host]:
        """Try the credentials in their order; return the hosts that one of them opened and nobody looked at yet."""
        attempts = dict.fromkeys(addresses, 0)
        greeted: dict[str, Greeting] | None = None
        for login in self.plan.logins:
            left = [a for a, n in attempts.items() if n < self.plan.attempts and not self._is_done(a)]
            if not left:
                break
            if login.auth.version is SnmpVersion.v3:
                greeted = await self._knock(left, login) if greeted is None else greeted
                left = [a for a in left if a in greeted]
                await self._as_user([self._speaking(a, greeted[a]) for a in left], login)
            else:
                for address, greeting in (await self._knock(left, login)).items():
                    self._opened(address, login, greeting)
            for address in left:
                attempts[address] += 1
        hosts = [self.hosts[a] for a in addresses if a in self.hosts]
        for host in hosts:
            host.attempts = attempts[host.address]
        return [h for h in hosts if h.login is not None and h.seen is None and not h.same_as]

    def _is_done(self, address: str) -> bool:
        """Tell whether a credential opened it, or it said that it has no agent."""
        known = self.hosts.get(address)
        return address in self._closed or (known is not None and known.login is not None)

    async def _knock(self, addresses: Sequence[str], login: Login) -> dict[str, Greeting]:
        knocked = await self._knocker.knock(addresses, login.auth, self.plan.pace)
        self._unsent |= knocked.unsent
        self._closed |= knocked.closed
        for address in knocked.closed:
            self._host(address)  # who says that he has no agent is there
        return knocked.heard

    def _speaking(self, address: str, greeting: Greeting) -> Host:
        """Return a host that speaks SNMPv3; until a user is let in, it refuses."""
        host = self._host(address)
        host.greeting = greeting
        host.refused = host.refused or "It speaks SNMPv3 and lets none of these users in."
        return host

    async def _as_user(self, hosts: Sequence[Host], login: Login) -> None:
        await self._looks.as_user(hosts, login)
        for host in hosts:
            if host.heard or host.same_as:
                self._opened(host.address, login, host.greeting)

    def _opened(self, address: str, login: Login, greeting: Greeting) -> None:
        host = self._host(address)
        host.login, host.greeting, host.refused = login, greeting, ""
        self.tally.answering += 1
        self._step()

    # --- neighbours, and what is said ---------------------------------------------------------------------------

    def _named(self) -> dict[str, str]:
        """Return the addresses that were named and may and must still be asked, each with who named it."""
        found: dict[str, str] = {}
        for host in self.hosts.values():
            for named in host.named:
                new = named.address not in self._touched and named.address not in found
                if new and self.plan.scope.holds(named.address):
                    found[named.address] = f"{named.how} of {host.address}"
        return found

    def _looked(self, _host: Host) -> None:
        self.tally.looked += 1
        self._step()

    def _step(self) -> None:
        if self._told:
            self._told(self.tally)
