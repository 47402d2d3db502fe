"""The SQL of provisioning: plans, jobs, and what happened on each host."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from infra.desk import Step
from infra.events import TaskEvent
from infra.models import Approval, HostResult, Job, JobStep, Plan, TaskResult
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
            "no-such-plan", f"No plan is called '{safe(name, 80)}': 'siaga plan list' shows what there is."
        )
    return found


def plan_of(session: Session, job: Job) -> Plan:
    """Return the plan that a job belongs to."""
    return session.get_one(Plan, job.plan_id)


def plans(session: Session, limit: int) -> list[Plan]:
    """Return the newest plans, newest first."""
    return list(session.exec(select(Plan).order_by(col(Plan.id).desc()).limit(limit)))


def approvals_of(session: Session, plan_ids: Sequence[int]) -> dict[int, list[Approval]]:
    """Return plan id → what was said to it, in order."""
    found: dict[int, list[Approval]] = {}
    query = select(Approval).where(col(Approval.plan_id).in_(plan_ids)).order_by(col(Approval.id))
    for row in session.exec(query):
        found.setdefault(row.plan_id, []).append(row)
    return found


def forget_tasks(session: Session, before: datetime) -> int:
    """Drop the task records of jobs that ended before then, and return how many; what each host came to stays."""
    old = select(Job.id).where(col(Job.ended_at) < before)
    done = session.connection().execute(delete(TaskResult).where(col(TaskResult.job_id).in_(old)))
    return int(done.rowcount)


def claim(session: Session, plan_id: int, status: str) -> bool:
    """Give a ready plan its next status, and tell whether it was ours to take: of two commands, one gets it."""
    taken = update(Plan).where(col(Plan.id) == plan_id, col(Plan.status) == "ready").values(status=status)
    return bool(session.connection().execute(taken).rowcount)


def add_job(
    session: Session,
    plan: Plan,
    run_id: int,
    mode: str,
    hosts: Iterable[str],
    now: datetime,
    resumes: int | None = None,
) -> int:
    """Record that a job has begun, with every host it is for, and return its id."""
    job = Job(
        plan_id=plan.id,
        run_id=run_id,
        playbook=plan.playbook,
        mode=mode,
        status="running",
        started_at=now,
        resumes=resumes,
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


def add_step(session: Session, job_id: int, step: Step, now: datetime) -> None:
    """Record one step of an apply."""
    detail = safe(step.detail, 1_000)
    session.add(JobStep(job_id=job_id, at=now, name=step.name, status=step.status, detail=detail))


def steps_of(session: Session, job_id: int) -> list[tuple[datetime, Step]]:
    """Return the steps of a job, each with its time, in order."""
    query = select(JobStep).where(JobStep.job_id == job_id).order_by(col(JobStep.id))
    return [(s.at, Step(s.name, s.status, s.detail)) for s in session.exec(query)]


def end_job(
    session: Session, job_id: int, status: str, tallies: Sequence[HostTally], reason: str, now: datetime
) -> None:
    """Record how a job ended, and what it came to on each host."""
    job = session.get_one(Job, job_id)
    by = f" Cancelled by {job.cancelled_by}." if job.cancelled_by else ""
    job.status, job.reason, job.ended_at = status, f"{reason}{by}".strip(), now
    session.add(job)
    keep_hosts(session, job_id, tallies)


def keep_hosts(session: Session, job_id: int, tallies: Iterable[HostTally]) -> None:
    """Store what a job came to on some of its hosts."""
    for one in tallies:
        values = {k: v for k, v in asdict(one).items() if k != "unchecked"}
        session.merge(HostResult(job_id=job_id, **values))


def hosts_of(session: Session, job_id: int) -> list[HostResult]:
    """Return what a job came to on each host, by name."""
    query = select(HostResult).where(HostResult.job_id == job_id).order_by(col(HostResult.host))
    return list(session.exec(query))


def tallied(row: HostResult, tasks: HostTally) -> HostTally:
    """Return what was recorded of a host when its job ended, with how many of its tasks could not be checked."""
    kept = ("reason", "batch", "before", "after", "verdict", "rolled_back")
    return replace(counted(row), unchecked=tasks.unchecked, **{k: getattr(row, k) for k in kept})


def recorded(session: Session, job_id: int) -> tuple[list[HostTally], list[TaskEvent]]:
    """Return what a job came to on each host, by name, and what it did, in order."""
    tasks = tasks_of(session, job_id)
    hosts = {h.host: h for h in hosts_of(session, job_id)}
    return [tallied(hosts[t.host], t) for t in tally(list(hosts), tasks)], tasks


def counted(row: HostResult) -> HostTally:
    """Return a stored host's counts as a tally."""
    kept = ("ok", "changed", "failed", "skipped", "unreachable", "duration_s")
    return HostTally(row.host, row.status, **{k: getattr(row, k) for k in kept})


def resumed_by(session: Session, job_id: int) -> int | None:
    """Return the job that took up this one, or None."""
    return session.exec(select(Job.id).where(Job.resumes == job_id)).first()


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
        # What a batch came to was stored at its end; the rest is counted from its tasks.
        names = [h.host for h in hosts_of(session, job.id) if h.status == "not run"]
        tallies = tally(names, tasks_of(session, job.id), cut_off=True)
        end_job(session, job.id, "interrupted", tallies, "its process ended before it did", now)
    return dead
