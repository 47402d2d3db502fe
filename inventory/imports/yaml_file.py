"""Reads YAML: a mapping of nouns, each with a list of rows. Safe, bounded, and without guessing.

Plain words stay text (`no` is a name, `1.10` a version, `0012` a serial); the field they are for decides what they
are. Only within `vars` and other mappings are true, false, null and numbers told apart, as YAML 1.2's core schema
does. Tags, merge keys, a key written twice and more than one document are refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from inventory.imports.decoding import text_of
from inventory.imports.sheets import MAX_CELLS, MAX_ROWS, Flaw, Sheet, column_of, from_rows
from inventory.nouns import noun
from siaga.errors import InvalidError, NotFoundError
from siaga.text import one

FORMAT = 1
MAX_DEPTH = 30
MAX_NODES = 3 * MAX_CELLS
MAX_ALIASED = 100_000
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?P<part>\.[0-9]+(?:[eE][-+]?[0-9]+)?)?")
_STR_TAG = "tag:yaml.org,2002:str"


def read_yaml(name: str, octets: bytes) -> list[Sheet]:
    """Return one sheet per noun of a YAML file; raises InvalidError (`bad-workbook`) with the line."""
    return list(_Reader(name, text_of(octets, name)).sheets())


def read_mapping(name: str, octets: bytes) -> dict[str, Any]:
    """Return a YAML file whose top is a mapping, every plain word as text; raises InvalidError (`bad-workbook`)."""
    reader = _Reader(name, text_of(octets, name), typed=False)
    found = reader.whole()
    if not isinstance(found, dict):
        raise InvalidError("bad-workbook", f"{name} holds no mapping at its top.")
    return found


def _fields(name: str) -> frozenset[str]:
    """Return what a row of a noun may hold; nothing for what is no noun, of which the import tells."""
    try:
        return frozenset({a.name for a in noun(name).attributes.values() if a.settable} | {"revision"})
    except NotFoundError:
        return frozenset()


class _Reader:
    """Takes the events of libyaml one by one: no tree of nodes, which would need a gigabyte for 280,000 rows."""

    def __init__(self, name: str, text: str, *, typed: bool = True) -> None:
        self._name = name
        self._typed = typed
        self._nodes = self._aliased = 0
        self._anchors: dict[str, tuple[Any, int]] = {}
        try:
            self._loader = _Loader(text)
        except yaml.YAMLError as error:
            raise self._bad(error) from None
        self._next = self._loader.get_event

    def sheets(self) -> Iterator[Sheet]:
        """Yield the sheets of a file in siaga's own form."""
        try:
            if not isinstance(self._begin(), yaml.MappingStartEvent):
                raise self._wrong(None, "a mapping of nouns, such as 'device:', must stand at the top")
            seen: set[str] = set()
            while not isinstance(event := self._next(), yaml.MappingEndEvent):
                noun = self._key(event, seen)
                if noun == "siaga":
                    self._check_format(self._value(self._next(), 1))
                else:
                    flaws: list[Flaw] = []
                    sheet = from_rows(self._name, noun, self._known(noun, flaws))
                    yield replace(sheet, flaws=tuple(flaws)) if flaws else sheet
            self._end()
        except yaml.YAMLError as error:
            raise self._bad(error) from None

    def whole(self) -> Any:
        """Return the one document as it is."""
        try:
            value = self._value(self._begin(), 0)
            self._end()
        except yaml.YAMLError as error:
            raise self._bad(error) from None
        return value

    # --- what stands where ----------------------------------------------------------------------------

    def _begin(self) -> Any:
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            raise InvalidError("empty-import", f"{self._name} holds no rows to import.")
        return self._next()

    def _end(self) -> None:
        self._next()
        if not isinstance(event := self._next(), yaml.StreamEndEvent):
            raise self._wrong(event, "a second document begins: put all into one")

    def _check_format(self, about: Any) -> None:
        given = about.get("format") if isinstance(about, Mapping) else None
        if str(given) != str(FORMAT):
            raise InvalidError(
                "bad-workbook",
                f"{self._name} says siaga: {{format: {given}}}; this siaga reads format {FORMAT}.",
            )

    def _known(self, name: str, flaws: list[Flaw]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the rows without keys that are no fields of theirs: `flaws` take these with their lines."""
        known = _fields(name)
        told: set[str] = set()
        for line, row in self._rows(name):
            strange = row.keys() - known if known else ()
            for key in sorted(k for k in strange if not k.startswith("var.")):
                if column_of(noun(name), key) in known:
                    continue
                more = "" if key in told else f": {one(noun(name).words)} has {', '.join(sorted(known))}"
                flaws.append(Flaw(line, key, f"there is no such field{more}"))
                told.add(key)
                del row[key]
            yield line, row

    def _rows(self, noun: str) -> Iterator[tuple[int, dict[str, Any]]]:
        event = self._next()
        if isinstance(event, yaml.ScalarEvent) and event.value in _NULLS:
            return
        if not isinstance(event, yaml.SequenceStartEvent):
            raise self._wrong(event, f"under '{noun}' must stand a list of rows, each beginning with '- '")
        count = 0
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            if type(event) is not yaml.MappingStartEvent or event.tag or event.anchor:
                raise self._wrong(event, f"a row of '{noun}' must be a mapping such as '- name: …'")
            count += 1
            if count > MAX_ROWS:
                raise self._wrong(event, f"'{noun}' has more than {MAX_ROWS:,} rows: split the file")
            mark: Any = event.start_mark
            yield mark.line + 1, self._row()

    def _row(self) -> dict[str, Any]:
        """Return one row. Nearly every value is a plain scalar, which is taken without a further call."""
        following, scalar = self._next, yaml.ScalarEvent
        row: dict[str, Any] = {}
        while type(event := following()) is scalar:
            key = event.value
            if key in row or key == "<<" or event.anchor or event.tag:
                self._key(event, set(row))
            event = following()
            if type(event) is scalar and event.tag is None and event.anchor is None:
                value = event.value
                row[key] = "" if event.implicit[0] and value in _NULLS else value
            else:
                row[key] = self._cell(event)
        self._nodes += 2 * len(row)
        if not isinstance(event, yaml.MappingEndEvent) or self._nodes > MAX_NODES:
            raise self._wrong(event, "a field's name must be one word" if self._nodes <= MAX_NODES else _MANY)
        return row

    def _cell(self, event: Any) -> Any:
        """Return what a cell takes: a list as texts (tags), null as '' (which empties a field)."""
        typed = self._typed
        self._typed = typed and not isinstance(event, yaml.SequenceStartEvent)
        value = self._value(event, 3)
        self._typed = typed
        if isinstance(value, list):
            return [str(v) for v in value if v is not None]
        return "" if value is None else value

    def _key(self, event: Any, seen: set[str]) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
            raise self._wrong(event, "a key must be a plain word")
        if event.value == "<<":
            raise self._wrong(event, "merge keys (<<) are not read: write the fields out")
        if event.value in seen:
            raise self._wrong(event, f"the key '{event.value[:60]}' stands there twice")
        seen.add(event.value)
        return str(event.value)

    # --- values ---------------------------------------------------------------------------------------

    def _value(self, event: Any, depth: int) -> Any:
        before = self._nodes + self._aliased
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise self._wrong(event, "it lies too deep" if depth > MAX_DEPTH else _MANY)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag not in (None, "!", _STR_TAG):
            raise self._wrong(event, f"the tag {event.tag[:60]} is not read")
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = list(self._items(depth))
        else:
            value = self._mapping(depth)
        if event.anchor:
            self._anchors[event.anchor] = (value, self._nodes + self._aliased - before)
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise self._wrong(event, f"*{event.anchor[:60]} refers to nothing before it")
        value, size = self._anchors[event.anchor]
        # Counted as if written out: aliases of aliases grow without bound (billion laughs).
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise self._wrong(event, f"its aliases stand for more than {MAX_ALIASED:,} values")
        return value

    def _items(self, depth: int) -> Iterator[Any]:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            yield self._value(event, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        seen: set[str] = set()
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            found[self._key(event, seen)] = self._value(self._next(), depth + 1)
        return found

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if not event.implicit[0]:  # quoted
            return text
        if text in _NULLS:
            return None
        if not self._typed:
            return text
        if text in _TRUTHS:
            return _TRUTHS[text]
        number = _NUMBER.fullmatch(text) if len(text) < 40 else None
        return text if not number else float(text) if number["part"] else int(text)

    # --- errors ---------------------------------------------------------------------------------------

    def _wrong(self, event: Any, reason: str) -> InvalidError:
        where = f"{self._name}, line {event.start_mark.line + 1}" if event is not None else self._name
        return InvalidError("bad-workbook", f"{where}: {reason}.")

    def _bad(self, error: yaml.YAMLError) -> InvalidError:
        mark = getattr(error, "problem_mark", None)
        where = f"{self._name}, line {mark.line + 1}" if mark else self._name
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        return InvalidError("bad-workbook", f"{where}: this is no YAML: {str(reason)[:120]}.")


_MANY = f"it holds more than {MAX_NODES:,} values: split it"
