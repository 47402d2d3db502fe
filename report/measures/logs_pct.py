"""INF-KEA-04: devices whose log arrives, and whose clock is right."""

from datetime import timedelta

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Device, Logged
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of managed devices; one whose clock was never compared is not known, unless it is silent."""
    heard = ask.every(Logged)
    managed = [d for d in ask.every(Device) or () if d.managed]
    if heard is None or not managed:
        return unknown(PERCENT, said("no-logs" if managed else "no-devices"))
    by_device = {one.device: one for one in heard}
    oldest = ask.period.until - timedelta(hours=limits.log_hours)
    members: dict[str, bool | None] = {}
    for device in managed:
        one = by_device.get(device.name)
        if one is None or one.last_log is None or one.last_log < oldest:
            members[device.name] = False
        else:
            skew = one.clock_skew_s
            members[device.name] = None if skew is None else abs(skew) <= limits.clock_skew_s
    return share(members, as_of=ask.period.last_day, evidence=("rows/logged",))
