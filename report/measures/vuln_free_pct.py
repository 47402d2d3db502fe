"""INF-KEA-03: devices whose version has no known critical or exploited vulnerability that is older than a month."""

from datetime import date, timedelta

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Advisory, Device
from report.rubric import Limits
from report.versions import before


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of devices; of a device without a version, or a platform nobody tells of, nothing is known."""
    advisories = ask.every(Advisory)
    devices = [d for d in ask.every(Device) or () if d.managed]
    if not advisories or not devices:
        return unknown(PERCENT, said("no-advisories" if devices else "no-devices"))
    until = ask.period.last_day - timedelta(days=limits.advisory_days)
    told = {a.platform for a in advisories}
    serious = [a for a in advisories if _due(a, until)]
    members = {
        d.name: not any(_hit(d, a) for a in serious) if d.version and d.platform in told else None
        for d in devices
    }
    newest = max((a.published for a in advisories if a.published), default=None)
    return share(members, as_of=newest, evidence=("rows/device", *(f"advisory/{a.name}" for a in serious)))


def _due(advisory: Advisory, until: date) -> bool:
    grave = advisory.severity == "critical" or advisory.exploited
    return grave and (advisory.published is None or advisory.published <= until)


def _hit(device: Device, advisory: Advisory) -> bool:
    if device.platform != advisory.platform:
        return False
    early = bool(advisory.since_version) and before(device.version, advisory.since_version)
    mended = bool(advisory.fixed_version) and not before(device.version, advisory.fixed_version)
    return not early and not mended
