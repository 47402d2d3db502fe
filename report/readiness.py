"""The readiness report as a pure function: the same facts, judgement, time and language give the same report."""

from datetime import datetime

from report.books import Matter, Signs
from report.chapters import (
    annexes,
    applications,
    availability,
    causes,
    equipment,
    front,
    gaps,
    goods,
    incidents,
    itself,
    mapping,
    network,
    profiles,
    providers,
    region,
    rooms,
    security,
    structure,
    superstructure,
)
from report.chapters.network import Line
from report.facts import Facts
from report.figures import Block, Chapter, Figure, Report
from report.glyphs import printable
from report.language import Tongue

_LABELS = (
    "title",
    "subtitle",
    "period",
    "as-of",
    "letter",
    "hash",
    "snapshot",
    "contents",
    "page",
    "of",
    "sign-place",
    "sign-date",
    "scope",
    "sign-name",
    "sign-id",
    "sign-box",
    "source",
    "level",
    "official",
    "own",
    "interval",
)


def build(
    about: Facts | Matter, *, now: datetime, lang: str = "id", letter: str = "", signs: Signs | None = None
) -> Report:
    """Compute every figure, table and sentence. `letter` is the number of the covering letter, `signs` who signs."""
    matter = about if isinstance(about, Matter) else Matter(about)
    t = Tongue(lang)
    measured = network.lines(matter.facts)
    known = {f.id: f for f in sorted(_figures(matter, t, measured), key=lambda f: f.id)}
    chapters = _chapters(matter, t, known, measured)
    return Report(
        lang=lang,
        meta={**_meta(matter, t, now, letter), **_signs(signs or Signs(), t)},
        parameters=front.parameters(matter.facts, t),
        figures=tuple(known.values()),
        chapters=(*chapters, *annexes.chapters(matter, t, known, chapters)),
        words={name: t.say(name) for name in _LABELS},
        assessment=matter.judged,
    )


def _figures(matter: Matter, t: Tongue, measured: list[Line]) -> list[Figure]:
    facts = matter.facts
    return [
        *front.figures(matter, t),
        *itself.figures(matter, t),
        *equipment.figures(facts, t),
        *goods.figures(matter, t),
        *network.figures(facts, t, measured),
        *availability.figures(measured, matter.books, t),
        *incidents.figures(facts, t),
        *causes.figures(matter, t),
        *region.figures(matter, t),
        *structure.figures(matter, t),
        *rooms.figures(matter, t),
        *applications.figures(matter, t),
        *superstructure.figures(matter, t),
        *providers.figures(matter, t),
    ]


def _chapters(
    matter: Matter, t: Tongue, known: dict[str, Figure], measured: list[Line]
) -> tuple[Chapter, ...]:
    two = availability.side_by_side(measured, matter, t)
    if matter.scope:
        return _partial(matter, t, known, measured, two)
    return (
        front.summary(matter, t, known),
        front.method(matter, t),
        region.chapter(matter, t, "I", known),
        structure.chapter(matter, t, "II", known),
        network.chapter(matter, t, "III.A", known, measured, two),
        equipment.chapter(matter, t, "III.B", known),
        rooms.chapter(matter, t, "III.C", known),
        applications.chapter(matter, t, "III.D", known),
        security.chapter(matter, t, "III.E", known),
        superstructure.chapter(matter, t, "IV", known),
        profiles.chapter(matter, t, "V", measured),
        providers.chapter(matter, t, "VI", known),
        incidents.chapter(matter, t, "VII", known),
        gaps.chapter(matter, t, "VIII"),
        mapping.chapter(matter, t, "IX"),
    )


def _signs(signs: Signs, t: Tongue) -> dict[str, str | bool]:
    """Return the signature block; what is not known is left as a line to fill in."""
    return {
        "signer": printable(signs.name),
        "signer_nip": printable(signs.nip),
        "signer_title": printable(signs.title) or t.say("sign-title"),
        "signed_at": printable(signs.place),
        "signed_on": "" if signs.on is None else t.in_words(signs.on),
    }


def _partial(
    matter: Matter, t: Tongue, known: dict[str, Figure], measured: list[Line], two: list[Block]
) -> tuple[Chapter, ...]:
    """Return the chapters that can be about a place or an agency; the others are about the whole regency."""
    rooms_too = (rooms.chapter(matter, t, "III.C", known),) if matter.books.rooms else ()
    return (
        front.summary(matter, t, known),
        front.method(matter, t),
        region.chapter(matter, t, "I", known),
        network.chapter(matter, t, "III.A", known, measured, two),
        equipment.chapter(matter, t, "III.B", known),
        *rooms_too,
        applications.chapter(matter, t, "III.D", known),
        profiles.chapter(matter, t, "V", measured),
        incidents.chapter(matter, t, "VII", known),
    )


def _meta(matter: Matter, t: Tongue, now: datetime, letter: str) -> dict[str, str | bool]:
    """Return what the cover and the running heads say."""
    facts = matter.facts
    regency = printable(facts.regency)
    return {
        "regency": regency,
        "office": t.say("office", regency=regency),
        "scope": printable(matter.scope),
        "label": printable(matter.label),
        "period": t.say("period-shown", since=t.moment(facts.since), until=t.moment(facts.until)),
        "since": facts.since.isoformat(),
        "until": facts.until.isoformat(),
        "as_of": t.moment(now),
        "now": now.isoformat(),
        "letter": printable(letter),
        "snapshot": matter.judged.snapshot_sha256 if matter.judged else "",
        "rubric": printable(matter.judged.rubric) if matter.judged else "",
        "illustrative": facts.illustrative,
        "banner": t.say("illustration") if facts.illustrative else "",
        "notice": t.say("illustration-long") if facts.illustrative else "",
        "internal": t.say("internal"),
    }
