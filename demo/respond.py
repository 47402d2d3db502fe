"""What an agent answers to one datagram, as a pure function: SNMPv2c and SNMPv3 (RFC 3416, 3412, 3414).

GET, GETNEXT and GETBULK are answered; SET is refused. A wrong community, another version and garbage get
no answer at all, as from a real device; SNMPv3 mistakes get the report that RFC 3414 asks for.
"""

from dataclasses import dataclass, field

from demo import ber, usm
from demo.mib import Tree

GET, NEXT, RESPONSE, SET, BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8
NO_OBJECT, NO_INSTANCE, END_OF_VIEW = b"\x80\x00", b"\x81\x00", b"\x82\x00"
TOO_BIG, NOT_WRITABLE = 1, 17
# What fits an Ethernet frame; larger GETBULK answers are cut to it, as real agents do.
MAX_OCTETS = 1472
_BOUND = 128  # variable bindings in one request; repetitions are bounded by the size


class RefusedError(Exception):
    """An SNMPv3 message is answered by a report: the counter of usmStats (RFC 3414) that went up."""

    def __init__(self, counter: int, user: usm.User | None = None) -> None:
        super().__init__(f"usmStats.{counter}")
        self.counter = counter
        self.user = user


UNSUPPORTED_LEVEL, NOT_IN_WINDOW, UNKNOWN_USER, UNKNOWN_ENGINE, WRONG_DIGEST, DECRYPTION = 1, 2, 3, 4, 5, 6


