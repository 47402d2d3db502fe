"""Runs a job in its own process and hands its events on; whatever happens here, that process ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.events import TaskEvent
from infra.frontmatter import Playbook
from infra.hosts import Host, with_secrets
from siaga.errors import InvalidError
from siaga.settings import Settings

# How long the job may take to clean up after it was asked to end, before it is killed.
LAST_CALL_S = 20.0


@dataclass(frozen=True)
class End:
    """How a job ended. `status`: ran, cancelled, timeout, failed (the job itself, not its hosts)."""

    status: str
    error: str = ""


def connection() -> str:
    """Return how hosts are reached: OpenSSH if it is installed, else paramiko, which comes with siaga."""
    return "ssh" if shutil.which("ssh") else "ansible.builtin.paramiko_ssh"


def known_hosts(settings: Settings) -> Path:
    """Return the file of host keys, shared with the monitor; in OpenSSH's format."""
    return settings.home / "known_hosts"


def run_job(
    play: Playbook,
    hosts: Sequence[Host],
    *,
    check: bool,
    settings: Settings,
    on_event: Callable[[TaskEvent], None],
) -> End:
    """Run the play on the hosts; `on_event` is called for each task on each host as it happens.

    Ctrl-C and SIGTERM end it in order: Ansible is stopped, its processes and files are gone, then it returns
    with status `cancelled`. Raises InvalidError (`bad-playbook`) if Ansible cannot read the play.
    """
    task = _task(play, hosts, check, settings)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "infra.jobs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
        start_new_session=True,  # Ctrl-C reaches us, not the job: we end it in order
    )
    assert process.stdin is not None
    with _ended(process), _signals(process):
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        return _end(play, list(_messages(process, {h.alias: h.name for h in hosts}, on_event)))


def _task(play: Playbook, hosts: Sequence[Host], check: bool, settings: Settings) -> dict[str, Any]:
    settings.home.mkdir(parents=True, exist_ok=True)
    return {
        "folder": str(play.folder),
        "playbook": play.path.name,
        "inventory": with_secrets(hosts, {}),
        "keys": {h.alias: _key_text(h.key.get_secret_value()) for h in hosts if h.key is not None},
        "check": check,
        "known_hosts": str(known_hosts(settings).absolute()),
        "accept_new": settings.ssh.accept_new_host_keys,
        "forks": min(settings.provision.forks, max(len(hosts), 1)),
        "connect_timeout_s": max(1, round(settings.ssh.timeout_s)),
        "timeout_s": settings.provision.timeout_s,
        "fallback": str(settings.home.absolute()),
    }


def _key_text(key: str) -> str:
    """Return the key with the last line end that OpenSSH demands, and without carriage returns."""
    return key.replace("\r\n", "\n").rstrip("\n") + "\n"


def _messages(
    process: subprocess.Popen[str], names: Mapping[str, str], on_event: Callable[[TaskEvent], None]
) -> Iterator[Mapping[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        message = json.loads(line)
        if "event" in message:
            alias = message["event"]["host"]
            on_event(TaskEvent(**{**message["event"], "host": names.get(alias, alias)}))
        else:
            yield message["end"]


def _end(play: Playbook, ends: Sequence[Mapping[str, Any]]) -> End:
    if not ends:
        return End("failed", "the process of the job was killed")
    end = ends[-1]
    if end["status"] == "bad-playbook":
        path, line = end.get("path", play.path), end.get("line")
        where = f"{Path(path).name}, line {line}" if line else Path(path).name
        if Path(path).is_relative_to(play.folder):
            where = where.replace(Path(path).name, str(Path(path).relative_to(play.folder)), 1)
        raise InvalidError("bad-playbook", f"{where}: {end['error'].rstrip('.')}.")
    return End(end["status"], end.get("error", ""))


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Wait for the job's process at the end; one that does not end in LAST_CALL_S is killed."""
    try:
        yield
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(LAST_CALL_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _signals(process: subprocess.Popen[str]) -> Iterator[None]:
    """Hand Ctrl-C and SIGTERM on to the job while it runs, instead of dying of them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: process.send_signal(signal.SIGTERM))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
