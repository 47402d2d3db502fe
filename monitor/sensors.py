"""Sensors: pure functions from a platform's parts to what each reads, with its meaning."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from inventory.platform_format import Kind, Meaning, Part, SensorReading, Severity, WirelessReading
from monitor.observation import Sensor, State, Wireless
from monitor.readings import Row, rows
from monitor.sensor_limits import limits
from monitor.tables import Tables, Value, as_text, instance, oid

UNITS = {
    "temperature": "°C", "voltage": "V", "current": "A", "power": "W", "frequency": "Hz", "fanspeed": "rpm",
    "dbm": "dBm", "humidity": "%", "charge": "%", "runtime": "min", "load": "%", "percent": "%", "count": "",
    "state": "", "power_consumed": "kWh", "power_factor": "", "delay": "s", "airflow": "m³/min", "pressure": "kPa",
    "signal": "dBm", "snr": "dB", "loss": "%", "cooling": "W", "waterflow": "l/m", "bitrate": "bit/s",
    "quality": "%", "chromatic_dispersion": "ps/nm", "ber": "", "tv_signal": "dBmV",
}  # fmt: skip
# What can be true of a class at all; beyond it a number means that nothing is measured.
_TRUE = {
    "temperature": (-100.0, 250.0),
    "humidity": (0.0, 100.0),
    "charge": (0.0, 100.0),
    "load": (0.0, 1000.0),
    "runtime": (0.0, 1e6),
    "fanspeed": (0.0, 1e6),
    "dbm": (-90.0, 40.0),
    "voltage": (-1e6, 1e6),
    "current": (-1e6, 1e6),
    "power": (-1e9, 1e9),
}
# Of these -1 is no number either: agents say it where nothing is measured.
_NEVER_MINUS_1 = ("frequency", "count", "percent", "power_consumed", "loss", "voltage")
_WIRELESS_UNITS = {
    "frequency": "MHz", "power": "dBm", "noise-floor": "dBm", "rssi": "dBm", "snr": "dB", "ccq": "%", "rate": "bit/s",
    "quality": "%", "utilization": "%", "distance": "km", "capacity": "%", "error-ratio": "%", "rsrp": "dBm",
    "rsrq": "dB", "sinr": "dB", "mse": "dB", "ssr": "dB",
}  # fmt: skip
# What a reading is called that has no name at all.
_CALLED = {
    "dbm": "Optical power",
    "fanspeed": "Fan speed",
    "ber": "BER",
    "snr": "SNR",
    "tv_signal": "TV signal",
}
AT_MOST = 4000
_OCTETS = 8  # of a bit field
_WORSE: tuple[Severity, ...] = ("unknown", "ok", "warning", "critical")


def sensors(parts: Iterable[Part], tables: Tables) -> tuple[Sensor, ...]:
    """Return every sensor of the parts, each object once; those in front win."""
    found: dict[str, Sensor] = {}
    classes: set[str] = set()
    for reading in (reading for part in parts for reading in part.sensors):
        if reading.fallback and reading.kind in classes:
            continue
        for sensor in _sensors(reading, tables):
            found.setdefault(sensor.oid or "", sensor)
            classes.add(sensor.kind)
        if len(found) >= AT_MOST:
            break
    return tuple(found.values())[:AT_MOST]


def _sensors(reading: SensorReading, tables: Tables) -> Iterator[Sensor]:
    for row in rows(reading, tables, ""):
        kind = _kind(reading, row, tables)
        if kind is None:
            continue
        value = row.value * kind.scale + kind.offset
        low, high = _TRUE.get(kind.kind, (-1e18, 1e18))
        if not low <= value <= high or (row.number == -1 and kind.kind in _NEVER_MINUS_1):
            continue
        state = _state(reading, row)
        if kind.kind == "state" and state is None:
            continue
        yield Sensor(
            kind=kind.kind,
            descr=row.title or _CALLED.get(kind.kind) or kind.kind.replace("_", " ").capitalize(),
            value=_rounded(value),
            unit=UNITS[kind.kind],
            oid=row.oid,
            state=state,
            limits=limits(reading, kind, row, tables),
            group=reading.group,
        )


def _rounded(value: float) -> float:
    """Return six places, or six digits of what is so small that they would be noughts: rates of bit errors."""
    return round(value, 6) if abs(value) >= 1e-3 else float(f"{value:.6g}")


def _kind(reading: SensorReading, row: Row, tables: Tables) -> Kind | None:
    """Return what the row is; None for a code that is no class of ours."""
    if reading.kind:
        return Kind(kind=reading.kind)
    if reading.kinds is None:
        return None
    code = tables.seen.get(instance(oid(reading.kinds.oid), row.index))
    return reading.kinds.of.get(as_text(code)) if code is not None else None


def _state(reading: SensorReading, row: Row) -> State | None:
    """Return what a code means; one that the file does not know is told as it came, and its severity is unknown."""
    if not reading.states:
        return None
    if reading.bits:
        return _bits(reading, row.raw)
    text = as_text(row.raw, 60)
    codes = [text, text.lower()]
    if row.number is not None:
        codes.append(f"{row.number:g}")
    meaning = next((reading.states[c] for c in codes if c in reading.states), None)
    meaning = meaning or reading.states.get("*") or Meaning(severity="unknown", label=text)
    return State(meaning.label, meaning.severity) if text else None


def _bits(reading: SensorReading, raw: Value) -> State | None:
    """Return what the bits that are set mean, all of them, as bad as the worst."""
    if not isinstance(raw, bytes):
        return None
    numbers = [str(n) for n in range(8 * len(raw[:_OCTETS])) if raw[n // 8] & (0x80 >> n % 8)]
    known = [reading.states[n] for n in numbers or ["none"] if n in reading.states]
    if not known:
        return State(f"bit {', '.join(numbers)}" if numbers else "none", "unknown")
    worst = max((meaning.severity for meaning in known), key=_WORSE.index)
    return State(", ".join(meaning.label for meaning in known), worst)


def wireless(parts: Iterable[Part], tables: Tables) -> tuple[Wireless, ...]:
    """Return the readings of radios."""
    found: dict[tuple[str, str, str], Wireless] = {}
    for part in parts:
        for reading in part.wireless:
            if reading.fallback and any(kind == reading.kind for kind, _, _ in found):
                continue
            for one in _wireless(reading, tables):
                found.setdefault((one.kind, one.oid or "", one.descr), one)
    return tuple(found.values())[:AT_MOST]


def _wireless(reading: WirelessReading, tables: Tables) -> Iterator[Wireless]:
    several = list(rows(reading, tables, reading.kind))
    if reading.total or reading.first:
        several = [_one(same, reading) for same in _by_title(several)]
    unit = _WIRELESS_UNITS.get(reading.kind, "")
    for row in several:
        yield Wireless(reading.kind, row.title, round(row.value, 6), unit, row.oid)


def _by_title(several: Iterable[Row]) -> Iterable[list[Row]]:
    by_title: dict[str, list[Row]] = {}
    for row in several:
        by_title.setdefault(row.title, []).append(row)
    return by_title.values()


def _one(same: list[Row], reading: WirelessReading) -> Row:
    """Return the first of rows with one title, or their sum, which is told by the column where they are several."""
    if reading.first or len(same) == 1:
        return same[0]
    return replace(same[0], value=sum(row.value for row in same), oid=reading.oid)
