"""Which objects the parts of a platform are read from: pure functions from a file's words to object identifiers."""

from collections.abc import Iterable, Iterator

from inventory.platform_format import Memory, Name, Part, Reading, SensorReading, Where
from monitor.readings import ENTITY
from monitor.tables import Oid, Tables, is_scalar, oid


def objects(parts: Iterable[Part]) -> list[Oid]:
    """Return every scalar and column that the readings of the parts need, each once; ENTITY-MIB's names apart."""
    found = (
        number for part in parts for text in _of_part(part) if (number := oid(text))[: len(ENTITY)] != ENTITY
    )
    return list(dict.fromkeys(found))


def named_parts(parts: Iterable[Part], tables: Tables) -> list[Oid]:
    """Return the indexes of the rows that are called as ENTITY-MIB calls them."""
    readings = [
        oid(_values(reading))
        for part in parts
        for several in (part.cpu, part.sensors, part.wireless, part.memory, part.storage)
        for reading in several
        if reading.entity
    ]
    columns = dict.fromkeys(readings)
    return list(dict.fromkeys(i for column in columns for i in tables.column(column)))


def entity_columns(parts: Iterable[Part]) -> list[Oid]:
    """Return the columns of ENTITY-MIB that names and filters look other rows up in."""
    found = (oid(text) for part in parts for text in _of_part(part))
    return [o for o in dict.fromkeys(found) if o[: len(ENTITY)] == ENTITY]


def by_table(columns: Iterable[Oid]) -> list[list[Oid]]:
    """Return columns grouped by the table they stand in: those are walked side by side."""
    tables: dict[Oid, list[Oid]] = {}
    for column in columns:
        tables.setdefault(column[:-1], []).append(column)
    return list(tables.values())


def split(objects: Iterable[Oid]) -> tuple[list[Oid], list[Oid]]:
    """Return (scalars, columns)."""
    several = list(objects)
    return [o for o in several if is_scalar(o)], [o for o in several if not is_scalar(o)]


def _of_part(part: Part) -> Iterator[str]:
    for reading in (*part.cpu, *part.sensors, *part.wireless):
        yield from _of_reading(reading)
    for memory in (*part.memory, *part.storage):
        yield from _of_memory(memory)


def _of_reading(reading: Reading) -> Iterator[str]:
    given = (
        reading.oid,
        reading.text,
        reading.times,
        reading.per,
        reading.exponent,
        reading.precision,
        reading.power_of_1000,
        reading.unless,
    )
    yield from filter(None, given)
    yield from _of_names(reading.names, reading.where)
    if isinstance(reading, SensorReading):
        if reading.kinds:
            yield reading.kinds.oid
        if reading.limits:
            yield from (v for v in reading.limits.model_dump().values() if isinstance(v, str))
        if rows := reading.limit_rows:
            yield from (rows.value, rows.severity, rows.relation)


def _of_memory(memory: Memory) -> Iterator[str]:
    given = (memory.total, memory.used, memory.free, memory.percent, memory.free_percent)
    yield from filter(None, (*given, memory.text, memory.unit))
    yield from _of_names(memory.names, memory.where)


def _of_names(names: Iterable[Name], wheres: Iterable[Where]) -> Iterator[str]:
    several: list[Name | Where] = [*names, *wheres]
    for one in several:
        yield one.oid
        if one.via:
            yield one.via


def _values(reading: Reading | Memory) -> str:
    if isinstance(reading, Reading):
        return reading.oid
    return next(o for o in (reading.used, reading.free, reading.percent, reading.free_percent, "0.0") if o)
