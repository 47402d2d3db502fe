"""STR-ANG-01: what was spent of the year's ceiling, against the part of the year that has passed."""

from datetime import date
from fractions import Fraction

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, covered, part, said, unknown
from report.records import Budget
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return realised over ceiling times the share of the year up to the day that the figure is of."""
    day = ask.period.last_day
    rows = [b for b in ask.every(Budget) or () if b.year == day.year]
    if not rows:
        return unknown(PERCENT, said("no-budget", year=day.year))
    told = [b for b in rows if b.realised_idr is not None]
    due = sum((b.ceiling_idr * _passed(min(b.as_of or day, day), b.year) for b in told), Fraction())
    return part(
        sum(b.realised_idr or 0 for b in told),
        due,
        coverage=covered(sum(b.ceiling_idr for b in told), sum(b.ceiling_idr for b in rows)),
        listed=(b.name for b in told),
        evidence=(f"budget/{b.name}" for b in told),
        as_of=max((b.as_of for b in told if b.as_of), default=day),
    )


def _passed(day: date, year: int) -> Fraction:
    first, last = date(year, 1, 1), date(year, 12, 31)
    return Fraction((day - first).days + 1, (last - first).days + 1)
