"""III.D, applications: the register of the agencies' applications, where they run and how they are reached."""

from collections import Counter

from report.books import App, Matter
from report.chapters import indicators
from report.figures import Block, Cell, Chapter, Column, Figure, Numbers, Stack, Table, Tone
from report.language import Tongue

HOSTINGS = (("lokal", Tone.warn), ("pdn", Tone.good), ("awan", Tone.plain), ("", Tone.unknown))


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures A-01 to A-03: applications, those with an owner, those that are watched."""
    apps = matter.books.apps
    owned, watched = sum(bool(a.owner) for a in apps), sum(a.watched for a in apps)
    source = t.say("src-apps")

    def some(key: str, name: str, part: int) -> Figure:
        of = t.say("share-of", part=t.number(part), whole=t.number(len(apps)))
        return Figure(key, t.say(name), part, "1", t.number(part), source, part, len(apps), note=of)

    whole = Figure("A-01", t.say("a-apps"), len(apps), "1", t.number(len(apps)), source)
    return [whole, some("A-02", "a-owned", owned), some("A-03", "a-watched", watched)]


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter."""
    blocks: list[Block] = [
        Numbers((known["A-01"], known["A-02"], known["A-03"])),
        *indicators.section(matter, t, "A-I1", "INF-APL"),
        _hosting(matter, t),
        _apps(matter, t),
    ]
    return Chapter(number, t.say("chapter-applications"), tuple(blocks))


def _hosting(matter: Matter, t: Tongue) -> Stack:
    counted = Counter(a.hosting for a in matter.books.apps)
    parts = tuple(
        (t.say(f"hosting-{h}" if h else "not-recorded"), counted[h], t.number(counted[h]), tone)
        for h, tone in HOSTINGS
    )
    return Stack("A-C1", t.say("hosting"), parts, t.say("src-apps"))


def _apps(matter: Matter, t: Tongue) -> Table:
    columns = (
        Column(t.say("application"), 2.6),
        Column(t.say("owner-agency"), 2.4),
        Column(t.say("hosting-col"), 1.2),
        Column(t.say("spl"), 0.9),
        Column(t.say("priority"), 0.8, right=True),
        Column(t.say("tls"), 0.8),
        Column(t.say("watched"), 1.0),
    )
    rows = tuple(_app(a, t) for a in sorted(matter.books.apps, key=lambda a: (a.criticality or 9, a.title)))
    return Table("A-T1", t.say("t-apps"), columns, rows, t.say("src-apps"), empty=t.say("apps-none"))


def _app(app: App, t: Tongue) -> tuple[Cell, ...]:
    hosting = t.known("hosting", app.hosting) if app.hosting else t.word("not-recorded", Tone.unknown)
    spl = t.word("not-recorded", Tone.unknown) if app.spl is None else t.word("yes" if app.spl else "no")
    return (
        t.text(app.title),
        t.text(app.owner) if app.owner else t.word("not-recorded", Tone.unknown),
        hosting,
        spl,
        t.count(app.criticality),
        t.word("yes") if app.tls else t.word("none"),
        t.word("yes", Tone.good) if app.watched else t.word("no", Tone.unknown),
    )
