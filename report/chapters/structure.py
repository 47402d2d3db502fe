"""II, structure: II.A the people who keep the network, II.B budget and contracts."""

from collections import defaultdict
from datetime import date, timedelta

from report.books import Books, Matter, Money, Staff
from report.chapters import indicators
from report.figures import Block, Cell, Chapter, Column, Figure, Heading, Numbers, Table, Tone
from report.language import Tongue

COMPETENCES = ("proses-bisnis", "arsitektur", "data", "keamanan", "aplikasi", "infrastruktur")
SOON_DAYS = 90


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures O-01 to O-05: people, posts, on call; contracts, and what they cost a month."""
    books = matter.books
    posts = [s.fte for s in books.staff if s.fte is not None]
    on_call = sum(s.on_call for s in books.staff)
    monthly = [m.monthly_idr * max(m.lines, 1) for m in books.money if m.monthly_idr is not None]
    people = len(books.staff)
    return [
        Figure("O-01", t.say("o-people"), people, "1", t.number(people), t.say("src-people")),
        Figure(
            "O-02",
            t.say("o-posts"),
            sum(posts) if posts else None,
            "1",
            t.number(sum(posts), 1) if posts else t.say("not-enough"),
            t.say("src-people"),
            note=t.say("share-of", part=t.number(len(posts)), whole=t.number(people)),
        ),
        Figure(
            "O-03", t.say("o-on-call"), on_call, "1", t.number(on_call), t.say("src-people"), on_call, people
        ),
        Figure(
            "O-04",
            t.say("o-contracts"),
            len(books.money),
            "1",
            t.number(len(books.money)),
            t.say("src-money"),
        ),
        Figure(
            "O-05",
            t.say("o-monthly"),
            sum(monthly) if monthly else None,
            "idr",
            t.number(sum(monthly)) if monthly else t.say("not-enough"),
            t.say("src-money"),
            note=t.say("share-of", part=t.number(len(monthly)), whole=t.number(len(books.money))),
        ),
    ]


def chapter(matter: Matter, t: Tongue, number: str, known: dict[str, Figure]) -> Chapter:
    """Return the chapter."""
    blocks: list[Block] = [
        Heading(t.say("part-people", number=number)),
        Numbers((known["O-01"], known["O-02"], known["O-03"])),
        *indicators.section(matter, t, "O-I1", "STR-SDM"),
        _roles(matter.books, t, matter.facts.until.date()),
        _competences(matter.books, t),
        Heading(t.say("part-money", number=number)),
        Numbers((known["O-04"], known["O-05"])),
        *indicators.section(matter, t, "O-I2", "STR-ANG"),
        _money(matter, t),
    ]
    return Chapter(number, t.say("chapter-structure"), tuple(blocks))


def _roles(books: Books, t: Tongue, today: date) -> Table:
    columns = (
        Column(t.say("role"), 2.2),
        Column(t.say("unit"), 2.4),
        Column(t.say("people"), 0.8, right=True),
        Column(t.say("posts"), 0.9, right=True),
        Column(t.say("on-call"), 0.9, right=True),
        Column(t.say("certified"), 1.2, right=True),
    )
    groups: dict[tuple[str, str], list[Staff]] = defaultdict(list)
    for one in books.staff:
        groups[one.role, one.unit].append(one)
    rows = tuple(_role(role, unit, some, t, today) for (role, unit), some in sorted(groups.items()))
    return Table(
        "O-T1", t.say("t-roles-people"), columns, rows, t.say("src-people"), empty=t.say("people-none")
    )


def _role(role: str, unit: str, some: list[Staff], t: Tongue, today: date) -> tuple[Cell, ...]:
    posts = [s.fte for s in some if s.fte is not None]
    valid = sum(any(e is None or e >= today for _, e in s.certificates) for s in some)
    return (
        t.text(role) if role else t.word("no-role"),
        t.text(unit),
        t.count(len(some)),
        Cell(sum(posts), t.number(sum(posts), 1)) if posts else t.count(None),
        t.count(sum(s.on_call for s in some)),
        t.count(valid, Tone.plain if valid else Tone.warn),
    )


def _competences(books: Books, t: Tongue) -> Table:
    """Return the six fields of competence and how many people have each."""
    columns = (
        Column(t.say("competence"), 2.4),
        Column(t.say("people"), 1.0, right=True),
        Column(t.say("judged"), 1.4),
    )
    rows = []
    for name in COMPETENCES:
        many = sum(name in s.competences for s in books.staff)
        verdict = (
            ("comp-two", Tone.good)
            if many > 1
            else ("comp-one", Tone.warn)
            if many
            else ("comp-none", Tone.bad)
        )
        rows.append((t.word(f"comp-{name}"), t.count(many), t.word(*verdict)))
    return Table(
        "O-T2",
        t.say("t-competences"),
        columns,
        tuple(rows) if books.staff else (),
        t.say("src-people"),
        t.say("t-competences-note"),
        t.say("people-none"),
    )


def _money(matter: Matter, t: Tongue) -> Table:
    columns = (
        Column(t.say("contract"), 1.8),
        Column(t.say("provider"), 1.4),
        Column(t.say("kind"), 0.9),
        Column(t.say("connections"), 0.8, right=True),
        Column(t.say("price"), 1.3, right=True),
        Column(t.say("monthly"), 1.3, right=True),
        Column(t.say("per-mbps"), 1.1, right=True),
        Column(t.say("ends"), 1.35),
    )
    rows = tuple(
        _contract(m, matter, t) for m in sorted(matter.books.money, key=lambda m: (m.provider, m.contract))
    )
    note, empty = t.say("t-money-note"), t.say("t-contracts-none")
    return Table("O-T3", t.say("t-money"), columns, rows, t.say("src-money"), note, empty)


def _contract(m: Money, matter: Matter, t: Tongue) -> tuple[Cell, ...]:
    today = matter.facts.until.date()
    soon = m.end is not None and m.end <= today + timedelta(days=m.notice_days or SOON_DAYS)
    ends = t.day(m.end, Tone.bad if m.end and m.end < today else Tone.warn if soon else Tone.plain)
    return (
        t.text(m.contract),
        t.text(m.provider),
        t.known("contract-kind", m.kind),
        t.count(m.lines),
        t.money(m.price_idr),
        t.money(m.monthly_idr),
        t.money(m.idr_per_mbps),
        ends,
    )
