"""A made-up assessment by the real rubric: readings of every kind, levels that go round, nothing measured."""

from datetime import date

from report.assessment import Assessment, Basis, Gate, Reading, Row
from report.judge import band, score, shares
from report.rubric import LEVELS, Indicator, Step, load

PLACES = tuple(f"Kecamatan Contoh {i:02}" for i in range(1, 30))


def judged(shift: int = 0, lang: str = "id", previous: Assessment | None = None) -> Assessment:
    """Return the assessment; `shift` moves every level on by as many places."""
    rubric = load().rubric
    rows = tuple(_row(i, (n * 5 + n // 7 + shift) % 6, lang) for n, i in enumerate(rubric.indicators))
    index = score("index", rows)
    levels = {r.id: r.level for r in rows}
    return Assessment(
        rubric=rubric.version,
        label=rubric.label.of(lang),
        since=date(2026, 10, 24),
        until=date(2026, 11, 24),
        rows=rows,
        index=index,
        band=band(rubric, index.value, lang),
        dimensions=tuple(score(d, [r for r in rows if r.dimension == d]) for d in rubric.dimensions),
        areas=tuple(score(a, [r for r in rows if r.area == a]) for a in rubric.areas),
        shares=shares(rows),
        gates=tuple(
            Gate(g.row, g.text.of(lang), None if (n := levels[g.row]) is None else n < g.below)
            for g in rubric.gates
        ),
        frameworks=tuple((k, f.name, f.status) for k, f in rubric.frameworks.items()),
        snapshot_sha256="0123456789abcdef" * 4,
        lang=lang,
        names=tuple((k, v.of(lang)) for k, v in rubric.areas.items())
        + tuple((k, d.name.of(lang)) for k, d in rubric.dimensions.items()),
        previous=previous,
    )


def _row(i: Indicator, level: int, lang: str) -> Row:
    ladder = i.direction == "ladder"
    known = level > 0
    value = None if not known or ladder else _value(i, level)
    met = PLACES[: 5 * level]
    reading = Reading(
        value,
        i.unit,
        len(met) if known else None,
        PLACES if known else (),
        met if known else (),
        date(2026, 11, 1),
        1.0 if level > 1 else 0.4 * level,
        ("device 1..140 (130)", "asked 2026-11-01..2026-11-24") if known else (),
        counted=len(PLACES) if known else None,
        unknown=() if level > 1 else ("Kecamatan Contoh 30",),
    )
    return Row(
        id=i.id,
        name=i.name.of(lang),
        dimension=i.dimension,
        part=i.part,
        area=i.area,
        definition=i.definition.of(lang),
        formula=i.formula,
        weight=i.weight,
        target=i.target,
        reading=reading,
        level=level or None,
        levels=tuple((n, _printed(i, n, lang)) for n in LEVELS),
        official=i.measured == "official",
        basis=tuple(Basis(b.fw, str(b.ind or ""), b.crit) for b in i.basis),
        next_step="" if level == 5 else "Catat dan lengkapi yang belum memenuhi.",
        measure=i.measure,
        direction=i.direction,
        min_coverage=i.min_coverage,
        reason="" if known else "Belum ada catatan; data tidak cukup.",
    )


def _value(i: Indicator, level: int) -> float:
    if level > 1:
        return i.bound(level)
    return i.bound(2) * (2 if i.direction == "lower" else 0.5)


def _printed(i: Indicator, level: int, lang: str) -> str:
    found = i.levels[level]
    sign = "≤" if i.direction == "lower" else "≥"
    return found.text.of(lang) if isinstance(found, Step) else f"{sign} {found:g}"
