"""`siaga backup run` beside the same fetch by bare netmiko in threads: wall and processor seconds, by turns.

    python -m bench.backup [--devices 500] [--lines 1500] [--threads 50] [--runs 3]

The devices are simulated Cisco switches (tests/simulators/cli) behind real SSH on the loopback, served by this process;
both clients are processes of their own. The peer logs in, turns the pager off, becomes privileged, says `show
running-config` and writes what came into a file: no host key is checked, nothing is judged, cleaned, masked, sealed or
kept in Git. siaga's first round (everything is new) stands apart from the later ones (nothing has changed), after which
the commits are counted and what the home has grown by.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from bench.measure import Spent, child, load, machine, table
from inventory.credentials import store_secret
from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.configs.repo import Repository
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Settings
from tests.simulators.cli.device import Device
from tests.simulators.cli.server import running

USER, PASSWORD, ENABLE = "noc", "rahasia-noc", "rahasia-enable"
SIAGA = (sys.executable, "-P", "-m", "cli")


def text_of(number: int, lines: int) -> str:
    """Return a running configuration of about so many lines, of which each device has its own."""
    ports = "".join(
        f"interface GigabitEthernet{1 + n // 48}/0/{1 + n % 48}\n description Ruang {number}-{n}\n"
        f" switchport access vlan {20 + n % 40}\n switchport mode access\n!\n"
        for n in range((lines - 100) // 5)
    )
    snmp = "".join(f"snmp-server host 10.20.{n}.10 version 2c Rahasia{n}\n" for n in range(20))
    vlans = "".join(f"vlan {20 + n}\n name V{20 + n}\n!\n" for n in range(25))
    return (
        f"version 15.2\nhostname SW-{number}\nenable secret 5 $1$abcd$0123456789\n{vlans}{ports}{snmp}end\n"
    )


def record(home: Path, ports: Sequence[int]) -> None:
    """Make a home that knows the devices."""
    settings = Settings(home=home)
    initialise(settings)
    engine = open_engine(settings)
    with session(engine) as opened:
        writer = Writer(opened, Author("bench", utc_now()))
        writer.put("credential", {"name": "noc", "kind": "ssh-password", "username": USER})
        writer.flush()
        for part, secret in (("password", PASSWORD), ("enable", ENABLE)):
            number = writer.ids("credential")["noc"]
            store_secret(opened, open_vault(home), number, part, SecretStr(secret))
        for n, port in enumerate(ports):
            place = {"address": "127.0.0.1", "ssh_port": port, "transport": "none", "ssh_credential": "noc"}
            writer.put("device", {"name": f"sw-{n}", "role": "switch", "platform": "ios", **place})
        writer.finish()
    engine.dispose()


def size_of(folder: Path) -> int:
    """Return the octets of all files below a folder."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def main() -> None:
    """Measure and print."""
    # A switch whose caller hung up says so by each packet.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    options = argparse.ArgumentParser()
    for name, default in (("devices", 500), ("lines", 1500), ("threads", 50), ("runs", 3)):
        options.add_argument(f"--{name}", type=int, default=default)
    given = options.parse_args()
    devices = [
        Device("ios", text_of(n, given.lines), user=USER, password=PASSWORD, enable_secret=ENABLE)
        for n in range(given.devices)
    ]
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as name, running(devices) as ports:
        told(given, *measured(Path(name), given, ports))


def measured(
    folder: Path, given: argparse.Namespace, ports: Sequence[int]
) -> tuple[Spent, list[Spent], list[Spent], int, int]:
    """Return what the first round cost, the later ones, the peer's; commits added, and growth in octets."""
    home = folder / "home"
    record(home, ports)
    (folder / "peer").mkdir()
    wanted = folder / "peer" / "wanted.json"
    login = {"username": USER, "password": PASSWORD, "secret": ENABLE}
    wanted.write_text(json.dumps({"ports": list(ports), "threads": given.threads, "login": login}))
    environment = {
        **os.environ,
        "SIAGA_HOME": str(home),
        "SIAGA_BACKUP__CONCURRENCY": str(given.threads),
        "SIAGA_SSH__TIMEOUT_S": "60",
    }
    run = (*SIAGA, "backup", "run", "--quiet")
    bare = (sys.executable, "-m", "bench.backup_peer", str(wanted))
    first = child(run, environment)
    repository = Repository(home)
    before, size = repository.head(), size_of(home)
    later, theirs = [], []
    for _ in range(given.runs):
        theirs.append(child(bare, environment))
        later.append(child(run, environment))
    return first, later, theirs, int(repository.head() != before), size_of(home) - size


def told(
    given: argparse.Namespace,
    first: Spent,
    later: Sequence[Spent],
    theirs: Sequence[Spent],
    commits: int,
    grown: int,
) -> None:
    """Print the figures and the ratio."""
    print(
        f"{machine()}; load {load()}; {given.devices} devices of {given.lines} lines, {given.threads} at a time\n"
    )
    rows = [
        ("bare netmiko in threads", theirs),
        ("siaga backup run, nothing changed", later),
        ("siaga backup run, all new", [first]),
    ]
    cells = [
        (
            what,
            f"{statistics.median(s.wall_s for s in spent):.1f}",
            f"{statistics.median(s.cpu_s for s in spent):.1f}",
            f"{max(s.peak_mb for s in spent):.0f}",
        )
        for what, spent in rows
    ]
    print(table(("", "wall s", "CPU s", "peak MB"), cells))
    ratio = [
        statistics.median(getattr(s, k) for s in later) / statistics.median(getattr(s, k) for s in theirs)
        for k in ("wall_s", "cpu_s")
    ]
    print(f"\nAn unchanged round: {ratio[0]:.2f} times the wall time, {ratio[1]:.2f} times the processor's.")
    print(
        f"{given.runs} unchanged rounds added {commits} commits and {grown / given.runs / 1e6:.3f} MB each."
    )


if __name__ == "__main__":
    main()
