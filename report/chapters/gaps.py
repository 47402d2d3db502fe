"""Gaps: every figure that falls short, ordered by the share affected times a weight that is our own."""

from dataclasses import dataclass

from report.chapters.incidents import last_apply
from report.chapters.network import GOOD, Line
from report.facts import Facts
from report.figures import Cell, Chapter, Column, Figure, Table, Text, Tone
from report.language import Tongue
from report.numbers import rounded

SERVICE, RISK, DATA = 3, 2, 1
FIVE = 5

# What is short, in which figure, and its weight; the figure's numerator counts what is wrong.
_WRONG = (
    ("down", "E-03", SERVICE),
    ("unobserved", "E-04", DATA),
    ("above", "N-07", RISK),
    ("nocontract", "N-08", DATA),
    ("snmp", "E-06", RISK),
    ("serial", "E-07", RISK),
    ("past", "E-08", RISK),
    ("eos", "E-09", DATA),
)
# The same where the numerator counts what is right.
_RIGHT = (("agencies", "N-01", SERVICE), ("others", "N-03", SERVICE), ("measured", "N-06", DATA))


@dataclass(frozen=True)
class Gap:
    """One thing that is short: how many of how many, where it is shown, and how heavy it weighs."""

    name: str
    figure: str
    affected: int
    whole: int
    weight: int

    @property
    def share(self) -> float:
        """The share affected."""
        return self.affected / self.whole


def ranked(facts: Facts, known: dict[str, Figure], measured: list[Line]) -> list[Gap]:
    """Return the gaps, heaviest first."""
    found = [_of(known, n, f, w, right=False) for n, f, w in _WRONG]
    found += [_of(known, n, f, w, right=True) for n, f, w in _RIGHT]
    found += [_availability(measured), _hosts(facts)]
    real = [g for g in found if g is not None and g.affected > 0]
    return sorted(real, key=lambda g: (-g.share * g.weight, -g.weight, g.name))


def _of(known: dict[str, Figure], name: str, key: str, weight: int, *, right: bool) -> Gap | None:
    figure = known[key]
    if figure.numerator is None or not figure.denominator:
        return None
    some, whole = int(figure.numerator), int(figure.denominator)
    return Gap(name, key, max(whole - some, 0) if right else some, whole, weight)


def _availability(measured: list[Line]) -> Gap | None:
    ratios = [x.watched.ratio for x in measured if x.watched.ratio is not None]
    short = sum(rounded(r * 100, 2) < rounded(GOOD * 100, 2) for r in ratios)
    return Gap("availability", "N-04", short, len(ratios), SERVICE) if ratios else None


def _hosts(facts: Facts) -> Gap | None:
    job = last_apply(facts)
    return Gap("hosts", "P-01", job.hosts - (job.ok or 0), job.hosts, RISK) if job and job.hosts else None


def chapter(t: Tongue, number: str, gaps: list[Gap]) -> Chapter:
    """Return the chapter with every gap and room for owner and date."""
    return Chapter(number, t.say("chapter-gaps"), (Text(t.say("gaps-text")), table(t, gaps, whole=True)))


def table(t: Tongue, gaps: list[Gap], *, whole: bool) -> Table:
    """Return the gaps as a table: the five largest, or all with the action and room for owner and date."""
    columns = [
        Column(t.say("rank"), 0.45, right=True),
        Column(t.say("gap"), 2.4),
        Column(t.say("figure"), 0.65),
        Column(t.say("affected"), 1.2, right=True),
        Column(t.say("share"), 0.8, right=True),
    ]
    columns += [Column(t.say("weight"), 0.7, right=True)] if whole else []
    columns += [Column(t.say("action"), 2.8)]
    columns += [Column(t.say("owner"), 1.3)] if whole else []
    rows = tuple(_row(t, i, gap, whole) for i, gap in enumerate(gaps if whole else gaps[:FIVE], 1))
    key, title = ("G-T1", "t-gaps") if whole else ("S-T1", "gaps-five")
    return Table(key, t.say(title), tuple(columns), rows, t.say("src-gaps"), empty=t.say("gaps-none"))


def _row(t: Tongue, rank: int, gap: Gap, whole: bool) -> tuple[Cell, ...]:
    of = t.say("share-of", part=t.number(gap.affected), whole=t.number(gap.whole))
    tone = {SERVICE: Tone.bad, RISK: Tone.warn}.get(gap.weight, Tone.unknown)
    cells = [
        t.count(rank),
        t.word(f"g-{gap.name}", tone),
        t.text(gap.figure),
        Cell(f"{gap.affected}/{gap.whole}", of),
        t.share(gap.share),
    ]
    cells += [t.count(gap.weight)] if whole else []
    cells += [t.word(f"a-{gap.name}")]
    cells += [Cell(None, "")] if whole else []
    return tuple(cells)
