"""SNMP messages of v1 and v2c (RFC 1157, 3416, 1901), and the requests that go into messages of any version.

A request is made once; only its id is put in when it is sent. Of replies that look alike the head is read once:
what has the same length and, but for the id, the same octets up to the varbinds needs no second reading.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from os import urandom
from struct import Struct
from typing import Protocol

from monitor import ber
from monitor.snmp_agent import Kind
from monitor.tables import Oid

_KINDS = {Kind.get: ber.GET, Kind.getnext: ber.GETNEXT, Kind.getbulk: ber.GETBULK}
_FIRST = bytes(octet & 0x7F or 1 for octet in range(256))
_IDS = Struct("4s" * 1024)
_SHAPES = 4096  # shapes of replies remembered for one community; a shape takes about 200 bytes


class Stale(Exception):  # noqa: N818 - what a datagram is, not an error of the program
    """A good message that answers none of our questions."""


class Template:
    """One request PDU with a hole of four octets for its id. Templates are compared by identity."""

    __slots__ = ("after", "before", "packed", "size")

    def __init__(self, kind: Kind, names: Sequence[bytes], non_repeaters: int = 0, rows: int = 0) -> None:
        """`names` are the content octets of the OIDs; the numbers are GETBULK's and zero in all else."""
        pairs = (ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_ID, name) + b"\x05\x00") for name in names)
        listed = ber.tlv(ber.SEQUENCE, b"".join(pairs))
        self.after = ber.integer(non_repeaters) + ber.integer(rows) + listed
        whole = ber.tlv(_KINDS[kind], b"\x02\x04id##" + self.after)
        self.before = whole[: len(whole) - len(self.after) - 4]
        self.size = len(whole)
        self.packed: dict[object, tuple[bytes, bytes]] = {}  # as the messages of each community have it


def template(kind: Kind, oids: Sequence[Oid], rows: int = 0) -> Template:
    """Return the request of these OIDs; raises ValueError for what is no OID."""
    return Template(kind, [ber.arcs(oid) for oid in oids], 0, rows if kind is Kind.getbulk else 0)


def new_ids() -> Iterator[bytes]:
    """Give unpredictable request ids and msgIDs without end: four octets each, 2^24 to 2^31 - 1."""
    return chain.from_iterable(iter(_some_ids, None))


def _some_ids() -> tuple[bytes, ...]:
    pool = bytearray(urandom(4096))
    pool[::4] = pool[::4].translate(_FIRST)
    return _IDS.unpack(pool)


# A response that answers the question asked: the buffer, error-status, error-index, and where in the buffer the
# varbinds lie, which nobody has looked at yet. A plain tuple, because there are hundred thousands a minute.
Opened = tuple[bytes, int, int, int, int]


# What responses of a length looked like: the octets before the request id, those between it and the varbinds, and
# where these begin.
Shape = tuple[bytes, bytes, int]


class Voice(Protocol):
    """How one device is spoken to: packs requests and opens what comes. `met`: no greeting has to go before."""

    @property
    def met(self) -> bool:
        """Tell whether requests can be packed."""

    def pack(self, number: bytes, request: Template, now_s: float) -> bytes:
        """Return the datagram that asks `request` under the id `number`; `now_s` is a monotonic time."""

    def open(self, data: bytes, number: bytes, now_s: float) -> Opened:
        """Return the response to `number`; raises Malformed, Stale, or Reported (see usm.py)."""

    def hello(self, number: bytes) -> bytes:
        """Return the datagram that greets."""

    def greeted(self, data: bytes, number: bytes, now_s: float) -> None:
        """Take what answers the greeting; raises Malformed, Stale or Reported."""


class Community:
    """Packs and opens the messages of one community in one version (0 is v1, 1 is v2c)."""

    def __init__(self, version: int, community: bytes) -> None:
        self._version = version
        self._community = community
        self.lead = ber.integer(version) + ber.tlv(ber.OCTETS, community)
        self.shapes: dict[int, Shape] = {}

    def __repr__(self) -> str:
        return f"Community(v{self._version})"

    met = True

    def pack(self, number: bytes, request: Template, _now_s: float = 0.0) -> bytes:
        """Return the datagram that asks `request` under the id `number`."""
        try:
            before, after = request.packed[self]
        except KeyError:
            whole = ber.tlv(ber.SEQUENCE, self.lead + request.before + b"id##" + request.after)
            before, after = request.packed[self] = whole[: len(whole) - len(request.after) - 4], request.after
        return before + number + after

    def open(self, data: bytes, number: bytes, _now_s: float = 0.0) -> Opened:
        """Return the response to the request `number`; raises Malformed, or Stale for another's."""
        shape = self.shapes.get(len(data))
        if shape is not None:
            before, after, start = shape
            if data.startswith(before + number + after):
                return data, 0, 0, start, len(data)
        return self._read(data, number)

    def hello(self, number: bytes) -> bytes:
        """Communities do not greet."""
        raise NotImplementedError

    def greeted(self, data: bytes, number: bytes, now_s: float) -> None:
        """Communities do not greet."""
        raise NotImplementedError

    def _read(self, data: bytes, number: bytes) -> Opened:
        end = len(data)
        at = ber.whole(data, 0, end, ber.SEQUENCE)
        version, at = ber.small(data, at, end)
        community, at = ber.octets(data, at, end)
        if version != self._version or community != self._community:
            raise ber.Malformed("another version or community")
        head = ber.head(data, at, end)
        if head.kind != ber.RESPONSE:
            raise ber.Malformed("no response")
        if head.number != int.from_bytes(number, "big"):
            raise Stale
        if not head.status:
            self._learn(data, at, head)
        return data, head.status, head.index, head.start, end

    def _learn(self, data: bytes, at: int, head: ber.Head) -> None:
        """Remember the octets up to the varbinds: with any other id of four octets they mean the same."""
        _, start, _ = ber.element(data, at, len(data))
        start, stop = ber.inside(data, start, len(data), ber.INTEGER)
        if stop - start != 4 or head.index:
            return
        if len(self.shapes) >= _SHAPES:
            self.shapes.clear()
        self.shapes[len(data)] = data[:start], data[stop : head.start], head.start
