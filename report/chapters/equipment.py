"""Equipment: what there is, what is seen of it, and where record and device disagree."""

from collections.abc import Iterable
from datetime import date

from report.books import Matter
from report.chapters import goods, indicators
from report.facts import Device, Facts, Seen
from report.figures import Block, Cell, Chapter, Column, Figure, Numbers, Table, Tone
from report.language import Tongue, rows_of
from report.measures.counts import Count, count, grouped

LIMIT = 40  # rows of a list of exceptions; the rest is counted in its note
_TONES = {Seen.up: Tone.good, Seen.down: Tone.bad, Seen.unobserved: Tone.unknown}
_WORDS = {Seen.up: "up", Seen.down: "down", Seen.unobserved: "not-observed"}


def part(
    t: Tongue,
    key: str,
    name: str,
    source: str,
    numerator: int,
    denominator: int,
    *,
    evidence: str = "",
    coverage: float | None = None,
    bad: Tone = Tone.plain,
    note: str = "",
) -> Figure:
    """Return a figure that counts some of many: shown as the count, with `x of y` beneath."""
    of = t.say("share-of", part=t.number(numerator), whole=t.number(denominator))
    return Figure(
        id=key,
        label=t.say(name),
        value=numerator,
        unit="1",
        shown=t.number(numerator),
        source=source,
        numerator=numerator,
        denominator=denominator,
        coverage=coverage,
        evidence=(evidence,) if evidence else (),
        note=note or of,
        tone=bad if numerator else (Tone.good if bad is not Tone.plain else Tone.plain),
    )


def figures(facts: Facts, t: Tongue) -> list[Figure]:
    """Return the figures E-01 to E-10."""
    devices = facts.devices
    seen = count(devices)
    states = t.say("src-states", fresh=t.span(facts.fresh_s))
    rows = rows_of("device", (d.id for d in devices))
    coverage = seen.observed / seen.total if seen.total else None
    total = t.number(seen.total)
    return [
        Figure("E-01", t.say("e-devices"), seen.total, "1", total, t.say("src-devices"), evidence=(rows,)),
        _state(t, "E-02", "e-up", states, seen.up, seen, devices, Seen.up),
        _state(t, "E-03", "e-down", states, seen.down, seen, devices, Seen.down),
        _state(t, "E-04", "e-unobserved", states, seen.unobserved, seen, devices, Seen.unobserved),
        Figure(
            "E-05",
            t.say("e-coverage"),
            coverage,
            "ratio",
            t.percent(coverage),
            states,
            seen.observed,
            seen.total,
            coverage,
            (rows,),
            t.say("share-of", part=t.number(seen.observed), whole=total),
        ),
        *_findings(devices, t),
        part(t, "E-10", "e-degraded", states, seen.degraded, seen.up, coverage=coverage, bad=Tone.warn),
    ]


def _state(
    t: Tongue,
    key: str,
    name: str,
    source: str,
    some: int,
    seen: Count,
    devices: Iterable[Device],
    state: Seen,
) -> Figure:
    rows = rows_of("device_state", (d.id for d in devices if d.seen is state))
    tone = Tone.plain if state is Seen.up else _TONES[state]
    return part(t, key, name, source, some, seen.total, evidence=rows, bad=tone)


