"""The report's SQL: only questions, no writing. Each function says which question it answers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import func
from sqlmodel import Session, SQLModel, col, or_, select

from infra.models import HostResult, Job
from inventory.models import Connection, Device, Interface, Run
from inventory.models_people import Person
from monitor.models import Alert, DeviceState, StateChange
from siaga.errors import NotFoundError
from siaga.text import safe

Row = TypeVar("Row", bound=SQLModel)


def everything(session: Session, table: type[Row]) -> dict[int, Row]:
    """Return every row of a table by its id."""
    return {row.id: row for row in session.exec(select(table))}  # type: ignore[attr-defined]


def person(session: Session, name: str) -> Person:
    """Return the person of a name. Raises NotFoundError (`no-such-person`)."""
    row = session.exec(select(Person).where(Person.name == name)).first()
    if row is None:
        raise NotFoundError("no-such-person", f"There is no person called '{safe(name, 80)}'.")
    return row


def active_devices(session: Session) -> list[Device]:
    """Return the devices that should be in service, by name."""
    return list(session.exec(select(Device).where(Device.status == "active").order_by(col(Device.name))))


def wan_interfaces(session: Session) -> dict[int, Interface]:
    """Return the interfaces on which connections are measured, by id."""
    used = select(Connection.interface_id).where(col(Connection.interface_id).is_not(None))
    found = session.exec(select(Interface).where(col(Interface.id).in_(used)))
    return {row.id: row for row in found if row.id is not None}


def states(session: Session) -> dict[int, DeviceState]:
    """Return what the monitor believes of each device now."""
    return {row.device_id: row for row in session.exec(select(DeviceState))}


def history(session: Session, until: datetime) -> dict[int, list[tuple[datetime, str]]]:
    """Return device → its transitions until a moment (time, state from then on), by time."""
    query = select(StateChange.device_id, StateChange.at, StateChange.after).where(StateChange.at <= until)
    found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for device_id, at, after in session.exec(query.order_by(col(StateChange.at), col(StateChange.id))):
        found[device_id].append((at, after))
    return found


def alerts(session: Session, since: datetime, until: datetime) -> Sequence[Alert]:
    """Return the alerts that were open at some time of the window."""
    ended = or_(col(Alert.closed_at).is_(None), col(Alert.closed_at) >= since)
    return session.exec(select(Alert).where(Alert.opened_at <= until, ended).order_by(col(Alert.id))).all()


def jobs(session: Session, since: datetime, until: datetime) -> list[tuple[Job, list[str]]]:
    """Return the runs of Ansible that began in the window, each with the status of every host."""
    within = select(Job).where(Job.started_at >= since, Job.started_at <= until).order_by(col(Job.id))
    found = list(session.exec(within))
    hosts: dict[int, list[str]] = defaultdict(list)
    for result in session.exec(select(HostResult).where(col(HostResult.job_id).in_([j.id for j in found]))):
        hosts[result.job_id].append(result.status)
    return [(job, hosts[job.id or 0]) for job in found]


def polls(session: Session, since: datetime, until: datetime) -> int:
    """Return how many rounds of polling began in the window."""
    counted = select(func.count()).where(Run.kind == "poll", Run.started_at >= since, Run.started_at <= until)
    return int(session.exec(counted).one())
