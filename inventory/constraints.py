"""What fields may hold, held against the rows that are there: a constraint may be newer than they are.

At every write and import values are read by the same rules (values.py), before they are stored.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from inventory.nouns import Attribute, Noun, nouns
from inventory.store import labels
from inventory.values import BadValueError, read
from siaga.text import one, safe

_MANY = 50  # rows of one field that are told one by one
_STORED: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "date": (str,),
    "ref": (int,),
}


class Misfit(NamedTuple):
    """One field of one row that holds what it may not, or nothing where it must."""

    noun: str
    name: str
    field: str
    sentence: str


def misfits(session: Session) -> Iterator[Misfit]:
    """Yield what no longer fits, of every noun that people write."""
    for kind in nouns().values():
        if not kind.seen:
            yield from _of(session, kind)


def _of(session: Session, kind: Noun) -> Iterator[Misfit]:
    held = [a for a in kind.attributes.values() if a.settable and a.kind not in ("vars", "time")]
    columns = dict.fromkeys(kind.table.c.custom if a.custom else kind.table.c[a.column] for a in held)
    rows = [dict(r._mapping) for r in session.execute(select(kind.table.c.id, *columns))]  # noqa: SLF001
    names: dict[int, str] = {}
    for attribute in held:
        wrong = _wrong(session, attribute, rows)
        if wrong and not names:
            names = labels(session, kind.name)
        for row_id, phrase in list(wrong.items())[:_MANY]:
            sentence = f"{kind.words} '{names[row_id]}': {attribute.name} {phrase}"
            if len(wrong) > _MANY:
                sentence += f" ({len(wrong)} rows in all)"
            yield Misfit(kind.name, names[row_id], attribute.name, sentence)


def _wrong(session: Session, attribute: Attribute, rows: list[dict[str, Any]]) -> dict[int, str]:
    """Return row id → what is wrong with this field of it; equal values are judged once."""
    known = set(labels(session, attribute.ref)) if attribute.custom and attribute.ref else set()
    judged: dict[tuple[type, Any], str] = {}
    wrong = {}
    for row in rows:
        value = (row["custom"] or {}).get(attribute.name) if attribute.custom else row[attribute.column]
        key = (type(value), repr(value) if isinstance(value, (list, dict)) else value)
        if key not in judged:
            judged[key] = _misfit(attribute, value, known)
        if judged[key]:
            wrong[row["id"]] = judged[key]
    return wrong


def _misfit(attribute: Attribute, value: Any, known: set[int]) -> str:
    """Return what is wrong with a stored value, or ''."""
    if value is None or value == "":
        return "is missing" if attribute.required else ""
    if attribute.custom and (changed := _of_another_type(attribute, value, known)):
        return changed
    if attribute.ref or isinstance(value, date):
        return ""
    try:
        read(attribute, value)
    except BadValueError as error:
        return str(error)
    return ""


def _of_another_type(attribute: Attribute, value: Any, known: set[int]) -> str:
    """Return that a declared field holds what was written while it was declared otherwise, or ''."""
    right = isinstance(value, _STORED[attribute.kind])
    if isinstance(value, bool) and attribute.kind != "bool":
        right = False
    if right and (not attribute.ref or value in known):
        return ""
    wanted = f"the name of {one(attribute.ref.replace('_', ' '))}" if attribute.ref else attribute.kind
    return f"holds '{safe(value, 40)}' of the time before its type was {wanted}: set it again"
