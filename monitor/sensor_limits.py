"""What a device itself holds for too much and too little: pure functions from a sensor's row to its limits."""

from inventory.platform_format import Kind, LimitRows, Limits, SensorReading
from monitor.observation import Thresholds
from monitor.readings import Row, nothing, scaled
from monitor.tables import Oid, Tables, as_number, instance, oid


def limits(reading: SensorReading, kind: Kind, row: Row, tables: Tables) -> Thresholds | None:
    """Return the device's own limits; None where it has none, or such as contradict each other."""
    if reading.limits is None and reading.limit_rows is None:
        return None
    found = Thresholds(**_given(reading, kind, row, tables))
    high = [v for v in (found.critical, found.warning) if v is not None]
    low = [v for v in (found.low_critical, found.low_warning) if v is not None]
    if not high + low or (high and low and max(low) >= min(high)):
        return None
    return found


def _given(reading: SensorReading, kind: Kind, row: Row, tables: Tables) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    if reading.limit_rows:
        found |= _of_rows(reading.limit_rows, reading, kind, row, tables)
    if reading.limits:
        found |= {name: _limit(name, reading, kind, row, tables) for name in Limits.model_fields}
    return found


def _of_rows(
    given: LimitRows, reading: SensorReading, kind: Kind, row: Row, tables: Tables
) -> dict[str, float]:
    """Return the limits that stand in rows of their own; of several of one kind, the one that is reached first."""
    held: dict[str, list[float]] = {}
    seen: set[tuple[int | None, int | None]] = set()
    for tail, raw in tables.column((*oid(given.value), *row.index)).items():
        codes = _codes(given, (*row.index, *tail), tables)
        name, number = _which(given, *codes), as_number(raw)
        if name and codes in seen:
            return {}
        seen.add(codes)
        value = None if number in given.skip else _in_unit(name, number, reading, kind, row, tables)
        if name and value is not None:
            held.setdefault(name, []).append(value)
    return {name: max(values) if name.startswith("low") else min(values) for name, values in held.items()}


def _codes(given: LimitRows, index: Oid, tables: Tables) -> tuple[int | None, int | None]:
    return tables.number(oid(given.severity) + index), tables.number(oid(given.relation) + index)


def _which(given: LimitRows, severity: int | None, relation: int | None) -> str:
    """Return which limit a row tells, by its codes; '' for none of ours."""
    name = "critical" if severity in given.critical else "warning" if severity in given.warning else ""
    if not name or relation in given.above:
        return name
    return f"low_{name}" if relation in given.below else ""


def _limit(name: str, reading: SensorReading, kind: Kind, row: Row, tables: Tables) -> float | None:
    given = getattr(reading.limits, name)
    if not isinstance(given, str):
        return float(given) if given is not None else None
    number = as_number(tables.seen.get(instance(oid(given), row.index)))
    return _in_unit(name, number, reading, kind, row, tables)


def _in_unit(
    name: str, number: float | None, reading: SensorReading, kind: Kind, row: Row, tables: Tables
) -> float | None:
    """Return a raw limit as the reading is scaled; None for what is no limit."""
    if number is None or nothing(number, reading) or (number == 0 and not _may_be_0(name, kind)):
        return None
    value = scaled(reading, number, row.index, tables)
    return None if value is None else round(value * kind.scale + kind.offset, 6)


def _may_be_0(name: str, kind: Kind) -> bool:
    """Tell whether a limit of 0 is one. Else the device has none: all would be too much, or nothing too little."""
    return kind.kind in ("dbm", "signal") or (kind.kind == "temperature" and name.startswith("low"))
