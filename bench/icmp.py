"""Sweeps 5,000 addresses by ICMP echo, in turn with fping and icmplib where they are installed: CPU and wall seconds.

    python -m bench.icmp                                  # loopback: every address answers
    python -m bench.icmp --silent 5                       # 5 % lie in a network of silence (root: a namespace)
    python -m bench.icmp --icmplib DIR                    # where `pip install --target DIR icmplib` put it

CPU is that of the process, as the kernel counts it; on loopback the kernel's own work for the replies is in it.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure import child, load, table

ADDRESSES = 5_000
_SILENT_NET = "198.18"  # RFC 2544: for benchmarks
_OWN = """
import asyncio, sys
from monitor.icmp import Echo
from monitor.pace import Pace
async def main():
    rate, timeout_s, retries = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    async with Echo() as echo:
        addresses = open(sys.argv[4]).read().split()
        print(len((await echo.sweep(addresses, Pace(rate, timeout_s, retries))).rtt_s))
asyncio.run(main())
"""
_ICMPLIB = """
import sys
sys.path.insert(0, sys.argv[1])
from icmplib import multiping
hosts = multiping(open(sys.argv[2]).read().split(), count=1, interval=0, timeout=0.5, concurrent_tasks=50)
print(sum(h.is_alive for h in hosts))
"""


def commands(path: str, icmplib: str) -> list[tuple[str, list[str]]]:
    """Return (what, command) of each sweep; half a second to wait and one retry, where a program has them."""
    own = [sys.executable, "-P", "-c", _OWN]
    found = [
        ("siaga, as fast as it goes", [*own, "0", "0.5", "1", path]),
        ("siaga, 20,000 a second", [*own, "20000", "0.5", "1", path]),
        ("siaga, 5,000 a second (default)", [*own, "5000", "0.5", "1", path]),
        (
            "python -c 'import monitor.icmp'",
            [sys.executable, "-P", "-c", "import asyncio, monitor.icmp; print(0)"],
        ),
    ]
    if fping := shutil.which("fping"):
        for interval in ("0.01", "0.1"):
            words = [fping, "-a", "-q", "-i", interval, "-t", "500", "-r", "1", "-f", path]
            found.append((f"fping -i {interval}", ["sh", "-c", f"{' '.join(words)} | wc -l"]))
    if icmplib:
        found.append(("icmplib, 50 tasks", [sys.executable, "-c", _ICMPLIB, icmplib, path]))
    return found


def addresses(silent_pct: float) -> list[str]:
    """Return addresses of loopback, and among them those of a network in which nobody answers."""
    silent = round(ADDRESSES * silent_pct / 100)
    alive = [f"127.83.{i >> 8}.{i & 255}" for i in range(ADDRESSES - silent)]
    every = max(1, len(alive) // silent) if silent else 0
    for i in range(silent):
        alive.insert(i * (every + 1), f"{_SILENT_NET}.{i >> 8}.{i & 255}")
    return alive


def _in_namespace(arguments: Sequence[str]) -> int:
    """Run this again in a network namespace of its own, where the silent network is a cable to nobody."""
    script = " && ".join(
        (
            "ip link set lo up",
            "ip link add silence arp off type veth peer name nobody",
            "ip link set silence up",
            "ip link set nobody up",
            f"ip address add {_SILENT_NET}.255.254/15 dev silence",
            'exec "$@"',
        )
    )
    words = [sys.executable, "-P", "-m", "bench.icmp", "--inside", *arguments]
    os.execvp("unshare", ["unshare", "--net", "sh", "-ec", script, "sh", *words])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--silent", type=float, default=0.0, help="per cent")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--icmplib", default="", metavar="DIR")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.silent and not asked.inside:
        _in_namespace(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "addresses"
        path.write_text("\n".join(addresses(asked.silent)) + "\n")
        measured: dict[str, list[tuple[float, float, str]]] = {}
        for number in range(asked.runs + 1):
            for what, command in commands(str(path), asked.icmplib):
                spent = child(command, os.environ, keep=True)
                if number:
                    measured.setdefault(what, []).append((spent.cpu_s, spent.wall_s, spent.output.strip()))
    rows = []
    for what, runs in measured.items():
        middle = sorted(runs)[len(runs) // 2]
        walls = sorted(w for _, w, _ in runs)
        alive = sorted({a for _, _, a in runs})
        rows.append([what, f"{walls[len(walls) // 2]:.2f}", f"{middle[0]:.3f}", " ".join(alive)])
    print(table(["sweep", "wall s", "CPU s", "alive"], rows))
    print(
        f"{ADDRESSES} addresses, {asked.silent:g} % silent, medians of {asked.runs}, load average {load()}."
    )


if __name__ == "__main__":
    main()
