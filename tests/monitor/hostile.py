"""Malformed and altered SNMP messages without end, seeded: v1, v2c and v3, requests' answers and what is none.

`messages(dice)` gives (version, datagram); `mutated` changes any datagram. Tests take 50,000 of them, and as many as
SIAGA_MUTANTS says on demand.
"""

import os
import random
from collections.abc import Iterator
from math import inf
from types import SimpleNamespace
from typing import Any

from agent import COUNTER32, COUNTER64, GAUGE, INTEGER, OCTETS, OID, TICKS, Tagged, number, oid, tlv, value_of

from monitor.lean_round import Poll
from monitor.snmp_message import Community
from monitor.windows import Layout, Quick, Values

AT_ONCE = 50_000
COLUMNS = (
    (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6),
    (1, 3, 6, 1, 2, 1, 2, 2, 1, 14),
    (1, 3, 6, 1, 2, 1, 2, 2, 1, 8),
)
INDEXES = ((1,), (2,), (300,))
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
# Octets that are turning points of BER: lengths, tags, signs.
TURNS = (0, 1, 2, 4, 5, 6, 0x30, 0x41, 0x46, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0xA2, 0xA8, 0xFF)


def count(usual: int = AT_ONCE) -> int:
    """Return how many messages a test takes: `usual`, or what SIAGA_MUTANTS says."""
    return int(os.environ.get("SIAGA_MUTANTS", usual))


def plain_value(dice: random.Random, tag: int = 0) -> Tagged:
    """Return a value as good agents give it, of any kind or of one."""
    tag = tag or dice.choice((COUNTER32, COUNTER64, GAUGE, TICKS, INTEGER))
    top = {COUNTER64: 64, INTEGER: 31}.get(tag, 32)
    return tag, dice.getrandbits(dice.randint(1, top))


def any_value(dice: random.Random) -> bytes:
    """Return the element of a value, good or odd."""
    match dice.randrange(8):
        case 0:
            return tlv(OCTETS, dice.randbytes(dice.randint(0, 40)))
        case 1:
            return oid((1, 3, *(dice.getrandbits(dice.randint(1, 32)) for _ in range(dice.randint(0, 6)))))
        case 2:
            return bytes((dice.choice((5, 0x80, 0x81, 0x82)), 0))
        case 3:
            return number(-dice.getrandbits(31))
        case 4:  # a width that is not minimal, or too much
            return tlv(
                dice.choice((INTEGER, COUNTER32, COUNTER64, GAUGE)), dice.randbytes(dice.randint(0, 10))
            )
        case _:
            return value_of(*plain_value(dice))


def window(dice: random.Random, *, odd: bool, tags: tuple[int, ...] = (0,) * len(COLUMNS)) -> bytes:
    """Return the varbinds that answer a window of COLUMNS and INDEXES; `tags`: of what kind each column is."""
    names = [UPTIME, *((*column, *index) for index in INDEXES for column in COLUMNS)]
    values = [value_of(TICKS, dice.getrandbits(32))]
    values += [
        any_value(dice) if odd and dice.random() < 0.2 else value_of(*plain_value(dice, tag))
        for tag in tags * len(INDEXES)
    ]
    return b"".join(tlv(0x30, oid(n) + v) for n, v in zip(names, values, strict=True))


def pdu(dice: random.Random, ident: bytes, *, odd: bool, kind: int = 0xA2) -> bytes:
    """Return a response PDU."""
    status = number(dice.choice((0,) * 8 + (1, 2, 5)))
    return tlv(kind, tlv(INTEGER, ident) + status + number(0) + tlv(0x30, window(dice, odd=odd)))


def community(dice: random.Random, ident: bytes, *, version: int = 1, odd: bool = True) -> bytes:
    """Return a v1 or v2c response."""
    return tlv(0x30, number(version) + tlv(OCTETS, b"public") + pdu(dice, ident, odd=odd))


def usm(dice: random.Random, ident: bytes, engine: bytes, *, user: bytes = b"siaga", flags: int = 0) -> bytes:
    """Return a v3 response or report, without a right MAC."""
    header = tlv(INTEGER, ident) + number(65507) + tlv(OCTETS, bytes((flags,))) + number(3)
    mac, salt = (bytes(24) if flags & 1 else b""), (bytes(8) if flags & 2 else b"")
    clock = number(dice.getrandbits(31)) + number(dice.getrandbits(31))
    security = tlv(OCTETS, engine) + clock + tlv(OCTETS, user) + tlv(OCTETS, mac) + tlv(OCTETS, salt)
    inner = (
        tlv(OCTETS, engine) + tlv(OCTETS, b"") + pdu(dice, ident, odd=True, kind=dice.choice((0xA2, 0xA8)))
    )
    data = tlv(OCTETS, dice.randbytes(200)) if flags & 2 else tlv(0x30, inner)
    return tlv(0x30, number(3) + tlv(0x30, header) + tlv(OCTETS, tlv(0x30, security)) + data)


def read(quick: Quick, layout: Layout, data: bytes, start: int, end: int) -> Values | None:
    """Return sysUpTime and the values that a quick parser puts; None if it leaves the window to the reference."""
    values: Values = [b"before", *[b"nothing"] * (len(layout.columns) * len(layout.indexes)), b"after"]
    untouched = list(values)
    ticks = quick(layout, data, start, end, values, 1)
    if ticks is None:
        assert values == untouched, data.hex()
        return None
    assert (values[0], values[-1], len(values)) == (b"before", b"after", len(untouched))
    return [ticks, *values[1:-1]]


def by_sight(voice: Community, ident: bytes) -> Quick:
    """Return the way of a whole message that looks like one read before, as lean_round.py takes it from the wire."""

    def taken(layout: Layout, data: bytes, _start: int, _end: int, values: Values, first: int) -> int | None:
        ticks: list[int] = []
        poll: Any = SimpleNamespace(
            _step=SimpleNamespace(layout=layout, first=first),
            _voice=voice,
            _until_s=inf,
            _peer=SimpleNamespace(number=ident),
            _values=values,
            _go_on=lambda uptime, *_: ticks.append(uptime),
        )
        return ticks[0] if Poll._alike(poll, data, 0.0) else None

    return taken


def mutated(dice: random.Random, data: bytes) -> bytes:
    """Return the datagram with a few octets changed, cut off, doubled, put in or taken out."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = dice.randrange(len(changed) or 1)
        match dice.randrange(7):
            case 0 | 1 if changed:
                changed[at] ^= 1 << dice.randrange(8)
            case 2 | 3 if changed:
                changed[at] = dice.choice(TURNS)
            case 4:
                del changed[at : at + dice.choice((1, 1, 2, 9, 4000))]
            case 5:
                changed[at:at] = dice.randbytes(dice.randint(1, 4))
            case _:
                changed[at:at] = changed[at : at + 20]
    return bytes(changed)


def messages(dice: random.Random, ident: bytes, engine: bytes) -> Iterator[tuple[int, bytes]]:
    """Give (version, datagram) without end; about a third is as good agents send it."""
    while True:
        version = dice.choice((0, 1, 1, 3))
        if version == 3:
            data = usm(dice, ident, engine, flags=dice.choice((0, 1, 3)))
        else:
            data = community(dice, ident, version=version, odd=dice.random() < 0.5)
        yield version, mutated(dice, data) if dice.random() < 0.7 else data


__all__ = ["OID", "community", "count", "messages", "mutated", "pdu", "read", "usm", "window"]
