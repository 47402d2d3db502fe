"""SNMPv3's user-based security model, non-authoritative side (RFC 3414, 3826, 7860; messages: RFC 3412).

Every response is checked: engine ID, user, security level never below the one asked, MAC in constant time, time
window. Keys live in memory alone: the password is stretched once for each user, localized once for each engine.
"""

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from hmac import compare_digest
from itertools import count
from secrets import randbits
from typing import Any, Final

from monitor import ber
from monitor.snmp_message import Opened, Stale, Template
from monitor.targets import SnmpAuth

# Digest, octets of the MAC in a message (RFC 3414, 6 and 7; RFC 7860, 4.1).
AUTH: Final = {
    "MD5": ("md5", 12),
    "SHA": ("sha1", 12),
    "SHA-224": ("sha224", 16),
    "SHA-256": ("sha256", 24),
    "SHA-384": ("sha384", 32),
    "SHA-512": ("sha512", 48),
}
PRIV: Final = {"DES": "DES", "AES": "AES", "AES-128": "AES"}
MAX_SIZE = 65507
_SHAPES = 4096  # remembered for one user
WINDOW_S = 150  # RFC 3414, 2.2.3
_USM: Final = (1, 3, 6, 1, 6, 3, 15, 1, 1)  # usmStats
_TAIL: Final = {flags: ber.integer(MAX_SIZE) + bytes((4, 1, flags)) + b"\x02\x01\x03" for flags in (4, 5, 7)}
_START: Final = b"\x02\x01\x03\x30\x11\x02\x04"  # msgVersion, and what comes before a msgID of four octets
_PRIV, _AUTH = 2, 1


class Why(Enum):
    """What a Report says (usmStats, RFC 3414, section 5), by its last arc."""

    unsupported_level = 1
    not_in_time_window = 2
    unknown_user = 3
    unknown_engine = 4
    wrong_digest = 5
    decryption_error = 6
    other = 0


class Reported(Exception):  # noqa: N818 - what the device says, not an error of the program
    """The device answered with a Report; `again` if asking once more can help."""

    def __init__(self, why: Why, *, again: bool) -> None:
        super().__init__(why.name)
        self.why = why
        self.again = again


def master_key(password: bytes, digest: str) -> bytes:
    """Return Ku (RFC 3414, A.2): the digest of the password repeated to 2^20 octets. Raises ValueError for none."""
    if not password:
        raise ValueError("an SNMPv3 password is empty")
    whole, rest = divmod(2**20, len(password))
    return hashlib.new(digest, password * whole + password[:rest], usedforsecurity=False).digest()


def localized(key: bytes, engine_id: bytes, digest: str) -> bytes:
    """Return Kul (RFC 3414, A.2): the key for one engine."""
    return hashlib.new(digest, key + engine_id + key, usedforsecurity=False).digest()


class Mac:
    """HMAC with a key that stays: what the key alone needs is done once and copied."""

    __slots__ = ("_keyed", "size")

    def __init__(self, key: bytes, digest: str, size: int) -> None:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.hmac import HMAC

        self._keyed = HMAC(key, getattr(hashes, digest.upper())())
        self.size = size

    def of(self, message: bytes) -> bytes:
        """Return the MAC, cut to the octets that a message carries."""
        keyed = self._keyed.copy()
        keyed.update(message)
        return keyed.finalize()[: self.size]


class _Aes:
    """CFB128-AES-128 (RFC 3826), with contexts that stay: making one for each message takes ten times as long.

    CFB's whole state is the last ciphertext block. The decryptor takes the IV as if it were one; for the encryptor a
    plaintext block is found that makes the IV its ciphertext. What comes of these blocks is thrown away, and every
    message ends on a whole block.
    """

    __slots__ = ("_decryptor", "_ecb", "_encryptor", "_last")

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.decrepit.ciphers.modes import CFB
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        self._last = bytes(16)
        cipher = Cipher(algorithms.AES128(key[:16]), CFB(self._last))
        self._encryptor, self._decryptor = cipher.encryptor(), cipher.decryptor()
        self._ecb = Cipher(algorithms.AES128(key[:16]), modes.ECB()).encryptor()  # noqa: S305 - one block of CFB

    def seal(self, clock: bytes, plain: bytes) -> tuple[bytes, bytes]:
        """Return (privParameters, ciphertext); `clock` are boots and time of four octets each."""
        salt = next(_salts).to_bytes(8, "big")
        to_iv = int.from_bytes(clock + salt, "big") ^ int.from_bytes(self._ecb.update(self._last), "big")
        size = len(plain)
        sealed = self._encryptor.update(to_iv.to_bytes(16, "big") + plain + _ZEROS[size & 15])
        self._last = sealed[-16:]
        return salt, sealed[16 : 16 + size]

    def open(self, clock: bytes, salt: bytes, data: bytes) -> bytes:
        """Return the plaintext; whether it is any is seen by who reads it."""
        size = len(data)
        plain: bytes = self._decryptor.update(clock + salt + data + _ZEROS[size & 15])[16 : 16 + size]
        return plain


