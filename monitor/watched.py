"""Whom the service asks and how often: devices with their targets and periods, and services with their checks."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlmodel import Session, select

from inventory import layers
from inventory.models import Device
from inventory.models import Service as ServiceRow
from monitor import store
from monitor.probes.plan import Check, planned
from monitor.probes.store import services
from monitor.targets import Target
from siaga.secrets import Vault
from siaga.settings import Monitor, Settings
from siaga.text import safe

KEY = "poll"  # the variable of layers
_LOWEST_S, _HIGHEST_S = 0.1, 7 * 86_400.0


@dataclass(frozen=True)
class Periods:
    """How often, in seconds, one device is asked."""

    reachability_s: float = 30.0
    counters_s: float = 60.0
    health_s: float = 300.0
    metadata_s: float = 3600.0


@dataclass(frozen=True)
class Watched:
    """One device that is asked."""

    id: int
    target: Target
    periods: Periods


@dataclass(frozen=True)
class Roll:
    """Who is watched; `problems` are sentences on what could not be read. `services`: id → its check."""

    devices: Mapping[int, Watched]
    services: Mapping[int, Check]
    problems: tuple[str, ...] = ()

    @property
    def shared(self) -> frozenset[str]:
        """The addresses that more than one device has, as behind a router with port forwarding."""
        counts = Counter(d.target.address for d in self.devices.values())
        return frozenset(address for address, count in counts.items() if count > 1)


def periods(settings: Monitor, said: Any, *, ssh: bool = False) -> tuple[Periods, str]:
    """Return the periods of a device, and what is wrong with what its layers say; then the settings' hold."""
    slow = {"health_s": settings.ssh_s, "metadata_s": settings.ssh_s} if ssh else {}
    usual = Periods(**{f.name: slow.get(f.name, getattr(settings, f.name)) for f in fields(Periods)})
    if said is None:
        return usual, ""
    known = {f.name for f in fields(Periods)}
    if not isinstance(said, Mapping) or set(said) - known:
        return usual, f"{KEY} may say {', '.join(sorted(known))}"
    for key, value in said.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not _LOWEST_S <= value <= _HIGHEST_S
        ):
            return usual, f"{KEY}.{key} must be seconds from {_LOWEST_S:g} to {_HIGHEST_S:g}"
    return Periods(**{f.name: float(said.get(f.name, getattr(usual, f.name))) for f in fields(Periods)}), ""


def roll(session: Session, vault: Vault, settings: Settings, before: Roll | None = None) -> Roll:
    """Read who is watched. A device that stays as it was stays the same object: what engines know of it stays too."""
    ids = [i for i in session.exec(select(Device.id)) if i is not None]
    rows = store.devices_to_poll(session, ids)
    said = layers.merged(session, [d.id for d in rows if d.id is not None])
    problems: list[str] = []
    found: dict[int, Watched] = {}
    for target in store.targets(session, rows, vault, settings):
        device = target.device_id
        if device is None:
            continue
        if target.snmp is None and target.ssh is None:
            problems.append(f"device '{safe(target.name, 80)}' has no credential for its transport")
        own, wrong = periods(settings.monitor, said.get(device, {}).get(KEY), ssh=target.snmp is None)
        problems += [f"device '{safe(target.name, 80)}': {wrong}"] if wrong else []
        one = Watched(device, target, own)
        old = before.devices.get(device) if before else None
        found[device] = old if old == one else one
    return Roll(found, _checks(session, settings), tuple(problems))


def _checks(session: Session, settings: Settings) -> dict[int, Check]:
    ids = [i for i in session.exec(select(ServiceRow.id)) if i is not None]
    plans = {
        s.service_id: planned(s, settings.plugins, settings.checks.resolver)
        for s in services(session, ids)
        if s.service_id is not None
    }
    return {i: check for i, check in plans.items() if check is not None}
