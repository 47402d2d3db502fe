"""SUP-PEL-03: items of the road map, and quick wins, that were done in time, of those that were due."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Milestone
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of the items due by the end of the period."""
    day = ask.period.last_day
    due = [m for m in ask.every(Milestone) or () if m.due is not None and m.due <= day]
    if not due:
        return unknown(PERCENT, said("no-milestones"))
    members: dict[str, bool | None] = {
        m.name: m.done is not None and m.due is not None and m.done <= m.due for m in due
    }
    return share(members, as_of=day, evidence=("rows/milestone",))
