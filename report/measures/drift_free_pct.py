"""INF-PER-07: devices whose newest comparison with the standard of their class found no deviation."""

from datetime import timedelta

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Device, Drift
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of managed network devices and servers; what was not compared lately is not known."""
    drifts = ask.every(Drift)
    some = [d for d in ask.every(Device) or () if d.managed and d.role in limits.eol_roles]
    if not drifts or not some:
        return unknown(PERCENT, said("no-drifts" if some else "no-devices"))
    oldest = ask.period.until - timedelta(days=limits.drift_days)
    newest = {d.device: d for d in drifts if d.checked_at >= oldest}
    members = {d.name: newest[d.name].findings == 0 if d.name in newest else None for d in some}
    sources = sorted({newest[d.name].source for d in some if d.name in newest})
    return share(members, as_of=ask.period.last_day, evidence=("rows/drift", *sources))
