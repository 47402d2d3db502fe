"""INF-JAR-09: lines that are full in service hours: the 95th percentile of 5-minute means against what is committed."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Line, Load
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of lines of which the busier direction is over the limit."""
    lines = [k for k in ask.every(Line) or () if k.agency or k.contract]
    if not lines:
        return unknown(PERCENT, said("no-lines"))
    loads = {one.line: one for one in ask.every(Load) or ()}
    members = {k.name: saturated(k, loads.get(k.name), limits.saturated_share) for k in lines}
    return share(members, as_of=ask.period.last_day, evidence=("rows/load",))


def saturated(line: Line, load: Load | None, limit: float) -> bool | None:
    """Say whether a line is full; None with too few bins, or without a committed rate."""
    if load is None:
        return None
    pairs = ((load.busy_p95_down_bps, line.down_bps), (load.busy_p95_up_bps, line.up_bps))
    shares = [rate / promised for rate, promised in pairs if rate is not None and promised]
    return max(shares) > limit if shares else None
