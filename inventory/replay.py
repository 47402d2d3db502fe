"""The rows as the history says they are now, held against the rows that there are.

Every entry is taken forward, from the first to the last. A reference is kept as a number of our own, because what
it refers to may be called otherwise later. What siaga observed or derives itself is no history.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from inventory.buffer import blank
from inventory.nouns import Attribute, Noun, nouns
from inventory.store import labels
from siaga.text import safe

_SHOWN = 100  # characters of a value that is told


@dataclass
class _Told:
    """What the history tells of one noun: number → field → value, and natural key → number."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[Any, int] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)  # named, but never added: siaga observed them


class Replay:
    """Takes entries, the oldest first; then tells where the rows are otherwise."""

    def __init__(self) -> None:
        self._kinds = {n: k for n, k in nouns().items() if not k.seen}
        self._told = {n: _Told() for n in self._kinds}
        self._last = 0

    def take(self, entry: Mapping[str, Any]) -> None:
        """Take the next entry."""
        kind = self._kinds.get(entry["noun"])
        if kind is None:
            return
        told, key = self._told[kind.name], self._key(kind, entry["row_name"])
        if entry["action"] == "rm":
            told.rows.pop(told.numbers.pop(key, 0), None)
            return
        number = told.numbers.get(key)
        if number is None:
            number = self._new(kind, entry["row_name"], key)
            if entry["action"] != "add":
                told.unsure.add(number)
        row = told.rows[number]
        for name, value in entry["after"].items():
            attribute = kind.attributes.get(name)
            if attribute is not None and attribute.settable:
                row[name] = self._meant(attribute, value)
        now = tuple(row.get(k) for k in kind.key) if len(kind.key) > 1 else row.get("name")
        if now != key:
            del told.numbers[key]
            told.numbers[now] = number

    def differences(self, session: Session) -> Iterator[str]:
        """Yield a sentence for each row, or field of a row, that is not what the history says."""
        for kind in self._kinds.values():
            try:
                yield from self._of_noun(session, kind)
            except (ValueError, TypeError, DatabaseError):
                yield f"The rows of {kind.words} cannot be read: one holds what siaga does not write."

    def _new(self, kind: Noun, label: str, key: Any) -> int:
        self._last += 1
        values = zip(kind.key, key if len(kind.key) > 1 else (label,), strict=True)
        told = self._told[kind.name]
        told.rows[self._last], told.numbers[key] = dict(values), self._last
        return self._last

    def _key(self, kind: Noun, label: str) -> Any:
        """Return a natural key with numbers for references: an interface follows its device."""
        if len(kind.key) == 1:
            return label
        parts = zip(kind.key, label.split(":", len(kind.key) - 1), strict=False)
        return tuple(self._meant(kind.attributes[k], p) for k, p in parts)

    def _meant(self, attribute: Attribute, value: Any) -> Any:
        if attribute.kind != "ref" or value is None or attribute.ref not in self._kinds:
            return value
        kind = self._kinds[attribute.ref]
        key = self._key(kind, str(value))
        found = self._told[kind.name].numbers.get(key)
        if found is None and len(kind.key) > 1:  # an interface that only a poll has seen
            found = self._new(kind, str(value), key)
            self._told[kind.name].unsure.add(found)
        return value if found is None else found

    def _label(self, noun_name: str, number: Any) -> Any:
        row = self._told[noun_name].rows.get(number) if isinstance(number, int) else None
        if row is None:
            return number
        kind = self._kinds[noun_name]
        return ":".join(str(self._shown(kind.attributes[k], row.get(k))) for k in kind.key)

    def _shown(self, attribute: Attribute, value: Any) -> Any:
        return (
            self._label(attribute.ref, value)
            if attribute.kind == "ref" and attribute.ref in self._kinds
            else value
        )

    def _of_noun(self, session: Session, kind: Noun) -> Iterator[str]:
        told = self._told[kind.name]
        plan = [_Field(session, kind, a) for a in kind.attributes.values() if a.settable]
        names, met = labels(session, kind.name), set()
        for stored in session.execute(select(kind.table)).mappings():
            label = names[stored["id"]]
            number = told.numbers.get(self._key(kind, label))
            if number is None and (kind.name != "interface" or stored["revision"]):
                yield f"{kind.words} {safe(label)}: the history knows no such row"
                continue
            met.add(number)
            known = told.rows[number] if number is not None else None
            yield from self._of_row(kind, label, plan, stored, known)
        for number in told.rows.keys() - met - told.unsure:
            yield f"{kind.words} {safe(self._label(kind.name, number))}: it is gone, and the history removed it not"

    def _of_row(
        self,
        kind: Noun,
        label: str,
        plan: "list[_Field]",
        stored: Mapping[Any, Any],
        known: Mapping[str, Any] | None,
    ) -> Iterator[str]:
        for part in plan:
            name = part.attribute.name
            if known is None and name in kind.key:
                continue
            value = known[name] if known is not None and name in known else part.default
            told = _comparable(self._shown(part.attribute, value) if part.ref else value)
            there = part.read(stored)
            if there != told:
                yield f"{kind.words} {safe(label)}: {name} is {_phrase(there)}, the history says {_phrase(told)}"


class _Field:
    """How one field is read of a stored row."""

    def __init__(self, session: Session, kind: Noun, attribute: Attribute) -> None:
        self.attribute = attribute
        self.ref = attribute.kind == "ref"
        self.default = None if attribute.custom or self.ref else blank(kind.name).get(attribute.column)
        names = labels(session, attribute.ref) if self.ref else {}
        self.read: Callable[[Mapping[Any, Any]], Any] = lambda row: _comparable(row[attribute.column])
        if attribute.custom:
            self.read = lambda row: _comparable((row["custom"] or {}).get(attribute.name))
        if self.ref:
            plain = self.read
            self.read = lambda row: (
                None if plain(row) is None else names.get(plain(row), f"number {plain(row)}")
            )


def _comparable(value: Any) -> Any:
    if value in (None, "", {}):
        return None
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _phrase(value: Any) -> str:
    return "empty" if value is None else safe(str(value), _SHOWN)
