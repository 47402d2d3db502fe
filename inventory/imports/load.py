"""Writes sheets into the inventory: all problems at once, and nothing unless all is well.

With bad rows left out the work is done in rounds. What is wrong with a row by itself is found before it is
written; what only shows later (a parent further down, a rule, an address given twice) makes the round void: it is
taken back, and the next one goes without these rows and without those that refer to them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlmodel import Session

from inventory.history import Author
from inventory.imports.sheets import Flaw, Sheet, column_of
from inventory.keys import Keys
from inventory.nouns import Attribute, Noun, noun, nouns
from inventory.problems import MAX_TOLD, BadRowError, Conflict, ConflictError, Problem, lines, refuse
from inventory.store import session
from inventory.writing import Diff, Writer, label_of
from siaga.errors import InvalidError, NotFoundError
from siaga.settings import Access, Rule
from siaga.text import one

_NOTHING: Mapping[str, Any] = {}
At = tuple[int, int]  # which sheet, and which of its rows: what a row is known by
Named = tuple[str, str]  # noun and natural key


@dataclass(frozen=True)
class _Table:
    """A sheet whose columns were looked at: `fields` of its columns ('' for one that is no field), and what is bad.

    `keyed`: its rows have a name, so that they could be written. `own` and `refs` are references to rows of the
    same noun and of any; `needed` is what a new row must say.
    """

    number: int
    source: str
    kind: Noun
    rows: Sequence[tuple[int, tuple[Any, ...]]]
    fields: tuple[str, ...]
    titles: Mapping[str, str]
    bad: tuple[str, ...]
    keyed: bool
    flaws: Mapping[int, Sequence[Flaw]]
    own: tuple[Attribute, ...]
    refs: tuple[Attribute, ...]
    needed: tuple[str, ...]


class _Row(NamedTuple):
    """One row; `problems` is what is wrong with it before anybody tries to write it: (title of the column, why)."""

    table: _Table
    at: At
    line: int
    values: dict[str, Any]
    label: str
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> Named:
        return self.table.kind.name, self.label

    def problem(self, name: str, reason: str) -> Problem:
        """Return a problem of this row in one field, or in none ('')."""
        return self.titled(self.table.titles.get(name, name), reason)

    def titled(self, title: str, reason: str) -> Problem:
        """Return a problem of this row under one title of the file's own."""
        return Problem(((self.table.source, self.line),), title, reason)


@dataclass
class LeftOut:
    """What an import left out: how many rows of how many, and a line for each problem that somebody reads."""

    rows: int = 0
    of: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def everything(self) -> bool:
        """Whether not one row came in."""
        return self.rows == self.of


@dataclass(frozen=True)
class _Work:
    """What is to be written, by whom, and how much is wanted back."""

    opened: Session
    tables: Sequence[_Table]
    problems: Sequence[Problem]
    author: Author
    rules: Sequence[Rule]
    access: Sequence[Access]
    progress: Callable[[int, int], None] | None
    whole: bool
    most: int | None

    def writer(self) -> Writer:
        """Return a writer to begin with."""
        return Writer(self.opened, self.author, self.rules, self.access, keep=False)


def load(
    engine: Engine,
    sheets: Sequence[Sheet],
    author: Author,
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
    rules: Sequence[Rule] = (),
    access: Sequence[Access] = (),
    left_out: LeftOut | None = None,
    warnings: list[str] | None = None,
    whole: bool = True,
    most: int | None = MAX_TOLD,
) -> list[Diff]:
    """Write every row of every sheet by natural key, in one transaction, and return what changed.

    Raises InvalidError (`bad-rows`) with all problems (sheet, row, column, reason), `most` of them told; then
    nothing is written. With `left_out` bad rows are left out, and what is wrong with them goes there. A dry run
    does the same work inside a transaction that is rolled back. `warnings` takes what `rules` say short of
    refusing. Unless `whole`, a diff only says that a row was added, changed or the same.
    """
    tables, problems, strangers = _tables(sheets)
    with session(engine) as opened:
        work = _Work(opened, tables, problems, author, rules, access, progress, whole, most)
        if left_out is None:
            done = _all(work)
        else:
            left_out.of = sum(len(s.rows) for s in sheets)
            left_out.rows = strangers
            done = _good_ones(work, left_out)
        if warnings is not None:
            warnings += done.writer.warnings
        if dry_run:
            opened.rollback()
    return [diff for diffs in done.diffs.values() for diff in diffs.values()]


