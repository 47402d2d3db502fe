"""The readiness report as a pure function: the same facts, time and language give the same report."""

from datetime import datetime

from report.chapters import equipment, front, gaps, incidents, network
from report.facts import Facts
from report.figures import Report
from report.glyphs import printable
from report.language import Tongue

_LABELS = (
    "title",
    "subtitle",
    "period",
    "as-of",
    "letter",
    "hash",
    "contents",
    "page",
    "of",
    "sign-place",
    "sign-date",
    "sign-title",
    "sign-name",
    "sign-id",
    "sign-box",
    "source",
)


def build(facts: Facts, *, now: datetime, lang: str = "id", letter: str = "") -> Report:
    """Compute every figure, table and sentence. `letter` is the number of the covering letter, if known."""
    t = Tongue(lang)
    measured = network.lines(facts)
    figures = [
        *equipment.figures(facts, t),
        *network.figures(facts, t, measured),
        *incidents.figures(facts, t),
    ]
    known = {figure.id: figure for figure in sorted(figures, key=lambda f: f.id)}
    found = gaps.ranked(facts, known, measured)
    chapters = (
        front.summary(facts, t, t.number(1), known, found),
        front.method(facts, t, t.number(2)),
        equipment.chapter(facts, t, t.number(3), known),
        network.chapter(facts, t, t.number(4), known, measured),
        incidents.chapter(facts, t, t.number(5), known),
        gaps.chapter(t, t.number(6), found),
    )
    annex = front.sources(t, t.number(7), known, chapters)
    return Report(
        lang=lang,
        meta=_meta(facts, t, now, letter),
        parameters=front.parameters(facts, t),
        figures=tuple(known.values()),
        chapters=(*chapters, annex),
        words={name: t.say(name) for name in _LABELS},
    )


def _meta(facts: Facts, t: Tongue, now: datetime, letter: str) -> dict[str, str | bool]:
    """Return what the cover and the running heads say."""
    regency = printable(facts.regency)
    return {
        "regency": regency,
        "office": t.say("office", regency=regency),
        "period": t.say("period-shown", since=t.moment(facts.since), until=t.moment(facts.until)),
        "since": facts.since.isoformat(),
        "until": facts.until.isoformat(),
        "as_of": t.moment(now),
        "now": now.isoformat(),
        "letter": printable(letter),
        "illustrative": facts.illustrative,
        "banner": t.say("illustration") if facts.illustrative else "",
        "notice": t.say("illustration-long") if facts.illustrative else "",
        "internal": t.say("internal"),
    }
