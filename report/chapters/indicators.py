"""Indicators as printed: a line each in their chapter, and a record each in the annex that says all behind it."""

from collections.abc import Iterable, Sequence

from report.assessment import Assessment, Number, Reading, Row
from report.books import Matter
from report.figures import Block, Level, Levels, Record, Tone
from report.glyphs import printable
from report.language import Tongue
from report.readings import PERCENT

FEW = 10  # names of a list that a record prints; all are in the JSON
_NEEDS = {True: "✓", False: "×", None: "○"}
LONG = 900  # characters of a text from the rubric


def tone(level: int | None) -> Tone:
    """Good is 4 and 5, moderate 3, poor 1 and 2; without data there is no judgement."""
    if level is None:
        return Tone.unknown
    return Tone.good if level >= 4 else Tone.warn if level == 3 else Tone.bad


def amount(value: Number | None, unit: str, t: Tongue) -> str:
    """Return a reading's value with its unit, or that there is not enough data."""
    if value is None:
        return t.say("not-enough")
    shown = t.number(value, 0 if float(value).is_integer() else 2)
    return f"{shown}%" if unit == PERCENT else f"{shown} {t.known('unit', unit).shown}" if unit else shown


def result(row: Row, t: Tongue) -> str:
    """Return what was found: the value, or of a ladder the step that was reached."""
    if row.direction == "ladder":
        return t.say("not-enough") if row.level is None else t.say("step", level=t.number(row.level))
    return amount(row.reading.value, row.reading.unit, t)


def target(row: Row, t: Tongue) -> str:
    """Return the target as the rubric says it: a level of a ladder, or a value."""
    if row.target is None:
        return t.say("none")
    if row.direction == "ladder":
        return t.say("step", level=t.number(row.target))
    return amount(row.target, row.reading.unit, t)


def level(row: Row, t: Tongue) -> Level:
    """Return an indicator as a line."""
    shown = t.say("no-level") if row.level is None else t.number(row.level)
    return Level(
        id=printable(row.id),
        name=printable(row.name, 200),
        shown=result(row, t),
        level=row.level,
        level_shown=shown,
        target_shown=target(row, t),
        weight_shown=t.number(row.weight, 0 if float(row.weight).is_integer() else 1),
        coverage_shown=t.percent(row.reading.coverage, 0),
        note=printable(row.reason or row.reading.note, 300),
        official=row.official,
        tone=tone(row.level),
    )


def levels(key: str, title: str, rows: Iterable[Row], t: Tongue, judged: Assessment | None) -> Levels:
    """Return the indicators of a part of the rubric as a block."""
    heads = ("indicator", "reading", "level", "target", "weight", "col-known")
    source = t.say("src-rubric", rubric=printable(judged.rubric if judged else t.say("none")))
    empty = t.say("levels-none") if judged else t.say("levels-scope")
    made = tuple(level(row, t) for row in rows)
    return Levels(key, title, tuple(t.say(h) for h in heads), made, source, t.say("levels-note"), empty)


def part_of(matter: Matter, *prefixes: str) -> Sequence[Row]:
    """Return the rows whose id begins so, in the rubric's order."""
    rows = matter.judged.rows if matter.judged else ()
    return [row for row in rows if row.id.startswith(prefixes)]


def section(matter: Matter, t: Tongue, key: str, *prefixes: str) -> list[Block]:
    """Return the indicators of a chapter; a partial report has none, and says so on its first page."""
    if matter.scope:
        return []
    made = levels(key, t.say("t-levels"), part_of(matter, *prefixes), t, matter.judged)
    return [made]


def records(matter: Matter, t: Tongue) -> list[Block]:
    """Return the record of every indicator."""
    rows = matter.judged.rows if matter.judged else ()
    return [record(row, t, matter.judged) for row in rows if matter.judged]


def record(row: Row, t: Tongue, judged: Assessment | None) -> Record:
    """Return all that is behind one indicator."""
    names = {key: name for key, name, _ in judged.frameworks} if judged else {}
    said = {
        "definition": printable(row.definition, LONG),
        "formula": printable(row.formula, LONG),
        "basis": "; ".join(_basis(b.framework, b.indicator, b.criterion, names) for b in row.basis),
        "ratio": _ratio(row.reading, t),
        "whole": listed(
            row.reading.denominator, t, row.reading.as_of.isoformat() if row.reading.as_of else ""
        ),
        "unmet": listed(_unmet(row.reading), t),
        "unknown": listed(row.reading.unknown, t),
        "absent": t.number(row.reading.missing) if row.reading.missing else "",
        "levels": "; ".join(f"{t.number(n)}: {printable(text, 300)}" for n, text in row.levels),
        "needs": "; ".join(
            f"{t.number(n.level)}: {_NEEDS[n.holds]} {printable(n.text, 200)}" for n in row.needs
        ),
        "next-step": printable(row.next_step, LONG),
        "data-note": printable(" ".join(filter(None, (row.reading.note, row.reason))), LONG),
        "evidence": listed(row.reading.evidence, t),
    }
    pairs = tuple((t.say(f"rec-{key}"), text) for key, text in said.items() if text)
    return Record(f"H-{printable(row.id)}", printable(row.name, 200), level(row, t), pairs)


def _basis(framework: str, indicator: str, criterion: str, names: dict[str, str]) -> str:
    parts = [names.get(framework, framework), indicator, criterion]
    return " · ".join(printable(p, 300) for p in parts if p)


def _ratio(reading: Reading, t: Tongue) -> str:
    if reading.numerator is None:
        return ""
    whole = len(reading.denominator) if reading.counted is None else reading.counted
    part, of = (t.number(n, 0 if float(n).is_integer() else 2) for n in (reading.numerator, whole))
    return t.say("share-of", part=part, whole=of) if whole else part


def _unmet(reading: Reading) -> tuple[str, ...]:
    met = set(reading.met)
    return tuple(n for n in reading.denominator if n not in met) if reading.numerator is not None else ()


def listed(names: Sequence[str], t: Tongue, dated: str = "") -> str:
    """Return names as a sentence, at most FEW of them, and how many more there are."""
    if not names:
        return ""
    shown = ", ".join(printable(n, 80) for n in names[:FEW])
    more = t.say("and-more", more=t.number(len(names) - FEW)) if len(names) > FEW else ""
    count = t.say("counted", count=t.number(len(names)))
    on = f" ({t.say('list-of', date=dated)})" if dated else ""
    return f"{count}{on}: {shown} {more}".rstrip()
