"""The whole service over simulated devices: processor and memory that poll, rates, states and store cost together.

    python -m bench.service [--devices 1000] [--hurry 3] [--for 60] [--silent 5] [--loss 1]

The responder of bench/snmp answers for every device (28 interfaces each) on the other core. With --hurry the periods
are so many times shorter than the usual ones (reachability 30 s, counters 60 s, health 300 s, metadata 1 h), so a
short run is of what so many times more devices would cost. The first start, at which every device is read as a
whole, is told apart from a restart, which knows their interfaces: it comes when each device that answers was read once,
or after --patience seconds (`all_known` tells). ICMP to loopback costs little of what it costs in a network.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pydantic import SecretStr

from bench import services
from bench.snmp import processes, tools
from bench.snmp.poll import FIRST  # the responder draws by it who is silent
from inventory.credentials import store_secret
from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from siaga.secrets import open_vault
from siaga.settings import Settings

_TICK = os.sysconf("SC_CLK_TCK")


def record(home: Path, devices: int, port: int) -> None:
    """Make a home that knows so many devices."""
    settings = Settings(home=home)
    initialise(settings)
    engine = open_engine(settings)
    with session(engine) as opened:
        writer = Writer(opened, Author("bench", datetime.now(UTC)))
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        writer.flush()
        secret = SecretStr("public")
        store_secret(opened, open_vault(home), writer.ids("credential")["noc"], "community", secret)
        for n in range(devices):
            row = {"name": f"sw-{n}", "role": "switch", "address": str(FIRST + n), "snmp_port": port}
            writer.put("device", {**row, "transport": "snmp", "credential": "noc"})
        writer.finish()
    engine.dispose()


def settings_text(hurry: float) -> str:
    """Return settings whose periods are so many times shorter than the usual ones."""
    periods = {"reachability_s": 30, "counters_s": 60, "health_s": 300, "metadata_s": 3600}
    lines = [f"{name} = {value / hurry}" for name, value in periods.items()]
    return "\n".join(["[monitor]", *lines, "compact = false", ""])


def spent(pid: int) -> tuple[float, float]:
    """Return CPU seconds and resident MiB of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _over(pid: int, for_s: float) -> tuple[float, float]:
    """Return the share of a core that a process takes over some seconds, and its MiB at their end."""
    began_s, before = time.monotonic(), spent(pid)[0]
    time.sleep(for_s)
    after, rss = spent(pid)
    return (after - before) / (time.monotonic() - began_s), rss


def silent_of(program: Path, devices: int, silent: float) -> int:
    """Return how many of the devices never answer, as the responder itself draws them."""
    command = (program, "--silent", str(silent), "--count-silent", str(devices))
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def recorded(home: Path) -> int:
    """Return of how many devices the interfaces are recorded: who was read as a whole at least once."""
    with closing(sqlite3.connect(home / "siaga.db")) as opened:
        found: int = opened.execute("SELECT count(DISTINCT device_id) FROM interface").fetchone()[0]
    return found


def known(home: Path, answering: int, patience_s: float) -> bool:
    """Wait until every device that answers was read as a whole once; tell whether that came in time."""
    until_s = time.monotonic() + patience_s
    while time.monotonic() < until_s:
        if recorded(home) >= answering:
            return True
        time.sleep(1)
    return False


@contextmanager
def service(home: Path, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service until the end of the block."""
    environment = {**os.environ, "SIAGA_HOME": str(home), "SIAGA_CONFIG": str(file)}
    command = [sys.executable, "-P", "-m", "cli", "monitor", "run"]
    with (home / "said.txt").open("w") as said:
        process = subprocess.Popen(command, env=environment, stderr=said)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measured(
    devices: int, hurry: float, for_s: float, silent: float, loss: float, patience_s: float
) -> dict[str, Any]:
    """Run it and return what it cost: share of a core in the first round and after it."""
    base = Path(mkdtemp(prefix="siaga-bench-"))
    try:
        program = tools.build_agent(base)
        port = services.free_port()
        record(base / "home", devices, port)
        (base / "siaga.toml").write_text(settings_text(hurry))
        options = ["--silent", str(silent), "--loss", str(loss)]
        never = silent_of(program, devices, silent)
        with processes.responder(program, port, options):
            with service(base / "home", base / "siaga.toml") as own:
                first = _over(own.pid, 60 / hurry)
                all_known = known(base / "home", devices - never, patience_s)
            with service(base / "home", base / "siaga.toml") as own:
                time.sleep(5)
                core, rss = _over(own.pid, for_s)
                status = json.loads((base / "home" / "monitor.json").read_text())
        said = (base / "home" / "said.txt").read_text()
    finally:
        shutil.rmtree(base, ignore_errors=True)
    kept = (
        "late_s",
        "loop_lag_s",
        "commit_s",
        "judge_s",
        "samples_written",
        "samples_lost",
        "faults",
        "unpolled",
    )
    return {
        "devices": devices,
        "as_devices_a_minute": round(devices * hurry),
        "all_known": all_known,
        "first_round_core": round(first[0], 3),
        "core": round(core, 3),
        "cpu_ms_per_device_minute": round(core * 60_000 / (devices * hurry), 3),
        "rss_mib": round(rss),
        "tiers": status["tiers"],
        "said": said.splitlines()[-3:],
        **{k: status[k] for k in kept},
    }


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--hurry", type=float, default=3.0)
    parser.add_argument("--for", type=float, default=30.0, dest="for_s")
    parser.add_argument("--silent", type=float, default=0.0, help="per cent of the devices")
    parser.add_argument("--loss", type=float, default=0.0, help="per cent of the datagrams, each way")
    parser.add_argument("--patience", type=float, default=600.0)
    given = parser.parse_args()
    options = (given.devices, given.hurry, given.for_s, given.silent, given.loss, given.patience)
    print(json.dumps(measured(*options), indent=1))


if __name__ == "__main__":
    main()
