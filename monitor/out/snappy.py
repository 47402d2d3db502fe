"""Snappy's block format, as remote write wants it: literals, and copies of what was written before. Pure.

No search for likeness: the writer says itself what it has written before (the labels of an interface, the name of a
metric), which is nearly all that is alike in such a message.
Source: github.com/google/snappy, format_description.txt.
"""

from monitor.out.varint import varint

_LEAST = 8  # octets worth a copy
_MOST = 64  # octets of one copy


class Block:
    """One compressed block, built from front to back; `again` is for what will be, or was, written once more."""

    def __init__(self) -> None:
        self.size = 0  # uncompressed
        self._parts: list[bytes] = []
        self._fresh: list[bytes] = []
        self._where: dict[bytes, int] = {}

    def literal(self, octets: bytes) -> None:
        """Write octets as they are."""
        self._fresh.append(octets)
        self.size += len(octets)

    def again(self, octets: bytes) -> None:
        """Write octets that are the same as before, if they were given to `again` before."""
        known = self._where.setdefault(octets, self.size)
        if known == self.size or len(octets) < _LEAST:
            self.literal(octets)
            return
        self._flush()
        self._parts.append(_copies(self.size - known, len(octets)))
        self.size += len(octets)

    def done(self) -> bytes:
        """Return the whole block."""
        self._flush()
        return varint(self.size) + b"".join(self._parts)

    def _flush(self) -> None:
        octets = b"".join(self._fresh)
        self._fresh.clear()
        if octets:
            self._parts += (_tag(len(octets)), octets)


def _tag(length: int) -> bytes:
    """Return the tag of a literal: the length less one in six bits, or 60 to 63 for one to four octets of it."""
    less = length - 1
    if less < 60:
        return bytes((less << 2,))
    octets = (less.bit_length() + 7) // 8
    return bytes(((59 + octets) << 2,)) + less.to_bytes(octets, "little")


def _copies(offset: int, length: int) -> bytes:
    """Return copies of at most 64 octets each; the offset is the same for all, as both ends move on."""
    wide = 2 if offset < 2**16 else 4
    back = offset.to_bytes(wide, "little")
    kind = 2 if wide == 2 else 3
    whole, rest = divmod(length, _MOST)
    found = bytes(((_MOST - 1) << 2 | kind,)) + back
    return found * whole + (bytes(((rest - 1) << 2 | kind,)) + back if rest else b"")
