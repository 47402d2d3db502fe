"""The summary on one page, the method, and the annex of sources: the chapters about the report itself."""

from report.chapters import gaps
from report.chapters.incidents import CLAIM_S
from report.chapters.network import GOOD, POOR
from report.facts import Facts
from report.figures import Block, Cell, Chapter, Column, Figure, Numbers, Stack, Table, Text, Tone
from report.language import Tongue
from report.measures.bandwidth import FULL, LEAST_BINS, STEP_S
from report.measures.counts import count

RANK = 95
BIG = ("E-02", "E-04", "N-01", "N-04", "N-07", "I-01", "P-01", "E-05", "N-05")


def parameters(facts: Facts, t: Tongue) -> tuple[Figure, ...]:
    """Return what the calculation rests on: the window, and thresholds that are our own."""
    first = min((s.start for s in facts.spans), default=None)
    weights = ", ".join(t.number(w) for w in (gaps.SERVICE, gaps.RISK, gaps.DATA))
    listed: tuple[tuple[str, float | str | None, str, str], ...] = (
        ("param-window", facts.window_s, "s", t.span(facts.window_s)),
        ("param-polls", facts.polls, "1", t.number(facts.polls)),
        (
            "param-first",
            first.isoformat() if first else None,
            "",
            t.moment(first) if first else t.say("none"),
        ),
        ("param-fresh", facts.fresh_s, "s", t.span(facts.fresh_s)),
        ("param-rank", RANK, "%", t.number(RANK)),
        ("param-step", STEP_S, "s", t.span(STEP_S)),
        ("param-least", LEAST_BINS, "1", t.number(LEAST_BINS)),
        ("param-full", FULL, "ratio", t.percent(FULL, 0)),
        ("param-good", GOOD, "ratio", t.percent(GOOD, 0)),
        ("param-poor", POOR, "ratio", t.percent(POOR, 0)),
        ("param-claim", CLAIM_S, "s", t.span(CLAIM_S)),
        ("param-weights", weights, "", weights),
    )
    return tuple(
        Figure(f"M-{i:02}", t.say(name), value, unit, shown, "")
        for i, (name, value, unit, shown) in enumerate(listed, 1)
    )


def summary(facts: Facts, t: Tongue, number: str, known: dict[str, Figure], found: list[gaps.Gap]) -> Chapter:
    """Return the page an official reads."""
    seen = count(facts.devices)
    lead = t.say(
        "summary-lead",
        total=t.number(seen.total),
        up=t.number(seen.up),
        down=t.number(seen.down),
        unobserved=t.number(seen.unobserved),
        agencies=known["N-01"].shown,
        denominator=t.number(known["N-01"].denominator or 0),
    )
    available = t.say(
        "summary-availability", availability=known["N-04"].shown, unobserved=known["N-05"].shown
    )
    blocks: tuple[Block, ...] = (
        Text(t.say("internal"), boxed=True),
        Text(f"{lead} {available}"),
        Numbers(tuple(known[k] for k in BIG), big=True),
        _stack(t, facts),
        gaps.table(t, found, whole=False),
    )
    return Chapter(number, t.say("chapter-summary"), blocks)


def _stack(t: Tongue, facts: Facts) -> Stack:
    seen = count(facts.devices)
    parts = (
        (t.say("up"), seen.up, t.number(seen.up), Tone.good),
        (t.say("down"), seen.down, t.number(seen.down), Tone.bad),
        (t.say("not-observed"), seen.unobserved, t.number(seen.unobserved), Tone.unknown),
    )
    return Stack("S-C1", t.say("stack-devices"), parts, t.say("src-states", fresh=t.span(facts.fresh_s)))


def method(facts: Facts, t: Tongue, number: str) -> Chapter:
    """Return how figures come about, and the parameters."""
    rank = t.say("method-p95", rank=t.number(RANK), step=t.span(STEP_S), least=t.number(LEAST_BINS))
    columns = (
        Column(t.say("id-col"), 0.5),
        Column(t.say("parameter"), 3.5),
        Column(t.say("value"), 2.0, right=True),
    )
    rows = tuple((t.text(f.id), Cell(f.label, f.label), Cell(f.value, f.shown)) for f in parameters(facts, t))
    blocks: list[Block] = [Text(t.say("illustration-long"), boxed=True)] if facts.illustrative else []
    blocks += [Text(t.say("method-text")), Text(t.say("method-three")), Text(rank)]
    blocks += [Table("M-T1", t.say("parameters"), columns, rows, t.say("src-gaps"))]
    return Chapter(number, t.say("chapter-method"), tuple(blocks))


def sources(t: Tongue, number: str, known: dict[str, Figure], chapters: tuple[Chapter, ...]) -> Chapter:
    """Return the annex: every figure with its ratio, source and evidence, then tables and charts."""
    columns = (
        Column(t.say("id-col"), 0.6),
        Column(t.say("figure"), 1.7),
        Column(t.say("value"), 1.0, right=True),
        Column(t.say("ratio"), 1.2, right=True),
        Column(t.say("source"), 3.6),
        Column(t.say("evidence"), 1.6),
    )
    rows = tuple(_source(t, known[key]) for key in sorted(known))
    figures = Table("L-T1", t.say("t-sources"), columns, rows, t.say("src-gaps"))
    return Chapter(
        number, t.say("chapter-sources"), (Text(t.say("sources-text")), figures, _tables(t, chapters))
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
    columns = (Column(t.say("id-col"), 0.6), Column(t.say("title-col"), 2.6), Column(t.say("source"), 5.0))
    rows = tuple(
        (t.text(b.id), Cell(b.title, b.title), Cell(b.source, b.source))
        for chapter in chapters
        for b in chapter.blocks
        if not isinstance(b, (Numbers, Text))
    )
    return Table("L-T2", t.say("t-sources-tables"), columns, rows, t.say("src-gaps"))
