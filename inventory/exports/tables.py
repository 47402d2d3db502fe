"""Reads whole nouns as tables: one query for each, references by name, rows in the order of their natural key.

Rows come as they are read and are never all in memory, so that 280,000 interfaces cost little. What goes out
is what an import takes: every field that can be set, custom fields, variables and tags. What siaga itself
observed or derived goes out on request. Secrets are in none of these tables; a variable whose name says that
it is one is left out, and named.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import func, literal, select
from sqlmodel import Session

from inventory.nouns import Attribute, Noun, noun, nouns
from inventory.secretive import secret_like
from inventory.store import labels, observed
from siaga.errors import UsageError

Row = tuple[Any, ...]
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Column:
    """One column. `kind` as an attribute's (text, int, … tags, vars); `names` are the keys a mapping holds."""

    name: str
    kind: str
    names: tuple[str, ...] = ()
    default: Any = None


@dataclass(frozen=True)
class Table:
    """The rows of one noun: `rows()` reads them anew, as tuples in the order of `columns`.

    `key` says how many of the first columns are the natural key; `left_out` names variables that stay behind.
    """

    noun: str
    columns: tuple[Column, ...]
    count: int
    key: int
    rows: Callable[[], Iterator[Row]]
    left_out: tuple[str, ...] = ()


def export_tables(
    session: Session,
    names: Sequence[str] = (),
    selector: str = "",
    *,
    revision: bool = False,
    with_observed: bool = False,
    empty: bool = False,
) -> list[Table]:
    """Return a table for each noun named (all, when none is), in the order in which an import makes them.

    A selector needs exactly one noun. `revision` adds the id of each row's last change, `with_observed` what
    siaga saw or derived. Nouns without rows are left out unless they are named or `empty`.
    Raises NotFoundError (`no-such-noun`), UsageError (`one-noun`, `bad-selector`).
    """
    kinds = _kinds(names, with_observed=with_observed)
    if selector and len(kinds) != 1:
        raise UsageError("one-noun", "A selector means the rows of one noun: say which with --noun.")
    found = [_table(session, k, selector, revision=revision, with_observed=with_observed) for k in kinds]
    return [t for t in found if t.count or empty or names]


def _kinds(names: Sequence[str], *, with_observed: bool) -> list[Noun]:
    """Return the nouns meant in import order; those that siaga alone writes only by name or when asked for."""
    if not names:
        return [k for k in nouns().values() if with_observed or not k.seen]
    asked = {noun(n).name for n in names}
    return [k for k in nouns().values() if k.name in asked]


def _table(session: Session, kind: Noun, selector: str, *, revision: bool, with_observed: bool) -> Table:
    ids = _selected(session, kind, selector)
    whole = with_observed or kind.seen
    attributes = [a for a in _keys_first(kind) if a.settable or whole]
    columns = [_column(kind, a) for a in attributes]
    left_out: tuple[str, ...] = ()
    for number, attribute in enumerate(attributes):
        if attribute.kind == "vars":
            known, hidden = _variables(session, kind, attribute, ids)
            columns[number] = replace(columns[number], names=known)
            left_out += hidden
    reader = _Reader(session, kind, tuple(attributes), ids, revision, frozenset(left_out))
    if revision:
        columns.append(Column("revision", "int"))
    table = Table(kind.name, tuple(columns), _count(session, kind, ids), len(kind.key), reader.rows, left_out)
    return _with_observations(session, table, kind, ids) if with_observed and kind.name == "device" else table


def _selected(session: Session, kind: Noun, selector: str) -> frozenset[int] | None:
    if not selector:
        return None
    from inventory.select import selected  # the parser is not needed, and not loaded, without a selector

    return frozenset(selected(session, kind.name, selector))


def _keys_first(kind: Noun) -> list[Attribute]:
    return [
        *(kind.attributes[k] for k in kind.key),
        *(a for a in kind.attributes.values() if a.name not in kind.key),
    ]


def _column(kind: Noun, attribute: Attribute) -> Column:
    """Return the column of an attribute, with what a new row holds when a file says nothing."""
    if attribute.custom:
        return Column(attribute.name, attribute.kind)
    info = kind.model.model_fields[attribute.column]
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    return Column(attribute.name, attribute.kind, default=default)


def _count(session: Session, kind: Noun, ids: frozenset[int] | None) -> int:
    if ids is not None:
        return len(ids)
    return int(session.execute(select(func.count()).select_from(kind.table)).scalar_one())


