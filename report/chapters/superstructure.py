"""IV, superstructure: policy, institutions and their work, each proved by a dated document."""

from datetime import date

from report.books import Matter, Paper
from report.chapters import indicators
from report.figures import Block, Cell, Chapter, Column, Figure, Numbers, Table, Text, Tone
from report.glyphs import printable
from report.language import Tongue

_PARTS = (
    ("part-policy", "V-I1", "SUP-KEB"),
    ("part-institutions", "V-I2", "SUP-KEL"),
    ("part-work", "V-I3", "SUP-PEL"),
)


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures V-01 and V-02: documents in the register, and those that have expired."""
    papers, today = matter.books.papers, matter.facts.until.date()
    late = sum(expired(p, today) for p in papers)
    source = t.say("src-papers")
    of = t.say("share-of", part=t.number(late), whole=t.number(len(papers)))
    tone = Tone.warn if late else Tone.plain
    return [
        Figure("V-01", t.say("v-papers"), len(papers), "1", t.number(len(papers)), source),
        Figure(
            "V-02",
            t.say("v-expired"),
            late,
            "1",
            t.number(late),
            source,
            late,
            len(papers),
            note=of,
            tone=tone,
        ),
    ]


def expired(paper: Paper, today: date) -> bool:
    """Return whether a document no longer holds."""
    return paper.valid_until is not None and paper.valid_until < today


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter."""
    blocks: list[Block] = [Text(t.say("superstructure-text")), Numbers((known["V-01"], known["V-02"]))]
    for name, key, prefix in _PARTS:
        rows = indicators.part_of(matter, prefix)
        blocks.append(indicators.levels(key, t.say(name, number=number), rows, t, matter.judged))
    return Chapter(
        number, t.say("chapter-superstructure"), (*blocks, papers(matter, t, "V-T1", hashes=False))
    )


def papers(matter: Matter, t: Tongue, key: str, *, hashes: bool) -> Table:
    """Return the evidence register; with `hashes` as the annex prints it, on its side."""
    columns = [
        Column(t.say("evidence-kind"), 1.4),
        Column(t.say("title-col"), 2.6),
        Column(t.say("dated-col"), 1.0, right=True),
        Column(t.say("signer"), 1.5),
        Column(t.say("valid-until"), 1.1, right=True),
    ]
    columns += [Column(t.say("sha256"), 3.4)] if hashes else []
    today = matter.facts.until.date()
    rows = tuple(
        _paper(p, matter.kinds.get(p.kind, p.kind), today, t, hashes)
        for p in sorted(matter.books.papers, key=lambda p: (p.kind, p.dated, p.id))
    )
    title = t.say("t-papers-hashes" if hashes else "t-papers")
    return Table(
        key, title, tuple(columns), rows, t.say("src-papers"), empty=t.say("papers-none"), wide=hashes
    )


def _paper(paper: Paper, kind: str, today: date, t: Tongue, hashes: bool) -> tuple[Cell, ...]:
    until = t.day(paper.valid_until, Tone.bad if expired(paper, today) else Tone.plain)
    cells = (
        t.text(kind),
        t.text(paper.title or paper.id, limit=200),
        t.day(paper.dated),
        t.text(paper.signer),
        until,
    )
    return (*cells, Cell(paper.sha256, printable(paper.sha256, 64))) if hashes else cells
