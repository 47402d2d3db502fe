"""INF-APL-02: how available the priority applications were, each counting alike; national ones are not ours."""

from fractions import Fraction

from report.applications import priority
from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, covered, said, shown, unknown
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the mean of up over observed time; an application that was never checked is not known."""
    apps = priority(ask)
    known = [a for a in apps if a.observed_ms]
    if not known:
        return unknown(PERCENT, said("no-checks" if apps else "no-priority-apps"))
    up = sum(Fraction(a.up_ms, a.observed_ms) for a in known)
    return Reading(
        shown(100 * up / len(known)),
        PERCENT,
        numerator=shown(up),
        denominator=tuple(a.name for a in known),
        met=tuple(a.name for a in known if a.up_ms == a.observed_ms),
        as_of=ask.period.last_day,
        coverage=covered(sum(a.observed_ms for a in apps), sum(a.window_ms for a in apps)),
        evidence=("rows/service", "rows/app"),
        counted=len(known),
        unknown=tuple(a.name for a in apps if not a.observed_ms),
    )
