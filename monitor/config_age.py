"""When each device's configuration was last saved well: the one place where the monitor learns of backups."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.configs.models import ConfigBackup
from siaga.clock import as_utc


def last_backups(session: Session) -> Mapping[int, datetime]:
    """Return device → when its configuration was last saved well (aware UTC); one without a backup is not in it."""
    query = select(ConfigBackup.device_id, ConfigBackup.ok_at).where(col(ConfigBackup.ok_at).is_not(None))
    return {device_id: as_utc(at) for device_id, at in session.exec(query) if at is not None}
