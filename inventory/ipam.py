"""IPAM: what is recorded of prefixes, ranges and addresses, and what of a prefix is still free.

Where prefixes lie within each other is derived from their spans, never recorded. Of one prefix only what lies in
it is read, and of its addresses only those that are asked for.
"""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session

from inventory import addressing, ipam_space
from inventory.addressing import Span, digits
from inventory.ipam_overlap import table
from inventory.ipam_space import BITS, Block, Interval, Use
from inventory.models_ipam import Address, IpRange, Prefix, Vrf
from siaga.errors import NotFoundError, UsageError

GAPS_AT_ONCE = 128  # as many conditions in one query
_ROWS_AT_ONCE = 2000


def span(text: str, vrf: str = "") -> tuple[Span, str]:
    """Read PREFIX or 'PREFIX VRF' as typed by a person; raises UsageError (`bad-prefix`)."""
    plain, _, named = text.strip().partition(" ")
    if vrf and named.strip() not in ("", vrf):
        raise UsageError("bad-prefix", f"'{text}' names another VRF than --vrf {vrf}.")
    try:
        return addressing.cidr(plain), vrf or named.strip()
    except ValueError as error:
        raise UsageError("bad-prefix", f"The prefix {error}.") from None


def vrf_id(session: Session, name: str) -> int | None:
    """Return the id of a VRF, None for the global table (''); raises NotFoundError (`no-such-vrf`)."""
    if not name:
        return None
    c = table(Vrf).c
    known = {label: i for i, label in session.execute(select(c.id, c.name))}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise NotFoundError("no-such-vrf", f"No VRF is called '{name}'.{hint}")
    return int(known[name])


def find(session: Session, text: str, vrf: str = "") -> Block:
    """Return the recorded prefix that a person means.

    Raises UsageError (`bad-prefix`), NotFoundError (`no-such-vrf`, `no-such-prefix`) with the nearest there is.
    """
    where, named = span(text, vrf)
    own = vrf_id(session, named)
    found = blocks(session, table(Prefix).c.name == f"{where.text} {named}".strip())
    if found:
        return found[0]
    raise NotFoundError(
        "no-such-prefix", f"No prefix {where.text} is recorded{_nearest(session, where, own)}"
    )


def _nearest(session: Session, where: Span, own: int | None) -> str:
    """Return the end of the sentence that there is no such prefix: where it is, or would lie."""
    c = table(Prefix).c
    elsewhere = blocks(session, c.name.startswith(f"{where.text} "))
    if own is None and elsewhere:
        return f" in the global table; it is in VRF {elsewhere[0].name.partition(' ')[2]}: add --vrf."
    around = around_span(session, own, where.family, int(where.first, 16), int(where.last, 16))
    if around:
        return f"; the smallest around it is {around[-1].name}."
    return ": siaga prefix add records one."


def blocks(session: Session, *where: ColumnElement[bool]) -> list[Block]:
    """Return recorded prefixes, the widest before what lies in it."""
    c = table(Prefix).c
    columns = (c.id, c.name, c.vrf_id, c.family, c.first, c.last, c.length, c.status, c.pool)
    rows = session.execute(select(*columns).where(*where).order_by(c.vrf_id, c.family, c.first, c.length))
    return [
        Block(i, name, vrf, family, int(first, 16), int(last, 16), length, status, pool)
        for i, name, vrf, family, first, last, length, status, pool in rows
    ]


def inside(model: Any, vrf: int | None, family: int, interval: Interval) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a row's first address lies in an interval of a table."""
    c = table(model).c
    low, high = digits(interval[0]), digits(interval[1])
    same = c.vrf_id.is_(None) if vrf is None else c.vrf_id == vrf
    return same, c.family == family, c.first >= low, c.first <= high


def around_span(session: Session, vrf: int | None, family: int, first: int, last: int) -> list[Block]:
    """Return the prefixes around a span, the widest first; one of just that span is among them."""
    above = inside(Prefix, vrf, family, (0, first))
    return blocks(session, *above, table(Prefix).c.last >= digits(last))


def children(session: Session, block: Block) -> list[Block]:
    """Return all prefixes within a prefix."""
    within = inside(Prefix, block.vrf_id, block.family, block.span)
    return blocks(session, *within, table(Prefix).c.length > block.length)


def ranges(session: Session, vrf: int | None, family: int, interval: Interval) -> list[Interval]:
    """Return the recorded ranges that touch an interval; whatever their status, their addresses are spoken for."""
    c = table(IpRange).c
    touching = (*inside(IpRange, vrf, family, (0, interval[1])), c.last >= digits(interval[0]))
    return [(int(a, 16), int(b, 16)) for a, b in session.execute(select(c.first, c.last).where(*touching))]


def covers(session: Session, block: Block) -> list[Interval]:
    """Return what of a prefix is its children's and its ranges', in order."""
    spans = [c.span for c in children(session, block)]
    spans += ranges(session, block.vrf_id, block.family, block.span)
    return ipam_space.merged(ipam_space.clipped(spans, ipam_space.usable(block)))


def free(session: Session, block: Block, step: int = 1) -> Iterator[Interval]:
    """Yield the free intervals of a prefix, in order, where neither child, range nor address is recorded.

    Gaps between children that hold no aligned block of `step` addresses are not looked into.
    """
    wide = (
        gap
        for gap in ipam_space.gaps(ipam_space.usable(block), covers(session, block))
        if ipam_space.fits(gap, step)
    )
    for some in ipam_space.growing(wide, GAPS_AT_ONCE):
        yield from ipam_space.cut(some, _points(session, block, some))


def _points(session: Session, block: Block, within: Sequence[Interval]) -> Iterator[int]:
    """Yield the recorded addresses within some intervals of a prefix, in order, read only as far as asked."""
    c = table(Address).c
    query = select(c.first).where(*inside(Address, block.vrf_id, block.family, (within[0][0], within[-1][1])))
    if len(within) > 1:
        query = query.where(or_(*(and_(c.first >= digits(a), c.first <= digits(b)) for a, b in within)))
    result = session.execute(
        query.order_by(c.first), execution_options={"yield_per": _ROWS_AT_ONCE}
    ).scalars()
    try:
        for first in result:
            yield int(first, 16)
    finally:
        result.close()


def use(session: Session, block: Block) -> Use:
    """Return how much of one prefix is given away, counted by the database."""
    usable = ipam_space.usable(block)
    if block.status == "container":
        return ipam_space.use(block, [c.span for c in children(session, block)], (), ())
    covered = covers(session, block)
    singly = _count(session, block, [usable])
    for start in range(0, len(covered), GAPS_AT_ONCE):
        singly -= _count(session, block, covered[start : start + GAPS_AT_ONCE])
    return Use(ipam_space.size(usable), sum(map(ipam_space.size, covered)) + singly)


def _count(session: Session, block: Block, within: Sequence[Interval]) -> int:
    each = (and_(*inside(Address, block.vrf_id, block.family, interval)) for interval in within)
    query = select(func.count()).select_from(table(Address)).where(or_(*each))
    return int(session.execute(query).scalar_one())


def step(block: Block, length: int) -> int:
    """Return how many addresses a prefix of `length` has, in the family of `block`."""
    return int(1 << (BITS[block.family] - length))
