"""The tables of configurations: how each device's backup stands, and every version."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from inventory.models import UtcDateTime
from monitor.models import moment


class ConfigBackup(SQLModel, table=True):
    """How the backup of one device stands. A device without a row was never tried.

    `result`: stored, unchanged, or why not: silent, refused, incomplete, garbled, host-key-changed, busy, failed.
    `ok_at` is when the configuration was last read whole, changed or not; `digest` is of its normal form (SHA-256),
    `mark` of the text without noise, keyed: its secrets are in it.
    """

    __tablename__ = "config_backup"
    device_id: int = Field(primary_key=True, foreign_key="device.id")
    path: str = ""  # of its file in the repository
    tried_at: datetime = Field(sa_type=UtcDateTime)
    ok_at: datetime | None = moment(index=True)
    changed_at: datetime | None = moment()
    result: str = ""
    reason: str = ""
    digest: str = ""
    mark: str = ""
    version_id: int | None = None
    lines: int = 0
    runs: int = 0
    failures: int = 0  # since the last good one
    changes: int = 0
    took_s: float = 0.0


class ConfigVersion(SQLModel, table=True):
    """One version of one configuration: where its scrubbed form lies in Git, and the full text, sealed.

    `cause`: job:7, out-of-band, first (nothing was known before). `author`: who asked for the job, or whom syslog or
    the device itself names.
    """

    __tablename__ = "config_version"
    id: int | None = Field(default=None, primary_key=True)
    device_id: int = Field(foreign_key="device.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    commit: str = Field(index=True)
    path: str
    digest: str
    author: str = ""
    cause: str = ""
    added: int = 0
    removed: int = 0
    run_id: int | None = None
    key_id: str = ""
    nonce: bytes = Field(default=b"", sa_type=LargeBinary)
    sealed: bytes = Field(default=b"", sa_type=LargeBinary)
