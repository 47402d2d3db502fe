"""INF-PER-04: network devices and servers that their makers still support at the end of the period."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Device
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of devices; one without a date is not known, and not good."""
    some = [d for d in ask.every(Device) or () if d.role in limits.eol_roles]
    if not some:
        return unknown(PERCENT, said("no-devices"))
    day = ask.period.last_day
    members = {d.name: None if d.eol is None else d.eol > day for d in some}
    return share(members, as_of=day, evidence=("rows/device", "rows/device_type", "rows/asset"))
