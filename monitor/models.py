"""The tables of the monitor: the state of each device, its transitions, alerts, and who was told of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from inventory.models import UtcDateTime


def moment(*, index: bool = False) -> Any:
    """Return a column for a time that may not have come."""
    return Field(default=None, sa_type=UtcDateTime, index=index)


def _listed() -> Any:
    return Field(default_factory=list, sa_type=JSON)


class DeviceState(SQLModel, table=True):
    """What the monitor believes of a device now. A device without a row was never observed.

    All that `monitor.state.Standing` holds, so that a restart at any moment forgets nothing. `beneath`: what the
    probes say, whatever maintenance or flapping says over it. The orders are places in the order in which answers
    and silences came, which no step of the clock changes.
    """

    __tablename__ = "device_state"
    device_id: int = Field(primary_key=True, foreign_key="device.id")
    state: str  # up, degraded, down, unreachable, maintenance, flapping, not observed
    since: datetime = Field(sa_type=UtcDateTime)
    at: datetime = Field(sa_type=UtcDateTime)  # last judged
    reason: str = ""
    failures: int = 0
    beneath: str = ""
    silent_since: datetime | None = moment()
    waited_s: float = 0.0
    overdue: int = 0
    silent_order: int = 0
    answered_order: int = 0
    flaps: float = 0.0
    flapping: bool = False
    evidence: list[dict[str, Any]] = _listed()
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
    evidence: list[dict[str, Any]] = _listed()  # which probes, when, what came
    run_id: int | None = None


class Alert(SQLModel, table=True):
    """One alert: opened with its evidence, closed when the cause is gone; at most one open per subject.

    Without a device it is of siaga itself, or of a service. `open_key` is the subject while it is open and
    empty (NULL) afterwards: the database itself refuses a second one.
    """

    id: int | None = Field(default=None, primary_key=True)
    device_id: int | None = Field(default=None, foreign_key="device.id", index=True)
    rule: str
    subject: str = ""  # interface name, sensor, or empty for the device itself
    severity: str  # warning, critical
    text: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = moment(index=True)
    closed_why: str = ""  # recovered, flapping, gone, ...
    open_key: str | None = Field(default=None, unique=True, index=True)
    evidence: list[dict[str, Any]] = _listed()
    acked_at: datetime | None = moment()
    acked_by: str = ""
    acked_until: datetime | None = moment()
    run_id: int | None = None


class AlertNote(SQLModel, table=True):
    """What somebody wrote on an alert, or did to it."""

    __tablename__ = "alert_note"
    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    who: str
    text: str


class RuleMemory(SQLModel, table=True):
    """What a rule remembers of one subject between rounds; a subject that is well, and was, has no row."""

    __tablename__ = "rule_memory"
    key: str = Field(primary_key=True)
    device_id: int | None = Field(default=None, foreign_key="device.id", index=True)
    rule: str
    subject: str = ""
    memory: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Silence(SQLModel, table=True):
    """Alerts of a rule (or of any) on the devices selected are kept and shown, and nobody is told, until then."""

    id: int | None = Field(default=None, primary_key=True)
    selector: str = ""
    rule: str = ""
    at: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    who: str = ""
    why: str = ""


class Maintenance(SQLModel, table=True):
    """A window of planned work: one-off from `start` to `end`, or recurring at the times of `every` in between."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, index=True, max_length=120)
    selector: str
    start: datetime = Field(sa_type=UtcDateTime)
    end: datetime | None = moment()
    every: str = ""  # such as 'Sat 22.00-02.00', in the time of the regency
    ends_early: bool = False
    away_at: datetime | None = moment()  # when one of its devices was last seen away in it
    ended_at: datetime | None = moment()  # early, or by hand
    cause: str = ""  # the job or change it is for
    who: str = ""
    why: str = ""


class Notification(SQLModel, table=True):
    """One thing to tell by one route: written with the change of the alert, in the same transaction.

    `event`: opened, worse, recovered, escalated, test. `status`: waiting, sent, failed (given up), dropped.
    `key` is what a receiver knows it by that gets it twice.
    """

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, index=True)
    alert_id: int | None = Field(default=None, index=True)
    event: str
    route: str
    severity: str = ""
    at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    status: str = Field(default="waiting", index=True)
    attempts: int = 0
    claimed_until: datetime | None = moment()
    sent_at: datetime | None = moment()
    error: str = ""
    body: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Delivery(SQLModel, table=True):
    """One try to tell one receiver: when, to whom, by what, with what result."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    route: str
    channel: str
    receiver: str
    notifications: list[int] = Field(default_factory=list, sa_type=JSON)
    result: str  # sent, retry, refused
    detail: str = ""  # the other side's id of it, or what went wrong
    took_s: float = 0.0


class DeviceEvent(SQLModel, table=True):
    """What a device told by trap or syslog, as far as it meant something; it makes no state, for anybody can send one.

    `device_id`: None where nobody knows whose it is. `times`: how often the same was told, from `at` to `last_at`.
    """

    __tablename__ = "device_event"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    last_at: datetime = Field(sa_type=UtcDateTime)
    times: int = 1
    channel: str  # trap, inform, syslog
    kind: str  # link-down, config-changed, ... (monitor.listen.event.Kind)
    source: str
    device_id: int | None = Field(default=None, foreign_key="device.id", index=True)
    text: str
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    authentic: bool = False


class DeviceWish(SQLModel, table=True):
    """What messages made desirable and nobody has done yet: `what` is backup. The same wish again is the same row."""

    __tablename__ = "device_wish"
    device_id: int = Field(primary_key=True, foreign_key="device.id")
    what: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    times: int = 1
    why: str = ""


class Cursor(SQLModel, table=True):
    """How far something that comes in pieces was read: Telegram's updates."""

    __tablename__ = "notify_cursor"
    name: str = Field(primary_key=True)
    value: int
