"""What else is there, by what a device says: the addresses of its neighbours and next hops.

LLDP (IEEE 802.1AB) and CDP name management addresses, as does MikroTik's own table; ARP, routes (RFC 4292, RFC 4293),
OSPF (RFC 4750) and BGP (RFC 4273) name whom it speaks with. An address that a device names is no more than a hint:
whether it is asked is decided by the scope of the sweep.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from inventory.ipam_nodes import ordinary
from monitor import arp
from monitor.address_tables import OWN_V4, plain
from monitor.address_tables import own as own_addresses
from monitor.neighbour_tables import CDP, MIKROTIK
from monitor.snmp_agent import Agent
from monitor.tables import Oid, Tables, Value, oid

LLDP_ADDRESS = oid(
    "1.0.8802.1.1.2.1.4.2.1.4"
)  # index: TimeMark, local port, number, subtype, length, address
CDP_ADDRESS = (*CDP, 4)
MIKROTIK_ADDRESS = (*MIKROTIK, 2)
OSPF_NEIGHBOUR = oid("1.3.6.1.2.1.14.10.1.1")  # ospfNbrIpAddr
BGP_PEER = oid("1.3.6.1.2.1.15.3.1.7")  # bgpPeerRemoteAddr
ROUTES = oid("1.3.6.1.2.1.4.24.3.0")  # ipCidrRouteNumber
NEXT_HOP = oid("1.3.6.1.2.1.4.24.4.1.4")  # ipCidrRouteNextHop
OLD_NEXT_HOP = oid("1.3.6.1.2.1.4.21.1.7")  # ipRouteNextHop
_SIZES = {1: 4, 2: 16}  # AddressFamilyNumbers → octets
_ROUTES_AT_MOST = 2_000  # of a full table the next hops stand in ARP as well
_AT_MOST = 4_000


@dataclass(frozen=True)
class Named:
    """An address that a device named, and as what: lldp, cdp, mikrotik, arp, route, ospf, bgp."""

    address: str
    how: str


async def named(agent: Agent) -> tuple[Named, ...]:
    """Ask one device whom it knows; what it does not tell is not there."""
    seen: dict[Oid, Value] = {}
    for column in (LLDP_ADDRESS, CDP_ADDRESS, MIKROTIK_ADDRESS, OSPF_NEIGHBOUR, BGP_PEER, OWN_V4):
        await _walk(agent, seen, column)
    await _walk(agent, seen, *((*arp.PHYSICAL, part) for part in (4, 6, 7)))
    await _walk(agent, seen, *((*arp.MEDIA, part) for part in (2, 4)))
    seen.update((await agent.get([ROUTES])).seen)
    number = seen.get(ROUTES)
    if not isinstance(number, int) or number <= _ROUTES_AT_MOST:
        await _walk(agent, seen, NEXT_HOP if number else OLD_NEXT_HOP)
    tables = Tables(seen)
    own = {address for _, address in own_addresses(tables)}
    found = {n.address: n for n in _named(tables) if n.address not in own}
    return tuple(found.values())[:_AT_MOST]


async def _walk(agent: Agent, seen: dict[Oid, Value], *columns: Oid) -> None:
    seen.update((await agent.walk(columns)).seen)


def _named(tables: Tables) -> Iterator[Named]:
    """Yield whom the tables name, the surest first: an address named twice keeps the last."""
    for found, how in (
        ((s.address for s in arp.spotted(tables, None)), "arp"),
        (_octets(tables, NEXT_HOP), "route"),
        (_octets(tables, OLD_NEXT_HOP), "route"),
        (_octets(tables, BGP_PEER), "bgp"),
        (_octets(tables, OSPF_NEIGHBOUR), "ospf"),
        (_octets(tables, MIKROTIK_ADDRESS), "mikrotik"),
        (_octets(tables, CDP_ADDRESS), "cdp"),
        (_lldp(tables), "lldp"),
    ):
        yield from (Named(a, how) for a in found if a and _usual(a))


def _octets(tables: Tables, column: Oid) -> Iterator[str]:
    """Yield the addresses that are values of a column."""
    for value in tables.column(column).values():
        if isinstance(value, bytes) and len(value) in (4, 16):
            yield str(ipaddress.ip_address(value))


def _lldp(tables: Tables) -> Iterator[str]:
    """Yield the management addresses, which stand in the index; some agents leave out their length."""
    for index in tables.column(LLDP_ADDRESS):
        size = _SIZES.get(index[3]) if len(index) > 4 else None
        if size:
            rest = index[5:] if index[4] == size and len(index) == 5 + size else index[4:]
            yield plain(rest, size)


def _usual(address: str) -> bool:
    """Tell whether an address can be asked from here; loopback is another box in every box, but in a test bed."""
    return ordinary(address) or ipaddress.ip_address(address).is_loopback
