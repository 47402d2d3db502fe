"""Neighbours: which address stands at which MAC, by a router's ARP and IPv6 neighbour tables and its own addresses.

IP-MIB (RFC 4293): ipNetToPhysicalTable holds both families; agents that have it for IPv6 alone, or not at all,
are asked for the older ipNetToMediaTable as well. The same goes for ipAddressTable and ipAddrTable: a router's own
addresses stand in no ARP table, and are as much in use. A switch is asked for what it learned as well (bridge.py).
What is silent is a value, not an error.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from inventory import ipam_ports
from inventory.ipam_nodes import Remembered, Spotted, ordinary, remember
from inventory.ipam_ports import Learned, Placed
from inventory.store import reading, session
from monitor import bridge, store
from monitor.address_tables import OWN, OWN_V4, inet, own, plain
from monitor.crowd import each
from monitor.observation import Reach
from monitor.snmp import Engines, connected
from monitor.snmp_agent import Agent, Answer, Fault, Trouble
from monitor.snmp_ports import DESCR, MAC, NAME
from monitor.tables import SYS_UPTIME, Oid, Tables, Value, as_name, host_mac, oid
from monitor.targets import Target
from siaga.secrets import open_vault
from siaga.settings import Settings

PHYSICAL = oid("1.3.6.1.2.1.4.35.1")  # ipNetToPhysicalEntry; index: ifIndex, InetAddressType, InetAddress
MEDIA = oid("1.3.6.1.2.1.4.22.1")  # ipNetToMediaEntry; index: ifIndex, IpAddress

_INVALID_TYPE = 2  # of both tables
_NO_STATES = (5, 7)  # invalid, incomplete: asked for, and nobody answered
_PORTS_AT_MOST = 4000


@dataclass(frozen=True)
class Neighbours:
    """What one device said of its neighbours, how far it could be reached, and why no further."""

    device: str
    at: datetime
    reach: Reach
    reason: str = ""
    took_s: float = 0.0
    seen: tuple[Spotted, ...] = ()
    learned: tuple[Learned, ...] = ()
    own_macs: frozenset[str] = frozenset()
    device_id: int | None = None


@dataclass(frozen=True)
class Scan:
    """What one round brought: an answer of each device asked, and what was remembered of it."""

    answers: tuple[Neighbours, ...]
    kept: Remembered
    placed: Placed = field(default_factory=Placed)

    def count(self, *reaches: Reach) -> int:
        """Return how many devices were reached in one of these ways."""
        return sum(a.reach in reaches for a in self.answers)


def scan(
    engine: Engine,
    settings: Settings,
    ids: Sequence[int],
    *,
    now: Callable[[], datetime],
    progress: Callable[[Neighbours], None] | None = None,
) -> Scan:
    """Ask those of the devices that speak SNMP for their neighbours, and remember them in one transaction."""
    started = now()
    with reading(engine) as opened:
        devices = [d for d in store.devices_to_poll(opened, ids) if d.transport == "snmp"]
        targets = store.targets(opened, devices, open_vault(settings.home), settings)
    answers = asyncio.run(ask(targets, concurrency=settings.poll.concurrency, now=now, progress=progress))
    with session(engine) as opened:
        kept = remember(opened, (s for a in answers for s in a.seen), at=started)
        own = {a.device_id: a.own_macs for a in answers if a.learned and a.device_id is not None}
        placed = ipam_ports.keep(opened, (x for a in answers for x in a.learned), own, at=started)
    return Scan(tuple(answers), kept, placed)


async def ask(
    targets: Sequence[Target],
    *,
    concurrency: int,
    now: Callable[[], datetime],
    progress: Callable[[Neighbours], None] | None = None,
) -> list[Neighbours]:
    """Ask all targets, at most `concurrency` at a time; the answers come in the order of the targets."""
    engines = Engines()
    return await each(
        targets,
        lambda target: neighbours(target, engines, now()),
        concurrency=concurrency,
        progress=progress,
    )


async def neighbours(target: Target, engines: Engines, at: datetime) -> Neighbours:
    """Ask one device. Whatever it does or does not do is a value; nothing is raised for it."""
    started = time.monotonic()
    seen: dict[Oid, Value] = {}
    try:
        async with connected(target, engines) as agent:
            fault = await walk(agent, seen)
    except Trouble as trouble:
        fault = trouble.fault
    reach = Reach.up if fault is None else Reach.partial if seen else fault.reach
    tables = Tables(seen)
    found = tuple(spotted(tables, target.device_id))
    hanging = tuple(learned(tables, target.device_id)) if target.device_id is not None else ()
    took_s = time.monotonic() - started
    reason = fault.reason if fault else ""
    macs = own_macs(tables)
    return Neighbours(target.name, at, reach, reason, took_s, found, hanging, macs, target.device_id)


async def walk(agent: Agent, seen: dict[Oid, Value]) -> Fault | None:
    """Read the tables into `seen`; return the first thing that went wrong, after which what can be read was read."""
    first: Fault | None = None
    async with aclosing(_steps(agent, seen)) as steps:
        async for answer in steps:
            seen.update(answer.seen)
            first = first or answer.fault
            if answer.fault is not None and answer.fault.reach is not Reach.partial:
                break
    return first


async def _steps(agent: Agent, seen: dict[Oid, Value]) -> AsyncGenerator[Answer, None]:
    """Ask one thing after the other; the caller puts each answer into `seen` before the next is asked."""
    yield await agent.get([SYS_UPTIME])  # tells a silent device from one without any table
    yield await agent.walk([(*PHYSICAL, part) for part in (4, 6, 7)])
    if not any(_version(address) == 4 for _, address, _ in _physical(Tables(seen))):
        yield await agent.walk([(*MEDIA, part) for part in (2, 4)])
    yield await agent.walk([OWN])
    if not any(_version(address) == 4 for _, address in own(Tables(seen))):
        yield await agent.walk([OWN_V4])
    async with aclosing(bridge.steps(agent, seen)) as steps:
        async for answer in steps:
            yield answer
    tables = Tables(seen)
    used = {port for port, _, _ in _heard(tables)} | {port for port, _ in own(tables)} | bridge.used(tables)
    ports = sorted(used)[:_PORTS_AT_MOST]
    yield await agent.get([(*column, port) for port in ports for column in (NAME, MAC)])
    unnamed = [port for port in ports if not seen.get((*NAME, port))]
    yield await agent.get([(*DESCR, port) for port in unnamed])


# --- what the tables mean -----------------------------------------------------------------------------


def spotted(tables: Tables, device_id: int | None) -> list[Spotted]:
    """Return what one device's tables say, each address at each MAC once, without those that mean nothing elsewhere."""
    rows = [(port, address, mac) for port, address, mac in _heard(tables) if ordinary(address)]
    known = {address for _, address, _ in rows}
    its_own = ((port, address, host_mac(tables.seen.get((*MAC, port)))) for port, address in own(tables))
    rows += [row for row in its_own if row[1] not in known and ordinary(row[1])]
    found = {
        (address, mac): Spotted(address, mac, device_id, _port(tables, port)) for port, address, mac in rows
    }
    return list(found.values())


