"""Drafts a platform file from what a device said: how it is recognised, and the columns of its maker's branch. Pure.

Nobody can tell from numbers alone what they mean: what is likely stands as a comment with examples, for a person who
knows the device or has its MIB to take over.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor import identify
from monitor.tables import Oid, Tables, Value, as_text, dotted
from siaga.text import safe

ENTERPRISES = (1, 3, 6, 1, 4, 1)
_COLUMNS_AT_MOST = 400
_TEXTS_AT_MOST = 60
_EXAMPLES = 4
# net-snmp, UCD and Microsoft: their numbers say which agent answers, not who made the box.
_AGENTS = frozenset({8072, 2021, 311})
# A number in text, as far as its unit; what a unit says of the class.
_IN_TEXT = re.compile(r"[-+]?\d{1,6}(?:\.\d{1,6})?\s?(V|A|W|Hz|rpm|RPM|dBm|%|°?C)?")
_CLASSES = {
    "V": "voltage",
    "A": "current",
    "W": "power",
    "Hz": "frequency",
    "rpm": "fanspeed",
    "dBm": "dbm",
    "%": "percent",
    "C": "temperature",
}


@dataclass(frozen=True)
class Column:
    """A column (or scalar) of the maker's branch, with some of its values."""

    oid: Oid
    rows: int
    examples: tuple[Value, ...]


def draft(name: str, seen: Mapping[Oid, Value]) -> str:
    """Return the text of a platform file; it is valid as it is and recognises the device."""
    tables = Tables(seen)
    own = seen.get(identify.SYS_OBJECT_ID)
    object_id = own if isinstance(own, tuple) and own[:6] == ENTERPRISES and len(own) > 6 else None
    maker = _maker(seen, object_id)
    known = identify.identity(None, tables)
    head = [
        f'name = "{name}"',
        f"vendor = {_quoted(known.vendor or 'Unknown')}",
        f"title = {_quoted(known.hardware or name)}",
        "",
        *_readings(columns(seen, maker)),
        *_called(texts(seen, maker)),
        "",
        "[[match]]",
        *_match(object_id, maker, tables),
        "",
        "[facts]",
        *_facts(tables, maker),
    ]
    return "\n".join(head).rstrip() + "\n"


def _maker(seen: Mapping[Oid, Value], object_id: Oid | None) -> int | None:
    """Return the maker's number: sysObjectID's, or, where that is the agent's, of the largest branch beside it."""
    if object_id is None or object_id[6] not in _AGENTS:
        return object_id[6] if object_id else None
    there = Counter(number[6] for number in seen if number[:6] == ENTERPRISES and len(number) > 6)
    makers = [number for number, _ in there.most_common() if number not in _AGENTS]
    return makers[0] if makers else object_id[6]


def _match(object_id: Oid | None, maker: int | None, tables: Tables) -> Iterator[str]:
    descr = tables.text(identify.SYS_DESCR, 80)
    told = f"# sysDescr is {_quoted(descr)}: a descr = '...' tells apart makes that share this branch."
    if object_id is None:
        yield f"descr = '{_word(descr)}'"
    elif object_id[6] not in _AGENTS:
        yield f'object_id = ["{dotted(object_id[:-1] if len(object_id) > 8 else object_id)}"]'
        yield told
    else:
        yield "# The sysObjectID is the agent's, which devices of many makes and every server may have."
        yield f'object_id = ["{dotted(object_id)}"]'
        yield (
            f"descr = '{_word(descr)}'"
            if maker in _AGENTS
            else f'probe = "{dotted((*ENTERPRISES, maker or 0))}"'
        )
        yield "priority = 1"
        yield told


def _word(descr: str) -> str:
    """Return a word of sysDescr to recognise the device by."""
    return next((w for w in descr.split() if len(w) > 3 and w.isalnum()), "") or "what sysDescr says"


def _facts(tables: Tables, maker: int | None) -> Iterator[str]:
    """Yield facts as comments: model, version and serial of ENTITY-MIB need no line; others may stand here."""
    yield "# Model, version and serial are taken from ENTITY-MIB where these lines say nothing. Below are texts of the"
    yield "# maker's: call each that is one of them hardware, version or serial, and take the '#' away."
    words = [(o, as_text(v, 60)) for o, v in tables.seen.items() if isinstance(v, bytes) and _own(o, maker)]
    scalars = [(o, text) for o, text in words if o[-1] == 0 and 2 < len(text) < 60]
    for number, text in scalars[:30]:
        yield f'# version = [{{ oid = "{dotted(number)}" }}]  # {safe(text, 60)}'


