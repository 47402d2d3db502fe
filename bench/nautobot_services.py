"""Brings up a Nautobot of one's own for a benchmark: PostgreSQL, Redis and uWSGI, on 127.0.0.1, in one directory.

Everything is made anew with drawn passwords, runs as children of this process and is ended with it.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import measure, services


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
        return services.cpu_s(self.pids)


@contextmanager
def running(folder: Path, binaries: Binaries, files: Path, interfaces: int) -> Iterator[tuple[Nautobot, str]]:
    """Bring Nautobot up in `folder`, load `files` into it, and yield it with what the loading told (JSON)."""
    with ExitStack() as stack:
        database = stack.enter_context(services.postgres(folder, binaries.postgres, "nautobot"))
        cache = stack.enter_context(services.redis(folder, binaries.redis))
        environment = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")},
            "NAUTOBOT_DB_HOST": "127.0.0.1",
            "NAUTOBOT_DB_PORT": str(database.port),
            "NAUTOBOT_DB_USER": "nautobot",
            "NAUTOBOT_DB_NAME": "nautobot",
            "NAUTOBOT_DB_PASSWORD": database.password,
            "NAUTOBOT_REDIS_HOST": "127.0.0.1",
            "NAUTOBOT_REDIS_PORT": str(cache.port),
            "NAUTOBOT_REDIS_PASSWORD": cache.password,
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


@contextmanager
def _served(
    folder: Path, server: str, environment: Mapping[str, str], workers: int
) -> Iterator[tuple[str, int]]:
    """Run Nautobot's own uWSGI, as its installation guide does, but for the length of an answer."""
    port = services.free_port()
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
    with services.child((server, "start", "--ini", path), folder, environment=environment) as pid:
        services.reachable(port)
        yield f"http://127.0.0.1:{port}", pid