def _findings(devices: tuple[Device, ...], t: Tongue) -> list[Figure]:
    asked = [d for d in devices if d.snmp]
    old = [d for d in asked if d.snmp != "3"]
    compared = [d for d in devices if d.serial and d.seen_serial]
    other = disagreeing(devices)
    dated = [d for d in devices if d.end_of_sale or d.end_of_life]
    whole = len(devices)

    def known(some: list[Device]) -> float | None:
        return len(some) / whole if whole else None

    return [
        part(
            t,
            "E-06",
            "e-old-snmp",
            t.say("src-snmp"),
            len(old),
            len(asked),
            coverage=known(asked),
            evidence=rows_of("device", (d.id for d in old)),
            bad=Tone.warn,
        ),
        part(
            t,
            "E-07",
            "e-serial",
            t.say("src-serial"),
            len(other),
            len(compared),
            coverage=known(compared),
            evidence=rows_of("device", (d.id for d in other)),
            bad=Tone.warn,
        ),
        part(
            t,
            "E-08",
            "e-past",
            t.say("src-eos"),
            len(_past(devices)),
            len(dated),
            coverage=known(dated),
            evidence=rows_of("device", (d.id for d in dated)),
            bad=Tone.warn,
        ),
        part(t, "E-09", "e-eos-unknown", t.say("src-eos"), whole - len(dated), whole, bad=Tone.unknown),
    ]


def disagreeing(devices: Iterable[Device]) -> list[Device]:
    """Return the devices whose recorded serial number is not the one they state."""
    return [d for d in devices if d.serial and d.seen_serial and d.serial.strip() != d.seen_serial.strip()]


