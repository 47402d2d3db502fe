"""III.E, security: how devices are administered, what is checked, and what the rubric says of it."""

from report.books import Matter
from report.chapters import equipment, indicators
from report.figures import Block, Cell, Chapter, Column, Figure, Numbers, Table
from report.language import Tongue


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter."""
    blocks: list[Block] = [
        Numbers((known["E-06"], known["E-08"], known["I-01"])),
        *indicators.section(matter, t, "Q-I1", "INF-KEA"),
        equipment.snmp(matter.facts, t),
        _gates(matter, t),
    ]
    return Chapter(number, t.say("chapter-security"), tuple(blocks))


def _gates(matter: Matter, t: Tongue) -> Table:
    """Return what the regency's state means for the official texts that demand it (Peraturan BSSN)."""
    columns = (Column(t.say("indicator"), 2.6), Column(t.say("criterion"), 4.0), Column(t.say("level"), 0.8))
    rows = tuple(
        (
            Cell(row.id, f"{row.id} {t.text(row.name).shown}", link=f"H-{row.id}"),
            t.text("; ".join(b.criterion for b in row.basis if b.framework.startswith("bssn")), limit=400),
            Cell(
                row.level,
                t.say("no-level") if row.level is None else t.number(row.level),
                indicators.tone(row.level),
            ),
        )
        for row in (matter.judged.rows if matter.judged else ())
        if any(b.framework.startswith("bssn") and b.criterion for b in row.basis)
    )
    empty = t.say("levels-scope") if matter.judged is None else t.say("none")
    return Table("Q-T1", t.say("t-bssn"), columns, rows, t.say("src-basis"), t.say("t-bssn-note"), empty)
