"""Who a device is: pure functions from what it said to a platform and an identity."""

import re
from collections.abc import Iterable, Sequence

from inventory.makers import maker
from inventory.platform_format import Fact, Match, Platform
from monitor.observation import Identity
from monitor.tables import Oid, Tables, as_mac, as_text, dotted, oid, picked
from siaga.expressions import prompt

SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_CONTACT, SYS_NAME, SYS_LOCATION = (
    oid(f"1.3.6.1.2.1.1.{n}.0") for n in (1, 2, 3, 4, 5, 6)
)
SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_CONTACT, SYS_NAME, SYS_LOCATION)

ENTITY = oid("1.3.6.1.2.1.47.1.1.1.1")
ENTITY_CLASS, ENTITY_MODEL = (*ENTITY, 5), (*ENTITY, 13)
_CHASSIS, _STACK = 3, 11
_FIELDS = {
    "descr": 2,
    "name": 7,
    "hardware": 8,
    "firmware": 9,
    "software": 10,
    "serial": 11,
    "maker": 12,
    "model": 13,
}
PRINTER_SERIAL = oid("1.3.6.1.2.1.43.5.1.1.17.1")
_STANDARD = {
    "hardware": (Fact(source="entity", field="model"), Fact(source="entity", field="descr")),
    "version": (Fact(source="entity", field="software"), Fact(source="entity", field="firmware")),
    "serial": (Fact(source="entity", field="serial"), Fact(oid=dotted(PRINTER_SERIAL))),
}
# Words that stand where a fact should and say nothing.
_EMPTY = re.compile(
    r"(?i)<private>|n/?a|none|null|unknown|not (available|specified)|to be filled by o\.e\.m\.|0+|-+|\.+"
)


def probes(platforms: Iterable[Platform], tables: Tables) -> list[Oid]:
    """Return the branches to look into, to choose between the platforms that this device may be."""
    wanted = {
        oid(match.probe)
        for platform in platforms
        for match in platform.match
        if match.probe and _fits(match, tables, probed=False)
    }
    return sorted(wanted)


def identify(platforms: Iterable[Platform], tables: Tables) -> Platform | None:
    """Return the platform that fits best: by priority, then the longest sysObjectID prefix, then most conditions."""
    fitting = [
        (_weight(match, tables), platform.name, platform)
        for platform in platforms
        for match in platform.match
        if _fits(match, tables, probed=True)
    ]
    return max(fitting, default=(None, "", None), key=lambda row: (row[0] or (), row[1]))[2]


def entity_columns() -> list[Oid]:
    """Return the columns of ENTITY-MIB that identity takes from the chassis' row."""
    return [(*ENTITY, number) for number in _FIELDS.values()]


def chassis(tables: Tables, most: int = 4) -> list[Oid]:
    """Return the row indexes that may be the box itself, best first: chassis, stack, row 1, any with a model."""
    classes = tables.column(ENTITY_CLASS)
    ranked = [i for kind in (_CHASSIS, _STACK) for i, value in classes.items() if value == kind][:most]
    named = [i for i, text in tables.column(ENTITY_MODEL).items() if as_text(text)][:1]
    return list(dict.fromkeys([*ranked, (1,), *([] if classes else named)]))


def fact_oids(platform: Platform | None) -> list[Oid]:
    """Return the instances that the platform's facts are read from, and those any device may have."""
    facts = (*platform.facts.hardware, *platform.facts.version, *platform.facts.serial) if platform else ()
    places = (
        place for fact in facts if fact.oid and fact.source == "oid" for place in (fact.oid, *fact.then)
    )
    return [PRINTER_SERIAL, *map(oid, places)]


def serial_oids(platform: Platform | None) -> list[Oid]:
    """Return the instances that hold serial numbers."""
    facts = platform.facts.serial if platform else ()
    return [PRINTER_SERIAL, *(oid(fact.oid) for fact in facts if fact.oid)]


