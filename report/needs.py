"""What a level of a ladder needs, as one line of a rubric: parsed once, answered in three values. No Python is run.

    p == 100                      a term of the measure against a number: ==, >=, >, <=, <
    ups_monitored                 a term that is true or not
    evidence(laporan_reviu, 365d) a valid document of this kind, dated at most so many days before the end of the period
    a and b, a or b, (a)          `and` binds closer; what is not known stays so unless the other side decides

A term that the measure does not tell is not known.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from siaga.errors import InvalidError
from siaga.text import safe

_TOKEN = re.compile(
    r"\s*(?:(?P<evidence>evidence\(\s*(?P<kind>[a-z0-9_]+)\s*,\s*(?P<days>[0-9]{1,5})d\s*\))"
    r"|(?P<open>\()|(?P<close>\))|(?P<op>==|>=|<=|>|<)"
    r"|(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6})?)|(?P<word>[a-z][a-z0-9_]*))"
)
_LONGEST = 300
Term = int | float | bool | None
_OPS: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}


class Node(Protocol):
    """A part of a need."""

    def holds(self, terms: Mapping[str, Term], has: Callable[[str, int], bool | None]) -> bool | None:
        """Return whether it holds; None: not known. `has`: whether there is a document of a kind, so fresh."""


@dataclass(frozen=True)
class Compared:
    """A term against a number, or (without `op`) a term that is true."""

    name: str
    op: str = ""
    number: float = 0.0

    def holds(self, terms: Mapping[str, Term], has: Callable[[str, int], bool | None]) -> bool | None:
        """Return whether it holds."""
        value = terms.get(self.name)
        if value is None:
            return None
        return _OPS[self.op](float(value), self.number) if self.op else bool(value)


@dataclass(frozen=True)
class Evidence:
    """A document of a kind, at most so many days old."""

    kind: str
    days: int

    def holds(self, terms: Mapping[str, Term], has: Callable[[str, int], bool | None]) -> bool | None:
        """Return whether there is one."""
        return has(self.kind, self.days)


@dataclass(frozen=True)
class Both:
    """Two parts joined by `and`, or by `or`."""

    word: str
    left: Node
    right: Node

    def holds(self, terms: Mapping[str, Term], has: Callable[[str, int], bool | None]) -> bool | None:
        """Return whether it holds: one side decides if it can."""
        decisive = self.word == "or"
        found = (self.left.holds(terms, has), self.right.holds(terms, has))
        if decisive in found:
            return decisive
        return None if None in found else not decisive


@dataclass(frozen=True)
class Need:
    """A need as it is written, and what it means."""

    text: str
    node: Node

    def holds(self, terms: Mapping[str, Term], has: Callable[[str, int], bool | None]) -> bool | None:
        """Return whether it holds; None: not known."""
        return self.node.holds(terms, has)

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of documents that it asks for."""
        return tuple(n.kind for n in _leaves(self.node) if isinstance(n, Evidence))

    def documents(self) -> tuple[tuple[str, int], ...]:
        """Return the kinds of documents that it asks for, with how many days old they may be."""
        return tuple((n.kind, n.days) for n in _leaves(self.node) if isinstance(n, Evidence))

    def names(self) -> tuple[str, ...]:
        """Return the terms that it asks for."""
        return tuple(n.name for n in _leaves(self.node) if isinstance(n, Compared))


def _leaves(node: Node) -> Iterator[Node]:
    if isinstance(node, Both):
        yield from _leaves(node.left)
        yield from _leaves(node.right)
    else:
        yield node


def parse(text: str) -> Need:
    """Read one need. Raises InvalidError (`bad-need`) that says where it ends to be one."""
    tokens = list(_tokens(text))
    node, rest = _either(tokens, 0, text)
    if rest != len(tokens):
        raise _bad(text)
    return Need(text, node)


def _bad(text: str) -> InvalidError:
    return InvalidError("bad-need", f"'{safe(text, 80)}' is no need: write p >= 80, or evidence(KIND, 365d).")


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or len(text) > _LONGEST:
            raise _bad(text)
        yield found
        at = found.end()


def _joined(
    word: str, part: Callable[[list[re.Match[str]], int, str], tuple[Node, int]]
) -> Callable[[list[re.Match[str]], int, str], tuple[Node, int]]:
    def read(tokens: list[re.Match[str]], at: int, text: str) -> tuple[Node, int]:
        left, at = part(tokens, at, text)
        while at < len(tokens) and tokens[at]["word"] == word:
            right, at = part(tokens, at + 1, text)
            left = Both(word, left, right)
        return left, at

    return read


def _one(tokens: list[re.Match[str]], at: int, text: str) -> tuple[Node, int]:
    if at >= len(tokens):
        raise _bad(text)
    token = tokens[at]
    if token["evidence"]:
        return Evidence(token["kind"], int(token["days"])), at + 1
    if token["open"]:
        node, at = _either(tokens, at + 1, text)
        if at >= len(tokens) or not tokens[at]["close"]:
            raise _bad(text)
        return node, at + 1
    if not token["word"] or token["word"] in ("and", "or"):
        raise _bad(text)
    if at + 1 < len(tokens) and tokens[at + 1]["op"]:
        if at + 2 >= len(tokens) or not tokens[at + 2]["number"]:
            raise _bad(text)
        return Compared(token["word"], tokens[at + 1]["op"], float(tokens[at + 2]["number"])), at + 3
    return Compared(token["word"]), at + 1


_all = _joined("and", _one)
_either = _joined("or", _all)
