"""Drafts a platform file from what a device said: how it is recognised, and the columns of its maker's branch. Pure.

Nobody can tell from numbers alone what they mean: what is likely stands as a comment with examples, for a person who
knows the device or has its MIB to take over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor import identify
from monitor.tables import Oid, Tables, Value, as_text, dotted
from siaga.text import safe

ENTERPRISES = (1, 3, 6, 1, 4, 1)
_COLUMNS_AT_MOST = 400
_TEXTS_AT_MOST = 60
_EXAMPLES = 4


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
    known = identify.identity(None, tables)
    head = [
        f'name = "{name}"',
        f"vendor = {_quoted(known.vendor or 'Unknown')}",
        f"title = {_quoted(known.hardware or name)}",
        "",
        *_readings(columns(seen, object_id)),
        *_called(texts(seen, object_id)),
        "",
        "[[match]]",
        *_match(object_id, tables),
        "",
        "[facts]",
        *_facts(tables, object_id),
    ]
    return "\n".join(head).rstrip() + "\n"


def _match(object_id: Oid | None, tables: Tables) -> Iterator[str]:
    descr = tables.text(identify.SYS_DESCR, 80)
    if object_id:
        yield f'object_id = ["{dotted(object_id[:-1] if len(object_id) > 8 else object_id)}"]'
        yield f"# sysDescr is {_quoted(descr)}: a descr = '...' tells apart makes that share this branch."
    else:
        word = next((w for w in descr.split() if len(w) > 3 and w.isalnum()), "")
        yield f"descr = '{word or 'what sysDescr says'}'"


def _facts(tables: Tables, object_id: Oid | None) -> Iterator[str]:
    """Yield facts as comments: model, version and serial of ENTITY-MIB need no line; others may stand here."""
    yield "# Model, version and serial are taken from ENTITY-MIB where these lines say nothing."
    words = [
        (o, as_text(v, 60)) for o, v in tables.seen.items() if isinstance(v, bytes) and _own(o, object_id)
    ]
    scalars = [(o, text) for o, text in words if o[-1] == 0 and 2 < len(text) < 60]
    for number, text in scalars[:30]:
        yield f'# version = [{{ oid = "{dotted(number)}" }}]  # {safe(text, 60)}'


def columns(seen: Mapping[Oid, Value], object_id: Oid | None) -> list[Column]:
    """Return the columns and scalars of the maker's branch that hold numbers, or numbers in text."""
    grouped: dict[Oid, list[Value]] = {}
    for number, value in seen.items():
        if _own(number, object_id) and isinstance(value, int | bytes):
            grouped.setdefault(number if number[-1] == 0 else number[:-1], []).append(value)
    found = [Column(o, len(vs), tuple(vs[:_EXAMPLES])) for o, vs in sorted(grouped.items())]
    return [c for c in found if any(isinstance(v, int) for v in c.examples)][:_COLUMNS_AT_MOST]


def texts(seen: Mapping[Oid, Value], object_id: Oid | None) -> list[Column]:
    """Return the columns of the maker's branch that hold words: what a row is called may be among them."""
    grouped: dict[Oid, list[Value]] = {}
    for number, value in seen.items():
        if _own(number, object_id) and number[-1] != 0 and isinstance(value, bytes) and as_text(value):
            grouped.setdefault(number[:-1], []).append(value)
    return [Column(o, len(vs), tuple(vs[:_EXAMPLES])) for o, vs in sorted(grouped.items())][:_TEXTS_AT_MOST]


def _own(number: Oid, object_id: Oid | None) -> bool:
    if number[:6] != ENTERPRISES:
        return False
    return object_id is None or number[6] == object_id[6]


def _readings(found: list[Column]) -> Iterator[str]:
    yield "# What may be readings. Take the '#' away from those that are, give them a class (docs/platforms.md lists"
    yield "# them), a title or a text column, and a scale. Above, vendor and title are yours to write."
    yield "sensors = ["
    for column in found:
        examples = ", ".join(safe(as_text(v), 20) for v in column.examples)
        rows = f"{column.rows} rows, " if column.rows > 1 else ""
        yield f'  # {{ class = "{_guess(column)}", oid = "{dotted(column.oid)}" }},  # {rows}{examples}'
    yield "]"


def _called(found: list[Column]) -> Iterator[str]:
    if found:
        yield '# What rows may be called: text = "..." in a reading of the same table.'
    for column in found:
        yield f'# text = "{dotted(column.oid)}"  # {", ".join(safe(as_text(v), 20) for v in column.examples)}'


def _guess(column: Column) -> str:
    """Return the class that numbers of this size are most often; the device's MIB says what they are."""
    numbers = [v for v in column.examples if isinstance(v, int)]
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
