"""What rules look at: every part of a device, and siaga itself, as subjects with named values. Pure.

A value that was not observed is None, or is not there. Facts are words that do not change from poll to poll, by
which a rule's `where` chooses.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from monitor.observation import Observation, Port, Sensor, Thresholds
from monitor.rules.verdict import Value

_LONGEST = 200  # characters of a name
_NOT_JUDGED = ("buffer", "cache", "swap", "shared", "virtual")  # memory that is meant to be used
_UNJUDGED = ("recording", "firmware")  # kinds of storage that may be full
# Full from the first day and for ever: device nodes, and images that are only read (Junos' packages, snaps, CDs).
_IMAGES = re.compile(
    r"\b(?:devfs|procfs|fdescfs|squashfs|cd9660|iso9660)\b"
    r"|^/dev/md\d+(?:\.uzip)?, mounted on: /(?:\.mount/)?(?:packages|junos)\b|\.uzip\b"
    r"|^(?:/var/lib/snapd)?/snap/|^/(?:dev|proc|rom)$|^/(?:media|mnt)/(?:cdrom|dvd|iso)\d*\b"
)


@dataclass(frozen=True)
class Subject:
    """One thing that rules look at. `name` is '' for the device itself; `limits` are the device's own."""

    kind: str
    name: str
    values: Mapping[str, Value]
    facts: Mapping[str, str] = field(default_factory=dict)
    limits: Thresholds | None = None


@dataclass(frozen=True)
class Committed:
    """What a contract promises on an interface, in bits per second (None: not written down)."""

    connection: str
    down_bps: int | None
    up_bps: int | None


@dataclass(frozen=True)
class Wired:
    """A recorded link at one of its ends; `away`: the device at the other end is down, or cut off, itself."""

    link: str
    role: str = "primary"
    kind: str = ""
    capacity_bps: int | None = None
    away: bool = False


@dataclass(frozen=True)
class Flow:
    """What the counters of an interface come to, over the last interval. None: not observed."""

    in_bps: float | None = None
    out_bps: float | None = None
    errors_per_min: float | None = None
    discards_per_min: float | None = None


@dataclass(frozen=True)
class Around:
    """What is known of a device besides what it said; by interface name."""

    flows: Mapping[str, Flow] = field(default_factory=dict)
    committed: Mapping[str, Committed] = field(default_factory=dict)
    links: Mapping[str, Wired] = field(default_factory=dict)
    config_age_s: float | None = None


def of_state(state: str) -> Subject:
    """Return the subject that is the device as such. One that nobody can see has no state that a rule may judge."""
    seen = None if state in ("not observed", "maintenance") else state
    return Subject("device", "", {"state": seen})


def subjects(seen: Observation, ports: Mapping[str, Port], around: Around) -> Iterator[Subject]:
    """Yield what a device's answer holds; `ports` by the names that outlive a reboot."""
    device: dict[str, Value] = {"uptime_s": seen.uptime_s, "config_age_s": around.config_age_s}
    if seen.processors:
        # The mean is judged: one busy core of many is fine.
        device["cpu_pct"] = sum(p.percent for p in seen.processors) / len(seen.processors)
    yield Subject("device", "", device)
    pools = [p for p in seen.mempools if not any(word in p.descr.lower() for word in _NOT_JUDGED)]
    for name, pool in zip(_named(p.descr for p in pools), pools, strict=True):
        yield Subject("memory", name, {"used_pct": pool.percent})
    disks = [d for d in seen.storage if d.kind not in _UNJUDGED and not _IMAGES.search(d.descr)]
    for name, disk in zip(_named(d.descr for d in disks), disks, strict=True):
        yield Subject("disk", name, {"used_pct": disk.percent}, {"kind": disk.kind})
    yield from _sensors(seen)
    for name, port in ports.items():
        yield from _port(name, port, around)


def _named(descriptions: Iterable[str]) -> Iterator[str]:
    """Yield names of which no two are the same: what is called as another before it has its number."""
    known: Counter[str] = Counter()
    for descr in descriptions:
        name = descr[:_LONGEST]
        known[name] += 1
        yield name if known[name] == 1 else f"{name} #{known[name]}"


def _sensors(seen: Observation) -> Iterator[Subject]:
    shared = Counter((s.kind, s.descr) for s in seen.sensors)
    for sensor in seen.sensors:
        alone = shared[sensor.kind, sensor.descr] == 1
        name = sensor.descr[:_LONGEST] if alone else f"{sensor.descr[:_LONGEST]} ({sensor.oid})"
        facts = {"class": sensor.kind, "group": sensor.group, "title": sensor.descr}
        yield Subject("sensor", name, _values(sensor), facts, sensor.limits)


def _values(sensor: Sensor) -> dict[str, Value]:
    if sensor.state is None:
        return {"value": sensor.value}
    return {
        "severity": None if sensor.state.severity == "unknown" else sensor.state.severity,
        "label": sensor.state.label,
        "said": said(sensor.descr, sensor.state.label),
    }


def said(title: str, label: str) -> str:
    """Return a state in words that are the same for each of many like parts: 'Battery 2' is a battery."""
    kind = " ".join(word for word in title[:_LONGEST].split() if not word.strip("#()").isdigit())
    return f"{kind}: {label}"


def _port(name: str, port: Port, around: Around) -> Iterator[Subject]:
    flow = around.flows.get(name, Flow())
    values: dict[str, Value] = {
        "errors_per_min": flow.errors_per_min,
        "discards_per_min": flow.discards_per_min,
        "oper": _oper(port),
    }
    yield Subject("interface", name, values)
    if promised := around.committed.get(name):
        yield from _connection(name, promised, flow)
    if wired := around.links.get(name):
        yield _link(name, port, wired, flow)


def _oper(port: Port) -> str | None:
    """Return up or down; what was switched off on purpose is neither."""
    if port.ifAdminStatus == "down" or not port.ifOperStatus:
        return None
    return "up" if port.ifOperStatus in ("up", "dormant") else "down"


def _connection(name: str, promised: Committed, flow: Flow) -> Iterator[Subject]:
    for direction, rate, limit in (
        ("in", flow.in_bps, promised.down_bps),
        ("out", flow.out_bps, promised.up_bps),
    ):
        if limit:
            used = None if rate is None else rate * 100 / limit
            facts = {"connection": promised.connection, "direction": direction}
            yield Subject("connection", f"{name} {direction}", {"used_pct": used, "bps": rate}, facts)


def _link(name: str, port: Port, wired: Wired, flow: Flow) -> Subject:
    rates = [r for r in (flow.in_bps, flow.out_bps) if r is not None]
    busier = max(rates, default=None)
    values: dict[str, Value] = {"oper": None if wired.away else _oper(port), "bps": busier}
    capacity = wired.capacity_bps or port.speed_bps
    if capacity and busier is not None:
        values["used_pct"] = busier * 100 / capacity
    return Subject("link", wired.link, values, {"role": wired.role, "kind": wired.kind, "interface": name})
