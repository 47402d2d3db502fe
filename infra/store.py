"""The SQL of provisioning: plans, jobs, and what happened on each host."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from infra.events import TaskEvent
from infra.models import HostResult, Job, Plan, TaskResult
from infra.results import HostTally, tally
from inventory.models import Run
from siaga.errors import NotFoundError
from siaga.text import safe


def free_name(session: Session, name: str) -> str:
    """Return `name`, or with a number behind it, as no plan is called yet."""
    taken = set(session.exec(select(Plan.name).where(col(Plan.name).startswith(name))))
    numbered = (f"{name}-{n}" for n in range(2, len(taken) + 3))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def plan_called(session: Session, name: str) -> Plan:
    """Return the plan called `name`; raises NotFoundError (`no-such-plan`)."""
    found = session.exec(select(Plan).where(Plan.name == name)).first()
    if found is None:
        raise NotFoundError(
            "no-such-plan", f"No plan is called '{safe(name, 80)}': 'siaga job list' shows what there is."
        )
    return found


def claim(session: Session, plan_id: int) -> bool:
    """Mark a ready plan applied, and tell whether it was ours to take: of two commands, one gets it."""
    taken = update(Plan).where(col(Plan.id) == plan_id, col(Plan.status) == "ready").values(status="applied")
    return bool(session.connection().execute(taken).rowcount)


def add_job(session: Session, plan: Plan, run_id: int, mode: str, hosts: Iterable[str], now: datetime) -> int:
    """Record that a job has begun, with every host it is for, and return its id."""
    job = Job(
        plan_id=plan.id, run_id=run_id, playbook=plan.playbook, mode=mode, status="running", started_at=now
    )
    session.add(job)
    session.flush()
    assert job.id is not None
    session.add_all([HostResult(job_id=job.id, host=h, status="not run") for h in hosts])
    return job.id


def add_tasks(session: Session, job_id: int, events: Iterable[TaskEvent]) -> None:
    """Store what happened, in one go."""
    kept = ("host", "play", "task", "status", "checked", "diff", "message", "duration_s")
    session.add_all([TaskResult(job_id=job_id, **{k: getattr(e, k) for k in kept}) for e in events])


def end_job(
    session: Session, job_id: int, status: str, tallies: Sequence[HostTally], reason: str, now: datetime
) -> None:
    """Record how a job ended, and what it came to on each host."""
    job = session.get_one(Job, job_id)
    job.status, job.reason, job.ended_at = status, reason, now
    session.add(job)
    session.connection().execute(delete(HostResult).where(col(HostResult.job_id) == job_id))
    for one in tallies:
        values = {k: v for k, v in asdict(one).items() if k != "unchecked"}
        session.add(HostResult(job_id=job_id, **values))


def hosts_of(session: Session, job_id: int) -> list[HostResult]:
    """Return what a job came to on each host, by name."""
    query = select(HostResult).where(HostResult.job_id == job_id).order_by(col(HostResult.host))
    return list(session.exec(query))


def tasks_of(session: Session, job_id: int) -> list[TaskEvent]:
    """Return what a job did, in order."""
    query = select(TaskResult).where(TaskResult.job_id == job_id).order_by(col(TaskResult.id))
    return [
        TaskEvent(t.host, t.task, t.status, t.play, t.checked, t.diff, t.message, t.duration_s)
        for t in session.exec(query)
    ]


def job_numbered(session: Session, job_id: int) -> tuple[Job, str]:
    """Return a job and the name of its plan; raises NotFoundError (`no-such-job`)."""
    row = session.exec(
        select(Job, Plan.name).join(Plan, col(Plan.id) == Job.plan_id).where(Job.id == job_id)
    ).first()
    if row is None:
        raise NotFoundError("no-such-job", f"There is no job {job_id}: 'siaga job list' shows what there is.")
    return row[0], row[1]


def jobs(session: Session, limit: int) -> list[tuple[Job, Plan, dict[str, int]]]:
    """Return the newest jobs with their plans and how many hosts came to which status."""
    query = select(Job, Plan).join(Plan, col(Plan.id) == Job.plan_id).order_by(col(Job.id).desc())
    found = list(session.exec(query.limit(limit)))
    counts: dict[int, dict[str, int]] = {}
    count = select(HostResult.job_id, HostResult.status, func.count()).group_by(
        col(HostResult.job_id), col(HostResult.status)
    )
    for job_id, status, number in session.exec(count):
        counts.setdefault(job_id, {})[status] = number
    return [(job, plan, counts.get(job.id or 0, {})) for job, plan in found]


def settle(session: Session, now: datetime) -> list[Job]:
    """Close the jobs whose run was found dead: what they did is counted, the rest is marked interrupted."""
    query = select(Job).join(Run, col(Run.id) == Job.run_id)
    dead = list(session.exec(query.where(Job.status == "running", Run.status == "interrupted")))
    for job in dead:
        assert job.id is not None
        names = [h.host for h in hosts_of(session, job.id)]
        tallies = tally(names, tasks_of(session, job.id), cut_off=True)
        end_job(session, job.id, "interrupted", tallies, "its process ended before it did", now)
    return dead
