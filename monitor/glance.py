"""A glance at some devices and services, now: whoever changes them compares it with one before. Nothing is stored."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from inventory.store import labels, reading
from monitor import store
from monitor.observation import Observation, Reach
from monitor.poller import ask
from monitor.probes.plan import Check, limits, planned
from monitor.probes.result import Probed
from monitor.probes.result import Verdict as Found
from monitor.probes.run import probe_all
from monitor.probes.store import services as service_rows
from monitor.targets import Target
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Settings

_STATES = {
    Reach.up: "up",
    Reach.partial: "up",
    Reach.silent: "down",
    Reach.refused: "refused",
    Reach.garbage: "not itself",
}
_SERVICE_STATES = {Found.ok: "up", Found.warning: "up", Found.critical: "down", Found.unknown: "not observed"}


@dataclass(frozen=True)
class Glimpse:
    """One device or service. `state`: up, down, refused (it would not have us), not itself, not observed.

    `neighbours`: who it hears (LLDP, CDP, MNDP) as 'port host'; None where it tells of none.
    """

    state: str
    reason: str = ""
    neighbours: frozenset[str] | None = None


@dataclass(frozen=True)
class Glance:
    """What was seen, by name. What is not in it was not observed."""

    devices: Mapping[str, Glimpse] = field(default_factory=dict)
    services: Mapping[str, Glimpse] = field(default_factory=dict)


@dataclass(frozen=True)
class Eyes:
    """Looks with this inventory and these settings."""

    engine: Engine
    settings: Settings

    def glance(self, devices: Sequence[str], services: Sequence[str]) -> Glance:
        """Ask the devices and check the services with these names; who is silent is a value, never an exception."""
        with reading(self.engine) as session:
            ids = {name: i for i, name in labels(session, "device").items()}
            rows = store.devices_to_poll(session, [ids[n] for n in devices if n in ids])
            targets = store.targets(session, rows, open_vault(self.settings.home), self.settings)
            known = {name: i for i, name in labels(session, "service").items()}
            wanted = service_rows(session, [known[n] for n in services if n in known])
        targets = [t for t in targets if t.snmp is not None or t.ssh is not None]
        checks = [planned(s, self.settings.plugins, self.settings.checks.resolver) for s in wanted]
        return asyncio.run(self._both(targets, [c for c in checks if c is not None]))

    async def _both(self, targets: Sequence[Target], checks: Sequence[Check]) -> Glance:
        bounds = limits(self.settings.checks)
        concurrency = self.settings.checks.concurrency
        seen, probed = await asyncio.gather(
            ask(targets, self.settings, now=utc_now),
            probe_all(checks, bounds, concurrency=concurrency, now=utc_now),
        )
        return Glance({o.name: glimpse(o) for o in seen}, {p.name: _service(p) for p in probed})


def glimpse(seen: Observation) -> Glimpse:
    """Return what an observation comes to."""
    heard = {f"{n.local} {n.remote_host or n.remote_mac}".strip() for n in seen.neighbours}
    return Glimpse(_STATES[seen.reach], seen.reason, frozenset(heard) if heard else None)


def _service(probed: Probed) -> Glimpse:
    return Glimpse(_SERVICE_STATES[probed.verdict], probed.reason)
