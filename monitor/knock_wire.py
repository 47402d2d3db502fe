"""The few octets of a light probe (RFC 3416, RFC 3412 in BER): a GET of five scalars, the greeting of SNMPv3, and
what comes back. Pure and strict; what is asked of a device that answered is the engines' business (snmp.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.tables import Oid, Value, oid

SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME = (oid(f"1.3.6.1.2.1.1.{n}.0") for n in (1, 2, 3, 5))
ENGINE_ID = oid("1.3.6.1.6.3.10.2.1.1.0")
LIGHT = (SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_NAME, ENGINE_ID)
LIGHT_V1 = LIGHT[:-1]  # an agent of v1 answers none of them if one is missing
_SEQUENCE, _INTEGER, _OCTETS, _NULL, _OID, _TICKS = 0x30, 0x02, 0x04, 0x05, 0x06, 0x43
_GET, _RESPONSE, _REPORT = 0xA0, 0xA2, 0xA8
_NO_VALUES = (0x80, 0x81, 0x82)  # noSuchObject, noSuchInstance, endOfMibView
_HOLE = 0x40404040  # where a number goes: four octets, as is any number from 2^30 to 2^31


class BadMessageError(ValueError):
    """What came is no SNMP message of the kind that was asked for."""


@dataclass(frozen=True)
class Template:
    """A message with room for its number, so that one for each of thousands costs next to nothing."""

    before: bytes
    after: bytes

    def message(self, number: int) -> bytes:
        """Return the message with this number, from 2^30 to 2^31 - 1."""
        return self.before + number.to_bytes(4, "big") + self.after


def get(version: int, community: bytes) -> Template:
    """Return a GET of the light scalars; `version` is 0 for v1, 1 for v2c."""
    pairs = b"".join(_tlv(_SEQUENCE, _oid(o) + b"\x05\x00") for o in (LIGHT if version else LIGHT_V1))
    pdu = _tlv(_GET, _int(_HOLE) + _int(0) + _int(0) + _tlv(_SEQUENCE, pairs))
    return _cut(_tlv(_SEQUENCE, _int(version) + _tlv(_OCTETS, community) + pdu))


def greeting() -> Template:
    """Return the message by which an SNMPv3 engine is found (RFC 3414, section 4): it holds no secret."""
    header = _tlv(_SEQUENCE, _int(_HOLE) + _int(65507) + _tlv(_OCTETS, b"\x04") + _int(3))
    nobody = _tlv(_SEQUENCE, _tlv(_OCTETS, b"") + _int(0) + _int(0) + _tlv(_OCTETS, b"") * 3)
    pdu = _tlv(_GET, _int(1) + _int(0) + _int(0) + _tlv(_SEQUENCE, b""))
    scoped = _tlv(_SEQUENCE, _tlv(_OCTETS, b"") * 2 + pdu)
    return _cut(_tlv(_SEQUENCE, _int(3) + header + _tlv(_OCTETS, nobody) + scoped))


def _cut(message: bytes) -> Template:
    # The last one is the number's: a community may look like it, what follows never does.
    before, _, after = message.rpartition(_HOLE.to_bytes(4, "big"))
    return Template(before, after)


def read_response(data: bytes, version: int) -> tuple[int, dict[Oid, Value]]:
    """Return the number of a v1 or v2c response and what it holds; raises BadMessageError."""
    said, _, (kind, body) = _exactly(_only(data, _SEQUENCE), 3)
    if said != (_INTEGER, bytes((version,))) or kind != _RESPONSE:
        raise BadMessageError
    number, status, _, listed = _exactly(body, 4)
    _expect(status, _INTEGER), _expect(listed, _SEQUENCE)
    pairs = [_exactly(_expect(pair, _SEQUENCE), 2) for pair in _elements(listed[1])]
    found = {_read_oid(_expect(name, _OID)): _value(*value) for name, value in pairs}
    return _read_int(_expect(number, _INTEGER)), {o: v for o, v in found.items() if v is not None}


def read_report(data: bytes) -> tuple[int, bytes]:
    """Return the number of an SNMPv3 message and the engine ID of who sent it; raises BadMessageError."""
    version, header, security, _ = _exactly(_only(data, _SEQUENCE), 4)
    if version != (_INTEGER, b"\x03"):
        raise BadMessageError
    number = _exactly(_expect(header, _SEQUENCE), 4)[0]
    engine = _exactly(_only(_expect(security, _OCTETS), _SEQUENCE), 6)[0]
    engine_id = _expect(engine, _OCTETS)
    if not 5 <= len(engine_id) <= 32:  # RFC 3411
        raise BadMessageError
    return _read_int(_expect(number, _INTEGER)), engine_id


# --- BER -------------------------------------------------------------------------------------------------


def _tlv(tag: int, body: bytes) -> bytes:
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes(2 if len(body) > 255 else 1, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def _int(value: int) -> bytes:
    return _tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(value: Oid) -> bytes:
    body = bytearray((40 * value[0] + value[1],))
    for arc in value[2:]:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        body += bytes(reversed(digits))
    return _tlv(_OID, bytes(body))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, body) of each element; raises BadMessageError for any octet that belongs to none."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise BadMessageError
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            wide = size & 0x7F
            if not 1 <= wide <= 4 or at + wide > len(data):
                raise BadMessageError
            size, at = int.from_bytes(data[at : at + wide], "big"), at + wide
        if at + size > len(data):
            raise BadMessageError
        yield tag, data[at : at + size]
        at += size


def _exactly(data: bytes, number: int) -> list[tuple[int, bytes]]:
    found = list(_elements(data))
    if len(found) != number:
        raise BadMessageError
    return found


def _only(data: bytes, tag: int) -> bytes:
    return _expect(_exactly(data, 1)[0], tag)


def _expect(element: tuple[int, bytes], tag: int) -> bytes:
    if element[0] != tag:
        raise BadMessageError
    return element[1]


def _read_int(body: bytes) -> int:
    if not 1 <= len(body) <= 5:
        raise BadMessageError
    return int.from_bytes(body, "big", signed=True)


def _read_oid(body: bytes) -> Oid:
    arcs, arc = [], 0
    for octet in body:
        arc = arc << 7 | octet & 0x7F
        if arc >= 1 << 32:
            raise BadMessageError
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs or body[-1] & 0x80 or len(arcs) > 127:
        raise BadMessageError
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def _value(tag: int, body: bytes) -> Value | None:
    if tag == _OCTETS:
        return body
    if tag == _OID:
        return _read_oid(body)
    if tag in (_INTEGER, _TICKS):
        return _read_int(body)
    if tag == _NULL or tag in _NO_VALUES:
        return None
    raise BadMessageError
