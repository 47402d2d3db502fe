"""A job that is cut off leaves no process, no file, and a record that says so."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from infra import store
from infra.around import Around
from infra.events import TaskEvent
from infra.jobs import PREFIX, children, sweep
from infra.models import TaskResult
from infra.plans import apply_plan, make_plan, resume, settle
from inventory.models import Device, Run
from inventory.store import reading
from monitor.models import Maintenance
from monitor.work_windows import WorkWindows
from siaga.errors import InvalidError, TemporaryError
from siaga.lock import device_lock
from siaga.settings import Provision
from tests.cli_runner import until
from tests.infra.conftest import Regency

SLOW = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Write
      ansible.builtin.file:
        path: "{{ siaga_root }}/etc/begun"
        state: touch
    - name: Wait for the word
      ansible.builtin.wait_for:
        path: "{{ siaga_root }}/etc/go"
        timeout: 60
"""


def descendants(pid: int) -> list[int]:
    """Return every process below `pid`."""
    found = children(pid)
    return found + [d for child in found for d in descendants(child)]


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def told_to(pid: int) -> bytes:
    """Return a process's arguments and environment, which others may read or a core may hold."""
    found = b""
    for name in ("cmdline", "environ"):
        with suppress(OSError):
            found += Path(f"/proc/{pid}/{name}").read_bytes()
    return found


def private_directories() -> set[Path]:
    """Return the directories of jobs, ours and others'."""
    return set(Path("/dev/shm").glob(f"{PREFIX}*"))


@contextmanager
def applying(regency: Regency, name: str) -> Iterator[tuple[subprocess.Popen[bytes], list[int], set[Path]]]:
    """Run `siaga apply` until its second task waits on the host."""
    others = private_directories()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(regency.settings.home),
        "SIAGA_HOME": str(regency.settings.home),
        "SIAGA_PLAYBOOKS": str(regency.settings.playbooks[0]),
        "SIAGA_POLL__TIMEOUT_S": "0.2",
        "SIAGA_POLL__RETRIES": "0",
    }
    command = [sys.executable, "-c", "import cli; cli.main()", "apply", name, "--yes"]
    process = subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        begun = regency.farm.hosts[1].root / "etc/begun"
        until(lambda: begun.exists() or process.poll() is not None, "the first task never ran", 30)
        assert begun.exists(), process.stdout and process.stdout.read()
        until(lambda: _stored(regency, "Write"), "the first task was never stored", 30)
        below = descendants(process.pid)
        mine = {d for d in private_directories() - others if any(_uses(p, d) for p in below)}
        assert mine, "the job has a private directory"
        assert not [p for p in below if regency.farm.password.encode() in told_to(p)]
        yield process, below, mine
    finally:
        process.kill()
        process.communicate()


