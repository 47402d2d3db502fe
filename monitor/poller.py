"""One round: ask every selected device once, keep what it said, judge its state, open and close alerts.

The asking is concurrent and bounded; the keeping is one transaction for states and one for samples.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from inventory.history import Author
from inventory.host_keys import KNOWN_HOSTS, note_first_uses
from inventory.store import reading, session
from monitor import store
from monitor.alarms import take
from monitor.login_alarms import judge as judge_keys
from monitor.models import Alert, StateChange
from monitor.news import news_of
from monitor.observation import Observation, Reach, Sensor
from monitor.propose import held_apart
from monitor.rates import Count, rates_bps
from monitor.samples import Asked, Key, Sample, SampleStore, open_samples, polls_of
from monitor.scene import open_scene
from monitor.targets import Target
from siaga.hostkeys import HostKeys
from siaga.secrets import open_vault
from siaga.settings import Settings

_COUNTERS = ("in_octets", "out_octets")
_SMALL = ("in_errors", "out_errors", "in_discards", "out_discards")


@dataclass(frozen=True)
class Round:
    """What one round brought; `proposals` ask about boxes that answered in another's place."""

    observations: tuple[Observation, ...]
    changes: tuple[StateChange, ...]
    opened: tuple[Alert, ...]
    closed: tuple[Alert, ...]
    seconds: float
    proposals: tuple[str, ...] = ()

    def count(self, *reaches: Reach) -> int:
        """Return how many devices were reached in one of these ways."""
        return sum(o.reach in reaches for o in self.observations)


def poll(
    engine: Engine,
    settings: Settings,
    ids: Sequence[int],
    *,
    run_id: int,
    now: Callable[[], datetime],
    progress: Callable[[Observation], None] | None = None,
    full: bool = True,
) -> Round:
    """Ask the devices with these ids once. Never raises for a device; see `Round`."""
    started = now()
    with reading(engine) as opened:
        devices = store.devices_to_poll(opened, ids)
        vault = open_vault(settings.home)
        asked = store.targets(opened, devices, vault, settings)
    observations = asyncio.run(ask(asked, settings, now=now, progress=progress, full=full))
    seen = {t.device_id: o for t, o in zip(asked, observations, strict=True) if t.device_id is not None}
    with open_samples(settings.home) as samples:
        samples.write(polls_of((s for d, o in seen.items() for s in samples_of(d, o)), _asked(seen)))
        judgement = _judge(engine, settings, samples, seen, run_id=run_id, now=now())
        took_s = (now() - started).total_seconds()
        samples.maintain(now(), settings.samples.kept_days)
    return Round(tuple(observations), *judgement[:3], took_s, judgement[3])


async def ask(
    targets: Sequence[Target],
    settings: Settings,
    *,
    now: Callable[[], datetime],
    progress: Callable[[Observation], None] | None = None,
    full: bool = True,
) -> list[Observation]:
    """Read all targets, those of SNMP and those of SSH side by side; the answers come in the same order."""
    answers: dict[int, Observation] = {}
    by_snmp = [(i, t) for i, t in enumerate(targets) if t.snmp is not None]
    by_ssh = [(i, t) for i, t in enumerate(targets) if t.snmp is None and t.ssh is not None]
    for i, target in enumerate(targets):
        if target.snmp is None and target.ssh is None:
            answers[i] = _without_credential(target, now())
    snmp_seen, ssh_seen = await asyncio.gather(
        _by_snmp([t for _, t in by_snmp], settings, now, progress, full),
        _by_ssh([t for _, t in by_ssh], settings, now, progress),
    )
    answers.update({i: o for (i, _), o in zip(by_snmp, snmp_seen, strict=True)})
    answers.update({i: o for (i, _), o in zip(by_ssh, ssh_seen, strict=True)})
    return [answers[i] for i in range(len(targets))]


async def _by_snmp(
    targets: Sequence[Target],
    settings: Settings,
    now: Callable[[], datetime],
    progress: Callable[[Observation], None] | None,
    full: bool,
) -> list[Observation]:
    if not targets:
        return []
    from monitor import engine_book, snmp

    engines = snmp.Engines(settings.poll, engine_book.EngineBook(settings.home / engine_book.FILE))
    return await snmp.observe_all(
        targets,
        concurrency=settings.poll.concurrency,
        now=now,
        progress=progress,
        full=full,
        engines=engines,
    )


async def _by_ssh(
    targets: Sequence[Target],
    settings: Settings,
    now: Callable[[], datetime],
    progress: Callable[[Observation], None] | None,
) -> list[Observation]:
    if not targets:
        return []
    from monitor import ssh

    known = HostKeys(settings.home / KNOWN_HOSTS, accept_new=settings.ssh.accept_new_host_keys)
    return await ssh.observe_all(
        targets,
        concurrency=settings.ssh.concurrency,
        now=now(),
        known_hosts=known,
        progress=progress,
        timeout_s=settings.ssh.timeout_s,
    )


