"""From the lines of a device to the form that is kept and compared: noise left out, secrets masked. Pure.

Most lines are neither: one expression of everything that matters finds, in one pass over the whole text, the few lines
that must be looked at. A configuration of 1,500 lines takes some milliseconds.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from inventory.platform_format import Config
from monitor.configs import secrets
from siaga.expressions import linear
from siaga.text import safe

Mark = Callable[[str], str]
MASK = "<secret>"
_BEGINS_MASK = "<secret"
_SHORTEST = 4  # characters of a known secret that is looked for by itself
_OF_KEY_ID = 4  # a number so short is a key's number, not a key


@dataclass(frozen=True)
class Normal:
    """A configuration as it is kept: its lines with secrets masked, and who the device says changed it ('')."""

    lines: tuple[str, ...]
    author: str = ""

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "".join(line + "\n" for line in self.lines)


@dataclass(frozen=True)
class _Rules:
    """A platform's rules, compiled: `any` finds every line that one of them may touch, `restless` those of noise.

    `trivia` are whole lines that are noise, such as `!`; whether blank ones are is `blank`.
    """

    any: Any
    restless: Any
    trivia: frozenset[str]
    blank: bool
    noise: tuple[Any, ...]
    rewrite: tuple[tuple[Any, str], ...]
    salted: tuple[Any, ...]
    secrets: tuple[Any, ...]
    blocks: tuple[tuple[Any, Any, str], ...]
    within: tuple[tuple[Any, Any, Any], ...]
    author: Any


def normal(
    lines: Sequence[str], config: Config | None, mark: Mark, known: Collection[str] = frozenset()
) -> Normal:
    """Return the form that is kept. `mark` gives a keyed digest of a secret; `known` are secrets of the device.

    Without a `config`, as of a platform nobody knows, only secrets are masked.
    """
    lines = joined(lines, config.continued if config else "")
    rules = _compiled(config or _PLAIN)
    lines = _without_trivia(lines, rules)
    kept = list(_kept(lines, rules, mark, _touched(lines, rules.any)))
    found = (rules.author.search(line) for line in lines[:40]) if rules.author else ()
    author = next((safe(m.group("user"), 60) for m in found if m), "")
    if any(secret in line for line in kept for secret in known):
        kept = [_without(line, known, mark) for line in kept]
    while kept and not kept[0].strip():
        del kept[0]
    while kept and not kept[-1].strip():
        del kept[-1]
    return Normal(tuple(kept), author)


def secretless(text: str, config: Config | None) -> str:
    """Return a text with its secrets masked, and its noise in place: for one that nobody backed up."""
    quiet = (config or _PLAIN).model_copy(update={"noise": (), "rewrite": (), "author": ""})
    return normal(text.split("\n"), quiet, lambda _: MASK).text


def joined(lines: Sequence[str], continued: str) -> Sequence[str]:
    """Return the lines with those that go on in the next put together, as RouterOS breaks them."""
    if not continued:
        return lines
    out: list[str] = []
    going_on = False
    for line in lines:
        text = line.lstrip() if going_on else line
        ends = text.endswith(continued)
        text = text[: -len(continued)] if ends else text
        out[-1:] = [out[-1] + text] if going_on else [*out[-1:], text]
        going_on = ends
    return out


def noiseless(lines: Sequence[str], config: Config) -> str:
    """Return the text without what changes by itself, secrets in place: equal ones are equal configurations.

    A cheap look before the whole work: blocks are left as they are, so that unequal texts may still be equal forms.
    """
    rules = _compiled(config)
    lines = _without_trivia(joined(lines, config.continued), rules)
    out: list[str] = []
    done = 0
    for number in sorted(_touched(lines, rules.restless)):
        out += lines[done:number]
        if not any(noise.search(lines[number]) for noise in rules.noise):
            out.append(_plain(lines[number], rules, None))
        done = number + 1
    out += lines[done:]
    return "\n".join(out)


def prepare_for(config: Config) -> None:
    """Compile a platform's rules once, before many threads need them at one and the same moment."""
    noiseless(("",), config)
    normal(("",), config, str)


@cache
def rules_version(config: Config) -> str:
    """Return what names the rules that a configuration was cleaned by."""
    return sha256(repr((config, secrets.GENERAL, sorted(secrets.HARMLESS))).encode()).hexdigest()


_PLAIN = Config(commands=("",))