def _variables(
    session: Session, kind: Noun, attribute: Attribute, ids: frozenset[int] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of variables in use, and of those left out because they seem to be secrets."""
    column = kind.table.c[attribute.column]
    rows = session.execute(select(kind.table.c.id, column))
    names = {str(n) for i, own in rows if ids is None or i in ids for n in own or ()}
    hidden = {n for n in names if secret_like(n)}
    return tuple(sorted(names - hidden)), tuple(sorted(hidden))


@dataclass(frozen=True)
class _Reader:
    """Reads the rows of one noun by one query, with one join for each reference."""

    session: Session
    kind: Noun
    attributes: tuple[Attribute, ...]
    ids: frozenset[int] | None
    revision: bool
    hidden: frozenset[str]

    def rows(self) -> Iterator[Row]:
        """Yield the rows, by natural key."""
        found = self.session.execute(self._query().execution_options(yield_per=_AT_ONCE))
        changes = self._changes()
        for partition in found.partitions(_AT_ONCE):
            for row in partition:
                if self.ids is not None and row[0] not in self.ids:
                    continue
                values = list(row[1:])
                for change in changes:
                    change(values)
                yield tuple(values)

    def _query(self) -> Any:
        table = self.kind.table
        source, columns, keys = table, [table.c.id], []
        for attribute in self.attributes:
            if attribute.custom:
                columns.append(table.c.custom)
            elif attribute.kind == "ref":
                source, shown = _joined(source, table.c[attribute.column], attribute.ref)
                columns.append(shown)
            else:
                columns.append(table.c[attribute.column])
            if attribute.name in self.kind.key:
                keys.append(columns[-1])
        if self.revision:
            columns.append(table.c.revision)
        return select(*columns).select_from(source).order_by(*keys, table.c.id)

    def _changes(self) -> list[Callable[[list[Any]], None]]:
        """Return what has to be done to a row, column by column; most columns need nothing."""
        changes: list[Callable[[list[Any]], None]] = []
        for at, attribute in enumerate(self.attributes):
            if attribute.custom:
                names = labels(self.session, attribute.ref) if attribute.kind == "ref" else None
                changes.append(partial(_take_custom, at, attribute, names))
            elif attribute.kind == "vars" and self.hidden:
                changes.append(partial(_hide, at, self.hidden))
        return changes


def _joined(source: Any, column: Any, target: str) -> tuple[Any, Any]:
    """Join the row that `column` refers to; return the new source and the text the row is called by."""
    other = noun(target).table.alias()
    source = source.outerjoin(other, other.c.id == column)
    if target != "interface":
        return source, other.c.name
    device = noun("device").table.alias()
    return source.outerjoin(device, device.c.id == other.c.device_id), device.c.name + literal(
        ":"
    ) + other.c.name


def _take_custom(at: int, attribute: Attribute, names: Mapping[int, str] | None, values: list[Any]) -> None:
    """Put a field of the regency's own in the place of the JSON that holds all of them; a date lies there as text."""
    value = (values[at] or {}).get(attribute.name)
    if names is not None and value is not None:
        value = names.get(value)
    elif attribute.kind == "date" and isinstance(value, str):
        value = date.fromisoformat(value)
    values[at] = value


def _hide(at: int, hidden: frozenset[str], values: list[Any]) -> None:
    values[at] = {k: v for k, v in (values[at] or {}).items() if k not in hidden}


def _with_observations(session: Session, table: Table, kind: Noun, ids: frozenset[int] | None) -> Table:
    """Add to devices what they said of themselves, the newest of each field, as one mapping."""
    seen = observed(session)
    known = {name: i for i, name in labels(session, kind.name).items()}
    mine = [own for i, own in seen.items() if ids is None or i in ids]
    names = tuple(sorted({field for own in mine for field in own}))

    def rows() -> Iterator[Row]:
        for row in table.rows():
            own = seen.get(known.get(row[0], 0), {})
            yield (*row, {field: o.value for field, o in own.items()})

    column = Column("observed", "vars", names)
    return replace(table, columns=(*table.columns, column), rows=rows) if names else table


def flat(table: Table) -> Table:
    """Return the table with each mapping spread over columns of its own: `var.NAME`, `observed.NAME`."""
    if not any(_spread(c) for c in table.columns):
        return table
    columns = [
        Column(f"{_PREFIX[c.name]}.{n}" if n else c.name, "any" if n else c.kind, default=c.default)
        for c in table.columns
        for n in (c.names if _spread(c) else ("",))
    ]

    def rows() -> Iterator[Row]:
        for row in table.rows():
            yield tuple(
                (value or {}).get(n) if n else value
                for c, value in zip(table.columns, row, strict=True)
                for n in (c.names if _spread(c) else ("",))
            )

    return replace(table, columns=tuple(columns), rows=rows)


_PREFIX = {"vars": "var", "observed": "observed"}


def _spread(column: Column) -> bool:
    return column.kind == "vars" and column.name in _PREFIX
