"""What the shell offers when TAB is pressed: names from the database, fields, the values a field may have."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

_AT_MOST = 200
Completer = Callable[[str], list[str]]


def names(noun: str) -> Completer:
    """Return what completes the name of a row of this noun."""
    return lambda incomplete: list(_names(noun, incomplete))


def selectors(noun: str) -> Completer:
    """Return what completes a word of a selector: a name, a field, a value, @saved."""

    def complete(incomplete: str) -> list[str]:
        field, sign, begun = incomplete.partition("=")
        if sign:
            return [f"{field}={v}" for v in _values(noun, field.rstrip("!"), begun)]
        if incomplete.startswith("@"):
            return ["@" + n for n in _names("group", incomplete[1:])]
        return [*(f"{f}=" for f in _fields(noun) if f.startswith(incomplete)), *_names(noun, incomplete)]

    return complete


def assignments(noun: str) -> Completer:
    """Return what completes field=value of a row of this noun."""

    def complete(incomplete: str) -> list[str]:
        field, sign, begun = incomplete.partition("=")
        if not sign:
            return [f"{f}=" for f in _fields(noun) if f.startswith(incomplete)]
        return [f"{field}={v}" for v in _values(noun, field, begun)]

    return complete


def _fields(noun: str) -> list[str]:
    from inventory.nouns import nouns

    kind = nouns()[noun]
    return [*(a.name for a in kind.attributes.values() if a.kind != "vars"), *kind.paths]


def _values(noun: str, field: str, begun: str) -> Iterator[str]:
    from inventory.nouns import nouns

    kind = nouns()[noun]
    first, _, rest = kind.paths.get(field, field).partition(".")
    attribute = kind.attributes.get(first)
    if attribute is None:
        return
    if attribute.ref and rest and rest != "kecamatan":
        yield from _values(attribute.ref, rest, begun)
    elif attribute.ref:
        yield from _names(attribute.ref, begun, kecamatan=rest == "kecamatan")
    else:
        yield from (c for c in attribute.choices if c and c.startswith(begun))


def _names(noun: str, begun: str, *, kecamatan: bool = False) -> Iterator[str]:
    """Yield names from the database file itself, read-only: a pressed key must cost little and break nothing."""
    from inventory.catalog import spec

    table = spec(noun).table or noun
    query = f'SELECT name FROM "{table}" WHERE substr(name, 1, ?) = ?'  # noqa: S608 - a name of our own catalogue
    if noun == "interface":
        query = (
            "SELECT d.name || ':' || i.name FROM interface i JOIN device d ON d.id = i.device_id"
            " WHERE substr(d.name || ':' || i.name, 1, ?) = ?"
        )
    if kecamatan:
        query += " AND kind = 'kecamatan'"
    try:
        with closing(
            sqlite3.connect(f"{_path().resolve().as_uri()}?mode=ro", uri=True, timeout=1)
        ) as database:
            found = database.execute(f"{query} ORDER BY 1 LIMIT {_AT_MOST}", (len(begun), begun))
            yield from (str(n) for (n,) in found)
    except (sqlite3.Error, OSError):
        return


def _path() -> Path:
    from siaga.errors import SiagaError
    from siaga.settings import load

    try:
        return Path(load().database.removeprefix("sqlite:///"))
    except SiagaError:
        return Path(os.devnull)
