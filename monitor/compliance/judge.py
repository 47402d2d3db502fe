"""One rule on one configuration: met, broken with the lines that say so, or unknown with the reason. Pure.

A rule is compiled once for all devices. Its patterns are only tried on lines that begin with the word that a pattern
begins with, so that a fleet of configurations is judged in seconds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from inventory.findings import Verdict
from monitor.compliance.format import PARAMETER, Only, Rule
from monitor.compliance.scrub import scrubbed
from monitor.compliance.sections import Document, Section
from siaga.expressions import prompt
from siaga.text import safe

Params = Mapping[str, Any]
_FIRST_WORD = re.compile(r"\^([\w/-]+)(?:\$$|\\b| (?![?*+{]))")
EVIDENCE = 8  # lines that are kept of one answer
_LINE = 160


@dataclass(frozen=True)
class Answer:
    """What a rule says of a configuration. `evidence`: lines of it, scrubbed; or what is not there."""

    verdict: Verdict
    reason: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filled:
    """A pattern with a device's parameters in it: what is searched, in lines of which first word, as it is shown."""

    search: Any
    word: str
    shown: str


def judge(rule: Rule, doc: Document, params: Params) -> Answer:
    """Return what a rule says of a configuration."""
    if rule.when and not _meant(rule, doc, params):
        return Answer(Verdict.none, "It is not for this device.")
    if lacking := [p for p in rule.parameters if params.get(p) in (None, "", [], ())]:
        return Answer(Verdict.unknown, f"The inventory does not say {' and '.join(lacking)} of it.")
    scopes = list(_scopes(rule, doc, params))
    if not scopes:
        return _missing(rule, params)
    asked = _asked(rule, params)
    found = [list(_wrong(asked, scope)) for scope in scopes]
    wrong = [line for part in found for line in part]
    if wrong and (rule.each or all(found)):
        return Answer(Verdict.broken, _reason(wrong), tuple(wrong[:EVIDENCE]))
    return Answer(Verdict.met)


def _meant(rule: Rule, doc: Document, params: Params) -> bool:
    search = _filled(rule.when).search
    if not rule.when_section:
        return any(map(search, doc.everything))
    return any(any(map(search, s.lines)) for s in _sections(rule.when_section, doc, params))


def _missing(rule: Rule, params: Params) -> Answer:
    if rule.missing == "met":
        return Answer(Verdict.met)
    shown = " › ".join(_plain(_with(p, params)[0]) for p in rule.section)
    return Answer(Verdict(rule.missing), f"There is no section {shown}.", (f"missing: {shown}",))


def _reason(wrong: Sequence[str]) -> str:
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return f"{wrong[0]}{more}"


@dataclass(frozen=True)
class _Scope:
    """Lines that a rule looks at, and how their place is told."""

    where: str
    lines: Sequence[str]
    index: Document | None = None

    def of(self, word: str) -> Sequence[str]:
        return self.index.lines(word) if self.index is not None else self.lines


def _scopes(rule: Rule, doc: Document, params: Params) -> Iterator[_Scope]:
    if rule.any_line:
        yield _Scope("", doc.everything)
    elif not rule.section:
        yield _Scope("", doc.top, doc)
    else:
        for section in _sections(rule.section, doc, params):
            yield _Scope(section.header, section.lines)


def _sections(path: Sequence[str], doc: Document, params: Params) -> list[Section]:
    """Return the sections whose headers, from outside in, are as the path says."""
    first, *rest = (_all_filled(p, params) for p in path)
    found = [s for f in first for s in doc.below(f.word) if f.search(s.header)]
    for filled in rest:
        found = [i for s in found for i in s.inner if any(f.search(i.header) for f in filled)]
    return found


@dataclass(frozen=True)
class _Asked:
    """What a rule asks with one device's parameters in it. `only`: a pattern, the values allowed, their kind."""

    there: tuple[Filled, ...]
    absent: tuple[Filled, ...]
    only: tuple[tuple[Filled, frozenset[str], str], ...]


