"""What a selector reaches besides fields: all below a row, all inside a prefix, interfaces by their whole name."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, tuple_
from sqlmodel import Session

from inventory import addressing
from inventory.keys import nearest
from inventory.nouns import Noun, noun
from inventory.store import in_parts, labels

NOUNS = frozenset({"device", "address", "prefix", "ip_range", "node"})


def below(session: Session, kind: Noun, names: Sequence[str]) -> list[int]:
    """Return the ids of the rows called so and of all below them, by `parent`."""
    c = kind.table.c
    children: dict[int | None, list[int]] = {}
    found: list[int] = []
    for row_id, parent, name in session.execute(select(c.id, c.parent_id, c.name)):
        children.setdefault(parent, []).append(row_id)
        if name in names:
            found.append(row_id)
    seen: dict[int, None] = {}
    while found:
        at = found.pop()
        if at not in seen:
            seen[at] = None
            found += children.get(at, [])
    return list(seen)


def within(session: Session, kind: Noun, table: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a row lies inside a prefix; raises ValueError."""
    span = addressing.cidr(text)
    if "first" in kind.attributes:
        last = table.c.last if "last" in kind.attributes else table.c.first
        return and_(table.c.family == span.family, table.c.first >= span.first, last <= span.last)
    return listed(table.c.id, _inside(session, kind, text))


def _inside(session: Session, kind: Noun, text: str) -> list[int]:
    import ipaddress

    network = ipaddress.ip_network(text.strip())
    c = kind.table.c
    rows = session.execute(select(c.id, c.address).where(c.address != ""))
    return [row_id for row_id, address in rows if addressing.within(address, network)]


def listed(column: Any, ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of many ids."""
    return or_(false(), *(column.in_(part) for part in in_parts(ids)))


def interfaces(session: Session, names: Sequence[str]) -> list[int]:
    """Return the ids of the interfaces called device:interface."""
    own, device = noun("interface").table, noun("device").table
    pairs = [tuple(n.split(":", 1)) for n in names if ":" in n]
    query = select(own.c.id).join(device, device.c.id == own.c.device_id)
    return list(session.execute(query.where(tuple_(device.c.name, own.c.name).in_(pairs))).scalars())


def missing(session: Session, kind: Noun, names: Sequence[str]) -> list[str]:
    """Return those of these names that no row has."""
    if not names:
        return []
    if kind.name == "interface":
        whole = [n for n in names if ":" in n]
        known = set(labels(session, "interface", interfaces(session, whole)).values()) if whole else set()
        plain = [n for n in names if ":" not in n]
        c = kind.table.c
        known |= set(session.execute(select(c.name).where(c.name.in_(plain)).distinct()).scalars())
        return [n for n in names if n not in known]
    c = kind.table.c
    known = set(session.execute(select(c.name).where(c.name.in_(names))).scalars())
    return [n for n in names if n not in known]


def near(session: Session, kind: Noun, name: str) -> str:
    """Return the name there is that is most like this one, or ''."""
    return nearest(name, session.execute(select(kind.table.c.name).distinct()).scalars())
