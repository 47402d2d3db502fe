"""Runs of provisioning, and what their checks say of devices: how far each is from the standard of its class."""

from collections.abc import Iterator
from datetime import timedelta

from sqlmodel import col, select

from infra.models import HostResult
from infra.models import Job as JobRow
from report import store
from report.asked.guarded import compared
from report.asked.source import Source
from report.records import Drift, Job
from siaga.text import safe

_SOUND = ("ok", "changed")


def jobs(source: Source) -> Iterator[Job]:
    """Yield the runs that began in the period, oldest first."""
    for row, statuses in store.jobs(source.session, source.period.since, source.period.until):
        yield Job(
            id=row.id or 0,
            playbook=safe(row.playbook),
            mode=row.mode,
            status=row.status,
            started_at=row.started_at,
            ended_at=row.ended_at,
            hosts=len(statuses),
            ok=statuses.count("ok"),
            changed=statuses.count("changed"),
            failed=sum(s in ("failed", "unreachable") for s in statuses),
        )


def drifts(source: Source) -> Iterator[Drift] | None:
    """Yield the newest sound comparison of each device, by name; None while nothing was ever compared.

    A check counts what it would change; what an apply has changed is as it should be. What compliance says of a
    device's configuration is a comparison too: the newer of both stands.
    """
    oldest = source.period.until - timedelta(days=365)
    query = (
        select(HostResult, JobRow)
        .join(JobRow, col(JobRow.id) == col(HostResult.job_id))
        .where(JobRow.started_at >= oldest, JobRow.started_at < source.period.until)
        .order_by(col(JobRow.started_at), col(JobRow.id))
    )
    newest: dict[str, Drift] = {}
    for result, job in source.session.exec(query):
        if result.status in _SOUND:
            findings = result.changed if job.mode == "check" else 0
            newest[result.host] = Drift(safe(result.host), job.started_at, findings, f"job/{job.id}")
    for one in compared(source):
        if one.device not in newest or newest[one.device].checked_at < one.checked_at:
            newest[one.device] = one
    return iter(sorted(newest.values(), key=lambda d: d.device)) if newest else None


ANSWERS = {Job: jobs, Drift: drifts}
