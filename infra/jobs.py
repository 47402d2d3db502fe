"""The process that runs Ansible, and the only module that imports ansible_runner.

`python -m infra.jobs` reads one task as JSON on its first line of input, writes events as JSON lines, and
ends with {"end": …}. It is a process of its own for three reasons (measured in the lab):

- ansible-core's workers call setsid(), so killing a process group leaves them behind. This process is the
  subreaper (prctl(2)) of all of them: who loses his parent becomes its child, and it ends its children.
- ansible-runner and Ansible leave secrets in files. They get one private directory on tmpfs, which this
  process removes whatever happens; a directory whose maker was killed is removed by the next job.
- When its input ends, whoever asked is gone: it cancels the job. So `kill -9` of the command stops Ansible.
"""

import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from infra.events import read_event
from siaga.text import safe

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# Ansible forwards SIGTERM to its workers, but needs a moment before the hard kill.
GRACE_S = 3.0
PREFIX = "siaga-job-"
_ORIGIN = re.compile(r"Origin: (?P<path>\S+?):(?P<line>\d+)(?::\d+)?\s*$", re.MULTILINE)
_ERROR = re.compile(r"(?:\[ERROR\]|ERROR!|\[FATAL\]):?\s*(?P<text>.+)")


class Wish:
    """Whether the job is to be ended before its time, and why: asked by a signal, lost input or the clock."""

    def __init__(self, timeout_s: float) -> None:
        self.reason = ""
        self._deadline = time.monotonic() + timeout_s
        self._told = 0.0

    def ask(self, reason: str) -> None:
        """Ask for the end; the first reason counts."""
        self.reason = self.reason or reason

    def granted(self) -> bool:
        """Tell ansible-runner whether to kill now: SIGTERM comes first, the kill GRACE_S later."""
        if time.monotonic() > self._deadline:
            self.ask("timeout")
        if not self.reason:
            return False
        if not self._told:
            self._told = time.monotonic()
            for pid in children(os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        return time.monotonic() - self._told > GRACE_S


def children(parent: int) -> list[int]:
    """Return the processes whose parent is `parent` (proc(5): field 4, after the name in parentheses)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def end_children(grace_s: float = GRACE_S) -> None:
    """End every process that this one started or inherited: SIGTERM, then SIGKILL; bounded."""
    deadline = time.monotonic() + grace_s
    while (pids := _reaped()) and time.monotonic() < deadline + grace_s:
        number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(0.05)


def _reaped() -> list[int]:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return children(os.getpid())


@contextmanager
def private_directory(fallback: Path) -> Iterator[Path]:
    """Make a directory only we can read, on tmpfs if there is one; it is gone at the end.

    A lock on it is our life sign, so that what a killed job left can be told from a job that runs.
    """
    base = next(p for p in (Path("/dev/shm"), fallback) if os.access(p, os.W_OK | os.X_OK))  # noqa: S108
    sweep(base)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep(base: Path, min_age_s: float = 10.0) -> None:
    """Remove directories that killed jobs of this user left behind."""
    for path in base.glob(f"{PREFIX}*"):
        with suppress(OSError):
            status = path.lstat()
            if status.st_uid != os.getuid() or path.is_symlink() or time.time() - status.st_mtime < min_age_s:
                continue
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


def write_private(path: Path, text: str) -> Path:
    """Write a file that only we can read, from its first moment on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return path


def prepare(private: Path, task: Mapping[str, Any]) -> dict[str, str]:
    """Write what Ansible reads, and return the environment that it runs in."""
    for name in ("home/.ssh", "scratch", "cp"):
        (private / name).mkdir(parents=True, mode=0o700)
    write_private(private / "ansible.cfg", "")
    keys = {a: str(write_private(private / "keys" / a, k)) for a, k in task["keys"].items()}
    found = task["inventory"]
    for name, path in keys.items():
        found["all"]["hosts"][name]["ansible_ssh_private_key_file"] = path
    write_private(private / "inventory" / "hosts.json", json.dumps(found))
    known = Path(task["known_hosts"])
    known.touch(mode=0o600)
    # OpenSSH follows the link; paramiko_ssh knows only ~/.ssh/known_hosts and replaces it, hence a copy.
    (private / "known_hosts").symlink_to(known)
    shutil.copyfile(known, private / "home/.ssh/known_hosts")
    return environment(private, task)


def environment(private: Path, task: Mapping[str, Any]) -> dict[str, str]:
    """Return Ansible's environment: nothing of the caller's but PATH, and every choice is ours."""
    trust = "accept-new" if task["accept_new"] else "yes"
    ssh = (
        f"-F none -o UserKnownHostsFile={private}/known_hosts -o StrictHostKeyChecking={trust}"
        " -o IdentitiesOnly=yes -o IdentityAgent=none -o ForwardAgent=no -o ControlMaster=auto"
        " -o ControlPersist=60s -o ServerAliveInterval=10 -o ServerAliveCountMax=3"
    )
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": f"{private}/home",
        "TMPDIR": f"{private}/scratch",
        "ANSIBLE_HOME": f"{private}/home/.ansible",
        "ANSIBLE_LOCAL_TEMP": f"{private}/scratch",
        "ANSIBLE_CONFIG": f"{private}/ansible.cfg",
        "ANSIBLE_ROLES_PATH": f"{task['folder']}/roles",
        "ANSIBLE_INVENTORY_ENABLED": "yaml",  # JSON is YAML; no other plugin guesses at our file
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        "ANSIBLE_FORKS": str(task["forks"]),
        "ANSIBLE_TIMEOUT": str(task["connect_timeout_s"]),
        "ANSIBLE_SSH_ARGS": ssh,
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{private}/cp",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD": str(bool(task["accept_new"])),
        # Without it, paramiko_ssh asks a terminal that nobody reads; with it, it refuses.
        "ANSIBLE_USE_PERSISTENT_CONNECTIONS": str(not task["accept_new"]),
        "ANSIBLE_PARAMIKO_LOOK_FOR_KEYS": "False",
        "ANSIBLE_PARAMIKO_PTY": "False",
        "ANSIBLE_FORCE_HANDLERS": "True",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "False",
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_GATHERING": "explicit",
    }


