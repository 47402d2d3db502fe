"""SUP-PEL-02: open risks that somebody owns and that are not overdue."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, part, said, share, unknown
from report.records import Risk
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of the open risks; a register in which all are closed is in order."""
    risks = ask.every(Risk)
    if not risks:
        return unknown(PERCENT, said("no-risks"))
    day = ask.period.last_day
    open_ = [r for r in risks if r.closed is None or r.closed > day]
    if not open_:
        return part(1, 1, coverage=1.0, evidence=("rows/risk",), note=said("no-open-risk"))
    members: dict[str, bool | None] = {
        r.name: bool(r.owner) and r.due is not None and r.due >= day for r in open_
    }
    return share(members, as_of=day, evidence=("rows/risk",))
