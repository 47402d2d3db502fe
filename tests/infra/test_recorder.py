"""What a host did is in the database within a moment, whether or not another event follows."""

import threading

import pytest

from infra import store
from infra.desk import Step
from infra.events import TaskEvent
from infra.models import Plan
from infra.progress import Progress, line
from infra.recorder import Recorder
from inventory.store import reading, session
from siaga.errors import TemporaryError
from tests.cli_runner import until
from tests.infra.conftest import Regency


def job(regency: Regency) -> int:
    with session(regency.engine) as opened:
        plan = Plan(name="p", playbook="x", selector="srv-1", created_at=regency.now)
        opened.add(plan)
        opened.flush()
        return store.add_job(opened, plan, 1, "apply", ["srv-1"], regency.now)


def stored(regency: Regency, number: int) -> int:
    with reading(regency.engine) as opened:
        return len(store.tasks_of(opened, number))


def test_the_last_event_is_stored_without_another_one(regency: Regency) -> None:
    number, beats = job(regency), threading.Event()
    with Recorder(regency.desk, number, lambda _: None) as recorder:
        recorder.also(beats.set)
        for host in range(1000):
            recorder(TaskEvent(f"srv-{host}", "Write", "changed"))
        until(lambda: stored(regency, number) == 1000, "an event was not stored while the job ran", 30)
        assert beats.wait(10)
        recorder.step("batch", detail="canary: srv-1")
    with reading(regency.engine) as opened:
        assert [s.detail for _, s in store.steps_of(opened, number)] == ["canary: srv-1"]


def test_what_goes_wrong_between_two_events_ends_the_job(regency: Regency) -> None:
    def lost() -> None:
        failed.set()
        raise TemporaryError("database-busy", "Another command has it.")

    failed = threading.Event()
    with Recorder(regency.desk, job(regency), lambda _: None) as recorder:
        recorder.also(lost)
        assert failed.wait(10)
        until(lambda: not recorder._thread.is_alive(), "the beat goes on")
        with pytest.raises(TemporaryError, match="database-busy"):
            recorder(TaskEvent("srv-1", "Write", "changed"))


def test_progress_counts_hosts_and_tasks() -> None:
    progress = Progress("apply p", 3)
    progress.take(Step("batch", detail="canary: srv-1"))
    for event in (
        TaskEvent("srv-1", "Write", "changed"),
        TaskEvent("srv-1", "Ask", "skipped"),
        TaskEvent("srv-2", "Write", "failed", message="no [/room]\x1b[2J"),
    ):
        progress.take(event)
    assert progress.line() == "apply p: canary, 2 of 3 hosts, 3 tasks, 1 changes, 1 bad: srv-2: Write"
    assert line(event) == "srv-2: failed: Write: no [/room][2J"
    assert line(TaskEvent("srv-1", "Ask", "ok")) == ""
    assert line(Step("checks", "failed", "srv-1 fell")) == "checks failed: srv-1 fell"
