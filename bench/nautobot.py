"""Times siaga beside Nautobot on the same inventory, in turn; prints markdown tables. It installs nothing by itself.

    python -m bench.nautobot --venv DIR [--postgres DIR] [--redis FILE] [--devices N] [--interfaces N] [--rounds N]

What must be there:
- a venv with Nautobot (made with 3.2.7): python3.11 -m venv DIR && DIR/bin/pip install nautobot
- PostgreSQL's programs (Debian: postgresql-15, in /usr/lib/postgresql/15/bin) and redis-server (Debian:
  redis-server); the packages' own services need not run and are not touched

PostgreSQL, Redis and Nautobot's uWSGI are started on 127.0.0.1 in a temporary directory with drawn passwords and
are ended with this process. The migrations alone take some three minutes, loading 10,000 devices with 280,000
interfaces one and a half.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench import measure
from bench.fleet import Fleet
from bench.inventory import DEVICES, SIAGA, environment, imported
from bench.nautobot_services import Binaries, Nautobot, running

PAGE = 1000  # the most that Nautobot gives at once, unless it is set up otherwise
_LIST = "{ devices { name serial role { name } status { name } location { name } tenant { name } platform { name }"
_LIST += " device_type { model } tags { name } primary_ip4 { address } } }"


@dataclass(frozen=True)
class Pair:
    """One question to both: siaga's command line, and what asks Nautobot and returns the rows it got."""

    what: str
    command: tuple[str, ...]
    ask: Callable[["Client"], int]


