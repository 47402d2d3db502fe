"""Two availabilities side by side: what users met, without exclusions, and what the contract counts (SLA)."""

from collections.abc import Iterable

from report.books import Books, Matter, Met
from report.chapters.network import Line, tone
from report.figures import Block, Cell, Column, Figure, Pair, Table
from report.language import Tongue, rows_of

NOTHING = Met(0.0, 0.0, 0.0, 0.0, 0.0)


def added(some: Iterable[Met]) -> Met:
    """Return the sum: of connections the connection-seconds."""
    rows = [(m.up_s, m.met_s, m.sla_up_s, m.sla_s, m.window_s) for m in some]
    return Met(*(sum(column) for column in zip(*rows, strict=True))) if rows else NOTHING


def users(met: Met) -> float | None:
    """Return the share of the time known in which users met it there."""
    return met.up_s / met.met_s if met.met_s else None


def sla(met: Met) -> float | None:
    """Return the share that the contract counts: neither maintenance nor what is no fault of the provider."""
    return met.sla_up_s / met.sla_s if met.sla_s else None


def figures(measured: list[Line], books: Books, t: Tongue) -> list[Figure]:
    """Return the figures N-10 (users) and N-11 (SLA) of all connections together."""
    some = [
        (x, books.met[x.connection.device_id or 0])
        for x in measured
        if (x.connection.device_id or 0) in books.met
    ]
    whole = added(m for _, m in some)
    known = whole.met_s / whole.window_s if whole.window_s else None
    rows = (rows_of("asked, device", (x.connection.device_id or 0 for x, _ in some)),)
    return [
        _figure("N-10", "n-users", users(whole), whole.up_s, whole.met_s, known, rows, t),
        _figure("N-11", "n-sla", sla(whole), whole.sla_up_s, whole.sla_s, known, rows, t),
    ]


def _figure(
    key: str,
    name: str,
    ratio: float | None,
    part: float,
    whole: float,
    known: float | None,
    rows: tuple[str, ...],
    t: Tongue,
) -> Figure:
    return Figure(
        key,
        t.say(name),
        ratio,
        "ratio",
        t.percent(ratio, 2),
        t.say(f"src-{name}"),
        part if whole else None,
        whole if whole else None,
        known,
        rows,
        t.say(f"note-{name}"),
        tone(ratio),
    )


def side_by_side(measured: list[Line], matter: Matter, t: Tongue) -> list[Block]:
    """Return both figures as two tables beside each other: per kind of medium, and what was excluded."""
    return [Pair((_medium(measured, matter, t), _parts(measured, matter, t)), 0.58)]


def _of(measured: Iterable[Line], books: Books) -> Met:
    return added(books.met[i] for x in measured if (i := x.connection.device_id or 0) in books.met)


def _medium(measured: list[Line], matter: Matter, t: Tongue) -> Table:
    columns = (
        Column(t.say("medium"), 1.5),
        Column(t.say("connections"), 1.1, right=True),
        Column(t.say("users-col"), 1.2, right=True),
        Column(t.say("sla-col"), 1.2, right=True),
    )
    kinds = sorted({x.connection.medium for x in measured})
    rows = []
    for kind in [*kinds, None]:
        some = measured if kind is None else [x for x in measured if x.connection.medium == kind]
        whole = _of(some, matter.books)
        name = t.word("total") if kind is None else t.known("medium", kind)
        both = (t.brief(r, 2, tone(r)) for r in (users(whole), sla(whole)))
        rows.append((name, t.count(len(some)), *both))
    return Table(
        "N-T5",
        t.say("t-two"),
        columns,
        tuple(rows) if measured else (),
        t.say("src-two"),
        empty=t.say("t-connections-none"),
    )


def _parts(measured: list[Line], matter: Matter, t: Tongue) -> Table:
    """Return where the two differ, in hours of connections."""
    whole = _of(measured, matter.books)
    excluded = max(whole.met_s - whole.sla_s, 0.0)
    listed = (
        ("hours-window", whole.window_s),
        ("hours-known", whole.met_s),
        ("hours-unknown", max(whole.window_s - whole.met_s, 0.0)),
        ("hours-away", max(whole.met_s - whole.up_s, 0.0)),
        ("hours-excluded", excluded),
        ("hours-counted", max(whole.sla_s - whole.sla_up_s, 0.0)),
    )
    columns = (Column(t.say("part"), 2.0), Column(t.say("hours"), 1.0, right=True))
    rows = tuple((t.word(key), Cell(s / 3600, t.number(s / 3600, 1))) for key, s in listed)
    return Table("N-T6", t.say("t-parts"), columns, rows, t.say("src-two"))