def _all(work: _Work) -> "_Round":
    """Write every row, or raise InvalidError with every problem of all of them."""
    attempt = _Round(work, frozenset())
    attempt.run()
    found = [*work.problems, *attempt.told()]
    try:
        attempt.writer.finish()
    except ConflictError as error:
        found += [p for p, _ in attempt.located(error.conflicts)]
    refuse(found, "The import", work.most)
    return attempt


def _good_ones(work: _Work, left_out: LeftOut) -> "_Round":
    """Write the rows that are good, in as many rounds as it takes to know them."""
    told = list(work.problems)
    left = {(t.number, at) for t in work.tables if t.bad for at in range(len(t.rows))}
    while True:
        told += _orphans(work, left)
        savepoint = work.opened.begin_nested()
        attempt = _Round(work, frozenset(left))
        attempt.run()
        conflicts = [] if attempt.halves else attempt.finished()
        told += [*attempt.told(), *(p for p, _ in conflicts)]
        left |= attempt.bad.keys() | {at for _, concerned in conflicts for at in concerned}
        if not attempt.halves and not conflicts:
            break
        attempt.writer.abandon()
        savepoint.rollback()
        refuse([p for p, concerned in conflicts if not concerned], "The import", work.most)
    savepoint.commit()
    left_out.rows += len(left)
    left_out.lines += lines(told, work.most)
    return attempt


def _orphans(work: _Work, left: set[At]) -> list[Problem]:
    """Leave out, in `left`, the rows that refer to one that is left out and was not there before; say why."""
    if not left:
        return []
    keys, found = Keys(work.opened), []
    rows = [row for table in work.tables if table.keyed for row in _rows(table)]
    given: dict[Named, int] = {}
    referring: dict[Named, list[tuple[_Row, str]]] = {}
    for row in rows:
        if row.at not in left:
            given[row.name] = given.get(row.name, 0) + 1
            for name, meant in _references(row):
                referring.setdefault(meant, []).append((row, name))
    gone = [row for row in rows if row.at in left and row.label]
    for absent in gone:  # grows while it is gone through
        if given.get(absent.name) or keys.find(*absent.name) is not None:
            continue
        for row, name in referring.get(absent.name, ()):
            if row.at not in left:
                left.add(row.at)
                given[row.name] -= 1
                gone.append(row)
                found.append(row.problem(name, _orphaned(name, absent)))
    return found


def _orphaned(name: str, absent: _Row) -> str:
    return f"{name} refers to '{absent.label}', which cannot come in: see {absent.table.source}, row {absent.line}"


def _references(row: _Row) -> Iterator[tuple[str, Named]]:
    """Yield (field, whom it means) of a row's references, also of those by noun and name."""
    for a in row.table.refs:
        if row.values.get(a.name):
            yield a.name, (a.ref, str(row.values[a.name]).strip())
    if row.values.get("target") and row.values.get("target_noun"):
        yield "target", (str(row.values["target_noun"]).strip(), str(row.values["target"]).strip())


