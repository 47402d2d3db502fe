"""Rows of readings: pure functions from a platform file's words and a device's tables to scaled numbers with names."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.platform_format import Memory, Name, Reading, SensorReading, Where
from monitor.tables import Oid, Tables, Value, as_number, as_text, dotted, instance, is_scalar, oid, picked
from siaga.expressions import prompt

ENTITY = oid("1.3.6.1.2.1.47.1.1.1.1")
ENTITY_NAME, ENTITY_DESCR = (*ENTITY, 7), (*ENTITY, 2)
_UNITS = 9  # of SensorDataScale (RFC 3433); 1, yocto, is what agents say that know of no scales
_TEXT = 120  # characters of a description
# The ends of SMI's integer types: what agents say where nothing is measured, whatever the object.
ENDS = frozenset({2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63), 2**64 - 1})


@dataclass(frozen=True)
class Row:
    """One row of a reading: its index, the number or text as it came, the value in its unit, and what it is called."""

    index: Oid
    raw: Value
    number: float | None
    value: float
    title: str
    oid: str


def rows(reading: Reading, tables: Tables, default: str) -> Iterator[Row]:
    """Yield the rows of a reading that are readings: scaled, without what is skipped or filtered away.

    A value that is no number has the number None and is only yielded where text has a meaning (states).
    """
    states = isinstance(reading, SensorReading) and bool(reading.states)
    for index, raw in tables.column(oid(reading.oid)).items():
        number = as_number(raw, reading.regex)
        if number is None and not states:
            continue
        if nothing(number, reading) or reading.index_ends not in (None, index[-1]):
            continue
        if not kept(reading.where, index, tables) or _replaced(reading, index, tables):
            continue
        title = title_of(reading, index, tables, default)
        if reading.name_regex and not prompt(reading.name_regex).search(title):
            continue
        value = scaled(reading, number, index, tables)
        if value is not None and _between(value, reading.low, reading.high):
            yield Row(index, raw, number, value, title, at(reading.oid, index))


def nothing(number: float | None, reading: Reading) -> bool:
    """Tell whether a number means that there is no reading: one that the file names, or the end of a type."""
    states = isinstance(reading, SensorReading) and bool(reading.states)
    return number in reading.skip or (number in ENDS and not states)


def at(dotted_oid: str, index: Oid) -> str:
    """Return the OID of the instance."""
    number = oid(dotted_oid)
    return dotted_oid if is_scalar(number) else dotted(number + index)


def scaled(reading: Reading, number: float | None, index: Oid, tables: Tables) -> float | None:
    """Return the number in its unit; None if what it is to be scaled with is not there or absurd."""
    if number is None:
        return 0.0
    value = number * reading.scale
    for column, factor in (
        (reading.times, lambda n: n),
        (reading.per, lambda n: 1 / n if n else None),
        (reading.exponent, _ten),
        (reading.precision, lambda n: _ten(-n)),
        (reading.power_of_1000, lambda n: _ten(3 * (n - _UNITS)) if n > 1 else 1.0),
    ):
        if column is None:
            continue
        by = as_number(tables.seen.get(instance(oid(column), index)))
        times = factor(by) if by is not None else None if column in (reading.times, reading.per) else 1.0
        if times is None:
            return None
        value *= times
    return converted(value + reading.offset, reading.convert)


def converted(value: float, convert: str) -> float | None:
    """Return degrees Fahrenheit as Celsius, milliwatts as dBm; 0 mW has no logarithm: no light, no value."""
    if convert == "fahrenheit":
        return (value - 32) / 1.8
    if convert == "milliwatt":
        return 10 * math.log10(value) if value > 0 else None
    return value


def kept(wheres: Iterable[Where], index: Oid, tables: Tables) -> bool:
    """Tell whether the row is one of those that its other columns keep."""
    return all(_kept(where, index, tables) for where in wheres)


def _kept(where: Where, index: Oid, tables: Tables) -> bool:
    if where.at_least is not None or where.at_most is not None:
        return _between(len(tables.column(oid(where.oid))), where.at_least, where.at_most)
    value = tables.seen.get(_other(where.oid, where.index, where.via, where.plus, index, tables))
    known = {value, as_text(value)} if value is not None else set()
    if where.equals and not known & set(where.equals):
        return False
    if where.differs and known & set(where.differs):
        return False
    return not where.regex or bool(value is not None and prompt(where.regex).search(as_text(value)))


def _replaced(reading: Reading, index: Oid, tables: Tables) -> bool:
    """Tell whether a better object has the same thing of this row."""
    if reading.unless is None:
        return False
    number = as_number(tables.seen.get(instance(oid(reading.unless), index)))
    return number is not None and not nothing(number, reading)


def title_of(reading: Reading | Memory, index: Oid, tables: Tables, default: str) -> str:
    """Return what a row is called: its title with its names in it, its text, the entity's name, or the default."""
    texts = [name_of(name, index, tables) for name in reading.names]
    if reading.text:
        texts.insert(0, as_text(tables.seen.get(instance(oid(reading.text), index)), _TEXT))
    if reading.entity:
        texts.insert(0, entity_name(index, tables))
    if "{" in reading.title:
        return _filled(
            reading.title, texts, index, lone=isinstance(reading, Reading) and _lone(reading, tables)
        )
    return next((text for text in texts if text), "") or reading.title or default


def _lone(reading: Reading, tables: Tables) -> bool:
    """Tell whether a reading, whose title asks for it, is of one row only."""
    return "{n}" in reading.title and len(tables.column(oid(reading.oid))) == 1


def _filled(title: str, texts: list[str], index: Oid, *, lone: bool) -> str:
    words = {str(i): text for i, text in enumerate(texts)}
    words |= {f"i{place}": str(number) for place, number in enumerate(index)}
    words |= {"i": str(index[-1]) if index else "", "index": dotted(index)}
    words["n"] = "" if lone else words["i"]
    filled = re.sub(r"\{(\w+)\}", lambda m: words.get(m.group(1), ""), title)
    return " ".join(filled.split())[:_TEXT].strip(" -:")


def name_of(name: Name, index: Oid, tables: Tables) -> str:
    """Return the text that a name stands for in this row."""
    value = tables.seen.get(_other(name.oid, name.index, name.via, name.plus, index, tables))
    text = picked(as_text(value, _TEXT), name.regex)
    return name.words.get(text, text)


def entity_name(index: Oid, tables: Tables) -> str:
    """Return what ENTITY-MIB calls the part with this index."""
    return tables.text((*ENTITY_NAME, *index), _TEXT) or tables.text((*ENTITY_DESCR, *index), _TEXT)


def _other(
    of: str, part: tuple[int, int] | None, via: str | None, plus: int, index: Oid, tables: Tables
) -> Oid:
    """Return the instance of another column that belongs to a row."""
    wanted = index[part[0] : part[1]] if part else index
    if via:
        pointer = tables.seen.get(instance(oid(via), wanted))
        wanted = (
            (pointer,) if isinstance(pointer, int) else pointer[-1:] if isinstance(pointer, tuple) else ()
        )
    if plus and wanted:
        wanted = (*wanted[:-1], wanted[-1] + plus)
    return instance(oid(of), wanted)


def _ten(power: float) -> float | None:
    return 10.0**power if abs(power) <= 30 else None


def _between(value: float, low: float | None, high: float | None) -> bool:
    return math.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)
