"""Network: agencies connected, availability of observed time, bandwidth against contract."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from report.books import Matter
from report.chapters import indicators
from report.chapters.equipment import part, state_cells, state_columns
from report.charts import Moment, chart_trend
from report.facts import FULL, Connection, Facts, Load, Span, over
from report.figures import Bar, Bars, Block, Cell, Chapter, Chart, Column, Figure, Heat, Numbers, Table, Tone
from report.language import Tongue, rows_of
from report.measures.availability import Watched, buckets, by_device, parts, watched
from report.measures.bandwidth import STEP_S, load
from report.measures.counts import Reach, count, reach
from report.numbers import rounded

GOOD, POOR = 0.99, 0.95  # our own bounds of availability; printed among the parameters
BARS = 15


@dataclass(frozen=True)
class Line:
    """A connection with what was measured of it."""

    connection: Connection
    load: Load
    watched: Watched


def tone(ratio: float | None) -> Tone:
    """Judge an availability as it is printed (two decimals of a percent)."""
    if ratio is None:
        return Tone.unknown
    printed = rounded(ratio * 100, 2)
    return (
        Tone.good if printed >= rounded(GOOD * 100, 2) else Tone.warn if printed >= POOR * 100 else Tone.bad
    )


def lines(facts: Facts) -> list[Line]:
    """Measure every connection; the most used first, those without enough data last."""
    spans = by_device(facts.spans)
    found = [
        Line(c, load(c), watched(spans.get(c.device_id or -1, []), 1, facts.since, facts.until))
        for c in facts.connections
    ]
    return sorted(
        found,
        key=lambda x: (
            x.load.utilisation is None,
            -(x.load.utilisation or 0),
            x.connection.agency,
            x.connection.name,
        ),
    )


def figures(facts: Facts, t: Tongue, measured: list[Line]) -> list[Figure]:
    """Return the figures N-01 to N-09."""
    return [*_reach(facts, t), *_availability(facts, t, measured), *_bandwidth(facts, t, measured)]


def _reach(facts: Facts, t: Tongue) -> list[Figure]:
    main, others = reach(facts, ("opd", "kecamatan")), reach(facts, ("rsud", "puskesmas"))
    rows = f"agency ({main.recorded}), connection ({len(facts.connections)})"

    seen = t.say("src-agencies-up", down=t.number(main.down), unobserved=t.number(main.unobserved))
    known = (main.up + main.down) / main.connected if main.connected else None
    return [
        part(
            t,
            "N-01",
            "n-agencies",
            _listed(main, t),
            main.connected,
            main.denominator,
            evidence=rows,
        ),
        part(t, "N-02", "n-agencies-up", seen, main.up, main.denominator, evidence=rows, coverage=known),
        part(
            t,
            "N-03",
            "n-others",
            _listed(others, t),
            others.connected,
            others.denominator,
            evidence=rows,
        ),
    ]


def _listed(r: Reach, t: Tongue) -> str:
    return t.say("src-agencies", source=r.source, dated=r.dated) if r.source else t.say("src-agencies-own")


def together(measured: list[Line]) -> Watched:
    """Add the watched time of connections."""
    parts = [x.watched for x in measured]
    return Watched(sum(p.up_s for p in parts), sum(p.down_s for p in parts), sum(p.window_s for p in parts))


def _availability(facts: Facts, t: Tongue, measured: list[Line]) -> list[Figure]:
    whole = together(measured)
    rows = rows_of("asked, device", (x.connection.device_id or 0 for x in measured))
    spans = t.say("src-spans", since=t.moment(facts.since), until=t.moment(facts.until))
    hours = t.number(whole.unobserved_s / 3600, 1), t.number(whole.window_s / 3600, 1)
    seen = t.say("src-observed", unobserved=hours[0], window=hours[1])
    away = None if whole.coverage is None else 1 - whole.coverage
    note = t.say("coverage", share=t.percent(whole.coverage)) if whole.coverage is not None else ""
    return [
        Figure(
            "N-04",
            t.say("n-availability"),
            whole.ratio,
            "ratio",
            t.percent(whole.ratio, 2),
            spans,
            whole.up_s,
            whole.observed_s,
            whole.coverage,
            (rows,),
            note,
            tone(whole.ratio),
        ),
        Figure(
            "N-05",
            t.say("n-unobserved"),
            away,
            "ratio",
            t.percent(away),
            seen,
            whole.unobserved_s,
            whole.window_s,
            whole.coverage,
            (rows,),
            f"{hours[0]} / {hours[1]} h" if t.lang == "en" else f"{hours[0]} / {hours[1]} jam",
        ),
    ]


def _bandwidth(facts: Facts, t: Tongue, measured: list[Line]) -> list[Figure]:
    enough = [x for x in measured if x.load.utilisation is not None]
    above = [x for x in enough if x.load.above]
    bare = [x for x in measured if not x.connection.contract]
    many = len(measured)
    known = len(enough) / many if many else None
    rows = f"connection ({many})"
    source = _usage_source(facts, t)
    plain = t.say("src-connections")
    over_full = part(
        t,
        "N-07",
        "n-connections",
        source,
        len(above),
        len(enough),
        evidence=rows,
        coverage=known,
        bad=Tone.warn,
    )
    label = t.say("n-above", full=t.percent(FULL, 0))
    return [
        part(t, "N-06", "n-measured", source, len(enough), many, evidence=rows, coverage=known),
        _named(over_full, label, t, bool(enough)),
        part(t, "N-08", "n-nocontract", plain, len(bare), many, evidence=rows, bad=Tone.warn),
        Figure("N-09", t.say("n-connections"), many, "1", t.number(many), plain, evidence=(rows,)),
    ]


def _named(figure: Figure, label: str, t: Tongue, enough: bool) -> Figure:
    """Give the figure its label; with nothing measured it has no value, which is not zero."""
    if enough:
        return replace(figure, label=label)
    return replace(
        figure, label=label, value=None, numerator=None, shown=t.say("not-enough"), note="", tone=Tone.unknown
    )


def _usage_source(facts: Facts, t: Tongue) -> str:
    return t.say("src-usage", step=t.span(STEP_S), since=t.moment(facts.since), until=t.moment(facts.until))


def chapter(
    matter: Matter,
    t: Tongue,
    number: str,
    known: dict[str, Figure],
    measured: list[Line],
    two: Sequence[Block],
) -> Chapter:
    """Return the chapter; `two` are the tables of the two availabilities."""
    facts = matter.facts
    keys = ("N-01", "N-02", "N-03", "N-10", "N-11", "N-05", "N-06", "N-07", "N-08")
    blocks: list[Block] = [
        Numbers(tuple(known[k] for k in keys)),
        *indicators.section(matter, t, "N-I1", "INF-JAR"),
        _agencies(facts, t),
        *two,
        _bars(facts, t, measured),
        _heat(facts, t),
        _course(facts, t),
        _places(facts, t, measured),
        _contracts(facts, t, measured),
        _connections(facts, t, measured),
    ]
    return Chapter(number, t.say("chapter-network"), tuple(blocks))


def _course(facts: Facts, t: Tongue) -> Chart:
    """Return the availability of all connections over the window; a piece that nobody saw is a gap."""
    ids = sorted({c.device_id for c in facts.connections if c.device_id is not None})
    spans = by_device(facts.spans)
    some = [s for i in ids for s in spans.get(i, [])]
    pieces = buckets(facts.since, facts.until) if facts.window_s > 0 else []
    moments = []
    for (a, _), seen in zip(pieces, parts(some, len(ids), pieces), strict=True):
        moments.append(Moment(t.short(max(a, facts.since), pieces), seen.ratio, t.percent(seen.ratio, 1)))
    known = [m.value for m in moments if m.value is not None]
    low = max(0.0, min(0.95, *known) - 0.01) if known else 0.0
    ticks = [(low + (1 - low) * i / 4, t.percent(low + (1 - low) * i / 4, 1)) for i in range(5)]
    svg = chart_trend(moments, (low, 1.0), ticks) if known else ""
    said = "; ".join(f"{m.label}: {m.shown}" for m in moments) or t.say("h-none")
    source = t.say("src-spans", since=t.moment(facts.since), until=t.moment(facts.until))
    return Chart(
        "N-C3", t.say("c-course"), svg, said, source, note=t.say("c-course-note"), empty=t.say("h-none")
    )


def _agencies(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("kind"), 1.4),
        Column(t.say("denominator"), 1.0, right=True),
        Column(t.say("dated"), 1.2, right=True),
        Column(t.say("in-inventory"), 1.1, right=True),
        Column(t.say("connected"), 1.1, right=True),
        Column(t.say("col-up"), 0.9, right=True),
        Column(t.say("col-down"), 0.7, right=True),
        Column(t.say("col-unobserved"), 1.0, right=True),
    )
    rows = []
    for kind in ("opd", "kecamatan", "rsud", "puskesmas", "desa", "other"):
        r = reach(facts, (kind,))
        if r.recorded or r.dated:
            counts = (r.recorded, r.connected, r.up, r.down, r.unobserved)
            of = t.count(r.denominator if r.dated else None)
            rows.append((t.word(f"kind-{kind}"), of, t.text(r.dated), *(t.count(n) for n in counts)))
    note = t.say("t-agencies-note")
    source = t.say("src-connections")
    return Table("N-T1", t.say("t-agencies"), columns, tuple(rows), source, note, t.say("t-connections-none"))


def _bars(facts: Facts, t: Tongue, measured: list[Line]) -> Bars:
    shown = [(x, x.load.utilisation, x.load.peak_share) for x in measured if x.load.peak_share is not None]
    shown.sort(key=lambda s: (s[1] is None, -(s[1] if s[1] is not None else s[2] or 0)))
    bars = []
    for line, use, peak in shown[:BARS]:
        share = use if use is not None else peak or 0.0
        text = t.percent(use) if use is not None else t.say("peak", share=t.percent(peak))
        judged = Tone.unknown if use is None else Tone.warn if over(share) else Tone.good
        name = t.text(line.connection.agency or line.connection.name).shown
        bars.append(Bar(name, share, text, judged, use is not None))
    note = t.say("c-usage-note", full=t.percent(FULL, 0))
    return Bars(
        "N-C1",
        t.say("c-usage"),
        tuple(bars),
        _usage_source(facts, t),
        FULL,
        t.percent(FULL, 0),
        note,
        t.say("c-usage-none"),
    )


def _order(facts: Facts) -> list[str]:
    """Return the kecamatan by code, then any other name a device has, then none."""
    used = {d.kecamatan for d in facts.devices}
    return [*facts.places, *sorted(used - set(facts.places) - {""}), *([""] if "" in used else [])]


def _of_place(facts: Facts) -> dict[str, tuple[list[Span], int]]:
    """Return the spans and the number of devices of each kecamatan."""
    spans = by_device(facts.spans)
    found: dict[str, tuple[list[Span], int]] = {}
    for device in facts.devices:
        some, devices = found.get(device.kecamatan, ([], 0))
        found[device.kecamatan] = (some + spans.get(device.id, []), devices + 1)
    return found


def _heat(facts: Facts, t: Tongue) -> Heat:
    start = min((max(s.start, facts.since) for s in facts.spans), default=None)
    pieces = buckets(start, facts.until) if start is not None and start < facts.until else []
    held = _of_place(facts)
    rows = []
    for place in _order(facts) if pieces else []:
        spans, devices = held.get(place, ([], 0))
        cells = tuple(tone(p.ratio) for p in parts(spans, devices, pieces))
        whole = watched(spans, devices, facts.since, facts.until).ratio
        name = t.text(place).shown if place else t.say("no-place")
        rows.append((name, cells, t.share(whole, 2, tone(whole))))
    return Heat(
        id="N-C2",
        title=t.say("h-availability"),
        ticks=_ticks(t, pieces, facts.since),
        rows=tuple(rows),
        legend=_legend(t),
        source=t.say("src-spans", since=t.moment(facts.since), until=t.moment(facts.until)),
        last=t.say("availability"),
        note=_heat_note(t, pieces, facts.since),
        empty=t.say("h-none"),
    )


def _legend(t: Tongue) -> tuple[tuple[Tone, str], ...]:
    good, poor = t.percent(GOOD, 0), t.percent(POOR, 0)
    return (
        (Tone.good, t.say("h-good", good=good)),
        (Tone.warn, t.say("h-warn", good=good)),
        (Tone.bad, t.say("h-bad", poor=poor)),
        (Tone.unknown, t.say("not-observed")),
    )


def _ticks(t: Tongue, pieces: list[tuple[datetime, datetime]], since: datetime) -> tuple[str, ...]:
    """Return where the first piece and the last begin; the first may reach out of the window, and is cut."""
    some = pieces[:1] + pieces[-1:] if len(pieces) > 1 else pieces
    return tuple(t.stamp(max(a, since)).shown for a, _ in some)


def _heat_note(t: Tongue, pieces: list[tuple[datetime, datetime]], since: datetime) -> str:
    if not pieces:
        return ""
    step = t.span((pieces[0][1] - pieces[0][0]).total_seconds())
    return t.say(
        "h-note", step=step, first=t.stamp(max(pieces[0][0], since)).shown, last=t.stamp(pieces[-1][1]).shown
    )


def _places(facts: Facts, t: Tongue, measured: list[Line]) -> Table:
    columns = (
        Column(t.say("place"), 1.7),
        *state_columns(t),
        Column(t.say("connections"), 1.0, right=True),
        Column(t.say("above"), 0.9, right=True),
        Column(t.say("availability"), 1.2, right=True),
    )
    held = _of_place(facts)
    rows = []
    for place in _order(facts):
        spans, devices = held.get(place, ([], 0))
        seen = count(d for d in facts.devices if d.kecamatan == place)
        mine = [x for x in measured if x.connection.kecamatan == place]
        enough = [x for x in mine if x.load.utilisation is not None]
        above = sum(bool(x.load.above) for x in enough) if enough else None
        ratio = watched(spans, devices, facts.since, facts.until).ratio
        name = t.text(place) if place else t.word("no-place")
        counts = t.count(len(mine)), t.count(above, Tone.warn if above else Tone.plain)
        rows.append((name, *state_cells(t, seen), *counts, t.share(ratio, 2, tone(ratio))))
    source = t.say("src-spans", since=t.moment(facts.since), until=t.moment(facts.until))
    return Table("N-T2", t.say("t-places"), columns, tuple(rows), source, empty=t.say("no-devices"))


def _connections(facts: Facts, t: Tongue, measured: list[Line]) -> Table:
    columns = (
        Column(t.say("agency"), 2.6),
        Column(t.say("place"), 1.2),
        Column(t.say("provider"), 1.3),
        Column(t.say("contract"), 1.9),
        Column(t.say("committed"), 1.0, right=True),
        Column(t.say("measured"), 1.6, right=True),
        Column(t.say("use"), 1.1, right=True),
        Column(t.say("bins"), 0.5, right=True),
        Column(t.say("availability"), 1.2, right=True),
        Column(t.say("col-coverage"), 0.9, right=True),
    )
    rows = tuple(_connection(x, t) for x in measured)
    source = f"{_usage_source(facts, t)} {t.say('src-connections')}"
    note, empty = t.say("t-connections-note"), t.say("t-connections-none")
    return Table("N-T3", t.say("t-connections"), columns, rows, source, note, empty, wide=True)


def _connection(line: Line, t: Tongue) -> tuple[Cell, ...]:
    c, m = line.connection, line.load
    ratio = line.watched.ratio
    name = f"{c.agency} · {c.name}" if c.agency else c.name
    return (
        t.text(name),
        t.text(c.kecamatan),
        t.text(c.provider),
        t.text(c.contract, Tone.plain if c.contract else Tone.warn),
        t.rates(c.down_bps, c.up_bps, 0),
        t.rates(m.p95_down_bps, m.p95_up_bps, 2, "not-enough"),
        t.count(None) if m.utilisation is None else t.share(m.utilisation, 1, _use_tone(m)),
        t.count(m.bins),
        t.share(ratio, 2, tone(ratio)) if ratio is not None else t.word("not-observed", Tone.unknown),
        t.share(line.watched.coverage),
    )


def _use_tone(m: Load) -> Tone:
    return Tone.warn if m.above else Tone.plain


def _contracts(facts: Facts, t: Tongue, measured: list[Line]) -> Table:
    columns = (
        Column(t.say("contract"), 1.7),
        Column(t.say("provider"), 1.3),
        Column(t.say("committed"), 1.05, right=True),
        Column(t.say("ends"), 1.3),
        Column(t.say("connections"), 1.05, right=True),
        Column(t.say("promised"), 1.05, right=True),
        Column(t.say("availability"), 1.2, right=True),
        Column(t.say("col-coverage"), 0.9, right=True),
    )
    rows = []
    for contract in sorted(facts.contracts, key=lambda c: (c.provider, c.name)):
        mine = [x for x in measured if x.connection.contract == contract.name]
        seen = together(mine)
        promise = None if contract.availability_pct is None else contract.availability_pct / 100
        over_by = contract.end is not None and contract.end < facts.until.date()
        ends = t.day(contract.end, Tone.bad if over_by else Tone.plain)
        if over_by:
            ends = Cell(ends.value, t.say("expired", date=ends.shown), Tone.bad)
        rows.append(
            (
                t.text(contract.name),
                t.text(contract.provider),
                t.rates(contract.down_bps, contract.up_bps, 0),
                ends,
                t.count(len(mine)),
                t.text("") if promise is None else t.share(promise, 2),
                t.share(seen.ratio, 2, _kept(seen.ratio, promise)),
                t.share(seen.coverage),
            )
        )
    return Table(
        "N-T4",
        t.say("t-contracts"),
        columns,
        tuple(rows),
        t.say("src-contracts"),
        empty=t.say("t-contracts-none"),
    )


def _kept(ratio: float | None, promise: float | None) -> Tone:
    """Judge the measured availability, as printed, by the promise; without one there is no judgement."""
    if ratio is None:
        return Tone.unknown
    if promise is None:
        return Tone.plain
    return Tone.good if rounded(ratio * 100, 2) >= rounded(promise * 100, 2) else Tone.bad
