"""An observation as text that a person likes to read: who it is, how it is, what is not well first, then its ports."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from monitor.observation import Identity, Mempool, Observation, Processor, Reach, Sensor, Storage
from monitor.show import duration, octets, rate
from siaga.clock import shown
from siaga.outcome import Column, Format, Outcome
from siaga.render import render, terminal_columns
from siaga.text import safe

_LISTED = 12  # rows of one class of sensors, of processors, of addresses; -o wide lists all
_BAR = 20  # characters
_STYLE = {
    ("oper", "up"): "green",
    ("oper", "down"): "red",
    **{("state", s): c for s, c in (("ok", "green"), ("warning", "yellow"), ("critical", "bold red"))},
}
_RANK = {"critical": 0, "warning": 1, "unknown": 2, "ok": 3, "": 3}


def described(seen: Observation, output: Format = Format.table) -> str:
    """Return an observation as text for people; `-o wide` leaves nothing out."""
    how = f"{seen.transport}  {seen.reach.value}  {shown(seen.at)}  {seen.took_s:.2f} s"
    head = "  ".join([*_whom(seen), how]) + "\n"
    if seen.reach in (Reach.silent, Reach.refused, Reach.garbage):
        return head
    wide = output is Format.wide
    return "\n".join(part for part in (head + _facts(seen), *_parts(seen, wide)) if part)


def _whom(seen: Observation) -> list[str]:
    """Return the name and where it was asked; one of them where both are the same. A recording has no port."""
    host = f"[{seen.address}]" if ":" in seen.address else seen.address
    where = f"{host}:{seen.port}" if seen.port else seen.address
    return [safe(name) for name in dict.fromkeys((seen.name, where)) if name != seen.address or name == where]


def _parts(seen: Observation, wide: bool) -> Iterator[str]:
    yield _load(seen.processors, wide)
    yield _fill("Memory", seen.mempools)
    yield _fill("Disks", seen.storage)
    yield _sensors(seen.sensors, wide)
    yield _table(
        "Radios", [_reading(w.kind, w.descr, w.value, w.unit) for w in seen.wireless], right={"value"}
    )
    yield _table("Supplies", [_supply(s.descr, s.percent, s.remark) for s in seen.supplies], right={"left"})
    yield _ports(seen)
    heard = [
        {
            "port": n.local,
            "neighbour": n.remote_host,
            "its port": n.remote_port,
            "address": n.remote_address,
            "MAC": n.remote_mac,
            "by": n.protocol,
        }
        for n in seen.neighbours
    ]
    yield _table("Neighbours", heard)


def _facts(seen: Observation) -> str:
    identity = seen.identity
    lengths = ((a.address, "" if a.prefixlen is None else f"/{a.prefixlen}") for a in seen.ipv4)
    addresses = [address + length for address, length in lengths]
    more = f" and {len(addresses) - _LISTED} more" if len(addresses) > _LISTED else ""
    facts = {
        "name": identity.sysName,
        "platform": _platform(identity),
        "model": identity.hardware,
        "version": identity.version,
        "serial": identity.serial,
        "base MAC": identity.base_mac,
        "engine ID": identity.engine_id,
        "location": identity.sysLocation,
        "contact": identity.sysContact,
        "describes as": identity.sysDescr,
        "uptime": duration(seen.uptime_s) if seen.uptime_s is not None else "",
        "addresses": ", ".join(addresses[:_LISTED]) + more,
    }
    return "".join(_fact(k, safe(v, 300)) for k, v in facts.items() if v)


def _platform(identity: Identity) -> str:
    """Return the maker and the platform, or what is known of a device of which there is no platform."""
    if identity.os or not identity.sysObjectID:
        return " ".join(filter(None, (identity.vendor, identity.os)))
    known = ", ".join(filter(None, (identity.vendor, f"sysObjectID {identity.sysObjectID}")))
    return f"not known yet ({known}); 'siaga platform record' makes a draft of it"


def _fact(name: str, text: str) -> str:
    """Return a fact, on a terminal in lines that begin below each other."""
    room = terminal_columns()
    lines = wrap(text, max(30, room - 15), break_on_hyphens=False) if room else [text]
    return "".join(f"  {label:<13}{line}\n" for label, line in zip_longest([name], lines, fillvalue=""))


def _load(processors: Sequence[Processor], wide: bool) -> str:
    if len(processors) > _LISTED and not wide:
        loads = [p.percent for p in processors]
        busiest = max(processors, key=lambda p: p.percent)
        mean = sum(loads) / len(loads)
        text = f"{len(loads)} processors, {mean:.0f} % busy, the busiest {busiest.percent:.0f} %: {busiest.descr}"
        return f"Processors\n  {_bar(mean)}  {safe(text, 200)}\n"
    return _lines("Processors", ((p.descr, p.percent, "") for p in processors))


def _fill(title: str, pools: Sequence[Mempool | Storage]) -> str:
    return _lines(title, ((p.descr, p.percent, _of(p)) for p in pools))


def _of(pool: Mempool | Storage) -> str:
    if pool.total is None or pool.used is None:
        return ""
    return f"{_size(pool.used)} of {_size(pool.total)}"


def _lines(title: str, rows: Iterable[tuple[str, float, str]]) -> str:
    several = [(safe(name, 40), percent, more) for name, percent, more in rows]
    if not several:
        return ""
    width = max(len(name) for name, _, _ in several)
    lines = [f"  {_bar(p)} {p:>4.0f} %  {name:<{width}}  {more}".rstrip() + "\n" for name, p, more in several]
    return f"{title}\n" + "".join(lines)


def _bar(percent: float) -> str:
    full = round(min(100.0, max(0.0, percent)) * _BAR / 100)
    return "█" * full + "░" * (_BAR - full)


def _size(octets: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if octets < 1024:
            return f"{octets:.0f} {unit}" if unit == "B" else f"{octets:.1f} {unit}"
        octets /= 1024
    return f"{octets:.1f} TiB"


def _sensors(sensors: Sequence[Sensor], wide: bool) -> str:
    """Return what is not well first, then the readings class by class; states that are well are only counted."""
    by_kind: dict[str, list[Sensor]] = {}
    for sensor in sorted(sensors, key=lambda s: (_RANK[_state(s)[0]], s.kind)):
        by_kind.setdefault(sensor.kind, []).append(sensor)
    rows, hidden = [], []
    for kind, several in by_kind.items():
        well = [s for s in several if kind == "state" and _state(s)[0] == "ok"]
        listed = [_row(s) for s in several if wide or s not in well]
        listed = listed if wide else _merged(listed)[:_LISTED]
        rows += listed
        if rest := len(several) - sum(r.pop("times", 1) for r in listed):
            well_ones = "1 state that is well" if rest == 1 else f"{rest} states that are well"
            hidden.append(well_ones if kind == "state" else f"{rest} more of {kind}")
    more = f"  and {', '.join(hidden)} (-o wide lists them)\n" if hidden else ""
    if not rows and more:
        return f"Sensors\n{more}"
    return _table("Sensors", rows, right={"value"}) + more


def _merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that say the same as one, with how many there are."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        same = found.setdefault(tuple(row.values()), {**row, "times": 0})
        same["times"] += 1
    for row in found.values():
        if row["times"] > 1:
            row["sensor"] = f"{row['sensor']} (× {row['times']})"
    return list(found.values())


def _row(sensor: Sensor) -> dict[str, Any]:
    severity, label = _state(sensor)
    value = {"value": "", "unit": ""} if sensor.state else {}
    limits = sensor.limits
    most = limits.critical if limits and limits.critical is not None else limits.warning if limits else None
    return {
        **_reading(sensor.kind, sensor.descr, sensor.value, sensor.unit),
        **value,
        "state": severity,
        "says": label or (f"limit {most:g}" if most is not None else ""),
    }


def _state(sensor: Sensor) -> tuple[str, str]:
    """Return (severity, what is said) of a sensor: of its own state, or by the limits that the device holds."""
    if sensor.state:
        return sensor.state.severity, sensor.state.label
    limits = sensor.limits
    if limits is None:
        return "", ""
    for severity, high, low in (
        ("critical", limits.critical, limits.low_critical),
        ("warning", limits.warning, limits.low_warning),
    ):
        if (high is not None and sensor.value >= high) or (low is not None and sensor.value <= low):
            return severity, f"beyond {severity}"
    return "", ""


def _reading(kind: str, descr: str, value: float, unit: str) -> dict[str, Any]:
    if unit == "bit/s":
        shown_value, _, unit = rate(round(value)).partition(" ")
        return {"class": kind, "sensor": descr, "value": shown_value, "unit": unit}
    return {"class": kind, "sensor": descr, "value": f"{round(value, 2):.10g}", "unit": unit}


def _supply(descr: str, percent: float | None, remark: str) -> dict[str, Any]:
    return {"supply": descr, "left": remark if percent is None else f"{percent:.0f} %"}


def _ports(seen: Observation) -> str:
    rows = [
        {
            "index": p.ifIndex,
            "name": p.ifName or p.ifDescr,
            "alias": p.ifAlias,
            "admin": p.ifAdminStatus,
            "oper": p.ifOperStatus,
            "speed": rate(p.speed_bps) if p.speed_bps else "",  # zero says that it has none (RFC 2863)
            "in": octets(p.in_octets),
            "out": octets(p.out_octets),
            "errors": None
            if p.in_errors is p.out_errors is None
            else (p.in_errors or 0) + (p.out_errors or 0),
        }
        for p in seen.ports
    ]
    right = {"index", "speed", "in", "out", "errors"}
    return _table("Ports", rows, right=right) or "Ports\n  no interfaces\n"


def _table(title: str, rows: list[dict[str, Any]], right: Iterable[str] = ()) -> str:
    if not rows:
        return ""
    there = [k for k in rows[0] if any(row.get(k) not in (None, "") for row in rows)]
    columns = [Column(k, k.replace("_", " "), right=k in right) for k in there]
    lines = render(Outcome(rows, columns, style=_STYLE)).splitlines()
    return f"{title}\n" + "".join(f"  {line}\n" for line in lines)
