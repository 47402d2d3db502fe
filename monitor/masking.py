"""Takes out of a recording what is nobody else's business, before it leaves the house. Pure.

Of the standards only those tables are kept that a platform may read; of the makers all but those known to hold users,
communities, other hosts or messages. Names of people, places and ports, serial numbers, addresses and the device part
of MACs become stand-ins (stand_ins.py), in values and in the indexes of rows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from monitor.private_places import DROPPED, KEPT, NAMES, WORDS_OF_PORTS
from monitor.stand_ins import StandIns
from monitor.tables import IpAddress, Oid, Value, oid

_MIB2, _ENTERPRISES = oid("1.3.6.1.2.1"), oid("1.3.6.1.4.1")
_HOST_NAMES = (oid("1.3.6.1.2.1.1.5"), oid("1.0.8802.1.1.2.1.3.3"))
_PORT_NAMES = tuple(map(oid, ("1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.31.1.1.1.1", "1.0.8802.1.1.2.1.3.7.1.3")))
_MACS = tuple(map(oid, ("1.3.6.1.2.1.2.2.1.6", "1.3.6.1.2.1.17.1.1", "1.0.8802.1.1.2.1.3.2")))
_SERIALS = tuple(map(oid, ("1.3.6.1.2.1.47.1.1.1.1.11", "1.3.6.1.2.1.43.5.1.1.17")))
_OWN_V4, _OWN_V6 = oid("1.3.6.1.2.1.4.20.1"), oid("1.3.6.1.2.1.4.34.1")


def masked(
    seen: Mapping[Oid, Value], *, key: bytes, serials: tuple[Oid, ...] = (), secrets: Iterable[str] = ()
) -> dict[Oid, Value]:
    """Return the recording without secrets and names.

    `key` makes the stand-ins; `serials` are more instances that hold serial numbers; `secrets` what the device was
    asked with, which it may repeat anywhere.
    """
    kept = {o: v for o, v in seen.items() if _kept(o)}
    stand_ins = StandIns(key, frozenset(_addresses(seen)))
    words = _Words(kept, serials, secrets, stand_ins)
    macs = {six for o, six in kept.items() if _is_mac(o, six) and isinstance(six, bytes)}
    return {_index(o, macs, stand_ins): _value(o, v, words, macs, stand_ins) for o, v in kept.items()}


def _below(number: Oid, branches: Iterable[Oid]) -> bool:
    return any(number[: len(branch)] == branch for branch in branches)


def _kept(number: Oid) -> bool:
    if number[:6] == _MIB2:
        return _below(number, KEPT) and not _below(number, DROPPED)
    told = number[:6] == _ENTERPRISES or number[:3] == (1, 0, 8802) or number[:8] == (1, 3, 6, 1, 6, 3, 10, 2)
    return told and not _below(number, DROPPED)


def _addresses(seen: Mapping[Oid, Value]) -> Iterator[bytes]:
    """Yield what the device calls addresses, in tables too that are left out: texts elsewhere may repeat them."""
    for number, value in seen.items():
        if isinstance(value, IpAddress):
            yield bytes(value)
        if number[:9] == _OWN_V4 and len(number) == 14 and max(number[10:]) < 256:
            yield bytes(number[10:])


def _is_mac(number: Oid, value: Value) -> bool:
    if not isinstance(value, bytes) or len(value) != 6:
        return False
    return _below(number, _MACS) or not (value.isascii() and value.decode("ascii").isprintable())


class _Words:
    """What must not appear anywhere, in whatever case, and what stands in its place."""

    def __init__(
        self, seen: Mapping[Oid, Value], serials: tuple[Oid, ...], secrets: Iterable[str], stand_ins: StandIns
    ) -> None:
        self._serials = (*_SERIALS, *serials)
        found = {secret.encode().lower(): b"***" for secret in secrets if len(secret) > 2}
        for number, value in seen.items():
            if isinstance(value, bytes) and (known := self.known(number, value, stand_ins)) is not None:
                found |= dict.fromkeys(_parts(number, value.strip(b"\0 ").lower()), known)
        self._stand_ins = found
        every = sorted(found, key=len, reverse=True)
        self._regex = re.compile(b"|".join(map(re.escape, every))) if every else None

    def known(self, number: Oid, value: bytes, stand_ins: StandIns) -> bytes | None:
        """Return what stands for a value that is a name or a serial number; None if it is neither."""
        if not value.strip(b"\0 "):
            return None
        if _below(number, self._serials):
            return stand_ins.serial(value.strip(b"\0 "))
        if _below(number, NAMES) or (_below(number, _PORT_NAMES) and not _usual(value)):
            return stand_ins.name(value)
        return None

    def replaced(self, value: bytes) -> bytes:
        """Return the value with its stand-in for each word in it."""
        if self._regex is None:
            return value
        found, at = [], 0
        for match in self._regex.finditer(value.lower()):
            found += [value[at : match.start()], self._stand_ins[match[0]]]
            at = match.end()
        return b"".join((*found, value[at:])) if found else value


def _parts(number: Oid, word: bytes) -> Iterator[bytes]:
    """Yield a name and, of a host's, its first label and its domain: each may stand alone elsewhere."""
    host, _, domain = word.partition(b".") if _below(number, _HOST_NAMES) else (word, b"", b"")
    yield from (part for part in (word, host, domain) if len(part) > 2)