def _asked(rule: Rule, params: Params) -> _Asked:
    return _Asked(
        tuple(f for p in rule.must_have for f in _all_filled(p, params)),
        tuple(f for p in rule.must_not_have for f in _all_filled(p, params)),
        tuple((f, _allowed(o, params), o.kind) for o in rule.only for f in _all_filled(o.regex, params)),
    )


def _allowed(only: Only, params: Params) -> frozenset[str]:
    return frozenset(map(str, _values(params[only.param])))


def _wrong(asked: _Asked, scope: _Scope) -> Iterator[str]:
    """Yield what is wrong in one scope: what is not there, and lines that should not be."""
    where = f"{safe(scope.where, 60)}: " if scope.where else ""
    for filled in asked.there:
        if not any(map(filled.search, scope.of(filled.word))):
            yield f"{where}missing: {filled.shown}"
    for filled in asked.absent:
        for line in scope.of(filled.word):
            if filled.search(line):
                yield where + shown(line, scope.where)
    for filled, allowed, kind in asked.only:
        for line in scope.of(filled.word):
            found = filled.search(line)
            if found and not _within(found["value"] or "", allowed, kind):
                yield where + shown(line, scope.where)


def _within(value: str, allowed: frozenset[str], kind: str) -> bool:
    if kind == "text":
        return value.strip("\"'") in allowed
    return all(str(n) in allowed for n in numbers(value))


_SPAN = re.compile(r"(\d{1,5})(?:(?: to |-)(\d{1,5}))?")


def numbers(text: str) -> Iterator[int]:
    """Yield the numbers of a list such as 10,20-29 or 10 20 to 29; `all` is 1 to 4094, `none` none."""
    if text.strip() in ("all", "any"):
        yield from range(1, 4095)
        return
    for found in _SPAN.finditer(text[:4000]):
        first, last = int(found[1]), int(found[2] or found[1])
        yield from range(first, min(last, first + 4094) + 1)


def shown(line: str, section: str = "") -> str:
    """Return a line of a configuration as evidence: without secrets, safe to show, not too long."""
    return safe(scrubbed(line, section), _LINE)


# --- patterns --------------------------------------------------------------------------------------------


def _all_filled(pattern: str, params: Params) -> list[Filled]:
    return [_filled(text) for text in _with(pattern, params)]


def _with(pattern: str, params: Params) -> list[str]:
    """Return the pattern with its parameters in it: one for each value of a list."""
    texts = [pattern]
    for name in dict.fromkeys(m[1] for m in PARAMETER.finditer(pattern)):
        values = [re.escape(str(v)) for v in _values(params[name])]
        texts = [t.replace("{" + name + "}", v) for t in texts for v in values]
    return texts


def _values(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


@lru_cache(maxsize=1 << 14)
def _filled(pattern: str) -> Filled:
    word = _FIRST_WORD.match(pattern)
    return Filled(prompt(pattern).search, word[1] if word else "", _plain(pattern))


_GROUP = re.compile(r"(?<!\\)\((\?P<\w+>|\?:|\?<?[=!])?((?:\\.|[^()\\])*)\)([?*])?")


def _plain(pattern: str) -> str:
    """Return a pattern as a person reads it: what stands in it, without the signs of a regular expression."""
    text, before = pattern.removeprefix("(?i)").strip("^$"), ""
    while text != before:
        before, text = text, _GROUP.sub(_group, text)
    text = re.sub(r"\[[^\]]*\]\+?|\\S\+|\.[*+]", "…", text)
    text = re.sub(r"[\w\"]\?", "", text)
    text = re.sub(r"\\[bsSdwW][+*?]?|\$$", " ", text)
    return safe(re.sub(r"\\(.)", r"\1", text), _LINE)


def _group(found: re.Match[str]) -> str:
    """Return a group as words: nothing of one that may be left out or only looks, else its choices."""
    kind, inside, repeated = found.groups()
    choices = inside.split("|")
    if repeated or kind in ("?=", "?!", "?<=", "?<!") or any(not c.strip(" $") for c in choices):
        return ""
    return "…" if kind and kind.startswith("?P") else " or ".join(choices)
