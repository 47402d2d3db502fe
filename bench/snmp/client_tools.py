"""The poll of the benchmark by net-snmp's commands, a process for each column, as LibreNMS reads by default.

python -m bench.snmp.client_tools --port P --version 2c --devices N
"""

import argparse
import json
import resource
import subprocess
import time
from collections.abc import Sequence

from bench.snmp import poll


def commands(where: str, port: int, version: str) -> list[list[str]]:
    """Return the commands that poll one device."""
    if version == "2c":
        auth = ["-v2c", "-c", poll.COMMUNITY]
    else:
        auth = ["-v3", "-l", "authPriv", "-u", poll.USER, "-a", "SHA-256", "-A", poll.AUTH_PASSWORD]
        auth += ["-x", "AES", "-X", poll.PRIV_PASSWORD]
    common = [*auth, "-m", "", "-OnQUte", f"{where}:{port}"]
    walks = [["snmpbulkwalk", f"-Cr{poll.INTERFACES + 1}", *common, oid] for oid in poll.COLUMNS.values()]
    return [["snmpget", *common, poll.SYS_UP_TIME], *walks]


def varbinds(asked: Sequence[Sequence[str]]) -> int:
    """Run the commands and return how many values they printed."""
    done = [subprocess.run(c, capture_output=True, text=True, check=False) for c in asked]
    return sum(len(d.stdout.splitlines()) for d in done if not d.returncode)


def spent_s() -> float:
    """Return the processor seconds of all children that have ended, and our own."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(r.ru_utime + r.ru_stime for r in both)


def main() -> None:
    """Poll every device once and print the line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", choices=("2c", "3"), default="2c")
    for name, default in (("--devices", 8), ("--first", 0), ("--rounds", 1)):
        parser.add_argument(name, type=int, default=default)
    given = parser.parse_args()
    devices = [poll.address(given.first + i) for i in range(given.devices)] * given.rounds
    wall, cpu = time.monotonic(), spent_s()
    counts = [varbinds(commands(where, given.port, given.version)) for where in devices]
    wall, cpu = time.monotonic() - wall, spent_s() - cpu
    good = counts.count(poll.VARBINDS)
    told = {
        "client": "snmpbulkwalk",
        "version": given.version,
        "parser": "c",
        "ok": good,
        "failed": len(counts) - good,
        "varbinds": sum(counts),
        "wall_s": round(wall, 4),
        "cpu_s": round(cpu, 4),
        "rss_kb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
