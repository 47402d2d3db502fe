"""What a stored metric is called outside: the names of IF-MIB as snmp_exporter gives them, siaga's own for the rest.

Pure. A family has one name, one kind and one unit; the value stored is an integer, the value told is that times
`scale`. Counters of IF-MIB keep their MIB names, so that dashboards made for snmp_exporter work as they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from monitor.sensors import UNITS
from monitor.tsdb.groups import counted

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family; `of` is what its instance is: interface, pool, sensor, or '' for the device itself.

    `mib`: the name is an object of a MIB. Such a counter does not end in _total, whatever OpenMetrics would like.
    """

    name: str
    kind: str  # counter, gauge
    help: str
    scale: float = 1
    of: str = ""
    more: Labels = ()
    mib: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One value to be told; `at_ms` is when the device said it (None: siaga's own, now)."""

    family: Family
    labels: Labels
    value: float
    at_ms: int | None = None


_MIB = {
    "uptime": ("sysUpTime", "Hundredths of a second since the agent began (SNMPv2-MIB).", ""),
    "in_octets_64": ("ifHCInOctets", "Octets received (IF-MIB, 64 bits).", "interface"),
    "out_octets_64": ("ifHCOutOctets", "Octets sent (IF-MIB, 64 bits).", "interface"),
    "in_octets": ("ifInOctets", "Octets received (IF-MIB, 32 bits).", "interface"),
    "out_octets": ("ifOutOctets", "Octets sent (IF-MIB, 32 bits).", "interface"),
    "in_errors": ("ifInErrors", "Packets received that were in error.", "interface"),
    "out_errors": ("ifOutErrors", "Packets not sent because of an error.", "interface"),
    "in_discards": ("ifInDiscards", "Sound packets received that were discarded.", "interface"),
    "out_discards": ("ifOutDiscards", "Packets to be sent that were discarded.", "interface"),
    "discontinuity": (
        "ifCounterDiscontinuityTime",
        "sysUpTime when the counters last were discontinuous.",
        "interface",
    ),
}
_OWN = {
    "speed": Family("ifHighSpeed", "gauge", "Speed in Mbit/s (IF-MIB).", 1e-6, "interface", mib=True),
    "cpu": Family("siaga_cpu_percent", "gauge", "Mean load of the device's processors.", 0.01),
    "memory": Family("siaga_memory_used_percent", "gauge", "Share of a memory pool in use.", 0.01, "pool"),
}
# Unit of a sensor → the word in the family's name, and what the value is to be multiplied with.
_WORDS: Mapping[str, tuple[str, float]] = {
    "°C": ("celsius", 1), "V": ("volts", 1), "A": ("amperes", 1), "W": ("watts", 1), "Hz": ("hertz", 1),
    "rpm": ("rpm", 1), "dBm": ("dbm", 1), "%": ("percent", 1), "min": ("seconds", 60), "s": ("seconds", 1),
    "kWh": ("kwh", 1), "dB": ("db", 1), "bit/s": ("bps", 1), "kPa": ("kpa", 1),
}  # fmt: skip
_NO_NAME = re.compile(r"[^a-zA-Z0-9_]+")


@cache
def family_of(metric: str) -> Family:
    """Return the family of a stored metric; one that nobody named has its own name behind `siaga_`."""
    if metric in _OWN:
        return _OWN[metric]
    if metric in _MIB:
        name, text, of = _MIB[metric]
        return Family(name, "counter" if counted(metric) else "gauge", text, of=of, mib=True)
    if counted(metric):
        name = _NO_NAME.sub("_", metric.removesuffix("_64"))
        return Family(
            f"siaga_interface_{name}_total", "counter", f"The counter {name} of an interface.", of="interface"
        )
    return _sensor(metric)


def _sensor(kind: str) -> Family:
    unit = UNITS.get(kind, "")
    word, factor = _WORDS.get(unit, ("", 1))
    plain = _NO_NAME.sub("_", kind)
    name = f"siaga_sensor_{plain}" + (f"_{word}" if word and word != plain else "")
    stored = 100 if kind == "temperature" else 1000
    told = "s" if unit == "min" else unit
    more = (("class", kind), *((("unit", told),) if told else ()))
    return Family(name, "gauge", f"Sensors of the class {plain}.", factor / stored, "sensor", more)
