"""Writes sheets into the inventory: all problems at once, and nothing unless all is well."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from inventory.history import Author
from inventory.imports.sheets import Sheet, column_of, flaw_sentences, without_flaws
from inventory.nouns import Noun, noun, nouns
from inventory.store import session
from inventory.writing import BadRowError, Diff, Writer, raise_all
from siaga.errors import InvalidError, NotFoundError
from siaga.settings import Access, Rule

MAX_PROBLEMS = 500


@dataclass(frozen=True)
class _Row:
    source: str
    line: int
    kind: Noun
    values: dict[str, Any]
    titles: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """Return ', column …' with the file's own title for a field."""
        return f", column {self.titles.get(name, name)}" if name else ""


def load(
    engine: Engine,
    sheets: Sequence[Sheet],
    author: Author,
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
    rules: Sequence[Rule] = (),
    access: Sequence[Access] = (),
    skipped: list[str] | None = None,
    warnings: list[str] | None = None,
) -> list[Diff]:
    """Write every row of every sheet by natural key, in one transaction, and return what changed.

    Raises InvalidError (`bad-rows`) with all problems (sheet, row, column, reason); then nothing is written.
    With a list as `skipped` bad rows are left out and their problems go there. A dry run does the same work
    inside a transaction that is rolled back. `warnings` takes what `rules` say short of refusing.
    """
    problems: list[str] = []
    with session(engine) as opened:
        writer = Writer(opened, author, rules, access)
        rows = [row for sheet in _ordered(sheets, problems) for row in _rows(sheet, problems)]
        diffs = _write(writer, rows, problems, progress)
        if skipped is not None:
            skipped += _bounded(problems)
            problems = []
        try:
            writer.finish()
        except BadRowError as error:
            problems += [sentence for _, sentence in error.problems]
        raise_all(_bounded(problems), "The import")
        if warnings is not None:
            warnings += writer.warnings
        if dry_run:
            opened.rollback()
    return diffs


def _bounded(problems: Sequence[str]) -> list[str]:
    more = len(problems) - MAX_PROBLEMS
    return [*problems[:MAX_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]


def _ordered(sheets: Sequence[Sheet], problems: list[str]) -> list[Sheet]:
    known: list[tuple[int, Sheet]] = []
    order = list(nouns())
    for sheet in sheets:
        if not sheet.header and not sheet.rows:
            continue  # an empty sheet of a workbook says nothing
        try:
            known.append((order.index(noun(sheet.noun).name), sheet))
        except NotFoundError as error:
            problems.append(f"{sheet.source}: {error.sentence}")
    return [sheet for _, sheet in sorted(known, key=lambda pair: pair[0])]


def _rows(sheet: Sheet, problems: list[str]) -> list[_Row]:
    kind = noun(sheet.noun)
    columns = [column_of(kind, title) for title in sheet.header]
    bad = [f"{sheet.source}: {c}" for c in _bad_columns(kind, sheet.header, columns)]
    if bad:
        problems += bad
        return []
    titles = {c: t for c, t in zip(columns, sheet.titles or sheet.header, strict=True) if c != t}
    problems += flaw_sentences([sheet])
    sheet = without_flaws(sheet)
    first: dict[tuple[str, ...], int] = {}
    rows = []
    for line, cells in sheet.rows:
        if any(str(c or "").strip() for c in cells[len(columns) :]):
            problems.append(f"{sheet.source}, row {line}: there are more cells than columns")
            continue
        values = {c: v for c, v in zip(columns, cells, strict=False) if v is not None}
        key = tuple(str(values.get(k, "")).strip() for k in (*kind.key, "vrf"))
        earlier = first.setdefault(key, line)
        if earlier != line and all(key[:-1]):
            problems.append(
                f"{sheet.source}, row {line}: '{':'.join(key[:-1])}' stands in row {earlier} already"
            )
            continue
        rows.append(_Row(sheet.source, line, kind, values, titles))
    return rows


def _bad_columns(kind: Noun, header: Iterable[str], columns: Sequence[str]) -> Iterable[str]:
    settable = [a.name for a in kind.attributes.values() if a.settable]
    for title, column in zip(header, columns, strict=True):
        if not column.startswith("var.") and column not in (*settable, "revision"):
            yield f"column '{title}' is unknown; a {kind.name} has {', '.join(settable)}"
    for column in sorted({c for c in columns if columns.count(c) > 1}):
        yield f"column '{column}' stands there twice"
    for key in kind.auto if kind.auto and "name" not in columns else kind.key:
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
        now, later = _split(writer, row)
        if _put(writer, row, now, diffs, problems) and later:
            again.append((row, later))
        if progress:
            progress(done, len(rows))
    for row, later in again:
        _put(writer, row, later, diffs, problems)
    return list(diffs.values())


def _split(writer: Writer, row: _Row) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put off references to rows of the same noun that are not there yet: they may stand further down."""
    later = {
        a.name: row.values[a.name]
        for a in row.kind.attributes.values()
        if a.ref == row.kind.name
        and str(row.values.get(a.name, "")).strip()
        and writer.keys.find(a.ref, str(row.values[a.name]).strip()) is None
    }
    if not later:
        return row.values, {}
    keys = {k: row.values.get(k) for k in (*row.kind.key, *row.kind.auto, "vrf") if k in row.values}
    return {k: v for k, v in row.values.items() if k not in later}, {**keys, **later}


def _put(
    writer: Writer,
    row: _Row,
    values: Mapping[str, Any],
    diffs: dict[tuple[str, str], Diff],
    problems: list[str],
) -> bool:
    try:
        diff = writer.put(row.kind.name, values)
    except BadRowError as error:
        problems += [f"{row.source}, row {row.line}{row.column(f)}: {p}" for f, p in error.problems]
        return False
    key = (row.kind.name, diff.name)
    earlier = diffs.get(key)
    if earlier is None or earlier.action == "same":
        diffs[key] = diff
    elif diff.action != "same":
        before, after = {**earlier.before, **diff.before}, {**earlier.after, **diff.after}
        diffs[key] = Diff(diff.noun, diff.name, earlier.action, before, after)
    return True


def check_any(sheets: Sequence[Sheet], source: str) -> None:
    """Raise InvalidError (`empty-import`) when there is not one row to import."""
    if not any(sheet.rows for sheet in sheets):
        raise InvalidError("empty-import", f"{source} holds no rows to import.")
