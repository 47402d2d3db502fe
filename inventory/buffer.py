"""Rows on their way to the database: written in sets, read back while they still wait here."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, text, update
from sqlmodel import Session

from inventory.models import Change
from inventory.nouns import Noun, nouns
from inventory.store import IDS_AT_ONCE

# From here on the old rows of a noun are read whole; before, one by one.
_WHOLE_AFTER = 64
_FLUSH_AT = 20_000
# Samples are kept by the device's id: a new device must not inherit those of one that was removed.
_NUMBERED_ELSEWHERE = ("device",)


class Buffer:
    """Inserts and updates of one session, in the order of the nouns, so that what is referred to stands first."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._inserts: dict[str, dict[int, dict[str, Any]]] = {}
        self._updates: dict[str, dict[int, dict[str, Any]]] = {}
        self._deletes: dict[str, list[int]] = {}
        self._whole: dict[str, dict[int, Mapping[str, Any]]] = {}
        self._asked: dict[str, int] = {}
        self._next: dict[str, int] = {}
        self._waiting = 0

    def insert(self, kind: Noun, values: Mapping[str, Any]) -> int:
        """Take a new row and return its id."""
        row_id = self._next.get(kind.name) or self._first_free(kind)
        self._next[kind.name] = row_id + 1
        self._inserts.setdefault(kind.name, {})[row_id] = {**blank(kind.name), **values, "id": row_id}
        self._counted()
        return row_id

    def update(self, kind: Noun, row_id: int, values: Mapping[str, Any]) -> None:
        """Take new values of some columns of a row.

        A reference to a row of the same noun waits until all of them are there.
        """
        waiting = self._inserts.get(kind.name, {}).get(row_id)
        if waiting is not None:
            own = {a.column for a in kind.attributes.values() if a.ref == kind.name}
            waiting.update({c: v for c, v in values.items() if c not in own})
            values = {c: v for c, v in values.items() if c in own}
            if not values:
                return
        self._updates.setdefault(kind.name, {}).setdefault(row_id, {}).update(values)
        self._counted()

    def current(self, kind: Noun, row_id: int) -> Mapping[str, Any]:
        """Return a row's columns as they will be when all that waits is written."""
        waiting = self._inserts.get(kind.name, {}).get(row_id)
        changed = self._updates.get(kind.name, {}).get(row_id)
        stored = waiting if waiting is not None else self._stored(kind, row_id)
        return {**stored, **changed} if changed else stored

    def delete(self, kind: Noun, row_id: int) -> None:
        """Take that a row goes; what goes is written before what comes, so that its name is free again."""
        if self._inserts.get(kind.name, {}).pop(row_id, None) is None:
            self._deletes.setdefault(kind.name, []).append(row_id)
        self._updates.get(kind.name, {}).pop(row_id, None)
        self._counted()

    def flush(self) -> None:
        """Write all that waits."""
        for kind in reversed(list(nouns().values())):
            gone = self._deletes.pop(kind.name, [])
            for start in range(0, len(gone), IDS_AT_ONCE):
                # In one statement, because rows of a noun may refer to each other.
                part = gone[start : start + IDS_AT_ONCE]
                self._session.execute(delete(kind.table).where(kind.table.c.id.in_(part)))
            for row_id in gone:
                self._whole.get(kind.name, {}).pop(row_id, None)
        self._park()
        for kind in nouns().values():
            rows = self._inserts.pop(kind.name, None)
            if rows:
                self._session.execute(insert(kind.table), list(rows.values()))
                if kind.name in self._whole:
                    self._whole[kind.name].update(rows)
        for kind in nouns().values():
            self._write_updates(kind, self._updates.pop(kind.name, {}))
        self._waiting = 0

    def _park(self) -> None:
        """Free the names of rows that are to be called otherwise: another row may take them in the same flush."""
        for kind in nouns().values():
            keys = {kind.attributes[k].column for k in kind.key}
            leaving = [i for i, values in self._updates.get(kind.name, {}).items() if keys & set(values)]
            if leaving:
                for row_id in leaving:
                    stored = self._stored(kind, row_id)
                    kept = {c: stored[c] for c in keys}
                    self._updates[kind.name][row_id] = {**kept, **self._updates[kind.name][row_id]}
                statement = update(kind.table).where(kind.table.c.id == bindparam("row_id"))
                away = [{"row_id": i, "away": f"~{i}~"} for i in leaving]
                self._session.execute(statement.values(name=bindparam("away")), away)

    def finish(self) -> None:
        """Write all that waits, and let the database's own counters follow the ids given here."""
        self.flush()
        if self._session.get_bind().dialect.name == "postgresql":
            for name in self._next:
                table = nouns()[name].table.name
                sequence = f"pg_get_serial_sequence('{table}', 'id')"
                last = f'(SELECT max(id) FROM "{table}")'  # noqa: S608 - a name of our own schema
                self._session.execute(text(f"SELECT setval({sequence}, {last})"))

    def _write_updates(self, kind: Noun, rows: Mapping[int, Mapping[str, Any]]) -> None:
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row_id, values in rows.items():
            by_columns.setdefault(tuple(sorted(values)), []).append({"row_id": row_id, **_prefixed(values)})
            if row_id in self._whole.get(kind.name, {}):
                self._whole[kind.name][row_id] = {**self._whole[kind.name][row_id], **values}
        for columns, sets in by_columns.items():
            statement = update(kind.table).where(kind.table.c.id == bindparam("row_id"))
            self._session.execute(statement.values({c: bindparam(f"new_{c}") for c in columns}), sets)

    def _stored(self, kind: Noun, row_id: int) -> Mapping[str, Any]:
        if kind.name in self._whole:
            return self._whole[kind.name][row_id]
        self._asked[kind.name] = self._asked.get(kind.name, 0) + 1
        if self._asked[kind.name] > _WHOLE_AFTER:
            found = self._session.execute(select(kind.table)).mappings()
            self._whole[kind.name] = {row["id"]: dict(row) for row in found}
            return self._whole[kind.name][row_id]
        return dict(
            self._session.execute(select(kind.table).where(kind.table.c.id == row_id)).mappings().one()
        )

    def _first_free(self, kind: Noun) -> int:
        last = int(self._session.execute(select(func.max(kind.table.c.id))).scalar() or 0)
        if kind.name in _NUMBERED_ELSEWHERE:
            c = Change.__table__.c  # type: ignore[attr-defined]
            added = select(func.count()).where(c.noun == kind.name, c.action == "add")
            last = max(last, int(self._session.execute(added).scalar_one()))
        return last + 1

    def _counted(self) -> None:
        self._waiting += 1
        if self._waiting >= _FLUSH_AT:
            self.flush()


def _prefixed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{c}": v for c, v in values.items()}


@cache
def _defaults(name: str) -> Mapping[str, Any]:
    fields = nouns()[name].model.model_fields
    return {
        c: None if f.is_required() else f.get_default(call_default_factory=True) for c, f in fields.items()
    }


def blank(name: str) -> dict[str, Any]:
    """Return the columns of a new row of this noun, each with its default (None where there is none)."""
    return {c: {} if v == {} else v for c, v in _defaults(name).items()}  # no two rows share a mapping