@dataclass
class Agent:
    """One agent: its objects, who may read them, and how long it has been up (for SNMPv3's clock)."""

    tree: Tree
    community: bytes = field(default=b"", repr=False)
    user: usm.User | None = None
    engine: bytes = b""
    boots: int = 1
    uptime_s: float = 0.0
    max_octets: int = MAX_OCTETS
    _salt: int = 0
    _reports: dict[int, int] = field(default_factory=dict)

    def answer(self, data: bytes, at_s: float) -> bytes | None:
        """Return the answer to one datagram, or None if it deserves none; never raises on foreign octets."""
        try:
            start, end = ber.body(data, 0, len(data), ber.SEQUENCE)
            version, at = ber.whole(data, start, end)
            if version == 1 and self.community:
                return self._community_answer(data, at, end, at_s)
            if version == 3 and self.user:
                return self._user_answer(data, at, end, at_s)
        except (ValueError, IndexError, OverflowError):
            return None
        return None

    def _community_answer(self, data: bytes, at: int, end: int, at_s: float) -> bytes | None:
        given, at = ber.octets(data, at, end)
        if given != self.community:
            return None
        head = ber.integer(1) + ber.tlv(ber.OCTETS, given)
        pdu = self._pdu_answer(data[at:end], at_s, self.max_octets - len(head) - 8)
        return None if pdu is None else ber.tlv(ber.SEQUENCE, head + pdu)

    # -- PDUs (RFC 3416) -----------------------------------------------------------------------------------

    def _pdu_answer(self, data: bytes, at_s: float, room: int) -> bytes | None:
        """Return the response PDU, at most `room` octets long."""
        kind, start, end = ber.head(data, 0, len(data))
        request, at = ber.whole(data, start, end)
        first, at = ber.whole(data, at, end)
        second, at = ber.whole(data, at, end)
        start, end = ber.body(data, at, end, ber.SEQUENCE)
        names = _names(data, start, end)
        room -= 32
        if kind == SET:
            return _response(request, NOT_WRITABLE, 1, data[start:end])
        if kind == BULK:
            binds = self._bulk(names, max(first, 0), max(second, 0), at_s, room)
        elif kind in (GET, NEXT):
            one = self._get if kind == GET else self._next
            binds = [one(name, at_s) for name in names]
        else:
            return None
        body = b"".join(binds)
        if len(body) > room or (names and not binds):
            return _response(request, TOO_BIG, 0, b"")
        return _response(request, 0, 0, body)

    def _get(self, name: bytes, at_s: float) -> bytes:
        place = self.tree.find(name)
        if place is not None:
            return self.tree.bind(place, at_s)
        missing = NO_INSTANCE if self.tree.has_object(name) else NO_OBJECT
        return ber.tlv(ber.SEQUENCE, name + missing)

    def _next(self, name: bytes, at_s: float) -> bytes:
        return self._at(self.tree.after(name), name, at_s)

    def _at(self, place: int, name: bytes, at_s: float) -> bytes:
        if place < len(self.tree.oids):
            return self.tree.bind(place, at_s)
        return ber.tlv(ber.SEQUENCE, name + END_OF_VIEW)

    def _bulk(
        self, names: list[bytes], singles: int, repetitions: int, at_s: float, room: int
    ) -> list[bytes]:
        """Return as many bindings as fit in `room`: RFC 3416, 4.2.3 allows an answer to be cut anywhere."""
        binds = [self._next(name, at_s) for name in names[:singles]]
        used = sum(map(len, binds))
        if used > room:
            return []
        columns = [(self.tree.after(name), name) for name in names[singles:]]
        last = len(self.tree.oids)
        alive = bool(columns)
        for _ in range(repetitions):
            if not alive:
                break
            alive = False
            for k, (place, name) in enumerate(columns):
                bind = self._at(place, name, at_s)
                used += len(bind)
                if used > room:
                    return binds
                binds.append(bind)
                if place < last:
                    columns[k], alive = (place + 1, self.tree.names[place]), True
        return binds

    # -- SNMPv3 (RFC 3412, 3414) ---------------------------------------------------------------------------

    def _user_answer(self, data: bytes, at: int, end: int, at_s: float) -> bytes | None:
        start, stop = ber.body(data, at, end, ber.SEQUENCE)
        message, mark = ber.whole(data, start, stop)
        their_max, mark = ber.whole(data, mark, stop)
        flags, mark = ber.octets(data, mark, stop)
        model, _ = ber.whole(data, mark, stop)
        if model != 3 or len(flags) != 1 or their_max < 484:
            return None
        clock = int(self.uptime_s + at_s)
        try:
            scoped, user = self._opened(data, stop, end, flags[0], clock)
        except RefusedError as refused:
            return self._report(refused, message, clock) if flags[0] & 4 else None
        room = min(self.max_octets, their_max) - 160
        pdu = self._scoped_answer(scoped, at_s, room)
        return None if pdu is None else self._sealed(pdu, user, message, clock, private=True)

    def _opened(self, data: bytes, at: int, end: int, flags: int, clock: int) -> tuple[bytes, usm.User]:
        """Check the security parameters in the order of RFC 3414, 3.2, and return the plain scoped PDU."""
        params, body = ber.body(data, at, end, ber.OCTETS)
        inner, stop = ber.body(data, params, body, ber.SEQUENCE)
        engine, mark = ber.octets(data, inner, stop)
        boots, mark = ber.whole(data, mark, stop)
        time, mark = ber.whole(data, mark, stop)
        name, mark = ber.octets(data, mark, stop)
        digest, digest_end = ber.body(data, mark, stop, ber.OCTETS)
        salt, _ = ber.octets(data, digest_end, stop)
        user = self.user
        if engine != self.engine:
            raise RefusedError(UNKNOWN_ENGINE)
        if user is None or name != user.name:
            raise RefusedError(UNKNOWN_USER)
        if flags & 3 != 3:
            raise RefusedError(UNSUPPORTED_LEVEL)
        if digest_end - digest != usm.DIGEST_OCTETS or not user.signed_by_me(data, digest):
            raise RefusedError(WRONG_DIGEST)
        if boots != self.boots or abs(time - clock) > usm.WINDOW_S:
            raise RefusedError(NOT_IN_WINDOW, user)
        return self._decrypted(data, body, end, user, boots, time, salt), user

    def _decrypted(
        self, data: bytes, at: int, end: int, user: usm.User, boots: int, time: int, salt: bytes
    ) -> bytes:
        sealed, _ = ber.octets(data, at, end)
        if len(salt) != 8:
            raise RefusedError(DECRYPTION)
        plain = user.decrypted(sealed, boots, time, salt)
        try:
            ber.body(plain, 0, len(plain), ber.SEQUENCE)
        except ValueError:
            raise RefusedError(DECRYPTION) from None
        return plain

    def _scoped_answer(self, plain: bytes, at_s: float, room: int) -> bytes | None:
        start, end = ber.body(plain, 0, len(plain), ber.SEQUENCE)
        engine, at = ber.octets(plain, start, end)
        context, at = ber.octets(plain, at, end)
        pdu = self._pdu_answer(plain[at:end], at_s, room)
        return None if pdu is None else _scoped(engine, context, pdu)

    def _report(self, refused: RefusedError, message: int, clock: int) -> bytes:
        """Return a report; notInTimeWindows is authenticated, so that a clock can be trusted."""
        count = self._reports[refused.counter] = self._reports.get(refused.counter, 0) + 1
        name = ber.oid((1, 3, 6, 1, 6, 3, 15, 1, 1, refused.counter, 0))
        bind = ber.tlv(ber.SEQUENCE, name + ber.integer(count, ber.COUNTER32))
        scoped = _scoped(self.engine, b"", _response(0, 0, 0, bind, REPORT))
        return self._sealed(scoped, refused.user, message, clock, private=False)

    def _sealed(
        self, scoped: bytes, user: usm.User | None, message: int, clock: int, *, private: bool
    ) -> bytes:
        """Return the whole SNMPv3 message: signed if there is a user, encrypted if `private`."""
        salt = b""
        if user and private:
            self._salt += 1
            salt = self._salt.to_bytes(8, "big")
            scoped = ber.tlv(ber.OCTETS, user.encrypted(scoped, self.boots, clock, salt))
        blank = bytes(usm.DIGEST_OCTETS) if user else b""
        security = (
            ber.tlv(ber.OCTETS, self.engine)
            + ber.integer(self.boots)
            + ber.integer(clock)
            + ber.tlv(ber.OCTETS, user.name if user else b"")
        )
        tail = ber.tlv(ber.OCTETS, blank) + ber.tlv(ber.OCTETS, salt)
        flags = (1 if user else 0) | (2 if salt else 0)
        whole = _message(message, flags, security + tail, scoped)
        if user is None:
            return whole
        digest = len(whole) - len(scoped) - len(tail) + 2
        return whole[:digest] + user.digest(whole) + whole[digest + usm.DIGEST_OCTETS :]