def _without_credential(target: Target, now: datetime) -> Observation:
    """A device nobody can log in to is not observed; that is said, not hidden."""
    return Observation(
        target.name,
        target.address,
        target.snmp_port,
        "none",
        now,
        Reach.refused,
        f"{target.name} has no credential for its transport: siaga device set {target.name} credential=NAME",
    )


def samples_of(device_id: int, seen: Observation) -> list[Sample]:
    """Return the samples of one observation; what was not observed has none."""
    found: list[Sample] = []

    def add(metric: str, instance: str, value: float | None, scale: int = 1) -> None:
        if value is not None and abs(value * scale) < (2**64 if metric.endswith("_64") else 2**63):
            found.append(Sample(device_id, metric, instance, seen.at, round(value * scale)))

    add("uptime", "", seen.uptime_s, 100)
    if seen.processors:
        add("cpu", "", sum(p.percent for p in seen.processors) / len(seen.processors), 100)
    for pool in seen.mempools:
        add("memory", pool.descr, pool.percent, 100)
    for name, sensor in _named(seen.sensors):
        add(sensor.kind, name, sensor.value, 100 if sensor.kind == "temperature" else 1000)
    for name, port in store.named_ports(seen.ports).items():
        suffix = "_64" if port.octets_bits == 64 else ""
        for metric in _COUNTERS:
            add(metric + suffix, name, getattr(port, metric))
        for metric in _SMALL:
            add(metric, name, getattr(port, metric))
        add("discontinuity", name, port.discontinuity_ticks)
        add("speed", name, port.speed_bps)
    return found


def _named(sensors: Sequence[Sensor]) -> Iterator[tuple[str, Sensor]]:
    """Yield sensors with names that none of the same class shares: the description, with the OID where it must be."""
    shared = Counter((s.kind, s.descr) for s in sensors)
    for sensor in sensors:
        alone = shared[sensor.kind, sensor.descr] == 1
        yield sensor.descr if alone else f"{sensor.descr} ({sensor.oid})", sensor


def _asked(seen: Mapping[int, Observation]) -> list[Asked]:
    answered = (Reach.up, Reach.partial)
    return [Asked(d, o.at, o.reach in answered) for d, o in seen.items() if o.transport != "none"]


def _judge(
    engine: Engine,
    settings: Settings,
    samples: SampleStore,
    seen: Mapping[int, Observation],
    *,
    run_id: int,
    now: datetime,
) -> tuple[tuple[StateChange, ...], tuple[Alert, ...], tuple[Alert, ...], tuple[str, ...]]:
    """Keep what a round says; return the changes of state, the alerts opened and closed, and the proposals."""
    with session(engine) as opened:
        # A box that answers in another's place is asked about; the row keeps what its own box said.
        own, asked = held_apart(opened, Author("siaga", now, cause=f"poll {run_id}"), seen)
        store.keep_identity(opened, own, cause=f"poll {run_id}")
        store.keep_interfaces(opened, own)
        scene = open_scene(opened, settings, now)
        news = news_of(opened, scene, samples, seen, now)
        taken = take(opened, scene, news, now, run_id=run_id)
        keys = {o.name: o.host_key for o in seen.values() if o.host_key}
        judge_keys(opened, settings, keys, now, run_id=run_id, scene=scene)
        if keys:
            note_first_uses(opened, settings.home, who="siaga", now=now, cause=f"poll {run_id}")
    names = dict.fromkeys(p.proposal for p in asked if p.proposal)
    return taken.changes, taken.opened, taken.closed, tuple(names)


Points = list[tuple[datetime, float]]


def rate_series(
    samples: SampleStore,
    device_id: int,
    names: Sequence[str],
    speeds_bps: Mapping[str, int | None],
    start: datetime,
    end: datetime,
) -> dict[str, tuple[Points, Points]]:
    """Return interface → (in, out) rates in bits per second over a window, 64-bit counters where there are any."""
    metrics = [m + suffix for m in _COUNTERS for suffix in ("_64", "")]
    keys: list[Key] = [(device_id, m, n) for n in names for m in metrics]
    keys += [(device_id, "discontinuity", n) for n in names] + [(device_id, "uptime", "")]
    values = {key: series.points() for key, series in samples.read(keys, start, end).items()}
    uptimes = {at: value / 100 for at, value in values.get((device_id, "uptime", ""), [])}
    found: dict[str, tuple[Points, Points]] = {}
    for name in names:
        marks = dict(values.get((device_id, "discontinuity", name), []))
        pair = []
        for metric in _COUNTERS:
            wide = values.get((device_id, metric + "_64", name), [])
            raw = wide or values.get((device_id, metric, name), [])
            counts = [Count(at, v, uptimes.get(at), marks.get(at)) for at, v in raw]
            pair.append(rates_bps(counts, bits=64 if wide else 32, speed_bps=speeds_bps.get(name)))
        if pair[0] or pair[1]:
            found[name] = (pair[0], pair[1])
    return found
