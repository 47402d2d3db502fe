"""A configuration as rules see it: lines at the top, and sections with their lines, found by their first word. Pure.

Four ways of writing are known (`Dialect`):

    indent    Cisco, Huawei, Ruijie, Comware, FRR: what belongs to a line stands indented below it
    fortios   FortiOS: config … end and edit … next; indented by itself, whether or not the text is
    routeros  RouterOS: a path such as /ip service, then its entries; a line ends with \\ where it goes on
    files     Linux: files one after another, each below `### NAME`, or `==> NAME <==` as tail(1) heads them

Nothing here fails on a text, whatever it is: what makes no sense has no sections.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Dialect = Literal["indent", "fortios", "routeros", "files"]
LONGEST = 2000  # characters of a line that are looked at
_BLANK = " \t"
_FILE = re.compile(r"(?:==> (/\S{1,200}) <==|### (/\S{1,200}|vtysh .{1,100}|end))$")
_BANNER = re.compile(r"(?:banner \S+|header \S+(?: information)?) +(\^C|\S)")


@dataclass(frozen=True)
class Section:
    """A line with what stands below it; the lines of deeper sections are among `lines` too, none of them indented."""

    header: str
    body: tuple[str, ...]

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines of the body without indentation, without comments."""
        return tuple(s for line in self.body if (s := line.strip()) and s not in ("!", "#"))

    @cached_property
    def inner(self) -> "tuple[Section, ...]":
        """The sections in this one."""
        return tuple(_sections(_undented(self.body)))


@dataclass(frozen=True)
class Document:
    """A configuration taken apart. `top`: the lines that stand in no section, and the headers of all."""

    top: Sequence[str]
    sections: Sequence[Section]
    by_word: Mapping[str, Sequence[str]] = field(repr=False)
    headed: Mapping[str, Sequence[Section]] = field(repr=False)

    @cached_property
    def everything(self) -> tuple[str, ...]:
        """Every line, wherever it stands, without indentation."""
        return (*self.top, *(line for s in self.sections for line in s.lines))

    def lines(self, word: str) -> Sequence[str]:
        """Return the top lines that begin with this word; all for ''."""
        return self.by_word.get(word, ()) if word else self.top

    def below(self, word: str) -> Sequence[Section]:
        """Return the sections whose header begins with this word; all for ''."""
        return self.headed.get(word, ()) if word else self.sections


def document(text: str, dialect: Dialect) -> Document:
    """Return a configuration taken apart."""
    lines = [line[:LONGEST].rstrip() for line in text.split("\n")] if len(text) < 1 << 25 else []
    top: list[str] = []
    sections: list[Section] = []
    for header, body in _PARTS[dialect](lines):
        top.append(header)
        if body:
            sections.append(Section(header, tuple(body)))
    if dialect == "routeros":
        top = [h for h in top if not h.startswith("#")]
    by_word: dict[str, list[str]] = {}
    for line in top:
        by_word.setdefault(line.partition(" ")[0], []).append(line)
    headed: dict[str, list[Section]] = {}
    for section in sections:
        headed.setdefault(section.header.partition(" ")[0], []).append(section)
    return Document(top, sections, by_word, headed)


Parts = Iterator[tuple[str, list[str]]]


def _indented(lines: Sequence[str]) -> Parts:
    """Yield each line at the left edge with the lines indented below it.

    Between separators (! and #) the edge may be elsewhere: Comware indents what stands at the top by one space.
    """
    header, until, edge = "", "", 0
    body: list[str] = []
    for line in lines:
        if until:  # within a banner nothing is configuration, whatever it looks like
            until = "" if until in line else until
        elif not line:
            continue
        elif line[0] == "!" or line == "#":
            if header:
                yield header, body
            header, body, edge = "", [], 0
        elif header and line[0] in _BLANK and (not edge or len(line) - len(line.lstrip()) > edge):
            body.append(line)
        else:
            if header:
                yield header, body
            bare = line.lstrip()
            header, body, edge = bare, [], len(line) - len(bare)
            if bare[0] in "bh" and (found := _BANNER.match(bare)):
                until = "" if found[1] in bare[found.end(1) :] else found[1]
    if header:
        yield header, body


def _fortios(lines: Sequence[str]) -> Parts:
    """Indent by config, edit, next and end, then take apart as any other."""
    depth, out = 0, []
    for raw in lines:
        line = raw.strip()
        word = line.partition(" ")[0]
        if word in ("end", "next"):
            depth = max(0, depth - 1)
            continue
        if line and not line.startswith("#"):
            out.append(" " * depth + line)
        if word in ("config", "edit"):
            depth = min(depth + 1, 32)
    return _indented(out)


def _routeros(lines: Sequence[str]) -> Parts:
    return menus(lines, LONGEST)


def menus(lines: Sequence[str], longest: int) -> Parts:
    """Yield each path with its entries; a path and its entry on one line (RouterOS 6) are taken apart.

    `longest`: characters of an entry that are kept.
    """
    bodies: dict[str, list[str]] = {}
    path = ""
    for line in entries(lines, longest):
        if line.startswith("/"):
            path, command = _path(line)
            bodies.setdefault(path, [])
            if command:
                bodies[path].append(command)
        elif path and not line.startswith("#"):
            bodies[path].append(line)
    yield from bodies.items()


def entries(lines: Sequence[str], longest: int) -> Iterator[str]:
    """Yield the lines of an /export, joined where one goes on in the next (a backslash at its end)."""
    held = ""
    for line in lines:
        whole = held + line.strip() if held else line.strip()
        if line.endswith("\\"):
            held = whole[:-1][:longest]
            continue
        held = ""
        if whole:
            yield whole[:longest]
    if held:
        yield held


_COMMANDS = frozenset(("add", "set", "remove", "print", "enable", "disable", "move", "unset", "reset"))


def _path(line: str) -> tuple[str, str]:
    """Return the path and the command of a line that begins with a slash."""
    words = line.split(" ")
    at = next((i for i, w in enumerate(words) if w in _COMMANDS), len(words))
    return " ".join(words[:at]), " ".join(words[at:])


def _files(lines: Sequence[str]) -> Parts:
    """Yield each file's name with its lines; comments of a configuration file are left out."""
    name = ""
    body: list[str] = []
    for line in lines:
        if found := _FILE.match(line):
            if name:
                yield name, body
            name, body = found[1] or found[2], []
        elif line.strip() and not line.lstrip().startswith("#"):
            body.append(line)
    if name:
        yield name, body


_PARTS: Mapping[Dialect, Callable[[Sequence[str]], Parts]] = {
    "indent": _indented,
    "fortios": _fortios,
    "routeros": _routeros,
    "files": _files,
}


def _undented(body: Sequence[str]) -> list[str]:
    """Return lines without the indentation that the least indented of them has."""
    widths = [len(line) - len(line.lstrip()) for line in body if line.strip()]
    width = min(widths, default=0)
    return [line[width:] for line in body]


def _sections(lines: Sequence[str]) -> Iterator[Section]:
    for header, body in _indented(lines):
        if body:
            yield Section(header, tuple(body))
