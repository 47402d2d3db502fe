"""Overlap control: what of addresses is given twice. Asked before a transaction ends, and by `siaga ipam check`.

That an address, a range or a prefix stands once in its VRF is held by its unique name; a prefix within another
is its child, and two prefixes (CIDR) cannot overlap in part. What is left are ranges that overlap each other,
and addresses that are two devices'. The global table always enforces it, a VRF where `enforce_unique` says so.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlmodel import Session, SQLModel

from inventory.models import Device, Interface
from inventory.models_ipam import Address, IpRange, Vrf
from inventory.problems import Conflict

_FEW = 500


def table(model: type[SQLModel]) -> Any:
    """Return the SQLAlchemy table of a model: rows are read as columns, which is several times faster."""
    return model.__table__  # type: ignore[attr-defined]


def overlaps(session: Session, touched: Mapping[str, Collection[int]]) -> Iterator[Conflict]:
    """Yield what the touched rows (noun → ids) give twice."""
    if touched.get("ip_range"):
        for one, other in overlapping_ranges(session, set(touched["ip_range"])):
            yield Conflict(overlap(one, other), (("ip_range", one.name), ("ip_range", other.name)), "name")
    if touched.get("address"):
        for row in strangers(session, _among(table(Address).c.id, touched["address"])):
            yield Conflict(stranger(row), (("address", row.address),), "interface")
    if touched.get("address") or touched.get("device"):
        for row in contested(session, touched):
            yield Conflict(contest(row), (("address", row.address), ("device", row.other)))


def overlapping_ranges(session: Session, only: Collection[int] | None = None) -> Iterator[tuple[Any, Any]]:
    """Yield each two ranges of one table that overlap, and of which one is among `only`."""
    c, vrf = table(IpRange).c, table(Vrf).c
    query = select(c.id, c.name, c.vrf_id, c.family, c.first, c.last).join(
        table(Vrf), vrf.id == c.vrf_id, isouter=True
    )
    query = query.where(or_(c.vrf_id.is_(None), vrf.enforce_unique.is_(True)))
    rows = session.execute(query.order_by(c.vrf_id, c.family, c.first, c.last)).all()
    for one, other in _overlapping(rows):
        if only is None or one.id in only or other.id in only:
            yield one, other


def _overlapping(rows: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield (row, next row) that overlap; the rows come by table and first address."""
    before: Any = None
    for row in rows:
        alike = before is not None and (before.vrf_id, before.family) == (row.vrf_id, row.family)
        if alike and row.first <= before.last:
            yield before, row
        if not alike or row.last > before.last:
            before = row  # the one that reaches furthest


def strangers(session: Session, *where: Any) -> Iterable[Any]:
    """Return (address, its device, its interface's device) where the last two are not the same."""
    c, port = table(Address).c, table(Interface).c
    named, other = table(Device).alias("named"), table(Device).alias("other")
    query: Select[Any] = (
        select(c.name.label("address"), named.c.name.label("one"), other.c.name.label("other"))
        .join(named, named.c.id == c.device_id)
        .join(table(Interface), port.id == c.interface_id)
        .join(other, other.c.id == port.device_id)
        .where(named.c.id != other.c.id, *where)
    )
    return session.execute(query.order_by(c.first))


def contested(session: Session, touched: Mapping[str, Collection[int]] | None = None) -> Iterable[Any]:
    """Return (address, device it is given to, active device that is managed at it) where these are not the same.

    Only the global table is meant: that is where siaga itself speaks to devices.
    """
    c, port = table(Address).c, table(Interface).c
    owner, managed = table(Device).alias("owner"), table(Device).alias("managed")
    query: Select[Any] = (
        select(c.name.label("address"), owner.c.name.label("one"), managed.c.name.label("other"))
        .join(table(Interface), port.id == c.interface_id, isouter=True)
        .join(owner, owner.c.id == func.coalesce(c.device_id, port.device_id))
        .join(managed, and_(managed.c.address == c.name, managed.c.id != owner.c.id))
        .where(c.vrf_id.is_(None), managed.c.status == "active", ~_loopback(c))
    )
    if touched is not None:
        mine = _among(c.id, touched.get("address", ()))
        query = query.where(or_(mine, _among(managed.c.id, touched.get("device", ()))))
    return session.execute(query.order_by(c.first))


def _loopback(c: Any) -> Any:
    """Tell whether an address never leaves its host (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3): it is everybody's."""
    return or_(and_(c.family == 4, c.first.like("_" * 24 + "7f%")), c.first == f"{1:032x}")


def _among(column: Any, ids: Collection[int]) -> Any:
    """Return the condition that a row is among `ids`; so many that a database refuses to list them are all."""
    return column.in_(ids) if len(ids) <= _FEW else column.is_not(None)


def overlap(one: Any, other: Any) -> str:
    """Return the sentence for a pair of `overlapping_ranges`."""
    return f"the ranges {one.name} and {other.name} overlap"


def stranger(row: Any) -> str:
    """Return the sentence for a row of `strangers`."""
    return f"the address {row.address} is given to {row.one}, and its interface is {row.other}'s"


def contest(row: Any) -> str:
    """Return the sentence for a row of `contested`."""
    return f"the address {row.address} is given to {row.one}, and {row.other} is managed at it"
