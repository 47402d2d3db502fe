"""Writes rows of any noun: reads values, resolves references by name, keeps history. One way in for all.

`add`, `set`, the importers and the demo all go through `Writer`, so that the same rules hold everywhere.
A row with problems raises BadRowError with every one of them and changes nothing.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, select

from inventory.history import Author, last_hash, record
from inventory.models import Device, Place
from inventory.nouns import Attribute, Noun, noun
from inventory.store import labels
from inventory.values import BadValueError, read, variable_name
from siaga.errors import InvalidError, NotFoundError


class BadRowError(Exception):
    """A row that cannot be written; `problems` holds (field or '', sentence) of each reason."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(p for _, p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Diff:
    """What was (or would be) changed in one row; `before` and `after` hold only the fields that differ."""

    noun: str
    name: str
    action: str  # add, set, same, rm
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


class Writer:
    """Writes rows within one session. Call `finish` before the transaction ends."""

    def __init__(self, session: Session, author: Author) -> None:
        self.session = session
        self.author = author
        self.diffs: list[Diff] = []
        self._ids: dict[str, dict[str, int]] = {}
        self._names: dict[str, dict[int, str]] = {}
        self._head = ""

    def put(self, name: str, values: Mapping[str, Any], *, mode: str = "upsert") -> Diff:
        """Add or change one row, found by its natural key; `mode` is upsert, add or set.

        Raises BadRowError. A value of None in `values` leaves the field as it is; '' empties it.
        """
        kind = noun(name)
        typed = self._typed(kind, values)
        label = self._label(kind, values)
        row_id = self.ids(name).get(label)
        if mode == "add" and row_id is not None:
            raise BadRowError([(kind.key[-1], f"there is already a {name} called '{label}'")])
        if mode == "set" and row_id is None:
            raise BadRowError([(kind.key[-1], self._missing(name, label))])
        return self._insert(kind, label, typed) if row_id is None else self.change(kind, row_id, typed, label)

    def set(self, name: str, row_id: int, values: Mapping[str, Any]) -> Diff:
        """Change the row with this id. Raises BadRowError."""
        kind = noun(name)
        label = self.names(name)[row_id]
        return self.change(kind, row_id, self._typed(kind, values), label)

    def remove(self, name: str, row_id: int) -> Diff:
        """Delete one row; raises BadRowError if another row still refers to it."""
        kind = noun(name)
        label = self.names(name)[row_id]
        row = self.session.get_one(kind.model, row_id)
        before = {a.name: _plain(self, a, getattr(row, a.column)) for a in kind.attributes.values()}
        try:
            with self.session.begin_nested():
                self.session.delete(row)
        except IntegrityError:
            hint = "; set status=retired instead" if name == "device" else ""
            raise BadRowError([("", f"{name} '{label}' is still referred to by other rows{hint}")]) from None
        del self.ids(name)[label], self.names(name)[row_id]
        return self._note(Diff(name, label, "rm", before=before))

    def finish(self) -> None:
        """Derive what is derived and check what concerns several rows. Raises BadRowError."""
        changed = {d.noun for d in self.diffs if d.action != "same"}
        if "place" in changed:
            self._derive_kecamatan()
        if "device" in changed:
            self._check_parents()
            self._check_addresses()
        self.session.flush()

    def ids(self, name: str) -> dict[str, int]:
        """Return natural key → id of a noun, read once."""
        self.names(name)
        return self._ids[name]

    def names(self, name: str) -> dict[int, str]:
        """Return id → natural key of a noun, read once."""
        if name not in self._names:
            self._names[name] = labels(self.session, name)
            self._ids[name] = {label: i for i, label in self._names[name].items()}
        return self._names[name]

    # --- values ---------------------------------------------------------------------------------------

    def _typed(self, kind: Noun, values: Mapping[str, Any]) -> dict[str, Any]:
        problems: list[tuple[str, str]] = []
        typed: dict[str, Any] = {}
        for key, raw in values.items():
            try:
                column, value = self._one(kind, key, raw)
            except (BadValueError, NotFoundError) as error:
                sentence = error.sentence if isinstance(error, NotFoundError) else f"{key} {error}"
                problems.append((key, sentence))
                continue
            if column == "vars":
                typed.setdefault("vars", {}).update(value)
            else:
                typed[column] = value
        if problems:
            raise BadRowError(problems)
        return typed

    def _one(self, kind: Noun, key: str, raw: Any) -> tuple[str, Any]:
        if key.startswith("var.") and "vars" in kind.attributes:
            return "vars", {variable_name(key.removeprefix("var.")): raw}
        attribute = kind.attribute(key)
        if not attribute.settable:
            raise BadValueError("is kept by siaga itself and cannot be set")
        if attribute.kind == "vars":
            raise BadValueError("is set one by one, as var.NAME")
        value = read(attribute, raw)
        return attribute.column, self._resolved(attribute, value) if attribute.kind == "ref" else value

    def _resolved(self, attribute: Attribute, label: str | None) -> int | None:
        if label is None:
            return None
        row_id = self.ids(attribute.ref).get(label)
        if row_id is None:
            raise BadValueError(f"refers to nothing: {self._missing(attribute.ref, label)}")
        return row_id

    def _missing(self, name: str, label: str) -> str:
        near = difflib.get_close_matches(label, self.ids(name), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"there is no {name.replace('_', ' ')} called '{label}'{hint}"

    def _label(self, kind: Noun, values: Mapping[str, Any]) -> str:
        parts = [str(values.get(k) or "").strip() for k in kind.key]
        if not all(parts):
            raise BadRowError([(k, f"{k} is missing") for k, p in zip(kind.key, parts, strict=True) if not p])
        return ":".join(parts)

    # --- rows -----------------------------------------------------------------------------------------

    def _insert(self, kind: Noun, label: str, typed: Mapping[str, Any]) -> Diff:
        missing = [a for a in kind.attributes.values() if a.required and typed.get(a.column) in (None, "")]
        if missing:
            raise BadRowError([(a.name, f"{a.name} is missing") for a in missing])
        given = {c: v for c, v in typed.items() if v is not None}
        row = kind.model(**given)
        self.session.add(row)
        self.session.flush()
        row_id: int = row.id  # type: ignore[attr-defined]
        self.ids(kind.name)[label], self.names(kind.name)[row_id] = row_id, label
        after = {
            a.name: _plain(self, a, given[a.column]) for a in kind.attributes.values() if a.column in given
        }
        return self._note(Diff(kind.name, label, "add", after=after))

    def change(self, kind: Noun, row_id: int, typed: Mapping[str, Any], label: str) -> Diff:
        """Change a row to the typed column values; a row that would not change is left alone."""
        row = self.session.get_one(kind.model, row_id)
        before, after = {}, {}
        for attribute in kind.attributes.values():
            if attribute.column not in typed:
                continue
            old, new = getattr(row, attribute.column), typed[attribute.column]
            if attribute.kind == "vars":
                new = {k: v for k, v in {**old, **new}.items() if v not in (None, "")}
            if old != new:
                before[attribute.name] = _plain(self, attribute, old)
                after[attribute.name] = _plain(self, attribute, new)
                setattr(row, attribute.column, new)
        if not after:
            return Diff(kind.name, label, "same")
        self.session.add(row)
        self.session.flush()
        self._rename(kind, row, row_id, label)
        return self._note(Diff(kind.name, label, "set", before, after))

    def _rename(self, kind: Noun, row: SQLModel, row_id: int, label: str) -> None:
        name = getattr(row, "name", label)
        new = name if kind.key == ("name",) else label.partition(":")[0] + ":" + name
        if new != label:
            if new in self.ids(kind.name):
                raise BadRowError([("name", f"there is already a {kind.name} called '{new}'")])
            del self.ids(kind.name)[label]
            self.ids(kind.name)[new], self.names(kind.name)[row_id] = row_id, new

    def _note(self, diff: Diff) -> Diff:
        self._head = record(
            self.session,
            self.author,
            diff.noun,
            diff.name,
            diff.action,
            diff.before,
            diff.after,
            self._head or last_hash(self.session),
        )
        self.diffs.append(diff)
        return diff

    # --- what concerns several rows -------------------------------------------------------------------

    def _derive_kecamatan(self) -> None:
        places = {p.id: p for p in self.session.exec(select(Place))}
        for place in places.values():
            place.kecamatan = _kecamatan_of(place, places)

    def _check_parents(self) -> None:
        parents = dict(self.session.exec(select(Device.id, Device.parent_id)).all())
        names = self.names("device")
        for start in parents:
            seen, at = {start}, parents[start]
            while at is not None:
                if at in seen:
                    circle = f"the parents of {names.get(start or 0, '?')} go in a circle"
                    raise BadRowError([("parent", circle)])
                seen.add(at)
                at = parents.get(at)

    def _check_addresses(self) -> None:
        query = select(Device).where(
            Device.address != "", Device.status == "active", Device.transport != "none"
        )
        first: dict[tuple[str, int], str] = {}
        for device in self.session.exec(query):
            port = device.snmp_port if device.transport == "snmp" else device.ssh_port
            other = first.setdefault((device.address, port), device.name)
            if other != device.name:
                raise BadRowError(
                    [
                        (
                            "address",
                            f"{device.name} and {other} are both polled at {device.address} port {port}",
                        )
                    ]
                )


def _kecamatan_of(place: Place, places: Mapping[int | None, Place]) -> str:
    at: Place | None = place
    for _ in range(len(places) + 1):
        if at is None or at.kind == "kecamatan":
            return at.name if at else ""
        at = places.get(at.parent_id)
    raise BadRowError([("parent", f"the parents of place '{place.name}' go in a circle")])


def _plain(writer: Writer, attribute: Attribute, value: Any) -> Any:
    """Return a stored value as an operator sees it: a reference by name."""
    if attribute.kind != "ref" or value is None:
        return value
    return writer.names(attribute.ref).get(value)


def raise_all(problems: Iterable[str], what: str) -> None:
    """Raise one InvalidError (`bad-rows`) with every problem, if there is any."""
    found = list(problems)
    if found:
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        raise InvalidError("bad-rows", f"{what}: {count} found; nothing was written.", found)
