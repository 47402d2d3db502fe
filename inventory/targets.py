"""What hangs on a row: parts that only exist with it, and rows of any noun that name it (`target_noun`, `target`)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlmodel import Session

from inventory.keys import Keys
from inventory.nouns import Attribute, Noun, nouns
from inventory.store import in_parts

if TYPE_CHECKING:
    from inventory.writing import Writer

# A note, a document and a risk stay when their row is gone: they tell what happened.
_NAMING = ("contact", "dependency", "note", "evidence", "risk")
_HOLDING = ("contact", "dependency")
_TOLD = 5  # rows that are named, of those that refer to one
_MANY = 50  # rows that cannot go, of which each is told


def problems(keys: Keys, kind: Noun, typed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the row that these values name."""
    target, target_noun = typed.get("target"), typed.get("target_noun")
    if kind.name in _NAMING and target and target_noun and keys.find(target_noun, target) is None:
        yield "target", f"target refers to nothing: {keys.missing(target_noun, target)}"


def with_parts(session: Session, wanted: Mapping[str, Collection[int]]) -> dict[str, set[int]]:
    """Return noun → ids of these rows and of all that cannot be without them: interfaces, items of a handover."""
    going = {n: set(ids) for n, ids in wanted.items() if ids}
    new = {n: set(ids) for n, ids in going.items()}
    while new:
        found: dict[str, set[int]] = {}
        for name, ids in new.items():
            for other, attribute in _referring(nouns()[name]):
                if _is_part(other, attribute):
                    more = {i for i, _ in _that_refer(session, other, attribute, ids)}
                    found.setdefault(other.name, set()).update(more - going.get(other.name, set()))
        new = {n: ids for n, ids in found.items() if ids}
        for name, ids in new.items():
            going.setdefault(name, set()).update(ids)
    return going


def held(
    session: Session,
    keys: Keys,
    going: Mapping[str, set[int]],
    names: Mapping[str, Mapping[int, str]],
) -> Iterator[str]:
    """Yield a sentence for each of these rows (noun → ids) that others refer to, which stay."""
    left = _MANY
    for name, ids in going.items():
        kind = nouns()[name]
        by_row: dict[int, list[tuple[str, int]]] = {}
        for other_name, other_id, row_id in _holders(session, kind, ids, names[name]):
            if other_id not in going.get(other_name, ()):
                by_row.setdefault(row_id, []).append((other_name, other_id))
        for row_id, holders in list(by_row.items())[:left]:
            yield _sentence(keys, kind, names[name][row_id], holders)
        left -= min(left, len(by_row))


def _holders(
    session: Session, kind: Noun, ids: Collection[int], names: Mapping[int, str]
) -> Iterator[tuple[str, int, int]]:
    """Yield (noun, id) of the rows that refer to one of these, and its id."""
    seen = {(o.name, a.name) for o, a in seen_of(kind)}
    for other, attribute in _referring(kind):
        if not _is_part(other, attribute) and (other.name, attribute.name) not in seen:
            for other_id, row_id in _that_refer(session, other, attribute, ids):
                yield other.name, other_id, row_id
    called = {names[i]: i for i in ids}
    for name in _HOLDING:
        c = nouns()[name].table.c
        query = select(c.id, c.target).where(c.target_noun == kind.name)
        if len(called) == 1:
            query = query.where(c.target.in_(called))
        yield from ((name, i, called[target]) for i, target in session.execute(query) if target in called)


def _sentence(keys: Keys, kind: Noun, label: str, holders: Sequence[tuple[str, int]]) -> str:
    told = [f"{nouns()[n].words} '{keys.label(n, i)}'" for n, i in holders[:_TOLD]]
    more = f" and {len(holders) - _TOLD} more" if len(holders) > _TOLD else ""
    retire = (
        ", or set status=retired" if "retired" in getattr(kind.model, "CHOICES", {}).get("status", ()) else ""
    )
    advice = f"remove what refers to it or let it refer to another first{retire}"
    return f"{kind.words} '{label}' is still referred to by {', '.join(told)}{more}: {advice}"


def seen_of(kind: Noun) -> list[tuple[Noun, Attribute]]:
    """Return the nouns that siaga writes from what it observed, with their fields that refer to this noun."""
    return [(o, a) for o, a in _referring(kind) if o.seen and not a.custom]


def _referring(kind: Noun) -> Iterator[tuple[Noun, Attribute]]:
    for other in nouns().values():
        for attribute in other.attributes.values():
            if attribute.ref == kind.name:
                yield other, attribute


def _is_part(other: Noun, attribute: Attribute) -> bool:
    return attribute.required and not attribute.custom


def _that_refer(
    session: Session, other: Noun, attribute: Attribute, ids: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Yield the id of each row of `other` that refers to one of these, and the id that it refers to."""
    c = other.table.c
    column = c.custom[attribute.name].as_integer() if attribute.custom else c[attribute.column]
    for part in in_parts(ids):
        for row in session.execute(select(c.id, column).where(column.in_(part))):
            yield int(row[0]), int(row[1])


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
