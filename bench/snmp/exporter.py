"""The poll of the benchmark by Debian's snmp_exporter: its configuration, and scrapes of it side by side.

    python -m bench.snmp.exporter --pid P --http-port H --port P --version 2c --devices N [--rounds R] [--window W]

The processor time and the size are the exporter's own, as the kernel counts them for its threads.
"""

import argparse
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.snmp import poll

_GAUGES = {"ifHighSpeed", "ifOperStatus", "ifAdminStatus"}


def configuration() -> str:
    """Return snmp.yml of release 0.21: a module for each version, with all rows of a column in one GETBULK."""
    community = [f"    community: {poll.COMMUNITY}"]
    user = [
        f"    username: {poll.USER}",
        "    security_level: authPriv",
        f"    password: {poll.AUTH_PASSWORD}",
        "    auth_protocol: SHA256",
        "    priv_protocol: AES",
        f"    priv_password: {poll.PRIV_PASSWORD}",
    ]
    return "\n".join([*_module("poll2c", 2, community), *_module("poll3", 3, user)]) + "\n"


def _module(name: str, version: int, auth: list[str]) -> list[str]:
    lines = [f"{name}:", "  walk:", *(f"  - {oid}" for oid in poll.COLUMNS.values())]
    lines += ["  get:", f"  - {poll.SYS_UP_TIME}", "  metrics:"]
    lines += _metric("sysUpTime", poll.SYS_UP_TIME.removesuffix(".0"), "gauge")
    for column, oid in poll.COLUMNS.items():
        lines += _metric(column, oid, "gauge" if column in _GAUGES else "counter")
        lines += ["    indexes:", "    - labelname: ifIndex", "      type: gauge"]
    # One row more than there are, so that the last reply of a column already shows its end.
    lines += [f"  max_repetitions: {poll.INTERFACES + 1}", "  timeout: 2s", "  retries: 2"]
    return [*lines, f"  version: {version}", "  auth:", *auth]


def _metric(name: str, oid: str, kind: str) -> list[str]:
    return [f"  - name: {name}", f"    oid: {oid}", f"    type: {kind}", f"    help: {name}"]


def is_whole(text: str, where: str) -> bool:
    """Whether a scrape has every varbind of a poll, and those of the device that was meant."""
    lines = [x for x in text.splitlines() if x and not x.startswith(("#", "snmp_"))]
    marks = {float(x.rpartition(" ")[2]) for x in lines if x.startswith("ifInErrors{")}
    return len(lines) == poll.VARBINDS and marks == {float(poll.mark(where))}


class Scraper:
    """Scrapes through one HTTP connection for each thread."""

    def __init__(self, http_port: int, snmp_port: int, version: str) -> None:
        self._http_port, self._snmp_port, self._module = http_port, snmp_port, f"poll{version}"
        self._local = threading.local()

    def whole(self, where: str) -> bool:
        """Scrape one device; whether everything came."""
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection("127.0.0.1", self._http_port, timeout=30)
        connection = self._local.connection
        try:
            connection.request("GET", f"/snmp?target={where}:{self._snmp_port}&module={self._module}")
            reply = connection.getresponse()
            text = reply.read().decode()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False
        return reply.status == 200 and is_whole(text, where)


def cpu_s(pid: int) -> float:
    """Return the processor seconds of a process' threads: the scheduler's own count, in nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:  # a thread that has just ended
            continue
    return total / 1e9


def rss_kb(pid: int) -> int:
    """Return the greatest size that a process had, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Scrape one round that is not counted and then `--rounds`; print the line of JSON."""
    parser = argparse.ArgumentParser()
    for name in ("--pid", "--http-port", "--port"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--version", choices=("2c", "3"), default="2c")
    for name, default in (("--devices", 100), ("--first", 0), ("--rounds", 1), ("--window", 32)):
        parser.add_argument(name, type=int, default=default)
    given = parser.parse_args()
    scraper = Scraper(given.http_port, given.port, given.version)
    devices = [poll.address(given.first + i) for i in range(given.devices)]
    with ThreadPoolExecutor(given.window) as pool:
        list(pool.map(scraper.whole, devices))
        wall, cpu = time.monotonic(), cpu_s(given.pid)
        good = [w for _ in range(given.rounds) for w in pool.map(scraper.whole, devices)]
        wall, cpu = time.monotonic() - wall, cpu_s(given.pid) - cpu
    told = {
        "client": "snmp_exporter",
        "version": given.version,
        "parser": "go",
        "ok": sum(good),
        "failed": len(good) - sum(good),
        "varbinds": sum(good) * poll.VARBINDS,
        "wall_s": round(wall, 4),
        "cpu_s": round(cpu, 4),
        "rss_kb": rss_kb(given.pid),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
