"""A plain list straight from SQLite, without loading SQLAlchemy and the tables: in half of the time.

What the rows mean is read from the database itself (column types, foreign keys). It answers the same as
`store.rows`, which a test holds for every noun; where it cannot, it returns None and `store.rows` is asked.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from inventory import catalog

Rows = tuple[frozenset[str], list[dict[str, Any]]]
_READ: Mapping[str, Callable[[Any], Any]] = {
    "BOOLEAN": bool,
    "DATE": date.fromisoformat,
    "DATETIME": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    "JSON": json.loads,
}
_NUMBERS = ("INTEGER", "BIGINT", "FLOAT")


def listed(url: str, noun: str, declared: Mapping[str, str] | None = None) -> Rows | None:
    """Return (names of numeric fields, all rows by natural key) of a noun; None if this is no usable SQLite file.

    `declared` are the noun's fields of the settings, which lie in the column `custom`, with the noun they refer to.
    """
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as database:
            database.execute("BEGIN")  # one moment of the database for all of it
            return _listed(database, noun, declared or {})
    except (sqlite3.Error, ValueError, StopIteration):
        return None


def _listed(database: sqlite3.Connection, noun: str, declared: Mapping[str, str]) -> Rows:
    spec = catalog.spec(noun)
    table = spec.table or spec.name
    types = {row[1]: row[2] for row in database.execute(f'PRAGMA table_info("{table}")')}
    keys = {row[3]: row[2] for row in database.execute(f'PRAGMA foreign_key_list("{table}")')}
    labels = {other: _labels(database, other) for other in set(keys.values())}
    known = {column.removesuffix("_id") if column in keys else column: column for column in types}
    names = {known[n]: n for n in spec.ordered(set(known) - {"id", "custom", "revision"})}
    names_of = {name: _labels(database, _table(other)) for name, other in declared.items() if other}
    if declared:
        names["custom"] = "custom"
    columns = ", ".join(f'"{column}"' for column in names)
    found = []
    for values in database.execute(f'SELECT {columns} FROM "{table}"'):  # noqa: S608 - names from the catalogue and schema
        row: dict[str, Any] = {}
        for (column, name), value in zip(names.items(), values, strict=True):
            if value is not None and column in keys:
                row[name] = labels[keys[column]].get(value, "")
            else:
                row[name] = (
                    _READ[types[column]](value) if value is not None and types[column] in _READ else value
                )
        if declared:
            own = row.pop("custom") or {}
            row |= {name: own.get(name) for name in declared}
            row |= {name: names_of[name].get(row[name], "") for name in names_of if row[name] is not None}
        found.append(row)
    found.sort(key=lambda r: [str(r[k]) for k in spec.key])
    numbers = frozenset(n for c, n in names.items() if types[c] in _NUMBERS and c not in keys)
    return numbers, found


def _table(noun: str) -> str:
    return catalog.spec(noun).table or noun


def _labels(database: sqlite3.Connection, table: str) -> dict[int, str]:
    if table == "interface":
        query = "SELECT i.id, d.name || ':' || i.name FROM interface i JOIN device d ON d.id = i.device_id"
        return dict(database.execute(query))
    return dict(database.execute(f'SELECT id, name FROM "{table}"'))  # noqa: S608 - a name from the schema
