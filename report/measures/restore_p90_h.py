"""INF-JAR-07: how long it takes until a priority site is back, in nine of ten cases."""

from fractions import Fraction

from report.assessment import Reading
from report.questions import Questions
from report.readings import covered, said, shown, unknown
from report.records import Away, Day, Line
from report.rubric import Limits

UNIT = "jam"
_HOUR_MS = 3_600_000


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the 90th percentile (nearest rank) of the outages that ended in the period, planned work left out."""
    lines = {k.name for k in ask.every(Line) or () if k.priority is not None and k.priority <= 2}
    if not lines:
        return unknown(UNIT, said("no-priorities"))
    days = [d for d in ask.every(Day) or () if d.line in lines]
    coverage = covered(sum(d.observed_ms for d in days), sum(d.window_ms for d in days))
    ended = sorted(
        (
            a
            for a in ask.every(Away) or ()
            if a.line in lines
            and not a.open
            and a.cause != "planned"
            and a.ms >= limits.outage_least_s * 1000
        ),
        key=lambda a: a.ms,
    )
    if not ended:
        note = said("no-outage") if coverage else said("no-samples")
        return Reading(0.0 if coverage else None, UNIT, numerator=0, coverage=coverage, note=note, counted=0)
    rank = -(-9 * len(ended) // 10)
    return Reading(
        shown(Fraction(ended[rank - 1].ms, _HOUR_MS)),
        UNIT,
        numerator=rank,
        denominator=tuple(f"{a.line} {a.start:%Y-%m-%dT%H:%MZ}" for a in ended),
        as_of=ask.period.last_day,
        coverage=coverage,
        evidence=tuple(dict.fromkeys(f"outage/{a.outage}" if a.outage else "rows/away" for a in ended)),
        counted=len(ended),
    )