def fact_columns(platform: Platform | None) -> list[Oid]:
    """Return the columns that must be walked for the platform's facts."""
    facts = (*platform.facts.hardware, *platform.facts.version, *platform.facts.serial) if platform else ()
    return list(dict.fromkeys(oid(fact.oid) for fact in facts if fact.oid and fact.source == "column"))


def identity(platform: Platform | None, tables: Tables, meant: Platform | None = None) -> Identity:
    """Return who the device says it is.

    Of one that no platform fits, the platform it is `meant` to be says where its facts stand, but not what it is.
    """
    places = platform or meant
    return Identity(
        sysName=tables.text(SYS_NAME),
        sysDescr=tables.text(SYS_DESCR),
        sysObjectID=tables.text(SYS_OBJECT_ID),
        sysLocation=tables.text(SYS_LOCATION),
        sysContact=tables.text(SYS_CONTACT),
        os=platform.name if platform else "",
        vendor=platform.vendor if platform else _maker(tables),
        hardware=_first("hardware", places.facts.hardware if places else (), tables),
        version=_first("version", places.facts.version if places else (), tables),
        serial=_first("serial", places.facts.serial if places else (), tables),
    )


def _fits(match: Match, tables: Tables, *, probed: bool) -> bool:
    if match.object_id and not _prefix(match, tables):
        return False
    if match.descr and not prompt(match.descr).search(tables.text(SYS_DESCR)):
        return False
    if match.probe and probed:
        return _answers(match, oid(match.probe), tables)
    return bool(match.object_id or match.descr or match.probe)


def _answers(match: Match, branch: Oid, tables: Tables) -> bool:
    """Tell whether the device has something in the branch, and says there what the match asks for."""
    if not tables.column(branch):
        return False
    return not match.says or bool(prompt(match.says).search(_at(branch, tables)))


def _prefix(match: Match, tables: Tables) -> int:
    """Return the length of the longest prefix of sysObjectID that the match names; 0 if none is."""
    own = tables.seen.get(SYS_OBJECT_ID)
    own = own if isinstance(own, tuple) else ()
    return max((len(p) for p in map(oid, match.object_id) if own[: len(p)] == p), default=0)


def _weight(match: Match, tables: Tables) -> tuple[int, int, int]:
    return match.priority, _prefix(match, tables), bool(match.descr) + bool(match.probe)


def _first(what: str, facts: Sequence[Fact], tables: Tables) -> str:
    texts = (_fact(fact, tables) for fact in (*facts, *_STANDARD[what]))
    return next((text for text in texts if text and not _EMPTY.fullmatch(text)), "")


def _fact(fact: Fact, tables: Tables) -> str:
    for text in _sources(fact, tables):
        found = picked(text.strip(), fact.regex, fact.template)
        if found and not _EMPTY.fullmatch(found):
            return found
    return ""


def _sources(fact: Fact, tables: Tables) -> list[str]:
    match fact.source:
        case "sysDescr":
            return [tables.text(SYS_DESCR)]
        case "sysName":
            return [tables.text(SYS_NAME)]
        case "entity":
            return [tables.text((*ENTITY, _FIELDS[fact.field], *index)) for index in chassis(tables)]
        case _:
            number = oid(fact.oid or "0.0")
            text = as_mac(tables.seen.get(number)) if fact.mac else _at(number, tables)
            return [".".join([text, *(tables.text(oid(then)) for then in fact.then)])]


def _at(number: Oid, tables: Tables) -> str:
    """Return the instance, or the first text below it if it is a column."""
    if number in tables.seen:
        return tables.text(number)
    return next((t for t in map(as_text, tables.column(number).values()) if t), "")


def _maker(tables: Tables) -> str:
    """Return who made the device: what its chassis says, else whose number its sysObjectID has."""
    texts = (tables.text((*ENTITY, _FIELDS["maker"], *index)) for index in chassis(tables))
    return next((text for text in texts if text), "") or maker(tables.text(SYS_OBJECT_ID))
