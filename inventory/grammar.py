"""The grammar of selectors: text becomes a small tree of frozen values, by lark (see select.py for the language)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from siaga.errors import UsageError
from siaga.text import safe

MAX_LENGTH = 4000
MAX_WORDS = 300

_GRAMMAR = r"""
?start: or_
?or_: and_ (_OR and_)*
?and_: not_ (_AND? not_)*
?not_: _NOT not_ -> negation
     | atom
?atom: "(" or_ ")"
     | PATH _MATCHES pattern -> matches
     | PATH _DIFFERS pattern -> differs
     | PATH OPERATOR value ("," value)* -> compared
     | TAG -> tagged
     | SAVED -> saved
     | WORD -> named
     | QUOTED -> named
pattern: QUOTED | REGEX
value: QUOTED | VALUE
_OR.4: /or(?=[\s(])/i
_AND.4: /and(?=[\s(])/i
_NOT.4: /not(?=[\s(])/i
PATH.3: /[A-Za-z_][\w.-]*(?=\s*(?:!=|!~|<=|>=|=|~|<|>))/
_MATCHES.3: /\s*~\s*/
_DIFFERS.3: /\s*!~\s*/
OPERATOR.2: /\s*(?:!=|<=|>=|=|<|>)\s*/
TAG.3: /tag:[\w.-]+/
SAVED.3: /@[\w.-]+/
QUOTED.3: /"[^"]*"|'[^']*'/
REGEX: /(?:[^\s()"']|\([^\s()]*\))+/
VALUE: /[^\s,()"']+/
WORD: /[^\s(),"'=!~<>@]+/
%ignore /\s+/
"""


@dataclass(frozen=True)
class Compare:
    """`path` `operator` one of `values`; operators: = != < <= > >= ~ (values holds one pattern)."""

    path: str
    operator: str
    values: tuple[str, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class All:
    """Every part holds; with no parts, true."""

    parts: tuple["Tree", ...] = ()


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Tree"


@dataclass(frozen=True)
class Saved:
    """The selector saved under this name."""

    name: str
    at: int = field(default=0, compare=False)


Tree = Compare | All | AnyOf | Not | Saved


class _Build(Transformer[Token, Tree]):
    def or_(self, parts: list[Tree]) -> Tree:
        return AnyOf(tuple(parts))

    def and_(self, parts: list[Tree]) -> Tree:
        return All(tuple(parts))

    @v_args(inline=True)
    def negation(self, part: Tree) -> Tree:
        return Not(part)

    @v_args(inline=True)
    def compared(self, path: Token, operator: Token, *values: str) -> Tree:
        return Compare(str(path), operator.strip(), values, path.start_pos or 0)

    @v_args(inline=True)
    def matches(self, path: Token, pattern: str) -> Tree:
        return Compare(str(path), "~", (pattern,), path.start_pos or 0)

    @v_args(inline=True)
    def differs(self, path: Token, pattern: str) -> Tree:
        return Not(self.matches([path, pattern]))

    @v_args(inline=True)
    def tagged(self, token: Token) -> Tree:
        return Compare("tags", "=", (token.removeprefix("tag:"),), token.start_pos or 0)

    @v_args(inline=True)
    def saved(self, token: Token) -> Tree:
        return Saved(token[1:], token.start_pos or 0)

    @v_args(inline=True)
    def named(self, token: Token) -> Tree:
        word = _unquoted(token)
        if "*" not in word:
            return Compare("name", "=", (word,), token.start_pos or 0)
        pattern = ".*".join(re.escape(part) for part in word.split("*"))
        return Compare("name", "~", (f"^{pattern}$",), token.start_pos or 0)

    @v_args(inline=True)
    def value(self, token: Token) -> str:
        return _unquoted(token)

    @v_args(inline=True)
    def pattern(self, token: Token) -> str:
        return _unquoted(token)


def _unquoted(token: Token) -> str:
    return str(token[1:-1]) if token[:1] in "\"'" else str(token)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="contextual", maybe_placeholders=False)


def parse(text: str) -> Tree:
    """Return the tree of a selector; the empty one selects all. Raises UsageError (`bad-selector`)."""
    if not text.strip():
        return All()
    if len(text) > MAX_LENGTH:
        raise UsageError("bad-selector", f"The selector is longer than {MAX_LENGTH} characters.")
    depth = max(text.count("("), len(re.findall(r"(?i)\bnot\b", text)))
    if len(text.split()) > MAX_WORDS or depth > MAX_WORDS // 6:
        raise UsageError(
            "bad-selector",
            f"The selector has more than {MAX_WORDS} words or is nested too deep: save a part of it as a group.",
        )
    try:
        return _Build().transform(_parser().parse(text))
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        raise pointed(
            text, len(text) if ended else error.pos_in_stream or 0, "this cannot stand here"
        ) from None
    except VisitError as error:  # pragma: no cover - the transformer has no failing branch
        raise UsageError("bad-selector", f"The selector cannot be read: {error}.") from None


def pointed(text: str, at: int, why: str) -> UsageError:
    """Return the error that points at character `at` of the selector."""
    shown = safe(text, 400)
    mark = " " * min(at, len(shown)) + "^"
    return UsageError("bad-selector", f"In the selector, {why}:\n  {shown}\n  {mark}")


def joined(arguments: Sequence[str]) -> str:
    """Join words of a command line into one selector.

    The shell has taken the quotes from `kecamatan='Pasar Kemis'`: an argument that is one comparison with a
    space in its value gets them back.
    """
    return " ".join(_requoted(a) for a in arguments)


def _requoted(argument: str) -> str:
    match = re.fullmatch(r"([\w.-]+\s*(?:!=|=|~))([^\"'()=<>~@]*\s[^\"'()=<>~@]*)", argument.strip())
    if not match or re.search(r"\s(?:and|or|not|tag:\S+)\s", match[2]):
        return argument
    return ",".join(f'"{part.strip()}"' for part in match[2].split(",")).join((match[1], ""))
