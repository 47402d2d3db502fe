"""Ends a job that another process carries out: it is asked by a signal, and waited for."""

import os
import signal
from threading import Event
from time import monotonic

from sqlmodel import Session

from infra import store
from infra.desk import Desk
from infra.models import Job
from inventory import runs
from inventory.models import Run
from inventory.store import reading, session
from siaga.errors import AuthError, InvalidError, TemporaryError

WAIT_S = 40.0  # Ansible has three seconds, its workers as many, and the records their time


def cancel(desk: Desk, job_id: int) -> str:
    """Ask a running job to end, wait until it has, and return its status then.

    Raises NotFoundError (`no-such-job`), InvalidError (`not-running`), AuthError (`no-permission`) for somebody
    else's process, TemporaryError (`not-ended`) if it takes too long.
    """
    with session(desk.engine) as writing:
        job, _ = store.job_numbered(writing, job_id)
        run = _running(writing, job)
        job.cancelled_by = desk.who
        writing.add(job)
        pid = run.pid
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError:
        sentence = (
            f"Job {job_id} is carried out by another user's process {pid}: that user or root may end it."
        )
        raise AuthError("no-permission", sentence) from None
    except ProcessLookupError:
        pass
    return _ended(desk, job_id)


def _running(opened: Session, job: Job) -> Run:
    run = opened.get(Run, job.run_id or 0)
    alive = run is not None and runs.process_start(run.pid) == run.process_start
    if job.status != "running" or run is None or not alive:
        raise InvalidError("not-running", f"Job {job.id} is not running: it is {job.status}.")
    return run


def _ended(desk: Desk, job_id: int) -> str:
    until, pause = monotonic() + WAIT_S, Event()
    while monotonic() < until:
        with reading(desk.engine) as opened:
            job, _ = store.job_numbered(opened, job_id)
            if job.status != "running":
                return job.status
        pause.wait(0.2)
    raise TemporaryError(
        "not-ended", f"Job {job_id} was asked to end and has not in {WAIT_S:g} s: look again."
    )
