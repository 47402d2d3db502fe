"""Whose turn it is to be backed up, and how the whole stands: coverage is a figure of readiness."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from inventory.models import Device
from inventory.platforms import config_of
from inventory.store import platforms
from monitor.configs.models import ConfigBackup
from monitor.configs.store import standing
from monitor.wishes import wishes
from siaga.clock import as_utc
from siaga.settings import Backup

RETRY = timedelta(minutes=30)  # after a failure, unless somebody asks
_SLACK = timedelta(minutes=1)  # a timer that fires a little early still finds its devices due


@dataclass(frozen=True)
class Standing:
    """One device and its last good backup.

    `state`: good, old, failing, never; or why there can be none: no login (no credential), unknown (no platform that
    can be backed up).
    """

    device_id: int
    name: str
    role: str
    platform: str
    state: str
    ok_at: datetime | None = None
    tried_at: datetime | None = None
    changed_at: datetime | None = None
    result: str = ""
    reason: str = ""
    lines: int = 0
    runs: int = 0
    failures: int = 0
    changes: int = 0
    took_s: float = 0.0


def due(session: Session, settings: Backup, now: datetime, ids: Collection[int] | None = None) -> list[int]:
    """Return the ids of the devices whose interval is over, or for whom somebody asked; of those in `ids` alone."""
    asked = {w.device_id: w.last_at for w in wishes(session)}
    rows = standing(session)
    found = []
    for device, platform in _devices(session):
        i = device.id or 0
        if (ids is None or i in ids) and device.ssh_credential_id and config_of(platform):
            row = rows.get(i)
            wished = i in asked and not (row and _rests(row, asked[i], now))
            if wished or row is None or _over(row, settings.interval_h(device.role), now):
                found.append(i)
    return found


def _rests(row: ConfigBackup, asked_at: datetime, now: datetime) -> bool:
    """Tell whether it was tried in vain since it was asked for, a short while ago: more would lock an account."""
    tried = as_utc(row.tried_at)
    return bool(row.failures) and tried >= asked_at and tried + RETRY > now


def _over(row: ConfigBackup, interval_h: float, now: datetime) -> bool:
    interval = timedelta(hours=interval_h)
    ok = as_utc(row.ok_at) if row.ok_at else None
    if ok is not None and ok + interval - _SLACK > now:
        return False
    return not row.failures or as_utc(row.tried_at) + min(RETRY, interval) <= now


def overview(session: Session, now: datetime, older_than: timedelta, ids: Collection[int]) -> list[Standing]:
    """Return how each of these active devices stands, by name; good is younger than `older_than`."""
    rows = standing(session)
    return [
        _standing(device, platform, rows.get(device.id or 0), now - older_than)
        for device, platform in _devices(session)
        if device.id in ids
    ]


def coverage(found: Collection[Standing]) -> tuple[int, int]:
    """Return how many devices have a good backup, and how many there are that ought to."""
    ought = [s for s in found if s.state != "unknown"]
    return sum(s.state == "good" for s in ought), len(ought)


def _devices(session: Session) -> list[tuple[Device, str]]:
    spoken = platforms(session)
    query = select(Device).where(Device.status == "active", Device.address != "").order_by(Device.name)
    return [(d, spoken.get(d.id or 0, "")) for d in session.exec(query)]


def _standing(device: Device, platform: str, row: ConfigBackup | None, oldest: datetime) -> Standing:
    ok_at = as_utc(row.ok_at) if row and row.ok_at else None
    if ok_at is not None:
        state = "good" if ok_at >= oldest else "old"
    elif not config_of(platform):
        state = "unknown"
    elif not device.ssh_credential_id:
        state = "no login"
    else:
        state = "failing" if row else "never"
    known = (
        {k: getattr(row, k) for k in ("result", "reason", "lines", "runs", "failures", "changes", "took_s")}
        if row
        else {}
    )
    return Standing(
        device_id=device.id or 0,
        name=device.name,
        role=device.role,
        platform=platform,
        state=state,
        ok_at=ok_at,
        tried_at=as_utc(row.tried_at) if row else None,
        changed_at=as_utc(row.changed_at) if row and row.changed_at else None,
        **known,
    )
