"""A recorded device: its objects in a file of lines `OID|type|value`, and an agent that answers from them.

The form is that of snmpsim's .snmprec files, which other tools read and write as well; types are the BER tags in
decimal, with an `x` behind them where the value is in hex digits.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from monitor.snmp_agent import Answer, Windowed, windowed
from monitor.tables import SYS_UPTIME, IpAddress, Oid, Tables, Value, dotted, is_scalar, oid
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

_INTEGERS = {"2", "65", "66", "67", "70"}  # INTEGER, Counter32, Gauge32, TimeTicks, Counter64
_OCTETS = {"4", "68"}  # OCTET STRING, Opaque
_NONE = {"5", "128", "129", "130"}  # NULL and the exceptions of v2
_LONGEST = 1_000_000  # lines
_TOLD = 20  # lines that are none


def load(path: Path, left_out: list[str] | None = None) -> dict[Oid, Value]:
    """Return the objects of a recording; lines that are none are left out, and told in `left_out`.

    Recordings of other tools have such lines: numbers that were masked, values that a simulator is to make up.
    Raises NotFoundError (`no-such-file`), or InvalidError (`bad-recording`) if most lines are none.
    """
    try:
        lines = path.read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise NotFoundError("no-such-file", f"{path} cannot be read: {error.strerror}.") from None
    seen: dict[Oid, Value] = {}
    problems: list[str] = []
    for number, line in enumerate(lines[:_LONGEST], 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            name, value = _line(line)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if value is not None:
            seen[name] = value
    if len(problems) > len(seen):
        raise InvalidError("bad-recording", f"{path} is no recording of a device.", problems[:_TOLD])
    if left_out is not None:
        left_out += problems
    return dict(sorted(seen.items()))


def _line(line: str) -> tuple[Oid, Value | None]:
    try:
        name, tag, text = line.split("|", 2)
    except ValueError:
        raise ValueError("it is not OID|type|value") from None
    kind, simulated, _ = tag.partition(":")
    if simulated:
        raise ValueError("it says how to make values up")
    plain = kind.rstrip("xe")
    if plain in _INTEGERS:
        try:
            return oid(name), int(text)
        except ValueError:
            raise ValueError(f"{safe(text, 40)!r} is no number") from None
    if plain in _NONE:
        return oid(name), None
    if plain == "6":
        return oid(name), oid(text)
    if plain == "64":
        return oid(name), _address(text, hexadecimal="x" in kind)
    if plain in _OCTETS:
        return oid(name), _octets(text) if "x" in kind else text.encode("utf-8", "surrogateescape")
    raise ValueError(f"{tag!r} is no type")


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("its value has other than hex digits") from None


def _address(text: str, *, hexadecimal: bool) -> IpAddress:
    octets = bytes.fromhex(text) if hexadecimal else bytes(int(part) for part in text.split("."))
    if len(octets) != 4:
        raise ValueError(f"{text!r} is no IPv4 address")
    return IpAddress(octets)


def lines(seen: Mapping[Oid, Value]) -> Iterator[str]:
    """Yield the lines of a recording, in the order of a walk.

    What kind of integer a number was is not known any more: it is written as the smallest that holds it.
    """
    for name, value in sorted(seen.items()):
        match value:
            case int():
                tag = "2" if -(2**31) <= value < 2**31 else "66" if 0 <= value < 2**32 else "70"
                yield f"{dotted(name)}|{tag}|{value}\n"
            case IpAddress():
                yield f"{dotted(name)}|64|{'.'.join(map(str, value))}\n"
            case bytes():
                printable = value.isascii() and value.decode("ascii").isprintable()
                yield (
                    f"{dotted(name)}|4|{value.decode()}\n"
                    if printable
                    else f"{dotted(name)}|4x|{value.hex()}\n"
                )
            case tuple():
                yield f"{dotted(name)}|6|{dotted(value)}\n"


class RecordedAgent:
    """An Agent that answers from a recording; it never fails and never waits."""

    def __init__(self, seen: Mapping[Oid, Value]) -> None:
        self._tables = Tables(seen)

    async def get(self, oids: Sequence[Oid]) -> Answer:
        """Return the instances that are recorded."""
        return Answer({o: v for o in oids if (v := self._tables.seen.get(o)) is not None})

    async def peek(self, branches: Sequence[Oid]) -> Answer:
        """Return the first recorded instance in each branch."""
        return Answer(dict(pair for branch in branches for pair in islice(self._below(branch), 1)))

    async def walk(self, columns: Sequence[Oid]) -> Answer:
        """Return all recorded rows of the columns."""
        return Answer(dict(pair for column in columns for pair in self._below(column)))

    async def windows(self, columns: Sequence[Oid], indexes: Sequence[Oid]) -> Windowed:
        """Return the recorded cells of known rows."""
        cells = [(*column, *index) for index in indexes for column in columns]
        return windowed(await self.get([SYS_UPTIME, *cells]), columns, indexes)

    def _below(self, branch: Oid) -> Iterator[tuple[Oid, Value]]:
        if is_scalar(branch):
            if branch in self._tables.seen:
                yield branch, self._tables.seen[branch]
            return
        for index, value in self._tables.column(branch).items():
            yield branch + index, value
