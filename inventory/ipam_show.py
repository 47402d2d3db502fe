"""One prefix or one address whole: what is around it, what is in it, whose it is, and when it was last seen."""

import ipaddress
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session

from inventory import addressing, ipam, ipam_space, ipam_tree
from inventory.addressing import digits
from inventory.ipam_overlap import table
from inventory.ipam_space import Block, Interval
from inventory.models import Agency, Device, Interface
from inventory.models_ipam import Address, IpRange, Node, Prefix
from siaga.errors import UsageError

SHOWN_AT_MOST = 300  # addresses of one prefix, sightings of one address


def prefix(session: Session, block: Block) -> dict[str, Any]:
    """Return one prefix: those around it, those right within it, its ranges, and the addresses that are its own."""
    around = ipam.around_span(session, block.vrf_id, block.family, *block.span)[:-1]
    below = ipam.children(session, block)
    within = [b for b, parent in ipam_space.nested(below) if parent < 0]
    parent = around[-1].name if around else None
    row = ipam_tree.row(block, ipam.use(session, block), len(around), parent, len(within))
    own = [] if block.status == "container" else _own(session, block, below)
    return {
        **row,
        **ipam_tree.words(session, table(Prefix).c.id == block.id)[block.id],
        "around": [b.name for b in around],
        "within": [b.name for b in within],
        "ranges": _ranges(session, block.vrf_id, block.family, block.span),
        "addresses": own[:SHOWN_AT_MOST],
        "more_addresses": len(own) > SHOWN_AT_MOST,
    }


def _ranges(session: Session, vrf_id: int | None, family: int, span: Interval) -> list[dict[str, Any]]:
    c = table(IpRange).c
    touching = ipam.inside(IpRange, vrf_id, family, (0, span[1]))
    query = select(c.name, c.status).where(*touching, c.last >= digits(span[0])).order_by(c.first)
    return [dict(row) for row in session.execute(query).mappings()]


def _own(session: Session, block: Block, below: list[Block]) -> list[dict[str, Any]]:
    """Return the addresses between the children, one more than are shown if there are more."""
    c = table(Address).c
    children = ipam_space.merged(b.span for b in below)
    found: list[dict[str, Any]] = []
    for some in ipam_space.growing(ipam_space.gaps(block.span, children), ipam.GAPS_AT_ONCE):
        here = or_(*(and_(*ipam.inside(Address, block.vrf_id, block.family, gap)) for gap in some))
        query = _addresses().where(here).order_by(c.first).limit(SHOWN_AT_MOST + 1 - len(found))
        found += [dict(row) for row in session.execute(query).mappings()]
        if len(found) > SHOWN_AT_MOST:
            break
    return found


def _addresses() -> Any:
    """Return the query of addresses as they are told: whose, and when last seen."""
    c, port, agency = table(Address).c, table(Interface), table(Agency)
    direct, behind = table(Device).alias("direct"), table(Device).alias("behind")
    device = func.coalesce(direct.c.name, behind.c.name).label("device")
    return (
        select(c.name, c.status, device, port.c.name.label("interface"), agency.c.name.label("agency"))
        .add_columns(c.dns_name, c.length, c.seen_at, c.seen_mac)
        .join(direct, direct.c.id == c.device_id, isouter=True)
        .join(port, port.c.id == c.interface_id, isouter=True)
        .join(behind, behind.c.id == port.c.device_id, isouter=True)
        .join(agency, agency.c.id == c.agency_id, isouter=True)
    )


def address(session: Session, text: str, vrf: str = "") -> dict[str, Any]:
    """Return one address: its record if it has one, the prefixes around it, who is managed at it, its sightings.

    Raises UsageError (`bad-prefix`) for what is no address, NotFoundError (`no-such-vrf`).
    """
    plain, _, named = text.strip().partition(" ")
    name = vrf or named.strip()
    try:
        where = addressing.address(plain)
    except ValueError as error:
        raise UsageError("bad-prefix", f"What to show {error}, or a prefix.") from None
    number = int(where.first, 16)
    own = ipam.vrf_id(session, name)
    around = ipam.around_span(session, own, where.family, number, number)
    query = _addresses().where(table(Address).c.name == f"{where.text} {name}".strip())
    recorded = [dict(row) for row in session.execute(query).mappings()]
    d = table(Device).c
    managed = session.execute(select(d.name).where(d.address == where.text).order_by(d.name)).scalars()
    return {
        "address": where.text,
        "vrf": name or None,
        "recorded": recorded[0] if recorded else None,
        "prefix": around[-1].name if around else None,
        "around": [b.name for b in around],
        "ranges": _ranges(session, own, where.family, (number, number)),
        "managed": list(managed)[:SHOWN_AT_MOST],
        "seen": _seen(session, where.text),
    }


def _seen(session: Session, text: str) -> list[dict[str, Any]]:
    n, seer, switch = table(Node).c, table(Device), table(Device).alias("switch")
    query = select(n.mac, seer.c.name.label("device"), n.port, n.source, n.first_seen, n.last_seen)
    query = query.add_columns(switch.c.name.label("switch"), n.switch_port, n.vlan, n.uplink)
    query = query.join(seer, seer.c.id == n.device_id, isouter=True)
    query = query.join(switch, switch.c.id == n.switch_id, isouter=True).where(n.address == text)
    return [
        dict(row)
        for row in session.execute(query.order_by(n.last_seen.desc()).limit(SHOWN_AT_MOST)).mappings()
    ]


def is_address(text: str) -> bool:
    """Return whether a person means one address and not a prefix."""
    try:
        ipaddress.ip_address(text.strip().partition(" ")[0])
    except ValueError:
        return False
    return True