class _Des:
    """CBC-DES (RFC 3414, 8)."""

    __slots__ = ("_cbc", "_cipher", "_key", "_pre")

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
        from cryptography.hazmat.primitives.ciphers import Cipher, modes

        self._key = TripleDES(key[:8] * 3)  # three times the same key is single DES
        self._cipher, self._cbc, self._pre = Cipher, modes.CBC, key[8:16]

    def seal(self, clock: bytes, plain: bytes) -> tuple[bytes, bytes]:
        """Return (privParameters, ciphertext); the plaintext is padded to whole blocks."""
        salt = clock[:4] + (next(_salts) & 0xFFFFFFFF).to_bytes(4, "big")
        padded = plain + bytes(-len(plain) % 8)
        return salt, self._mode(salt).encryptor().update(padded)

    def open(self, _clock: bytes, salt: bytes, data: bytes) -> bytes:
        """Return the plaintext with its padding; raises Malformed where there are no whole blocks."""
        if len(data) % 8:
            raise ber.Malformed("no whole DES blocks")
        plain: bytes = self._mode(salt).decryptor().update(data)
        return plain

    def _mode(self, salt: bytes) -> Any:
        iv = bytes(a ^ b for a, b in zip(self._pre, salt, strict=True))
        return self._cipher(self._key, self._cbc(iv))


_salts = count(randbits(62))  # below 2^63, so that counting on stays within eight octets
_ZEROS = [bytes(-size % 16) for size in range(16)]


def clock_octets(boots: int, time: int) -> bytes:
    """Return boots and time of an engine as ciphers take them (RFC 3826, 3.1.2.1)."""
    return boots.to_bytes(4, "big") + time.to_bytes(4, "big")


@lru_cache(maxsize=256)
def _master(password: bytes, digest: str) -> bytes:
    return master_key(password, digest)


@dataclass(frozen=True)
class User:
    """A user's names and master keys; see `user`. The keys are in no repr."""

    name: bytes
    digest: str = ""
    mac_size: int = 0
    auth_key: bytes = field(default=b"", repr=False)
    cipher: str = ""
    priv_key: bytes = field(default=b"", repr=False)
    # What scoped PDUs of a length look like up to their varbinds, but for the engine ID and the request id.
    shapes: dict[int, tuple[bytes, bytes, bytes, int, int, int]] = field(
        default_factory=dict, repr=False, compare=False
    )
    frames: dict[tuple[int, int], "_Frame"] = field(default_factory=dict, repr=False, compare=False)

    @property
    def flags(self) -> int:
        """msgFlags of a request: reportable, and the security level."""
        return 4 | (_AUTH if self.digest else 0) | (_PRIV if self.cipher else 0)


def user(auth: SnmpAuth) -> User:
    """Return the user of a credential with keys made from its passwords.

    Raises ValueError with a sentence for a protocol that is not known here and for what cannot be used.
    """
    name = auth.user.encode()
    if not 1 <= len(name) <= 32:
        raise ValueError("The SNMPv3 user name has no or more than 32 octets.")
    if auth.priv_protocol and not auth.auth_protocol:
        raise ValueError("SNMPv3 privacy needs an authentication protocol too.")
    if not auth.auth_protocol:
        return User(name)
    if auth.auth_protocol not in AUTH or (auth.priv_protocol and auth.priv_protocol not in PRIV):
        raise ValueError("The SNMPv3 protocol of the credential is not known here.")
    digest, size = AUTH[auth.auth_protocol]
    password, secret = auth.auth_secret.get_secret_value(), auth.priv_secret.get_secret_value()
    if not password or (auth.priv_protocol and not secret):
        raise ValueError("The SNMPv3 user name or passwords cannot be used.")
    key = _master(password.encode(), digest)
    if not auth.priv_protocol:
        return User(name, digest, size, key)
    return User(name, digest, size, key, PRIV[auth.priv_protocol], _master(secret.encode(), digest))


