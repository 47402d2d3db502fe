"""STR-ANG-03: restitution claimed of providers, of what could be claimed by the contracts."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, covered, part, said, unknown
from report.records import Restitution
from report.restitution import owed
from report.rubric import Limits
from report.sla import line_months


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return rupiah claimed over rupiah claimable; where nothing was claimable, everything was claimed."""
    months = line_months(ask, limits.claim_after_s)
    observed, window = sum(m.two.observed_ms for m in months), sum(m.two.window_ms for m in months)
    if not months or not observed:
        return unknown(PERCENT, said("no-contracted-lines"))
    due = [o for o in owed(ask, limits.claim_after_s) if o.claimable_ms]
    if not due:
        return part(1, 1, coverage=covered(observed, window), note=said("nothing-claimable"))
    priced = [o for o in due if o.amount_idr is not None]
    if not ask.every(Restitution):
        return unknown(PERCENT, said("no-restitutions"))
    claimable = sum(o.amount_idr or 0 for o in priced)
    claimed = sum(min(o.claimed_idr, o.amount_idr or 0) for o in priced)
    return part(
        claimed,
        claimable,
        coverage=min(covered(observed, window), covered(len(priced), len(due))),
        listed=(f"{o.contract.name} {o.month:%Y-%m}" for o in priced),
        met=(f"{o.contract.name} {o.month:%Y-%m}" for o in priced if o.claimed_idr >= (o.amount_idr or 0)),
        evidence=("rows/away", "rows/contract", "rows/restitution"),
        note="" if len(priced) == len(due) else said("unpriced", count=len(due) - len(priced)),
        as_of=ask.period.last_day,
    )