def columns(seen: Mapping[Oid, Value], maker: int | None) -> list[Column]:
    """Return the columns and scalars of the maker's branch that hold numbers, or numbers in text.

    Left out are those that only repeat the index of their row.
    """
    grouped: dict[Oid, dict[Oid, Value]] = {}
    for number, value in seen.items():
        if _own(number, maker) and isinstance(value, int | bytes):
            grouped.setdefault(number if number[-1] == 0 else number[:-1], {})[number] = value
    return [
        Column(o, len(rows), tuple(rows.values())[:_EXAMPLES])
        for o, rows in sorted(grouped.items())
        if any(_is_number(v) for v in [*rows.values()][:_EXAMPLES]) and not _is_index(rows)
    ][:_COLUMNS_AT_MOST]


def _is_number(value: Value) -> bool:
    return isinstance(value, int) or bool(_IN_TEXT.fullmatch(as_text(value)))


def _is_index(rows: Mapping[Oid, Value]) -> bool:
    return len(rows) > 1 and all(number[-1] == value for number, value in rows.items())


def texts(seen: Mapping[Oid, Value], maker: int | None) -> list[Column]:
    """Return the columns of the maker's branch that hold words: what a row is called may be among them."""
    grouped: dict[Oid, list[Value]] = {}
    for number, value in seen.items():
        if _own(number, maker) and number[-1] != 0 and isinstance(value, bytes) and as_text(value):
            grouped.setdefault(number[:-1], []).append(value)
    worded = {o: values for o, values in grouped.items() if not all(map(_is_number, values))}
    return [Column(o, len(vs), tuple(vs[:_EXAMPLES])) for o, vs in sorted(worded.items())][:_TEXTS_AT_MOST]


def _own(number: Oid, maker: int | None) -> bool:
    if number[:6] != ENTERPRISES:
        return False
    return maker is None or number[6] == maker


def _readings(found: list[Column]) -> Iterator[str]:
    yield "# What may be readings. Take the '#' away from those that are, give them a class (docs/platforms.md lists"
    yield "# them), a title or a text column, and a scale. Above, vendor and title are yours to write."
    yield "sensors = ["
    for column in found:
        examples = ", ".join(filter(None, (safe(as_text(v), 20) for v in column.examples)))
        rows = f"{column.rows} rows, " if column.rows > 1 else ""
        kind = _guess(column)
        means = f", states = {{ {_codes(column)} }}" if kind == "state" else ""
        yield f'  # {{ class = "{kind}", oid = "{dotted(column.oid)}"{means} }},  # {rows}{examples}'
    yield "]"


def _codes(column: Column) -> str:
    """Return what is yet to be said of the codes that were seen: a severity and a word for each."""
    return ", ".join(f'{code} = "unknown {code}"' for code in sorted(set(map(as_text, column.examples))))


def _called(found: list[Column]) -> Iterator[str]:
    if found:
        yield '# What rows may be called: text = "..." in a reading of the same table.'
    for column in found:
        yield f'# text = "{dotted(column.oid)}"  # {", ".join(safe(as_text(v), 20) for v in column.examples)}'


def _guess(column: Column) -> str:
    """Return the class that numbers of this size are most often; the device's MIB says what they are."""
    numbers = [v for v in column.examples if isinstance(v, int)]
    if len(numbers) < len(column.examples):
        found = (_IN_TEXT.fullmatch(as_text(v)) for v in column.examples)
        unit = next((m.group(1) for m in found if m and m.group(1)), "")
        return _CLASSES.get(unit.replace("RPM", "rpm").strip("°"), "count")
    if all(1 <= n <= 7 for n in numbers):
        return "state"
    if all(15 <= n <= 95 for n in numbers):
        return "temperature"
    if all(1000 <= n <= 20000 for n in numbers):
        return "fanspeed"
    return "count"


def _quoted(text: str) -> str:
    """Return a TOML basic string."""
    return '"' + safe(text, 120).replace("\\", "\\\\").replace('"', '\\"') + '"'
