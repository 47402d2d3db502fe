"""One audit: doors, guesses and services asked side by side, within bounds; what came is judged elsewhere."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from inventory.findings import Judged
from monitor.audit import judge, records, tls
from monitor.audit.doors import Doors, Ports, tried
from monitor.audit.guesses import Answers, guessed
from monitor.audit.store import Managed, Records
from monitor.crowd import each
from monitor.pace import Pace
from monitor.probes.plan import Check, Limits
from monitor.probes.result import Probed
from monitor.probes.run import probe_all
from siaga.settings import Audit


@dataclass(frozen=True)
class Seen:
    """What an audit saw: address → its doors and what its agent answered, and the services with their older TLS."""

    doors: Mapping[str, Doors] = field(default_factory=dict)
    agents: Mapping[str, Answers] = field(default_factory=dict)
    services: tuple[tuple[Probed, bool, str | None], ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is asked: devices and addresses, and the checks of services."""

    managed: Sequence[Managed]
    checks: Sequence[Check] = ()


async def look(
    plan: Plan,
    settings: Audit,
    limits: Limits,
    now: Callable[[], datetime],
    step: Callable[[object], None] | None,
) -> Seen:
    """Look at everything; never raises for what a host says or does not say."""
    doors, agents, services = await asyncio.gather(
        _doors(plan.managed, settings, step),
        _agents(plan.managed, settings),
        _services(plan.checks, settings, limits, now),
    )
    return Seen(doors, agents, tuple(services))


async def _doors(
    managed: Sequence[Managed], settings: Audit, step: Callable[[object], None] | None
) -> dict[str, Doors]:
    async def one(device: Managed) -> Doors:
        ports = Ports(device.ssh_port, settings.telnet_port, settings.http_ports, settings.https_ports)
        return await tried(device.spot.address, ports, settings.timeout_s, settings.look_s)

    found = await each(managed, one, concurrency=settings.concurrency, progress=step)
    return {d.address: d for d in found}


async def _agents(managed: Sequence[Managed], settings: Audit) -> dict[str, Answers]:
    pace = Pace(settings.guess_pps, settings.guess_timeout_s, retries=0)
    by_port: defaultdict[int, dict[str, Sequence[str]]] = defaultdict(dict)
    for device in managed:
        by_port[device.snmp_port][device.spot.address] = device.spot.words
    found: dict[str, Answers] = {}
    for port, hosts in by_port.items():
        found |= await guessed(hosts, port, pace, settings.communities)
    return found


async def _services(
    checks: Sequence[Check], settings: Audit, limits: Limits, now: Callable[[], datetime]
) -> list[tuple[Probed, bool, str | None]]:
    probed = await probe_all(checks, limits, concurrency=settings.concurrency, now=now)

    async def older(one: Probed) -> tuple[Probed, bool, str | None]:
        could, taken = (
            await tls.old(one.target, one.address, settings.timeout_s) if one.certificate else (False, None)
        )
        return one, could, taken

    return await each(tls.speaks_tls(probed), older, concurrency=settings.concurrency)


def judged(plan: Plan, seen: Seen, known: Records, now: datetime) -> list[Judged]:
    """Return every answer of every check."""
    found: list[Judged] = []
    for device in plan.managed:
        spot = device.spot
        doors = seen.doors.get(spot.address, Doors(spot.address))
        found += judge.judged(spot, doors, seen.agents.get(spot.address), now)
    for probed, could, old in seen.services:
        found += tls.judged(probed, old, could, now)
    today = now.date()
    found += records.end_of_life(known.boxes, today)
    found += records.firmware(known.boxes)
    found += records.accounts(known.logins, today)
    found += records.proposals(known.proposals)
    found += records.strangers(known.strangers)
    return found
