"""The summary on one page, and identity, method and coverage: the chapters about the report itself."""

from monitor.usage import LEAST_BINS
from report.assessment import Assessment, Score
from report.books import Matter
from report.chapters import gaps, indicators, itself
from report.chapters.incidents import CLAIM_S
from report.chapters.network import GOOD, POOR
from report.charts import Moment, Spoke, chart_radar, chart_trend
from report.facts import FULL, Facts
from report.figures import (
    Block,
    Cell,
    Chapter,
    Chart,
    Column,
    Figure,
    Numbers,
    Pair,
    Stack,
    Table,
    Text,
    Tone,
    Verdict,
)
from report.glyphs import printable
from report.language import Tongue
from report.measures.bandwidth import STEP_S
from report.measures.counts import count

RANK = 95
BIG = ("N-10", "N-11", "N-07")
PLAIN = ("E-02", "E-04", "N-01", "N-10", "N-11", "N-05", "N-07", "I-01", "E-05")
CHANGED = 2  # rows named in the sentence about what changed


def parameters(facts: Facts, t: Tongue) -> tuple[Figure, ...]:
    """Return what the calculation rests on: the window, and thresholds that are our own."""
    first = min((s.start for s in facts.spans), default=None)
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
        ("param-level", gaps.GOOD, "1", t.number(gaps.GOOD)),
    )
    return tuple(
        Figure(f"M-{i:02}", t.say(name), value, unit, shown, "")
        for i, (name, value, unit, shown) in enumerate(listed, 1)
    )


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures S-01 to S-03: the index, that of the report before, and the change."""
    judged, old = matter.judged, matter.last
    now, before = judged.index.value if judged else None, old.value if old else None
    change = None if now is None or before is None else now - before
    shares, kept = t.say("src-shares"), t.say("src-trend")
    moved = t.say("not-enough") if change is None else _moved(change, t)
    return [
        Figure("S-01", t.say("index"), now, "1", _two(now, t), shares),
        Figure("S-02", t.say("index-before"), before, "1", _two(before, t), kept),
        Figure("S-03", t.say("index-change"), change, "1", moved, kept),
    ]


def summary(matter: Matter, t: Tongue, known: dict[str, Figure]) -> Chapter:
    """Return the page an official reads."""
    blocks: list[Block] = [Text(t.say("internal"), boxed=True)]
    if matter.judged is None:
        blocks += [Text(_lead(matter, t, known)), Numbers(tuple(known[k] for k in PLAIN), big=True)]
        blocks += [_devices(t, matter.facts)]
    else:
        judged = matter.judged
        blocks += [
            Pair((_verdict(judged, t), _shares(judged, t)), 0.55),
            Pair((_radar(judged, t), _gates(judged, t), Text(_lead(matter, t, known))), 0.38),
            Text(_change(matter, t, known)),
            Numbers(tuple(known[k] for k in BIG)),
        ]
    return Chapter("", t.say("chapter-summary"), (*blocks, gaps.five(matter, t)))


def _lead(matter: Matter, t: Tongue, known: dict[str, Figure]) -> str:
    seen = count(matter.facts.devices)
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
    return f"{lead} {available}"


def interval(score: Score, t: Tongue) -> str:
    """Return the interval of a score as printed."""
    return f"[{t.number(score.low, 2)}; {t.number(score.high, 2)}]"


def name_of(judged: Assessment | None, key: str, t: Tongue) -> str:
    """Return what a dimension, a part or an area is called."""
    if key == "index":
        return t.say("index-whole")
    return printable(dict(judged.names).get(key, key) if judged else key, 40)


def _verdict(judged: Assessment, t: Tongue) -> Verdict:
    index = judged.index
    level = None if index.value is None else int(index.value)
    return Verdict(
        id="S-V1",
        label=printable(judged.label, 120) or t.say("index"),
        value=index.value,
        shown=t.say("not-enough") if index.value is None else t.number(index.value, 2),
        band=printable(judged.band),
        low=index.low,
        high=index.high,
        interval=interval(index, t),
        text=t.say("index-note", rows=t.number(len(judged.rows)), unknown=t.number(judged.shares.no_data)),
        source=t.say("src-rubric", rubric=printable(judged.rubric)),
        tone=indicators.tone(level),
    )


def _shares(judged: Assessment, t: Tongue) -> Stack:
    shares = judged.shares
    parts = (
        (t.say("share-good"), shares.good, t.number(shares.good), Tone.good),
        (t.say("share-moderate"), shares.moderate, t.number(shares.moderate), Tone.warn),
        (t.say("share-poor"), shares.poor, t.number(shares.poor), Tone.bad),
        (t.say("share-none"), shares.no_data, t.number(shares.no_data), Tone.unknown),
    )
    return Stack("S-C2", t.say("shares"), parts, t.say("src-shares"))


def _gates(judged: Assessment, t: Tongue) -> Table:
    columns = (Column(t.say("gate"), 3.0), Column(t.say("state"), 1.3))
    states = {
        True: ("gate-open", Tone.bad),
        False: ("gate-passed", Tone.good),
        None: ("not-enough", Tone.unknown),
    }
    rows = tuple(
        (
            Cell(g.row, f"{printable(g.row)} {printable(g.text, 160)}", link=f"H-{printable(g.row)}"),
            t.word(*states[g.open]),
        )
        for g in judged.gates
    )
    return Table("S-T2", t.say("gates"), columns, rows, t.say("src-gates"), empty=t.say("none"))


def _radar(judged: Assessment, t: Tongue) -> Chart:
    scores = judged.areas or judged.dimensions
    spokes = [
        Spoke(
            name_of(judged, s.name, t),
            s.value,
            s.low,
            s.high,
            t.say("no-level") if s.value is None else t.number(s.value, 2),
        )
        for s in scores
    ]
    said = "; ".join(
        f"{s.label} {s.shown} {interval(score, t)}" for s, score in zip(spokes, scores, strict=True)
    )
    svg = chart_radar(spokes, [t.number(n) for n in range(1, 6)]) if len(spokes) > 2 else ""
    return Chart(
        "S-C3", t.say("radar"), svg, said or t.say("none"), t.say("src-radar"), 0.96, empty=t.say("none")
    )


def _change(matter: Matter, t: Tongue, known: dict[str, Figure]) -> str:
    """Say what changed since the last period; that there is none to compare with is said too."""
    judged, old = matter.judged, matter.last
    if judged is None or old is None:
        return t.say("change-none")
    both = [(r.id, old.levels.get(r.id), r.level) for r in judged.rows]
    up = [i for i, a, b in both if a is not None and b is not None and b > a]
    down = [i for i, a, b in both if a is not None and b is not None and b < a]
    return t.say(
        "change",
        label=printable(old.label),
        old=known["S-02"].shown,
        moved=known["S-03"].shown,
        better=_named(up, t),
        worse=_named(down, t),
    )


def _moved(change: float, t: Tongue) -> str:
    shown = t.number(change, 2)
    return f"+{shown}" if change > 0 else shown


def _named(rows: list[str], t: Tongue) -> str:
    shown = ", ".join(rows[:CHANGED]) or t.say("none")
    return (
        f"{shown} {t.say('and-more', more=t.number(len(rows) - CHANGED))}" if len(rows) > CHANGED else shown
    )


def _devices(t: Tongue, facts: Facts) -> Stack:
    seen = count(facts.devices)
    parts = (
        (t.say("up"), seen.up, t.number(seen.up), Tone.good),
        (t.say("down"), seen.down, t.number(seen.down), Tone.bad),
        (t.say("not-observed"), seen.unobserved, t.number(seen.unobserved), Tone.unknown),
    )
    return Stack("S-C1", t.say("stack-devices"), parts, t.say("src-states", fresh=t.span(facts.fresh_s)))


def method(matter: Matter, t: Tongue) -> Chapter:
    """Return who and what the report is about, how figures come about, what is covered, and the parameters."""
    facts = matter.facts
    rank = t.say("method-p95", rank=t.number(RANK), step=t.span(STEP_S), least=t.number(LEAST_BINS))
    blocks: list[Block] = [Text(t.say("illustration-long"), boxed=True)] if facts.illustrative else []
    blocks += [_identity(matter, t)]
    blocks += [Text(t.say("method-text")), Text(t.say("method-three")), Text(rank), Text(t.say("method-two"))]
    whole: list[Block] = [] if matter.scope else [_scores(matter, t), _trend(matter, t), _devices(t, facts)]
    blocks += [*whole, itself.table(matter, t), _parameters(facts, t)]
    return Chapter("", t.say("chapter-method"), tuple(blocks))


def _identity(matter: Matter, t: Tongue) -> Table:
    facts, judged = matter.facts, matter.judged
    said = (
        ("regency", printable(facts.regency)),
        ("scope", printable(matter.scope) or t.say("scope-all")),
        ("period", t.say("period-shown", since=t.moment(facts.since), until=t.moment(facts.until))),
        ("zone", facts.zone),
        ("rubric", printable(judged.rubric) if judged else t.say("none")),
        ("snapshot", judged.snapshot_sha256 if judged and judged.snapshot_sha256 else t.say("none")),
        ("data-sources", t.say("data-sources-text")),
    )
    rows = tuple((t.word(f"id-{key}"), Cell(text, text)) for key, text in said)
    columns = (Column(t.say("part"), 1.0), Column(t.say("value"), 3.4))
    return Table("M-T2", t.say("t-identity"), columns, rows, t.say("src-identity"))


def _scores(matter: Matter, t: Tongue) -> Table:
    """Return every score with its interval: dimensions, then areas."""
    columns = (
        Column(t.say("dimension"), 2.4),
        Column(t.say("score"), 1.0, right=True),
        Column(t.say("interval").capitalize(), 1.4, right=True),
        Column(t.say("spread"), 1.2, right=True),
    )
    judged = matter.judged
    scores = (judged.index, *judged.dimensions, *judged.areas) if judged else ()
    rows = tuple(
        (
            Cell(s.name, name_of(judged, s.name, t)),
            Cell(s.value, t.say("not-enough") if s.value is None else t.number(s.value, 2)),
            Cell(f"{s.low:.2f}..{s.high:.2f}", interval(s, t)),
            Cell(s.high - s.low, t.number(s.high - s.low, 2)),
        )
        for s in scores
    )
    return Table("M-T3", t.say("t-scores"), columns, rows, t.say("src-shares"), empty=t.say("levels-scope"))


def _trend(matter: Matter, t: Tongue) -> Chart:
    """Return the index over the periods that are kept; a single one is said to be the first."""
    judged = matter.judged
    steps = [Moment(printable(s.label, 12), s.value, _two(s.value, t), s.low, s.high) for s in matter.before]
    if judged:
        i = judged.index
        steps.append(Moment(printable(matter.label, 12), i.value, _two(i.value, t), i.low, i.high))
    ticks = [(float(n), t.number(n)) for n in range(1, 6)]
    svg = chart_trend(steps, (1, 5), ticks) if len(steps) > 1 else ""
    said = "; ".join(f"{m.label}: {m.shown}" for m in steps) or t.say("none")
    return Chart(
        "M-C1",
        t.say("trend"),
        svg,
        said,
        t.say("src-trend"),
        note=t.say("trend-note"),
        empty=t.say("trend-none"),
    )


def _two(value: float | None, t: Tongue) -> str:
    return t.say("not-enough") if value is None else t.number(value, 2)


def _parameters(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("id-col"), 0.5),
        Column(t.say("parameter"), 3.5),
        Column(t.say("value"), 2.0, right=True),
    )
    rows = tuple((t.text(f.id), Cell(f.label, f.label), Cell(f.value, f.shown)) for f in parameters(facts, t))
    return Table("M-T1", t.say("parameters"), columns, rows, t.say("src-gaps"))
