"""Sweeps a /16 with 2,000 SNMP agents by `siaga discover`, as a whole process: what it costs, and what it finds.

    python -m bench.discover                    # loopback 127.83.0.0/16: all 65,534 addresses answer echo
    python -m bench.discover --silent           # 10.83.0.0/16 in a namespace: whoever is no agent is silent (root)
    python -m bench.discover --no-ping          # the same by SNMP alone

The agents are those of the demo (8 ports each, six makes), all in one other process behind one socket. A second sweep
follows the first: it must find nothing new.
"""

import argparse
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.measure import child, load, table
from demo.mib import DeviceSpec, PortSpec, makes, tree
from demo.respond import Agent
from demo.traffic import Flow, Gauge

AGENTS, PORTS = 2_000, 8
LOOPBACK, SILENT = "127.83.0.0/16", "10.83.0.0/16"
UDP_PORT = 41_300
SIAGA = (sys.executable, "-P", "-m", "cli")
_IP_PKTINFO = 8


# --- the agents --------------------------------------------------------------------------------------------------


def addresses(prefix: str, number: int = AGENTS) -> list[str]:
    """Return the agents' addresses, always the same ones."""
    base = prefix.rsplit(".", 2)[0]
    places = random.Random(36).sample(range(1, 65_535), number)
    return [f"{base}.{place >> 8}.{place & 255}" for place in sorted(places)]


def device(number: int) -> DeviceSpec:
    """Return one device, unlike all others in serial and MACs."""
    platforms = sorted(makes())
    mac = bytes((0x48, 0x8F, 0x5A)) + (number * 64).to_bytes(3, "big")
    flow = Flow(1000.0)
    ports = tuple(
        PortSpec(i, f"ether{i}", "", 6, 10**9, mac[:5] + bytes((mac[5] + i,)), flow, flow)
        for i in range(1, PORTS + 1)
    )
    warm, half = Gauge(40.0), Gauge(50.0)
    return DeviceSpec(
        f"dev-{number:04}",
        platforms[number % len(platforms)],
        "MODEL-8",
        "7.1",
        f"SN{number:08}X",
        "Mauk",
        ports,
        3600.0 + number,
        half,
        1,
        2**28,
        half,
        warm,
        warm,
    )


def serve(prefix: str) -> None:
    """Answer for all agents over one socket, each from the address that was asked, until the process is ended."""
    agents = {a: Agent(tree(device(n)), community=b"public") for n, a in enumerate(addresses(prefix))}
    started = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        own.bind(("0.0.0.0", UDP_PORT))
        print("ready", flush=True)
        while True:
            data, extra, _, peer = own.recvmsg(65535, 64)
            where = socket.inet_ntoa(extra[0][2][8:12])  # in_pktinfo: interface, local, destination
            reply = agents[where].answer(data, time.monotonic() - started) if where in agents else None
            if reply is not None:
                source = struct.pack("=I4s4s", 0, socket.inet_aton(where), b"\0" * 4)
                own.sendmsg([reply], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, peer)


# --- the sweeps --------------------------------------------------------------------------------------------------


def sweep(prefix: str, home: Path, more: Sequence[str]) -> tuple[list[str], Mapping[str, int]]:
    """Run one sweep and return it as a row, and its numbers."""
    environment = {**os.environ, "SIAGA_HOME": str(home)}
    words = [*SIAGA, "discover", prefix, "--snmp-port", str(UDP_PORT), "-o", "json", *more]
    spent = child(words, environment, keep=True)
    found = json.loads(spent.output)
    counts: dict[str, int] = {}
    for one in found:
        counts[one["what"]] = counts.get(one["what"], 0) + 1
    told = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    return [f"{spent.wall_s:.1f}", f"{spent.cpu_s:.1f}", f"{spent.peak_mb:.0f}", told], counts


def rows(prefix: str, more: Sequence[str]) -> Iterator[list[str]]:
    """Sweep twice in a home of its own; the second must find nothing new."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {**os.environ, "SIAGA_HOME": folder}
        subprocess.run([*SIAGA, "init"], env=environment, check=True, capture_output=True)
        first, counts = sweep(prefix, home, more)
        if counts.get("new") != AGENTS:
            print(f"not all {AGENTS} agents were found: {counts}")
        yield [f"{prefix} first", *first]
        second, counts = sweep(prefix, home, more)
        if counts.get("new"):
            print(f"the second sweep found something new: {counts}")
        yield [f"{prefix} again", *second]


def _in_namespace(arguments: Sequence[str]) -> None:
    """Run this again in a namespace where the agents' addresses are there, and the rest is a cable to nobody."""
    steps = [
        "ip link set lo up",
        "ip link add silence arp off type veth peer name nobody",
        "ip link set silence up",
        "ip link set nobody up",
        "ip address add 10.84.0.1/32 dev silence",
        f"ip route add {SILENT} dev silence src 10.84.0.1",
        f"{sys.executable} -P -m bench.discover --addresses | ip -batch -",
        'exec "$@"',
    ]
    words = [sys.executable, "-P", "-m", "bench.discover", "--inside", *arguments]
    os.execvp("unshare", ["unshare", "--net", "sh", "-ec", " && ".join(steps), "sh", *words])


def main() -> None:
    """Serve, sweep, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--no-ping", action="store_true")
    parser.add_argument("--rate", default="", help="packets a second; else siaga's default")
    for hidden in ("--inside", "--addresses", "--serve"):
        parser.add_argument(hidden, action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    prefix = SILENT if asked.silent else LOOPBACK
    if asked.addresses:
        print("\n".join(f"address add {a}/32 dev lo" for a in addresses(SILENT)))
    elif asked.serve:
        serve(prefix)
    elif asked.silent and not asked.inside:
        _in_namespace(sys.argv[1:])
    else:
        _measure(prefix, asked)


def _measure(prefix: str, asked: argparse.Namespace) -> None:
    words = [sys.executable, "-P", "-m", "bench.discover", "--serve", *(["--silent"] if asked.silent else [])]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as agents:
        try:
            assert agents.stdout is not None
            assert agents.stdout.readline().strip() == "ready"
            more = [
                *(["--no-ping"] if asked.no_ping else []),
                *(["--rate", asked.rate] if asked.rate else []),
            ]
            print(table(["sweep", "wall s", "CPU s", "peak MB", "found"], list(rows(prefix, more))))
        finally:
            agents.kill()
    how = f"{AGENTS} agents in {prefix}{', by SNMP alone' if asked.no_ping else ''}"
    print(f"{how}; load average {load()}.")


if __name__ == "__main__":
    main()