def _usual(name: bytes) -> bool:
    """Tell whether a port is called as devices call their ports themselves."""
    name = name.strip(b"\0 ").lower()
    words = set(re.findall(rb"[^\W\d_]+", name))
    numbers = re.findall(rb"\d+", name)
    plain = re.fullmatch(rb"[\w /.:,()*-]*", name)
    return bool(plain) and words <= WORDS_OF_PORTS and all(len(n) <= 5 for n in numbers)


def _index(number: Oid, macs: set[bytes], stand_ins: StandIns) -> Oid:
    """Return the OID with stand-ins for the addresses in its row's index."""
    if number[:9] == _OWN_V4 and len(number) == 14 and max(number[10:]) < 256:
        return (*number[:10], *stand_ins.ipv4(bytes(number[10:])))
    if (
        number[:9] == _OWN_V6
        and len(number) > 12
        and len(number) == 12 + number[11]
        and max(number[12:]) < 256
    ):
        own = bytes(number[12:])
        new = stand_ins.ipv4(own[:4]) + own[4:] if len(own) < 16 else stand_ins.ipv6(own[:16]) + own[16:]
        return (*number[:12], *new)
    return _within(number, macs, stand_ins)


def _within(number: Oid, macs: set[bytes], stand_ins: StandIns) -> Oid:
    for at in range(8, len(number) - 3):
        four, six = number[at : at + 4], number[at : at + 6]
        if len(six) == 6 and max(six) < 256 and bytes(six) in macs:
            return _within((*number[:at], *stand_ins.mac(bytes(six)), *number[at + 6 :]), set(), stand_ins)
        if max(four) < 256 and (
            four[:2] == (192, 168) or (sum(four) > 9 and bytes(four) in stand_ins.addresses)
        ):
            return (*number[:at], *stand_ins.ipv4(bytes(four)), *number[at + 4 :])
    return number


def _value(number: Oid, value: Value, words: _Words, macs: set[bytes], stand_ins: StandIns) -> Value:
    if isinstance(value, IpAddress):
        return IpAddress(stand_ins.ipv4(value))
    if not isinstance(value, bytes):
        return value
    if (known := words.known(number, value, stand_ins)) is not None:
        return known
    if _is_mac(number, value):
        return stand_ins.mac(value)
    if not (value.isascii() and value.rstrip(b"\0").decode("ascii").replace("\n", " ").isprintable()):
        value = _binary(value, macs, stand_ins)
    return stand_ins.text(words.replaced(value))


def _wordy(value: bytes) -> bool:
    return sum(0x20 <= octet < 0x7F for octet in value) > 11


def _binary(value: bytes, macs: set[bytes], stand_ins: StandIns) -> bytes:
    """Return octets that are no text with stand-ins for the addresses they are, and for the MACs in them."""
    if len(value) == 4 and (value in stand_ins.addresses or value[:2] == b"\xc0\xa8" or value[0] == 10):
        return stand_ins.ipv4(value)
    if len(value) == 16 and (value[0] & 0xE0 == 0x20 or value[0] in (0xFC, 0xFD, 0xFE)) and not _wordy(value):
        return stand_ins.ipv6(value)
    for at in range(min(len(value), 64) - 5):
        if value[at : at + 6] in macs:
            return value[:at] + stand_ins.mac(value[at : at + 6]) + value[at + 6 :]
    return value
