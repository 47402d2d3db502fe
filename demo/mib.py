"""What a simulated device would answer: its whole MIB as one sorted table, encoded as far as it can be.

SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), HOST-RESOURCES-MIB (RFC 2790), ENTITY-MIB (RFC 6933), and what
data/makes.toml says of the make.
"""

import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from demo import ber
from demo.ber import Oid
from demo.traffic import Flow, Gauge

MAKES = Path(__file__).parent / "data" / "makes.toml"
Encoder = Callable[[float], bytes]
WORD, LONG = 2**32, 2**64


@dataclass(frozen=True)
class PortSpec:
    """One interface; `errors_h` are input errors an hour (discards are a quarter of them)."""

    index: int
    name: str
    alias: str
    type: int
    speed_bps: int
    mac: bytes
    rx: Flow
    tx: Flow
    oper_up: bool = True
    admin_up: bool = True
    errors_h: float = 0.0


@dataclass(frozen=True)
class DeviceSpec:
    """One device as its agent shows it. `uptime_s` is at the start of the simulation; memory in octets."""

    name: str
    platform: str
    model: str
    version: str
    serial: str
    location: str
    ports: tuple[PortSpec, ...]
    uptime_s: float
    cpu: Gauge
    cores: int
    memory_total: int
    memory: Gauge
    temperature: Gauge
    room: Gauge
    contact: str = "Diskominfo (simulasi)"


class Tree:
    """Every object of one device in lexicographic order; `bind` gives one variable binding at a time."""

    def __init__(self, entries: Mapping[Oid, bytes | Encoder]) -> None:
        self.oids = sorted(entries)
        self.names = [ber.oid(o) for o in self.oids]
        self._moving = {i: v for i, o in enumerate(self.oids) if callable(v := entries[o])}
        self._fixed = [
            b"" if callable(v := entries[o]) else ber.tlv(ber.SEQUENCE, self.names[i] + v)
            for i, o in enumerate(self.oids)
        ]
        self._place = {name: i for i, name in enumerate(self.names)}

    def find(self, name: bytes) -> int | None:
        """Return the place of exactly this encoded name."""
        return self._place.get(name)

    def after(self, name: bytes) -> int:
        """Return the place of the first object after this encoded name; len(oids) is the end of the view."""
        at = self._place.get(name)
        return at + 1 if at is not None else bisect_right(self.oids, _arcs(name))

    def has_object(self, name: bytes) -> bool:
        """Tell whether the object exists in another instance (noSuchInstance, not noSuchObject)."""
        arcs = _arcs(name)
        return any(self._under(arcs[:-cut]) for cut in (1, 2) if len(arcs) - cut >= 7)

    def _under(self, prefix: Oid) -> bool:
        at = bisect_left(self.oids, prefix)
        return at < len(self.oids) and self.oids[at][: len(prefix)] == prefix

    def bind(self, place: int, at_s: float) -> bytes:
        """Return the variable binding at `place`, as it is `at_s` seconds after the start."""
        moving = self._moving.get(place)
        return (
            self._fixed[place] if moving is None else ber.tlv(ber.SEQUENCE, self.names[place] + moving(at_s))
        )


def _arcs(name: bytes) -> Oid:
    start, stop = ber.body(name, 0, len(name), ber.OID)
    return ber.decoded_oid(name[start:stop])


def parsed(text: str) -> Oid:
    """Return the arcs of dotted numbers."""
    return tuple(int(arc) for arc in text.split("."))


@cache
def makes() -> dict[str, dict[str, Any]]:
    """Read data/makes.toml."""
    return tomllib.loads(MAKES.read_text("utf-8"))


def tree(device: DeviceSpec) -> Tree:
    """Build the table of one device."""
    make = makes()[device.platform]
    entries: dict[Oid, bytes | Encoder] = {}
    entries |= _system(device, make) | _interfaces(device)
    if make.get("hr"):
        entries |= _host(device)
    if make.get("entity"):
        entries |= _chassis(device, make)
    for dotted, what, kind, factor in make.get("values", ()):
        entries[parsed(dotted)] = _value(device, what, kind, float(factor))
    return Tree(entries)


def _text(text: str) -> bytes:
    return ber.tlv(ber.OCTETS, text.encode())


def _filled(device: DeviceSpec, form: str) -> str:
    """Fill a text of makes.toml in with what the device is called."""
    return form.format(model=device.model, version=device.version, serial=device.serial, name=device.name)


def _system(device: DeviceSpec, make: Mapping[str, Any]) -> dict[Oid, bytes | Encoder]:
    start = device.uptime_s
    base = (1, 3, 6, 1, 2, 1, 1)
    return {
        (*base, 1, 0): _text(_filled(device, make["sys_descr"])),
        (*base, 2, 0): ber.oid(parsed(make["sys_object_id"])),
        (*base, 3, 0): lambda at: ber.integer(int((start + at) * 100) % WORD, ber.TIMETICKS),
        (*base, 4, 0): _text(device.contact),
        (*base, 5, 0): _text(device.name),
        (*base, 6, 0): _text(device.location),
        (*base, 7, 0): ber.integer(78),
        (1, 3, 6, 1, 2, 1, 2, 1, 0): ber.integer(len(device.ports)),
    }


def _interfaces(device: DeviceSpec) -> dict[Oid, bytes | Encoder]:
    entries: dict[Oid, bytes | Encoder] = {}
    for port in device.ports:
        entries |= {(1, 3, 6, 1, 2, 1, 2, 2, 1, c, port.index): v for c, v in _if_row(device, port).items()}
        entries |= {(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, c, port.index): v for c, v in _ifx_row(port).items()}
    return entries


