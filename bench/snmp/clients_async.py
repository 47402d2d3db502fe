"""The poll of the benchmark by two Python libraries with asyncio, gufo-snmp and pysnmp, many devices side by side.

    python -m bench.snmp.clients_async gufo|pysnmp --port P --version 2c --devices N [--window W] [--rounds R]

gufo-snmp is not among our dependencies and is run by an environment of its own (bench/snmp/tools.py). It asks by
GET, 56 names at once: its GETBULK takes one column only.
"""

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.snmp import poll

TIMEOUT_S, RETRIES = 2.0, 2
Read = Callable[[str], Awaitable[Mapping[str, int]]]  # from an address to values by OID
_ERRORS_IN = poll.COLUMNS["ifInErrors"] + "."


@dataclass
class Count:
    """What was polled so far."""

    ok: int = 0
    failed: int = 0
    varbinds: int = 0

    def add(self, where: str, values: Mapping[str, int]) -> None:
        """Count a poll: whole and of the device that was meant, or failed."""
        marks = {v for oid, v in values.items() if oid.startswith(_ERRORS_IN)}
        good = len(values) == poll.VARBINDS and marks == {poll.mark(where)}
        self.ok += good
        self.failed += not good
        self.varbinds += len(values)


async def gufo(port: int, version: str, devices: Sequence[str]) -> Read:
    """Return how gufo-snmp reads; its sessions are opened here, with one key derivation each by SNMPv3."""
    from gufo.snmp.aio import SnmpSession
    from gufo.snmp.user import Aes128Key, Sha256Key, User

    options: dict[str, object] = {"community": poll.COMMUNITY}
    if version == "3":
        auth, priv = Sha256Key(poll.AUTH_PASSWORD.encode()), Aes128Key(poll.PRIV_PASSWORD.encode())
        options = {"user": User(poll.USER, auth_key=auth, priv_key=priv)}
    sessions = {w: SnmpSession(addr=w, port=port, timeout=TIMEOUT_S, **options) for w in devices}
    for session in sessions.values():
        await session.refresh()
    names = [poll.SYS_UP_TIME]
    names += [f"{c}.{row}" for row in range(1, poll.INTERFACES + 1) for c in poll.COLUMNS.values()]
    size = 1 + len(poll.COLUMNS) * poll.ROWS
    parts = [names[i : i + size] for i in range(0, len(names), size)]

    async def read(where: str) -> Mapping[str, int]:
        values: dict[str, int] = {}
        for part in parts:
            values.update(await sessions[where].get_many(part))
        return values

    return read


async def pysnmp(port: int, version: str, devices: Sequence[str]) -> Read:
    """Return how pysnmp reads: GETBULK windows of all columns, as the other clients."""
    from pysnmp.hlapi.v3arch import asyncio as hl

    engine, context = hl.SnmpEngine(), hl.ContextData()
    auth: object = hl.CommunityData(poll.COMMUNITY, mpModel=1)
    if version == "3":
        auth = hl.UsmUserData(
            poll.USER,
            poll.AUTH_PASSWORD,
            poll.PRIV_PASSWORD,
            authProtocol=hl.USM_AUTH_HMAC192_SHA256,
            privProtocol=hl.USM_PRIV_CFB128_AES,
        )
    targets = {w: await hl.UdpTransportTarget.create((w, port), TIMEOUT_S, RETRIES) for w in devices}

    async def window(where: str, row: int) -> Iterator[tuple[str, int]]:
        names = [poll.SYS_UP_TIME.removesuffix(".0")] if not row else []
        names += [f"{c}.{row}" if row else c for c in poll.COLUMNS.values()]
        rows = min(poll.ROWS, poll.INTERFACES - row)
        asked = [hl.ObjectType(hl.ObjectIdentity(n)) for n in names]
        trouble, status, _, bound = await hl.bulk_cmd(
            engine, auth, targets[where], context, int(not row), rows, *asked, lookupMib=False
        )
        if trouble or status:
            raise TimeoutError(str(trouble or status))
        return ((str(oid), int(value)) for oid, value in bound)

    async def read(where: str) -> Mapping[str, int]:
        values: dict[str, int] = {}
        for row in range(0, poll.INTERFACES, poll.ROWS):
            values.update(await window(where, row))
        return values

    return read


async def one_round(read: Read, devices: Sequence[str], side_by_side: int) -> Count:
    """Poll every device once, so many at a time."""
    count, rest = Count(), iter(devices)

    async def work() -> None:
        for where in rest:
            try:
                count.add(where, await read(where))
            except (TimeoutError, OSError):
                count.add(where, {})

    await asyncio.gather(*(work() for _ in range(side_by_side)))
    return count


def cpu_s() -> float:
    """Return our own processor seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measured(given: argparse.Namespace) -> dict[str, object]:
    """Poll one round that is not counted and then `--rounds`."""
    devices = [poll.address(given.first + i) for i in range(given.devices)]
    read = await {"gufo": gufo, "pysnmp": pysnmp}[given.client](given.port, given.version, devices)
    await one_round(read, devices, given.window)
    wall, cpu = time.monotonic(), cpu_s()
    rounds = [await one_round(read, devices, given.window) for _ in range(given.rounds)]
    wall, cpu = time.monotonic() - wall, cpu_s() - cpu
    return {
        "client": given.client,
        "version": given.version,
        "parser": "rust" if given.client == "gufo" else "pyasn1",
        "ok": sum(r.ok for r in rounds),
        "failed": sum(r.failed for r in rounds),
        "varbinds": sum(r.varbinds for r in rounds),
        "wall_s": round(wall, 4),
        "cpu_s": round(cpu, 4),
        "rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def main() -> None:
    """Print the line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=("gufo", "pysnmp"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", choices=("2c", "3"), default="2c")
    for name, default in (("--devices", 20), ("--first", 0), ("--rounds", 1), ("--window", 32)):
        parser.add_argument(name, type=int, default=default)
    print(json.dumps(asyncio.run(measured(parser.parse_args()))))


if __name__ == "__main__":
    main()
