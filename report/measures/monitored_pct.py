"""INF-PER-05: managed devices that answered in nearly all of the time in which they were to be asked."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Device, Polled
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of managed devices; while nobody was asked at all, the monitor was not there to tell."""
    managed = [d for d in ask.every(Device) or () if d.managed]
    polled = {p.device: p for p in ask.every(Polled) or ()}
    if not managed or not any(p.answered_ms + p.silent_ms for p in polled.values()):
        return unknown(PERCENT, said("no-samples" if managed else "no-devices"))
    members: dict[str, bool | None] = {
        d.name: _answered(polled.get(d.name), limits.polled_share) for d in managed
    }
    return share(members, as_of=ask.period.last_day, evidence=("rows/device", "rows/polled"))


def _answered(polled: Polled | None, least: float) -> bool:
    return polled is not None and polled.answered_ms >= least * polled.window_ms
