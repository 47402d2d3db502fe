"""A column map: a TOML file that says what the columns of somebody's own table are here.

One `[[table]]` for each noun to be made of a sheet; the same sheet may be named in several. What a map does not
name is an error and not guessed, so that no column is lost in silence.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from inventory.imports.converting import FORMS, NotSoWrittenError, converted
from inventory.imports.harmless import harmless
from inventory.imports.octets import file_octets
from inventory.imports.sheets import Flaw, Line, Raw, Sheet, sheet_of
from inventory.nouns import Noun, noun
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

_SLOT = re.compile(r"\{([^{}|]+)(?:\|(name|lower|upper))?\}")
_DATES, _NUMBERS = ("date", "time"), ("int", "float")
Order = Literal["", "dmy", "mdy", "ymd"]
Style = Literal["", "id", "en"]


class Table(BaseModel):
    """How one noun is made of one sheet; titles are compared without case and with single blanks."""

    model_config = {"frozen": True, "extra": "forbid"}

    noun: str
    sheet: str = ""
    header_row: int = 0
    last_row: int = 0
    columns: Mapping[str, str] = {}
    constants: Mapping[str, str | int | float | bool] = {}
    templates: Mapping[str, str] = {}
    values: Mapping[str, Mapping[str, str]] = {}
    formats: Mapping[str, str] = {}
    dates: Order = ""
    numbers: Style = ""
    ignore: tuple[str, ...] = ()
    distinct: bool = False


def read_map(path: str) -> tuple[Table, ...]:
    """Read a map file; raises NotFoundError or InvalidError (`bad-map`) with every problem."""
    try:
        tree = tomllib.loads(file_octets(Path(path)).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidError("bad-map", f"{path} is not valid TOML: {error}.") from None
    problems = [f"the key '{safe(k, 60)}' is unknown; a map holds [[table]]" for k in tree if k != "table"]
    given = tree.get("table")
    if not isinstance(given, list) or not given:
        problems.append("there is no [[table]]")
        given = []
    tables: list[Table] = []
    for number, one in enumerate(given, 1):
        of = f" ({safe(one['noun'], 60)})" if isinstance(one, dict) and "noun" in one else ""
        problems += [f"table {number}{of}: {p}" for p in _read(one, tables)]
    if problems:
        raise InvalidError("bad-map", f"{path} is no column map.", problems)
    return tuple(tables)


def _read(given: object, tables: list[Table]) -> Iterator[str]:
    """Read one table into `tables`, and yield all that is wrong with it: with its form, and with its fields."""
    if not isinstance(given, dict):
        yield "it is no table"
        return
    bad: set[object] = set()
    try:
        table = Table.model_validate(given)
    except ValidationError as error:
        for one in error.errors():
            bad.add(one["loc"][0])
            yield _plainly(one)
        kept = {k: v for k, v in given.items() if k not in bad}
        if "noun" not in kept:
            return
        table = Table.model_validate(kept)
    yield from _problems(table)
    tables.append(table)


def _plainly(error: Any) -> str:
    """Return what the validation says of one key in plain words."""
    key, kind, context = ".".join(map(str, error["loc"])), error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return f"the key '{safe(key, 60)}' is unknown; a table has {', '.join(Table.model_fields)}"
    if kind == "missing":
        return f"{key} is missing"
    wanted = context.get("expected") or _WANTED.get(kind, "")
    said = safe(error["input"], 40)
    return f"{safe(key, 60)} is '{said}', must be {wanted}" if wanted else f"{safe(key, 60)}: {error['msg']}"


_WANTED = {
    "string_type": "a text",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("dict_type", "mapping_type"), 'lines such as "title" = "field" below its own heading'),
    **dict.fromkeys(("tuple_type", "list_type"), 'a list such as ["No", "Paraf"]'),
}


def _problems(table: Table) -> Iterator[str]:
    try:
        kind = noun(table.noun)
    except NotFoundError as error:
        yield error.sentence
        return
    given = [*table.columns.values(), *table.constants, *table.templates]
    for name in sorted({n for n in given if given.count(n) > 1}):
        yield f"the field '{name}' is given twice"
    unknown = sorted(n for n in {*given, *table.values, *table.formats} if not _settable(kind, n))
    if unknown:
        offered = ", ".join(a.name for a in kind.attributes.values() if a.settable)
        names = ", ".join(f"'{safe(n, 60)}'" for n in unknown)
        yield f"a {kind.words} has no field {names}; it has {offered}"
    for name, form in table.formats.items():
        if form not in FORMS:
            yield f"formats.{name} is '{safe(form, 40)}', must be one of {', '.join(FORMS)}"


def _settable(kind: Noun, name: str) -> bool:
    if name.startswith("var."):
        return "vars" in kind.attributes
    return name in kind.attributes and kind.attributes[name].settable


def mapped(raws: Sequence[Raw], tables: Sequence[Table], source: str) -> list[Sheet]:
    """Return the sheets that the tables make of the file's own.

    Raises InvalidError (`map-mismatch`) with every column that the map and the file do not both know.
    """
    problems: list[str] = []
    sheets = [_sheet(raw, table, problems) for table in tables for raw in _meant(raws, table, problems)]
    if problems:
        raise InvalidError("map-mismatch", f"{source} is not as the column map says.", problems)
    return sheets


def _meant(raws: Sequence[Raw], table: Table, problems: list[str]) -> list[Raw]:
    shown = [r for r in raws if not r.hidden]
    if not table.sheet and len(shown) == 1:
        return shown
    found = [r for r in raws if plain(r.title) == plain(table.sheet)]
    if not found:
        titles = ", ".join(f"'{safe(r.title, 60)}'" for r in raws)
        problems.append(f"there is no sheet '{table.sheet}'; there are {titles}")
    return found


def plain(title: object) -> str:
    """Return a title as it is compared: without case, on one line, with single blanks."""
    return " ".join(str(title).split()).casefold()


@dataclass(frozen=True)
class _Step:
    """How one field is made: copied from a column, or by a template; then translated and read."""

    name: str
    title: str
    at: int = -1
    template: str = ""
    known: Mapping[str, str] | None = None
    form: str = ""

    def take(self, cells: Sequence[Any], places: Mapping[str, int]) -> Any:
        """Return the field's value of a row; raises NotSoWrittenError."""
        if self.template:
            cell: Any = _pattern(self.template, cells, places)
        else:
            cell = cells[self.at] if self.at < len(cells) else None
        if self.known is not None:
            cell = self.known.get(plain("" if cell is None else cell), self.known.get("*", cell))
        return converted(cell, self.form) if self.form else cell


