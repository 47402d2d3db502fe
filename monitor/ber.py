"""The BER that siaga accepts: one strict specification, its reference decoder, and the encoder of requests.

Every faster parser must agree with this one, on acceptance and on values (tests/monitor/test_ber.py).

What is accepted (X.690 as RFC 3417, section 8 restricts it; what is wider than X.690 says why):

- Lengths are definite, of at most four octets; more octets than needed are allowed (RFC 3417, 8 (1)).
- SEQUENCE and PDUs are constructed, all else is primitive; an element fills exactly what it says, nothing follows
  the last one.
- INTEGER is signed, of one to eight octets; the fields of messages have their own bounds. Counter32, Gauge32 and
  TimeTicks are unsigned below 2^32, Counter64 below 2^64. Integers need not be minimal within their width: agents
  exist that send every number in four or eight octets, and Counter32 above 2^31 without the leading zero.
- OBJECT IDENTIFIER has at most 128 arcs below 2^32, each minimal. Of no octets it is 0.0, as net-snmp's agents write.
- OCTET STRING and Opaque are of any length that fits a datagram, IpAddress has four octets.
- NULL, noSuchObject, noSuchInstance and endOfMibView are empty.
"""

from dataclasses import dataclass
from typing import Final

from monitor.tables import IpAddress, Oid, Value

SEQUENCE, INTEGER, OCTETS, NULL, OBJECT_ID = 0x30, 0x02, 0x04, 0x05, 0x06
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = 0x80, 0x81, 0x82
GET, GETNEXT, RESPONSE, GETBULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA5, 0xA8
PDUS: Final = frozenset((GET, GETNEXT, RESPONSE, GETBULK, REPORT))
MOST_ARCS = 128
INT31 = 2**31 - 1

_ABSENT: Final = frozenset((NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW))
_UNSIGNED: Final = {COUNTER32: 4, GAUGE32: 4, TIME_TICKS: 4, COUNTER64: 8}

Varbind = tuple[Oid, Value | None]


class Malformed(ValueError):  # noqa: N818 - what a datagram is, not an error of the program
    """The octets are not what this specification accepts."""


@dataclass(frozen=True, slots=True)
class Head:
    """A PDU without its varbinds, whose list lies in [start, end) of the same buffer."""

    kind: int
    number: int
    status: int
    index: int
    start: int
    end: int


