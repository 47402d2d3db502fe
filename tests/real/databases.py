"""VictoriaMetrics and Prometheus of Debian, started on loopback with folders of their own, and killed."""

import json
import os
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runner import until

PROMETHEUS = """\
global: {scrape_interval: 1s, scrape_timeout: 1s}
storage: {tsdb: {out_of_order_time_window: 7d}}
scrape_configs:
- job_name: siaga
  static_configs: [{targets: ["%s"]}]
"""


def tool(name: str) -> str:
    """Return where a program is, or skip; with SIAGA_REQUIRE_REAL its absence is a failure."""
    found = shutil.which(name)
    if found is None:
        missing = f"{name} is not installed (apt-get install prometheus victoria-metrics)"
        if os.environ.get("SIAGA_REQUIRE_REAL"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def free_port() -> int:
    """Return a TCP port of loopback that nobody uses now."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])


@dataclass
class Database:
    """One server: its command, its port, and the process while it runs."""

    command: list[str]
    port: int
    write_path: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def write_url(self) -> str:
        """Where remote write goes."""
        return f"http://127.0.0.1:{self.port}{self.write_path}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        until(self._answers, f"{self.command[0]} does not answer: see {self.log}", 60)

    def kill(self) -> None:
        """Kill it as a power cut does."""
        if self.process:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def stop(self) -> None:
        """End it as its service manager does."""
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Return the result of an instant query."""
        found: list[dict[str, Any]] = self._json("/api/v1/query", query=promql)["data"]["result"]
        return found

    def get(self, path: str, **parameters: str) -> str:
        """Return what it answers."""
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return str(answer.read().decode())

    def _json(self, path: str, **parameters: str) -> Any:
        return json.loads(self.get(path, **parameters))

    def _answers(self) -> bool:
        try:
            self.query("vector(1)")
        except OSError:
            return False
        return True


@contextmanager
def victoria(folder: Path) -> Iterator[Database]:
    """Run VictoriaMetrics, which leaves out what it gets twice."""
    port = free_port()
    command = [
        tool("victoria-metrics"), f"-storageDataPath={folder / 'vm'}", f"-httpListenAddr=127.0.0.1:{port}",
        "-dedup.minScrapeInterval=1ms", "-retentionPeriod=1y", "-search.latencyOffset=0s",
        "-memory.allowedBytes=256MB", "-search.disableCache", "-loggerLevel=WARN",
    ]  # fmt: skip
    yield from _running(Database(command, port, "/api/v1/write", folder / "vm.log"))


@contextmanager
def prometheus(folder: Path, scraped: str) -> Iterator[Database]:
    """Run Prometheus as a receiver of remote write, which scrapes one target too."""
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(PROMETHEUS % scraped)
    command = [
        tool("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--log.level=warn",
    ]  # fmt: skip
    yield from _running(Database(command, port, "/api/v1/write", folder / "prometheus.log"))


def _running(database: Database) -> Iterator[Database]:
    try:
        database.start()
        yield database
    finally:
        database.kill()