@dataclass(frozen=True)
class _Plan:
    """How the rows of a sheet become rows of a noun."""

    kind: Noun
    table: Table
    places: Mapping[str, int]
    steps: tuple[_Step, ...]


def _sheet(raw: Raw, table: Table, problems: list[str]) -> Sheet:
    found = sheet_of(raw, table.noun, table.header_row)
    kind = noun(table.noun)
    places: dict[str, int] = {}
    bad = [] if found.header else [f"there is no header in row {table.header_row or 1}"]
    for at, title in enumerate(found.header):
        if title and plain(title) in places:
            bad.append(f"the title '{safe(title, 60)}' stands there twice")
        places.setdefault(plain(title), at)
    bad += _unknown(table, places, found.header)
    copied = list(_copied(kind, table, places, found.header, bad))
    problems += [f"{raw.source}: {p}" for p in bad]
    if bad:
        return Sheet(raw.source, kind.name, (), ())
    made = [_step(kind, table, n, n, template=text) for n, text in table.templates.items()]
    return _filled(raw.source, _Plan(kind, table, places, (*copied, *made)), found.rows)


def _unknown(table: Table, places: Mapping[str, int], titles: Sequence[str]) -> Iterator[str]:
    there = ", ".join(f"'{safe(t, 60)}'" for t in titles)
    for title in sorted({plain(t) for t in table.columns} | _slots(table)):
        if title not in places:
            yield f"there is no column '{title}'; there are {there}"


