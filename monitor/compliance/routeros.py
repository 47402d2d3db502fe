"""RouterOS's /export as paths with items, each a target with its keys; read from text, written as commands. Pure.

An item is `add` (one of a list) or `set` (of what is always there: a whole menu, `set telnet`, `set [ find … ]`).
Values are kept as they are meant: without quotation marks, escapes resolved; written, they get what they need.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from monitor.compliance.sections import menus

_LONGEST = 1 << 16  # characters of an entry: a script may be long
_PLAIN = re.compile(r"[A-Za-z0-9._:/,@!*+<>|~-]+")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "_": " "}
_WRITTEN = {v: f"\\{k}" for k, v in _ESCAPES.items() if k != "_"} | {c: f"\\{c}" for c in '"\\$?'}
_FIND = re.compile(r"\[ *find *(.*?) *\]$")


@dataclass(frozen=True)
class Item:
    """One entry. `target`: what a `set` is of: empty (the menu), a name, or a `[ find … ]`; of an `add` it is empty."""

    verb: str
    target: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def canonical(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """The same for two entries that say the same, whatever the order of their keys."""
        return self.verb, self.target, tuple(sorted(self.keys.items()))

    @property
    def text(self) -> str:
        """The entry as a command."""
        return " ".join(filter(None, (self.verb, self.target, assigned(self.keys))))


Export = Mapping[str, tuple[Item, ...]]


def parsed(text: str) -> Export:
    """Return an /export taken apart; a line that is neither add nor set is left out."""
    found = {}
    for path, lines in menus([line.rstrip() for line in text.split("\n")], _LONGEST):
        items = [item for line in lines if (item := entry(line)) is not None]
        found[path] = tuple(_joined(items))
    return {path: items for path, items in found.items() if items}


def entry(line: str) -> Item | None:
    """Return one line of an /export as an item, None for what is neither add nor set."""
    tokens = list(_tokens(line))
    if not tokens or tokens[0] not in ("add", "set"):
        return None
    target = ""
    rest = tokens[1:]
    if tokens[0] == "set" and rest and _key(rest[0]) is None:
        target, rest = _target(rest[0]), rest[1:]
    keys = {}
    for token in rest:
        name, value = _key(token) or (token, "")
        keys[name] = value
    return Item(tokens[0], target, keys)


def _target(token: str) -> str:
    found = _FIND.match(token)
    return f"[ find {' '.join(found[1].split())} ]" if found else token


def _joined(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, those that set the same target as one."""
    sets: dict[str, dict[str, str]] = {}
    adds = []
    for item in items:
        if item.verb == "set":
            sets.setdefault(item.target, {}).update(item.keys)
        else:
            adds.append(item)
    yield from (Item("set", target, keys) for target, keys in sets.items() if keys)
    yield from adds


def _key(token: str) -> tuple[str, str] | None:
    """Return the name and the value of key=value; None for what is no such pair."""
    name, sign, value = token.partition("=")
    if not sign or not re.fullmatch(r"!?[A-Za-z][\w.-]*", name):
        return None
    return name, _meant(value)


def _meant(value: str) -> str:
    """Return a value without its quotation marks and escapes."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return re.sub(r"\\([0-9A-F]{2}|.)", lambda m: _unescaped(m[1]), value[1:-1], flags=re.DOTALL)


def _unescaped(code: str) -> str:
    return chr(int(code, 16)) if len(code) == 2 else _ESCAPES.get(code, code)


def quoted(value: str) -> str:
    """Return a value as it is written in a command."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    if char in _WRITTEN:
        return _WRITTEN[char]
    return char if ord(char) >= 32 and not 0x7F <= ord(char) < 0xA0 else f"\\{ord(char):02X}"


def assigned(keys: Mapping[str, str]) -> str:
    """Return keys as they are written in a command; one that begins with ! stands alone."""
    return " ".join(k if k.startswith("!") and not v else f"{k}={quoted(v)}" for k, v in keys.items())


def _tokens(line: str) -> Iterator[str]:
    """Yield the words of a line; what stands in quotation marks or brackets is part of one word."""
    start, depth, inside, escaped = 0, 0, False, False
    for at, char in enumerate(line):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            inside = not inside
        elif inside:
            continue
        elif char in "[{(":
            depth += 1
        elif char in "]})":
            depth = max(0, depth - 1)
        elif char == " " and not depth:
            if at > start:
                yield line[start:at]
            start = at + 1
    if start < len(line):
        yield line[start:]
