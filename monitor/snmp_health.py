"""Processors, memory and temperature: pure functions from columns to readings.

What the platform's file names comes first; HOST-RESOURCES-MIB (RFC 2790), UCD-SNMP-MIB and
ENTITY-SENSOR-MIB (RFC 3433) stand in where it names nothing or the device does not have it.
"""

import re
from collections.abc import Iterator

from inventory.platforms import Memory, Platform, Reading
from monitor.identify import ENTITY
from monitor.observation import Mempool, Processor, Sensor
from monitor.tables import Oid, Tables, as_number, as_text, dotted, instance, is_scalar, oid

HR_LOAD = oid("1.3.6.1.2.1.25.3.3.1.2")
HR_DEVICE = oid("1.3.6.1.2.1.25.3.2.1.3")
HR_TYPE, HR_DESCR, HR_UNIT, HR_SIZE, HR_USED = (oid(f"1.3.6.1.2.1.25.2.3.1.{n}") for n in (2, 3, 4, 5, 6))
HR_MEMORY = oid("1.3.6.1.2.1.25.2.2.0")  # kB of RAM in the whole host
HR_STORAGE = (HR_TYPE, HR_DESCR, HR_UNIT, HR_SIZE, HR_USED)
_RAM, _VIRTUAL, _OTHER = (oid(f"1.3.6.1.2.1.25.2.1.{n}") for n in (2, 3, 1))

UCD_IDLE = oid("1.3.6.1.4.1.2021.11.11.0")
UCD_TOTAL, UCD_FREE, UCD_BUFFERS, UCD_CACHED = (oid(f"1.3.6.1.4.1.2021.4.{n}.0") for n in (5, 6, 14, 15))
UCD = (UCD_IDLE, UCD_TOTAL, UCD_FREE, UCD_BUFFERS, UCD_CACHED)

SENSOR_TYPE, SENSOR_SCALE, SENSOR_PRECISION, SENSOR_VALUE, SENSOR_STATUS = (
    oid(f"1.3.6.1.2.1.99.1.1.1.{n}") for n in (1, 2, 3, 4, 5)
)
SENSOR_PARTS = (SENSOR_SCALE, SENSOR_PRECISION, SENSOR_VALUE, SENSOR_STATUS)
_CELSIUS, _OK, _UNITS = 8, 1, 9
ENTITY_NAME, ENTITY_DESCR = (*ENTITY, 7), (*ENTITY, 2)

# CISCO-ENTITY-SENSOR-MIB has the same columns under Cisco's own branch.
CISCO_SENSOR = oid("1.3.6.1.4.1.9.9.91.1.1.1.1")
_BUFFERS = ("memory buffers", "buffers", "buffer memory")
_CACHED = ("cached memory", "cache memory")
_PARTS = (*_BUFFERS, *_CACHED, "shared memory")  # parts of physical memory, each listed as if it were a whole
# Listed as memory too: FreeBSD's kernel zones, and net-snmp's row of what is left.
_ZONES = ("uma: ", "malloc: ", "mbuf", "available memory")


def celsius(tables: Tables, types: Oid) -> list[Oid]:
    """Return the rows of a sensor table that are temperatures, by its column of types."""
    return [index for index, kind in tables.column(types).items() if kind == _CELSIUS]


def processors(platform: Platform | None, tables: Tables) -> tuple[Processor, ...]:
    """Return the load of each processor in percent."""
    found = list(_loads(platform.cpu if platform else (), tables))
    if not found and (platform is None or platform.standard_cpu):
        found = list(_host_loads(tables)) or list(_ucd_load(tables))
    return tuple(found)


def mempools(platform: Platform | None, tables: Tables) -> tuple[Mempool, ...]:
    """Return the memory pools."""
    found: list[Mempool] = []
    for memory in platform.memory if platform else ():
        if not (memory.fallback and found):
            found += _pools(memory, tables)
    if not found and (platform is None or platform.standard_memory):
        found = list(_host_pools(tables)) or list(_ucd_pool(tables))
    return tuple(found)


