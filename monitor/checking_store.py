"""The SQL of `siaga check`: states, how old they are, and what is open."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import col, select

from inventory.models import Device
from inventory.store import reading
from monitor.alarm_store import open_alerts
from monitor.checking import Held
from monitor.models import DeviceState
from monitor.store import IS_ASKED
from siaga.clock import as_utc


def held(engine: Engine, ids: Sequence[int]) -> list[Held]:
    """Return what is believed of the devices among `ids` that are asked at all, by name."""
    wanted = set(ids)
    join = col(Device.id) == col(DeviceState.device_id)
    query = select(Device.id, Device.name, DeviceState).outerjoin(DeviceState, join)
    asked = query.where(*IS_ASKED).order_by(Device.name)
    with reading(engine) as opened:
        rows = [(n, s) for i, n, s in opened.exec(asked) if i in wanted]
    return [Held(n, s.state, as_utc(s.at), s.reason) if s else Held(n, "not observed", None) for n, s in rows]


def stale(engine: Engine, ids: Sequence[int], before: datetime) -> list[int]:
    """Return the ids of devices that nobody has looked at since then."""
    with reading(engine) as opened:
        fresh = {s.device_id for s in opened.exec(select(DeviceState)) if as_utc(s.at) >= before}
    return [i for i in ids if i not in fresh]


def alerts_of(engine: Engine, ids: Sequence[int]) -> list[tuple[str, str]]:
    """Return severity and text of each alert that is open on these devices."""
    wanted = set(ids)
    with reading(engine) as opened:
        return [(a.severity, a.text) for a in open_alerts(opened) if a.device_id in wanted]
