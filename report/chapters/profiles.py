"""V, profile of each kecamatan and agency: one line each with its availability over time, and the worst ten."""

from dataclasses import dataclass
from datetime import datetime

from report.books import Matter
from report.chapters.availability import added, sla, users
from report.chapters.network import Line, tone
from report.facts import Agency, Seen, Span
from report.figures import Block, Cell, Chapter, Column, Heading, Table, Text, Tone
from report.language import Tongue
from report.measures.availability import Watched, buckets, by_device, outages, parts, watched
from report.measures.counts import best
from report.numbers import rounded

WORST = 10
SPARKS = 24
Pieces = list[tuple[datetime, datetime]]
_SEEN = {
    Seen.up: ("up", Tone.good),
    Seen.down: ("down", Tone.bad),
    Seen.unobserved: ("not-observed", Tone.unknown),
}


@dataclass(frozen=True)
class Profile:
    """An agency with its connections: what was met of them, and how it went over the window."""

    agency: Agency
    lines: tuple[Line, ...]
    whole: Watched
    spark: tuple[float | None, ...]
    outages: int
    longest_s: float


def profiles(matter: Matter, measured: list[Line]) -> list[Profile]:
    """Return the profile of every agency that has a connection, by kecamatan and name."""
    facts = matter.facts
    spans, pieces = by_device(facts.spans), buckets(facts.since, facts.until, SPARKS)
    of: dict[str, list[Line]] = {}
    for line in measured:
        of.setdefault(line.connection.agency, []).append(line)
    found = []
    for agency in sorted(facts.agencies, key=lambda a: (a.kecamatan, a.kind, a.name)):
        lines = of.get(agency.name, [])
        devices = sorted({x.connection.device_id for x in lines if x.connection.device_id is not None})
        some = [s for d in devices for s in spans.get(d, [])]
        found.append(_profile(agency, tuple(lines), some, len(devices), matter, pieces))
    return found


def _profile(
    agency: Agency, lines: tuple[Line, ...], spans: list[Span], devices: int, matter: Matter, pieces: Pieces
) -> Profile:
    facts = matter.facts
    away = outages(spans)
    return Profile(
        agency,
        lines,
        watched(spans, devices, facts.since, facts.until),
        tuple(p.ratio for p in parts(spans, devices, pieces)),
        len(away),
        max((o.seconds for o in away), default=0.0),
    )


def chapter(matter: Matter, t: Tongue, number: str, measured: list[Line]) -> Chapter:
    """Return the chapter: the worst ten, then everybody."""
    found = profiles(matter, measured)
    blocks: list[Block] = [
        Text(
            t.say(
                "profiles-text", pieces=t.number(len(buckets(matter.facts.since, matter.facts.until, SPARKS)))
            )
        ),
        _worst(found, t),
        _places(matter, found, t),
        Heading(t.say("part-agencies")),
        *(
            _agencies(matter, found, kind, t)
            for kind in ("opd", "kecamatan", "rsud", "puskesmas", "desa", "other")
        ),
    ]
    kept = tuple(b for b in blocks if not (isinstance(b, Table) and b.id.startswith("D-T3") and not b.rows))
    return Chapter(number, t.say("chapter-profiles"), kept)


def _worst(found: list[Profile], t: Tongue) -> Table:
    columns = (
        Column(t.say("rank"), 0.4, right=True),
        Column(t.say("agency"), 2.4),
        Column(t.say("place"), 1.3),
        Column(t.say("provider"), 1.3),
        Column(t.say("availability"), 1.2, right=True),
        Column(t.say("away-time"), 1.2, right=True),
        Column(t.say("outages"), 0.9, right=True),
    )
    some = sorted(
        (p for p in found if p.whole.ratio is not None), key=lambda p: (p.whole.ratio or 0, p.agency.name)
    )
    rows = tuple(_bad(i, p, t) for i, p in enumerate([p for p in some if p.whole.down_s > 0][:WORST], 1))
    return Table("D-T1", t.say("t-worst"), columns, rows, t.say("src-profiles"), empty=t.say("worst-none"))


