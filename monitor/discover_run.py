"""One sweep from its plan to what is kept of it, alone on this machine, and kept also when it is cut off."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Engine

from inventory import ipam_nodes, ipam_ports
from inventory.history import Author
from inventory.store import labels, reading
from inventory.store import session as writing
from monitor import arp, links, lldp
from monitor.cut_off import CutOff
from monitor.discover import Sweep
from monitor.discover_keep import Kept, keep
from monitor.hosts import Plan, Tally
from monitor.tcp_ports import open_ports
from siaga.clock import utc_now
from siaga.errors import TemporaryError
from siaga.lock import held
from siaga.settings import Settings

_PORTS_UP_TO = 4096  # hosts without SNMP: of more, ports are looked at only when somebody names them

_TRIES = 6  # to get at the database, of which each waits as long as any command does


def alone(settings: Settings) -> AbstractContextManager[None]:
    """Hold the lock of sweeps: two at once would ask the same devices at twice the rate that was allowed."""
    sentence = "Another sweep is running (pid {pid}): wait for its end."
    return held(settings.home / "discover.lock", "sweep-running", sentence)


@dataclass(frozen=True)
class Swept:
    """A sweep that ended, whether it came to its `whole` end or was cut off."""

    sweep: Sweep
    whole: bool


def sweep(plan: Plan, cut: CutOff, told: Callable[[Tally], None] | None = None) -> Swept:
    """Sweep, then look at TCP ports; what was found stays when it is cut off."""
    found = Sweep(plan, now=utc_now, told=told)
    return Swept(found, whole=cut.run(_all(found)))


async def _all(found: Sweep) -> None:
    plan = found.plan
    if len(plan.logins) > plan.attempts:
        most = f"At most {plan.attempts} of the {len(plan.logins)} credentials are tried at one address"
        found.notes.append(f"{most}: see 'attempts' of [discover].")
    await found.run()
    wanted = [h.address for h in found.hosts.values() if h.login is not None and not h.same_as]
    others = [h.address for h in found.hosts.values() if h.login is None]
    if plan.ports and len(others) > _PORTS_UP_TO and not plan.ports_of_all:
        found.notes.append(
            f"TCP ports of {len(others):,} hosts without SNMP were not looked at: --ports does it."
        )
    else:
        wanted += others
    for address, ports in (await open_ports(wanted, plan.ports)).items():
        found.hosts[address].ports = ports


def kept(engine: Engine, author: Author, found: Sweep, *, all_alive: bool, dry_run: bool) -> Kept:
    """Keep what was found, or only say what would be kept.

    A sweep takes long and is worth a longer wait for the database than any command has. Raises TemporaryError.
    """
    for left in reversed(range(_TRIES)):
        try:
            return _kept(engine, author, found, all_alive=all_alive, dry_run=dry_run)
        except TemporaryError as error:
            if error.code != "database-busy" or not left:
                raise
    raise AssertionError


def _kept(engine: Engine, author: Author, found: Sweep, *, all_alive: bool, dry_run: bool) -> Kept:
    with writing(engine) as session:
        result = keep(session, author, found.hosts, port=found.plan.port, all_alive=all_alive)
        if dry_run:
            session.rollback()
    return result


def topology(
    engine: Engine, settings: Settings, plan: Plan, known: Kept, author: Author, *, dry_run: bool
) -> list[str]:
    """Ask the known devices who hangs where, as 'siaga link check' and 'siaga ipam scan' do; return it in sentences."""
    names = {f.proposed.device for f in known.found if f.what == "known" and f.proposed}
    with reading(engine) as session:
        ids = [i for i, name in labels(session, "device").items() if name in names]
    asked = [t for t in links.targets(engine, settings, ids) if plan.scope.holds(t.address)]
    if not asked:
        return []
    answers = asyncio.run(lldp.ask(asked, concurrency=plan.concurrency))
    counts = links.hold(engine, settings, answers, author, dry_run=dry_run).counts
    sentence = (
        f"Links of {counts['asked']} known devices: {counts['confirmed']} confirmed,"
        f" {counts['conflicting']} conflicting, {counts['not_recorded']} not recorded."
    )
    if dry_run:
        return [sentence]
    scan = arp.scan(engine, settings, [t.device_id for t in asked if t.device_id], now=utc_now)
    ports = [ipam_ports.told(scan.placed)] if scan.placed.macs else []
    return [sentence, ipam_nodes.told(scan.kept), *ports]
