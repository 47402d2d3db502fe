"""Replies that are well formed and wrong: more than sixty kinds, each a function from a right reply to what is sent.

A kind is (name, alters). `REFUSED` are those of which nothing that is not the device's own may be believed; of the
others (a value changed in its right place, which SNMPv2c has no protection against) every value that cannot be is
caught later: when it is no counter, and when a rate is made of it.
"""

import random
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agent import (
    COUNTER32,
    COUNTER64,
    INTEGER,
    OCTETS,
    OID,
    TICKS,
    Oid,
    Script,
    Tagged,
    elements,
    number,
    oid,
    read_oid,
    tlv,
    value_of,
)  # fmt: skip

IF, IF_X = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
IN, OUT, SPEED, DISCONTINUITY, OPER = (*IF_X, 6), (*IF_X, 10), (*IF_X, 15), (*IF_X, 19), (*IF, 8)
IN_32, OUT_32 = (*IF, 10), (*IF, 16)
COLUMNS = (IN, OUT, SPEED, DISCONTINUITY, OPER, IN_32, OUT_32)
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
PORTS, MBPS, SHARE, STEP_S = 3, 1000, 0.4, 60
NULL, IP, OPAQUE, NO_OBJECT, NO_INSTANCE, END = 5, 0x40, 0x44, 0x80, 0x81, 0x82

Pair = tuple[Oid, bytes]  # a name, and its value as it is sent


@dataclass(frozen=True)
class Reply:
    """A reply in parts, so that one part can be another."""

    version: int
    community: bytes
    kind: int
    ident: bytes
    status: int
    index: int
    pairs: tuple[Pair, ...]

    def sent(self) -> bytes:
        """Return the datagram."""
        listed = b"".join(tlv(0x30, oid(name) + value) for name, value in self.pairs)
        pdu = tlv(INTEGER, self.ident) + number(self.status) + number(self.index) + tlv(0x30, listed)
        return tlv(0x30, number(self.version) + tlv(OCTETS, self.community) + tlv(self.kind, pdu))


def taken_apart(data: bytes) -> Reply:
    """Return the parts of a right reply."""
    version, community, (kind, body) = elements(elements(data)[0][1])
    ident, status, index, listed = elements(body)
    pairs = []
    for _, pair in elements(listed[1]):
        (_, name), (tag, value) = elements(pair)
        pairs.append((read_oid(name), tlv(tag, value)))
    return Reply(
        version[1][0], community[1], kind, ident[1], status[1][0], index[1][0], tuple(pairs)
    )  # fmt: skip


Sent = Reply | bytes | None | Sequence[Reply | bytes]
Alters = Callable[[random.Random, Reply, "Device"], Sent]


