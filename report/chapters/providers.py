"""VI, providers and restitution: the SLA verified against samples, power told apart from the line, and claims."""

from report.books import Bill, Matter, Served
from report.chapters.network import tone
from report.figures import Bar, Bars, Block, Cell, Chapter, Column, Figure, Numbers, Table, Text, Tone
from report.language import Tongue
from report.numbers import rounded

SCALE = 0.9  # the bars begin at this availability, so that differences can be seen
LINES = 40


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures B-01 to B-04: minutes and rupiah that are claimable, power apart, contracts kept."""
    bills = matter.books.bills
    claimable, power = sum(b.claimable_s for b in bills), sum(b.power_s for b in bills)
    sums = [b.amount_idr for b in bills if b.amount_idr is not None]
    judged = [b for b in bills if b.sla is not None and b.promised is not None]
    kept = sum(keeps(b) is True for b in judged)
    source, none = t.say("src-bills"), t.say("not-enough")
    of = t.say("share-of", part=t.number(kept), whole=t.number(len(judged)))
    priced = t.say("share-of", part=t.number(len(sums)), whole=t.number(len(bills)))
    return [
        Figure(
            "B-01",
            t.say("b-claimable"),
            claimable if bills else None,
            "s",
            t.number(claimable / 60) if bills else none,
            source,
        ),
        Figure(
            "B-02",
            t.say("b-amount"),
            sum(sums) if sums else None,
            "idr",
            t.number(sum(sums)) if sums else none,
            source,
            note=priced,
        ),
        Figure(
            "B-03",
            t.say("b-power"),
            power if bills else None,
            "s",
            t.number(power / 60) if bills else none,
            source,
        ),
        Figure(
            "B-04",
            t.say("b-kept"),
            kept if judged else None,
            "1",
            t.number(kept) if judged else none,
            source,
            kept if judged else None,
            len(judged) if judged else None,
            note=of if judged else "",
        ),
    ]


def keeps(bill: Bill) -> bool | None:
    """Return whether the measured SLA, as printed, reaches what was promised; None where either is not known."""
    if bill.sla is None or bill.promised is None:
        return None
    return rounded(bill.sla * 100, 2) >= rounded(bill.promised * 100, 2)


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter."""
    blocks: list[Block] = [
        Text(t.say("bills-text")),
        Numbers((known["B-01"], known["B-03"], known["B-02"], known["B-04"])),
        _bars(matter, t),
        _bills(matter, t),
        _times(matter, t),
        _lines(matter, t),
    ]
    return Chapter(number, t.say("chapter-providers"), tuple(blocks))


def _bars(matter: Matter, t: Tongue) -> Bars:
    """Return the SLA of each contract beside the least that was promised."""
    some = [b for b in matter.books.bills if b.sla is not None]
    promised = min((b.promised for b in some if b.promised is not None), default=None)
    bars = tuple(
        Bar(
            f"{b.provider} · {b.contract}",
            max((b.sla or 0) - SCALE, 0.0) / (1 - SCALE),
            t.percent(b.sla, 2),
            _verdict(b),
        )
        for b in some
    )
    mark = (promised - SCALE) / (1 - SCALE) if promised is not None else 1.0
    note = t.say(
        "bars-note", scale=t.percent(SCALE, 0), mark=t.percent(promised, 2) if promised else t.say("none")
    )
    return Bars(
        "B-C1",
        t.say("c-sla"),
        bars,
        t.say("src-bills"),
        max(mark, 0.0),
        t.percent(promised, 2),
        note,
        t.say("bills-none"),
    )


def _verdict(bill: Bill) -> Tone:
    kept = keeps(bill)
    return Tone.unknown if kept is None else Tone.good if kept else Tone.bad