def element(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return (tag, start, end of its content) of the element at `at`; raises Malformed."""
    if at + 2 > end:
        raise Malformed("an element is cut off")
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4 or at + octets > end:
            raise Malformed("a length is indefinite, too wide or cut off")
        size = int.from_bytes(data[at : at + octets], "big")
        at += octets
    if size > end - at:
        raise Malformed("an element reaches beyond what holds it")
    return tag, at, at + size


def inside(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return (start, end) of the content of the element of this tag at `at`; raises Malformed."""
    found, start, stop = element(data, at, end)
    if found != tag:
        raise Malformed("an element has another tag")
    return start, stop


def whole(data: bytes, at: int, end: int, tag: int) -> int:
    """Return where the content of the one element begins that fills [at, end); raises Malformed."""
    start, stop = inside(data, at, end, tag)
    if stop != end:
        raise Malformed("something follows the last element")
    return start


def small(data: bytes, at: int, end: int, least: int = 0, most: int = INT31) -> tuple[int, int]:
    """Return (an INTEGER of a message's fields, where it ends); raises Malformed."""
    start, stop = inside(data, at, end, INTEGER)
    if not 1 <= stop - start <= 4:
        raise Malformed("an INTEGER field has no or more than four octets")
    number = int.from_bytes(data[start:stop], "big", signed=True)
    if not least <= number <= most:
        raise Malformed("an INTEGER field is out of its bounds")
    return number, stop


def octets(data: bytes, at: int, end: int, least: int = 0, most: int = 65535) -> tuple[bytes, int]:
    """Return (an OCTET STRING of a message's fields, where it ends); raises Malformed."""
    start, stop = inside(data, at, end, OCTETS)
    if not least <= stop - start <= most:
        raise Malformed("an OCTET STRING field is out of its bounds")
    return data[start:stop], stop


def head(data: bytes, at: int, end: int) -> Head:
    """Return the head of the PDU that fills [at, end); its varbinds are not looked at. Raises Malformed."""
    kind, at, stop = element(data, at, end)
    if kind not in PDUS or stop != end:
        raise Malformed("no PDU, or something follows it")
    number, at = small(data, at, end, -(2**31))
    status, at = small(data, at, end)
    index, at = small(data, at, end)
    return Head(kind, number, status, index, whole(data, at, end, SEQUENCE), end)


def varbinds(data: bytes, at: int, end: int) -> list[Varbind]:
    """Return the varbinds that fill [at, end); None stands for NULL and the exceptions. Raises Malformed."""
    found: list[Varbind] = []
    while at < end:
        start, stop = inside(data, at, end, SEQUENCE)
        name, middle = inside(data, start, stop, OBJECT_ID)
        tag, begin, at = element(data, middle, stop)
        if at != stop:
            raise Malformed("something follows the value of a varbind")
        found.append((object_id(data[name:middle]), value(tag, data[begin:at])))
    return found


def kinds(data: bytes, at: int, end: int) -> list[tuple[int, int]]:
    """Return the tags of the values of good varbinds, and how many octets each has. Raises Malformed."""
    found = []
    while at < end:
        start, stop = inside(data, at, end, SEQUENCE)
        _, middle = inside(data, start, stop, OBJECT_ID)
        tag, begin, at = element(data, middle, stop)
        found.append((tag, at - begin))
    return found


def value(tag: int, content: bytes) -> Value | None:
    """Return the value of a varbind; None stands for NULL and the exceptions. Raises Malformed."""
    if tag in _UNSIGNED:
        return _unsigned(content, _UNSIGNED[tag])
    if tag == INTEGER:
        if not 1 <= len(content) <= 8:
            raise Malformed("an INTEGER has no or more than eight octets")
        return int.from_bytes(content, "big", signed=True)
    if tag in (OCTETS, OPAQUE):
        return content
    if tag == OBJECT_ID:
        return object_id(content)
    if tag == IP_ADDRESS and len(content) == 4:
        return IpAddress(content)
    if tag in _ABSENT and not content:
        return None
    raise Malformed("a value is of no type that SNMP has")


def _unsigned(content: bytes, width: int) -> int:
    size = len(content)
    if not 1 <= size <= width + 1 or (size > width and content[0]):
        raise Malformed("an unsigned number is out of its bounds")
    return int.from_bytes(content, "big")


def object_id(content: bytes) -> Oid:
    """Return the arcs of an OBJECT IDENTIFIER; raises Malformed."""
    if not content:
        return (0, 0)
    arcs: list[int] = []
    arc = 0
    for octet in content:
        if octet == 0x80 and not arc:
            raise Malformed("an arc is not minimal")
        arc = arc << 7 | octet & 0x7F
        if arc >= 2**32 + 80:
            raise Malformed("an arc is out of its bounds")
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if content[-1] & 0x80 or len(arcs) >= MOST_ARCS:
        raise Malformed("an OBJECT IDENTIFIER is cut off or too long")
    first = min(arcs[0] // 40, 2)
    found = (first, arcs[0] - 40 * first, *arcs[1:])
    if max(found) >= 2**32:
        raise Malformed("an arc is out of its bounds")
    return found


def tlv(tag: int, content: bytes) -> bytes:
    """Return one element with a minimal length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    wide = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(wide))) + wide + content


def integer(number: int) -> bytes:
    """Return an INTEGER."""
    octets = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return tlv(INTEGER, number.to_bytes(octets, "big", signed=True))


def arcs(oid: Oid) -> bytes:
    """Return the content octets of an OBJECT IDENTIFIER of two arcs at least; raises ValueError for no OID."""
    if len(oid) < 2 or oid[0] > 2 or (oid[0] < 2 and oid[1] > 39) or len(oid) > MOST_ARCS:
        raise ValueError("no object identifier")
    return subids((40 * oid[0] + oid[1], *oid[2:]))


def subids(numbers: Oid) -> bytes:
    """Return arcs after the first two as octets: the end of an OID, such as a row's index."""
    found = bytearray()
    for number in numbers:
        if not 0 <= number < 2**32 + 80:
            raise ValueError("no arc of an object identifier")
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        found += bytes(reversed(digits))
    return bytes(found)