class _Round:
    """One attempt to write all rows but those that are left out.

    `bad` holds what is wrong with rows, `halves` tells whether one of them was written in part.
    """

    def __init__(self, work: _Work, left: Collection[At]) -> None:
        self.writer = work.writer()
        self.diffs: dict[str, dict[str, Diff]] = {}
        self.bad: dict[At, list[Problem]] = {}
        self.halves = False
        self._work = work
        self._left = left
        self._absent: dict[Named, _Row] = {}

    def run(self) -> None:
        """Write what can be written: references to rows further down last, and of bad rows see all that is bad."""
        again: list[tuple[_Row, dict[str, Any]]] = []
        bad: list[_Row] = []
        total = sum(len(t.rows) for t in self._work.tables) - len(self._left)
        for done, row in enumerate(self._rows(), 1):
            if row.problems or not row.table.keyed:
                self._spoiled(row, [row.titled(*p) for p in row.problems])
                bad.append(row)
            else:
                now, later = _split(self.writer, row)
                if self._put(row, now) and later:
                    again.append((row, later))
            if self._work.progress:
                self._work.progress(done, total)
        for row, later in again:
            self.halves |= not self._put(row, later)
        for row in bad:
            self._checked(row)

    def told(self) -> list[Problem]:
        """Return what is wrong with single rows, in the order of the sheets."""
        return [p for at in sorted(self.bad) for p in self.bad[at]]

    def finished(self) -> list[tuple[Problem, set[At]]]:
        """See what only shows among all rows, and return it with the rows that are concerned."""
        try:
            self.writer.finish()
        except ConflictError as error:
            return list(self.located(error.conflicts))
        return []

    def located(self, conflicts: Sequence[Conflict]) -> Iterator[tuple[Problem, set[At]]]:
        """Yield each conflict as a problem, with those of its rows that this import adds or changes."""
        wanted = {named for c in conflicts for named in c.rows}
        there: dict[Named, list[_Row]] = {}
        for row in self._rows():
            if row.name in wanted:
                there.setdefault(row.name, []).append(row)
        for conflict in conflicts:
            rows = [row for named in dict.fromkeys(conflict.rows) for row in there.get(named, ())]
            yield _conflict(conflict, rows), {r.at for r in _concerned(conflict, rows) if self._changes(r)}

    def _rows(self) -> Iterator[_Row]:
        for table in self._work.tables:
            yield from _rows(table, self._left)

    def _changes(self, row: _Row) -> bool:
        diff = self.diffs.get(row.table.kind.name, {}).get(row.label)
        return diff is not None and diff.action != "same"

    def _put(self, row: _Row, values: Mapping[str, Any]) -> bool:
        try:
            diff = self.writer.put(row.table.kind.name, values)
        except BadRowError as error:
            self._spoiled(row, self._problems(row, [*error.problems, *self._wrong(row, values)]))
            return False
        diffs = self.diffs.setdefault(diff.noun, {})
        diffs[diff.name] = _merged(diffs.get(diff.name), diff if self._work.whole else _bare(diff))
        return True

    def _checked(self, row: _Row) -> None:
        """Add what else is wrong with a row that cannot be written anyway."""
        self._spoiled(row, self._problems(row, self._wrong(row, row.values)))

    def _wrong(self, row: _Row, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) of all that is wrong with a row, where writing it ends at the first of its kind."""
        try:
            self.writer.check(row.table.kind.name, values)
        except BadRowError as error:
            yield from error.problems
        if not row.table.keyed or (row.label and self.writer.keys.find(*row.name) is not None):
            return
        flawed = {title for title, _ in row.problems}
        for name in row.table.needed:
            if row.values.get(name) is None and row.table.titles.get(name, name) not in flawed:
                yield name, f"{name} is missing"

    def _spoiled(self, row: _Row, problems: Iterable[Problem]) -> None:
        found = list(problems)
        if found:
            self.bad.setdefault(row.at, []).extend(found)
        if row.label:
            self._absent.setdefault(row.name, row)

    def _problems(self, row: _Row, found: Iterable[tuple[str, str]]) -> Iterator[Problem]:
        """Yield the problems of a row, each once; what refers to a bad row of this import says so."""
        meant = dict(_references(row))
        for name, reason in dict.fromkeys(found):
            absent = self._absent.get(meant[name]) if name in meant else None
            yield row.problem(name, _orphaned(name, absent) if absent and absent.at != row.at else reason)


def _bare(diff: Diff) -> Diff:
    return Diff(diff.noun, diff.name, diff.action, _NOTHING, _NOTHING)


def _merged(earlier: Diff | None, diff: Diff) -> Diff:
    """Return what two changes of one row come to."""
    if earlier is None or earlier.action == "same":
        return diff
    before, after = {**earlier.before, **diff.before}, {**earlier.after, **diff.after}
    return Diff(diff.noun, diff.name, earlier.action, before, after)


def _concerned(conflict: Conflict, rows: Sequence[_Row]) -> Sequence[_Row]:
    """Return the rows that say something in the field in question, or all where none of them does."""
    return [r for r in rows if conflict.field in r.values] or rows


def _conflict(conflict: Conflict, rows: Sequence[_Row]) -> Problem:
    title = rows[0].table.titles.get(conflict.field, conflict.field) if rows else ""
    said = any(conflict.field in r.values for r in rows)
    return Problem(tuple((r.table.source, r.line) for r in rows), title if said else "", conflict.sentence)


def _split(writer: Writer, row: _Row) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put off references to rows of the same noun that are not there yet: they may stand further down."""
    later = {
        a.name: row.values[a.name]
        for a in row.table.own
        if str(row.values.get(a.name, "")).strip()
        and writer.keys.find(a.ref, str(row.values[a.name]).strip()) is None
    }
    if not later:
        return row.values, {}
    kind = row.table.kind
    keys = {k: row.values.get(k) for k in (*kind.key, *kind.auto, "vrf") if k in row.values}
    return {k: v for k, v in row.values.items() if k not in later}, {**keys, **later}


