"""What the shell offers when TAB is pressed: names from the database, fields, the values a field may have."""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from inventory import catalog

if TYPE_CHECKING:
    from inventory.nouns import Attribute

_AT_MOST = 200
Completer = Callable[[str], list[str]]


def names(noun: str) -> Completer:
    """Return what completes the name of a row of this noun."""
    return lambda incomplete: list(_names(noun, incomplete))


def selectors(noun: str) -> Completer:
    """Return what completes a word of a selector: a name, a field, a value, @saved; in a quoted word, its last part."""

    def complete(incomplete: str) -> list[str]:
        found = list(_term(noun, incomplete))
        before, space, last = incomplete.rpartition(" ")
        if space and not found and before.count("'") % 2 == 0:
            found = [f"{before} {t}" for t in _term(noun, last)]
        return found

    return complete


def assignments(noun: str) -> Completer:
    """Return what completes field=value of a row of this noun."""

    def complete(incomplete: str) -> list[str]:
        field, sign, begun = incomplete.partition("=")
        if sign:
            return [f"{field}={v}" for v in _values(noun, [field], begun)]
        offered = (a.name for a in _attributes(noun).values() if a.settable and a.kind != "vars")
        return [f"{f}=" for f in offered if f.startswith(incomplete)]

    return complete


def fields(noun: str) -> Completer:
    """Return what completes the last of the names in `--fields a,b`."""

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [before + comma + f for f in _fields(noun, last)]

    return complete


def _term(noun: str, incomplete: str) -> Iterator[str]:
    match = re.fullmatch(r"([\w.]+!?=(?:[^,]*,)*)([^,]*)", incomplete)
    if match:
        path = match[1].partition("=")[0].rstrip("!").split(".")
        yield from (match[1] + v for v in _values(noun, path, match[2]))
    elif incomplete.startswith("@"):
        yield from ("@" + n for n in _names("group", incomplete[1:], of=noun))
    else:
        yield from (f"{f}=" for f in _fields(noun, incomplete))
        yield from _names(noun, incomplete)


def _attributes(noun: str) -> "Mapping[str, Attribute]":
    """Return the fields of a noun with those that are declared; a wrong declaration is said by commands."""
    from inventory.nouns import declare, nouns
    from siaga.errors import SiagaError
    from siaga.settings import load

    with suppress(SiagaError):
        declare(load().fields)
    return nouns()[noun].attributes


def _fields(noun: str, begun: str) -> Iterator[str]:
    """Yield the paths that begin so; behind a reference and a dot those of the row it leads to."""
    first, dot, rest = begun.partition(".")
    attributes = _attributes(noun)
    if dot:
        ref = _spelt(noun, first)
        if ref:
            yield from (f"{first}.{f}" for f in _fields(ref, rest))
        return
    offered = dict.fromkeys(
        (*(a.name for a in attributes.values() if a.kind != "vars"), *catalog.spec(noun).paths)
    )
    yield from (f for f in offered if f.startswith(begun))


def _spelt(noun: str, first: str) -> str:
    """Return the noun that a reference, or the short name of one, leads to; '' if it is none."""
    for step in catalog.spec(noun).paths.get(first, first).split("."):
        attribute = _attributes(noun).get(step)
        noun = attribute.ref if attribute else ""
        if not noun:
            break
    return noun


def _values(noun: str, path: Sequence[str], begun: str) -> Iterator[str]:
    first, *rest = [*catalog.spec(noun).paths.get(path[0], path[0]).split("."), *path[1:]]
    attribute = _attributes(noun).get(first)
    if attribute is None:
        return
    if attribute.ref and rest and rest != ["kecamatan"]:
        yield from _values(attribute.ref, rest, begun)
    elif attribute.ref:
        yield from _names(attribute.ref, begun, kecamatan=rest == ["kecamatan"])
    else:
        choices = ("yes", "no") if attribute.kind == "bool" else attribute.choices
        yield from (c for c in choices if c and c.startswith(begun))


def _names(noun: str, begun: str, *, kecamatan: bool = False, of: str = "") -> Iterator[str]:
    """Yield names from the database file itself, read-only: a pressed key must cost little and break nothing.

    `of`: of groups only those of this noun.
    """
    table = catalog.spec(noun).table or noun
    query = f'SELECT name FROM "{table}" WHERE substr(name, 1, ?) = ?'  # noqa: S608 - a name of our own catalogue
    if noun == "interface":
        query = (
            "SELECT d.name || ':' || i.name FROM interface i JOIN device d ON d.id = i.device_id"
            " WHERE substr(d.name || ':' || i.name, 1, ?) = ?"
        )
    if kecamatan:
        query += " AND kind = 'kecamatan'"
    if of:
        query += " AND noun = ?"
    try:
        with closing(
            sqlite3.connect(f"{_path().resolve().as_uri()}?mode=ro", uri=True, timeout=1)
        ) as database:
            found = database.execute(
                f"{query} ORDER BY 1 LIMIT {_AT_MOST}", (len(begun), begun, *([of] if of else []))
            )
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
