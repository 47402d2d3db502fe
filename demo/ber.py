"""The part of BER (X.690) that an SNMP agent needs: definite lengths, integers, octets, object identifiers.

Written for the simulated agents only; what polls real devices has its own decoder, so that one mistake
cannot hide in both.
"""

from collections.abc import Iterator

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIMETICKS, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x46

Oid = tuple[int, ...]


def tlv(tag: int, body: bytes) -> bytes:
    """Return tag, definite length and body."""
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + body


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Encode a whole number; counters and gauges get a leading zero octet rather than a sign."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(tag, value.to_bytes(size, "big", signed=True))


def oid(value: Oid) -> bytes:
    """Encode an object identifier of at least two arcs."""
    body = bytearray()
    for arc in (value[0] * 40 + value[1], *value[2:]):
        body += _base128(arc)
    return tlv(OID, bytes(body))


def _base128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(0x80 | arc & 0x7F)
    return bytes(reversed(octets))


def head(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return (tag, where the body begins, where it ends) of the element at `at`.

    Raises ValueError if the element does not fit before `end`.
    """
    if at + 2 > end:
        raise ValueError("An element is cut short.")
    tag, size, start = data[at], data[at + 1], at + 2
    if size & 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4 or start + octets > end:
            raise ValueError("A length is not one of at most four octets.")
        size, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    if start + size > end:
        raise ValueError("An element is longer than what holds it.")
    return tag, start, start + size


def body(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return where the body of the element at `at` begins and ends; ValueError if it has another tag."""
    seen, start, stop = head(data, at, end)
    if seen != tag:
        raise ValueError(f"Tag {seen:#x} stands where {tag:#x} should.")
    return start, stop


def whole(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return (the INTEGER at `at`, where it ends)."""
    start, stop = body(data, at, end, INTEGER)
    if not 1 <= stop - start <= 8:
        raise ValueError("An INTEGER has one to eight octets.")
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """Return (the OCTET STRING at `at`, where it ends)."""
    start, stop = body(data, at, end, OCTETS)
    return data[start:stop], stop


def children(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (tag, start, stop) of every element between `at` and `end`."""
    while at < end:
        tag, start, at = head(data, at, end)
        yield tag, start, at


def decoded_oid(content: bytes) -> Oid:
    """Return the arcs of an object identifier's body; ValueError if the last arc is not finished."""
    arcs: list[int] = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if not content or content[-1] & 0x80:
        raise ValueError("An object identifier is empty or not finished.")
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - first * 40, *arcs[1:])