@dataclass
class Device:
    """A switch whose counters run on with every round, and that tells them wrongly when its dice say so."""

    alters: Alters
    dice: random.Random
    share: float = 0.7  # of its replies that are altered
    rounds: int = 0
    altered: int = 0
    last: Reply | None = None
    to: tuple[str, int] = ("", 0)
    strangers: list[socket.socket] = field(default_factory=list)

    @property
    def rows(self) -> dict[Oid, Tagged]:
        """What is true in this round."""
        octets = 2**40 + int(self.rounds * STEP_S * MBPS * 1e6 / 8 * SHARE)
        rows: dict[Oid, Tagged] = {UPTIME: (TICKS, 500_000 + self.rounds * STEP_S * 100)}
        for i in range(1, PORTS + 1):
            rows |= {
                (*IN, i): (COUNTER64, octets + i),
                (*OUT, i): (COUNTER64, octets // 2 + i),
                (*SPEED, i): (0x42, MBPS),
                (*DISCONTINUITY, i): (TICKS, 0),
                (*OPER, i): (INTEGER, 1),
                (*IN_32, i): (COUNTER32, octets % 2**32),
                (*OUT_32, i): (COUNTER32, octets // 2 % 2**32),
            }
        return rows

    def answers(self, data: bytes) -> list[bytes]:
        """Return the datagrams that answer one."""
        right = Script(self.rows).answer(data)
        assert right is not None
        reply = taken_apart(right)
        sent: Sent = reply
        if self.dice.random() < self.share:
            self.altered += 1
            sent = self.alters(self.dice, reply, self)
        self.last = reply
        several = [sent] if sent is None or isinstance(sent, Reply | bytes) else sent
        return [each.sent() if isinstance(each, Reply) else each for each in several if each is not None]


def _some(dice: random.Random, reply: Reply, change: Callable[[Pair], Pair]) -> Reply:
    """Return the reply with one to all of its cells changed, sysUpTime not among them."""
    share = dice.choice((0.1, 0.5, 1.0))
    first, last = reply.pairs[:1], reply.pairs[1:]
    must = dice.randrange(len(last) or 1)
    return replace(
        reply,
        pairs=first
        + tuple(change(pair) if i == must or dice.random() < share else pair for i, pair in enumerate(last)),
    )


def _values(make: Callable[[random.Random, Pair], bytes]) -> Alters:
    return lambda dice, reply, _: _some(dice, reply, lambda pair: (pair[0], make(dice, pair)))


def _octets(make: Callable[[random.Random, int], int], tag: int = COUNTER64) -> Alters:
    """Return what changes octet counters alone."""

    def change(dice: random.Random, pair: Pair) -> Pair:
        if pair[0][:-1] not in (IN, OUT):
            return pair
        return pair[0], value_of(tag, make(dice, int.from_bytes(pair[1][2:], "big")))

    return lambda dice, reply, _: _some(dice, reply, lambda pair: change(dice, pair))


def _column(column: Oid, make: Callable[[random.Random], bytes]) -> Alters:
    return lambda dice, reply, _: replace(
        reply, pairs=tuple((n, make(dice) if n[: len(column)] == column else v) for n, v in reply.pairs)
    )


def _both(*all_of: Alters) -> Alters:
    def change(dice: random.Random, reply: Reply, device: Device) -> Sent:
        for alters in all_of:
            altered = alters(dice, reply, device)
            assert isinstance(altered, Reply)
            reply = altered
        return reply

    return change


def _pairs(change: Callable[[random.Random, list[Pair]], Sequence[Pair]]) -> Alters:
    return lambda dice, reply, _: replace(reply, pairs=tuple(change(dice, list(reply.pairs))))


def _whole(**parts: object) -> Alters:
    return lambda _, reply, __: replace(reply, **parts)  # type: ignore[arg-type]


def _error(status: int, index: Callable[[random.Random, Reply], int]) -> Alters:
    return lambda dice, reply, _: replace(reply, status=status, index=index(dice, reply))


def _forged(reply: Reply) -> Reply:
    """Return the reply with values that are nobody's."""
    return replace(reply, pairs=tuple((n, value_of(COUNTER64, 666)) for n, _ in reply.pairs))


def _stranger(at: int) -> Alters:
    """Return what lets one of the strangers answer first: the first at another port, the second at another address."""

    def forge(_: random.Random, reply: Reply, device: Device) -> Sent:
        device.strangers[at].sendto(_forged(reply).sent(), device.to)
        return reply

    return forge


def _other_id(dice: random.Random, reply: Reply) -> Reply:
    return replace(_forged(reply), ident=bytes((reply.ident[0] ^ dice.randint(1, 127), *reply.ident[1:])))


def _swapped(dice: random.Random, pairs: list[Pair]) -> list[Pair]:
    a, b = dice.sample(range(len(pairs)), 2) if len(pairs) > 1 else (0, 0)
    pairs[a], pairs[b] = pairs[b], pairs[a]
    return pairs


def _renamed(make: Callable[[Oid], Oid]) -> Alters:
    def change(dice: random.Random, reply: Reply, _: Device) -> Sent:
        forged = value_of(COUNTER64, 666)
        return _some(dice, reply, lambda pair: (make(pair[0]), forged))

    return change


# Nothing of these may be believed but what is the device's own.
REFUSED: dict[str, Alters] = {
    "another id": lambda dice, reply, _: [_other_id(dice, reply), reply],
    "another id alone": lambda dice, reply, _: _other_id(dice, reply),
    "the id negative": lambda _, reply, __: replace(_forged(reply), ident=b"\xff" + reply.ident[1:]),
    "the id wider": lambda _, reply, __: replace(_forged(reply), ident=b"\0\0" + reply.ident),
    "the id zero": lambda _, reply, __: replace(_forged(reply), ident=b"\0"),
    "the answer before once more": lambda _, reply, device: [device.last or reply, reply],
    "the answer before alone": lambda _, reply, device: replace(_forged(reply), ident=(device.last or reply).ident)
    if device.last and device.last.ident != reply.ident
    else None,
    "twice": lambda _, reply, __: [reply, reply],
    "twice, the second forged": lambda _, reply, __: [reply, _forged(reply)],
    "nothing": lambda *_: None,
    "version 1": lambda _, reply, __: replace(_forged(reply), version=0),
    "version 3": lambda _, reply, __: replace(_forged(reply), version=3),
    "another community": lambda _, reply, __: replace(_forged(reply), community=b"private"),
    "no community": lambda _, reply, __: replace(_forged(reply), community=b""),
    "a GET": lambda _, reply, __: replace(_forged(reply), kind=0xA0),
    "a GETNEXT": lambda _, reply, __: replace(_forged(reply), kind=0xA1),
    "a SET": lambda _, reply, __: replace(_forged(reply), kind=0xA3),
    "a trap": lambda _, reply, __: replace(_forged(reply), kind=0xA7),
    "a report": lambda _, reply, __: replace(_forged(reply), kind=0xA8),
    "from another port": _stranger(0),
    "from another address": _stranger(1),
    "no varbinds": _whole(pairs=()),
    "the first missing": _pairs(lambda _, pairs: pairs[1:]),
    "the last missing": _pairs(lambda _, pairs: pairs[:-1]),
    "some missing": _pairs(lambda dice, pairs: [p for p in pairs if dice.random() < 0.7]),
    "two in each other's place": _pairs(_swapped),
    "backwards": _pairs(lambda _, pairs: pairs[::-1]),
    "in any order": _pairs(lambda dice, pairs: dice.sample(pairs, len(pairs))),
    "one twice": _pairs(lambda dice, pairs: [*pairs, dice.choice(pairs)] if pairs else pairs),
    "the first for all": _pairs(lambda _, pairs: pairs[:1] * len(pairs)),
    "rows nobody asked for": _pairs(
        lambda dice, pairs: [*pairs, *(((*IN, 90 + i), value_of(COUNTER64, 666)) for i in range(dice.choice((1, 60))))]
    ),
    "another row": _renamed(lambda name: (*name[:-1], name[-1] + 7)),
    "another column": _renamed(lambda name: (*name[:-2], 99, name[-1])),
    "another table": _renamed(lambda name: (1, 3, 6, 1, 4, 1, 9, *name[-2:])),
    "a longer name": _renamed(lambda name: (*name, 0)),
    "a shorter name": _renamed(lambda name: name[:-1]),
    "a name of 128 arcs": _renamed(lambda name: name + (2**32 - 1,) * (128 - len(name))),
    "tooBig": lambda _, reply, __: replace(reply, status=1, pairs=()),
    "tooBig with all in it": _error(1, lambda *_: 0),
    "noSuchName": lambda dice, reply, _: replace(_forged(reply), status=2, index=dice.randint(0, len(reply.pairs))),
    "genErr": lambda dice, reply, _: replace(_forged(reply), status=5, index=dice.randint(0, len(reply.pairs))),
    "an index beyond": lambda _, reply, __: replace(_forged(reply), status=5, index=2**20),
    "an error that is none": lambda _, reply, __: replace(_forged(reply), status=200),
    "NULL": _values(lambda *_: bytes((NULL, 0))),
    "noSuchObject": _values(lambda *_: bytes((NO_OBJECT, 0))),
    "noSuchInstance": _values(lambda *_: bytes((NO_INSTANCE, 0))),
    "endOfMibView": _values(lambda *_: bytes((END, 0))),
}  # fmt: skip

# Right names with values that are not the device's.
BELIEVED: dict[str, Alters] = {
    "text": _values(lambda dice, _: tlv(OCTETS, dice.randbytes(dice.choice((0, 4, 8, 900))))),
    "an OID": _values(lambda *_: value_of(OID, (1, 3, 6, 1))),
    "an address": _values(lambda *_: tlv(IP, b"\x0a\0\0\1")),
    "an Opaque": _values(lambda *_: tlv(OPAQUE, b"\x9f\x78\4\x7f\xc0\0\0")),
    "negative": _values(lambda dice, _: number(-dice.getrandbits(31))),
    "a wide INTEGER": _octets(lambda dice, _: dice.getrandbits(62), INTEGER),
    "a Counter32": _octets(lambda _, value: value % 2**32, COUNTER32),
    "counters back": _octets(lambda dice, value: max(0, value - dice.getrandbits(dice.randint(1, 41)))),
    "counters from zero": _octets(lambda dice, _: dice.getrandbits(20)),
    "counters far ahead": _octets(lambda dice, value: (value + dice.getrandbits(63)) % 2**64),
    "counters at their end": _octets(lambda dice, _: 2**64 - 1 - dice.getrandbits(dice.randint(0, 40))),
    "counters somewhat ahead": _octets(lambda dice, value: value + int(dice.uniform(0.5, 3) * STEP_S * MBPS * 1e6 / 8)),
    "no speed and counters far ahead": _both(
        _column(SPEED, lambda _: value_of(0x42, 0)),
        _column(IN, lambda dice: value_of(COUNTER64, dice.getrandbits(64))),
    ),
    "32 bits alone, and more than 32 in them": _both(
        _column(IN, lambda _: bytes((NULL, 0))),
        _column(OUT, lambda _: bytes((NULL, 0))),
        _column(SPEED, lambda _: value_of(0x42, 10)),
        _column(IN_32, lambda dice: value_of(COUNTER64, dice.getrandbits(dice.choice((20, 40))))),
        _column(OUT_32, lambda dice: value_of(INTEGER, dice.getrandbits(dice.choice((20, 60))))),
    ),
    "uptime back": _column(UPTIME, lambda dice: value_of(TICKS, dice.getrandbits(19))),
    "uptime anywhere": _column(UPTIME, lambda dice: value_of(TICKS, dice.getrandbits(32))),
    "uptime stands": _column(UPTIME, lambda _: value_of(TICKS, 500_000)),
    "uptime none": _column(UPTIME, lambda dice: dice.choice((bytes((NULL, 0)), tlv(OCTETS, b"1 day"), number(-1)))),
    "discontinuity": _column(DISCONTINUITY, lambda dice: value_of(TICKS, dice.getrandbits(32))),
    "speed anything": _column(SPEED, lambda dice: value_of(0x42, dice.choice((0, 1, 10, 2**31, 2**32 - 1)))),
}  # fmt: skip

# These are told by a device that never tells anything else.
ALWAYS = ("no speed and counters far ahead", "32 bits alone, and more than 32 in them")