def temperatures(platform: Platform | None, tables: Tables) -> tuple[Sensor, ...]:
    """Return the temperatures in °C."""
    found = list(_temperatures(platform.temperature if platform else (), tables))
    if platform is None or platform.standard_temperature:
        found += _entity_sensors(tables, SENSOR_TYPE[:-1])
        found += _entity_sensors(tables, CISCO_SENSOR)
    return tuple(found)


def missing(readings: tuple[Reading, ...], tables: Tables) -> bool:
    """Tell whether none of the readings that are no fall-back gave a value."""
    return not any(True for r in readings if not r.fallback for _ in _values(r, tables))


def _loads(readings: tuple[Reading, ...], tables: Tables) -> Iterator[Processor]:
    any_yet = False
    for reading in readings:
        if reading.fallback and any_yet:
            continue
        for index, percent in _values(reading, tables):
            if 0 <= percent <= 100:
                any_yet = True
                yield Processor(_title(reading, index, tables, "CPU"), percent, _at(reading, index))


def _temperatures(readings: tuple[Reading, ...], tables: Tables) -> Iterator[Sensor]:
    any_yet = False
    for reading in readings:
        if reading.fallback and any_yet:
            continue
        for index, value in _values(reading, tables):
            if -100 < value < 250:
                any_yet = True
                title = _title(reading, index, tables, "Temperature")
                yield Sensor("temperature", title, round(value, 3), "°C", _at(reading, index))


def _values(reading: Reading, tables: Tables) -> Iterator[tuple[Oid, float]]:
    """Return the rows of a reading that are readings: scaled, without what is skipped or filtered away."""
    kept = tables.column(oid(reading.where.oid)) if reading.where else {}
    for index, raw in tables.column(oid(reading.oid)).items():
        number = as_number(raw, reading.regex)
        if number is None or number in reading.skip or reading.index_ends not in (None, index[-1]):
            continue
        if reading.where and kept.get(index) != reading.where.equals:
            continue
        if reading.name_regex and not re.search(reading.name_regex, _title(reading, index, tables, "")):
            continue
        yield index, number * reading.scale + reading.offset


def _title(reading: Reading, index: Oid, tables: Tables, default: str) -> str:
    text = ""
    if reading.text:
        text = as_text(tables.seen.get(instance(oid(reading.text), index)))
    if reading.entity:
        text = _entity_name(index, tables)
    return text or reading.title or default


def _entity_name(index: Oid, tables: Tables) -> str:
    return tables.text((*ENTITY_NAME, *index)) or tables.text((*ENTITY_DESCR, *index))


def _at(reading: Reading, index: Oid) -> str:
    of = oid(reading.oid)
    return reading.oid if is_scalar(of) else dotted(of + index)


def _pools(memory: Memory, tables: Tables) -> Iterator[Mempool]:
    columns = {
        name: _numbers(getattr(memory, name), memory, tables) for name in ("total", "used", "free", "percent")
    }
    indexes = sorted({i for name in ("used", "free", "percent") for i in columns[name]})
    shared = columns["total"].get((0,)) if memory.total and is_scalar(oid(memory.total)) else None
    for index in indexes:
        row = {name: values.get(index) for name, values in columns.items()}
        row["total"] = row["total"] if row["total"] is not None else shared
        text = as_text(tables.seen.get(instance(oid(memory.text), index))) if memory.text else ""
        pool = pool_of(text or memory.title, memory, **row)
        if pool:
            yield pool


def _numbers(dotted_oid: str | None, memory: Memory, tables: Tables) -> dict[Oid, float]:
    rows = tables.column(oid(dotted_oid)) if dotted_oid else {}
    numbers = {index: as_number(value) for index, value in rows.items()}
    return {i: n for i, n in numbers.items() if n is not None and n not in memory.skip}


