"""The tables of what is wrong: findings, what compliance and exposure rest on, and windows of third parties' access.

They are no nouns: siaga writes them from evidence, and a person only says who sees to one, until when, or why it stays.
They stand on the ground floor because every other reads them: infra to mend, the report to count.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from inventory.models import UtcDateTime, ref


class Finding(SQLModel, table=True):
    """One thing that is wrong, from when it was first seen until evidence proved it mended.

    `source`: compliance, audit or access; `rule`: which check of it said so; `subject`: of what, beside the device.
    `open_key` is the three together while it is open and empty (NULL) afterwards: the database refuses a second one.
    `evidence_at` is when that which proves it was taken, `last_seen` when it was last judged so. `playbook` and
    `params` would mend it. `accepted_until`: a risk that somebody carries until then; it stays, and nobody is called.
    """

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(index=True)
    rule: str = Field(index=True)
    device_id: int | None = ref("device")
    subject: str = ""
    severity: str  # low, medium, high, critical
    article: str = ""  # of BSSN 4/2021, such as 33(2)d
    title: str
    detail: str = ""
    evidence: list[str] = Field(default_factory=list, sa_type=JSON)
    evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_seen: datetime = Field(sa_type=UtcDateTime)
    last_seen: datetime = Field(sa_type=UtcDateTime)
    playbook: str = ""
    params: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    owner: str = ""  # the name of a person
    due: date | None = None
    accepted_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_by: str = ""
    accepted_why: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    closed_why: str = ""  # mended, gone, by hand
    open_key: str | None = Field(default=None, unique=True, index=True)


class Compliance(SQLModel, table=True):
    """What the rules said of a device's configuration when they last judged it. No row: never judged.

    `evidence_at` and `sha256` are of the configuration; both empty: there is none. `results`: rule → verdict and the
    reason, the verdict being met, broken, unknown or none (the rule is not for this device).
    """

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    at: datetime = Field(sa_type=UtcDateTime)
    evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sha256: str = ""
    met: int = 0
    broken: int = 0
    unknown: int = 0
    results: dict[str, list[str]] = Field(default_factory=dict, sa_type=JSON)


class Exposure(SQLModel, table=True):
    """What a managed device showed when its doors were last tried. No row: never tried.

    `doors`: ssh, telnet, http, https, snmp-v1, snmp-v2c, snmp-v3 → open, closed or unknown.
    """

    device_id: int = Field(primary_key=True, foreign_key="device.id")
    at: datetime = Field(sa_type=UtcDateTime)
    doors: dict[str, str] = Field(default_factory=dict, sa_type=JSON)


class AccessWindow(SQLModel, table=True):
    """From when to when somebody of a third party may log in to some devices, and who allowed it.

    `login`: the user name they come with; empty: any that is recorded as theirs.
    """

    __tablename__ = "access_window"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, index=True, max_length=120)
    person: str  # the name of a person of a provider
    provider: str = ""
    login: str = ""
    selector: str
    start: datetime = Field(sa_type=UtcDateTime)
    end: datetime = Field(sa_type=UtcDateTime)
    approved_by: str
    why: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str = ""
