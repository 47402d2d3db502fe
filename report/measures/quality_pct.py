"""INF-JAR-10: lines whose delay and loss are within what their medium can do."""

from report import three
from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Line, Quality
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of lines; one of an unknown medium, or that was never pinged, is not known."""
    lines = [k for k in ask.every(Line) or () if k.agency]
    if not lines:
        return unknown(PERCENT, said("no-lines"))
    seen = {q.line: q for q in ask.every(Quality) or ()}
    if not seen:
        return unknown(PERCENT, said("no-quality"))
    members = {k.name: _good(k, seen.get(k.name), limits) for k in lines}
    return share(members, as_of=ask.period.last_day, evidence=("rows/quality",))


def _good(line: Line, quality: Quality | None, limits: Limits) -> bool | None:
    most_ms = limits.rtt_ms.get(line.medium)
    if quality is None or most_ms is None:
        return None
    quick = None if quality.rtt_p95_ms is None else quality.rtt_p95_ms <= most_ms
    whole = None if quality.loss_pct is None else quality.loss_pct <= limits.loss_pct
    return three.every((quick, whole))
