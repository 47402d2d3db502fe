"""A small network of living agents, a home that knows them, and the service over it in a process of its own."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import cli
from inventory.credentials import store_secret
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.samples import open_samples
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Settings
from tests.cli_runner import until
from tests.homes import prepare
from tests.monitor.agent import COUNTER64, TICKS, Oid, Script, switch
from tests.monitor.fleet import Fleet, fleet

UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
IN_64: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
BPS = 8000  # what flows into every port: a thousand octets a second

# Short periods, and a patience to match: a device is down after three silences, without seconds of grace.
QUICK = """
[poll]
timeout_s = 0.25
retries = 1
[monitor]
reachability_s = 0.5
counters_s = 0.5
health_s = 2
metadata_s = 5
services_s = 1
batch_s = 0.05
scene_s = 0.5
ping = {ping}
compact = false
"""


class Living(Script):
    """A switch whose uptime and counters go on, by `slow_s` more with each question; `dead` makes it silent."""

    def __init__(self, name: str) -> None:
        rows = dict(switch())
        rows[(1, 3, 6, 1, 2, 1, 1, 5, 0)] = (4, name.encode())
        super().__init__(rows)
        self.began_s = time.monotonic()
        self.dead = False
        self.slow_s = 0.0

    def answer(self, data: bytes) -> bytes | None:
        if self.dead:
            return None
        self.began_s -= self.slow_s
        passed_s = time.monotonic() - self.began_s
        rows: dict[Oid, Any] = self.rows  # type: ignore[assignment]
        rows[UPTIME] = (TICKS, 123_456 + round(passed_s * 100))
        for port in (1, 2, 3):
            if (*IN_64, port) in rows:
                rows[(*IN_64, port)] = (COUNTER64, 2**40 + round(passed_s * BPS / 8))
        return super().answer(data)


@dataclass
class Watching:
    """The home, the agents by the names of their devices, and the devices' ids."""

    home: Path
    agents: dict[str, Living]
    ids: dict[str, int]
    net: Fleet
    settings_file: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def settle(self, text: str) -> None:
        """Write other settings."""
        self.settings_file.write_text(text)

    def start(self, *words: str, log: Path | None = None) -> subprocess.Popen[str]:
        """Start the service, or another command, in a process of its own; `log` is where its standard error goes."""
        environment = {
            **os.environ,
            "SIAGA_HOME": str(self.home),
            "SIAGA_CONFIG": str(self.settings_file),
        }
        with (log or self.home / "said.txt").open("a") as said:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli", *(words or ("monitor", "run"))],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self.processes.append(process)
        return process

    def said(self) -> str:
        """Return what the service said on standard error."""
        path = self.home / "said.txt"
        return path.read_text() if path.exists() else ""

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in this process: a new one would cost a second for its imports alone."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as own, redirect_stdout(out), redirect_stderr(err):
            own.setenv("SIAGA_HOME", str(self.home))
            own.setenv("SIAGA_CONFIG", str(self.settings_file))
            code = cli.run(list(words))
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return rows of the database."""
        with closing(sqlite3.connect(f"file:{self.home / 'siaga.db'}?mode=ro", uri=True)) as plain:
            return plain.execute(query).fetchall()

    def states(self) -> dict[str, str]:
        """Return device → state."""
        names = {i: n for n, i in self.ids.items()}
        rows = self.rows("SELECT device_id, state FROM device_state")
        return {names[d]: s for d, s in rows if d in names}

    def until_state(self, name: str, state: str, timeout_s: float = 60.0) -> None:
        """Wait until a device is in a state."""
        until(
            lambda: self.states().get(name) == state, f"{name} is {self.states()}; {self.said()}", timeout_s
        )

    def samples(
        self, name: str, metric: str = "in_octets_64", instance: str = "ether1"
    ) -> list[tuple[datetime, int]]:
        """Return what is stored of one series."""
        key = (self.ids[name], metric, instance)
        now = datetime.now(UTC)
        with open_samples(self.home) as store:
            found = store.read([key], now - timedelta(hours=2), now + timedelta(hours=2))
        return found[key].points() if key in found else []

    def status(self) -> dict[str, Any]:
        """Return what the service says of itself."""
        path = self.home / "monitor.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def stop(self, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
        """End a process and return its exit code."""
        process.send_signal(number)
        return process.wait(30)


@contextmanager
def watching(
    base: Path,
    number: int = 3,
    *,
    first: int = 1,
    ping: bool = False,
    more: str = "",
    fields: Mapping[str, Any] | None = None,
) -> Iterator[Watching]:
    """Give a network of so many switches at 127.87.FIRST.1 and on; whatever was started is gone at the end."""
    names = {f"sw-{n}": f"127.87.{first}.{n}" for n in range(1, number + 1)}
    agents = {name: Living(name) for name in names}
    settings = Settings(home=base / "home")
    prepare(settings)
    file = base / "siaga.toml"
    file.write_text(QUICK.format(ping=str(ping).lower()) + more)
    with fleet({address: agents[name].answer for name, address in names.items()}) as net:
        ids = _recorded(settings, names, net.port, dict(fields or {}))
        own = Watching(settings.home, agents, ids, net, file)
        try:
            yield own
        finally:
            for process in own.processes:
                process.kill()
                process.communicate()


def _recorded(
    settings: Settings, names: Mapping[str, str], port: int, fields: dict[str, Any]
) -> dict[str, int]:
    engine = open_engine(settings)
    with session(engine) as opened:
        writer = Writer(opened, Author("test", utc_now()))
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        writer.flush()
        number = writer.ids("credential")["noc"]
        store_secret(opened, open_vault(settings.home), number, "community", SecretStr("public"))
        state = {"state": {"failures": 3, "grace_s": 0, "recheck_s": 0.1}}
        writer.put("layer", {"name": "00-quick", "vars": {"alerts": state}})
        for name, address in names.items():
            row = {"name": name, "role": "switch", "address": address, "snmp_port": port}
            writer.put("device", {**row, "transport": "snmp", "credential": "noc", **fields})
        writer.finish()
        ids = dict(writer.ids("device"))
    engine.dispose()
    return ids
