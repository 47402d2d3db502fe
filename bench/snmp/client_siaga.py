"""Polls many simulated devices with the lean engine and prints one line of JSON: what it took and what came.

Device i has the address 127.16.0.1 + i; each has 28 interfaces and 11 columns, and ifInErrors of every interface is
the low 24 bits of its address. A first round, which is not measured, checks all values.
"""

import argparse
import asyncio
import ipaddress
import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pydantic import SecretStr

from monitor.lean_round import Polled
from monitor.snmp_agent import Fault
from monitor.snmp_lean import Lean, Wanted
from monitor.targets import SnmpAuth, SnmpVersion, Target
from monitor.windows import HAS_C
from siaga.settings import Poll
from siaga.settled import settle

BASE = int(ipaddress.ip_address("127.16.0.1"))
INTERFACES = 28
IF_X, IF = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1), (1, 3, 6, 1, 2, 1, 2, 2, 1)
COLUMNS = (*((*IF_X, c) for c in (6, 10, 7, 11, 15)), *((*IF, c) for c in (14, 20, 13, 19, 8, 7)))
IN_ERRORS, HIGH_SPEED = COLUMNS.index((*IF, 14)), COLUMNS.index((*IF_X, 15))
INDEXES = tuple((i,) for i in range(1, INTERFACES + 1))
# What the store keeps of each interface: octets, errors and discards of both directions.
KEPT = tuple(COLUMNS.index(c) for c in ((*IF_X, 6), (*IF_X, 10), (*IF, 14), (*IF, 20), (*IF, 13), (*IF, 19)))
METRICS = ("in_octets_64", "out_octets_64", "in_errors", "out_errors", "in_discards", "out_discards")
AUTHS = {
    "2c": SnmpAuth(community=SecretStr("public")),
    "3": SnmpAuth(
        SnmpVersion.v3,
        user="monsha256",
        auth_protocol="SHA-256",
        auth_secret=SecretStr("authpass123"),
        priv_protocol="AES",
        priv_secret=SecretStr("privpass123"),
    ),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", choices=sorted(AUTHS), default="2c")
    parser.add_argument("--parser", choices=("pure", "c"), default="pure")
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--timeout", type=float, default=2.0)
    parser.add_argument("--retries", type=int, default=2)
    parser.add_argument(
        "--ready", action="store_true", help="make what the sample store takes of each poll, too"
    )
    parser.add_argument("--reply-bytes", type=int, default=Poll().reply_bytes)
    given = parser.parse_args()
    if given.parser == "c" and not HAS_C:
        parser.error("the C parser is not built: make fast builds it")
    return given


def wanted(given: argparse.Namespace, i: int) -> Wanted:
    address = str(ipaddress.ip_address(BASE + i))
    target = Target(
        address,
        address,
        snmp_port=given.port,
        snmp=AUTHS[given.version],
        timeout_s=given.timeout,
        retries=given.retries,
    )
    return Wanted(target, COLUMNS, INDEXES)


def reader() -> Callable[[Polled], object]:
    """Return what makes of a poll what the sample store takes, as the service does.

    numpy is imported here: who only polls needs none of it, and its memory is not the engine's.
    """
    from monitor.known import Counted, Known, poll_of
    from monitor.samples import Layout

    takes = tuple(row * len(COLUMNS) + place for row in range(INTERFACES) for place in KEPT)
    names = tuple((metric, str(row)) for row in range(1, INTERFACES + 1) for metric in METRICS)
    places, now = Known((), COLUMNS, INDEXES, Layout((("uptime", ""), *names)), takes, ()), datetime.now(UTC)
    return lambda polled: poll_of(1, Counted(places, now, polled.uptime_ticks or 0, polled.values))


def check(asked: Wanted, polled: Polled | Fault) -> bool:
    """Tell whether the device answered; raises AssertionError for a value that is not its own."""
    if isinstance(polled, Fault) or polled.fault is not None:
        return False
    own = int(ipaddress.ip_address(asked.target.address)) & 0xFFFFFF
    rows = polled.rows()
    assert len(rows) == INTERFACES, asked.target.address
    assert all(len(row) == len(COLUMNS) and None not in row for row in rows), asked.target.address
    assert {row[IN_ERRORS] for row in rows} == {own}, asked.target.address
    assert {row[HIGH_SPEED] for row in rows} == {1000}, asked.target.address
    return True


async def main(given: argparse.Namespace) -> None:
    devices = [wanted(given, given.first + i) for i in range(given.devices)]
    ok: dict[str, bool] = {}
    varbinds = failed = false_down = 0
    ready: list[object] = []
    made = reader() if given.ready else None
    poll = Poll(window=given.window, reply_bytes=given.reply_bytes)

    def first(asked: Wanted, polled: Polled | Fault) -> None:
        ok[asked.target.name] = check(asked, polled)

    def later(asked: Wanted, polled: Polled | Fault) -> None:
        nonlocal varbinds, failed, false_down
        if isinstance(polled, Polled) and polled.fault is None:
            varbinds += len(polled.values) + 1
            if made is not None:
                ready.append(made(polled))
            return
        failed += 1
        silent = isinstance(polled, Fault) or polled.uptime_ticks is None
        false_down += silent and ok[asked.target.name]

    async with Lean(poll, parser=given.parser) as lean:
        await lean.round_of(devices, first)
        devices = [d._replace(down=not ok[d.target.name]) for d in devices]
        settle()  # as the service does
        wall_s, cpu_s = time.monotonic(), time.process_time()
        for _ in range(given.rounds):
            ready.clear()
            await lean.round_of(devices, later)
        wall_s, cpu_s = time.monotonic() - wall_s, time.process_time() - cpu_s
        tally = lean.tally
    answered = given.rounds * len(devices) - failed
    rss_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "client": "siaga",
                "version": given.version,
                "parser": given.parser,
                "ok": answered,
                "failed": failed,
                "varbinds": varbinds,
                "wall_s": round(wall_s, 4),
                "cpu_s": round(cpu_s, 4),
                "rss_kb": rss_kb,
                "false_down": false_down,
                "lag_max_s": round(tally.lag_max_s, 4),
                "devices_per_cpu_s": round(answered / max(cpu_s, 1e-9)),
                "sent": tally.sent,
                "resent": tally.resent,
                "garbled": tally.garbled,
                "dropped": tally.dropped,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(arguments()))
