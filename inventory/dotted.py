"""Fields behind a reference in lists (`--fields name,place.parent`): the same paths that selectors follow."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from inventory import store
from inventory.nouns import Noun, noun
from siaga.errors import UsageError

MAX_PATH = 12


def check(kind: Noun, fields: Sequence[str]) -> None:
    """Raise UsageError (`no-such-field`) for a field that the noun, or the noun behind a reference, has not."""
    for field in fields:
        at = kind
        steps = _steps(kind, field)
        for number, step in enumerate(steps):
            if step not in at.attributes:
                phrase = at.without(step, selectors=at is kind)
                end = "" if phrase.endswith("?") else "."
                raise UsageError("no-such-field", f"{phrase[0].upper()}{phrase[1:]}{end}")
            attribute = at.attributes[step]
            if attribute.kind == "vars":
                break
            if number + 1 < len(steps):
                if not attribute.ref or len(steps) > MAX_PATH:
                    raise UsageError("no-such-field", f"'{step}' of {at.words} has no parts.")
                at = noun(attribute.ref)


def filled(session: Session, kind: Noun, rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> None:
    """Put the fields that are no attributes of the rows into them; one query for each reference on the way."""
    for field in fields:
        if field not in kind.attributes:
            for row, value in zip(rows, _values(session, kind, rows, _steps(kind, field)), strict=True):
                row[field] = value


def _values(
    session: Session, kind: Noun, rows: Sequence[Mapping[str, Any]], steps: Sequence[str]
) -> list[Any]:
    values = [row[steps[0]] for row in rows]
    for number, step in enumerate(steps[1:]):
        attribute = kind.attributes.get(steps[number])
        if attribute is not None and attribute.ref:
            kind = noun(attribute.ref)
            known = _by_name(session, kind)
            values = [known.get(v, {}).get(step) for v in values]
        else:  # inside variables
            values = [v.get(step) if isinstance(v, dict) else None for v in values]
    return values


def _by_name(session: Session, kind: Noun) -> dict[str, dict[str, Any]]:
    names = store.labels(session, kind.name)
    return {names[row["id"]]: row for row in store.rows(session, kind.name)}


def _steps(kind: Noun, field: str) -> list[str]:
    first, *rest = field.split(".")
    first = "vars" if first == "var" and "vars" in kind.attributes else first
    return [first, *rest] if first in kind.attributes else [*kind.paths.get(first, first).split("."), *rest]
