"""What Ansible learnt of the hosts becomes observed values of the devices, beside what was intended."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlmodel import Session

from infra.events import TaskEvent
from infra.hosts import Host
from inventory.store import observe

OF_HARDWARE = ("serial", "model", "maker", "disks", "interfaces", "default_address")


def learnt(events: Iterable[TaskEvent]) -> dict[str, dict[str, str]]:
    """Return host → facts; what was said last counts. The facts are safe already (infra.events)."""
    found: dict[str, dict[str, str]] = {}
    for event in events:
        if event.facts:
            found.setdefault(event.host, {}).update(event.facts)
    return found


def keep(
    session: Session,
    hosts: Iterable[Host],
    facts: Mapping[str, Mapping[str, str]],
    *,
    job_id: int,
    at: datetime,
) -> None:
    """Write the facts on the devices' rows, with job and time as their provenance.

    A host that is a directory (siaga_root) has no hardware of its own: what is OF_HARDWARE is another's.
    """
    for host in hosts:
        said = facts.get(host.name, {})
        if host.variables.get("siaga_root"):
            said = {k: v for k, v in said.items() if k not in OF_HARDWARE}
        if said:
            observe(session, host.device_id, said, source="ansible", at=at, cause=f"job {job_id}")
