"""Gaps and the action plan: each indicator below its target, heaviest first; what is not known is listed apart."""

from dataclasses import dataclass

from report.assessment import Assessment, Row
from report.books import Action, Matter
from report.chapters import indicators
from report.figures import Block, Cell, Chapter, Column, Table, Text, Tone
from report.glyphs import printable
from report.language import Tongue
from report.numbers import rounded

FIVE = 5
GOOD = 4  # the level from which a row counts as good


@dataclass(frozen=True)
class Gap:
    """An indicator that falls short: `weight` of the index times the levels that are missing to good."""

    row: Row
    loss: float


def reached(row: Row) -> bool | None:
    """Return whether a row reaches its target as printed; None where too little is known."""
    if row.level is None:
        return None
    if row.direction == "ladder" or row.target is None or row.reading.value is None:
        return row.level >= (row.target or GOOD)
    value, wanted = rounded(row.reading.value, 2), rounded(row.target, 2)
    return value <= wanted if row.direction == "lower" else value >= wanted


def ranked(judged: Assessment | None) -> list[Gap]:
    """Return the rows below their target, heaviest first."""
    found = [
        Gap(row, row.weight * max(GOOD - (row.level or 0), 0.5))
        for row in (judged.rows if judged else ())
        if reached(row) is False
    ]
    return sorted(found, key=lambda g: (-g.loss, -g.row.weight, g.row.id))


def unknown(judged: Assessment | None) -> list[Row]:
    """Return the rows without enough data, heaviest first."""
    return sorted(
        (r for r in (judged.rows if judged else ()) if r.level is None), key=lambda r: (-r.weight, r.id)
    )


def chapter(matter: Matter, t: Tongue, number: str) -> Chapter:
    """Return the chapter: the plan, then what has to become known."""
    blocks: list[Block] = [Text(t.say("gaps-text")), plan(matter, t), missing(matter, t)]
    return Chapter(number, t.say("chapter-gaps"), tuple(blocks), wide=True)


def five(matter: Matter, t: Tongue) -> Table:
    """Return the five largest gaps for the summary."""
    columns = (
        Column(t.say("rank"), 0.4, right=True),
        Column(t.say("indicator"), 4.0),
        Column(t.say("reading"), 1.2, right=True),
        Column(t.say("target"), 1.1, right=True),
        Column(t.say("level"), 0.9),
        Column(t.say("owner"), 2.7),
    )
    actions = {a.row: a for a in matter.actions}
    rows = tuple(
        (
            t.count(i),
            _name(g.row),
            _value(g.row, t),
            Cell(g.row.target, indicators.target(g.row, t)),
            _level(g.row, t),
            t.text(actions.get(g.row.id, Action("")).owner),
        )
        for i, g in enumerate(ranked(matter.judged)[:FIVE], 1)
    )
    empty = t.say("gaps-none") if matter.judged else t.say("levels-scope")
    return Table("S-T1", t.say("gaps-five"), columns, rows, t.say("src-gaps"), empty=empty)


def plan(matter: Matter, t: Tongue) -> Table:
    """Return every gap with its action: owner, date, cost class, quick win."""
    columns = (
        Column(t.say("rank"), 0.4, right=True),
        Column(t.say("indicator"), 2.4),
        Column(t.say("reading"), 1.2, right=True),
        Column(t.say("target"), 1.1, right=True),
        Column(t.say("level"), 0.8),
        Column(t.say("action"), 3.6),
        Column(t.say("owner"), 1.8),
        Column(t.say("due"), 1.0, right=True),
        Column(t.say("cost"), 0.9),
        Column(t.say("quick-win"), 0.8),
    )
    actions = {a.row: a for a in matter.actions}
    rows = tuple(
        _planned(i, gap, actions.get(gap.row.id, Action(gap.row.id)), t, matter)
        for i, gap in enumerate(ranked(matter.judged), 1)
    )
    empty = t.say("gaps-none") if matter.judged else t.say("levels-scope")
    return Table(
        "G-T1", t.say("t-gaps"), columns, rows, t.say("src-gaps"), t.say("gaps-note"), empty, wide=True
    )


def _planned(rank: int, gap: Gap, action: Action, t: Tongue, matter: Matter) -> tuple[Cell, ...]:
    row = gap.row
    overdue = action.due is not None and action.due < matter.facts.until.date()
    due = (
        t.day(action.due, Tone.bad if overdue else Tone.plain)
        if action.due
        else t.word("to-set", Tone.unknown)
    )
    return (
        t.count(rank),
        _name(row),
        _value(row, t),
        Cell(row.target, indicators.target(row, t)),
        _level(row, t),
        t.text(action.what or row.next_step, limit=600),
        t.text(action.owner),
        due,
        t.word(f"cost-{action.cost}") if action.cost else t.word("none"),
        t.word("yes", Tone.good) if action.quick else t.word("none"),
    )


def _name(row: Row) -> Cell:
    return Cell(row.id, f"{printable(row.id)} {printable(row.name, 160)}", link=f"H-{printable(row.id)}")


def _value(row: Row, t: Tongue) -> Cell:
    return Cell(row.reading.value, indicators.result(row, t))


def _level(row: Row, t: Tongue) -> Cell:
    shown = t.say("no-level") if row.level is None else t.number(row.level)
    return Cell(row.level, shown, indicators.tone(row.level))


def missing(matter: Matter, t: Tongue) -> Table:
    """Return the rows that have no level, and what has to be recorded to give them one."""
    columns = (
        Column(t.say("indicator"), 2.6),
        Column(t.say("weight"), 0.6, right=True),
        Column(t.say("col-known"), 0.8, right=True),
        Column(t.say("what-is-missing"), 3.4),
    )
    rows = tuple(
        (
            _name(row),
            Cell(row.weight, t.number(row.weight, 0 if float(row.weight).is_integer() else 1)),
            t.share(row.reading.coverage, 0),
            t.text(row.reason or row.next_step or row.reading.note, limit=400),
        )
        for row in unknown(matter.judged)
    )
    empty = t.say("missing-none") if matter.judged else t.say("levels-scope")
    return Table("G-T2", t.say("t-missing"), columns, rows, t.say("src-gaps"), t.say("missing-note"), empty)