def _names(data: bytes, start: int, end: int) -> list[bytes]:
    """Return the encoded names of a list of variable bindings."""
    names: list[bytes] = []
    for tag, at, stop in ber.children(data, start, end):
        if tag != ber.SEQUENCE or len(names) == _BOUND:
            raise ValueError("A variable binding is no SEQUENCE, or there are too many.")
        name, name_end = ber.body(data, at, stop, ber.OID)
        ber.decoded_oid(data[name:name_end])
        names.append(ber.tlv(ber.OID, data[name:name_end]))
    return names


def _response(request: int, status: int, index: int, binds: bytes, kind: int = RESPONSE) -> bytes:
    head = ber.integer(request) + ber.integer(status) + ber.integer(index)
    return ber.tlv(kind, head + ber.tlv(ber.SEQUENCE, binds))


def _scoped(engine: bytes, context: bytes, pdu: bytes) -> bytes:
    return ber.tlv(ber.SEQUENCE, ber.tlv(ber.OCTETS, engine) + ber.tlv(ber.OCTETS, context) + pdu)


def _message(message: int, flags: int, security: bytes, scoped: bytes) -> bytes:
    header = ber.integer(message) + ber.integer(65507) + ber.tlv(ber.OCTETS, bytes((flags,))) + ber.integer(3)
    parameters = ber.tlv(ber.OCTETS, ber.tlv(ber.SEQUENCE, security))
    return ber.tlv(ber.SEQUENCE, ber.integer(3) + ber.tlv(ber.SEQUENCE, header) + parameters + scoped)
