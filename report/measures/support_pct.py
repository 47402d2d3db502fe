"""STR-ANG-02: devices of priority places under a warranty or a support contract that goes on for a while."""

from datetime import timedelta

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Device
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of priority devices; one of which neither is recorded is not known."""
    some = [d for d in ask.every(Device) or () if d.priority is not None and d.priority <= 2]
    if not some:
        return unknown(PERCENT, said("no-priorities"))
    until = ask.period.last_day + timedelta(days=limits.support_ahead_days)
    members = {d.name: None if d.support_until is None else d.support_until >= until for d in some}
    return share(members, as_of=ask.period.last_day, evidence=("rows/device", "rows/asset", "rows/contract"))
