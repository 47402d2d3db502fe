"""The regency's goods in III.B: condition, age, and how far the books agree with what is in service."""

from collections import Counter
from datetime import date

from report.books import Good, Matter
from report.charts import Stick, chart_columns
from report.figures import Block, Cell, Chart, Column, Figure, Table, Tone
from report.language import Tongue

OLDEST = 10  # years and more are one column
CONDITIONS = (("good", Tone.good), ("worn", Tone.warn), ("broken", Tone.bad), ("", Tone.unknown))


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figure E-11: devices that an asset of the books stands for."""
    goods, devices = matter.books.goods, matter.facts.devices
    linked = sum(g.linked for g in goods)
    of = t.say("share-of", part=t.number(linked), whole=t.number(len(devices)))
    return [
        Figure(
            "E-11",
            t.say("e-books"),
            linked,
            "1",
            t.number(linked),
            t.say("src-goods"),
            linked,
            len(devices),
            note=of,
        )
    ]


def blocks(matter: Matter, t: Tongue) -> list[Block]:
    """Return the chart of ages and the table of what the books hold."""
    return [_ages(matter, t), _books(matter, t)]


def age(good: Good, today: date) -> int | None:
    """Return the whole years since it was acquired."""
    if good.acquired is None:
        return None
    before = (today.month, today.day) < (good.acquired.month, good.acquired.day)
    return max(today.year - good.acquired.year - before, 0)


def _ages(matter: Matter, t: Tongue) -> Chart:
    today = matter.facts.until.date()
    counted = Counter(
        (min(a, OLDEST) if (a := age(g, today)) is not None else None, g.condition)
        for g in matter.books.goods
    )
    years = [*range(OLDEST + 1), None]
    sticks = []
    for year in years:
        parts = tuple((counted[year, c], tone) for c, tone in CONDITIONS)
        total = sum(n for n, _ in parts)
        label = (
            t.say("no-year")
            if year is None
            else t.say("and-over", years=t.number(year))
            if year == OLDEST
            else t.number(year)
        )
        sticks.append(Stick(label, parts, t.number(total)))
    legend = tuple((tone, t.say(f"condition-{c or 'none'}")) for c, tone in CONDITIONS)
    svg = chart_columns(sticks, legend) if matter.books.goods else ""
    said = "; ".join(f"{s.label}: {s.shown}" for s in sticks)
    return Chart(
        "E-C1",
        t.say("c-ages"),
        svg,
        said,
        t.say("src-goods"),
        note=t.say("c-ages-note"),
        empty=t.say("goods-none"),
    )


def _books(matter: Matter, t: Tongue) -> Table:
    goods = matter.books.goods
    listed = [
        (f"condition-{c or 'none'}", sum(g.condition == c for g in goods), tone) for c, tone in CONDITIONS
    ]
    listed += [
        ("goods-coded", sum(g.coded for g in goods), Tone.plain),
        ("goods-numbered", sum(g.numbered for g in goods), Tone.plain),
        ("goods-placed", sum(g.placed for g in goods), Tone.plain),
        ("goods-linked", sum(g.linked for g in goods), Tone.plain),
    ]
    columns = (
        Column(t.say("part"), 3.0),
        Column(t.say("total"), 1.0, right=True),
        Column(t.say("share"), 1.0, right=True),
    )
    rows = tuple(
        (
            t.word(key, tone if count else Tone.plain),
            t.count(count),
            t.share(count / len(goods) if goods else None),
        )
        for key, count, tone in listed
    )
    value = sum(g.price_idr for g in goods if g.price_idr is not None)
    priced = [g for g in goods if g.price_idr is not None]
    last = (t.word("goods-price"), t.money(value if priced else None), Cell(None, ""))
    return Table(
        "E-T7",
        t.say("t-goods"),
        columns,
        (*rows, last) if goods else (),
        t.say("src-goods"),
        empty=t.say("goods-none"),
    )
