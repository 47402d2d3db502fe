"""Prefixes as a tree, with how much of each is used."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, SQLModel

from inventory import ipam, ipam_space
from inventory.addressing import Span
from inventory.ipam_overlap import table
from inventory.ipam_space import Block, Interval, Use
from inventory.models import Agency, Place
from inventory.models_ipam import Address, IpRange, Prefix, Vlan, Vrf

Table = tuple[int | None, int]  # a routing table's VRF, and the family
ANY: int | None = -1  # every routing table


def tree(session: Session, within: Span | None = None, vrf: int | None = ANY) -> list[dict[str, Any]]:
    """Return the prefixes in tree order, each with `depth`, `parent`, and how much of it is used.

    `within`: only those in this prefix, which need not be recorded. Three queries, however many they are.
    """
    found = ipam.blocks(session, *_where(Prefix, within, vrf))
    placed = ipam_space.nested(found)
    own: defaultdict[int, list[Interval]] = defaultdict(list)
    for block, parent in placed:
        if parent >= 0:
            own[parent].append(block.span)
    points = _points(session, within, vrf)
    spans = _ranges(session, within, vrf)
    said = words(session, *_where(Prefix, within, vrf))
    depths: list[int] = []
    rows = []
    for index, (block, parent) in enumerate(placed):
        depths.append(depths[parent] + 1 if parent >= 0 else 0)
        key = block.vrf_id, block.family
        use = ipam_space.use(block, own[index], spans[key], points[key])
        above = placed[parent][0].name if parent >= 0 else None
        rows.append(row(block, use, depths[index], above, len(own[index])) | said[block.id])
    return rows


def row(block: Block, use: Use, depth: int, parent: str | None, children: int) -> dict[str, Any]:
    """Return a prefix as the commands tell it; the keys are stable. Sizes are in addresses."""
    return {
        "name": block.name,
        "prefix": block.cidr,
        "depth": depth,
        "parent": parent,
        "status": block.status,
        "pool": block.pool,
        "usable": use.usable,
        "used": use.used,
        "free": use.free,
        "used_pct": use.pct,
        "children": children,
    }


def _where(model: Any, within: Span | None, vrf: int | None) -> list[Any]:
    c = table(model).c
    where = [] if vrf == ANY else [c.vrf_id.is_(None) if vrf is None else c.vrf_id == vrf]
    if within is not None:
        where += [c.family == within.family, c.first >= within.first, c.first <= within.last]
    if within is not None and model is Prefix:
        where.append(c.length >= within.length)
    return where


def _points(session: Session, within: Span | None, vrf: int | None) -> Mapping[Table, Sequence[int]]:
    """Return the recorded addresses of each table, in order."""
    c = table(Address).c
    query = select(c.vrf_id, c.family, c.first).where(*_where(Address, within, vrf))
    found: defaultdict[Table, list[int]] = defaultdict(list)
    for of, family, first in session.execute(query.order_by(c.vrf_id, c.family, c.first)):
        found[of, family].append(int(first, 16))
    return found


def _ranges(session: Session, within: Span | None, vrf: int | None) -> Mapping[Table, Sequence[Interval]]:
    """Return what ranges cover of each table, merged."""
    c = table(IpRange).c
    where = _where(IpRange, None, vrf)
    if within is not None:
        where += [c.family == within.family, c.first <= within.last, c.last >= within.first]
    found: defaultdict[Table, list[Interval]] = defaultdict(list)
    for of, family, first, last in session.execute(select(c.vrf_id, c.family, c.first, c.last).where(*where)):
        found[of, family].append((int(first, 16), int(last, 16)))
    return defaultdict(list, {key: ipam_space.merged(spans) for key, spans in found.items()})


def words(session: Session, *where: ColumnElement[bool]) -> dict[int, dict[str, Any]]:
    """Return id → what the prefixes are for: the role, and by name what they refer to."""
    c = table(Prefix).c
    named: dict[str, tuple[type[SQLModel], Any]] = {
        "vrf": (Vrf, c.vrf_id),
        "vlan": (Vlan, c.vlan_id),
        "place": (Place, c.place_id),
        "agency": (Agency, c.agency_id),
    }
    columns = [table(model).c.name.label(name) for name, (model, _) in named.items()]
    query = select(c.id, c.role, *columns).select_from(table(Prefix))
    for model, refers in named.values():
        query = query.join(table(model), table(model).c.id == refers, isouter=True)
    keys = ("role", *named)
    return {row[0]: dict(zip(keys, row[1:], strict=True)) for row in session.execute(query.where(*where))}
