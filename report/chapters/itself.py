"""How well siaga itself watched: whether it ran, how far it was behind, whom it left out. A part of the method."""

from monitor.instance import LATE_S
from report.books import Matter
from report.figures import Cell, Column, Figure, Table, Tone
from report.language import Tongue
from report.records import OwnHealth

RANK = 95


def figures(matter: Matter, t: Tongue) -> list[Figure]:
    """Return the figures D-01 to D-06; while it kept none of itself they are not observed, and no zero."""
    own = matter.own or OwnHealth("siaga", 0, 0.0)
    ran = own.minutes > 0
    late = None if own.punctual_pct is None else (100 - own.punctual_pct) / 100
    minutes = round(matter.facts.window_s / 60)
    listed: tuple[tuple[str, float | int | None, str, str], ...] = (
        ("own-ran", own.seen_pct / 100 if ran else None, "ratio", t.percent(own.seen_pct / 100, 2)),
        ("own-late", late, "ratio", t.percent(late, 2)),
        ("own-late-p95", own.late_p95_s, "s", _seconds(own.late_p95_s, t)),
        ("own-late-max", own.late_max_s, "s", _seconds(own.late_max_s, t)),
        ("own-unpolled", own.unpolled_max, "1", t.number(own.unpolled_max or 0)),
        ("own-waiting", own.waiting_max, "1", t.number(own.waiting_max or 0)),
    )
    parts: dict[str, tuple[int, int]] = {"own-ran": (own.minutes, minutes)} if ran else {}
    if late is not None:
        parts["own-late"] = (round(late * own.minutes), own.minutes)
    return [
        Figure(
            f"D-{n:02}",
            t.say(name, rank=t.number(RANK), late=t.span(LATE_S)),
            value,
            unit,
            t.say("not-observed") if value is None else shown,
            t.say("src-own"),
            numerator=parts[name][0] if name in parts else None,
            denominator=parts[name][1] if name in parts else None,
            coverage=own.seen_pct / 100,
            evidence=_evidence(own),
            tone=Tone.unknown if value is None else Tone.plain,
        )
        for n, (name, value, unit, shown) in enumerate(listed, 1)
    ]


def _seconds(value: float | None, t: Tongue) -> str:
    return t.say("seconds", n=t.number(value or 0, 1))


def _evidence(own: OwnHealth) -> tuple[str, ...]:
    if not own.minutes:
        return ()
    return ("rows/own_health", f"samples siaga_late_s ({own.minutes} min)", f"sha256:{own.sha256}")


def table(matter: Matter, t: Tongue) -> Table:
    """Return the figures as a table."""
    columns = (
        Column(t.say("id-col"), 0.5),
        Column(t.say("own-figure"), 3.5),
        Column(t.say("value"), 2.0, right=True),
    )
    rows = tuple(
        (
            t.text(f.id),
            Cell(f.label, f.label),
            Cell(f.value, f.shown, f.tone, f.unit if f.unit != "1" else ""),
        )
        for f in figures(matter, t)
    )
    note = t.say("own-note" if matter.own and matter.own.minutes else "own-none")
    return Table("M-T4", t.say("t-own"), columns, rows, t.say("src-own"), note)
