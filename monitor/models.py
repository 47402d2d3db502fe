"""The tables of the monitor: the state of each device, its transitions, and alerts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from inventory.models import UtcDateTime


class DeviceState(SQLModel, table=True):
    """What the monitor believes of a device now. A device without a row was never observed."""

    __tablename__ = "device_state"
    device_id: int = Field(primary_key=True, foreign_key="device.id")
    state: str  # up, degraded, down, unreachable
    since: datetime = Field(sa_type=UtcDateTime)
    at: datetime = Field(sa_type=UtcDateTime)  # last judged
    reason: str = ""
    failures: int = 0
    uptime_s: float | None = None
    health: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # cpu_pct, memory_pct, temperature_c


class StateChange(SQLModel, table=True):
    """One transition, with the evidence it rests on. The first has `before` = not observed."""

    __tablename__ = "state_change"
    id: int | None = Field(default=None, primary_key=True)
    device_id: int = Field(foreign_key="device.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    before: str
    after: str
    reason: str = ""
    run_id: int | None = None


class Alert(SQLModel, table=True):
    """One alert: opened with its evidence, closed when the cause is gone; at most one open per subject."""

    id: int | None = Field(default=None, primary_key=True)
    device_id: int = Field(foreign_key="device.id", index=True)
    rule: str
    subject: str = ""  # interface name, sensor, or empty for the device itself
    severity: str  # warning, critical
    text: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    run_id: int | None = None
