"""A plain list straight from SQLite, without loading SQLAlchemy and the tables: in half of the time.

What the rows mean is read from the database itself (column types, foreign keys). It answers the same as
`store.rows`, which a test holds for every noun; where it cannot, it returns None and `store.rows` is asked.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from inventory import catalog

Declared = Mapping[str, Mapping[str, str]]
# A declared field called so could not be asked for, or would hide what selectors mean by it.
SELECTOR_WORDS = frozenset(
    {"and", "custom", "id", "kecamatan", "not", "or", "revision", "tag", "under", "var", "vars", "within"}
)
Rows = tuple[frozenset[str], list[dict[str, Any]]]
_READ: Mapping[str, Callable[[Any], Any]] = {
    "BOOLEAN": bool,
    "DATE": date.fromisoformat,
    "DATETIME": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    "JSON": json.loads,
}
_NUMBERS = ("INTEGER", "BIGINT", "FLOAT")
# What is called by an address sorts as numbers do; a prefix stands before those inside it.
_SORTING = {
    "cidr": ("family", "first", "length", "name"),
    "range": ("family", "first", "last", "name"),
    "address": ("family", "first", "name"),
}


def sorting(noun: str) -> tuple[str, ...]:
    """Return the fields that the rows of a noun are ordered by."""
    spec = catalog.spec(noun)
    return _SORTING.get(spec.naming, spec.key)


def listed(url: str, noun: str, declared: Declared | None = None, only: Collection[str] = ()) -> Rows | None:
    """Return (names of numeric fields, all rows by natural key) of a noun; None if this is no usable SQLite file.

    `declared` are the fields of the settings by noun, each with the noun it refers to; they lie in the column
    `custom`. Where one of them cannot be, the answer is None too: the tables know how to say it. `only`: the
    fields wanted, all unless some are named.
    """
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as database:
            database.execute("BEGIN")  # one moment of the database for all of it
            if not all(_can_be(database, name, fields) for name, fields in (declared or {}).items()):
                return None
            return _listed(database, catalog.spec(noun), (declared or {}).get(noun, {}), only)
    except (sqlite3.Error, ValueError, StopIteration):
        return None


def _can_be(database: sqlite3.Connection, noun: str, fields: Mapping[str, str]) -> bool:
    """Tell whether these fields can be declared; nouns.declare says the same in words."""
    known = {s.name for s in catalog.SPECS}
    if noun not in known:
        return False
    taken = {name.removesuffix("_id") for name in _columns(database, _table(noun))}
    taken |= {*_columns(database, _table(noun)), *SELECTOR_WORDS, *catalog.spec(noun).paths}
    return not taken & set(fields) and {ref for ref in fields.values() if ref} <= known


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]


def _listed(
    database: sqlite3.Connection, spec: catalog.Spec, declared: Mapping[str, str], only: Collection[str]
) -> Rows:
    table = spec.table or spec.name
    types = {row[1]: row[2] for row in database.execute(f'PRAGMA table_info("{table}")')}
    keys = {row[3]: row[2] for row in database.execute(f'PRAGMA foreign_key_list("{table}")')}
    known = {column.removesuffix("_id") if column in keys else column: column for column in types}
    if not set(only) <= {*known, *declared} - {"id", "custom", "revision"}:
        raise ValueError(only)  # a slip, or a field behind a reference
    wanted = spec.ordered(set(known) - {"id", "custom", "revision"})
    wanted = [n for n in wanted if not only or n in only]
    numbers = frozenset(n for n in wanted if types[known[n]] in _NUMBERS and known[n] not in keys)
    custom = [n for n in declared if not only or n in only]
    columns = [*(known[n] for n in wanted), *(["custom"] if custom else [])]
    titles = [*wanted, *(["custom"] if custom else [])]
    found = [dict(zip(titles, values, strict=True)) for values in _values(database, spec, table, columns)]
    for name in wanted:
        _converted(found, name, _converter(database, known[name], keys, types))
    if custom:
        _spread(database, found, custom, declared)
    return numbers, found


def _values(
    database: sqlite3.Connection, spec: catalog.Spec, table: str, columns: Sequence[str]
) -> Iterable[tuple[Any, ...]]:
    chosen = ", ".join(f't."{c}"' for c in columns)
    order = ", ".join(f"t.{field}" for field in sorting(spec.name))
    joined = ""
    if spec.key == ("device", "name"):
        joined, order = "JOIN device d ON d.id = t.device_id", "d.name, t.name"
    elif spec.key != ("name",):
        raise ValueError(spec.key)
    return database.execute(f'SELECT {chosen} FROM "{table}" t {joined} ORDER BY {order}')  # noqa: S608 - names of the schema


def _converter(
    database: sqlite3.Connection, column: str, keys: Mapping[str, str], types: Mapping[str, str]
) -> Callable[[Any], Any] | None:
    if column in keys:
        labels = _labels(database, keys[column])
        return lambda row_id: labels.get(row_id, "")
    return _READ.get(types[column])


def _converted(rows: Sequence[dict[str, Any]], name: str, convert: Callable[[Any], Any] | None) -> None:
    if convert is not None:
        for row in rows:
            if row[name] is not None:
                row[name] = convert(row[name])


def _spread(
    database: sqlite3.Connection,
    rows: Sequence[dict[str, Any]],
    custom: Sequence[str],
    declared: Mapping[str, str],
) -> None:
    """Put the declared fields, which lie together in one column, in the place of that column."""
    labels = {name: _labels(database, _table(declared[name])) for name in custom if declared[name]}
    for row in rows:
        own = json.loads(row.pop("custom") or "{}")
        row |= {name: own.get(name) for name in custom}
        row |= {n: known.get(row[n], "") for n, known in labels.items() if row[n] is not None}


def _table(noun: str) -> str:
    return catalog.spec(noun).table or noun


def _labels(database: sqlite3.Connection, table: str) -> dict[int, str]:
    if table == "interface":
        query = "SELECT i.id, d.name || ':' || i.name FROM interface i JOIN device d ON d.id = i.device_id"
        return dict(database.execute(query))
    return dict(database.execute(f'SELECT id, name FROM "{table}"'))  # noqa: S608 - a name from the schema
