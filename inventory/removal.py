"""Removes rows in sets: what is part of them goes with them, what refers to them from elsewhere keeps them.

The parts of a device are its interfaces, and what siaga itself keeps of it outside the nouns: observed values, its
state and the changes of it, alerts. The newest of these stay readable in the history, in the entry of the removal.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, delete, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from inventory import targets
from inventory.buffer import Buffer
from inventory.nouns import Noun, nouns
from inventory.problems import BadRowError
from inventory.store import in_parts, labels

if TYPE_CHECKING:
    from inventory.writing import Diff, Writer

GONE = "gone_with_it"  # the key in an entry's `before`: no field has that name
_TOLD = 50  # rows of one table that are kept in the history


@dataclass(frozen=True)
class Leaving:
    """One row on its way out, and what it was."""

    kind: Noun
    row_id: int
    label: str
    before: dict[str, Any] = field(default_factory=dict)


def remove(writer: "Writer", buffer: Buffer, wanted: Mapping[str, Collection[int]]) -> "list[Diff]":
    """Delete these rows (noun → ids) and their parts, and return what was removed.

    Raises BadRowError with every row that others refer to; then nothing is removed.
    """
    from inventory.writing import Diff

    writer.flush()
    session = writer.session
    going = targets.with_parts(session, wanted)
    names = {n: labels(session, n, ids) for n, ids in going.items()}
    problems = list(targets.held(session, writer.keys, going, names))
    if problems:
        raise BadRowError([("", p) for p in problems])
    leaving = [r for kind in reversed(list(nouns().values())) for r in _rows(writer, kind, going, names)]
    _delete(session, buffer, leaving, going)
    diffs = []
    for row in leaving:
        writer.keys.drop(row.kind.name, row.row_id, row.label)
        writer.chain.add(row.kind.name, row.label, "rm", row.before, {})
        writer.touched.setdefault(row.kind.name, set()).discard(row.row_id)
        diffs.append(Diff(row.kind.name, row.label, "rm", before=row.before))
    return diffs


def _rows(
    writer: "Writer", kind: Noun, going: Mapping[str, set[int]], names: Mapping[str, Mapping[int, str]]
) -> Iterator[Leaving]:
    """Yield the rows of one noun, those that hang on others of it first: so they come back in the right order."""
    found = {
        row["id"]: dict(row)
        for part in in_parts(going.get(kind.name, ()))
        for row in writer.session.execute(select(kind.table).where(kind.table.c.id.in_(part))).mappings()
    }
    if not found:
        return
    seen = _seen(writer.session, kind, list(found))
    for row_id in _children_first(kind, found):
        before = writer.shown(kind, found[row_id])
        if row_id in seen:
            before[GONE] = seen[row_id]
        yield Leaving(kind, row_id, names[kind.name][row_id], before)


def _children_first(kind: Noun, rows: Mapping[int, Mapping[str, Any]]) -> list[int]:
    own = [a.column for a in kind.attributes.values() if a.ref == kind.name and not a.custom]
    depths: dict[int, int] = {}
    for row_id in rows:
        way, at = [], row_id
        while at in rows and at not in depths and at not in way:
            way.append(at)
            at = next((rows[at][c] for c in own if rows[at][c] in rows), 0)
        for row in reversed(way):
            depths[row] = depths.get(at, 0) + 1
            at = row
    return sorted(rows, key=lambda i: (-depths[i], i))


def _delete(
    session: Session, buffer: Buffer, leaving: Sequence[Leaving], going: Mapping[str, set[int]]
) -> None:
    try:
        with session.begin_nested():
            for name, ids in going.items():
                _forget(session, nouns()[name], ids)
            for row in leaving:
                buffer.delete(row.kind, row.row_id)
            buffer.flush()
    except IntegrityError as error:
        named = ", ".join(f"{r.kind.words} '{r.label}'" for r in leaving[-3:])
        sentence = f"{named}: rows that siaga knows nothing of still refer to this ({error.orig})"
        raise BadRowError([("", sentence)]) from None


def _seen(session: Session, kind: Noun, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return row id → table → the newest rows of it (all are counted) that are no noun and go with the row."""
    found: dict[int, dict[str, Any]] = {}
    for table, column in _keeping(session, kind):
        newest = [table.c[c].desc() for c in ("at", "id") if c in table.c][:1]
        for part in in_parts(ids):
            query = select(table).where(table.c[column].in_(part)).order_by(*newest)
            for row in session.execute(query).mappings():
                kept = found.setdefault(row[column], {}).setdefault(table.name, {"count": 0, "newest": []})
                kept["count"] += 1
                if len(kept["newest"]) < _TOLD:
                    kept["newest"].append(_plain(row, column))
    return found


def _plain(row: Mapping[Any, Any], but: str) -> dict[str, Any]:
    """Return what JSON holds of a row; what is sealed is left out."""
    own = {
        k: v for k, v in row.items() if k != but and v is not None and not isinstance(v, (bytes, memoryview))
    }
    return {k: v.isoformat() if isinstance(v, (date, datetime)) else v for k, v in own.items()}


def _keeping(session: Session, kind: Noun) -> list[tuple[Table, str]]:
    """Return the tables that are no nouns, each with its column that refers to this noun.

    The monitor's tables stand on a floor above: the database itself says which there are.
    """
    connection = session.connection()
    own = {k.table.name for k in nouns().values()}
    keys = inspect(connection).get_multi_foreign_keys()
    where = [
        (name, key["constrained_columns"][0])
        for (_, name), found in keys.items()
        for key in found
        if name not in own and key["referred_table"] == kind.table.name
    ]
    metadata = MetaData()
    if where:
        metadata.reflect(connection, only=sorted({name for name, _ in where}), resolve_fks=False)
    return [(metadata.tables[name], column) for name, column in where]


def _forget(session: Session, kind: Noun, ids: Collection[int]) -> None:
    """Delete what siaga keeps of rows outside the nouns, and what was seen by them; a proposal only forgets them."""
    for table, column in _keeping(session, kind):
        for part in in_parts(ids):
            session.execute(delete(table).where(table.c[column].in_(part)))
    for other, attribute in targets.seen_of(kind):
        c = other.table.c
        for part in in_parts(ids):
            own = c[attribute.column].in_(part)
            session.execute(delete(other.table).where(own, c.revision == 0))
            session.execute(update(other.table).where(own).values({attribute.column: None}))
