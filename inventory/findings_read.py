"""What compliance and the audit know of each device, as the report counts it: known good, known bad, or neither.

A device of which something is not known is in neither list: it counts as unknown, and never as good.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from inventory.models import Device
from inventory.models_findings import Compliance, Exposure

_OPEN_MAY_NOT = ("telnet", "http", "snmp-v1", "snmp-v2c")
_NO_COMMUNITIES = ("-snmp-v3", "-snmp-communities")  # endings of rules that say that no community is left


@dataclass(frozen=True)
class Deviation:
    """How many rules a device breaks, by a configuration of `at`; 0: all that are meant for it are met."""

    device: str
    at: datetime
    broken: int


@dataclass(frozen=True)
class Shown:
    """What a device showed at `at`: whether SSH is open, and which doors that should not be."""

    device: str
    at: datetime
    ssh: bool
    open: tuple[str, ...] = ()


def deviations(session: Session) -> list[Deviation]:
    """Return the devices of which it is known whether they comply, by name."""
    query = select(Device.name, Compliance).join(Compliance, col(Compliance.device_id) == col(Device.id))
    rows = session.exec(query.where(Device.status == "active").order_by(Device.name))
    return [
        Deviation(name, one.evidence_at, one.broken)
        for name, one in rows
        if one.evidence_at is not None and (one.broken or not one.unknown)
    ]


def shown(session: Session) -> list[Shown]:
    """Return the devices of which it is known whether a door stands open, by name.

    That SNMP v1 and v2c are shut is known when the device says so itself, or its configuration holds no community.
    """
    query = select(Device.name, Exposure, Compliance).join(
        Exposure, col(Exposure.device_id) == col(Device.id)
    )
    query = query.outerjoin(Compliance, col(Compliance.device_id) == col(Device.id))
    rows = session.exec(query.where(Device.status == "active").order_by(Device.name))
    found = (_shown(name, exposure, compliance) for name, exposure, compliance in rows)
    return [one for one in found if one is not None]


def _shown(name: str, exposure: Exposure, compliance: Compliance | None) -> Shown | None:
    doors = dict(exposure.doors)
    if compliance is not None and _without_communities(compliance):
        doors |= {d: "closed" for d in ("snmp-v1", "snmp-v2c") if doors.get(d) == "unknown"}
    open_ = tuple(d for d in _OPEN_MAY_NOT if doors.get(d) == "open")
    ssh = doors.get("ssh", "unknown")
    if not open_ and (ssh == "unknown" or any(doors.get(d) != "closed" for d in _OPEN_MAY_NOT)):
        return None
    return Shown(name, exposure.at, ssh == "open", open_)


def _without_communities(compliance: Compliance) -> bool:
    return any(
        said[0] == "met" for rule, said in compliance.results.items() if rule.endswith(_NO_COMMUNITIES)
    )
