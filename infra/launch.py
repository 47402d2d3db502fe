"""Runs a job in its own process and hands its events on; whatever happens here, that process ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from infra.events import TaskEvent
from infra.frontmatter import Playbook
from infra.hosts import Host, with_secrets
from infra.jobs import base_of, sweep
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


class Ansible:
    """Ansible in a process of its own, which carries out one run after the other on the same connections."""

    def __init__(self, play: Playbook, hosts: Sequence[Host], process: subprocess.Popen[str]) -> None:
        self._play, self._process = play, process
        self._names = {h.alias: h.name for h in hosts}
        self.cancelled = False

    def run(
        self,
        hosts: Sequence[Host],
        *,
        check: bool,
        on_event: Callable[[TaskEvent], None],
        playbook: str = "",
        ahead: Sequence[Host] = (),
    ) -> End:
        """Run the play (or another file of its folder) on some of the hosts.

        `on_event` is called for each task on each host as it happens. `ahead`: who comes next; their connections are
        opened meanwhile. Raises InvalidError (`bad-playbook`) if Ansible
        cannot read the play.
        """
        if self.cancelled:
            return End("cancelled")
        one = {
            "playbook": playbook or self._play.path.name,
            "check": check,
            "hosts": [h.alias for h in hosts],
            "ahead": [h.alias for h in ahead],
        }
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(one) + "\n")
            self._process.stdin.flush()
        return _end(self._play, _told(self._process, self._names, on_event))

    def cancel(self) -> None:
        """Ask the run to end, and carry out no other."""
        self.cancelled = True
        self._process.send_signal(signal.SIGTERM)


@contextmanager
def opened(play: Playbook, hosts: Sequence[Host], settings: Settings) -> Iterator[Ansible]:
    """Give Ansible for these hosts.

    Ctrl-C and SIGTERM end its run in order: Ansible is stopped, its processes and files are gone, then `run` returns
    with status `cancelled`.
    """
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
    ansible = Ansible(play, hosts, process)
    with _ended(process, settings.home), _signals(ansible):
        process.stdin.write(json.dumps(_task(play, hosts, settings)) + "\n")
        process.stdin.flush()
        yield ansible


def run_job(
    play: Playbook,
    hosts: Sequence[Host],
    *,
    check: bool,
    settings: Settings,
    on_event: Callable[[TaskEvent], None],
) -> End:
    """Run the play on the hosts, once; see `opened` and `Ansible.run`."""
    with opened(play, hosts, settings) as ansible:
        return ansible.run(hosts, check=check, on_event=on_event)


def _task(play: Playbook, hosts: Sequence[Host], settings: Settings) -> dict[str, Any]:
    settings.home.mkdir(parents=True, exist_ok=True)
    if settings.provision.fast and find_spec("ansible_mitogen") is None:
        raise InvalidError(
            "no-mitogen", "provision.fast needs the package mitogen: pip install 'siaga[fast]'."
        )
    return {
        "folder": str(play.folder),
        "inventory": with_secrets(hosts, {}),
        "keys": {h.alias: _key_text(h.key.get_secret_value()) for h in hosts if h.key is not None},
        "hidden": {h.alias: list(_hidden(h)) for h in hosts},
        "known_hosts": str(known_hosts(settings).absolute()),
        "accept_new": settings.ssh.accept_new_host_keys,
        "fast": settings.provision.fast,
        "forks": min(settings.provision.forks, max(len(hosts), 1)),
        "connect_timeout_s": max(1, round(settings.ssh.timeout_s)),
        "task_timeout_s": settings.provision.task_timeout_s,
        "timeout_s": settings.provision.timeout_s,
        "fallback": str(settings.home.absolute()),
    }


def _hidden(host: Host) -> Iterator[str]:
    """Yield what must not be in anything that Ansible says of this host: its secrets, and the lines of its key."""
    yield from (s.get_secret_value() for s in host.secrets.values())
    if host.key is not None:
        lines = host.key.get_secret_value().splitlines()
        yield from (line.strip() for line in lines if line.strip() and not line.startswith("-----"))


def _key_text(key: str) -> str:
    """Return the key with the last line end that OpenSSH demands, and without carriage returns."""
    return key.replace("\r\n", "\n").rstrip("\n") + "\n"


def _told(
    process: subprocess.Popen[str], names: Mapping[str, str], on_event: Callable[[TaskEvent], None]
) -> Mapping[str, Any] | None:
    """Hand the events of one run on, and return how it ended; None if its process broke."""
    assert process.stdout is not None
    for line in process.stdout:
        message = json.loads(line)
        if "end" in message:
            return dict(message["end"])
        alias = message["event"]["host"]
        on_event(TaskEvent(**{**message["event"], "host": names.get(alias, alias)}))
    return None


def _end(play: Playbook, end: Mapping[str, Any] | None) -> End:
    if end is None:
        return End("failed", "the process of the job was killed")
    if end["status"] == "bad-playbook":
        path, line = end.get("path", play.path), end.get("line")
        where = f"{Path(path).name}, line {line}" if line else Path(path).name
        if Path(path).is_relative_to(play.folder):
            where = where.replace(Path(path).name, str(Path(path).relative_to(play.folder)), 1)
        raise InvalidError("bad-playbook", f"{where}: {end['error'].rstrip('.')}.")
    return End(end["status"], end.get("error", ""))


@contextmanager
def _ended(process: subprocess.Popen[str], home: Path) -> Iterator[None]:
    """Wait for the job's process at the end; one that does not end in LAST_CALL_S is killed.

    What one that was killed could not remove is removed here.
    """
    try:
        yield
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        try:
            process.wait(LAST_CALL_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode < 0:
            sweep(base_of(home), 0, str(process.pid))


@contextmanager
def _signals(ansible: Ansible) -> Iterator[None]:
    """Hand Ctrl-C and SIGTERM on to the job while it runs, instead of dying of them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: ansible.cancel())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
