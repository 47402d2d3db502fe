"""IX, the mapping matrix: which official indicator each of our rows supports as evidence, and never settles."""

from collections import defaultdict

from report.assessment import Row
from report.books import Matter
from report.chapters import indicators
from report.figures import Block, Cell, Chapter, Column, Table, Text
from report.glyphs import printable
from report.language import Tongue

# The columns of the matrix: which frameworks of the rubric stand in it.
_COLUMNS = (
    ("fw-smartcity", ("smartcity",)),
    ("fw-pemdi", ("pemdi2026",)),
    ("fw-spbe", ("spbe2020", "perpres95", "perpres132")),
    ("fw-bssn", ("bssn4", "bssn10")),
    ("fw-kami", ("kami5", "ikasandi")),
)


def chapter(matter: Matter, t: Tongue, number: str) -> Chapter:
    """Return the chapter: the matrix, the same from the official side, and what each framework is."""
    blocks: tuple[Block, ...] = (
        Text(t.say("mapping-text")),
        _matrix(matter, t),
        _reverse(matter, t),
        _frameworks(matter, t),
    )
    return Chapter(number, t.say("chapter-mapping"), blocks, wide=True)


def _matrix(matter: Matter, t: Tongue) -> Table:
    others = {k for _, keys in _COLUMNS for k in keys}
    columns = (
        Column(t.say("indicator"), 2.6),
        *(Column(t.say(name), 1.1) for name, _ in _COLUMNS),
        Column(t.say("fw-other"), 1.3),
        Column(t.say("level"), 0.6),
        Column(t.say("evidence-count"), 0.7, right=True),
    )
    rows = tuple(
        (
            Cell(row.id, f"{printable(row.id)} {printable(row.name, 160)}", link=f"H-{printable(row.id)}"),
            *(_cell(row, keys, t) for _, keys in _COLUMNS),
            _cell(row, tuple(sorted({b.framework for b in row.basis} - others)), t),
            Cell(
                row.level,
                t.say("no-level") if row.level is None else t.number(row.level),
                indicators.tone(row.level),
            ),
            t.count(len(row.reading.evidence)),
        )
        for row in (matter.judged.rows if matter.judged else ())
    )
    return Table(
        "C-T1",
        t.say("t-matrix"),
        columns,
        rows,
        t.say("src-basis"),
        t.say("t-matrix-note"),
        t.say("levels-scope"),
        wide=True,
    )


def _cell(row: Row, keys: tuple[str, ...], t: Tongue) -> Cell:
    """Name what a row supports of some frameworks: the indicators' numbers, or that a criterion does."""
    some = [b for b in row.basis if b.framework in keys]
    said = [b.indicator or b.criterion.split(":")[0] or t.say("yes") for b in some]
    return t.text(", ".join(dict.fromkeys(said)), limit=90) if said else Cell(None, "")


def _reverse(matter: Matter, t: Tongue) -> Table:
    """Return the same from the official side: framework and indicator, and our rows."""
    names = {key: name for key, name, _ in matter.judged.frameworks} if matter.judged else {}
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in matter.judged.rows if matter.judged else ():
        for b in row.basis:
            found[b.framework, b.indicator].append(row.id)
    columns = (
        Column(t.say("framework"), 2.6),
        Column(t.say("official-indicator"), 1.0),
        Column(t.say("our-rows"), 3.6),
    )
    rows = tuple(
        (t.text(names.get(fw, fw), limit=160), t.text(indicator or None), t.text(", ".join(ids), limit=400))
        for (fw, indicator), ids in sorted(found.items(), key=lambda kv: (kv[0][0], _order(kv[0][1])))
    )
    return Table("C-T2", t.say("t-reverse"), columns, rows, t.say("src-basis"), empty=t.say("levels-scope"))


def _order(indicator: str) -> tuple[int, str]:
    digits = "".join(c for c in indicator if c.isdigit())
    return (int(digits) if digits else 0, indicator)


def _frameworks(matter: Matter, t: Tongue) -> Table:
    columns = (
        Column(t.say("framework"), 2.4),
        Column(t.say("standing"), 3.6),
        Column(t.say("rows-col"), 0.8, right=True),
    )
    judged = matter.judged
    rows = tuple(
        (
            t.text(name, limit=200),
            t.text(status, limit=300),
            t.count(sum(any(b.framework == key for b in r.basis) for r in judged.rows) if judged else None),
        )
        for key, name, status in (judged.frameworks if judged else ())
    )
    return Table(
        "C-T3", t.say("t-frameworks"), columns, rows, t.say("src-basis"), empty=t.say("levels-scope")
    )