@dataclass(frozen=True, slots=True)
class Params:
    """The header of an SNMPv3 message, checked for form; `times`, `mac` and `payload` are places in the datagram."""

    number: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    times: tuple[int, int]
    mac: tuple[int, int]
    salt: bytes
    payload: int


def params(data: bytes) -> Params:
    """Return the header of a datagram that is an SNMPv3 message of USM; raises Malformed."""
    end = len(data)
    at = ber.whole(data, 0, end, ber.SEQUENCE)
    _, at = ber.small(data, at, end, 3, 3)
    start, stop = ber.inside(data, at, end, ber.SEQUENCE)
    number, start = ber.small(data, start, stop)
    _, start = ber.small(data, start, stop, 484)
    flags, start = ber.octets(data, start, stop, 1, 1)
    _, start = ber.small(data, start, stop, 3, 3)
    if start != stop:
        raise ber.Malformed("something follows msgSecurityModel")
    start, payload = ber.inside(data, stop, end, ber.OCTETS)
    start = ber.whole(data, start, payload, ber.SEQUENCE)
    engine_id, start = ber.octets(data, start, payload, 0, 32)
    boots, start = ber.small(data, start, payload)
    clock = start
    time, start = ber.small(data, start, payload)
    times = ber.inside(data, clock, payload, ber.INTEGER)
    name, start = ber.octets(data, start, payload, 0, 32)
    mac, stop = ber.inside(data, start, payload, ber.OCTETS)
    salt, last = ber.octets(data, stop, payload)
    if last != payload:
        raise ber.Malformed("something follows msgPrivacyParameters")
    return Params(number, flags[0], engine_id, boots, time, name, times, (mac, stop), salt, payload)


def scoped(data: bytes, at: int, *, padded: bool = False) -> tuple[tuple[bytes, bytes], int, int]:
    """Return (contextEngineID and contextName, start, end of the PDU) of the scoped PDU at `at`; raises Malformed.

    After what DES decrypted its padding may follow; pysnmp pads whole blocks by one more.
    """
    start, end = ber.inside(data, at, len(data), ber.SEQUENCE)
    if end != len(data) and not (padded and len(data) - end <= 8):
        raise ber.Malformed("something follows the scoped PDU")
    engine_id, start = ber.octets(data, start, end, 0, 32)
    name, start = ber.octets(data, start, end)
    return (engine_id, name), start, end


@dataclass(slots=True)
class Clock:
    """What is known of an engine's boots and time; `sure` if an authenticated message said so."""

    boots: int = 0
    time: int = 0
    at_s: float = 0.0
    sure: bool = False

    def now(self, now_s: float) -> int:
        """Return the engine's time in seconds, reckoned on by our own monotonic clock."""
        return min(self.time + int(now_s - self.at_s), ber.INT31)

    def admits(self, boots: int, time: int, now_s: float) -> bool:
        """Tell whether an authenticated message lies in the time window, and take its clock over (RFC 3414, 3.2, 7b).

        What only an unauthenticated Report said is no measure.
        """
        if boots == ber.INT31:
            return False
        if self.sure and (boots < self.boots or (boots == self.boots and time < self.now(now_s) - WINDOW_S)):
            return False
        if not self.sure or boots > self.boots or time > self.time:
            self.boots, self.time, self.at_s, self.sure = boots, time, now_s, True
        return True


# Headers of SEQUENCE and OCTET STRING for each length of a message, in minimal form.
_SEQUENCES: Final = [ber.tlv(ber.SEQUENCE, bytes(size))[: -size or None] for size in range(4096)]
_OCTETS: Final = [b"\x04" + header[1:] for header in _SEQUENCES]
_WIDE = 256  # a length from here on has a header of four octets


def hello(number: bytes) -> bytes:
    """Return the datagram that asks for an engine ID (RFC 3414, 4, step 1); it needs no user."""
    get = ber.tlv(ber.GET, b"\x02\x04" + number + b"\x02\x01\x00\x02\x01\x00\x30\x00")
    parameters = ber.tlv(ber.SEQUENCE, b"\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00")
    header = _START + number + _TAIL[4] + ber.tlv(ber.OCTETS, parameters)
    return ber.tlv(ber.SEQUENCE, header + ber.tlv(ber.SEQUENCE, b"\x04\x00\x04\x00" + get))


def _header(tag: int, size: int) -> bytes:
    whole = ber.tlv(tag, bytes(size))
    return whole[: len(whole) - size]


