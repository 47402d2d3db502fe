"""Tells a table of somebody's own from one of siaga's, and says how it comes in: by a noun, or by a column map."""

from collections.abc import Sequence

from inventory.imports.sheets import Raw, Sheet, column_of
from inventory.nouns import noun
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

_SHOWN = 6


def check_own(source: str, raws: Sequence[Raw], sheets: Sequence[Sheet], named: bool) -> None:
    """Raise InvalidError (`own-table`) if nothing of a file is in siaga's own form.

    What is partly so is left to the import, which tells each wrong sheet and column.
    """
    filled = [(raw, s) for raw, s in zip(raws, sheets, strict=True) if s.header]
    strange = [reason for raw, s in filled if (reason := _strange(raw, s))]
    if strange and len(strange) == len(filled):
        raise InvalidError("own-table", _way(source, len(filled), named), strange)


def _way(source: str, tables: int, named: bool) -> str:
    one = "it" if tables == 1 else "each of its sheets"
    noun_ = (
        ""
        if named or tables > 1
        else f" If its titles are siaga's fields, say what {one} is with --noun NOUN."
    )
    return (
        f"{safe(source, 100)} is a table of your own: 'siaga import {safe(source, 100)} --draft-map > map.toml' drafts"
        f" what its columns are here, and --map map.toml takes it in.{noun_}"
    )


def _strange(raw: Raw, sheet: Sheet) -> str:
    """Return why a sheet is none of siaga's: no noun is called so, or hardly a title is a field; else ''."""
    try:
        kind = noun(sheet.noun)
    except NotFoundError:
        return f"{raw.source}: there is nothing called '{safe(sheet.noun, 60)}', such as device or asset"
    settable = {a.name for a in kind.attributes.values() if a.settable} | {"revision"}
    columns = [column_of(kind, t) for t in sheet.header]
    known = [c for c in columns if c in settable or c.startswith("var.")]
    if 2 * len(known) >= len(columns) or "name" in known or {*(kind.auto or kind.key)} <= {*known}:
        return ""
    titles = [safe(t, 40) for c, t in zip(columns, sheet.header, strict=True) if t and c not in known]
    more = f" and {len(titles) - _SHOWN} more" if len(titles) > _SHOWN else ""
    what = "is no field" if len(titles) == 1 else "are no fields"
    return f"{raw.source}: {_quoted(titles[:_SHOWN])}{more} {what} of {_a(kind.words)}"


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"


def _quoted(titles: Sequence[str]) -> str:
    return ", ".join(f"'{t}'" for t in titles)
