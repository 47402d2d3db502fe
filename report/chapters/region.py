"""I, the regency: the map of its kecamatan, how many sites there are, and the dated lists they are counted against."""

from collections import Counter

from report.books import Matter
from report.chapters.network import GOOD, POOR, tone
from report.charts import Area, chart_map
from report.facts import Facts
from report.figures import Block, Cell, Chapter, Chart, Column, Figure, Numbers, Table, Tone
from report.language import Tongue
from report.measures.availability import by_device, watched
from report.measures.counts import reach

KINDS = ("opd", "kecamatan", "rsud", "puskesmas", "desa", "other")


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures W-01 to W-03: kecamatan, agencies recorded, sites with a device."""
    facts = matter.facts
    districts, agencies = len(facts.places), len(facts.agencies)
    used = {d.kecamatan for d in facts.devices if d.kecamatan}
    inside = len(used & set(facts.places))
    return [
        Figure("W-01", t.say("w-districts"), districts, "1", t.number(districts), t.say("src-places")),
        Figure("W-02", t.say("w-agencies"), agencies, "1", t.number(agencies), t.say("src-places")),
        Figure(
            "W-03",
            t.say("w-equipped"),
            inside,
            "1",
            t.number(inside),
            t.say("src-devices"),
            inside,
            districts,
            note=t.say("share-of", part=t.number(inside), whole=t.number(districts)),
        ),
    ]


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter."""
    blocks: tuple[Block, ...] = (
        Numbers((known["W-01"], known["W-02"], known["W-03"])),
        _map(matter, t),
        _sites(matter.facts, t),
        _denominators(matter.facts, t),
    )
    return Chapter(number, t.say("chapter-region"), blocks)


def _map(matter: Matter, t: Tongue) -> Chart:
    facts = matter.facts
    ratios = _ratios(facts)
    areas = [
        Area(name, outline, at, tone(ratios.get(name)), _short(ratios.get(name), t))
        for name, outline, at in matter.outlines
    ]
    legend = (
        (Tone.good, t.say("h-good", good=t.percent(GOOD, 0))),
        (Tone.warn, t.say("h-warn", good=t.percent(GOOD, 0))),
        (Tone.bad, t.say("h-bad", poor=t.percent(POOR, 0))),
        (Tone.unknown, t.say("not-observed")),
    )
    said = "; ".join(f"{a.name}: {a.shown}" for a in areas) or t.say("map-none")
    svg = chart_map(areas, legend) if areas else ""
    source = t.say("src-map", source=matter.outlines_source or t.say("none"))
    return Chart("W-C1", t.say("map"), svg, said, source, note=t.say("map-note"), empty=t.say("map-none"))


def _short(ratio: float | None, t: Tongue) -> str:
    return t.say("none") if ratio is None else t.percent(ratio, 2)


def _ratios(facts: Facts) -> dict[str, float | None]:
    spans = by_device(facts.spans)
    found: dict[str, float | None] = {}
    for place in facts.places:
        some = [d.id for d in facts.devices if d.kecamatan == place]
        seen = watched([s for i in some for s in spans.get(i, [])], len(some), facts.since, facts.until)
        found[place] = seen.ratio
    return found


def _sites(facts: Facts, t: Tongue) -> Table:
    """Return how many agencies of each kind each kecamatan has."""
    kinds = [k for k in KINDS if any(a.kind == k for a in facts.agencies)]
    columns = (
        Column(t.say("place"), 1.8),
        *(Column(t.say(f"kind-{k}"), 1.0, right=True) for k in kinds),
        Column(t.say("devices-col"), 1.0, right=True),
        Column(t.say("connections"), 1.0, right=True),
    )
    devices = Counter(d.kecamatan for d in facts.devices)
    lines = Counter(c.kecamatan for c in facts.connections)
    of = Counter((a.kecamatan, a.kind) for a in facts.agencies)
    used = {a.kecamatan for a in facts.agencies} | set(devices)
    order = [*facts.places, *sorted(used - set(facts.places) - {""}), *([""] if "" in used else [])]
    rows = tuple(
        (
            t.text(place) if place else t.word("no-place"),
            *(t.count(of[place, k] or None) for k in kinds),
            t.count(devices[place] or None),
            t.count(lines[place] or None),
        )
        for place in order
    )
    return Table("W-T1", t.say("t-sites"), columns, rows, t.say("src-places"), empty=t.say("no-places"))


def _denominators(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("kind"), 1.4),
        Column(t.say("denominator"), 0.8, right=True),
        Column(t.say("dated"), 1.0, right=True),
        Column(t.say("in-inventory"), 0.9, right=True),
        Column(t.say("difference"), 0.8, right=True),
        Column(t.say("source"), 3.0),
    )
    rows = tuple(
        (
            t.known("kind", d.kind),
            t.count(d.count),
            t.text(d.as_of),
            t.count(recorded := reach(facts, (d.kind,)).recorded),
            Cell(
                recorded - d.count,
                t.signed(recorded - d.count),
                Tone.warn if recorded != d.count else Tone.plain,
            ),
            t.text(d.source, limit=300),
        )
        for d in facts.denominators
    )
    note, empty = t.say("t-denominators-note"), t.say("t-denominators-none")
    return Table("W-T2", t.say("t-denominators"), columns, rows, t.say("src-denominators"), note, empty)
