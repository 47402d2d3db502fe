"""INF-KEA-01: devices managed over SSH and SNMPv3 with authentication and encryption, and nothing else open."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Device, Exposure
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of managed devices; what is asked by an old SNMP is not safe, what was not probed not known."""
    managed = [d for d in ask.every(Device) or () if d.managed]
    if not managed:
        return unknown(PERCENT, said("no-devices"))
    probed = {e.device: e for e in ask.every(Exposure) or ()}
    members = {d.name: _safe(d, probed.get(d.name)) for d in managed}
    note = "" if probed else said("not-probed")
    return share(members, as_of=ask.period.last_day, evidence=("rows/device", "rows/exposure"), note=note)


def _safe(device: Device, probed: Exposure | None) -> bool | None:
    if device.snmp in ("1", "2c") or device.snmp_safe is False:
        return False
    return None if probed is None else probed.ssh and not probed.open
