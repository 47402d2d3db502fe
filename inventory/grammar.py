"""The grammar of selectors: text becomes a small tree of frozen values, by lark (see select.py for the language).

A value or a name ends at a space unless it stands in quotes. The shell takes quotes away, so `joined` marks the
spaces of an argument that may be one value (`kecamatan=Pasar Kemis`) as LOOSE; what it was is decided where the
rows are known.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from siaga.errors import NotFoundError, UsageError
from siaga.text import pictured, safe

MAX_LENGTH = 4000
MAX_WORDS = 300
LOOSE = "\u00a0"
KEYWORDS = frozenset({"and", "or", "not"})

_GRAMMAR = r"""
?start: or_
?or_: and_ (_OR and_)*
?and_: not_ (_AND? not_)*
?not_: _NOT not_ -> negation
     | atom
?atom: "(" or_ ")"
     | PATH MATCHES pattern -> compared
     | PATH OPERATOR value ("," value)* -> compared
     | TAG -> tagged
     | SAVED -> saved
     | name ("," name)* -> named
pattern: QUOTED | REGEX
value: QUOTED | VALUE
name: QUOTED | WORD
_OR.4: /(?i:or)(?=[\s()]|\Z)/
_AND.4: /(?i:and)(?=[\s()]|\Z)/
_NOT.4: /(?i:not)(?=[\s()]|\Z)/
PATH.3: /[A-Za-z_][\w.-]*(?=\s*(?:!=|!~|<=|>=|=|~|<|>))/
MATCHES.3: /\s*!?~\s*/
OPERATOR.2: /\s*(?:!=|<=|>=|=|<|>)\s*/
TAG.3: /tag:[\w.-]+/
SAVED.3: /@(?:[\w.-]+|"[^"]*"|'[^']*')/
QUOTED.3: /"[^"]*"|'[^']*'/
REGEX: /(?:[^\s()"']|\u00a0|\([^\s()]*\))+/
VALUE: /(?:[^\s,()"']|\u00a0)+/
WORD: /(?!(?i:and|or|not)(?:[\s()]|\Z))[^\s(),"'=!~<>@](?:[^\s(),"'=!~<>@]|\u00a0)*/
%ignore /\s+/
"""


@dataclass(frozen=True)
class Compare:
    """`path` `operator` one of `values`; operators: = != < <= > >= ~ !~ (the last two have one value, a pattern).

    `at`: where it begins, `spots`: where its values do; `end`: where it ends, if a space in it is LOOSE.
    """

    path: str
    operator: str
    values: tuple[str, ...]
    at: int = field(default=0, compare=False)
    spots: tuple[int, ...] = field(default=(), compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Named:
    """Rows called by one of these names, which may hold * as a wildcard; the rest as in Compare."""

    names: tuple[str, ...]
    at: int = field(default=0, compare=False)
    spots: tuple[int, ...] = field(default=(), compare=False)
    end: int = field(default=0, compare=False)


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


Tree = Compare | Named | All | AnyOf | Not | Saved


class _Word(NamedTuple):
    """A value, a pattern or a name as it was read; `loose`: a space in it may end it."""

    text: str
    at: int
    end: int
    loose: bool


class _Build(Transformer[Token, Tree]):
    def or_(self, parts: list[Tree]) -> Tree:
        return AnyOf(tuple(parts))

    def and_(self, parts: list[Tree]) -> Tree:
        return All(tuple(parts))

    @v_args(inline=True)
    def negation(self, part: Tree) -> Tree:
        return Not(part)

    @v_args(inline=True)
    def compared(self, path: Token, operator: Token, *values: _Word) -> Tree:
        return Compare(str(path), operator.strip(), *_placed(path.start_pos or 0, values))

    @v_args(inline=True)
    def tagged(self, token: Token) -> Tree:
        at = token.start_pos or 0
        return Compare("tags", "=", (token.removeprefix("tag:"),), at, (at + len("tag:"),))

    @v_args(inline=True)
    def saved(self, token: Token) -> Tree:
        return Saved(token[1:].strip("\"'"), token.start_pos or 0)

    def named(self, words: list[_Word]) -> Tree:
        return Named(*_placed(words[0].at, words))

    @v_args(inline=True)
    def value(self, token: Token) -> _Word:
        at = token.start_pos or 0
        quoted = token[:1] in "\"'"
        text = str(token[1:-1] if quoted else token)
        return _Word(text, at, at + len(token), loose=not quoted and LOOSE in text)

    pattern = value
    name = value


def _placed(at: int, words: Sequence[_Word]) -> tuple[tuple[str, ...], int, tuple[int, ...], int]:
    """Return the texts, where the term begins, where each of them does, and where it ends if it is loose."""
    end = words[-1].end if any(w.loose for w in words) else 0
    return tuple(w.text for w in words), at, tuple(w.at for w in words), end


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
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _unreadable(text, error) from None
    # Outside of the `try`: what goes wrong in here is our fault, and must not be told as the user's.
    return _Build().transform(tree)


def _unreadable(text: str, error: UnexpectedInput) -> UsageError:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return pointed(text, len(text.rstrip()), "something is missing at the end")
    at = error.pos_in_stream or 0
    found = text[at : at + 1]
    if found in "\"'":
        return pointed(text, at, f"this {found} is not closed, or stands where nothing can be quoted")
    word = re.split(r"[\s()]", text[at:], maxsplit=1)[0] or found
    return pointed(text, at, f"'{safe(word, 40)}' cannot stand here")


def pointed(text: str, at: int, why: str, *, within: str = "selector") -> UsageError:
    """Return the error that points at character `at` of the selector."""
    return UsageError("bad-selector", _sentence(why, within), picture=pictured(text, at))


def unnamed(text: str, at: int, why: str, *, within: str = "selector") -> NotFoundError:
    """Return the error of a bare word that names no row; what is but one word needs no picture."""
    alone = not re.search(r"[\s(),]", text.strip().replace(LOOSE, "_"))
    picture = () if alone else pictured(text, at)
    sentence = f"{why[:1].upper()}{why[1:]}{_end(why)}" if alone else _sentence(why, within)
    return NotFoundError("nothing-selected", sentence, picture=picture)


def _sentence(why: str, within: str) -> str:
    return f"In the {within}, {why}{_end(why)}"


def _end(why: str) -> str:
    return "" if why.endswith((".", "?")) else "."


def joined(arguments: Sequence[str]) -> str:
    """Join words of a command line into one selector; raises UsageError (`empty-selector`).

    No argument at all means all rows. An empty one does not: it is a variable of the shell that nobody set.
    """
    if any(not a.strip() for a in arguments):
        raise UsageError(
            "empty-selector", "An empty selector would mean every row: write name~. where that is meant."
        )
    return " ".join(_loosened(a.replace(LOOSE, " ")) for a in arguments)


_TERM = re.compile(r"([A-Za-z_][\w.-]*\s*(?:!=|!~|<=|>=|=|~|<|>)\s*)?([^\s\"'()](?:[^\"'()]*[^\s\"'()])?)")
_OF_A_TERM = re.compile(r"[=<>!~@*]|^tag:|^(?:and|or|not)$", re.IGNORECASE)


def _loosened(argument: str) -> str:
    """Return an argument with its spaces marked, if it may be one value or one name that holds spaces.

    It may be where nothing else in it is a term: no comparison, wildcard, tag, group or keyword follows.
    """
    match = _TERM.fullmatch(argument.strip())
    if not match:
        return argument
    first, *others = match[2].split()
    if not others or any(_OF_A_TERM.search(w) for w in others):
        return argument
    if not match[1] and _OF_A_TERM.search(first):
        return argument
    return (match[1] or "") + re.sub(r"\s", LOOSE, match[2])
