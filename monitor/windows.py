"""What a periodic poll asks: windows of rows whose indexes are known, and the quick reading of what comes.

A window is one GETBULK: sysUpTime, and a few rows of all columns from a known index on. Its reply is read by one
regular expression, or by the C parser if that was built, and by the reference decoder where these do not match:
so neither can take what the reference would refuse (see ber.py). A regular expression belongs to the shape of a
window (columns, lengths of indexes) and not to a device: devices with other indexes share it.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from monitor import ber
from monitor.snmp_agent import Kind
from monitor.snmp_message import Template
from monitor.tables import SYS_UPTIME, Oid, Value

_UPTIME = ber.arcs(SYS_UPTIME)
_UPTIME_COLUMN = ber.arcs(SYS_UPTIME[:-1])
Values = list[Value | None]
Match = Callable[[bytes, int, int], re.Match[bytes] | None]
Kinds = tuple[tuple[int, int], ...]  # the tag of a value and how many octets it has, of each column
_Shape = tuple[tuple[bytes, ...], tuple[int, ...]]  # columns, and how long the indexes are
_patterns: dict[
    tuple[_Shape, Kinds, tuple[bytes, ...]], Match
] = {}  # the last: which indexes, if these alone
_wanted: dict[_Shape, int] = {}  # how often a shape without a pattern came
_PATTERNS = 512  # made at most; one takes about 50 kB and 20 to 50 ms to make, which is what
_OFTEN = 32  # so many windows cost by the reference: no device can make it dear with indexes of many lengths
_ANY: Kinds = ()
_POPULAR = (
    512  # windows that came this often get a pattern with their very indexes: most ports count from 1 on
)
_NUMBERS = frozenset((ber.INTEGER, ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS, ber.COUNTER64))
_COMPILED = 4096  # sysUpTime and the values that the C parser reads at most
_LONGEST = 100  # octets of a name, so that every length in its varbind has one octet
_from_bytes = int.from_bytes


def _parser() -> Any:
    """Return the C parser if it was built."""
    try:
        return import_module("monitor._fastber")
    except ImportError:
        return None


_c = _parser()
HAS_C = _c is not None


class Layout:
    """What is expected in a reply: sysUpTime, then row by row the columns at these indexes (as octets)."""

    __slots__ = (
        "_cells",
        "_hits",
        "_joined",
        "_kinds",
        "_match",
        "_misses",
        "_straight",
        "columns",
        "compiled",
        "indexes",
    )

    def __init__(self, columns: tuple[bytes, ...], indexes: tuple[bytes, ...]) -> None:
        self.columns = columns
        self.indexes = indexes
        self._joined = b"".join(indexes)
        self._cells = len(columns) * len(indexes)
        self._kinds = _ANY  # for which the pattern is
        self._match: Match | None = None
        self._straight: Match | None = None  # the pattern with the very indexes, once this window is popular
        self._hits = self._misses = 0
        few = self._cells < _COMPILED
        self.compiled = _c.Window(_UPTIME, columns, indexes) if _c is not None and few else None

    def by_pattern(self, data: bytes, start: int, end: int, values: Values, first: int) -> int | None:
        """Put the values of the rows in their places, from `first` on, and return sysUpTime.

        None, and nothing is put: not all are numbers that are not negative, so it must be looked at more closely.
        """
        match = self._straight or self._match or self._found(data, start, end)
        found = match(data, start, end)
        if found is None:
            self._missed()
            return None
        if self._straight is not None:  # the pattern holds the indexes themselves
            numbers = map(_from_bytes, found.groups())
        else:
            groups, step = list(found.groups()), len(self.columns) + 1
            if b"".join(groups[1::step]) != self._joined:
                return None
            del groups[1::step]
            numbers = map(_from_bytes, groups)
            self._hits += 1
            if self._hits == _POPULAR:
                self.specialise()
        ticks = next(numbers)
        values[first : first + self._cells] = numbers
        return ticks

    def specialise(self) -> None:
        """Take a pattern with these very indexes, which is a little quicker, while there is room for such."""
        if len(_patterns) < _PATTERNS // 2:
            self._straight = _made(self._shape(), self._kinds, self.indexes)

    def _shape(self) -> _Shape:
        return self.columns, tuple(map(len, self.indexes))

    def _take(self, kinds: Kinds) -> None:
        """Go by the pattern of this shape and these kinds."""
        self._match, self._kinds = _made(self._shape(), kinds), kinds
        self._straight = None

    def _found(self, data: bytes, start: int, end: int) -> Match:
        """Return the pattern of this shape of window; it is made when the shape has come often."""
        kinds = self._seen(data, start, end)
        shape = self._shape()
        if kinds is None:
            return _none
        if (shape, kinds, ()) in _patterns or _is_wanted(shape):
            self._take(kinds)
        elif len(_patterns) >= _PATTERNS:
            self._match = _none
        return self._match or _none

    def _missed(self) -> None:
        """Take the pattern for any kinds of numbers, once that for some kinds was in vain often."""
        self._misses += 1
        if self._misses == _OFTEN and self._match is not None and len(_patterns) < _PATTERNS:
            self._take(_ANY)

    def learn(self, data: bytes, start: int, end: int, *, anything: bool = False) -> None:
        """Make the pattern of this shape of window from a good reply, which shows of what kinds the values are.

        `anything`: one for numbers of any kinds instead, which is slower.
        """
        kinds = self._seen(data, start, end)
        if kinds is not None:
            self._take(_ANY if anything else kinds)

    def _seen(self, data: bytes, start: int, end: int) -> Kinds | None:
        """Return of what kinds the values in the first row of a good reply are, None for any other reply."""
        try:
            if self.by_reference(data, start, end) is None:
                return None
            kinds = tuple(ber.kinds(data, start, end)[1 : len(self.columns) + 1])
        except ber.Malformed:
            return None
        return kinds if all(tag in _NUMBERS for tag, _ in kinds) else _ANY

    def by_c(self, data: bytes, start: int, end: int, values: Values, first: int) -> int | None:
        """Do the same as `by_pattern`, for more: any value that the reference knows, but as sysUpTime."""
        if self.compiled is None:
            return None
        ticks: int | None = self.compiled.read(data, start, end, values, first)
        return ticks

    def by_reference(self, data: bytes, start: int, end: int) -> Values | None:
        """Return the values if the names are those expected, else None; raises Malformed."""
        found = ber.varbinds(data, start, end)
        if [name for name, _ in found] != self.names():
            return None
        return [value for _, value in found]

    def names(self) -> list[Oid]:
        """Return the OIDs that are expected."""
        rows = [ber.object_id(column + index) for index in self.indexes for column in self.columns]
        return [SYS_UPTIME, *rows]


def _is_wanted(shape: _Shape) -> bool:
    """Tell whether a shape came often enough, so that its pattern is worth to be made."""
    if len(_patterns) >= _PATTERNS:
        return False
    if len(_wanted) >= 8 * _PATTERNS:
        _wanted.clear()
    _wanted[shape] = often = _wanted.get(shape, 0) + 1
    return often >= _OFTEN


def _made(shape: _Shape, kinds: Kinds, indexes: tuple[bytes, ...] = ()) -> Match:
    match = _patterns.get((shape, kinds, indexes))
    if match is None:
        match = _patterns[shape, kinds, indexes] = pattern(*shape, kinds, indexes)
    return match


def pattern(
    columns: tuple[bytes, ...],
    lengths: tuple[int, ...],
    kinds: Kinds = _ANY,
    indexes: tuple[bytes, ...] = (),
) -> Match:
    """Return what matches the varbinds of a window whose indexes have so many octets, in whole.

    `kinds`: the tag of each column's values, and how many octets they have mostly; without, any number is matched.
    With `indexes` these alone are matched; else each is a group before the values of its row.
    """
    if not lengths or max(map(len, columns)) + max(lengths) > _LONGEST:
        return _none
    parts = [_varbind(_UPTIME, 0, b"", (ber.TIME_TICKS, 4))]
    for row, length in enumerate(lengths):
        for at, column in enumerate(columns):
            index = re.escape(indexes[row]) if indexes else _index(row, length, first=not at)
            parts.append(_varbind(column, length, index, kinds[at] if kinds else None))
    return re.compile(b"".join(parts), re.DOTALL).fullmatch


def _index(row: int, length: int, *, first: bool) -> bytes:
    return b"(?P<r%d>%s)" % (row, b"." * length) if first else b"(?P=r%d)" % row


def _none(_data: bytes, _start: int, _end: int) -> None:
    """Match nothing: every reply goes to the reference decoder."""


def _varbind(name: bytes, length: int, index: bytes, kind: tuple[int, int] | None) -> bytes:
    """Return the pattern of one varbind with a number that is not negative, which is its last group."""
    size = len(name) + length
    named = b"\\x06" + _octet(size) + re.escape(name) + index
    if kind == (ber.INTEGER, 1):
        return b"0" + _octet(size + 5) + named + b"\\x02\\x01([\\x00-\\x7f])"
    tag = _octet(kind[0]) if kind else b"(?:[ABCF]|\\x02(?=.[\\x00-\\x7f]))"
    order = sorted(_octets_of(kind and kind[0]), key=lambda octets: abs(octets - (kind[1] if kind else 4)))
    numbers = b"|".join(_number(size, octets, kind and kind[0]) for octets in order)
    return b"0." + named + tag + b".(" + numbers + b")"


def _octets_of(tag: int | None) -> range:
    """Return how many octets a number can have: Counter32, Gauge32 and TimeTicks five, of which the first is zero."""
    return range(1, 10 if tag in (None, ber.COUNTER64) else 9 if tag == ber.INTEGER else 6)


def _number(size: int, octets: int, tag: int | None) -> bytes:
    """Return the pattern of a value of so many octets: looking back, both lengths before it must agree with it."""

    def behind(tag: bytes = b"") -> bytes:
        between = b".{%d}+" % (size + 3 - bool(tag))  # possessive: it is one step and not many
        return b"(?<=" + _octet(size + 4 + octets) + between + tag + _octet(octets) + b")"

    content = b"." * octets
    if tag == ber.INTEGER:
        return behind() + b"[\\x00-\\x7f]" + content[1:]
    wide = tag == ber.COUNTER64
    if octets < 5 or (wide and octets < 9):
        return behind() + content
    if tag is not None:
        return behind() + b"\\x00" + content[1:]
    if octets == 5:
        return b"(?:" + behind(b"F") + b"|" + behind() + b"(?=\\x00))" + content
    return behind(b"F") + (b"\\x00" + content[1:] if octets == 9 else content)


def _octet(number: int) -> bytes:
    return re.escape(bytes((number,)))


class Step:
    """One request of a plan, and where its values go: rows of a window, or cells one by one."""

    __slots__ = ("cells", "compiled", "end", "first", "layout", "names", "request", "start")

    def __init__(
        self,
        request: Template,
        start: int,
        end: int,
        layout: Layout | None = None,
        names: tuple[Oid, ...] = (),
        cells: tuple[int, ...] = (),
    ) -> None:
        self.request = request
        self.start = start  # the first row, and the one after the last
        self.end = end
        self.first = start * len(layout.columns) if layout else 0  # the place of the first value
        self.compiled = layout.compiled if layout else None
        self.layout = layout
        self.names = names
        self.cells = cells


# Puts the values of a window's rows in their places and returns sysUpTime, or None for what it cannot say.
Quick = Callable[[Layout, bytes, int, int, Values, int], int | None]


@lru_cache(maxsize=8192)
def bulk(columns: tuple[Oid, ...], before: Oid, indexes: tuple[Oid, ...], start: int) -> Step:
    """Return the GETBULK of these rows, which follow the row `before` (empty: they are the first)."""
    prefixes = tuple(ber.arcs(column) for column in columns)
    ends = tuple(ber.subids(index) for index in indexes)
    cursor = ber.subids(before)
    names = [_UPTIME_COLUMN, *(prefix + cursor for prefix in prefixes)]
    request = Template(Kind.getbulk, names, 1, len(indexes))
    return Step(request, start, start + len(indexes), Layout(prefixes, ends))


def exact(columns: Sequence[Oid], indexes: Sequence[Oid], cells: Sequence[int], start: int, end: int) -> Step:
    """Return the GET of single cells (row times columns plus column), and of sysUpTime."""
    width = len(columns)
    names = (SYS_UPTIME, *(columns[c % width] + indexes[c // width] for c in cells))
    request = Template(Kind.get, [ber.arcs(name) for name in names])
    return Step(request, start, end, None, names, tuple(cells))


@lru_cache(maxsize=1024)
def rows_that_fit(columns: tuple[Oid, ...], indexes: tuple[Oid, ...], octets: int) -> int:
    """Return how many rows about `octets` octets of varbinds hold, when values have three octets on the average."""
    widest = max((len(ber.subids(index)) for index in indexes), default=1)
    row = sum(len(ber.arcs(column)) + widest + 9 for column in columns)
    return max(1, (octets - 20) // row)


def quick_reader(parser: str) -> Quick:
    """Return what reads a window's varbinds with the parser `pure` or `c`.

    Raises ValueError for `c` where it was not built.
    """
    if parser == "c" and _c is None:
        raise ValueError("The C parser is not built: make fast builds it.")
    return Layout.by_c if parser == "c" else Layout.by_pattern