# What a request of given lengths has around its parts: before the msgID, between that and the engine ID, before the
# context, before the salt, before what is sealed; and where the MAC lies.
_Frame = tuple[bytes, bytes, bytes, bytes, bytes, int]


@dataclass(slots=True)
class _Lead:
    """The octets that an engine's responses have in common as long as boots and the length of its time stay."""

    boots: int
    first: bytes  # from msgVersion up to msgID
    middle: bytes  # from msgMaxSize up to the time
    time_octets: int
    last: bytes  # from msgUserName up to the MAC


class Engine:
    """One device's SNMPv3 engine as one user sees it: packs requests, and opens and checks what comes."""

    __slots__ = (
        "_asked", "_cipher", "_clocked", "_engine_tlv", "_heard", "_heard_clock", "_heard_s", "_lead", "_mac",
        "_scoped", "_sent", "_sent_clock", "clock", "engine_id", "user",
    )  # fmt: skip

    def __init__(self, user: User) -> None:
        self.user = user
        self.engine_id = b""
        self.clock = Clock()
        self._mac: Mac | None = None
        self._cipher: _Aes | _Des | None = None
        self._engine_tlv = self._scoped = b""
        self._sent = -1, -1  # the boots and time that were sent last, and what they are with the engine ID
        self._clocked = self._sent_clock = b""
        self._lead: _Lead | None = None
        self._heard = self._heard_clock = b""  # the time that came last, as it came and with the boots
        self._heard_s = -1

    def __repr__(self) -> str:
        return f"Engine({self.engine_id.hex()})"

    def meet(self, engine_id: bytes, boots: int, time: int, now_s: float) -> None:
        """Take an engine over that greeted, or that is remembered: its clock is not sure yet."""
        if engine_id != self.engine_id:
            self.engine_id = engine_id
            self._localize()
        self.clock = Clock(boots, time, now_s)
        self._sent = -1, -1
        self._lead = None

    @property
    def met(self) -> bool:
        """Tell whether the engine ID is known."""
        return bool(self.engine_id)

    def _localize(self) -> None:
        own = self.user
        self._engine_tlv = ber.tlv(ber.OCTETS, self.engine_id)
        self._scoped = self._engine_tlv + b"\x04\x00"  # contextEngineID and no contextName
        if own.digest:
            self._mac = Mac(localized(own.auth_key, self.engine_id, own.digest), own.digest, own.mac_size)
        if own.cipher:
            key = localized(own.priv_key, self.engine_id, own.digest)
            self._cipher = _Aes(key) if own.cipher == "AES" else _Des(key)

    def hello(self, number: bytes) -> bytes:
        """Return the datagram that asks for the engine ID."""
        return hello(number)

    def pack(self, number: bytes, request: Template, now_s: float) -> bytes:
        """Return the datagram that asks `request` under `number`, which is the msgID and the request id."""
        clock = self.clock
        boots, time = clock.boots, min(clock.time + int(now_s - clock.at_s), ber.INT31)
        if self._sent != (boots, time):
            self._sent = boots, time
            self._clocked = self._engine_tlv + ber.integer(boots) + ber.integer(time)
            self._sent_clock = clock_octets(boots, time)
        clocked, scoped, user = self._clocked, self._scoped, self.user
        lengths = len(clocked), len(scoped) + request.size
        first, middle, context, salted, sealing, at = user.frames.get(lengths) or self._frame(*lengths)
        payload = b"".join((context, scoped, request.before, number, request.after))
        salt = b""
        if self._cipher is not None:
            salt, payload = self._cipher.seal(self._sent_clock, payload)
        whole = b"".join((first, number, middle, clocked, salted, salt, sealing, payload))
        if self._mac is None:
            return whole
        return whole[:at] + self._mac.of(whole) + whole[at + self._mac.size :]

    def _frame(self, clocked: int, scoped: int) -> _Frame:
        """Make and remember what a request has around its parts, when these two have so many octets."""
        user, tail = self.user, _TAIL[self.user.flags]
        context = _header(ber.SEQUENCE, scoped)
        size, salt, sealing = len(context) + scoped, b"", b""
        if self._cipher is not None:
            size += -size % 8 if isinstance(self._cipher, _Des) else 0
            salt, sealing = bytes(8), _header(ber.OCTETS, size)
        named = ber.tlv(ber.OCTETS, user.name) + ber.tlv(ber.OCTETS, bytes(user.mac_size))
        salted = named + _header(ber.OCTETS, len(salt))
        inner = _header(ber.SEQUENCE, clocked + len(salted) + len(salt))
        outer = _header(ber.OCTETS, len(inner) + clocked + len(salted) + len(salt))
        middle = tail + outer + inner
        size += len(_START) + 4 + len(middle) + clocked + len(salted) + len(salt) + len(sealing)
        first = _header(ber.SEQUENCE, size) + _START
        at = len(first) + 4 + len(middle) + clocked + len(named) - user.mac_size
        if len(user.frames) >= _SHAPES:
            user.frames.clear()
        user.frames[clocked, scoped] = frame = first, middle, context, salted, sealing, at
        return frame

    def greeted(self, data: bytes, number: bytes, now_s: float) -> None:
        """Take the engine over from the Report that answers `hello`; raises Malformed, Stale or Reported."""
        found = params(data)
        if found.number != int.from_bytes(number, "big"):
            raise Stale
        if found.flags & 3 or not 5 <= len(found.engine_id) <= 32:
            raise ber.Malformed("no greeting")
        _, start, end = scoped(data, found.payload)
        why = _why(data, ber.head(data, start, end))
        if why is not Why.unknown_engine:
            raise Reported(why, again=False)
        self.meet(found.engine_id, found.boots, found.time, now_s)

    def open(self, data: bytes, number: bytes, now_s: float) -> Opened:
        """Return the checked response to `number`; raises Malformed, Stale, or Reported for a Report."""
        lead = self._lead
        if lead is not None and lead.boots == self.clock.boots:
            quick = self._alike(lead, data, number, now_s)
            if quick is not None:
                return quick
        return self._read(data, number, now_s)

    def _alike(self, lead: _Lead, data: bytes, number: bytes, now_s: float) -> Opened | None:
        """Return a response whose header is as the last one's but for msgID, time, MAC and salt; None for any other.

        Only what every check below holds for is decided here: for it they are the checks of `_read`.
        """
        size = len(data)
        mac, cipher, clock = self._mac, self._cipher, self.clock
        if mac is None or cipher is None or not _WIDE + 4 <= size < 4096:
            return None
        header = _SEQUENCES[size - 4] + lead.first + number + lead.middle
        at = len(header)
        named = at + lead.time_octets
        start = named + len(lead.last)
        end = start + mac.size
        payload = end + 14
        if not (
            data.startswith(header)
            and data.startswith(lead.last, named)
            and data.startswith(b"\x04\x08", end)
            and size - payload >= _WIDE
            and data.startswith(_OCTETS[size - payload], payload - 4)
            and (data[at:named] == self._heard or self._reckoned(lead, data[at:named]))
            and compare_digest(mac.of(data[:start] + bytes(mac.size) + data[end:]), data[start:end])
        ):
            return None
        still = clock.sure and clock.time == self._heard_s and now_s - clock.at_s <= WINDOW_S
        if not still and not clock.admits(lead.boots, self._heard_s, now_s):
            return None
        return self._response(
            cipher.open(self._heard_clock, data[end + 2 : end + 10], data[payload:]), number
        )

    def _reckoned(self, lead: _Lead, heard: bytes) -> bool:
        """Take the octets of a time, which is the same for a second, for those compared with; False for no time."""
        time = int.from_bytes(heard, "big", signed=True)
        if time < 0:
            return False
        self._heard, self._heard_s, self._heard_clock = heard, time, clock_octets(lead.boots, time)
        return True

    def _response(self, plain: bytes, number: bytes) -> Opened | None:
        """Return the response in a decrypted scoped PDU that looks like one read before."""
        shape = self.user.shapes.get(len(plain))
        if shape is None:
            return None
        before, between, after, octets, start, end = shape
        if len(self._scoped) == octets and plain.startswith(before + self._scoped + between + number + after):
            return plain, 0, 0, start, end
        return None

    def _read(self, data: bytes, number: bytes, now_s: float) -> Opened:
        found = params(data)
        if found.number != int.from_bytes(number, "big"):
            raise Stale
        authentic = bool(found.flags & _AUTH) and self._authentic(data, found)
        if not authentic and found.flags & _PRIV:
            raise ber.Malformed("encrypted and not authenticated")
        plain, at = self._plain(data, found) if found.flags & _PRIV else (data, found.payload)
        context, start, end = scoped(plain, at, padded=self.user.cipher == "DES" and plain is not data)
        head = ber.head(plain, start, end)
        if head.kind == ber.REPORT:
            self._report(_why(plain, head), found, authentic, now_s)
        self._check(found, context, authentic, now_s)
        if head.kind != ber.RESPONSE:
            raise ber.Malformed("no response")
        if head.number != found.number:
            raise Stale
        if plain is not data:
            self._learn(data, found, number, plain, start, head)
        return plain, head.status, head.index, head.start, head.end

    def _learn(
        self, data: bytes, found: Params, number: bytes, plain: bytes, start: int, head: ber.Head
    ) -> None:
        """Remember what this good response looks like, if it has the usual form."""
        time = found.times[1] - found.times[0]
        number_at = data.find(number, 0, 32)
        if data[1] == 0x82 and number_at > 4 and data[number_at - 2 : number_at] == b"\x02\x04":
            begin, stop = found.times
            middle, last = data[number_at + 4 : begin], data[stop : found.mac[0]]
            self._heard = b""
            self._lead = _Lead(found.boots, data[4:number_at], middle, time, last)
        context = plain.find(self._scoped, 0, start)
        number_at = plain.find(b"\x02\x04" + number, start, start + 16) + 2
        if (
            context > 0
            and context + len(self._scoped) == start
            and number_at > 1
            and not (head.status or head.index)
        ):
            shapes = self.user.shapes
            if len(shapes) >= _SHAPES:
                shapes.clear()
            shapes[len(plain)] = (
                plain[:context], plain[start:number_at], plain[number_at + 4 : head.start], len(self._scoped),
                head.start, head.end,
            )  # fmt: skip

    def _authentic(self, data: bytes, found: Params) -> bool:
        """Verify the MAC (RFC 3414, 6.3.2); raises Malformed where it is wrong or there can be none."""
        start, stop = found.mac
        if self._mac is None or found.engine_id != self.engine_id or found.user != self.user.name:
            raise ber.Malformed("authenticated by nobody that was asked")
        if stop - start != self._mac.size:
            raise ber.Malformed("the MAC has another length")
        expected = self._mac.of(data[:start] + bytes(stop - start) + data[stop:])
        if not compare_digest(expected, data[start:stop]):
            raise ber.Malformed("the MAC is wrong")
        return True

    def _plain(self, data: bytes, found: Params) -> tuple[bytes, int]:
        start = ber.whole(data, found.payload, len(data), ber.OCTETS)
        if self._cipher is None or len(found.salt) != 8:
            raise ber.Malformed("encrypted, and nobody asked for it")
        return self._cipher.open(clock_octets(found.boots, found.time), found.salt, data[start:]), 0

    def _check(self, found: Params, context: tuple[bytes, bytes], authentic: bool, now_s: float) -> None:
        """Raise Malformed for what differs from the question (RFC 3412, 7.2, 12), or is out of time."""
        if found.flags & 3 != self.user.flags & 3:
            raise ber.Malformed("another security level than asked")
        if found.engine_id != self.engine_id or found.user != self.user.name:
            raise ber.Malformed("another engine or user")
        if context != (self.engine_id, b""):
            raise ber.Malformed("another context")
        if authentic and not self.clock.admits(found.boots, found.time, now_s):
            raise ber.Malformed("out of the time window")

    def _report(self, why: Why, found: Params, authentic: bool, now_s: float) -> None:
        """Act on a Report and raise Reported.

        An authenticated notInTimeWindow with the msgID of an open question is fresh, so its clock is taken over even
        when it lies behind: the engine lost its boots, and would never be heard again (RFC 3414 leaves no way back).
        """
        if why is Why.not_in_time_window and self.user.digest:
            if not authentic:
                raise ber.Malformed("a clock that nobody vouches for")
            self.meet(self.engine_id, found.boots, found.time, now_s)
            self.clock.sure = True
            raise Reported(why, again=True)
        if (
            why is Why.unknown_engine
            and 5 <= len(found.engine_id) <= 32
            and found.engine_id != self.engine_id
        ):
            self.meet(found.engine_id, found.boots, found.time, now_s)
            raise Reported(why, again=True)
        raise Reported(why, again=False)


def _why(data: bytes, head: ber.Head) -> Why:
    """Return what a Report says; raises Malformed for what is none."""
    if head.kind != ber.REPORT:
        raise ber.Malformed("no report")
    listed = ber.varbinds(data, head.start, head.end)
    name = listed[0][0] if listed else ()
    known = name[:9] == _USM and len(name) == 11 and 1 <= name[9] <= 6
    return Why(name[9]) if known else Why.other
