"""Runs PostgreSQL, Redis and other servers on 127.0.0.1 for a benchmark, in one directory, with drawn passwords.

They run as children of this process and are ended with it; the packages' own services are not touched.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Service:
    """A running server: its process, its port on 127.0.0.1 and its password."""

    pid: int
    port: int
    password: str


def cpu_s(pids: tuple[int, ...]) -> float:
    """Return the processor seconds that processes and their children have taken so far."""
    parents, spent = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        pid = int(stat.parent.name)
        parents[pid] = int(fields[1])
        spent[pid] = sum(map(int, fields[11:15]))  # utime, stime, and those of reaped children
    return sum(s for pid, s in spent.items() if _is_below(pid, pids, parents)) / _TICKS


def _is_below(pid: int, pids: tuple[int, ...], parents: Mapping[int, int]) -> bool:
    at = pid
    while at in parents:
        if at in pids:
            return True
        at = parents[at]
    return False


@contextmanager
def postgres(folder: Path, programs: Path, name: str) -> Iterator[Service]:
    """Run PostgreSQL with a user and database `name`; it refuses to be root's, and is the user postgres's then."""
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    where, password = folder / "postgres", secrets.token_hex(16)
    where.mkdir(mode=0o700)
    (where / "password").write_text(password)
    if os.geteuid() == 0:
        folder.chmod(0o711)
        for path in (where, where / "password"):
            shutil.chown(path, user)
    given = ("-U", name, "-A", "scram-sha-256", "--pwfile", str(where / "password"), "-E", "UTF8")
    subprocess.run(
        (programs / "initdb", "-D", where / "data", *given),
        check=True,
        user=user,
        capture_output=True,
        cwd=where,
    )
    port = free_port()
    # Nothing here is to survive a crash of the machine: as fast as it can be, to the peer's favour.
    settings = ("fsync=off", "shared_buffers=1GB", "max_wal_size=4GB", "listen_addresses=127.0.0.1")
    options = [
        part for s in (*settings, f"port={port}", f"unix_socket_directories={where}") for part in ("-c", s)
    ]
    with child((programs / "postgres", "-D", where / "data", *options), where, user=user) as pid:
        reachable(port)
        environment = {"PGPASSWORD": password, "PATH": os.environ["PATH"]}
        reach = ("-h", "127.0.0.1", "-p", str(port), "-U", name)
        until(
            lambda: (
                not subprocess.run(
                    (programs / "createdb", *reach, name), env=environment, capture_output=True
                ).returncode
            )
        )
        yield Service(pid, port, password)


@contextmanager
def redis(folder: Path, program: Path) -> Iterator[Service]:
    """Run Redis in memory only; its configuration, with the password, comes by a file that only we can read."""
    port, password = free_port(), secrets.token_hex(16)
    where = folder / "redis"
    where.mkdir(mode=0o700)
    lines = ("bind 127.0.0.1", f"port {port}", f"requirepass {password}", f"dir {where}", 'save ""')
    (where / "redis.conf").write_text("\n".join(lines) + "\n")
    with child((program, where / "redis.conf"), where) as pid:
        reachable(port)
        yield Service(pid, port, password)


@contextmanager
def child(
    command: Sequence[str | Path],
    where: Path,
    *,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run a program until the end of the block: SIGTERM, then SIGKILL for it and all its children."""
    with (where / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user,
            env=None if environment is None else dict(environment),
            cwd=where,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        # PostgreSQL calls SIGINT its fast shutdown; uWSGI and Redis end by it too.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def reachable(port: int) -> None:
    """Wait until something listens on a port; raises TimeoutError."""

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(answers)


def until(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait until something holds; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing within {seconds:.0f} s")
        time.sleep(0.1)
