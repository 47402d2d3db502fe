"""Bridges: at which port and in which VLAN a switch learned a MAC, and which of its ports lead to another bridge.

Q-BRIDGE-MIB (RFC 4363) tells VLANs apart and is asked first; BRIDGE-MIB (RFC 4188) is asked where it says nothing.
Both number ports in their own way: dot1dBasePortIfIndex says which interface is meant. The first index of
dot1qTpFdbTable is a filtering database, not a VLAN; dot1qVlanFdbId says which VLANs learn into which, and an agent
without that table means the VLAN itself.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping

from inventory.ipam_ports import Learned
from monitor.snmp_agent import Agent, Answer
from monitor.tables import Oid, Tables, Value, as_name, host_mac, oid

Q_FDB = oid("1.3.6.1.2.1.17.7.1.2.2.1")  # dot1qTpFdbEntry; index: FdbId, MAC
D_FDB = oid("1.3.6.1.2.1.17.4.3.1")  # dot1dTpFdbEntry; index: MAC
BASE_PORT = oid("1.3.6.1.2.1.17.1.4.1.2")  # dot1dBasePortIfIndex; index: port
BASE_MAC = oid("1.3.6.1.2.1.17.1.1.0")  # dot1dBaseBridgeAddress
VLAN_FDB = oid("1.3.6.1.2.1.17.7.1.4.2.1.3")  # dot1qVlanFdbId; index: TimeMark, VLAN id
LLDP_IS = oid("1.0.8802.1.1.2.1.4.1.1.12")  # lldpRemSysCapEnabled; index: TimeMark, local port, number
LLDP_PORT = oid("1.0.8802.1.1.2.1.3.7.1.3")  # lldpLocPortId; index: local port
# mtxrNeighborInterfaceID; index: number. RouterOS gives no local port in LLDP's tables, but the same number in its own.
MIKROTIK_PORT = oid("1.3.6.1.4.1.14988.1.1.11.1.1.8")

_SELF = 4  # of dot1dTpFdbStatus: the bridge's own address
_LEARNED = (3, 5)  # learned, and set by management
# Bits of LldpSystemCapabilitiesMap, the first octet from its high end: bridge, wlanAccessPoint, router, telephone.
_BRIDGE, _ACCESS_POINT, _ROUTER, _TELEPHONE = 0x20, 0x10, 0x08, 0x04


async def steps(agent: Agent, seen: Mapping[Oid, Value]) -> AsyncGenerator[Answer, None]:
    """Ask for what a bridge learned; the caller puts each answer into `seen` before the next is asked."""
    yield await agent.walk([(*Q_FDB, part) for part in (2, 3)])
    if not Tables(seen).column((*Q_FDB, 2)):
        yield await agent.walk([(*D_FDB, part) for part in (2, 3)])
    if not used(Tables(seen)):
        return
    yield await agent.walk([BASE_PORT])
    yield await agent.get([BASE_MAC])
    yield await agent.walk([VLAN_FDB])
    yield await agent.walk([LLDP_IS])
    yield await agent.walk([LLDP_PORT])
    if any(len(index) == 1 or index[1:2] == (0,) for index in Tables(seen).column(LLDP_IS)):
        yield await agent.walk([MIKROTIK_PORT])


def used(tables: Tables) -> set[int]:
    """Return the interfaces (ifIndex) at which something was learned."""
    return {port for port, _, _ in _entries(tables)}


def learned(tables: Tables, device_id: int, names: Mapping[int, str]) -> list[Learned]:
    """Return what a bridge learned, each MAC at each port once; `names` are the interfaces' by ifIndex."""
    vlans: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for port, mac, several in _entries(tables):
        vlans[port, mac].update(several)
    onward = _onward(tables, names)
    return [
        Learned(mac, device_id, names.get(port) or str(port), _listed(several), port in onward)
        for (port, mac), several in vlans.items()
    ]


