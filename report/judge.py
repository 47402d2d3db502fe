"""Judges a period by a rubric: readings become levels, levels an index with its interval. Pure.

A row without enough data has no level. It counts as neither 0 nor 1: taken as 1 and as 5 it makes the interval.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from report import measures
from report.assessment import Assessment, Basis, Gate, Need, Number, Reading, Row, Score, Share
from report.counsel import next_step, reason, remark
from report.needs import Term
from report.numbers import number
from report.papers import holds, registered
from report.questions import Questions
from report.readings import shown
from report.records import Document
from report.rubric import LEVELS, Indicator, Loaded, Rubric, Step

LOWEST, HIGHEST = 1, 5
Has = Callable[[str, int], bool | None]


def assess(
    ask: Questions, loaded: Loaded, *, lang: str = "id", snapshot_sha256: str = "", only: str = ""
) -> Assessment:
    """Judge the period that `ask` answers for, row by row. `only`: the id of the one indicator that is wanted."""
    rubric = loaded.rubric
    has = register(ask.every(Document), ask.period.last_day)
    rows = tuple(judged(i, ask, rubric, has, lang) for i in rubric.indicators if only in ("", i.id))
    since, until = ask.period.since, ask.period.until
    days = [day for day, _, _ in ask.period.days()]
    first = days[0] if days else since.date()
    return Assessment(
        rubric=rubric.version,
        label=rubric.label.of(lang),
        since=first,
        until=ask.period.last_day + timedelta(days=1) if until > since else first,
        rows=rows,
        index=(index := score("index", rows)),
        band=band(rubric, index.value, lang),
        dimensions=tuple(score(d, (r for r in rows if r.dimension == d)) for d in rubric.dimensions),
        areas=tuple(score(a, (r for r in rows if r.area == a)) for a in rubric.areas),
        shares=shares(rows),
        gates=tuple(_gates(rubric, rows, lang)),
        frameworks=tuple((k, f.name, f.status) for k, f in rubric.frameworks.items()),
        snapshot_sha256=snapshot_sha256,
        rubric_sha256=loaded.sha256,
        lang=lang,
        zone=ask.period.zone,
        names=tuple(_names(rubric, lang)),
    )


def judged(row: Indicator, ask: Questions, rubric: Rubric, has: Has, lang: str) -> Row:
    """Measure one indicator and give it its level."""
    reading = measures.find(row.measure)(ask, rubric.limits)
    needs = tuple(needed(row, reading, has))
    level = level_of(row, reading, needs)
    told = replace(
        reading, value=reading.value if level is not None else None, note=remark(reading.note, lang)
    )
    return Row(
        id=row.id,
        name=row.name.of(lang),
        dimension=row.dimension,
        part=row.part,
        area=row.area,
        definition=row.definition.of(lang),
        formula=row.formula,
        weight=row.weight,
        target=row.target,
        reading=told,
        level=level,
        levels=tuple(_printed(row, lang)),
        official=row.measured == "official",
        basis=tuple(Basis(b.fw, str(b.ind or ""), b.crit) for b in row.basis),
        next_step=next_step(row, reading, level, needs, lang),
        measure=row.measure,
        direction=row.direction,
        min_coverage=row.min_coverage,
        official_levels=row.graded == "official",
        needs=needs,
        reason=reason(row, reading, level, needs, lang),
    )


def register(documents: Iterable[Document] | None, day: date) -> Has:
    """Return what says whether there is a document of a kind, dated at most so many days before `day` and still valid.

    A register that holds nothing at all is not kept, and says nothing; one that is kept says what it lacks.
    """
    some = registered(documents, day)

    def has(kind: str, days: int) -> bool | None:
        if not some:
            return None
        return any(d.kind == kind and holds(d, day, days) for d in some)

    return has


def needed(row: Indicator, reading: Reading, has: Has) -> Iterator[Need]:
    """Yield what the levels of a ladder need, and whether it holds."""
    terms: Mapping[str, Term] = dict(reading.terms)
    for level, _, needs in row.steps():
        yield from (Need(level, n.text, n.holds(terms, has)) for n in needs)


def level_of(row: Indicator, reading: Reading, needs: Iterable[Need]) -> int | None:
    """Return the level; None where the coverage is too small, or where what is not known would decide."""
    if reading.coverage < row.min_coverage:
        return None
    if row.direction == "ladder":
        return climbed(needs)
    return None if reading.value is None else reached(row, reading.value)


def climbed(needs: Iterable[Need]) -> int | None:
    """Return the highest level all of whose needs hold, with those below it; None if the next is not known."""
    some = list(needs)
    for level in LEVELS:
        found = [n.holds for n in some if n.level == level]
        if False in found:
            return level - 1
        if None in found:
            return None
    return HIGHEST


def reached(row: Indicator, value: Number) -> int:
    """Return the level of a value with two decimals, as it is printed."""
    up = row.direction == "higher"
    met = [n for n in LEVELS if (value >= row.bound(n) if up else value <= row.bound(n))]
    return max(met, default=LOWEST)


def score(name: str, rows: Iterable[Row]) -> Score:
    """Return the weighted mean of levels, and where it would lie if the unknown ones were all 1, or all 5."""
    some = list(rows)
    known = [(Fraction(str(r.weight)), r.level) for r in some if r.level is not None]
    weight, all_weight = sum(w for w, _ in known), sum(Fraction(str(r.weight)) for r in some)
    open_weight = all_weight - weight
    points = sum(w * level for w, level in known)
    if not all_weight:
        return Score(name, None, LOWEST, HIGHEST)
    return Score(
        name,
        shown(points / weight) if weight else None,
        shown((points + open_weight * LOWEST) / all_weight),
        shown((points + open_weight * HIGHEST) / all_weight),
        weight=float(all_weight),
        known_weight=float(weight),
    )


def shares(rows: Iterable[Row]) -> Share:
    """Count the rows that are good, moderate, poor, and without data."""
    levels = [r.level for r in rows]
    known = [n for n in levels if n is not None]
    return Share(
        good=sum(n >= 4 for n in known),
        moderate=sum(n == 3 for n in known),
        poor=sum(n <= 2 for n in known),
        no_data=len(levels) - len(known),
    )


def band(rubric: Rubric, value: float | None, lang: str) -> str:
    """Return what an index is called; '' where there is none."""
    fitting = [b for b in rubric.bands if value is not None and value >= b.least]
    return max(fitting, key=lambda b: b.least).name.of(lang) if fitting else ""


def _gates(rubric: Rubric, rows: Iterable[Row], lang: str) -> Iterator[Gate]:
    levels = {r.id: r.level for r in rows}
    for gate in rubric.gates:
        level = levels.get(gate.row)
        yield Gate(gate.row, gate.text.of(lang), None if level is None else level < gate.below)


def _printed(row: Indicator, lang: str) -> Iterator[tuple[int, str]]:
    sign = "≤" if row.direction == "lower" else "≥"
    for level in LEVELS:
        found = row.levels[level]
        if isinstance(found, Step):
            yield level, found.text.of(lang)
        else:
            decimals = 0 if found == int(found) else 2 if round(found, 1) != found else 1
            yield level, f"{sign} {number(found, decimals, lang)}"


def _names(rubric: Rubric, lang: str) -> Iterator[tuple[str, str]]:
    for key, dimension in rubric.dimensions.items():
        yield key, dimension.name.of(lang)
        yield from ((part, name.of(lang)) for part, name in dimension.parts.items())
    yield from ((key, name.of(lang)) for key, name in rubric.areas.items())