def learned(tables: Tables, device_id: int) -> list[Learned]:
    """Return at which port one device learned which MAC."""
    return bridge.learned(tables, device_id, {port: _port(tables, port) for port in bridge.used(tables)})


def own_macs(tables: Tables) -> frozenset[str]:
    """Return the MACs that are the device's own, as far as they were read."""
    ports = (host_mac(value) for value in tables.column(MAC).values())
    return bridge.own(tables) | frozenset(filter(None, ports))


def _heard(tables: Tables) -> Iterator[tuple[int, str, str]]:
    """Yield (ifIndex, address, MAC) of the neighbours in both tables."""
    yield from _physical(tables)
    types = tables.column((*MEDIA, 4))
    for index, value in tables.column((*MEDIA, 2)).items():
        address, mac = plain(index[1:], 4), host_mac(value)
        if address and mac and types.get(index) != _INVALID_TYPE:
            yield index[0], address, mac


def _physical(tables: Tables) -> Iterator[tuple[int, str, str]]:
    types, states = tables.column((*PHYSICAL, 6)), tables.column((*PHYSICAL, 7))
    for index, value in tables.column((*PHYSICAL, 4)).items():
        address, mac = inet(index[1:]), host_mac(value)
        if address and mac and types.get(index) != _INVALID_TYPE and states.get(index) not in _NO_STATES:
            yield index[0], address, mac


def _port(tables: Tables, port: int) -> str:
    return as_name(tables.seen.get((*NAME, port))) or as_name(tables.seen.get((*DESCR, port))) or str(port)


def _version(address: str) -> int:
    return 6 if ":" in address else 4