def own(tables: Tables) -> frozenset[str]:
    """Return the MACs that are the bridge's own."""
    found = {_mac(index[-6:]) for index in _of_status(tables, (_SELF,))}
    base = tables.seen.get(BASE_MAC)
    found.add(_mac(tuple(base)) if isinstance(base, bytes) else "")
    return frozenset(found - {""})


def _of_status(tables: Tables, wanted: tuple[int, ...]) -> Iterator[Oid]:
    for table in (Q_FDB, D_FDB):
        yield from (i for i, status in tables.column((*table, 3)).items() if status in wanted)


def _entries(tables: Tables) -> Iterator[tuple[int, str, frozenset[int]]]:
    """Yield (ifIndex, MAC, VLANs) of what was learned; an agent that gives no status means learned."""
    interfaces = {index[0]: port for index, port in tables.column(BASE_PORT).items() if len(index) == 1}
    of_fdb = _vlans(tables)
    for table, size in ((Q_FDB, 7), (D_FDB, 6)):
        statuses = tables.column((*table, 3))
        for index, port in tables.column((*table, 2)).items():
            mac = _mac(index[-6:]) if len(index) == size else ""
            interface = interfaces.get(port, None if interfaces else port) if isinstance(port, int) else None
            if mac and statuses.get(index, _LEARNED[0]) in _LEARNED and isinstance(interface, int):
                vlans = of_fdb.get(index[0], frozenset((index[0],))) if size == 7 else frozenset()
                if 0 < interface < 2**31:
                    yield interface, mac, vlans


def _vlans(tables: Tables) -> dict[int, frozenset[int]]:
    """Return filtering database → its VLANs. One that many VLANs share tells none of them apart."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for index, fdb in tables.column(VLAN_FDB).items():
        if len(index) == 2 and isinstance(fdb, int):
            found[fdb].add(index[1])
    return {fdb: frozenset(v) if len(v) == 1 else frozenset() for fdb, v in found.items()}


def _listed(vlans: set[int]) -> str:
    return ",".join(str(v) for v in sorted(vlans) if 0 < v < 4095)[:120]


def _mac(octets: Oid) -> str:
    """Return a host's MAC in an index; '' for none."""
    return host_mac(bytes(octets)) if all(0 <= octet < 256 for octet in octets) else ""


def _onward(tables: Tables, names: Mapping[int, str]) -> set[int]:
    """Return the interfaces behind which LLDP names a bridge or router; telephones and access points end there."""
    by_name = {name: index for index, name in names.items()}
    found = set()
    for index, value in tables.column(LLDP_IS).items():
        bits = _capabilities(value)
        if bits & (_BRIDGE | _ROUTER) and not bits & (_ACCESS_POINT | _TELEPHONE):
            own = tables.seen.get((*MIKROTIK_PORT, *index[-1:]))
            if len(index) == 3 and (index[1] or not isinstance(own, int)):
                found.add(_interface(tables, index[1], by_name))
            elif isinstance(own, int):
                found.add(own)
    return found


def _capabilities(value: Value) -> int:
    """Return LldpSystemCapabilitiesMap's first octet.

    RouterOS 6 gives the number that was in the frame, where bit 0 is the lowest, of some with its octets swapped.
    """
    if isinstance(value, int) and 0 <= value < 2**16:
        bits = value if value < 2**8 else value >> 8
        return int(f"{bits:08b}"[::-1], 2)
    return value[0] if isinstance(value, bytes) and value else 0


def _interface(tables: Tables, local: int, by_name: Mapping[str, int]) -> int:
    """Return the interface that LLDP numbers so: by the name it gives, else as a bridge port, else as ifIndex."""
    called = as_name(tables.seen.get((*LLDP_PORT, local)))
    if called in by_name:
        return by_name[called]
    port = tables.seen.get((*BASE_PORT, local))
    return port if isinstance(port, int) else local
