"""INF-FAS-05: the part of the service hours in which all that the command centre needs was there at once."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, covered, part, said, unknown
from report.records import Centre
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return ready over observed time of all command rooms; a room in which nothing is watched is not known."""
    rooms = ask.every(Centre) or ()
    if not rooms:
        return unknown(PERCENT, said("no-command-room"))
    observed = sum(c.observed_ms for c in rooms)
    return part(
        sum(c.ready_ms for c in rooms),
        observed,
        coverage=covered(observed, sum(c.window_ms for c in rooms)),
        listed=(f"{c.room}: {p}" for c in rooms for p in c.parts),
        evidence=("rows/centre",),
        note="" if observed else said("no-command-watch"),
        as_of=ask.period.last_day,
    )
