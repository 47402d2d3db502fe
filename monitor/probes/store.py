"""The services of the inventory as the checks want them: one query, no secrets."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from inventory.models import Device
from inventory.models import Service as Row
from monitor.probes.plan import Service


def services(session: Session, ids: Sequence[int]) -> list[Service]:
    """Return the services among `ids`, in that order, each with its device's address."""
    query = select(Row, Device.address).outerjoin(Device, col(Device.id) == col(Row.device_id))
    wanted = set(ids)
    found = {row.id: _service(row, address) for row, address in session.exec(query) if row.id in wanted}
    return [found[i] for i in ids if i in found]


def _service(row: Row, address: str | None) -> Service:
    return Service(
        row.name,
        row.url,
        address or "",
        row.port,
        row.check,
        row.expect,
        row.expect_status,
        row.plugin,
        row.id,
    )