def _past(devices: Iterable[Device]) -> list[Device]:
    return [d for d in devices if d.past]


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter."""
    facts = matter.facts
    keys = ("E-01", "E-02", "E-03", "E-04", "E-05", "E-10", "E-07", "E-08", "E-11")
    blocks: list[Block] = [
        Numbers(tuple(known[k] for k in keys)),
        *indicators.section(matter, t, "E-I1", "INF-PER"),
        _roles(facts, t),
        *goods.blocks(matter, t),
        _models(facts, t),
        _versions(facts, t),
        _serials(facts, t),
        _unwell(facts, t),
    ]
    return Chapter(number, t.say("chapter-equipment"), tuple(blocks))


def state_columns(t: Tongue) -> tuple[Column, ...]:
    """Return the columns that `state_cells` fills."""
    names = ("total", "col-up", "col-down", "col-unobserved", "col-coverage")
    return tuple(Column(t.say(n), 0.9, right=True) for n in names)


def state_cells(t: Tongue, seen: Count) -> tuple[Cell, ...]:
    """Return total, up, down, not observed, and the share observed."""
    return (
        t.count(seen.total),
        t.count(seen.up),
        t.count(seen.down, Tone.bad if seen.down else Tone.plain),
        t.count(seen.unobserved, Tone.unknown if seen.unobserved else Tone.plain),
        t.share(seen.observed / seen.total if seen.total else None),
    )


def _roles(facts: Facts, t: Tongue) -> Table:
    rows = [(t.text(role), *state_cells(t, seen)) for (role,), seen in grouped(facts.devices, "role").items()]
    rows.append((t.word("total"), *state_cells(t, count(facts.devices))))
    source = f"{t.say('src-devices')} {t.say('src-states', fresh=t.span(facts.fresh_s))}"
    columns = (Column(t.say("role"), 1.6), *state_columns(t))
    return Table("E-T1", t.say("t-roles"), columns, tuple(rows), source, empty=t.say("no-devices"))


def _models(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("maker"), 1.2),
        Column(t.say("model"), 1.8),
        Column(t.say("role"), 1.1),
        Column(t.say("total"), 0.7, right=True),
        Column(t.say("col-up"), 0.9, right=True),
        Column(t.say("col-down"), 0.7, right=True),
        Column(t.say("col-unobserved"), 0.9, right=True),
        Column(t.say("eos"), 1.4, right=True),
        Column(t.say("eol"), 1.4, right=True),
    )
    ends = {(d.maker, d.model): d for d in facts.devices}
    rows = []
    for (maker, model, role), seen in grouped(facts.devices, "maker", "model", "role").items():
        one = ends[maker, model]
        cells = state_cells(t, seen)[:4]
        ending = _end(one.end_of_sale, facts, t), _end(one.end_of_life, facts, t)
        rows.append((t.text(maker), t.text(model), t.text(role), *cells, *ending))
    source = f"{t.say('src-devices')} {t.say('src-eos')}"
    return Table("E-T2", t.say("t-models"), columns, tuple(rows), source, empty=t.say("no-devices"))


def _end(on: date | None, facts: Facts, t: Tongue) -> Cell:
    return t.day(on, Tone.warn if on and on < facts.until.date() else Tone.plain)


def _versions(facts: Facts, t: Tongue) -> Table:
    columns = (Column(t.say("platform"), 1.4), Column(t.say("version"), 2.2), *state_columns(t))
    groups = grouped(facts.devices, "platform", "version").items()
    rows = [(t.text(p), t.text(v), *state_cells(t, seen)) for (p, v), seen in groups]
    table = capped(t, rows, t.say("src-devices"))
    return Table("E-T3", t.say("t-versions"), columns, *table, empty=t.say("no-devices"))


def capped(
    t: Tongue, rows: list[tuple[Cell, ...]], source: str, limit: int = LIMIT, total: int = 0
) -> tuple[tuple[tuple[Cell, ...], ...], str, str]:
    """Return the first rows, the source, and a note that says how many there are if some are left out.

    `total`: how many there are, where only the first are given.
    """
    note, many = "", max(total, len(rows))
    if many > limit:
        note = t.say("shown-of", shown=t.number(limit), total=t.number(many))
    return tuple(rows[:limit]), source, note


def snmp(facts: Facts, t: Tongue) -> Table:
    """Return how devices are asked: versions of SNMP, and which of them are a finding."""
    columns = (Column(t.say("snmp"), 2.0), *state_columns(t), Column(t.say("finding"), 1.0))
    rows = []
    for (version,), seen in grouped(facts.devices, "snmp").items():
        name = t.text(f"SNMPv{version}") if version else t.word("snmp-none")
        verdict = t.word("fine", Tone.good) if version == "3" else t.word("yes-finding", Tone.warn)
        rows.append((name, *state_cells(t, seen), verdict if version else t.text("")))
    note = t.say("t-snmp-note")
    return Table("E-T4", t.say("t-snmp"), columns, tuple(rows), t.say("src-snmp"), note, t.say("no-devices"))


def _serials(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("device"), 1.6),
        Column(t.say("agency"), 2.0),
        Column(t.say("recorded"), 1.5),
        Column(t.say("said"), 1.5),
    )
    rows: list[tuple[Cell, ...]] = [
        (t.text(d.name), t.text(d.agency), t.text(d.serial), t.text(d.seen_serial, Tone.warn))
        for d in sorted(disagreeing(facts.devices), key=lambda d: d.name)
    ]
    compared = sum(bool(d.serial and d.seen_serial) for d in facts.devices)
    empty = t.say("t-serials-none", compared=t.number(compared))
    return Table("E-T5", t.say("t-serials"), columns, *capped(t, rows, t.say("src-serial")), empty=empty)


def _unwell(facts: Facts, t: Tongue) -> Table:
    columns = (
        Column(t.say("device"), 1.9),
        Column(t.say("role"), 0.7),
        Column(t.say("agency"), 1.8),
        Column(t.say("place"), 1.1),
        Column(t.say("state"), 1.2),
        Column(t.say("last-seen"), 1.4, right=True),
    )
    some = sorted((d for d in facts.devices if d.seen is not Seen.up), key=lambda d: (d.seen, d.name))
    rows: list[tuple[Cell, ...]] = [
        (
            t.text(d.name),
            t.text(d.role),
            t.text(d.agency),
            t.text(d.kecamatan),
            t.word(_WORDS[d.seen], _TONES[d.seen]),
            t.stamp(d.last_seen),
        )
        for d in some
    ]
    source = t.say("src-states", fresh=t.span(facts.fresh_s))
    return Table("E-T6", t.say("t-unwell"), columns, *capped(t, rows, source), empty=t.say("t-unwell-none"))
