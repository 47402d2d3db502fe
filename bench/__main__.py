"""Measures whole commands from outside: CPU and wall seconds of the finished child, as the kernel counts them.

Each command is run in turn with its peer (A B A B …), so that a busy machine weighs on both; medians are shown.
Everything answers on 127.0.0.0/8.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from demo.regency import Secrets
from demo.world import Ports, start
from inventory.database import initialise
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.sheets import Sheet
from inventory.store import open_engine
from siaga.settings import Settings

RUNS = 7
DEVICES = 2_000
SIAGA = (sys.executable, "-P", "-m", "cli")


@dataclass(frozen=True)
class Figure:
    """The medians of one command, in seconds."""

    what: str
    cpu_s: float
    wall_s: float


def measured(
    commands: Sequence[tuple[str, Sequence[str]]], environment: dict[str, str], runs: int
) -> list[Figure]:
    """Run the commands in turn, `runs` times after one warm-up, and return the medians."""
    times: dict[str, list[tuple[float, float]]] = {what: [] for what, _ in commands}
    for number in range(runs + 1):
        for what, command in commands:
            cpu_s, wall_s = _once(command, environment)
            if number:
                times[what].append((cpu_s, wall_s))
    return [
        Figure(what, statistics.median(c for c, _ in pairs), statistics.median(w for _, w in pairs))
        for what, pairs in times.items()
    ]


def _once(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall_s, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s


def filled(home: Path) -> float:
    """Make an inventory of DEVICES devices and return the seconds its import took."""
    settings = Settings(home=home)
    initialise(settings)
    rows = tuple(
        (
            i,
            (
                f"rtr-{i:05}",
                "router" if i % 3 else "switch",
                "Kantor",
                f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}",
            ),
        )
        for i in range(2, DEVICES + 2)
    )
    sheets = [
        Sheet("bench", "place", ("name", "kind"), ((2, ("Kantor", "site")),)),
        Sheet("bench", "device", ("name", "role", "place", "address"), rows),
    ]
    began = time.monotonic()
    load(open_engine(settings), sheets, Author("bench", datetime.now(UTC)))
    return time.monotonic() - began


def start_up(environment: dict[str, str]) -> list[Figure]:
    """`siaga --help` beside the bare interpreter and the interpreter with typer."""
    return measured(
        [
            ("python -c pass", [sys.executable, "-c", "pass"]),
            ("python -c 'import typer'", [sys.executable, "-c", "import typer"]),
            ("siaga --help", [*SIAGA, "--help"]),
        ],
        environment,
        RUNS,
    )


def listing(environment: dict[str, str]) -> list[Figure]:
    """`siaga device list` of DEVICES devices beside the import of its database library alone."""
    return measured(
        [
            ("python -c 'import sqlmodel'", [sys.executable, "-c", "import sqlmodel"]),
            (f"siaga device list ({DEVICES} devices)", [*SIAGA, "device", "list"]),
            (f"siaga device list -o json ({DEVICES})", [*SIAGA, "device", "list", "-o", "json"]),
            (
                "siaga device list role=switch name~^rtr-00",
                [*SIAGA, "device", "list", "role=switch", "name~^rtr-00"],
            ),
        ],
        environment,
        RUNS,
    )


def polling(folder: Path) -> list[Figure]:
    """Reading one 24-port switch, by siaga and by snmpbulkwalk processes (as LibreNMS reads), if installed."""
    keys = Secrets.drawn()
    with start(folder / "world", 3603, keys, datetime.now(UTC), Ports(0, 0)) as world:
        where = f"127.77.2.1:{world.ports.snmp}"
        environment = {**os.environ, "SIAGA_HOME": str(folder / "none"), "COMMUNITY": keys.community}
        commands: list[tuple[str, Sequence[str]]] = [
            ("siaga inspect (whole process)", [*SIAGA, "inspect", where, "--community-env", "COMMUNITY"])
        ]
        if shutil.which("snmpbulkwalk"):
            config = folder / "snmp.conf"
            config.write_text(f"defVersion 2c\ndefCommunity {keys.community}\n")
            environment["SNMPCONFPATH"] = str(folder)
            script = (
                f"for t in 1.3.6.1.2.1.1 1.3.6.1.2.1.2.2 1.3.6.1.2.1.31.1.1; do snmpbulkwalk {where} $t; done"
            )
            commands.append(("3 × snmpbulkwalk (system, ifTable, ifXTable)", ["sh", "-c", script]))
        return measured(commands, environment, RUNS)


def main() -> None:
    """Run everything and print it as a table, and as JSON with --json."""
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as name:
        folder = Path(name)
        import_s = filled(folder / "home")
        environment = {**os.environ, "SIAGA_HOME": str(folder / "home")}
        figures = [*start_up(environment), *listing(environment), *polling(folder)]
    if "--json" in sys.argv:
        print(json.dumps([vars(f) for f in figures], indent=2))
        return
    print(f"{'command':<48}{'CPU s':>8}{'wall s':>8}   (medians of {RUNS})")
    for figure in figures:
        print(f"{figure.what:<48}{figure.cpu_s:>8.3f}{figure.wall_s:>8.3f}")
    print(f"{f'import of {DEVICES} devices (in process)':<48}{'':>8}{import_s:>8.3f}")


main()
