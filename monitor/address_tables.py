"""A device's own addresses (IP-MIB, RFC 4293 and 2011), and addresses in the indexes of its tables. Pure."""

import ipaddress
from collections.abc import Iterator

from monitor.observation import Ipv4
from monitor.tables import Oid, Tables, Value, oid

OWN = oid("1.3.6.1.2.1.4.34.1.3")  # ipAddressIfIndex; index: InetAddressType, InetAddress
OWN_PREFIX = oid("1.3.6.1.2.1.4.34.1.5")  # ipAddressPrefix: a pointer whose last number is the length
OWN_V4 = oid("1.3.6.1.2.1.4.20.1.2")  # ipAdEntIfIndex; index: IpAddress
OWN_MASK = oid("1.3.6.1.2.1.4.20.1.3")  # ipAdEntNetMask
OWN_COLUMNS, OWN_V4_COLUMNS = (OWN, OWN_PREFIX), (OWN_V4, OWN_MASK)
_V4, _V6, _V4_ZONE, _V6_ZONE = 1, 2, 3, 4  # InetAddressType (RFC 4001); with a zone, four octets more follow
_OCTETS = {_V4: 4, _V6: 16, _V4_ZONE: 4, _V6_ZONE: 16}
_AT_MOST = 4000


def ipv4(tables: Tables) -> tuple[Ipv4, ...]:
    """Return the device's own IPv4 addresses with their prefix lengths, each once."""
    found: dict[str, Ipv4] = {}
    masks, pointers = tables.column(OWN_MASK), tables.column(OWN_PREFIX)
    for index, port in tables.column(OWN_V4).items():
        # FortiOS puts a number of its own behind the address.
        if address := plain(index[:4], 4):
            _add(found, address, port, _mask(masks.get(index)))
    for index, port in tables.column(OWN).items():
        if (address := inet(index)) and ":" not in address:
            pointer = pointers.get(index)
            length = pointer[-1] if isinstance(pointer, tuple) and len(pointer) > 4 else None
            _add(found, address, port, length if length is not None and length <= 32 else None)
    return tuple(found.values())[:_AT_MOST]


def _add(found: dict[str, Ipv4], address: str, port: Value, length: int | None) -> None:
    if isinstance(port, int) and 0 < port < 2**31:
        found.setdefault(address, Ipv4(port, address, length))


def _mask(value: Value | None) -> int | None:
    """Return the length of a netmask; None if its ones are not in front."""
    if not isinstance(value, bytes) or len(value) != 4:
        return None
    bits = int.from_bytes(value)
    length = bits.bit_count()
    return length if bits == (2**32 - 1) ^ (2 ** (32 - length) - 1) else None


def own(tables: Tables) -> Iterator[tuple[int, str]]:
    """Yield (ifIndex, address) of the device's own addresses, of both families."""
    columns = ((inet(index), port) for index, port in tables.column(OWN).items())
    older = ((plain(index, 4), port) for index, port in tables.column(OWN_V4).items())
    for address, port in (*columns, *older):
        if address and isinstance(port, int) and 0 < port < 2**31:
            yield port, address


def inet(index: Oid) -> str:
    """Return the address in an index of InetAddressType and InetAddress, '' if it is none.

    The address has its length before it (RFC 2578, 7.7); a zone index behind it is cut off.
    """
    size = _OCTETS.get(index[0], 0) if index else 0
    whole = size + 4 if size and index[0] in (_V4_ZONE, _V6_ZONE) else size
    fits = size > 0 and len(index) == 2 + whole and index[1] == whole
    return plain(index[2 : 2 + size], size) if fits else ""


def plain(octets: Oid, size: int) -> str:
    if len(octets) != size or not all(0 <= octet < 256 for octet in octets):
        return ""
    return str(ipaddress.ip_address(bytes(octets)))
