"""INF-JAR-08: lines that delivered what was bought, by a test or by the peak they were seen at."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import CapacityTest, Line, Load
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of lines; one that was never full and never tested may deliver it or not: not known."""
    lines = [k for k in ask.every(Line) or () if k.down_bps]
    if not lines:
        return unknown(PERCENT, said("no-committed-rates"))
    loads = {one.line: one for one in ask.every(Load) or ()}
    tests = [t for t in ask.every(CapacityTest) or () if t.at < ask.period.until and t.down_bps is not None]
    newest = {t.line: t for t in sorted(tests, key=lambda t: (t.at, t.name))}
    members = {k.name: _delivered(k, loads.get(k.name), newest.get(k.name), limits.cir_share) for k in lines}
    used = sorted(newest[k.name].name for k in lines if k.name in newest)
    return share(
        members, as_of=ask.period.last_day, evidence=("rows/load", *(f"capacity_test/{n}" for n in used))
    )


def _delivered(line: Line, load: Load | None, test: CapacityTest | None, least: float) -> bool | None:
    peak = load.peak_down_bps if load else None
    seen = [v for v in (peak, test.down_bps if test else None) if v is not None]
    enough = bool(seen) and max(seen) >= least * (line.down_bps or 0)
    return True if enough else False if test else None
