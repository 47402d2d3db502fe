"""Writes rows from what operators say: reads values, resolves names, keeps the history. One way in for all.

`add`, `set`, the importers and the demo all go through `Writer`, so that the same rules hold everywhere.
A row with problems raises BadRowError with every one of them and changes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from inventory import addressing, consistency, removal, targets
from inventory.access import check, rights
from inventory.buffer import Buffer
from inventory.history import Author, Chain
from inventory.keys import Keys
from inventory.nouns import Attribute, Noun, named_by, noun
from inventory.problems import BadRowError as BadRowError
from inventory.problems import ConflictError
from inventory.secretive import plain_secrets
from inventory.values import BadValueError, read, variable_name
from siaga.errors import NotFoundError
from siaga.settings import Access, Rule
from siaga.text import one

_FLUSH_AT = 10_000  # entries of the history that wait here
_NEAREST = 200  # missing names for which the nearest one is looked for
_IN_VRF = ("cidr", "range", "address")  # what is called so may have a VRF behind it


@dataclass(frozen=True, slots=True)
class Diff:
    """What was (or would be) changed in one row; `before` and `after` hold only the fields that differ."""

    noun: str
    name: str
    action: str  # add, set, same, rm
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


class Writer:
    """Writes rows within one session. Call `finish` before the transaction ends.

    Rows wait in a buffer: call `flush` before reading by SQL what was written here. `rules` are the regency's
    own; `warnings` what they say short of refusing; `access` who may change what. Without `keep` the diffs are
    not kept here, unless `access` has to see them: of a million rows they take more room than the rows.
    """

    def __init__(
        self,
        session: Session,
        author: Author,
        rules: Sequence[Rule] = (),
        access: Sequence[Access] = (),
        *,
        keep: bool = True,
    ) -> None:
        self.session = session
        self.author = author
        self.rules = tuple(rules)
        self.rights = rights(author.who, access)
        self.diffs: list[Diff] = []
        self._keep = keep or self.rights.entries is not None
        self.warnings: list[str] = []
        self.restoring = False  # what the history gives back may hold what nobody may write any more
        self.keys = Keys(session)
        self.chain = Chain(session, author)
        self.touched: dict[str, set[int]] = {}
        self._asked: dict[tuple[str, str], str] = {}
        self._buffer = Buffer(session)
        # Whoever forgets `finish` still loses nothing.
        event.listen(session, "before_commit", lambda _session: self.flush(), once=True)

    def put(
        self,
        name: str,
        values: Mapping[str, Any],
        *,
        mode: str = "upsert",
        derived: Mapping[str, Any] | None = None,
    ) -> Diff:
        """Add or change one row, found by its natural key; `mode` is upsert, add or set.

        Raises BadRowError. A value of None in `values` leaves the field as it is; '' empties it. `derived` are
        columns that siaga itself keeps, already typed.
        """
        kind = noun(name)
        values = {k: v for k, v in values.items() if v is not None}
        revision = values.pop("revision", None)
        typed = {**self._typed(kind, _named(kind, values)), **(derived or {})}
        label = self._label(kind, typed)
        row_id = self.keys.find(name, label)
        if mode == "add" and row_id is not None:
            raise BadRowError([(kind.key[-1], f"there is already {one(kind.words)} called '{label}'")])
        if mode == "set" and row_id is None:
            raise BadRowError([(kind.key[-1], self.keys.missing(name, label))])
        if revision not in (None, ""):
            self._check_revision(kind, row_id, revision)
        return self._insert(kind, label, typed) if row_id is None else self.change(kind, row_id, typed, label)

    def check(self, name: str, values: Mapping[str, Any]) -> None:
        """Raise BadRowError with every value that cannot be, and write nothing."""
        self._typed(noun(name), {k: v for k, v in values.items() if v is not None and k != "revision"})

    def set(self, name: str, row_id: int, values: Mapping[str, Any]) -> Diff:
        """Change the row with this id. Raises BadRowError."""
        kind = noun(name)
        label = self.keys.label(name, row_id)
        return self.change(kind, row_id, self._typed(kind, self._whole(kind, row_id, label, values)), label)

    def _whole(self, kind: Noun, row_id: int, label: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values with what their meaning hangs on: a VRF is part of a name, a target has its noun."""
        if "vrf" in values and "name" not in values and kind.attributes["name"].naming:
            return {"name": label.partition(" ")[0], **values}
        if "target" in values and "target_noun" not in values and "target_noun" in kind.attributes:
            return {"target_noun": self._buffer.current(kind, row_id)["target_noun"], **values}
        return values

    def remove(self, name: str, row_id: int) -> Diff:
        """Delete one row and the parts that only exist with it; raises BadRowError if others refer to it."""
        return self.remove_all({name: [row_id]})[-1]

    def remove_all(self, rows: Mapping[str, Collection[int]]) -> list[Diff]:
        """Delete rows (noun → ids) and their parts, in sets; raises BadRowError if others refer to one of them."""
        return [self._noted(diff) for diff in removal.remove(self, self._buffer, rows)]

    def flush(self) -> None:
        """Write what waits in the buffer, and its history."""
        self._buffer.flush()
        self.chain.flush()

    def abandon(self) -> None:
        """Let go of what waits: the transaction was rolled back behind this writer, and another one begins."""
        self._buffer = Buffer(self.session)
        self.chain.pending = []

    def finish(self) -> None:
        """Derive what is derived and check what concerns several rows. Raises ConflictError, AuthError."""
        self.flush()
        consistency.derive(self)
        self._buffer.finish()
        check(self.session, self.rights, self.diffs)
        conflicts, self.warnings = consistency.problems(self)
        if conflicts:
            raise ConflictError(conflicts)
        self.chain.flush()

    def ids(self, name: str) -> dict[str, int]:
        """Return natural key → id of a noun, read once."""
        return self.keys.ids(name)

    def names(self, name: str) -> dict[int, str]:
        """Return id → natural key of a noun, read once."""
        return self.keys.names(name)

    def derive(self, kind: Noun, row_id: int, values: Mapping[str, Any]) -> None:
        """Write columns that siaga itself keeps; they are no change that anybody made."""
        self._buffer.update(kind, row_id, values)

    def present(self, kind: Noun, row_id: int) -> dict[str, Any]:
        """Return a row as an operator sees it, as it will be when all that waits is written."""
        return self.shown(kind, self._buffer.current(kind, row_id))

    def shown(self, kind: Noun, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored row as an operator sees it, without what is empty."""
        own = {a.name: self._plain(a, stored(a, row)) for a in kind.attributes.values()}
        return {k: v for k, v in own.items() if v not in (None, "", {})}

    # --- values ---------------------------------------------------------------------------------------

    def _typed(self, kind: Noun, values: Mapping[str, Any]) -> dict[str, Any]:
        problems: list[tuple[str, str]] = []
        typed: dict[str, Any] = {}
        for key, raw in values.items():
            try:
                self._take(kind, key, raw, typed)
            except (BadValueError, NotFoundError) as error:
                sentence = error.sentence if isinstance(error, NotFoundError) else f"{key} {error}"
                problems.append((key, sentence))
        if not problems:
            problems = [*_placed(kind, values, typed, self.keys), *targets.problems(self.keys, kind, typed)]
        if problems:
            raise BadRowError(problems)
        return typed

    def _take(self, kind: Noun, key: str, raw: Any, typed: dict[str, Any]) -> None:
        if key.startswith("var.") and "vars" in kind.attributes:
            key, raw = "vars", {key.removeprefix("var."): raw}
        attribute = kind.attribute(key)
        if not attribute.settable:
            raise BadValueError("is kept by siaga itself and cannot be set")
        if attribute.kind == "vars":
            given = _variables(raw)
            if not self.restoring:
                _refuse_secrets(given)
            typed.setdefault("vars", {}).update(given)
            return
        value = read(attribute, raw)
        value = self._resolved(attribute, value) if attribute.kind == "ref" else value
        if attribute.custom:
            plain = value.isoformat() if isinstance(value, date) else value  # as JSON holds it
            typed.setdefault("custom", {})[attribute.name] = plain
        else:
            typed[attribute.column] = value

    def _resolved(self, attribute: Attribute, label: str | None) -> int | None:
        if label is None:
            return None
        row_id = self.keys.find(attribute.ref, label)
        if row_id is None and attribute.ref == "place" and label[:1].isdigit():
            row_id = self.keys.coded(label)
        if row_id is None:
            raise BadValueError(f"refers to nothing: {self._missing(attribute.ref, label)}")
        return row_id

    def _missing(self, name: str, label: str) -> str:
        """Return `Keys.missing`, asked once for each name and not without end: the nearest takes 30 ms to find."""
        if (name, label) not in self._asked and len(self._asked) >= _NEAREST:
            return f"there is no {noun(name).words} called '{label}'"
        if (name, label) not in self._asked:
            self._asked[name, label] = self.keys.missing(name, label)
        return self._asked[name, label]

    def _label(self, kind: Noun, typed: Mapping[str, Any]) -> str:
        parts = [self._plain(kind.attributes[k], typed.get(kind.attributes[k].column)) for k in kind.key]
        if not all(parts):
            missing = [k for k, p in zip(kind.key, parts, strict=True) if not p]
            raise BadRowError([(k, f"{k} is missing") for k in missing])
        return ":".join(str(p) for p in parts)

    def _plain(self, attribute: Attribute, value: Any) -> Any:
        """Return a stored value as an operator sees it: a reference by name."""
        return (
            self.keys.label(attribute.ref, value) if attribute.kind == "ref" and value is not None else value
        )

    def _check_revision(self, kind: Noun, row_id: int | None, revision: Any) -> None:
        given = int(revision) if str(revision).removesuffix(".0").isdigit() else -1
        if given < 0:
            raise BadRowError([("revision", f"revision is '{str(revision)[:40]}', must be a whole number")])
        now = self._buffer.current(kind, row_id)["revision"] if row_id is not None else None
        if now is None and given:
            raise BadRowError([("revision", "the row was removed since this file was written")])
        if now is not None and now > given:
            sentence = f"the row was changed since this file was written (revision {given}, now {now}): export it again"
            raise BadRowError([("revision", sentence)])

    # --- rows -----------------------------------------------------------------------------------------

    def _insert(self, kind: Noun, label: str, typed: Mapping[str, Any]) -> Diff:
        missing = [a for a in kind.attributes.values() if a.required and stored(a, typed) in (None, "")]
        if missing:
            raise BadRowError([(a.name, f"{a.name} is missing") for a in missing])
        given = {c: v for c, v in typed.items() if v is not None}
        for several in given.keys() & {"vars", "custom"}:  # an empty one is not there, as in `_differences`
            given[several] = {k: v for k, v in given[several].items() if v not in (None, "")}
        after = {
            a.name: self._plain(a, stored(a, given))
            for a in kind.attributes.values()
            if stored(a, given) not in (None, {})
        }
        given["revision"] = self.chain.add(kind.name, label, "add", {}, after)
        row_id = self._buffer.insert(kind, given)
        self.keys.add(kind.name, row_id, label, str(given.get("code", "")) if kind.name == "place" else "")
        self.touched.setdefault(kind.name, set()).add(row_id)
        return self._noted(Diff(kind.name, label, "add", after=after))

    def change(self, kind: Noun, row_id: int, typed: Mapping[str, Any], label: str) -> Diff:
        """Change a row to the typed column values; a row that would not change is left alone."""
        row = self._buffer.current(kind, row_id)
        before, after, columns = self._differences(kind, row, typed)
        if not columns:
            return Diff(kind.name, label, "same")
        itself = [
            a.name for a in kind.attributes.values() if a.ref == kind.name and columns.get(a.column) == row_id
        ]
        if itself:
            raise BadRowError([(f, f"{f} of '{label}' is '{label}' itself") for f in itself])
        new_label = self._renamed(kind, row, row_id, label, typed)
        columns["revision"] = self.chain.add(kind.name, label, "set", before, after)
        self._buffer.update(kind, row_id, columns)
        self.touched.setdefault(kind.name, set()).add(row_id)
        if new_label != label:
            self.keys.drop(kind.name, row_id, label)
            self.keys.add(kind.name, row_id, new_label)
            self.flush()
            for other in named_by(kind.name):
                self.keys.forget(other)
            targets.follow(self, kind, row_id, label, new_label)
        return self._noted(Diff(kind.name, label, "set", before, after))

    def _differences(
        self, kind: Noun, row: Mapping[str, Any], typed: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        columns: dict[str, Any] = {}
        for attribute in kind.attributes.values():
            if not _given(attribute, typed):
                continue
            old, new = stored(attribute, row), stored(attribute, typed)
            if attribute.column == "vars":
                new = {k: v for k, v in {**(old or {}), **new}.items() if v not in (None, "")}
            if old == new and type(old) is type(new):
                continue
            if attribute.custom and old in (None, "") and new in (None, ""):
                continue
            before[attribute.name], after[attribute.name] = (
                self._plain(attribute, old),
                self._plain(attribute, new),
            )
            if attribute.custom:
                own = columns.get("custom", row["custom"]) or {}
                columns["custom"] = {
                    k: v for k, v in {**own, attribute.name: new}.items() if v not in (None, "")
                }
            else:
                columns[attribute.column] = new
        return before, after, columns

    def _renamed(
        self, kind: Noun, row: Mapping[str, Any], row_id: int, label: str, typed: Mapping[str, Any]
    ) -> str:
        if not any(kind.attributes[k].column in typed for k in kind.key):
            return label
        new = self._label(kind, {**row, **typed})
        if new != label and self.keys.find(kind.name, new) is not None:
            raise BadRowError([("name", f"there is already {one(kind.words)} called '{new}'")])
        return new

    def _noted(self, diff: Diff) -> Diff:
        if self._keep:
            self.diffs.append(diff)
        if len(self.chain.pending) >= _FLUSH_AT:
            self.chain.flush()
        return diff


def stored(attribute: Attribute, row: Mapping[str, Any]) -> Any:
    """Return an attribute's stored value from a row's columns."""
    if attribute.custom:
        return (row.get("custom") or {}).get(attribute.name)
    return row.get(attribute.column)


def _given(attribute: Attribute, typed: Mapping[str, Any]) -> bool:
    if attribute.custom:
        return attribute.name in (typed.get("custom") or {})
    return attribute.column in typed


def _variables(raw: Any) -> dict[str, Any]:
    """Return variables given as a mapping, as YAML and JSON have them; '' gives none."""
    if raw == "":
        return {}
    if not isinstance(raw, Mapping):
        raise BadValueError("is set one by one, as var.NAME")
    return {variable_name(str(k)): v for k, v in raw.items()}


def _refuse_secrets(given: Mapping[str, Any]) -> None:
    plain = [path for name, value in given.items() for path in plain_secrets(name, value)]
    if plain:
        raise BadValueError(
            f"would keep a secret in the clear ({', '.join(plain)}), in the row and for ever in the history: seal it"
            " with 'siaga credential add', or give a reference that begins with secret://"
        )


def _named(kind: Noun, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values with the name made of others, where the noun makes its names so and none is given."""
    if not kind.auto or str(values.get("name") or "").strip():
        return values
    parts = [_short(values.get(k)) for k in kind.auto]
    if not all(parts):
        missing = [k for k, p in zip(kind.auto, parts, strict=True) if not p]
        raise BadRowError([(k, f"{k} is missing") for k in missing])
    return {"name": "/".join(parts)[:255], **{k: v for k, v in values.items() if k != "name"}}


def label_of(kind: Noun, values: Mapping[str, Any]) -> str:
    """Return the natural key of a row that these values would write, however they spell it; '' without one."""
    try:
        named = _named(kind, values)
        parts = [_key_part(kind.attributes[k], named.get(k)) for k in kind.key]
    except (BadRowError, BadValueError):
        return ""
    label = ":".join(parts) if all(parts) else ""
    vrf = _short(values.get("vrf")) if kind.attributes["name"].naming in _IN_VRF else ""
    return f"{label} {vrf}" if vrf and label and " " not in label else label


def _key_part(attribute: Attribute, value: Any) -> str:
    if value is None or (type(value) is str and attribute.naming in ("", "name", "free")):
        return (value or "").strip()  # the usual case, and the quick one: this is asked of every row
    return str(read(attribute, value) or "")


def _short(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y%m%dT%H%M%S.%f")
    return str(value if value is not None else "").strip()


def _placed(
    kind: Noun, values: Mapping[str, Any], typed: dict[str, Any], keys: Keys
) -> Iterable[tuple[str, str]]:
    """Settle name, VRF and position of a prefix, range or address; yield what contradicts."""
    naming = kind.attributes["name"].naming
    if naming not in _IN_VRF or "name" not in typed:
        return
    text, _, vrf = str(typed["name"]).partition(" ")
    if vrf and not typed.get("vrf_id"):
        typed["vrf_id"] = keys.find("vrf", vrf)
        if typed["vrf_id"] is None:
            yield "name", f"the VRF behind it refers to nothing: {keys.missing('vrf', vrf)}"
            return
    known = keys.label("vrf", typed["vrf_id"]) if typed.get("vrf_id") else ""
    if vrf and known != vrf:
        yield "vrf", f"the name says VRF '{vrf}' and the field vrf '{known}'"
    typed["name"] = f"{text} {known}".strip()
    if naming == "address":
        found = addressing.address(str(values.get("name", text)).partition(" ")[0])
        typed |= {"family": found.family, "first": found.first}
        if found.length >= 0 and typed.get("length") is None:
            typed["length"] = found.length
    else:
        read_span = addressing.cidr if naming == "cidr" else addressing.span
        where = read_span(text)
        typed |= {"family": where.family, "first": where.first, "last": where.last}
        if naming == "cidr":
            typed["length"] = where.length
