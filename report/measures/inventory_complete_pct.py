"""INF-PER-01: devices of which everything is recorded that an inventory must hold."""

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Device
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of devices; that a field is empty is known."""
    devices = ask.every(Device) or ()
    if not devices:
        return unknown(PERCENT, said("no-devices"))
    members: dict[str, bool | None] = {d.name: not lacking(d) for d in devices}
    return share(members, as_of=ask.period.last_day, evidence=("rows/device", "rows/asset"))


def lacking(device: Device) -> list[str]:
    """Return the fields that are empty; a rented device has no year of acquisition in our books."""
    wanted = {
        "place": device.site,
        "room": device.room,
        "maker": device.maker,
        "model": device.model,
        "serial": device.serial,
        "agency": device.agency,
        "role": device.role,
        "acquired": device.acquired or device.rented,
    }
    return [name for name, value in wanted.items() if not value]
