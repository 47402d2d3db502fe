"""What an SNMP device said, as one flat mapping from OID to value, and pure functions that read it.

A value is an int (INTEGER, Counter, Gauge, TimeTicks), bytes (OCTET STRING, IpAddress, Opaque) or a tuple
(OBJECT IDENTIFIER). Absent instances are absent from the mapping. A recording of a device has the same shape.
"""

import math
import re
import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cache

from siaga.expressions import prompt
from siaga.text import decoded, safe

Oid = tuple[int, ...]
Value = int | bytes | Oid
Varbinds = Mapping[Oid, Value]
# Opaque Float and Opaque Double, as net-snmp writes them: a tag and a length of their own, then IEEE 754.
_FLOATS = {(b"\x9f\x78\x04", 7): ">f", (b"\x9f\x79\x08", 11): ">d"}
_NUMBER = re.compile(r"[-+]?\d{1,18}(?:\.\d{1,9})?")


class IpAddress(bytes):
    """Four octets of SNMP's type IpAddress: a recording must know them from four octets of anything else."""

    __slots__ = ()


@cache
def oid(dotted: str) -> Oid:
    """Return `1.3.6.1` as (1, 3, 6, 1)."""
    return tuple(int(part) for part in dotted.strip(".").split("."))


def dotted(number: Oid) -> str:
    """Return (1, 3, 6, 1) as `1.3.6.1`."""
    return ".".join(map(str, number))


def is_scalar(number: Oid) -> bool:
    """Tell whether the OID is an instance of a scalar (it ends in .0) and not a column."""
    return number[-1] == 0


def instance(of: Oid, index: Oid) -> Oid:
    """Return the OID of the row `index` in a column, or of the scalar itself."""
    return of if is_scalar(of) else of + index


SYS_UPTIME = oid("1.3.6.1.2.1.1.3.0")
ENGINE_ID = oid("1.3.6.1.6.3.10.2.1.1.0")  # snmpEngineID (RFC 3411)


class Tables:
    """The mapping with its keys in order, so that a column is a slice and not a search through everything."""

    def __init__(self, seen: Varbinds) -> None:
        self.seen = dict(seen)
        self._order = sorted(self.seen)

    def column(self, of: Oid) -> dict[Oid, Value]:
        """Return the column's values by row index, in order; of a scalar, one value with index (0,)."""
        if is_scalar(of):
            return {(0,): self.seen[of]} if of in self.seen else {}
        size = len(of)
        start = bisect_left(self._order, of)
        end = bisect_left(self._order, (*of[:-1], of[-1] + 1))
        return {key[size:]: self.seen[key] for key in self._order[start:end] if len(key) > size}

    def text(self, of: Oid, limit: int = 255) -> str:
        """Return one instance as safe text; empty if it is absent."""
        return as_text(self.seen.get(of), limit)

    def number(self, of: Oid) -> int | None:
        """Return one instance as an integer, or None."""
        value = self.seen.get(of)
        return value if isinstance(value, int) else None


def as_text(value: Value | None, limit: int = 255) -> str:
    """Return a value as safe text of one line: what a person would call it."""
    match value:
        case None:
            return ""
        case bytes():
            return decoded(value.strip(b"\0"), limit)
        case tuple():
            return safe(dotted(value), limit)
        case _:
            return str(value)


def as_name(value: Value | None, limit: int = 255) -> str:
    """Return a name as safe text that keeps its runs of spaces: a port is called exactly as the device calls it.

    It ends at the first NUL, as C's strings do: behind it stands what was in the buffer before.
    """
    if not isinstance(value, bytes):
        return as_text(value, limit)
    words = [
        decoded(word, limit) for word in value[: limit * 4].strip(b"\0 ").partition(b"\0")[0].split(b" ")
    ]
    return " ".join(words)[:limit]


def as_mac(value: Value | None) -> str:
    """Return six octets as 00:11:22:33:44:55; '' for anything else."""
    return value.hex(":") if isinstance(value, bytes) and len(value) == 6 else ""


def host_mac(value: Value | None) -> str:
    """Return a host's MAC; '' for none, for zeros, and for a group's (its first bit is set)."""
    mac = as_mac(value)
    return "" if not mac or mac == "00:00:00:00:00:00" or int(mac[:2], 16) & 1 else mac


def as_number(value: Value | None, regex: str = "") -> float | None:
    """Return a value as a number: an integer, net-snmp's float, or the first number in text (`regex`: its group)."""
    if isinstance(value, int):
        return float(value)
    if not isinstance(value, bytes):
        return None
    if (real := _FLOATS.get((value[:3], len(value)))) is not None:
        number = float(struct.unpack(real, value[3:])[0])
        return number if math.isfinite(number) else None
    text = picked(as_text(value), regex) if regex else as_text(value)
    found = _NUMBER.search(text)
    return float(found.group()) if found else None


def picked(text: str, regex: str, template: str = "") -> str:
    """Return what `regex` finds in the text: its groups in `template`, its first group, or the whole match."""
    if not regex:
        return text
    found = prompt(regex).search(text)
    if not found:
        return ""
    groups = [g or "" for g in found.groups()]
    if template:
        return template.format(*groups).strip()
    return (groups[0] if groups else found.group()).strip()


def chunks(items: list[Oid], size: int) -> Iterator[list[Oid]]:
    """Cut a list into pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
