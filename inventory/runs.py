"""Runs: work that can be cut off. A run whose process is gone is marked interrupted by the next command."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import select

from inventory.models import Run
from inventory.store import reading, session
from siaga.clock import utc_now
from siaga.errors import PartialError


def process_start(pid: int) -> str:
    """Return boot id and start time of a process, or '' if it is gone; a reused pid has another (proc(5))."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The name in parentheses may hold spaces; field 22, the start time, is the 20th after it.
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
    return f"{boot}/{started}"


def start(engine: Engine, kind: str, *, who: str, now: datetime) -> int:
    """Record that a run has begun, in a transaction of its own, and return its id."""
    with session(engine) as opened:
        run = Run(
            kind=kind, who=who, started_at=now, pid=os.getpid(), process_start=process_start(os.getpid())
        )
        opened.add(run)
        opened.flush()
        assert run.id is not None
        return run.id


def finish(engine: Engine, run_id: int, status: str, summary: Mapping[str, Any], *, now: datetime) -> None:
    """Record how a run ended: ok, partial, failed or interrupted."""
    with session(engine) as opened:
        run = opened.get_one(Run, run_id)
        run.status, run.ended_at, run.summary = status, now, dict(summary)
        opened.add(run)


def mark_interrupted(engine: Engine, *, now: datetime) -> list[int]:
    """Mark the runs whose process is gone, and return their ids."""
    with reading(engine) as opened:
        dead = [r.id for r in opened.exec(select(Run).where(Run.status == "running")) if not _alive(r)]
    for run_id in dead:
        assert run_id is not None
        finish(engine, run_id, "interrupted", {"reason": "its process ended before it did"}, now=now)
    return [r for r in dead if r is not None]


def _alive(run: Run) -> bool:
    return bool(run.process_start) and process_start(run.pid) == run.process_start


@contextmanager
def recorded(engine: Engine, kind: str, *, who: str, summary: dict[str, Any]) -> Iterator[int]:
    """Hold a run open around some work; `summary` is filled by the work and stored at the end.

    What it has under `left_out` makes the run a partial one, `interrupted` one that was cut off and kept what it had.
    """
    mark_interrupted(engine, now=utc_now())
    run_id = start(engine, kind, who=who, now=utc_now())
    status = "failed"
    try:
        yield run_id
        status = "partial" if summary.get("left_out") else "ok"
        status = "interrupted" if summary.get("interrupted") else status
    except PartialError:
        status = "partial"
        raise
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        finish(engine, run_id, status, summary, now=utc_now())
