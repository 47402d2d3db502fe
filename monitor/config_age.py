"""When each device's configuration was last saved well: the one place where the monitor learns of backups."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.configs.models import ConfigBackup
from siaga.clock import as_utc


def last_backups(session: Session) -> Mapping[int, datetime]:
    """Return device → when its configuration was last read whole (aware UTC); one that never was is not in it."""
    query = select(ConfigBackup.device_id, ConfigBackup.ok_at).where(col(ConfigBackup.ok_at).is_not(None))
    return {device: as_utc(at) for device, at in session.exec(query) if at is not None}
