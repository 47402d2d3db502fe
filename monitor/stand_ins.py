"""Stand-ins for what a recording must not say: of the same form, the same one everywhere in it. Pure.

They are made with a key that is drawn for each recording and kept nowhere. Without one they could be undone: a MAC has
only 2^24 device parts, private addresses are fewer, and serial numbers of a make follow a pattern.
"""

import hmac
import ipaddress
import re
from dataclasses import dataclass

_MAC = re.compile(rb"\b([0-9A-Fa-f]{2}([:-]?))(?:[0-9A-Fa-f]{2}\2){4}[0-9A-Fa-f]{2}\b")
_CISCO_MAC = re.compile(rb"\b([0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}\b")
_IPV4 = re.compile(rb"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]\d)")
_IPV6 = re.compile(rb"(?<![0-9A-Za-z:])[0-9A-Fa-f:]{2,39}(?![0-9A-Za-z:])")
_MAIL = re.compile(rb"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
_SECRET = re.compile(
    rb"(?i)(pass(?:word|wd|phrase)?|secret|community|psk|pre-shared-key|token|key)"
    rb"([\"']?\s{0,3}[:=\s]\s{0,3}[\"']?)[^\s\"',;}]{1,255}"
)
_VERSION = re.compile(
    rb"(?i)(?:\bv|ver|version|release|firmware|fw|build|rev|software|bios|image)[\s:=]{0,3}$"
)
_PRIVATE = (10, 100, 127, 169, 172, 192)
_SELDOM_A_VERSION = 30  # no version's first number that we know is greater


@dataclass(frozen=True)
class StandIns:
    """The stand-ins of one recording. `addresses` are those that the device itself calls addresses."""

    key: bytes
    addresses: frozenset[bytes] = frozenset()

    def _mark(self, value: bytes) -> bytes:
        return hmac.digest(self.key, value, "sha256")

    def name(self, value: bytes) -> bytes:
        """Return a word for a name of a person, a place or a port."""
        return b"name-" + self._mark(value.strip(b"\0 ").lower()).hex()[:6].encode()

    def serial(self, value: bytes) -> bytes:
        """Return a serial number of the same form: letters stay letters and digits digits."""
        spun = (self._mark(value) * (len(value) // 32 + 1))[: len(value)]
        return bytes(_spun(octet, by) for octet, by in zip(value, spun, strict=True))

    def mac(self, six: bytes) -> bytes:
        """Return an address of the same maker; what belongs to nobody (zeros, groups) stays."""
        if not any(six) or six[0] & 1:
            return six
        return six[:3] + self._mark(six)[:3]

    def ipv4(self, four: bytes) -> bytes:
        """Return an address of the net for measurements (RFC 2544); masks, loopback and groups stay."""
        if _stays(four):
            return four
        mark = self._mark(four)
        return bytes((198, 18 + mark[0] % 2, mark[1], mark[2]))

    def ipv6(self, sixteen: bytes) -> bytes:
        """Return an address of the documentation's net (RFC 3849); none, loopback and groups stay."""
        if not any(sixteen[:15]) or sixteen[0] == 0xFF:
            return sixteen
        return b"\x20\x01\x0d\xb8" + self._mark(sixteen)[:12]

    def text(self, value: bytes) -> bytes:
        """Return text without secrets, mail addresses, MACs and addresses; what may be a version stays."""
        value = _SECRET.sub(rb"\1\2***", value)
        value = _MAIL.sub(lambda m: self.name(m[0]), value)
        value = _MAC.sub(lambda m: self._mac_text(m[0]), value)
        value = _CISCO_MAC.sub(lambda m: self._mac_text(m[0]), value)
        value = _IPV6.sub(lambda m: self._ipv6_text(m[0]), value)
        return _IPV4.sub(lambda m: self._ipv4_text(m[0], m.string[max(0, m.start() - 16) : m.start()]), value)

    def _mac_text(self, text: bytes) -> bytes:
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", text)
        new = iter(self.mac(bytes.fromhex(digits.decode())).hex().encode())
        return bytes(next(new) if chr(octet).isalnum() else octet for octet in text)

    def _ipv4_text(self, text: bytes, before: bytes) -> bytes:
        octets = [int(part) for part in text.split(b".")]
        if max(octets) > 255:
            return text
        four = bytes(octets)
        likely = octets[0] in _PRIVATE or octets[0] > _SELDOM_A_VERSION
        if four in self.addresses or (likely and not _VERSION.search(before)):
            return b".".join(b"%d" % octet for octet in self.ipv4(four))
        return text

    def _ipv6_text(self, text: bytes) -> bytes:
        try:
            address = ipaddress.IPv6Address(text.decode())
        except ValueError:
            return text
        return str(ipaddress.IPv6Address(self.ipv6(address.packed))).encode()


def _spun(octet: int, by: int) -> int:
    for first, size in ((0x30, 10), (0x41, 26), (0x61, 26)):
        if first <= octet < first + size:
            return first + by % size
    return octet


def _stays(four: bytes) -> bool:
    """Tell whether four octets are a mask, a group, loopback or nothing: nobody's address."""
    free = 0xFFFFFFFF ^ int.from_bytes(four, "big")
    mask = four[0] >= 128 and not free & (free + 1)
    return mask or four[0] in (0, 127) or four[0] >= 224
