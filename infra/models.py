"""The tables of provisioning: plans, jobs, and what happened on each host."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from inventory.models import UtcDateTime


class Plan(SQLModel, table=True):
    """A check run with its diff, frozen: `digest` covers playbook tree, variables, targets and result.

    `digest` is a JSON object, part → digest, so that a refusal can say which part has changed.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, index=True)
    playbook: str
    selector: str
    who: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    status: str = "ready"  # ready, failed, applied, void, rejected, exported
    risk: str = "medium"
    needs_approval: bool = False
    finding_id: int | None = None  # what it was made for
    digest: str = ""
    hosts: list[str] = Field(default_factory=list, sa_type=JSON)
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    radius: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSON
    )  # host → what hangs on it (infra.radius)
    job_id: int | None = None  # the check run that made it


class Approval(SQLModel, table=True):
    """What a second person said to a plan. `digest` is of what was looked at; `seal` is made with the master key."""

    id: int | None = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="plan.id", index=True)
    who: str
    at: datetime = Field(sa_type=UtcDateTime)
    verdict: str  # approved, rejected
    why: str = ""
    digest: str = ""
    seal: str = ""


class Job(SQLModel, table=True):
    """One run of Ansible. `mode` is check or apply; `run_id` is its life sign in the inventory's runs."""

    id: int | None = Field(default=None, primary_key=True)
    plan_id: int | None = Field(default=None, foreign_key="plan.id", index=True)
    run_id: int | None = None
    playbook: str = ""
    mode: str
    status: str  # running, ok, partial, failed, interrupted
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = ""
    resumes: int | None = None  # the job whose remaining hosts it takes up
    cancelled_by: str = ""
    origin: str = ""  # where it ran, if its record was brought back from there


class JobStep(SQLModel, table=True):
    """One step of an apply: lock, window, before, backup, batch, checks, rollback, after, verify."""

    __tablename__ = "job_step"
    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    name: str
    status: str  # ok, failed, skipped
    detail: str = ""


class HostResult(SQLModel, table=True):
    """What one job did on one host, in tasks."""

    __tablename__ = "host_result"
    job_id: int = Field(foreign_key="job.id", primary_key=True)
    host: str = Field(primary_key=True)
    status: str  # ok, changed, failed, unreachable, interrupted, not run
    ok: int = 0
    changed: int = 0
    failed: int = 0
    skipped: int = 0
    unreachable: int = 0
    reason: str = ""
    batch: int = 0  # in which batch it was; 0: in none
    duration_s: float | None = None
    before: str = ""  # what names its configuration as it was kept before, and after
    after: str = ""
    verdict: str = ""  # how the monitor found it afterwards, in one sentence
    rolled_back: bool = False


class TaskResult(SQLModel, table=True):
    """One task on one host: what it did, what it would change (`diff`), how long it took."""

    __tablename__ = "task_result"
    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id", index=True)
    host: str
    play: str = ""
    task: str
    status: str  # ok, changed, skipped, failed, unreachable, ignored
    checked: bool = True  # False: the module cannot be checked, so a plan that has it is partly checked
    diff: str = ""
    message: str = ""
    duration_s: float | None = None