@cache
def _compiled(config: Config) -> _Rules:
    blocks = [(secrets.PEM_BEGINS, secrets.PEM_ENDS, MASK)]
    blocks += [(b.begins, b.ends, b.then) for b in config.blocks]
    within = [(w.begins, w.ends, w.regex) for w in config.within]
    hidden = (*config.secrets, *secrets.GENERAL)
    every = (*config.noise, *(r.regex for r in config.rewrite), *config.salted, *hidden)
    starts = (*(b[0] for b in blocks), *(w[0] for w in within))
    restless = (
        *(n for n in config.noise if not _TRIVIAL.fullmatch(n)),
        *every[len(config.noise) :][: _moving(config)],
    )
    return _Rules(
        any=_one_of((*(n for n in every if not _TRIVIAL.fullmatch(n)), *starts)),
        restless=_one_of(restless),
        trivia=frozenset(m[1] for n in config.noise if (m := _TRIVIAL.fullmatch(n)) and m[1] is not None),
        blank=_BLANK in config.noise,
        noise=tuple(map(linear, config.noise)),
        rewrite=tuple((linear(r.regex), r.then) for r in config.rewrite),
        salted=tuple(map(linear, config.salted)),
        secrets=tuple(map(linear, hidden)),
        blocks=tuple((linear(a), linear(b), then) for a, b, then in blocks),
        within=tuple((linear(a), linear(b), linear(c)) for a, b, c in within),
        author=linear(config.author) if config.author else None,
    )


_BLANK = r"^\s*$"
_TRIVIAL = re.compile(r"\^(?:([!#])|\\s\*)\$")  # ^!$, ^#$, ^\s*$


def _moving(config: Config) -> int:
    return len(config.rewrite) + len(config.salted)


def _one_of(patterns: Sequence[str]) -> Any:
    """Return one expression for all; of none, one that nothing matches."""
    return linear("(?m)" + "|".join(f"(?:{one})" for one in patterns) if patterns else r"\z.")


def _without_trivia(lines: Sequence[str], rules: _Rules) -> Sequence[str]:
    """Drop what is noise at a glance: lines with nothing, or nothing but the mark of a comment."""
    trivia = rules.trivia | {""} if rules.blank else rules.trivia
    return [line for line in lines if line not in trivia] if trivia else lines


def _touched(lines: Sequence[str], expression: Any) -> set[int]:
    """Return the numbers of the lines that an expression finds; a find that runs over lines touches them all."""
    text = "\n".join(lines)
    found: set[int] = set()
    at = number = 0
    for match in expression.finditer(text):
        start = match.start()
        number += text.count("\n", at, start)
        at = start
        found.update(range(number, number + text.count("\n", start, max(start, match.end() - 1)) + 1))
    return found


def _kept(lines: Sequence[str], rules: _Rules, mark: Mark, touched: set[int]) -> Iterator[str]:
    ending: Any = None  # of the block that is being left out
    inside: list[tuple[Any, Any]] = []  # sections that have secrets of their own: how they end, what they are
    for number, line in enumerate(lines):
        if ending is not None:
            ending = None if ending.search(line) else ending
            continue
        if inside:
            inside = [(end, what) for end, what in inside if not end.search(line)]
            line = _masked(line, (what for _, what in inside), mark)
        if number not in touched:
            yield line
            continue
        inside += [(end, what) for begins, end, what in rules.within if begins.search(line)]
        block = next(((m, b) for b in rules.blocks if (m := b[0].search(line))), None)
        if block is not None:
            match, (_, ends, then) = block
            ending = None if ends.search(line[match.end() :]) else ends
            if then:
                yield line[: match.start()] + then
            continue
        if not any(noise.search(line) for noise in rules.noise):
            yield _plain(line, rules, mark)


def _plain(line: str, rules: _Rules, mark: Mark | None) -> str:
    """Return a line with what moves rewritten and, with a mark, its secrets masked."""
    for regex, then in rules.rewrite:
        line = regex.sub(then, line)
    line = _masked(line, rules.salted, lambda _: MASK)
    return line if mark is None else _masked(line, rules.secrets, mark)


def _masked(line: str, expressions: Iterable[Any], mark: Mark) -> str:
    for expression in expressions:
        spans = [
            span
            for match in expression.finditer(line)
            for group in range(1, expression.groups + 1)
            if (span := match.span(group)) != (-1, -1) and _secret(line[span[0] : span[1]])
        ]
        for start, end in sorted(set(spans), reverse=True):
            line = line[:start] + mark(line[start:end]) + line[end:]
    return line


def _secret(value: str) -> bool:
    bare = value.strip("\"'")
    if not bare or _BEGINS_MASK in value or bare.lower() in secrets.HARMLESS:
        return False
    return not (bare.isdigit() and len(bare) < _OF_KEY_ID)


def _without(line: str, known: Collection[str], mark: Mark) -> str:
    """Mask the secrets of the vault wherever they stand, whatever stands before them."""
    for secret in known:
        if len(secret) >= _SHORTEST and secret in line:
            line = line.replace(secret, mark(secret))
    return line