def pool_of(
    descr: str,
    memory: Memory,
    *,
    total: float | None,
    used: float | None,
    free: float | None,
    percent: float | None,
) -> Mempool | None:
    """Return a pool from any two of total, used and free, or from the percentage; None if they make no sense."""
    if total is None and used is not None and free is not None:
        total = used + free
    if used is None and total is not None and free is not None:
        used = total - free
    if percent is not None:
        percent *= memory.percent_scale
        used = total * percent / 100 if total else None
    elif total and used is not None:
        percent = 100 * used / total
    if percent is None or not 0 <= percent <= 100:
        return None
    if not total or used is None:
        return Mempool(descr, round(percent, 1))
    return Mempool(descr, round(percent, 1), int(total * memory.scale), int(used * memory.scale))


def _host_loads(tables: Tables) -> Iterator[Processor]:
    for index, value in tables.column(HR_LOAD).items():
        if isinstance(value, int) and 0 <= value <= 100:
            name = as_text(tables.seen.get(HR_DEVICE + index)) or "Processor"
            yield Processor(name, float(value), dotted(HR_LOAD + index))


def _ucd_load(tables: Tables) -> Iterator[Processor]:
    idle = tables.number(UCD_IDLE)
    if idle is not None and 0 <= idle <= 100:
        yield Processor("CPU", float(100 - idle), dotted(UCD_IDLE))


def _host_pools(tables: Tables) -> Iterator[Mempool]:
    """Return the memory rows of hrStorageTable; physical memory without what the kernel uses for its caches.

    net-snmp counts buffers and cache into the used part of physical memory and gives both again in rows of
    their own. FreeBSD's agent gives only the active part of memory as the size: the host's is taken.
    """
    rows = {i: row for i in tables.column(HR_TYPE) if (row := _storage(i, tables)) is not None}
    named = {descr.lower(): (total, used) for descr, total, used in rows.values()}
    spare = sum(named[name][1] for name in _BUFFERS + _CACHED if name in named)
    physical = named.get("physical memory", (0, 0))[0]
    host = (tables.number(HR_MEMORY) or 0) * 1024
    for descr, total, used in rows.values():
        name = descr.lower()
        if name == "physical memory" and spare <= used:
            used -= spare
        if name in _PARTS and physical >= used:
            total = physical
        if "real memory metrics" in name and host >= used:
            total = host
        yield Mempool(descr, round(100 * used / total, 1), total, used)


def _storage(index: Oid, tables: Tables) -> tuple[str, int, int] | None:
    kind = tables.seen.get(HR_TYPE + index)
    unit, size, used = (tables.number(column + index) for column in (HR_UNIT, HR_SIZE, HR_USED))
    descr = tables.text(HR_DESCR + index)
    if kind not in (_RAM, _VIRTUAL) and not (kind == _OTHER and "memory" in descr.lower()):
        return None
    if not unit or not size or used is None or unit < 0 or descr.lower().startswith(_ZONES):
        return None
    size, used = (n + 2**32 if n < 0 else n for n in (size, used))  # INTEGERs that grew past 31 bits
    if size * unit >= 2**63:
        return None
    return (descr, size * unit, max(0, min(used, size)) * unit)


def _ucd_pool(tables: Tables) -> Iterator[Mempool]:
    total, free = tables.number(UCD_TOTAL), tables.number(UCD_FREE)
    spare = sum(tables.number(part) or 0 for part in (UCD_BUFFERS, UCD_CACHED))
    if total and free is not None:
        used = max(0, total - free - spare)
        yield Mempool("Physical memory", round(100 * used / total, 1), total * 1024, used * 1024)


def _entity_sensors(tables: Tables, table: Oid) -> list[Sensor]:
    sensors = []
    for index in celsius(tables, (*table, 1)):
        scale, precision, value, status = (tables.number((*table, n, *index)) for n in (2, 3, 4, 5))
        if value is None or status not in (None, _OK):
            continue
        scale, precision = scale or _UNITS, precision or 0
        if not (1 <= scale <= 17 and -8 <= precision <= 9):  # RFC 3433's ranges
            continue
        reading = value * 10.0 ** (3 * (scale - _UNITS) - precision)
        if -100 < reading < 250:
            descr = _entity_name(index, tables) or "Temperature"
            sensors.append(Sensor("temperature", descr, round(reading, 3), "°C", dotted((*table, 4, *index))))
    return sensors
