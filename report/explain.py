"""One indicator explained in a terminal: what it says, on what, from which objects and samples, and what raises it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from report.assessment import Assessment, Basis, Need, Number, Row
from report.counsel import say, unit
from report.numbers import number
from report.questions import Questions
from report.records import Load, Polled, Quality
from siaga.text import safe

_MOST = 12  # names of a list
_WIDTH = 100
_INDENT = 22
_SAMPLED: Mapping[str, type] = {"rows/load": Load, "rows/quality": Quality, "rows/polled": Polled}


def explained(row: Row, assessment: Assessment, ask: Questions) -> str:
    """Return the explanation as text, in the language of the assessment."""
    lang = assessment.lang
    lines = [f"{row.id}  {row.name}", say("explain-internal", lang, version=assessment.rubric), ""]
    for key, value in _parts(row, assessment, ask):
        lines += _laid(say(f"explain-{key}", lang), value)
    return "\n".join(lines)


def _parts(row: Row, assessment: Assessment, ask: Questions) -> Iterator[tuple[str, str | Sequence[str]]]:
    lang, reading = assessment.lang, row.reading
    yield "definition", row.definition
    yield "formula", row.formula
    yield "official", _official(row, assessment)
    yield "period", f"{assessment.since} … {assessment.until}"
    if reading.value is not None:
        # The value of a ladder is one of its terms, in whatever that counts.
        of = "" if row.direction == "ladder" else unit(reading.unit, lang)
        yield "value", f"{_shown(reading.value, lang)} {of}".rstrip()
    if reading.numerator is not None:
        yield "numerator", _shown(reading.numerator, lang)
    if reading.counted is not None:
        count = _shown(reading.counted, lang)
        day = str(reading.as_of) if reading.as_of else ""
        yield "denominator", say("explain-as-of", lang, count=count, day=day) if day else count
    yield from _lists(row, lang)
    least = number(100 * row.min_coverage, 1, lang)
    yield "coverage", say("explain-least", lang, known=number(100 * reading.coverage, 1, lang), least=least)
    if reading.terms:
        yield "terms", ", ".join(f"{k} = {_term(v, lang)}" for k, v in reading.terms)
    yield "evidence", _evidence(row, ask) or "-"
    yield "levels", [_level(n, text, row, lang) for n, text in row.levels]
    if row.level is None:
        yield "level", say("explain-none", lang)
        yield "why", row.reason
    else:
        target = "-" if row.target is None else _shown(row.target, lang)
        yield "level", say("explain-reached", lang, level=str(row.level), target=target)
        if reading.note:
            yield "why", reading.note
    if row.next_step:
        yield "next", row.next_step


def _lists(row: Row, lang: str) -> Iterator[tuple[str, str]]:
    reading = row.reading
    met = set(reading.met)
    counted = ("counted", "uncounted") if row.direction == "lower" else ("met", "unmet")
    yield from (
        (key, _names(some, lang))
        for key, some in (
            (counted[0], reading.met),
            (counted[1], [n for n in reading.denominator if n not in met]),
            ("unknown", reading.unknown),
        )
        if some
    )
    if reading.missing:
        yield "missing", number(reading.missing, 0, lang)


def _names(some: Sequence[str], lang: str) -> str:
    head = ", ".join(safe(n, 80) for n in some[:_MOST])
    more = len(some) - _MOST
    return say("and-more", lang, names=head, count=number(more, 0, lang)) if more > 0 else head


def _official(row: Row, assessment: Assessment) -> list[str]:
    names = {key: name for key, name, _ in assessment.frameworks}
    found = [_basis(b, names, assessment.lang) for b in row.basis]
    return found or [say("explain-own", assessment.lang)]


def _basis(basis: Basis, names: Mapping[str, str], lang: str) -> str:
    parts = [names.get(basis.framework, basis.framework)]
    if basis.indicator:
        parts.append(say("explain-indicator", lang, number=basis.indicator))
    return ", ".join(parts) + (f": {basis.criterion}" if basis.criterion else "")


def _evidence(row: Row, ask: Questions) -> list[str]:
    """Return the evidence ids; of samples also those that the row's members rest on, with the hash of the samples."""
    found = list(row.reading.evidence[:_MOST])
    members = {*row.reading.denominator, *row.reading.unknown}
    for key, kind in _SAMPLED.items():
        if key in row.reading.evidence:
            facts: Sequence[object] = ask.every(kind) or ()
            some = [
                f"{kind.__name__.lower()}/{n}: {_bins(f)}" for f in facts if (n := _subject(f)) in members
            ]
            found += some[:_MOST]
    more = len(row.reading.evidence) - _MOST
    return [safe(f, 160) for f in found] + ([f"(+{more})"] if more > 0 else [])


def _subject(fact: object) -> str:
    return str(getattr(fact, "line", "") or getattr(fact, "device", ""))


def _bins(fact: object) -> str:
    sha256 = str(getattr(fact, "sha256", ""))[:16]
    if isinstance(fact, Polled):
        return f"{fact.answered_ms // 1000} s answered, {fact.silent_ms // 1000} s silent, sha256 {sha256}…"
    return f"{getattr(fact, 'bins', 0)} of {getattr(fact, 'window_bins', 0)} bins, sha256 {sha256}…"


def _level(level: int, text: str, row: Row, lang: str) -> str:
    mark = "→" if row.level == level else " "
    needs = "; ".join(_need(n, lang) for n in row.needs if n.level == level)
    return f"{mark} {level}  {text}" + (f"  [{needs}]" if needs else "")


def _need(need: Need, lang: str) -> str:
    return f"{need.text}: {say('open' if need.holds is None else 'yes' if need.holds else 'no', lang)}"


def _term(value: Number | bool | None, lang: str) -> str:
    if value is None:
        return say("open", lang)
    return say("yes" if value else "no", lang) if isinstance(value, bool) else _shown(value, lang)


def _shown(value: Number, lang: str) -> str:
    return number(value, 0 if value == int(value) else 2, lang)


def _laid(title: str, value: str | Sequence[str]) -> list[str]:
    """Return a title with its lines beside it, broken where a word ends."""
    texts = [value] if isinstance(value, str) else list(value)
    rows = [
        r for text in texts for r in textwrap.wrap(text, _WIDTH - _INDENT, subsequent_indent="  ") or [""]
    ]
    head, *rest = rows or [""]
    return [f"{title:<{_INDENT}}{head}".rstrip(), *(f"{'':<{_INDENT}}{r}".rstrip() for r in rest)]
