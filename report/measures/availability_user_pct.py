"""INF-JAR-05: availability as users met it, each agency weighted by its priority; nothing is taken off."""

from fractions import Fraction

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, covered, said, shown, unknown
from report.records import Met
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the weighted mean of up over observed time; time in which nobody looked is in neither."""
    some = ask.every(Met) or ()
    known = [m for m in some if m.observed_ms]
    if not known:
        return unknown(PERCENT, said("no-samples" if some else "no-lines"))
    lowest = max(limits.priority_weights)
    weights = {m.agency: Fraction(str(limits.priority_weights.get(m.priority or lowest, 1))) for m in known}
    up = sum(weights[m.agency] * Fraction(m.up_ms, m.observed_ms) for m in known)
    total = sum(weights.values(), Fraction())
    return Reading(
        shown(100 * up / total),
        PERCENT,
        numerator=shown(up),
        denominator=tuple(m.agency for m in known),
        met=tuple(m.agency for m in known if m.up_ms == m.observed_ms),
        as_of=ask.period.last_day,
        coverage=covered(sum(m.observed_ms for m in some), sum(m.window_ms for m in some)),
        evidence=("rows/met",),
        counted=shown(total),
        unknown=tuple(m.agency for m in some if not m.observed_ms),
    )
