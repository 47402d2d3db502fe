"""INF-JAR-06: lines that kept in a month what their contract promises; power, planned and short outages apart."""

from dataclasses import replace

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, covered, said, share, unknown
from report.rubric import Limits
from report.sla import line_months


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of line-months; both figures are compared as they are printed, with two decimals."""
    months = [m for m in line_months(ask, limits.claim_after_s) if m.contract.sla_pct is not None]
    if not months:
        return unknown(PERCENT, said("no-contracted-lines"))
    members = {
        f"{m.line.name} {m.month:%Y-%m}": None
        if m.two.sla_pct is None
        else m.two.sla_pct >= (m.contract.sla_pct or 0)
        for m in months
    }
    found = share(members, as_of=ask.period.last_day, evidence=("rows/day", "rows/away", "rows/contract"))
    window, observed = sum(m.two.window_ms for m in months), sum(m.two.observed_ms for m in months)
    return replace(found, coverage=covered(observed, window))
