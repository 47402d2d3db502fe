"""A platform file as rows and as text: how the make is recognised, and what is read of it. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from inventory.platform_format import Fact, Memory, Part, Platform, Reading, SensorReading, WirelessReading
from inventory.platforms import FOLDER, parts_of
from monitor.sensors import UNITS
from siaga.outcome import Column, Outcome
from siaga.render import render


def row(known: Platform) -> dict[str, Any]:
    """Return a platform as a row of the list."""
    return {
        "name": known.name,
        "vendor": known.vendor,
        "title": known.title,
        "reads": ", ".join(_reads(known)),
        "netmiko": known.netmiko,
        "ansible": known.ansible,
        "file": "siaga's" if (FOLDER / f"{known.name}.toml").exists() else "own",
    }


def _reads(known: Platform) -> Iterator[str]:
    """Yield what is read beyond the standard MIBs."""
    parts = [p for p in parts_of(known) if p not in parts_of(None)]
    for name in ("cpu", "memory", "storage"):
        if any(getattr(part, name) for part in parts):
            yield name
    classes = Counter(kind for part in parts for s in part.sensors for kind in _classes(s))
    yield from (kind for kind, _ in classes.most_common())
    if any(part.wireless for part in parts):
        yield "wireless"


def _classes(reading: SensorReading) -> set[str]:
    return {k.kind for k in reading.kinds.of.values()} if reading.kinds else {str(reading.kind)}


def whole(known: Platform) -> dict[str, Any]:
    """Return everything that is known of a platform, with the parts that it inherits."""
    own = known.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=_HEAD)
    return {
        **own,
        "parts": [
            part.model_dump(mode="json", by_alias=True, exclude_defaults=True) for part in parts_of(known)
        ],
    }


_HEAD = {
    "name",
    "vendor",
    "title",
    "netmiko",
    "ansible",
    "engine",
    "match",
    "facts",
    "inherits",
    "without",
}


def described(known: Platform) -> str:
    """Return the same as text."""
    lines = [f"{known.name}  {known.title} ({known.vendor})\n", "\nRecognised by\n", *_matches(known)]
    facts = list(_facts(known))
    lines += ["\nWho it is\n", *facts] if facts else []
    for part in parts_of(known):
        if rows := list(_rows(part)):
            lines += [f"\n{part.title or 'Own objects'}\n", _table(rows)]
    built_in = [f"  {part.title}\n" for part in parts_of(known) if part.builtin]
    lines += ["\nBuilt in\n", *built_in] if built_in else []
    return "".join(lines)


def _matches(known: Platform) -> Iterator[str]:
    for match in known.match:
        ways = []
        if match.object_id:
            ways.append(f"sysObjectID below {' or '.join(match.object_id)}")
        if match.descr:
            ways.append(f"sysDescr with /{match.descr}/")
        if match.probe:
            says = f" that says /{match.says}/" if match.says else ""
            ways.append(f"something below {match.probe}{says}")
        yield "  " + ", and ".join(ways) + "\n"


def _facts(known: Platform) -> Iterator[str]:
    for name in ("hardware", "version", "serial"):
        places: tuple[Fact, ...] = getattr(known.facts, name)
        for fact in places:
            where = fact.oid or (f"ENTITY-MIB {fact.field}" if fact.source == "entity" else fact.source)
            yield f"  {name:<9} {where}{f'  /{fact.regex}/' if fact.regex else ''}\n"


def _rows(part: Part) -> Iterator[dict[str, Any]]:
    for reading in part.cpu:
        yield _row("cpu", reading, "%")
    for memory in (*part.memory, *part.storage):
        yield _pool("memory" if memory in part.memory else "storage", memory)
    for sensor in part.sensors:
        classes = sorted(_classes(sensor))
        yield _row(", ".join(classes), sensor, UNITS[classes[0]] if len(classes) == 1 else "by row")
    for radio in part.wireless:
        yield _row(f"wireless {radio.kind}", radio, "")


def _row(kind: str, reading: Reading | WirelessReading, unit: str) -> dict[str, Any]:
    scale = "" if reading.scale == 1 else f"× {reading.scale:g} "
    states = reading.states if isinstance(reading, SensorReading) else {}
    meaning = ", ".join(f"{code} {m.label}" for code, m in states.items())
    return {
        "reads": kind,
        "object": reading.oid,
        "called": "ENTITY-MIB's name" if reading.entity else reading.text or reading.title,
        "as": f"{scale}{unit}".strip() or meaning,
    }


def _pool(kind: str, memory: Memory) -> dict[str, Any]:
    columns = {
        n: getattr(memory, n)
        for n in ("used", "free", "percent", "free_percent", "total")
        if getattr(memory, n)
    }
    return {
        "reads": kind,
        "object": " ".join(f"{n} {o}" for n, o in columns.items()),
        "called": "ENTITY-MIB's name" if memory.entity else memory.text or memory.title,
        "as": "",
    }


def _table(rows: list[dict[str, Any]]) -> str:
    text = render(Outcome(rows, [Column(k, k) for k in rows[0]]))
    return "".join(f"  {line}\n" for line in text.splitlines())