def run(task: Mapping[str, Any], private: Path, wish: Wish) -> dict[str, Any]:
    """Run the play to its end, and return how it ended: status, error, path, line."""
    environ = prepare(private, task)
    os.environ.clear()
    os.environ.update(environ)
    import ansible_runner

    started = []

    def on_event(event: Mapping[str, Any]) -> bool:
        if event.get("event") == "playbook_on_play_start":
            started.append(True)
        if (read := read_event(event)) is not None:
            tell({"event": read.plain()})
        return False  # ansible-runner would write the event to disk otherwise

    done = ansible_runner.run(
        private_data_dir=str(private),
        project_dir=task["folder"],
        playbook=task["playbook"],
        inventory=str(private / "inventory" / "hosts.json"),
        # -v: why a task was skipped is in the printed line alone (see infra.events).
        cmdline="--check --diff -v" if task["check"] else "--diff",
        settings={"pexpect_timeout": 0.2, "suppress_ansible_output": True},
        quiet=True,
        event_handler=on_event,
        cancel_callback=wish.granted,
    )
    keep_host_keys(private / "home/.ssh/known_hosts", Path(task["known_hosts"]))
    if wish.reason:
        return {"status": wish.reason}
    if started:
        return {"status": "ran" if done.rc in (0, 2, 4) else "failed", "error": _said(done)}
    return {"status": "bad-playbook", **complaint(_output(done))}


def _output(done: Any) -> str:
    with suppress(Exception):  # ansible-runner raises its own kind when there is no output at all
        return str(done.stdout.read(200_000))
    return ""


def _said(done: Any) -> str:
    return "" if done.rc in (0, 2, 4) else complaint(_output(done))["error"]


def complaint(output: str) -> dict[str, Any]:
    """Return what Ansible complains of, from its output: the first error, and where it is."""
    error, origin = _ERROR.search(output), _ORIGIN.search(output)
    said = error["text"] if error else (output.strip().splitlines() or ["Ansible said nothing"])[0]
    where = {"path": origin["path"], "line": int(origin["line"])} if origin else {}
    return {"error": safe(said, 500), **where}


def keep_host_keys(seen: Path, known: Path) -> None:
    """Add the host keys that paramiko_ssh met for the first time; the lock is the one the monitor takes."""
    lock = os.open(known.with_name(known.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        old = known.read_text()
        lines = set(old.splitlines())
        new = [line for line in seen.read_text().splitlines() if line and line not in lines]
        if new:
            with known.open("a") as file:
                file.write(("" if old.endswith("\n") or not old else "\n") + "\n".join(new) + "\n")
    finally:
        os.close(lock)


def tell(message: Mapping[str, Any]) -> None:
    """Write one JSON line to whoever asked."""
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Read the task, run it, tell the end; leave no process and no file."""
    task = json.loads(sys.stdin.readline())
    wish = Wish(task["timeout_s"])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: wish.ask("cancelled"))
    threading.Thread(target=_watch, args=(wish,), daemon=True).start()
    end: dict[str, Any] = {"status": "failed", "error": "the job's process broke"}
    try:
        with private_directory(Path(task["fallback"])) as private:
            try:
                end = run(task, private, wish)
            finally:
                end_children()
    except Exception as error:  # noqa: BLE001  # the rim: the reason goes to whoever asked
        end = {"status": "failed", "error": safe(f"{type(error).__name__}: {error}", 500)}
    tell({"end": end})


def _watch(wish: Wish) -> None:
    """Ask for the end when the input ends: whoever asked has gone."""
    while sys.stdin.readline():
        pass
    wish.ask("cancelled")


if __name__ == "__main__":
    main()