def _bills(matter: Matter, t: Tongue) -> Table:
    columns = (
        Column(t.say("provider"), 1.3),
        Column(t.say("contract"), 1.6),
        Column(t.say("promised"), 1.15, right=True),
        Column(t.say("sla-col"), 1.1, right=True),
        Column(t.say("users-col"), 1.1, right=True),
        Column(t.say("stated"), 1.1, right=True),
        Column(t.say("difference"), 1.0, right=True),
        Column(t.say("claim-minutes"), 0.85, right=True),
        Column(t.say("claim-amount"), 1.2, right=True),
    )
    rows = tuple(_bill(b, t) for b in matter.books.bills)
    note = t.say("t-bills-note") if matter.books.priced else t.say("t-bills-unpriced")
    return Table("B-T1", t.say("t-bills"), columns, rows, t.say("src-bills"), note, t.say("bills-none"))


def _bill(b: Bill, t: Tongue) -> tuple[Cell, ...]:
    apart = None if b.stated is None or b.sla is None else (b.stated - b.sla) * 100
    shown = t.say("none") if apart is None else t.say("points", points=t.number(apart, 2))
    return (
        t.text(b.provider),
        t.text(b.contract),
        t.share(b.promised, 2) if b.promised is not None else t.word("none"),
        t.brief(b.sla, 2, _verdict(b)),
        t.brief(b.users, 2, tone(b.users)),
        t.brief(b.stated, 2),
        Cell(apart, shown),
        t.minutes(b.claimable_s, Tone.bad if b.claimable_s else Tone.plain),
        t.money(b.amount_idr),
    )


def _times(matter: Matter, t: Tongue) -> Table:
    """Return where the time away went: claimable, short, power, other excuses."""
    columns = (
        Column(t.say("contract"), 1.8),
        Column(t.say("limit"), 1.0, right=True),
        Column(t.say("away-minutes"), 1.1, right=True),
        Column(t.say("power-minutes"), 1.1, right=True),
        Column(t.say("excused-minutes"), 1.1, right=True),
        Column(t.say("short-minutes"), 1.1, right=True),
        Column(t.say("claim-minutes"), 1.1, right=True),
        Column(t.say("rule"), 1.8),
    )
    rows = tuple(
        (
            t.text(b.contract),
            Cell(b.after_s, t.say("none") if b.after_s is None else t.span(b.after_s), unit="s"),
            t.minutes(b.down_s),
            t.minutes(b.power_s),
            t.minutes(b.excused_s),
            t.minutes(b.short_s),
            t.minutes(b.claimable_s, Tone.bad if b.claimable_s else Tone.plain),
            t.text(b.rule) if b.rule else t.word("not-recorded", Tone.unknown),
        )
        for b in matter.books.bills
    )
    return Table(
        "B-T2",
        t.say("t-times"),
        columns,
        rows,
        t.say("src-bills"),
        t.say("t-times-note"),
        t.say("bills-none"),
    )


def _lines(matter: Matter, t: Tongue) -> Table:
    columns = (
        Column(t.say("connection"), 2.2),
        Column(t.say("contract"), 1.7),
        Column(t.say("users-col"), 1.1, right=True),
        Column(t.say("sla-col"), 1.1, right=True),
        Column(t.say("power-minutes"), 1.0, right=True),
        Column(t.say("claim-minutes"), 1.0, right=True),
        Column(t.say("claim-amount"), 1.2, right=True),
    )
    some = [(b, line) for b in matter.books.bills for line in b.lines if line.down_s > 0]
    some.sort(key=lambda pair: (-pair[1].claimable_s, -pair[1].down_s, pair[1].name))
    rows = tuple(_line(b, line, t) for b, line in some[:LINES])
    note = (
        t.say("shown-of", shown=t.number(len(rows)), total=t.number(len(some))) if len(some) > LINES else ""
    )
    return Table("B-T3", t.say("t-lines"), columns, rows, t.say("src-bills"), note, t.say("lines-none"))


def _line(b: Bill, line: Served, t: Tongue) -> tuple[Cell, ...]:
    return (
        t.text(line.agency or line.name),
        t.text(b.contract),
        t.brief(line.users, 2, tone(line.users)),
        t.brief(line.sla, 2),
        t.minutes(line.power_s),
        t.minutes(line.claimable_s),
        t.money(line.amount_idr),
    )
