"""The process that runs Ansible, and the only module that imports ansible_runner.

`python -m infra.jobs` reads JSON lines: first what holds for the whole job (hosts, logins, limits), then one line
for each run, which it answers with events and at last {"end": …}. The runs of one job share the directory, the
connections and the time limit. It is a process of its own for three reasons (measured in the lab):

- ansible-core's workers call setsid(), so killing a process group leaves them behind. This process is the
  subreaper (prctl(2)) of all of them: who loses his parent becomes its child, and it ends its children.
- ansible-runner and Ansible leave secrets in files. They get one private directory on tmpfs, which this
  process removes whatever happens; a directory whose maker was killed is removed by the next job.
- When its input ends during a run, whoever asked is gone: it cancels it. So `kill -9` of the command stops Ansible.

Should this process itself be killed, Ansible ends by the callback siaga.siaga.bound, and whoever asked removes what
is left.
"""

import ctypes
import fcntl
import importlib.util
import json
import os
import queue
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from infra import built_modules
from infra.ahead import Ahead, logins
from infra.events import read_event
from infra.scrub import MASK
from siaga.text import safe

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# Ansible forwards SIGTERM to its workers, but needs a moment before the hard kill.
GRACE_S = 3.0
PREFIX = "siaga-job-"
CALLBACKS = "siaga.siaga.bound,siaga.siaga.built_modules,siaga.siaga.frozen"  # in ansible_collections/
STRATEGY = "siaga.siaga.patient"  # mitogen brings its own
SHORTEST_SECRET = 4
_ORIGIN = re.compile(r"Origin: (?P<path>\S+?):(?P<line>\d+)(?::\d+)?\s*$", re.MULTILINE)
_ERROR = re.compile(r"(?:\[ERROR\]|ERROR!|\[FATAL\]):?\s*(?P<text>.+)")


class Wish:
    """Whether the job is to be ended before its time, and why: asked by a signal, lost input or the clock."""

    def __init__(self, timeout_s: float) -> None:
        self.reason = ""
        self.asked = 0  # runs, counted by who reads the input
        self.done = 0  # runs, counted by who carries them out
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
    base = base_of(fallback)
    sweep(base)
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base))
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def base_of(fallback: Path) -> Path:
    """Return where private directories are: on tmpfs if there is one."""
    return next(p for p in (Path("/dev/shm"), fallback) if os.access(p, os.W_OK | os.X_OK))  # noqa: S108


def sweep(base: Path, min_age_s: float = 10.0, of: str = "") -> None:
    """Remove what killed jobs of this user left behind, directories and processes; `of`: of this process alone."""
    for path in base.glob(f"{PREFIX}{of}-*" if of else f"{PREFIX}*"):
        with suppress(OSError):
            status = path.lstat()
            if status.st_uid != os.getuid() or path.is_symlink() or time.time() - status.st_mtime < min_age_s:
                continue
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                end_users(path)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