def _slots(table: Table) -> set[str]:
    return {plain(s) for text in table.templates.values() for s, _ in _SLOT.findall(text)}


def _copied(
    kind: Noun, table: Table, places: Mapping[str, int], titles: Sequence[str], bad: list[str]
) -> Iterator[_Step]:
    """Yield the columns that are taken; `bad` takes those of which the map says nothing."""
    named = {plain(t): name for t, name in table.columns.items()}
    spoken_of = {plain(t) for t in table.ignore} | _slots(table) | {""}
    given = {*named.values(), *table.constants, *table.templates}
    for title, at in places.items():
        own = title.replace(" ", "_").replace("-", "_")
        if title in named:
            yield _step(kind, table, named[title], titles[at], at=at)
        elif title in spoken_of:
            continue
        elif _settable(kind, own) and own not in given:
            yield _step(kind, table, own, titles[at], at=at)
        else:
            bad.append(f"the column '{safe(titles[at], 60)}' is neither mapped nor ignored")


def _step(kind: Noun, table: Table, name: str, title: str, *, at: int = -1, template: str = "") -> _Step:
    choices = table.values.get(name)
    known = None if choices is None else {plain(k): v for k, v in choices.items()}
    return _Step(name, title, at, template, known, _form(kind, table, name))


def _form(kind: Noun, table: Table, name: str) -> str:
    if name in table.formats:
        return table.formats[name]
    kind_of = kind.attributes[name].kind if name in kind.attributes else ""
    return table.dates if kind_of in _DATES else table.numbers if kind_of in _NUMBERS else ""


def _filled(source: str, plan: _Plan, rows: Iterable[Line]) -> Sheet:
    constants = tuple(plan.table.constants.values())
    header = (*(s.name for s in plan.steps), *plan.table.constants)
    titles = (*(s.title for s in plan.steps), *plan.table.constants)
    flaws: list[Flaw] = []
    lines: list[Line] = []
    seen: set[tuple[str, ...]] = set()
    for line, cells in rows:
        if plan.table.last_row and line > plan.table.last_row:
            break
        values = tuple(_values(plan, line, cells, flaws))
        if plan.table.distinct and _again(values, seen):
            continue
        lines.append((line, values + constants))
    return Sheet(source, plan.kind.name, header, tuple(lines), titles, tuple(flaws))


def _again(values: tuple[Any, ...], seen: set[tuple[str, ...]]) -> bool:
    """Tell whether a row says nothing, or what one before it said already."""
    key = tuple("" if v is None else str(v).strip() for v in values)
    known = key in seen or not any(key)
    seen.add(key)
    return known


def _values(plan: _Plan, line: int, cells: Sequence[Any], flaws: list[Flaw]) -> Iterator[Any]:
    for step in plan.steps:
        try:
            yield step.take(cells, plan.places)
        except NotSoWrittenError as error:
            flaws.append(Flaw(line, step.title, f"{step.name} {error}"))
            yield None


def _pattern(text: str, cells: Sequence[Any], places: Mapping[str, int]) -> str | None:
    """Return a template filled in; None if every column it names is empty."""
    found: list[str] = []

    def slot(match: re.Match[str]) -> str:
        at = places[plain(match[1])]
        word = _word(cells[at] if at < len(cells) else None)
        found.append(word)
        return _ways(word, match[2])

    filled = " ".join(_SLOT.sub(slot, text).split())
    return filled if any(found) else None


def _word(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _ways(word: str, way: str | None) -> str:
    if way == "name":
        return harmless(word)
    return word.lower() if way == "lower" else word.upper() if way == "upper" else word
