"""Takes out of a recording what is nobody else's business, before it leaves the house. Pure.

Whole tables that hold users, communities, other hosts' addresses or names are left out; names of people, places and
ports, serial numbers and the device part of MACs become stand-ins of the same form, the same one everywhere.
"""

import hashlib
import re
from collections.abc import Mapping

from monitor.tables import Oid, Value, oid

# Left out whole: what is in them is about others, or is secret.
DROPPED = tuple(
    map(
        oid,
        (
            "1.3.6.1.6.3.12",  # SNMP-TARGET-MIB
            "1.3.6.1.6.3.13",  # SNMP-NOTIFICATION-MIB
            "1.3.6.1.6.3.15",  # SNMP-USER-BASED-SM-MIB
            "1.3.6.1.6.3.16",  # SNMP-VIEW-BASED-ACM-MIB
            "1.3.6.1.6.3.18",  # SNMP-COMMUNITY-MIB
            "1.3.6.1.2.1.3",  # atTable
            "1.3.6.1.2.1.4.21",  # ipRouteTable
            "1.3.6.1.2.1.4.22",  # ipNetToMediaTable
            "1.3.6.1.2.1.4.24",  # IP-FORWARD-MIB
            "1.3.6.1.2.1.4.35",  # ipNetToPhysicalTable
            "1.3.6.1.2.1.6.13",  # tcpConnTable
            "1.3.6.1.2.1.6.19",  # tcpConnectionTable
            "1.3.6.1.2.1.7.5",  # udpTable
            "1.3.6.1.2.1.7.7",  # udpEndpointTable
            "1.3.6.1.2.1.17.4.3",  # dot1dTpFdbTable
            "1.3.6.1.2.1.17.7.1.2",  # dot1qTpFdbTable
            "1.3.6.1.2.1.25.4",  # hrSWRunTable: command lines
            "1.3.6.1.2.1.25.6",  # hrSWInstalledTable
            "1.0.8802.1.1.2.1.4",  # LLDP, the remote systems
            "1.3.6.1.4.1.9.9.23.1.2",  # CDP cache
            "1.3.6.1.4.1.14988.1.1.11",  # MikroTik neighbours
            "1.3.6.1.4.1.14988.1.1.1.2",  # MikroTik wireless registrations
            "1.3.6.1.4.1.2021.8",  # UCD extTable: commands and their output
            "1.3.6.1.4.1.8072.1.3",  # NET-SNMP-EXTEND-MIB
            "1.3.6.1.4.1.77.1.2.25",  # LAN manager: user names
        ),
    )
)
_NAMES = tuple(map(oid, ("1.3.6.1.2.1.1.4", "1.3.6.1.2.1.1.5", "1.3.6.1.2.1.1.6", "1.3.6.1.2.1.31.1.1.1.18")))
_SERIALS = (oid("1.3.6.1.2.1.47.1.1.1.1.11"), oid("1.3.6.1.2.1.43.5.1.1.17"))
_MAC_TEXT = re.compile(rb"\b([0-9A-Fa-f]{2}([:-]?))(?:[0-9A-Fa-f]{2}\2){4}[0-9A-Fa-f]{2}\b")
_IPV4 = re.compile(rb"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_SECRET = re.compile(rb"(?i)(pass(?:word|wd)?|secret|community|psk|key)(\s*[:=]\s*)\S+")


def masked(seen: Mapping[Oid, Value], *, serials: tuple[Oid, ...] = ()) -> dict[Oid, Value]:
    """Return the recording without secrets and names; `serials`: more instances that hold serial numbers."""
    kept = {o: v for o, v in seen.items() if not any(o[: len(d)] == d for d in DROPPED)}
    words = _words(kept, serials)
    return {o: _masked(v, words) for o, v in kept.items()}


def _words(seen: Mapping[Oid, Value], serials: tuple[Oid, ...]) -> dict[bytes, bytes]:
    """Return what must not appear, longest first, with its stand-in."""
    found: dict[bytes, bytes] = {}
    for name, value in seen.items():
        if not isinstance(value, bytes) or len(value.strip(b"\0 ")) < 3:
            continue
        own = any(name[: len(n)] == n for n in _NAMES)
        serial = name in serials or any(name[: len(s)] == s for s in _SERIALS)
        if own or serial:
            found[value] = _stand_in(value, digits=serial)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _stand_in(value: bytes, *, digits: bool) -> bytes:
    """Return a word of the same form; of a serial number letters stay letters and digits digits."""
    mark = hashlib.sha256(value).digest()
    if not digits:
        return b"name-" + mark.hex()[:6].encode()
    spun = (mark * (len(value) // len(mark) + 1))[: len(value)]
    return bytes(_spun(octet, by) for octet, by in zip(value, spun, strict=True))


def _spun(octet: int, by: int) -> int:
    for first, size in ((0x30, 10), (0x41, 26), (0x61, 26)):
        if first <= octet < first + size:
            return first + by % size
    return octet


def _masked(value: Value, words: Mapping[bytes, bytes]) -> Value:
    if not isinstance(value, bytes):
        return value
    if len(value) == 6 and not value.isascii():
        return value[:3] + hashlib.sha256(value).digest()[:3]
    for word, stand_in in words.items():
        value = value.replace(word, stand_in)
    value = _SECRET.sub(rb"\1\2***", value)
    value = _MAC_TEXT.sub(lambda m: _mac(m[0]), value)
    return _IPV4.sub(lambda m: _address(m[0]), value)


def _mac(text: bytes) -> bytes:
    return text[: len(text) // 2] + _stand_in(text[len(text) // 2 :].upper(), digits=True)


def _address(text: bytes) -> bytes:
    """Return an address of the documentation's net (RFC 5737) for one that may be an address; versions stay."""
    octets = [int(part) for part in text.split(b".")]
    private = octets[0] in (10, 127, 172, 192, 169, 100) and all(o < 256 for o in octets)
    return b"192.0.2.%d" % (hashlib.sha256(text).digest()[0]) if private else text
