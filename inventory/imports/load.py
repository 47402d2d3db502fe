"""Writes sheets into the inventory: all problems at once, and nothing unless all is well."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from inventory.history import Author
from inventory.imports.sheets import Sheet
from inventory.nouns import Noun, noun, nouns
from inventory.store import session
from inventory.writing import BadRowError, Diff, Writer, raise_all
from siaga.errors import InvalidError, NotFoundError

MAX_PROBLEMS = 500


class _UndoError(Exception):
    """Leaves the transaction of a dry run without committing it."""


@dataclass(frozen=True)
class _Row:
    source: str
    line: int
    kind: Noun
    values: dict[str, Any]


def load(
    engine: Engine,
    sheets: Sequence[Sheet],
    author: Author,
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Diff]:
    """Write every row of every sheet by natural key, in one transaction, and return what changed.

    Raises InvalidError (`bad-rows`) with all problems (sheet, row, column, reason); then nothing is written.
    A dry run does the same work inside a transaction that is rolled back.
    """
    problems: list[str] = []
    rows = [row for sheet in _ordered(sheets, problems) for row in _rows(sheet, problems)]
    diffs: list[Diff] = []
    try:
        with session(engine) as opened:
            writer = Writer(opened, author)
            diffs = _write(writer, rows, problems, progress)
            raise_all(problems[:MAX_PROBLEMS], "The import")
            if dry_run:
                raise _UndoError
    except _UndoError:
        pass
    return diffs


def _ordered(sheets: Sequence[Sheet], problems: list[str]) -> list[Sheet]:
    known: list[tuple[int, Sheet]] = []
    order = list(nouns())
    for sheet in sheets:
        try:
            known.append((order.index(noun(sheet.noun).name), sheet))
        except NotFoundError as error:
            problems.append(f"{sheet.source}: {error.sentence}")
    return [sheet for _, sheet in sorted(known, key=lambda pair: pair[0])]


def _rows(sheet: Sheet, problems: list[str]) -> list[_Row]:
    kind = noun(sheet.noun)
    columns = [_column(kind, title) for title in sheet.header]
    bad = [f"{sheet.source}: {c}" for c in _bad_columns(kind, sheet.header, columns)]
    if bad:
        problems += bad
        return []
    first: dict[tuple[str, ...], int] = {}
    rows = []
    for line, cells in sheet.rows:
        if any(str(c or "").strip() for c in cells[len(columns) :]):
            problems.append(f"{sheet.source}, row {line}: there are more cells than columns")
            continue
        values = {c: v for c, v in zip(columns, cells, strict=False) if v is not None}
        key = tuple(str(values.get(k, "")).strip() for k in kind.key)
        earlier = first.setdefault(key, line)
        if earlier != line and all(key):
            problems.append(f"{sheet.source}, row {line}: '{':'.join(key)}' stands in row {earlier} already")
            continue
        rows.append(_Row(sheet.source, line, kind, values))
    return rows


def _column(kind: Noun, title: str) -> str:
    if title.startswith("var.") and "vars" in kind.attributes:
        return title
    name = title.strip().lower().replace(" ", "_").replace("-", "_")
    if name == "kecamatan" and kind.name == "place":
        return "parent"
    return name


def _bad_columns(kind: Noun, header: Iterable[str], columns: Sequence[str]) -> Iterable[str]:
    settable = [a.name for a in kind.attributes.values() if a.settable and a.kind != "vars"]
    for title, column in zip(header, columns, strict=True):
        if not column.startswith("var.") and column not in settable:
            yield f"column '{title}' is unknown; a {kind.name} has {', '.join(settable)}"
    for column in sorted({c for c in columns if columns.count(c) > 1}):
        yield f"column '{column}' stands there twice"
    for key in kind.key:
        if key not in columns:
            yield f"column '{key}' is missing"


def _write(
    writer: Writer,
    rows: Sequence[_Row],
    problems: list[str],
    progress: Callable[[int, int], None] | None,
) -> list[Diff]:
    diffs: dict[tuple[str, str], Diff] = {}
    again: list[tuple[_Row, dict[str, Any]]] = []
    for done, row in enumerate(rows, 1):
        now, later = _split(row)
        _put(writer, row, now, diffs, problems)
        if later:
            again.append((row, later))
        if progress:
            progress(done, len(rows))
    for row, later in again:
        if (row.kind.name, _key(row)) in diffs:
            _put(writer, row, later, diffs, problems)
    try:
        writer.finish()
    except BadRowError as error:
        problems += [sentence for _, sentence in error.problems]
    return list(diffs.values())


def _key(row: _Row) -> str:
    return ":".join(str(row.values.get(k, "")).strip() for k in row.kind.key)


def _split(row: _Row) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put off references to rows of the same noun: they may stand further down in the sheet."""
    own = {a.name for a in row.kind.attributes.values() if a.ref == row.kind.name}
    later = {k: v for k, v in row.values.items() if k in own}
    keys = {k: row.values.get(k) for k in row.kind.key}
    return {k: v for k, v in row.values.items() if k not in own}, {**keys, **later} if later else {}


def _put(
    writer: Writer,
    row: _Row,
    values: Mapping[str, Any],
    diffs: dict[tuple[str, str], Diff],
    problems: list[str],
) -> None:
    try:
        diff = writer.put(row.kind.name, values)
    except BadRowError as error:
        problems += [
            f"{row.source}, row {row.line}{f', column {f}' if f else ''}: {p}" for f, p in error.problems
        ]
        return
    key = (row.kind.name, _key(row))
    earlier = diffs.get(key)
    if earlier is None or earlier.action == "same":
        diffs[key] = diff
    elif diff.action != "same":
        diffs[key] = Diff(
            diff.noun,
            diff.name,
            earlier.action,
            {**earlier.before, **diff.before},
            {**earlier.after, **diff.after},
        )


def check_any(sheets: Sequence[Sheet], source: str) -> None:
    """Raise InvalidError (`empty-import`) when there is not one row to import."""
    if not any(sheet.rows for sheet in sheets):
        raise InvalidError("empty-import", f"{source} holds no rows to import.")
