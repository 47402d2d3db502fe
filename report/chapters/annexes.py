"""The annexes: all behind each indicator, official lists, the evidence register, and the sources of the figures."""

from report.books import Listing, Matter
from report.chapters import indicators
from report.chapters.superstructure import papers
from report.figures import (
    Cell,
    Chapter,
    Column,
    Figure,
    Heading,
    Levels,
    Numbers,
    Pair,
    Record,
    Table,
    Text,
    Verdict,
)
from report.glyphs import printable
from report.language import Tongue

_NO_SOURCE = (Numbers, Text, Heading, Pair, Record, Levels, Verdict)


def chapters(
    matter: Matter, t: Tongue, known: dict[str, Figure], before: tuple[Chapter, ...]
) -> tuple[Chapter, ...]:
    """Return the annexes with their letters."""
    official = tuple(listing(one, t) for one in matter.books.listings) or (Text(t.say("listings-none")),)
    lists = (Text(t.say("annex-lists-text")), *official)
    if matter.scope:
        letters = Chapter(_letter("A", t), t.say("annex-lists"), lists, wide=True)
        return (letters, _sources(_letter("B", t), t, known, before))
    behind = indicators.records(matter, t) or [Text(t.say("levels-scope"))]
    return (
        Chapter(_letter("A", t), t.say("annex-indicators"), (Text(t.say("annex-indicators-text")), *behind)),
        Chapter(_letter("B", t), t.say("annex-lists"), lists, wide=True),
        Chapter(
            _letter("C", t), t.say("annex-evidence"), (papers(matter, t, "L-T3", hashes=True),), wide=True
        ),
        _sources(_letter("D", t), t, known, before),
    )


def _letter(letter: str, t: Tongue) -> str:
    return t.say("annex", letter=letter)


def listing(one: Listing, t: Tongue) -> Table:
    """Return an official list as a table on its side; only its cells are typed."""
    columns = tuple(Column(printable(title), width, right) for title, width, right in one.columns)
    rows = tuple(tuple(_typed(v, t) for v in row) for row in one.rows)
    shown, total = t.number(len(rows)), t.number(len(rows) + one.left_out)
    note = t.say("shown-of", shown=shown, total=total) if one.left_out else ""
    return Table(
        one.id,
        printable(one.title, 200),
        columns,
        rows,
        t.say("src-listing"),
        note,
        t.say("listing-empty"),
        wide=True,
    )


def _typed(value: str | int | float | None, t: Tongue) -> Cell:
    if isinstance(value, (int, float)):
        decimals = 0 if float(value).is_integer() else 2
        plain = t.number(value, decimals)
        year = isinstance(value, int) and 1900 <= value <= 2100  # a year has no mark between thousands
        return Cell(value, str(value) if year else plain)
    return t.text(value, limit=90) if value else Cell(None, "")


def _sources(number: str, t: Tongue, known: dict[str, Figure], chapters: tuple[Chapter, ...]) -> Chapter:
    """Return every figure with its ratio, source and evidence, then tables and charts."""
    columns = (
        Column(t.say("id-col"), 0.6),
        Column(t.say("figure"), 1.7),
        Column(t.say("value"), 1.1, right=True),
        Column(t.say("ratio"), 1.3, right=True),
        Column(t.say("source"), 3.6),
        Column(t.say("evidence"), 1.6),
    )
    rows = tuple(_source(t, known[key]) for key in sorted(known))
    figures = Table("L-T1", t.say("t-sources"), columns, rows, t.say("src-gaps"), wide=True)
    return Chapter(
        number,
        t.say("chapter-sources"),
        (Text(t.say("sources-text")), figures, _tables(t, chapters)),
        wide=True,
    )


def _source(t: Tongue, f: Figure) -> tuple[Cell, ...]:
    pair = [t.say("none") if n is None else t.number(n) for n in (f.numerator, f.denominator)]
    bare = f.numerator is None and f.denominator is None
    return (
        t.text(f.id),
        Cell(f.label, f.label),
        Cell(f.value, f.shown, f.tone),
        Cell(None, t.say("none")) if bare else Cell(f"{f.numerator}/{f.denominator}", " / ".join(pair)),
        Cell(f.source, f.source),
        t.text("; ".join(f.evidence)),
    )


def _tables(t: Tongue, chapters: tuple[Chapter, ...]) -> Table:
    columns = (Column(t.say("id-col"), 0.9), Column(t.say("title-col"), 2.6), Column(t.say("source"), 5.0))
    blocks = [
        b for c in chapters for top in c.blocks for b in (top.blocks if isinstance(top, Pair) else (top,))
    ]
    rows = tuple(
        (t.text(b.id), Cell(b.title, b.title), Cell(b.source, b.source))
        for b in blocks
        if not isinstance(b, _NO_SOURCE)
    )
    return Table("L-T2", t.say("t-sources-tables"), columns, rows, t.say("src-gaps"))