class Client:
    """A client of Nautobot's API that counts its requests and octets."""

    def __init__(self, nautobot: Nautobot) -> None:
        self.requests = self.octets = 0
        # uWSGI's HTTP router ends a connection after each answer; asking for that keeps both sides of one mind.
        headers = {"Authorization": f"Token {nautobot.token}", "Connection": "close"}
        self._http = httpx.Client(base_url=nautobot.url, headers=headers, timeout=900, follow_redirects=True)

    def get(self, path: str) -> Any:
        """Return the JSON of one answer."""
        return self._counted(self._http.get(path))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON of the answer to a POST."""
        return self._counted(self._http.post(path, json=body))

    def _counted(self, answer: httpx.Response) -> Any:
        answer.raise_for_status()
        self.requests += 1
        self.octets += len(answer.content)
        return answer.json()

    def all(self, path: str) -> list[Any]:
        """Return what all pages hold, by their `next` links."""
        found: list[Any] = []
        following: str | None = path
        while following:
            page = self.get(following)
            found += page["results"]
            following = page["next"]
        return found


def plugin(client: Client) -> int:
    """Ask what the inventory plugin of networktocode.nautobot asks with its defaults, in its order.

    First the API's own description, then the hosts with depth=1 and limit=0 (which gives pages of 1,000), then
    the names of what they refer to, side by side (plugins/inventory/inventory.py, main). The answers are put
    into groups by role, as --list has them; Ansible's own work is not in the figure.
    """
    client.get("/api/docs/?format=openapi")
    hosts = client.all("/api/dcim/devices/?limit=0&depth=1")
    hosts += client.all("/api/virtualization/virtual-machines/?limit=0&depth=1")
    lookups = (
        "dcim/locations/?limit=0",
        "tenancy/tenants/?limit=0&depth=1",
        "dcim/racks/?limit=0&depth=1",
        "dcim/rack-groups/?limit=0&depth=1",
        "extras/roles/?limit=0",
        "dcim/platforms/?limit=0",
        "dcim/device-types/?limit=0",
        "dcim/manufacturers/?limit=0",
        "virtualization/clusters/?limit=0&depth=1",
        "ipam/services/?limit=0&depth=1",
    )
    with ThreadPoolExecutor(len(lookups)) as threads:
        list(threads.map(lambda path: client.all(f"/api/{path}"), lookups))
    groups: dict[str, list[str]] = {}
    for host in hosts:
        groups.setdefault(host["role"]["name"], []).append(host["name"])
    json.dumps({"_meta": {"hostvars": {h["name"]: h for h in hosts}}, **groups})
    return len(hosts)


def graphql(client: Client) -> int:
    """Ask for all devices with the names of what they refer to in one GraphQL query."""
    return len(client.post("/api/graphql/", {"query": _LIST})["data"]["devices"])


def rest(path: str) -> Callable[[Client], int]:
    """Return what asks for all pages of a REST list."""
    return lambda client: len(client.all(f"/api/{path}&limit={PAGE}"))


def _next_address(prefix: str) -> Callable[[Client], int]:
    def ask(client: Client) -> int:
        found = client.get(f"/api/ipam/prefixes/?prefix={prefix}")["results"][0]
        return len(client.get(f"/api/ipam/prefixes/{found['id']}/available-ips/?limit=1"))

    return ask


def pairs(fleet: Fleet) -> list[Pair]:
    """Return what both are asked."""
    listed = ("device", "list", "-o", "json")
    switch = fleet.device(501 % fleet.devices)
    return [
        Pair("device list, REST (depth=0: references as ids)", listed, rest("dcim/devices/?depth=0")),
        Pair("device list, REST (depth=1: with names)", listed, rest("dcim/devices/?depth=1")),
        Pair("device list, GraphQL", listed, graphql),
        Pair(
            "devices by role",
            ("device", "list", "role=core-router", "-o", "json"),
            rest("dcim/devices/?depth=1&role=core-router"),
        ),
        Pair(
            "devices by regular expression",
            ("device", "list", "name~^rtr-0.*5$", "-o", "json"),
            rest("dcim/devices/?depth=1&name__re=^rtr-0.*5$"),
        ),
        Pair(
            "interfaces of a device",
            ("interface", "list", f"device={switch}", "-o", "json"),
            rest(f"dcim/interfaces/?depth=1&device={switch}"),
        ),
        Pair(
            "next free address in a /24",
            ("ipam", "next-address", "10.0.5.0/24"),
            _next_address("10.0.5.0/24"),
        ),
        Pair(
            "next free address in a full flat /16",
            ("ipam", "next-address", "172.16.0.0/16"),
            _next_address("172.16.0.0/16"),
        ),
        Pair("Ansible inventory (as the plugin asks)", ("export", "ansible", "--list"), plugin),
    ]


def compared(home: Path, nautobot: Nautobot, fleet: Fleet, rounds: int) -> Iterator[list[str]]:
    """Ask both in turn, `rounds` times, and yield a row for each."""
    _wake(nautobot)
    for pair in pairs(fleet):
        try:
            row = _row(pair, home, nautobot, rounds)
        except (
            httpx.HTTPError
        ) as error:  # one question that Nautobot does not answer is not to cost the others
            row = [pair.what, "", "", "", f"{type(error).__name__}", "", "", "", ""]
        print("  ", *row, sep="  ", file=sys.stderr, flush=True)
        yield row


def _row(pair: Pair, home: Path, nautobot: Nautobot, rounds: int) -> list[str]:
    ours, theirs, worked, rows, client = [], [], [], 0, Client(nautobot)
    for _ in range(rounds):
        ours.append(measure.child((*SIAGA, *pair.command), environment(home)))
        client, before, began = Client(nautobot), nautobot.cpu_s(), time.monotonic()
        rows = pair.ask(client)
        theirs.append(time.monotonic() - began)
        worked.append(nautobot.cpu_s() - before)
    wall_s = statistics.median(s.wall_s for s in ours)
    return [
        pair.what,
        f"{rows:,}",
        f"{wall_s:.2f}",
        f"{statistics.median(s.cpu_s for s in ours):.2f}",
        f"{statistics.median(theirs):.2f}",
        f"{statistics.median(worked):.2f}",
        f"{client.requests}",
        f"{client.octets / 1e6:.1f}",
        f"{statistics.median(theirs) / wall_s:.1f}",
    ]


def _wake(nautobot: Nautobot) -> None:
    """Let every worker answer something small first: what it loads only then is not to be in the figures."""

    def small(_: int) -> None:
        Client(nautobot).get("/api/dcim/devices/?limit=1&depth=1")
        Client(nautobot).post("/api/graphql/", {"query": "{ devices(limit: 1) { name } }"})

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(small, range(24)))


def within(home: Path, nautobot: Nautobot, venv: Path, fleet: Fleet, runs: int) -> Iterator[list[str]]:
    """Compare the device list inside a process of each, without HTTP, JSON or start-up."""
    script = str(Path(__file__).with_name("nautobot_orm.py"))
    command = (str(venv / "bin" / "python"), "-P", script, str(runs))
    theirs = json.loads(measure.child(command, nautobot.environment, keep=True).output.splitlines()[-1])
    asked = (
        sys.executable,
        "-P",
        "-m",
        "bench.questions",
        str(home),
        str(fleet.devices),
        str(runs),
        "device list",
    )
    ((seconds, count),) = json.loads(measure.child(asked, environment(home), keep=True).output)
    names = {
        "objects": "model instances with what they refer to",
        "values": "bare values of one joined query",
    }
    for what, (rows, theirs_s) in theirs.items():
        assert rows == count
        yield [
            f"Nautobot's ORM: {names[what]}",
            f"{rows:,}",
            f"{seconds:.3f}",
            f"{theirs_s:.3f}",
            f"{theirs_s / seconds:.1f}",
        ]


def report(given: argparse.Namespace, folder: Path) -> None:
    """Load both, ask both, print."""
    fleet = Fleet(given.devices)
    print(f"Load average at the start: {measure.load()}.", flush=True)
    row, home = imported(given.devices, folder)
    print(
        f"siaga: {row[1]} rows imported in {row[4]} s ({row[5]} s of CPU), with their history; {row[8]} MB.",
        flush=True,
    )
    binaries = Binaries(given.venv, given.postgres, given.redis, given.workers)
    with running(folder, binaries, folder / f"csv-{given.devices}", given.interfaces) as (nautobot, told):
        print(f"Nautobot: loaded by bulk statements of its ORM (rows, seconds): {told}\n", flush=True)
        header = ("question", "rows", "siaga s", "CPU s", "Nautobot s", "CPU s", "requests", "MB", "ratio")
        print(
            measure.table(header, list(compared(home, nautobot, fleet, given.rounds))), end="\n\n", flush=True
        )
        inner = ("device list inside a process", "rows", "siaga s", "Nautobot s", "ratio")
        print(measure.table(inner, list(within(home, nautobot, given.venv, fleet, 5))), end="\n\n")
    print(f"Load average at the end: {measure.load()}.")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.nautobot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--postgres", type=Path, default=Path("/usr/lib/postgresql/15/bin"))
    parser.add_argument(
        "--redis", type=Path, default=Path(shutil.which("redis-server") or "/usr/bin/redis-server")
    )
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--interfaces", type=int, default=0, help="at most so many in Nautobot; 0 is all")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=3, help="uWSGI's processes")
    given = parser.parse_args()
    for needed in (given.venv / "bin" / "nautobot-server", given.postgres / "initdb", given.redis):
        if not os.access(needed, os.X_OK):
            parser.error(f"{needed} is not there: see --help for what must be.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as name:
        report(given, Path(name))


if __name__ == "__main__":
    main()
