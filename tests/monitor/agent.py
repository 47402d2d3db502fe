"""A small SNMP v1/v2c agent on loopback for tests: real UDP, own BER, and the bad manners that tests ask for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Oid = tuple[int, ...]
Tagged = tuple[int, int | bytes | Oid]
GET, NEXT, RESPONSE, BULK = 0xA0, 0xA1, 0xA2, 0xA5
INTEGER, OCTETS, OID, COUNTER32, GAUGE, TICKS, COUNTER64 = 2, 4, 6, 0x41, 0x42, 0x43, 0x46
NO_INSTANCE, END = b"\x81\x00", b"\x82\x00"
TOO_BIG, NO_SUCH_NAME = 1, 2


def tlv(tag: int, body: bytes) -> bytes:
    """Return one BER element."""
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def number(value: int, tag: int = INTEGER) -> bytes:
    """Return an integer."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(value: Oid) -> bytes:
    """Return an object identifier."""
    body = bytearray()
    for arc in (40 * value[0] + value[1], *value[2:]):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | (arc & 0x7F))
        body += bytes(reversed(digits))
    return tlv(OID, bytes(body))


def value_of(tag: int, value: int | bytes | Oid) -> bytes:
    """Return a value by its tag."""
    if isinstance(value, bytes):
        return tlv(tag, value)
    return number(value, tag) if isinstance(value, int) else oid(value)


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Return the (tag, body) pairs that lie side by side in `data`."""
    found, at = [], 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            wide = size & 0x7F
            size, at = int.from_bytes(data[at : at + wide], "big"), at + wide
        found.append((tag, data[at : at + size]))
        at += size
    return found


def read_oid(body: bytes) -> Oid:
    """Return the object identifier in a body."""
    arcs, arc = [], 0
    for octet in body:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    return (arcs[0] // 40, arcs[0] % 40, *arcs[1:]) if arcs else ()


@dataclass
class Script:
    """What the agent has and how it behaves. `manners` may change, hold back (None) or replace any answer."""

    rows: Mapping[Oid, Tagged]
    community: bytes = b"public"
    most: int = 10_000  # varbinds that fit; more is tooBig (GETBULK is cut unless `strict`)
    strict: bool = False
    bulk: bool = True
    manners: Callable[["Script", bytes], bytes | None] | None = None
    asked: int = 0
    kinds: list[int] = field(default_factory=list)

    def answer(self, data: bytes) -> bytes | None:
        """Return the datagram that answers this one, or None for silence."""
        self.asked += 1
        reply = self._reply(data)
        return self.manners(self, reply) if self.manners and reply is not None else reply

    def _reply(self, data: bytes) -> bytes | None:
        version, community, (kind, body) = elements(elements(data)[0][1])
        self.kinds.append(kind)
        if community[1] != self.community or (kind == BULK and not self.bulk):
            return None
        ident, a, b, names = elements(body)
        asked = [read_oid(elements(pair)[0][1]) for _, pair in elements(names[1])]
        rows = int.from_bytes(b[1], "big") if kind == BULK else 1
        single = int.from_bytes(a[1], "big") if kind == BULK else 0
        v1 = version[1] == b"\0"
        status, index, pairs = self._pairs(kind, asked[:single], 1, v1)
        if not status:
            status, index, rest = self._pairs(kind, asked[single:], rows, v1)
            pairs = (pairs + rest)[: self.most] if kind == BULK and not self.strict else pairs + rest
        if len(pairs) > self.most:
            status, index, pairs = TOO_BIG, 0, []
        listed = b"".join(tlv(0x30, oid(name) + value) for name, value in pairs)
        pdu = tlv(INTEGER, ident[1]) + number(status) + number(index) + tlv(0x30, listed)
        return tlv(0x30, tlv(*version) + tlv(*community) + tlv(RESPONSE, pdu))

    def _pairs(
        self, kind: int, asked: list[Oid], rows: int, v1: bool
    ) -> tuple[int, int, list[tuple[Oid, bytes]]]:
        pairs: list[tuple[Oid, bytes]] = []
        cursors = list(asked)
        for _ in range(rows):
            for at, name in enumerate(cursors):
                found = name if kind == GET else self._after(name)
                if found is None or found not in self.rows:
                    if v1:
                        return NO_SUCH_NAME, at + 1, [(n, b"\x05\x00") for n in asked]
                    pairs.append((name, NO_INSTANCE if kind == GET else END))
                    continue
                cursors[at] = found
                pairs.append((found, value_of(*self.rows[found])))
        return 0, 0, pairs

    def _after(self, name: Oid) -> Oid | None:
        return min((o for o in self.rows if o > name), default=None)


class _Served(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        reply = self._answer(data)
        if reply is not None:
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def served(
    answer: Callable[[bytes], bytes | None], address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """Serve on a port, or on a free one, which is given."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Served(answer), local_addr=(address, port))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        await asyncio.sleep(0)


def switch(ports: int = 3, sixty_four: bool = True) -> dict[Oid, Tagged]:
    """Return the rows of a small switch."""
    system, table, extra = (1, 3, 6, 1, 2, 1, 1), (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
    rows: dict[Oid, Tagged] = {
        (*system, 1, 0): (OCTETS, b"RouterOS CRS317-1G-16S+"),
        (*system, 2, 0): (OID, (1, 3, 6, 1, 4, 1, 14988, 1)),
        (*system, 3, 0): (TICKS, 123456),
        (*system, 5, 0): (OCTETS, b"sw-balaraja-01"),
        (1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2, 1): (INTEGER, 7),
    }
    for i in range(1, ports + 1):
        rows |= {
            (*table, 2, i): (OCTETS, f"ether{i}".encode()),
            (*table, 3, i): (INTEGER, 6),
            (*table, 5, i): (GAUGE, 1_000_000_000),
            (*table, 6, i): (OCTETS, bytes((0x48, 0x8F, 0x5A, 0, 0, i))),
            (*table, 7, i): (INTEGER, 1),
            (*table, 8, i): (INTEGER, 1 if i % 2 else 7),
            (*table, 10, i): (COUNTER32, 1000 + i),
            (*table, 14, i): (COUNTER32, i),
            (*table, 16, i): (COUNTER32, 2000 + i),
            (*extra, 1, i): (OCTETS, f"ether{i}".encode()),
            (*extra, 18, i): (OCTETS, b"uplink"),
        }
        if sixty_four:
            rows |= {
                (*extra, 6, i): (COUNTER64, 2**40 + i),
                (*extra, 10, i): (COUNTER64, 2**41 + i),
                (*extra, 15, i): (GAUGE, 1000),
            }
    return rows
