"""What devices told, as it was kept: one question, the newest first."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from inventory.models import Device
from monitor.models import DeviceEvent
from siaga.clock import as_utc, shown


def events(
    session: Session, since: datetime, ids: Collection[int] | None, kind: str, number: int
) -> Sequence[dict[str, Any]]:
    """Return what was told since then, of some devices or of anybody, as rows."""
    query = select(DeviceEvent, Device.name).outerjoin(Device, col(Device.id) == col(DeviceEvent.device_id))
    query = query.where(DeviceEvent.last_at >= since)
    if kind:
        query = query.where(DeviceEvent.kind == kind)
    if ids is None:
        query = query.limit(number)
    found = []
    for row, name in session.exec(query.order_by(col(DeviceEvent.id).desc())):
        if ids is None or row.device_id in ids:
            found.append(_row(row, name))
        if len(found) == number:
            break
    return found


def _row(row: DeviceEvent, name: str | None) -> dict[str, Any]:
    said = row.model_dump(exclude={"id", "device_id"})
    return {**said, "at": shown(as_utc(row.at)), "last_at": shown(as_utc(row.last_at)), "device": name or ""}
