"""Incidents by cause: how often, how long to restore (median and p90), what comes again, how requests were served."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from monitor.rates import percentile
from report.books import Matter, Outage, Ticket
from report.figures import Cell, Column, Figure, Table, Tone
from report.language import Tongue

CAUSES = ("link", "upstream", "power", "device", "planned", "unknown")
AGAIN = 2  # outages of one place that make a recurrence
LISTED = 20


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures I-05 and I-06: the time to restore, median and p90, of recorded outages that ended."""
    lengths = ended(matter.books.outages)
    source = t.say("src-outages-recorded")
    note = t.say("of-ended", count=t.number(len(lengths)))
    return [
        _length("I-05", "i-median", percentile(lengths, 0.5) if lengths else None, source, note, t),
        _length("I-06", "i-p90", percentile(lengths, 0.9) if lengths else None, source, note, t),
    ]


def _length(key: str, name: str, seconds: float | None, source: str, note: str, t: Tongue) -> Figure:
    shown = t.say("not-enough") if seconds is None else t.span(seconds)
    tone = Tone.unknown if seconds is None else Tone.plain
    return Figure(key, t.say(name), seconds, "s", shown, source, note=note, tone=tone)


def ended(some: Sequence[Outage]) -> list[float]:
    """Return how long those lasted that have ended, in seconds."""
    return [(o.end - o.start).total_seconds() for o in some if o.end is not None]


def by_cause(matter: Matter, t: Tongue) -> Table:
    """Return the outages recorded, by cause."""
    columns = (
        Column(t.say("cause"), 1.8),
        Column(t.say("outages"), 1.0, right=True),
        Column(t.say("whole-time"), 1.2, right=True),
        Column(t.say("median"), 1.2, right=True),
        Column(t.say("p90"), 1.2, right=True),
        Column(t.say("ongoing"), 1.0, right=True),
    )
    rows = []
    for cause in CAUSES:
        some = [o for o in matter.books.outages if o.cause == cause]
        if some:
            lengths = ended(some)
            last = tuple(_span(percentile(lengths, q) if lengths else None, t) for q in (0.5, 0.9))
            tone = Tone.unknown if cause == "unknown" else Tone.plain
            rows.append(
                (
                    t.known("cause", cause, tone),
                    t.count(len(some)),
                    _span(sum(lengths) if lengths else None, t),
                    *last,
                    t.count(len(some) - len(lengths)),
                )
            )
    empty = t.say("t-causes-none")
    return Table("I-T3", t.say("t-causes"), columns, tuple(rows), t.say("src-outages-recorded"), empty=empty)


def _span(seconds: float | None, t: Tongue) -> Cell:
    return Cell(seconds, t.say("none") if seconds is None else t.span(seconds), unit="s")


def recurring(matter: Matter, t: Tongue) -> Table:
    """Return where the same came again within the window."""
    groups: dict[str, list[Outage]] = defaultdict(list)
    for outage in matter.books.outages:
        groups[outage.where].append(outage)
    some = sorted(((w, o) for w, o in groups.items() if len(o) >= AGAIN), key=lambda p: (-len(p[1]), p[0]))
    columns = (
        Column(t.say("where"), 2.4),
        Column(t.say("outages"), 0.9, right=True),
        Column(t.say("whole-time"), 1.2, right=True),
        Column(t.say("causes"), 2.4),
    )
    rows = tuple(
        (t.text(where), t.count(len(o)), _span(sum(ended(o)), t), _causes(o, t)) for where, o in some[:LISTED]
    )
    note = t.say("shown-of", shown=t.number(LISTED), total=t.number(len(some))) if len(some) > LISTED else ""
    empty = t.say("t-recurring-none")
    return Table("I-T4", t.say("t-recurring"), columns, rows, t.say("src-outages-recorded"), note, empty)


def _causes(some: Sequence[Outage], t: Tongue) -> Cell:
    counted = Counter(o.cause for o in some)
    shown = ", ".join(f"{t.known('cause', c).shown} ({t.number(n)})" for c, n in counted.most_common())
    return Cell(shown, shown)


def tickets(matter: Matter, t: Tongue) -> Table:
    """Return the requests by priority: how many were resolved, and how long it took."""
    columns = (
        Column(t.say("priority"), 1.0, right=True),
        Column(t.say("tickets"), 1.0, right=True),
        Column(t.say("resolved"), 1.0, right=True),
        Column(t.say("to-answer"), 1.4, right=True),
        Column(t.say("to-resolve"), 1.4, right=True),
    )
    rows = tuple(
        _priority(p, [x for x in matter.books.tickets if x.priority == p], t)
        for p in sorted({x.priority for x in matter.books.tickets})
    )
    return Table(
        "I-T5", t.say("t-tickets"), columns, rows, t.say("src-tickets"), empty=t.say("t-tickets-none")
    )


def _priority(priority: int, some: Sequence[Ticket], t: Tongue) -> tuple[Cell, ...]:
    answered = [(x.acknowledged - x.opened).total_seconds() for x in some if x.acknowledged]
    resolved = [(x.resolved - x.opened).total_seconds() for x in some if x.resolved]
    medians = tuple(_span(percentile(some_s, 0.5) if some_s else None, t) for some_s in (answered, resolved))
    return (t.count(priority), t.count(len(some)), t.count(len(resolved)), *medians)
