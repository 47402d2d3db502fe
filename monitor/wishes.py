"""What messages made desirable of a device and is still to be done, such as a backup: asked for, listed, done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from inventory.models import Device
from monitor.models import DeviceWish
from siaga.clock import as_utc

BACKUP = "backup"
_WHY = 300


@dataclass(frozen=True)
class Wished:
    """One wish: for which device, asked for since when, last when, how often, and why (the newest reason)."""

    device_id: int
    device: str
    what: str
    at: datetime
    last_at: datetime
    times: int
    why: str


def wish(session: Session, device_id: int, what: str, why: str, at: datetime) -> None:
    """Ask for something to be done to a device; the same wish again makes the row newer."""
    row = session.get(DeviceWish, (device_id, what))
    if row is None:
        row = DeviceWish(device_id=device_id, what=what, at=at, last_at=at, times=0)
    row.last_at, row.times, row.why = max(as_utc(row.last_at), at), row.times + 1, why[:_WHY]
    session.add(row)


def wishes(session: Session, what: str = BACKUP) -> Sequence[Wished]:
    """Return what is still to be done, the oldest wish first."""
    query = select(DeviceWish, Device.name).join(Device, col(Device.id) == col(DeviceWish.device_id))
    rows = session.exec(query.where(DeviceWish.what == what).order_by(col(DeviceWish.at)))
    return [Wished(r.device_id, n, r.what, as_utc(r.at), as_utc(r.last_at), r.times, r.why) for r, n in rows]


def done(session: Session, device_id: int, what: str, began: datetime) -> bool:
    """Take away a wish that was done from `began` on; one that was repeated since then stays. Tell whether it went."""
    row = session.get(DeviceWish, (device_id, what))
    if row is None or as_utc(row.last_at) > began:
        return False
    session.delete(row)
    session.flush()
    return True
