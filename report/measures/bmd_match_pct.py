"""INF-PER-02: devices of the regency that stand in the asset books (KIB B) with a code and a number of their own."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Asset, Device
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of devices that are not rented; how many are is remarked."""
    assets = ask.every(Asset)
    if not assets:
        return unknown(PERCENT, said("no-assets"))
    booked = {a.device for a in assets if a.kode_barang and (a.nibar or a.register_number)}
    devices = ask.every(Device) or ()
    rented = sum(d.rented for d in devices)
    members: dict[str, bool | None] = {d.name: d.name in booked for d in devices if not d.rented}
    note = said("rented", count=rented) if rented else ""
    return share(members, as_of=ask.period.last_day, evidence=("rows/device", "rows/asset"), note=note)