# --- what the sheets say --------------------------------------------------------------------------------------------


def _tables(sheets: Sequence[Sheet]) -> tuple[list[_Table], list[Problem], int]:
    """Return the sheets in the order of the nouns, what is wrong with whole sheets, and the rows of no noun."""
    known: list[tuple[Noun, Sheet]] = []
    problems: list[Problem] = []
    strangers = 0
    for sheet in sheets:
        if not sheet.header and not sheet.rows:
            continue  # an empty sheet of a workbook says nothing
        try:
            known.append((noun(sheet.noun), sheet))
        except NotFoundError as error:
            problems.append(Problem(((sheet.source, 0),), "", error.sentence))
            strangers += len(sheet.rows)
    order = list(nouns())
    known.sort(key=lambda pair: order.index(pair[0].name))
    tables = [_table(number, kind, sheet) for number, (kind, sheet) in enumerate(known)]
    problems += [Problem(((t.source, 0),), "", sentence) for t in tables for sentence in t.bad]
    return tables, problems, strangers


def _table(number: int, kind: Noun, sheet: Sheet) -> _Table:
    columns = [column_of(kind, title) for title in sheet.header]
    bad = tuple(_bad_columns(kind, sheet.header, columns))
    titles = {c: t for c, t in zip(columns, sheet.titles or sheet.header, strict=True) if c != t}
    flaws: dict[int, list[Flaw]] = {}
    for flaw in sheet.flaws:
        flaws.setdefault(flaw.line, []).append(flaw)
    refs = tuple(a for a in kind.attributes.values() if a.ref)
    return _Table(
        number,
        sheet.source,
        kind,
        sheet.rows,
        tuple(c if _is_field(kind, c) else "" for c in columns),
        titles,
        bad,
        all(k in columns for k in _keys(kind, columns)),
        flaws,
        tuple(a for a in refs if a.ref == kind.name),
        refs,
        tuple(_needed(kind)),
    )


def _rows(table: _Table, left: Collection[At] = ()) -> Iterator[_Row]:
    """Yield the rows that are not left out: made anew each time, so that a million of them need not be held."""
    first: dict[str, int] = {}
    named = [(at, f) for at, f in enumerate(table.fields) if f]
    for number, (line, cells) in enumerate(table.rows):
        at = (table.number, number)
        if left and at in left:
            continue
        there = len(cells)
        values = {f: cells[i] for i, f in named if i < there and cells[i] is not None}
        label = label_of(table.kind, values) if table.keyed else ""
        problems = [(f.title, f.reason) for f in table.flaws.get(line, ())] if table.flaws else []
        if there > len(table.fields) and any(str(c or "").strip() for c in cells[len(table.fields) :]):
            problems.append(("", "there are more cells than columns"))
        if label and (earlier := first.setdefault(label, line)) != line:
            problems.append(("", f"'{label}' stands in row {earlier} already"))
        yield _Row(table, at, line, values, label, tuple(problems))


def _is_field(kind: Noun, column: str) -> bool:
    if column.startswith("var.") or column == "revision":
        return True
    return column in kind.attributes and kind.attributes[column].settable


def _keys(kind: Noun, columns: Sequence[str]) -> Sequence[str]:
    return kind.auto if kind.auto and "name" not in columns else kind.key


def _needed(kind: Noun) -> Iterator[str]:
    """Yield the fields without which a row of this noun cannot be new; a name that is made of others is none."""
    for a in kind.attributes.values():
        made = a.name == "name" and kind.auto
        if a.settable and not made and (a.required or a.name in (*kind.key, *kind.auto)):
            yield a.name


def _bad_columns(kind: Noun, header: Iterable[str], columns: Sequence[str]) -> Iterator[str]:
    settable = [a.name for a in kind.attributes.values() if a.settable]
    for title, column in zip(header, columns, strict=True):
        if not _is_field(kind, column):
            yield f"column '{title}' is unknown; {one(kind.name)} has {', '.join(settable)}"
    for column in sorted({c for c in columns if columns.count(c) > 1}):
        yield f"column '{column}' stands there twice"
    for key in _keys(kind, columns):
        if key not in columns:
            yield f"column '{key}' is missing"


def check_any(sheets: Sequence[Sheet], source: str) -> None:
    """Raise InvalidError (`empty-import`) when there is not one row to import."""
    if not any(sheet.rows for sheet in sheets):
        raise InvalidError("empty-import", f"{source} holds no rows to import.")
