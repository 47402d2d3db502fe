"""Brings up a Nautobot of one's own for a benchmark: PostgreSQL, Redis and uWSGI, on 127.0.0.1, in one directory.

Everything is made anew with drawn passwords, runs as children of this process and is ended with it.
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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import measure

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Binaries:
    """Where the programs are: Nautobot's venv, PostgreSQL's bin directory, redis-server; and how many workers serve."""

    venv: Path
    postgres: Path
    redis: Path
    workers: int = 3


@dataclass(frozen=True)
class Nautobot:
    """A running one: its URL, the token that reads everything, its environment, and the ids of its processes."""

    url: str
    token: str
    environment: Mapping[str, str]
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """Return the processor seconds that its processes and their children have taken so far."""
        parents, spent = {}, {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            pid = int(stat.parent.name)
            parents[pid] = int(fields[1])
            spent[pid] = sum(map(int, fields[11:15]))  # utime, stime, and those of reaped children
        return sum(s for pid, s in spent.items() if self._is_ours(pid, parents)) / _TICKS

    def _is_ours(self, pid: int, parents: Mapping[int, int]) -> bool:
        at = pid
        while at in parents:
            if at in self.pids:
                return True
            at = parents[at]
        return False


@contextmanager
def running(folder: Path, binaries: Binaries, files: Path, interfaces: int) -> Iterator[tuple[Nautobot, str]]:
    """Bring Nautobot up in `folder`, load `files` into it, and yield it with what the loading told (JSON)."""
    with ExitStack() as stack:
        database = stack.enter_context(_postgres(folder, binaries.postgres))
        cache = stack.enter_context(_redis(folder, binaries.redis))
        environment = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")},
            **database.environment,
            **cache.environment,
            "NAUTOBOT_ROOT": str(folder / "root"),
            "NAUTOBOT_ALLOWED_HOSTS": "127.0.0.1",
            "NAUTOBOT_SECRET_KEY": secrets.token_hex(32),
            "NAUTOBOT_INSTALLATION_METRICS_ENABLED": "False",
            "BENCH_TOKEN": secrets.token_hex(20),
        }
        server = str(binaries.venv / "bin" / "nautobot-server")
        (folder / "root").mkdir()
        measure.child((server, "init", "--disable-installation-metrics"), environment)
        migrated = measure.child((server, "migrate"), environment)
        print(f"nautobot-server migrate: {migrated.wall_s:.0f} s.", flush=True)
        loader = (
            str(binaries.venv / "bin" / "python"),
            "-P",
            str(Path(__file__).with_name("nautobot_load.py")),
        )
        told = measure.child((*loader, str(files), str(interfaces)), environment, keep=True).output
        url, pid = stack.enter_context(_served(folder, server, environment, binaries.workers))
        pids = (database.pid, pid)
        yield Nautobot(url, environment["BENCH_TOKEN"], environment, pids), told.strip().splitlines()[-1]


@dataclass(frozen=True)
class _Service:
    pid: int
    environment: Mapping[str, str]


@contextmanager
def _postgres(folder: Path, programs: Path) -> Iterator[_Service]:
    """Run PostgreSQL; it refuses to be root's, and is the user postgres's then."""
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    where, password = folder / "postgres", secrets.token_hex(16)
    where.mkdir(mode=0o700)
    (where / "password").write_text(password)
    if os.geteuid() == 0:
        folder.chmod(0o711)
        for path in (where, where / "password"):
            shutil.chown(path, user)
    given = ("-U", "nautobot", "-A", "scram-sha-256", "--pwfile", str(where / "password"), "-E", "UTF8")
    subprocess.run(
        (programs / "initdb", "-D", where / "data", *given),
        check=True,
        user=user,
        capture_output=True,
        cwd=where,
    )
    port = _free_port()
    # Nothing here is to survive a crash of the machine: as fast as it can be, to Nautobot's favour.
    settings = ("fsync=off", "shared_buffers=1GB", "max_wal_size=4GB", "listen_addresses=127.0.0.1")
    options = [
        part for s in (*settings, f"port={port}", f"unix_socket_directories={where}") for part in ("-c", s)
    ]
    with _child((programs / "postgres", "-D", where / "data", *options), where, user=user) as pid:
        _reachable(port)
        environment = {"PGPASSWORD": password, "PATH": os.environ["PATH"]}
        reach = ("-h", "127.0.0.1", "-p", str(port), "-U", "nautobot")
        _until(
            lambda: (
                not subprocess.run(
                    (programs / "createdb", *reach, "nautobot"), env=environment, capture_output=True
                ).returncode
            )
        )
        yield _Service(
            pid,
            {
                "NAUTOBOT_DB_HOST": "127.0.0.1",
                "NAUTOBOT_DB_PORT": str(port),
                "NAUTOBOT_DB_USER": "nautobot",
                "NAUTOBOT_DB_NAME": "nautobot",
                "NAUTOBOT_DB_PASSWORD": password,
            },
        )


@contextmanager
def _redis(folder: Path, program: Path) -> Iterator[_Service]:
    """Run Redis in memory only; its configuration, with the password, comes by a file that only we can read."""
    port, password = _free_port(), secrets.token_hex(16)
    where = folder / "redis"
    where.mkdir(mode=0o700)
    lines = ("bind 127.0.0.1", f"port {port}", f"requirepass {password}", f"dir {where}", 'save ""')
    (where / "redis.conf").write_text("\n".join(lines) + "\n")
    with _child((program, where / "redis.conf"), where) as pid:
        _reachable(port)
        yield _Service(
            pid,
            {
                "NAUTOBOT_REDIS_HOST": "127.0.0.1",
                "NAUTOBOT_REDIS_PORT": str(port),
                "NAUTOBOT_REDIS_PASSWORD": password,
            },
        )


@contextmanager
def _served(
    folder: Path, server: str, environment: Mapping[str, str], workers: int
) -> Iterator[tuple[str, int]]:
    """Run Nautobot's own uWSGI, as its installation guide does, but for the length of an answer."""
    port = _free_port()
    settings = {
        "http": f"127.0.0.1:{port}",
        "http-timeout": 900,
        "processes": workers,
        "threads": 2,
        "master": "true",
        "die-on-term": "true",
        "buffer-size": 65535,
    }
    path = folder / "uwsgi.ini"
    path.write_text("[uwsgi]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items()))
    with _child((server, "start", "--ini", path), folder, environment=environment) as pid:
        _reachable(port)
        yield f"http://127.0.0.1:{port}", pid


@contextmanager
def _child(
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _reachable(port: int) -> None:
    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    _until(answers)


def _until(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait until something holds; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing within {seconds:.0f} s")
        time.sleep(0.1)
