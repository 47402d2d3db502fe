"""Which row a name means: as it is stored, in its canonical form, or by a place's Kemendagri code."""

import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session

from inventory import reach
from inventory.keys import Keys, nearest
from inventory.nouns import Noun, noun
from inventory.store import labels
from inventory.values import BadValueError, normal, read


def exact(session: Session, noun_name: str, text: str) -> int | None:
    """Return the id of the row called so, or None."""
    keys, kind = Keys(session), noun(noun_name)
    name = normal(text.strip())
    found = keys.find(noun_name, name)
    if found is None and kind.name == "place" and name[:1].isdigit():
        return keys.coded(name)
    if found is None and kind.attributes["name"].naming in ("cidr", "range", "address"):
        try:
            return keys.find(noun_name, str(read(kind.attributes["name"], name)))
        except BadValueError:
            return None
    return found


def wrong(kind: Noun, text: str) -> str:
    """Return what is wrong with a name that must be a prefix, a range or an address, or ''."""
    if kind.attributes["name"].naming in ("cidr", "range", "address"):
        try:
            read(kind.attributes["name"], text)
        except BadValueError as error:
            return str(error)
    return ""


def called(session: Session, kind: Noun, word: str) -> list[int]:
    """Return the ids of the rows that a bare word means: an interface's own name may be that of many."""
    if kind.name == "interface" and ":" not in word:
        c = kind.table.c
        return list(session.execute(select(c.id).where(c.name == word)).scalars())
    found = exact(session, kind.name, word)
    return [] if found is None else [found]


def stored(session: Session, kind: Noun, names: Sequence[str]) -> dict[str, str]:
    """Return name as given → name as stored, of those that there are."""
    missing = reach.missing(session, kind, names)
    found = {n: n for n in names if n not in missing}
    for name in missing:
        row_id = exact(session, kind.name, name)
        if row_id is not None:
            found[name] = labels(session, kind.name, {row_id})[row_id]
    return found


def near(session: Session, kind: Noun, name: str) -> str:
    """Return the name there is that is most like this one, or ''."""
    if kind.name == "interface" and ":" in name:
        return nearest(name, labels(session, kind.name).values())
    if kind.name == "place" and re.fullmatch(r"[\d.]+", name):
        return nearest(name, session.execute(select(kind.table.c.code).distinct()).scalars())
    return reach.near(session, kind, name)
