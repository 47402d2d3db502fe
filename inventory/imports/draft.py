"""Drafts a column map for somebody's own table: a proposal to read and mend, from titles and cells as they are."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from inventory.imports.column_map import plain
from inventory.imports.converting import NotSoWrittenError, converted
from inventory.imports.sheets import Raw, is_filled
from inventory.nouns import Attribute, Noun, noun, nouns
from siaga.errors import NotFoundError
from siaga.text import safe

_SEARCHED = 30  # rows in which a header is looked for
_SAMPLES = 500
_CHOICES = 40
_TOTAL = re.compile(
    r"(?i)(?:jumlah|total)(?:\s+(?:total|seluruh(?:nya)?|keseluruhan|harga|aset|barang|rp))*\s*[.:]*"
)
_BELOW = 15  # so many rows at most stand below a total: signatures
_LINE = re.compile(r"\s*\n\s*")


@cache
def _known() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / "titles.toml").read_text(encoding="utf-8"))


def draft(raws: Sequence[Raw], source: str, noun_name: str = "") -> str:
    """Return a column map for the tables of a file as TOML; what could not be told is left to a person."""
    head = [
        f"# A draft for {safe(source)}: read every line, then run",
        f"#   siaga import {safe(source)} --map THIS-FILE --dry-run",
        "# Fields are those of 'siaga NOUN list --list-fields'; a column neither mapped nor ignored is an error.",
    ]
    tables = [table for raw in raws for table in _table(raw, noun_name)]
    return "\n".join([*head, *tables]) + "\n"


def _table(raw: Raw, noun_name: str) -> Iterator[str]:
    row, titles = _header(raw)
    if not titles:
        yield f"\n# {safe(raw.source)}: there is no row of titles."
        return
    kind = noun(noun_name) if noun_name else _meant(raw.title, titles)
    fields = _fields(kind, titles)
    last, total = _total(raw, row)
    above = replace(raw, lines=tuple(line for line in raw.lines if not last or line[0] <= last))
    samples = {t: _samples(above, row, at) for at, t in enumerate(titles) if t}
    yield "\n[[table]]"
    yield f"sheet = {_quoted(raw.title)}"
    yield f'noun = "{kind.name}"'
    yield f"header_row = {row}"
    if last:
        yield f"last_row = {last}  # below it stands '{safe(total, 40)}': this and all below are left alone"
    yield from _merged(raw, row)
    if raw.hidden:
        yield "# This sheet is hidden: nobody sees it who opens the file."
    years = _years(kind, fields, samples)
    yield from _written(kind, {t: n for t, n in fields.items() if n not in years}, samples)
    yield from _ignored(titles, fields, samples)
    yield "\n[table.columns]"
    for title, name in fields.items():
        yield f"{_quoted(title)} = {_quoted(name)}{_example(samples[title])}"
    yield from _missing(kind, fields)
    if years:
        yield "\n[table.formats]  # a year becomes 1 January of it, for want of a day"
        yield from (f'{name} = "year"' for name in years)
    yield from _choices(kind, fields, samples)


def _header(raw: Raw) -> tuple[int, list[str]]:
    """Return the row that looks most like titles: the first with the most texts, none of them twice."""
    best: tuple[int, list[str]] = (0, [])
    for line, cells in raw.lines[:_SEARCHED]:
        titles = ["" if c is None else _LINE.sub(" ", str(c).strip()) for c in cells]
        words = [t for t in titles if t and not t.replace(".", "").isdigit()]
        if len(set(words)) == len(words) > sum(map(bool, best[1])):
            best = (line, titles)
    return best


def _meant(title: str, titles: Sequence[str]) -> Noun:
    """Return the noun that a sheet is of: by its title, or by what its columns are called."""
    try:
        return noun(Path(title).stem if Path(title).suffix else title)
    except NotFoundError:
        said = plain(Path(title).stem)
    for name, words in _known()["sheets"].items():
        if said in words:
            return noun(name)
    return max(nouns().values(), key=lambda kind: len(_fields(kind, titles)) if not kind.seen else -1)


def _fields(kind: Noun, titles: Sequence[str]) -> dict[str, str]:
    """Return title → field for the titles that are understood, each field once."""
    known = _known()["fields"]
    found: dict[str, str] = {}
    offers = [{a.name: [a.name, a.name.replace("_", " ")] for a in kind.attributes.values() if a.settable}]
    offers += [known.get(kind.name, {}), known["any"]]
    for offer in offers:
        for title in titles:
            name = next((f for f, words in offer.items() if plain(title) in words), "")
            free = title not in found and name in kind.attributes and name not in found.values()
            if title and free and kind.attributes[name].settable:
                found[title] = name
    for title in titles:
        near = difflib.get_close_matches(plain(title), [w.replace("_", " ") for w in offers[0]], 1, 0.85)
        if (
            title
            and title not in found
            and near
            and (name := near[0].replace(" ", "_")) not in found.values()
        ):
            found[title] = name
    return {t: found[t] for t in titles if t in found}


def _samples(raw: Raw, header_row: int, at: int) -> list[Any]:
    rows = (cells for line, cells in raw.lines if line > header_row)
    found = [cells[at] for _, cells in zip(range(_SAMPLES), rows, strict=False) if at < len(cells)]
    return list(dict.fromkeys(c for c in found if is_filled(c)))


def _merged(raw: Raw, header_row: int) -> Iterator[str]:
    for _, last, where in raw.merged:
        if last >= header_row:
            yield f"# The cells {where} are merged: unmerge them, or the import will refuse the sheet."


def _total(raw: Raw, header_row: int) -> tuple[int, str]:
    """Return the last row above a sum, below which signatures may stand, and what the sum is called; else (0, '')."""
    filled = [(n, cells) for n, cells in raw.lines if n > header_row and any(map(is_filled, cells))]
    for (before, _), (_, cells) in pairwise(filled[-_BELOW - 1 :]):
        said = next((c for c in cells if is_filled(c)), None)
        if isinstance(said, str) and _TOTAL.fullmatch(said.strip()):
            return before, said
    return 0, ""


def _years(kind: Noun, fields: Mapping[str, str], samples: Mapping[str, list[Any]]) -> list[str]:
    """Return the fields that take a date and are given years alone, or are called so."""
    return [
        name
        for title, name in fields.items()
        if kind.attributes[name].kind == "date"
        and (_is_year(samples[title]) if samples[title] else "tahun" in plain(title))
    ]


def _is_year(cells: Sequence[Any]) -> bool:
    """Tell whether most of the cells are years: a wrong one among them is told by the import."""
    fitting = sum(not isinstance(c, (date, bool)) and _reads(str(c), "year") for c in cells)
    return 2 * fitting > len(cells)


def _written(kind: Noun, fields: Mapping[str, str], samples: Mapping[str, list[Any]]) -> Iterator[str]:
    """Yield in which form dates and numbers are written, where the cells leave no doubt."""
    for kinds, forms, key in (
        (("date", "time"), ("dmy", "mdy"), "dates"),
        (("int", "float"), ("id", "en"), "numbers"),
    ):
        texts = [
            c
            for title, name in fields.items()
            if kind.attributes[name].kind in kinds
            for c in samples[title]
            if isinstance(c, str) and not _is_plain(kind.attributes[name], c)
        ]
        texts = [c for c in texts if any(_reads(c, f) for f in forms)]  # 31/02/2023 tells nothing
        fitting = [f for f in forms if all(_reads(c, f) for c in texts)]
        if texts and len(fitting) == 1:
            yield f'{key} = "{fitting[0]}"'
        elif texts:
            yield f'# {key} = "{forms[0]}"  # or "{forms[1]}": the cells do not tell, such as {_shown(texts[:3])}'


def _is_plain(attribute: Attribute, text: str) -> bool:
    if attribute.kind not in ("date", "time"):
        return text.strip().isdigit()
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def _reads(text: str, form: str) -> bool:
    try:
        converted(text, form)
    except NotSoWrittenError:
        return False
    return True


def _ignored(
    titles: Sequence[str], fields: Mapping[str, str], samples: Mapping[str, list[Any]]
) -> Iterator[str]:
    others = [t for t in titles if t and t not in fields]
    if not others:
        return
    yield '# Not understood: move a line below [table.columns] as "title" = "field" to take it.'
    yield "ignore = ["
    for title in others:
        yield f"  {_quoted(title)},{_example(samples[title])}"
    yield "]"


def _missing(kind: Noun, fields: Mapping[str, str]) -> Iterator[str]:
    """Yield what the noun needs and no column gives."""
    needed = [*(kind.auto or kind.key), *(a.name for a in kind.attributes.values() if a.required)]
    for name in dict.fromkeys(n for n in needed if n not in fields.values()):
        if not (kind.auto and name == "name"):
            yield f'# {name} is needed: map a column, or write below [table.templates] {name} = "{{a title}}"'


def _choices(kind: Noun, fields: Mapping[str, str], samples: Mapping[str, list[Any]]) -> Iterator[str]:
    """Yield what the cells of a field with fixed values hold, and which value each is taken for."""
    for title, name in fields.items():
        offered = [c for c in kind.attributes[name].choices if c]
        said = [str(c).strip() for c in samples[title] if str(c).strip() not in offered][:_CHOICES]
        if not offered or not said:
            continue
        yield f"\n[table.values.{name}]  # {', '.join(offered)}"
        known = _known()["choices"].get(name, {})
        for word in said:
            value = next((v for v, words in known.items() if v in offered and plain(word) in words), "")
            yield f"{_quoted(word)} = {_quoted(value)}" if value else f"# {_quoted(word)} = ?"


def _example(samples: Sequence[Any]) -> str:
    return f"  # {_shown(samples[:3])}" if samples else "  # empty"


def _shown(cells: Sequence[Any]) -> str:
    return ", ".join(safe(c, 40) for c in cells)


def _quoted(text: str) -> str:
    """Return a basic string of TOML; JSON's escapes are those of TOML too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