def _uses(pid: int, directory: Path) -> bool:
    try:
        return str(directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _stored(regency: Regency, task: str) -> bool:
    with reading(regency.engine) as opened:
        return any(
            t.task == task and t.status == "changed" for t in opened.exec(select(TaskResult)).all()[2:]
        )


@pytest.fixture
def slow(regency: Regency) -> str:
    """Return the name of a plan whose apply takes a minute, made now: the command's own clock judges its age."""
    regency.now = datetime.now(UTC)
    regency.play("slow", SLOW)
    return make_plan(regency.desk, "slow", "srv-2", [], lambda _: None).plan


def one_id(regency: Regency, name: str) -> int:
    """Return a device's id."""
    with reading(regency.engine) as opened:
        return opened.exec(select(Device.id).where(Device.name == name)).one() or 0


def windows(regency: Regency) -> list[Maintenance]:
    """Return the windows there are."""
    with reading(regency.engine) as opened:
        return list(opened.exec(select(Maintenance)))


def test_killing_the_command_ends_the_job_leaves_no_lock_and_no_window_and_it_can_be_taken_up(
    regency: Regency, slow: str
) -> None:
    with applying(regency, slow) as (process, below, private):
        (window,) = windows(regency)
        assert (window.cause, window.selector, window.ended_at) == ("job 2", "'srv-2'", None)
        assert window.end is not None
        assert window.end <= datetime.now(UTC) + timedelta(minutes=2), "it ends by itself, whoever dies"
        process.kill()
        process.wait()
        until(lambda: not any(map(alive, below)), "a process was left", 30)
        until(lambda: not any(p.exists() for p in private), "a file was left", 30)
    with device_lock(regency.settings.home, one_id(regency, "srv-2"), "srv-2"):
        pass
    regency.around = Around(windows=WorkWindows(regency.engine))
    (sentence,) = settle(regency.desk)
    assert "was cut off when its process ended and is marked interrupted" in sentence
    assert "'siaga job resume 2' takes up the hosts that are not done" in sentence
    assert settle(regency.desk) == []
    assert [w.ended_at is None for w in windows(regency)] == [False]
    with reading(regency.engine) as opened:
        job, plan, counts = store.jobs(opened, 1)[0]
        assert (job.status, plan.status, counts) == ("interrupted", "applied", {"interrupted": 1})
        assert [t.task for t in store.tasks_of(opened, job.id or 0)] == ["Write"]
        assert {r.status for r in opened.exec(select(Run).where(Run.kind == "apply"))} == {"interrupted"}
    with pytest.raises(InvalidError, match="plan-used"):
        apply_plan(regency.desk, slow, lambda _: None)

    (regency.farm.hosts[1].root / "etc/go").touch()
    done = resume(regency.desk, 2, lambda _: None)
    assert (done.status, [h.status for h in done.hosts]) == ("ok", ["changed"])


def test_if_the_process_that_runs_ansible_is_killed_nothing_goes_on_and_nothing_is_left(
    regency: Regency, slow: str
) -> None:
    """As by the kernel, when memory runs out."""
    with applying(regency, slow) as (process, below, private):
        (jobs,) = [p for p in below if b"infra.jobs" in Path(f"/proc/{p}/cmdline").read_bytes()]
        os.kill(jobs, signal.SIGKILL)
        said, _ = process.communicate(timeout=30)
        assert b"Ansible broke off: the process of the job was killed." in said
        assert not [p for p in private if p.exists()], "keys and passwords were in it"
        until(lambda: not any(map(alive, below)), "Ansible went on, or a connection was left", 30)


def test_ctrl_c_ends_the_job_in_order(regency: Regency, slow: str) -> None:
    with applying(regency, slow) as (process, below, private):
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 130, said
        assert b"The job was cancelled" in said
        assert not [p for p in below if alive(p)]
        assert not [p for p in private if p.exists()]
    assert settle(regency.desk) == [], "it closed its own records"


def test_a_job_that_takes_too_long_is_ended(regency: Regency, slow: str) -> None:
    settings = regency.settings.model_copy(update={"provision": Provision(timeout_s=4)})
    regency.settings = settings
    seen: list[TaskEvent] = []
    report = apply_plan(regency.desk, slow, seen.append)
    assert report.status == "failed"
    assert "The job was ended after 4 s (provision.timeout_s)." in report.notes
    assert not [p for p in descendants(os.getpid()) if _uses(p, Path(PREFIX))]


def test_if_its_events_cannot_be_stored_the_job_is_ended(regency: Regency, slow: str) -> None:
    def full(_: TaskEvent) -> None:
        raise TemporaryError("disk-full", "The disk of the database is full.")

    with pytest.raises(TemporaryError, match="disk-full"):
        apply_plan(regency.desk, slow, full)
    assert not [p for p in descendants(os.getpid()) if _uses(p, Path(PREFIX))]
    with reading(regency.engine) as opened:
        job, plan, _ = store.jobs(opened, 1)[0]
        assert (job.status, job.reason, plan.status) == (
            "failed",
            "The disk of the database is full.",
            "applied",
        )


def test_what_a_killed_job_left_is_swept_and_what_runs_is_not(tmp_path: Path) -> None:
    import fcntl

    left, running = tmp_path / f"{PREFIX}left", tmp_path / f"{PREFIX}running"
    left.mkdir()
    running.mkdir()
    (left / "secret").write_text("x")
    lock = os.open(running, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    sweep(tmp_path, min_age_s=0)
    os.close(lock)
    assert [p.name for p in tmp_path.iterdir()] == [f"{PREFIX}running"]