def end_users(directory: Path) -> None:
    """End the processes that were started with a job's directory in their arguments: Ansible's, and connections."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if f"{directory}/".encode() in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGTERM)


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
    if task["fast"]:
        trust = "accept-new" if task["accept_new"] else "yes"
        write_private(private / "ssh", f'#!/bin/sh\nexec ssh -o StrictHostKeyChecking={trust} "$@"\n').chmod(
            0o700
        )
    (private / "known_hosts").symlink_to(known)
    shutil.copyfile(known, private / "home/.ssh/known_hosts")
    own = {"ANSIBLE_CALLBACKS_ENABLED": CALLBACKS} | ({} if task["fast"] else {"ANSIBLE_STRATEGY": STRATEGY})
    return {**environment(private, task), **_built(private, task), **own}


def environment(private: Path, task: Mapping[str, Any]) -> dict[str, str]:
    """Return Ansible's environment: nothing of the caller's but PATH, and every choice is ours."""
    trust = "accept-new" if task["accept_new"] else "yes"
    ssh = (
        f"-F none -o UserKnownHostsFile={private}/known_hosts -o StrictHostKeyChecking={trust}"
        " -o IdentitiesOnly=yes -o IdentityAgent=none -o ForwardAgent=no -o ControlMaster=auto"
        f" -o ControlPersist=60s -o ServerAliveInterval={task['connect_timeout_s']} -o ServerAliveCountMax=2"
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
        # A device whose prompt never comes ends with this task, and holds up no other host for ever.
        "ANSIBLE_TASK_TIMEOUT": str(task["task_timeout_s"]),
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
        "SIAGA_JOB_PID": str(os.getpid()),
        **(_fast(private) if task["fast"] else {}),
    }


def _built(private: Path, task: Mapping[str, Any]) -> dict[str, str]:
    """Return what lets Ansible keep built modules: in the home, or for this job where that cannot be written."""
    try:
        kept = built_modules.folder(Path(task["fallback"]) / "built-modules", Path(task["folder"]))
    except OSError:
        kept = private / "built-modules"
        kept.mkdir(mode=0o700)
    return {built_modules.VARIABLE: str(kept)}


def _fast(private: Path) -> dict[str, str]:
    """Return what makes Ansible run by mitogen: one Python process stays on each host.

    It knows host keys only as known or as not looked at, so our ssh says first how new ones are taken: of an option
    that is given twice, OpenSSH heeds the first.
    """
    found = importlib.util.find_spec("ansible_mitogen")
    assert found is not None
    assert found.origin is not None
    return {
        "ANSIBLE_STRATEGY": "mitogen_linear",
        "ANSIBLE_STRATEGY_PLUGINS": str(Path(found.origin).parent / "plugins" / "strategy"),
        "ANSIBLE_SSH_EXECUTABLE": f"{private}/ssh",
        "MITOGEN_CPU_COUNT": str(os.cpu_count() or 1),
    }


def run(task: Mapping[str, Any], one: Mapping[str, Any], private: Path, wish: Wish) -> dict[str, Any]:
    """Carry out one run to its end, and return how it ended: status, error, path, line."""
    import ansible_runner

    if wish.reason:
        return {"status": wish.reason}
    started = []
    hide = Hidden(task["hidden"])

    def on_event(event: Mapping[str, Any]) -> bool:
        if event.get("event") == "playbook_on_play_start":
            started.append(True)
        if (read := read_event(event)) is not None:
            tell({"event": hide(read.plain())})
        return False  # ansible-runner would write the event to disk otherwise

    limit = private / "limit"
    limit.unlink(missing_ok=True)
    write_private(limit, "".join(f"{name}\n" for name in one["hosts"]))
    done = ansible_runner.run(
        private_data_dir=str(private),
        project_dir=task["folder"],
        playbook=one["playbook"],
        inventory=str(private / "inventory" / "hosts.json"),
        # -v: why a task was skipped is in the printed line alone (see infra.events).
        cmdline=("--check --diff -v" if one["check"] else "--diff") + f" --limit @{limit}",
        settings={"pexpect_timeout": 0.2, "suppress_ansible_output": True},
        quiet=True,
        event_handler=on_event,
        cancel_callback=wish.granted,
    )
    keep_host_keys(private / "home/.ssh/known_hosts", Path(task["known_hosts"]))
    end = _judged(done, wish, started=bool(started))
    shutil.rmtree(private / "artifacts", ignore_errors=True)  # what it printed would fill the memory
    return end


def _judged(done: Any, wish: Wish, *, started: bool) -> dict[str, Any]:
    if wish.reason:
        return {"status": wish.reason}
    if started:
        return {"status": "ran" if done.rc in (0, 2, 4) else "failed", "error": _said(done)}
    return {"status": "bad-playbook", **complaint(_output(done))}


class Hidden:
    """Takes the secrets of the hosts out of what Ansible said, should a play without `no_log` have printed one."""

    def __init__(self, secrets: Mapping[str, Iterable[str]]) -> None:
        kept = {name: {v for v in values if len(v) >= SHORTEST_SECRET} for name, values in secrets.items()}
        self._of = {name: sorted(values, key=len, reverse=True) for name, values in kept.items()}

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the event with `MASK` in the place of every secret of its host."""
        secrets = self._of.get(event["host"], ())
        return {k: _masked(v, secrets) if isinstance(v, str) else v for k, v in event.items()}


def _masked(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


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
    """Read the task and its runs, carry them out, tell how each ended; leave no process and no file."""
    task = json.loads(sys.stdin.readline())
    wish = Wish(task["timeout_s"])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: wish.ask("cancelled"))
    runs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_watch, args=(wish, runs), daemon=True).start()
    try:
        with private_directory(Path(task["fallback"])) as private:
            _all(task, private, wish, runs)
    except Exception as error:  # noqa: BLE001  # the rim: the reason goes to whoever asked
        tell({"end": {"status": "failed", "error": safe(f"{type(error).__name__}: {error}", 500)}})


def _all(task: Mapping[str, Any], private: Path, wish: Wish, runs: "queue.SimpleQueue[Any]") -> None:
    """Carry out run after run until the input ends; between them no process of ours is left but connections."""
    environ = prepare(private, task)
    os.environ.clear()
    os.environ.update(environ)
    keys = {} if task["fast"] else {a: str(private / "keys" / a) for a in task["keys"]}
    ahead = Ahead(environ, logins(task["inventory"]["all"]["hosts"], keys))
    try:
        while (one := runs.get()) is not None:
            end: dict[str, Any] = {"status": "failed", "error": "the job's process broke"}
            try:
                ahead.open(one["ahead"])
                end = run(task, one, private, wish)
            except Exception as error:  # noqa: BLE001  # the rim of the loop: told, and the next run may come
                end = {"status": "failed", "error": safe(f"{type(error).__name__}: {error}", 500)}
            finally:
                ahead.stop()
                wish.done += 1
                if wish.reason or end["status"] != "ran":
                    end_children()
                tell({"end": end})
    finally:
        end_children()


def _watch(wish: Wish, runs: "queue.SimpleQueue[Any]") -> None:
    """Hand on the runs; ask for the end when the input ends during one: whoever asked has gone."""
    while line := sys.stdin.readline():
        wish.asked += 1
        runs.put(json.loads(line))
    if wish.asked > wish.done:
        wish.ask("cancelled")
    runs.put(None)


if __name__ == "__main__":
    main()