def _bad(rank: int, p: Profile, t: Tongue) -> tuple[Cell, ...]:
    provider = next((x.connection.provider for x in p.lines if x.connection.provider), "")
    return (
        t.count(rank),
        t.text(p.agency.name),
        t.text(p.agency.kecamatan),
        t.text(provider),
        t.share(p.whole.ratio, 2, tone(p.whole.ratio)),
        Cell(p.whole.down_s, t.span(p.whole.down_s), unit="s"),
        t.count(p.outages),
    )


def _places(matter: Matter, found: list[Profile], t: Tongue) -> Table:
    """Return one line for each kecamatan, with both availabilities and the course of the window."""
    facts = matter.facts
    columns = (
        Column(t.say("place"), 1.7),
        Column(t.say("agencies-col"), 0.8, right=True),
        Column(t.say("users-col"), 1.1, right=True),
        Column(t.say("sla-col"), 1.1, right=True),
        Column(t.say("course"), 2.4),
        Column(t.say("outages"), 0.9, right=True),
        Column(t.say("longest"), 1.1, right=True),
    )
    rows = []
    for place in facts.places:
        some = [p for p in found if p.agency.kecamatan == place]
        met = added(
            matter.books.met[i]
            for p in some
            for x in p.lines
            if (i := x.connection.device_id or 0) in matter.books.met
        )
        both = tuple(t.brief(r, 2, tone(r)) for r in (users(met), sla(met)))
        longest = max((p.longest_s for p in some), default=0.0)
        rows.append(
            (
                t.text(place),
                t.count(len(some)),
                *both,
                course([p.spark for p in some], t),
                t.count(sum(p.outages for p in some)),
                Cell(longest, t.span(longest) if longest else t.say("none"), unit="s"),
            )
        )
    return Table(
        "D-T2",
        t.say("t-places-profile"),
        columns,
        tuple(rows),
        t.say("src-profiles"),
        empty=t.say("no-places"),
    )


def course(sparks: list[tuple[float | None, ...]], t: Tongue) -> Cell:
    """Return the mean course of some lines over time; a piece that nobody saw is a gap."""
    columns = zip(*sparks, strict=True) if sparks else ()
    means = tuple(_mean([v for v in column if v is not None]) for column in columns)
    known = [m for m in means if m is not None]
    if not known:
        return Cell(None, t.say("not-observed"), Tone.unknown)
    shown = t.say("lowest", share=t.percent(min(known), 1))
    return Cell(min(known), shown, unit="ratio", spark=means)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _agencies(matter: Matter, found: list[Profile], kind: str, t: Tongue) -> Table:
    columns = (
        Column(t.say("agency"), 2.3),
        Column(t.say("place"), 1.2),
        Column(t.say("state"), 1.2),
        Column(t.say("committed"), 1.15, right=True),
        Column(t.say("use"), 1.2, right=True),
        Column(t.say("availability"), 1.35, right=True),
        Column(t.say("course"), 2.2),
        Column(t.say("outages"), 1.1, right=True),
    )
    states = {d.id: d.seen for d in matter.facts.devices}
    rows = tuple(_agency(p, states, t) for p in found if p.agency.kind == kind)
    title = t.say("t-agencies-profile", kind=t.say(f"kind-{kind}"))
    return Table(f"D-T3-{kind}", title, columns, rows, t.say("src-profiles"))


def _agency(p: Profile, states: dict[int, Seen], t: Tongue) -> tuple[Cell, ...]:
    seen = [states.get(x.connection.device_id or 0, Seen.unobserved) for x in p.lines]
    state = t.word(*_SEEN[best(seen)]) if seen else t.word("not-connected", Tone.warn)
    first = p.lines[0] if p.lines else None
    use = max((x.load.utilisation for x in p.lines if x.load.utilisation is not None), default=None)
    busy = Tone.warn if any(x.load.above for x in p.lines) else Tone.plain
    return (
        t.text(p.agency.name),
        t.text(p.agency.kecamatan),
        state,
        t.rates(first.connection.down_bps, first.connection.up_bps, 0) if first else t.count(None),
        t.count(None) if use is None else Cell(use, t.percent(float(rounded(use, 4)), 1), busy, "ratio"),
        t.count(None) if not p.lines else t.brief(p.whole.ratio, 2, tone(p.whole.ratio)),
        course([p.spark], t) if p.lines else t.count(None),
        t.count(p.outages if p.lines else None),
    )