def _if_row(device: DeviceSpec, port: PortSpec) -> dict[int, bytes | Encoder]:
    """Return the columns of ifTable."""
    return {
        1: ber.integer(port.index),
        2: _text(port.name),
        3: ber.integer(port.type),
        4: ber.integer(1500),
        5: ber.integer(min(port.speed_bps, WORD - 1), ber.GAUGE32),
        6: ber.tlv(ber.OCTETS, port.mac),
        7: ber.integer(1 if port.admin_up else 2),
        8: ber.integer(1 if port.oper_up else 2),
        9: ber.integer(0, ber.TIMETICKS),
        10: _octets(port, port.rx, ber.COUNTER32, WORD),
        13: _events(port.errors_h / 4, device.uptime_s),
        14: _events(port.errors_h, device.uptime_s),
        16: _octets(port, port.tx, ber.COUNTER32, WORD),
        19: _events(port.errors_h / 8, device.uptime_s),
        20: _events(port.errors_h / 16, device.uptime_s),
    }


def _ifx_row(port: PortSpec) -> dict[int, bytes | Encoder]:
    """Return the columns of ifXTable; ifCounterDiscontinuityTime is 0: none since the start."""
    return {
        1: _text(port.name),
        6: _octets(port, port.rx, ber.COUNTER64, LONG),
        10: _octets(port, port.tx, ber.COUNTER64, LONG),
        15: ber.integer(port.speed_bps // 1_000_000, ber.GAUGE32),
        18: _text(port.alias),
        19: ber.integer(0, ber.TIMETICKS),
    }


def _octets(port: PortSpec, flow: Flow, tag: int, modulus: int) -> bytes | Encoder:
    """Return the octet counter: it stands still where the port is down."""
    if not (port.oper_up and port.admin_up):
        return ber.integer(flow.first % modulus, tag)
    return lambda at: ber.integer(flow.octets(at) % modulus, tag)


def _events(per_hour: float, uptime_s: float) -> bytes | Encoder:
    if not per_hour:
        return ber.integer(0, ber.COUNTER32)
    return lambda at: ber.integer(int((uptime_s + at) * per_hour / 3600) % WORD, ber.COUNTER32)


def _host(device: DeviceSpec) -> dict[Oid, bytes | Encoder]:
    """Return hrDevice/hrProcessor per core and hrStorage for memory, in units of 1,024 octets."""
    base: Oid = (1, 3, 6, 1, 2, 1, 25)
    total = device.memory_total // 1024
    entries: dict[Oid, bytes | Encoder] = {
        (*base, 2, 2, 0): ber.integer(total),
        (*base, 2, 3, 1, 1, 65536): ber.integer(65536),
        (*base, 2, 3, 1, 2, 65536): ber.oid((*base, 2, 1, 2)),
        (*base, 2, 3, 1, 3, 65536): _text("main memory"),
        (*base, 2, 3, 1, 4, 65536): ber.integer(1024),
        (*base, 2, 3, 1, 5, 65536): ber.integer(total),
        (*base, 2, 3, 1, 6, 65536): lambda at: ber.integer(int(total * device.memory.value(at) / 100)),
    }
    for core in range(1, device.cores + 1):
        entries[(*base, 3, 2, 1, 1, core)] = ber.integer(core)
        entries[(*base, 3, 2, 1, 2, core)] = ber.oid((*base, 3, 1, 3))
        entries[(*base, 3, 2, 1, 3, core)] = _text(f"CPU {core}")
        entries[(*base, 3, 3, 1, 2, core)] = _core_load(device, core)
    return entries


def _core_load(device: DeviceSpec, core: int) -> Encoder:
    return lambda at: ber.integer(_load(device, at + 7 * core))


def _load(device: DeviceSpec, at_s: float) -> int:
    return max(1, min(100, round(device.cpu.value(at_s))))


def _chassis(device: DeviceSpec, make: Mapping[str, Any]) -> dict[Oid, bytes | Encoder]:
    """Return row 1 of entPhysicalTable, the chassis (class 3)."""
    row: dict[int, bytes | Encoder] = {
        2: _text(f"{device.model} chassis"),
        3: ber.oid(parsed(make["sys_object_id"])),
        4: ber.integer(0),
        5: ber.integer(3),
        6: ber.integer(-1),
        7: _text(device.model),
        8: _text(""),
        9: _text(""),
        10: _text(device.version),
        11: _text(device.serial),
        12: _text(""),
        13: _text(device.model),
    }
    return {(1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, column, 1): value for column, value in row.items()}


def _value(device: DeviceSpec, what: str | int, kind: str, factor: float) -> bytes | Encoder:
    """Return one value of makes.toml: a constant, a text of the device, or a quantity that moves."""
    if isinstance(what, int):
        return ber.integer(what, ber.GAUGE32 if kind == "gauge" else ber.INTEGER)
    quantity = _quantity(device, what)
    if quantity is None:
        return _text(_filled(device, what))
    if kind == "text":
        return lambda at: _text(f"{quantity(at) * factor:.1f}")
    tag = ber.GAUGE32 if kind == "gauge" else ber.INTEGER
    return lambda at: ber.integer(round(quantity(at) * factor), tag)


def _quantity(device: DeviceSpec, what: str) -> Callable[[float], float] | None:
    share, total = device.memory, device.memory_total
    quantities: dict[str, Callable[[float], float]] = {
        "cpu": lambda at: _load(device, at),
        "memory_pct": share.value,
        "memory_total": lambda at: total,
        "memory_used": lambda at: total * share.value(at) / 100,
        "memory_free": lambda at: total * (1 - share.value(at) / 100),
        "temperature": device.temperature.value,
        "room": device.room.value,
    }
    return quantities.get(what)
