"""What hangs on a row: parts that only exist with it, and rows of any noun that name it (`target_noun`, `target`)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlmodel import Session

from inventory.keys import Keys
from inventory.nouns import Noun, nouns

if TYPE_CHECKING:
    from inventory.writing import Writer

# A note stays when its row is gone: it tells what happened.
_NAMING = ("contact", "dependency", "note")


def problems(keys: Keys, kind: Noun, typed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the row that these values name."""
    target, target_noun = typed.get("target"), typed.get("target_noun")
    if kind.name in _NAMING and target and target_noun and keys.find(target_noun, target) is None:
        yield "target", f"target refers to nothing: {keys.missing(target_noun, target)}"


def parts(session: Session, kind: Noun, row_id: int) -> list[tuple[str, int]]:
    """Return (noun, id) of the rows that cannot be without this one: interfaces of a device, items of a handover."""
    found = []
    for other in nouns().values():
        for attribute in other.attributes.values():
            if attribute.ref == kind.name and attribute.required and not attribute.custom:
                query = select(other.table.c.id).where(other.table.c[attribute.column] == row_id)
                found += [(other.name, i) for i in session.execute(query).scalars()]
    return found


def held(session: Session, keys: Keys, kind: Noun, row_id: int, label: str) -> str:
    """Return in words which row still refers to this one, or ''."""
    for other in nouns().values():
        for attribute in other.attributes.values():
            if attribute.ref != kind.name or (attribute.required and not attribute.custom):
                continue
            table = other.table
            column = (
                table.c.custom[attribute.name].as_integer() if attribute.custom else table.c[attribute.column]
            )
            ids = list(
                session.execute(select(table.c.id).where(column == row_id, table.c.id != -1)).scalars()
            )
            ids = [i for i in ids if (other.name, i) != (kind.name, row_id)]
            if ids:
                return _told(keys, other, ids)
    for name in ("contact", "dependency"):
        table = nouns()[name].table
        query = select(table.c.id).where(table.c.target_noun == kind.name, table.c.target == label)
        ids = list(session.execute(query).scalars())
        if ids:
            return _told(keys, nouns()[name], ids)
    return ""


def _told(keys: Keys, other: Noun, ids: list[int]) -> str:
    more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
    return f"{other.words} '{keys.label(other.name, ids[0])}'{more}"


def follow(writer: "Writer", kind: Noun, row_id: int, old: str, new: str) -> None:
    """Carry a new name to the rows that name this one, and to addresses that stand in this VRF."""
    for name in _NAMING:
        table = nouns()[name].table
        query = select(table.c.id).where(table.c.target_noun == kind.name, table.c.target == old)
        for other_id in list(writer.session.execute(query).scalars()):
            writer.set(name, other_id, {"target_noun": kind.name, "target": new})
    if kind.name == "vrf":
        for name in ("prefix", "ip_range", "address"):
            table = nouns()[name].table
            there = select(table.c.id, table.c.name).where(table.c.vrf_id == row_id)
            for other_id, label in list(writer.session.execute(there)):
                writer.set(name, other_id, {"name": f"{label.partition(' ')[0]} {new}"})


def count(session: Session, name: str) -> int:
    """Return how many rows a noun has."""
    return int(session.execute(select(func.count()).select_from(nouns()[name].table)).scalar_one())
