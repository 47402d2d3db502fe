"""The simulated regency, running: a process of its own with every agent, command line and host in it.

`start` spawns it and waits until it is ready; `WorldProcess.stop` ends it. What it is told, the secrets
among it, comes over its standard input, which stays open as a life line: when the parent dies, however it
dies, the pipe ends and the world with it. As a second line it looks whether its parent has changed.
"""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from demo import agents, cli_devices, hosts, usm
from demo.draft import Simulated
from demo.mib import tree
from demo.regency import SNMP_PORT, SSH_PORT, USER, Regency, Secrets, build, plain
from demo.respond import Agent
from siaga.clock import JAKARTA
from siaga.errors import SiagaError

READY_S = 30.0
STOP_S = 5.0
NOTICE_S = 2.0
_WATCH_S = 0.5


@dataclass(frozen=True)
class Ports:
    """Where the world listens: SNMP on UDP, SSH on TCP; 0 takes any that is free."""

    snmp: int = SNMP_PORT
    ssh: int = SSH_PORT


class World:
    """Everything running in the caller's event loop, as an async context manager; `ports` are the real ones."""

    def __init__(self, home: Path, seed: int, keys: Secrets, ports: Ports, day_s: float) -> None:
        self.regency: Regency = build(home, seed, keys, day_s=day_s)
        self.ports = ports
        self._keys = keys
        self._keep = home.resolve() / "keys"
        self._seed = seed
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start all. Raises SiagaError `port-taken`; nothing is left running then."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all."""
        await self._stack.aclose()

    async def _start(self) -> None:
        keys, keep = self._keys, self._keep
        keep.mkdir(parents=True, exist_ok=True, mode=0o700)
        served = [_served(one, keys) for one in self.regency.agents]
        snmp = await agents.serve(served, self.ports.snmp, self._seed)
        self._stack.push_async_callback(snmp.close)
        login = hosts.Login(USER, keys.ssh)
        shells = await hosts.serve(self.regency.hosts, self.ports.ssh, login, keep)
        self._stack.push_async_callback(shells.close)
        operator = hosts.Login(USER, keys.cli)
        lines = [cli_devices.CliDevice(s.spec, s.address, operator) for s in self.regency.command_lines]
        key = hosts.host_key(keep / "cli.key")
        switches = await cli_devices.serve(lines, shells.port, key, snmp.clock)
        self._stack.push_async_callback(switches.close)
        self.ports = Ports(snmp.port, shells.port)


def _served(one: Simulated, keys: Secrets) -> agents.Served:
    engine = usm.engine_id(one.spec.name)
    agent = Agent(tree(one.spec), engine=engine, uptime_s=one.spec.uptime_s)
    if one.credential == "demo-v3":
        agent.user = usm.User.of(USER, keys.auth, keys.priv, engine)
    else:
        agent.community = keys.community.encode()
    return agents.Served(one.spec.name, one.address, agent, one.behaviour)


@dataclass
class WorldProcess:
    """The world as a child process; use it as a context manager, or call `stop`."""

    process: "subprocess.Popen[bytes]"
    ports: Ports

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self.process.pid

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End it: politely, and after STOP_S seconds by force. Does nothing the second time."""
        _end(self.process)

    def __enter__(self) -> Self:
        """Return itself: it runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def start(home: Path, seed: int, keys: Secrets, now: datetime, ports: Ports | None = None) -> WorldProcess:
    """Start the world in a process of its own and return once every agent answers.

    `now` sets the time of day of the traffic. Raises SiagaError: `port-taken`, or `demo-failed` with where
    the child's log is.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    wanted = ports or Ports()
    told = {
        "home": str(home),
        "seed": seed,
        "keys": plain(keys),
        "snmp": wanted.snmp,
        "ssh": wanted.ssh,
        "day_s": second_of_day(now),
        "parent": os.getpid(),
    }
    process = _spawned(home / "world.log")
    try:
        assert process.stdin
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        answer = _first_line(process, home / "world.log")
        return WorldProcess(process, Ports(answer["snmp"], answer["ssh"]))
    except BaseException:
        _end(process)
        raise


def second_of_day(now: datetime, zone: str = JAKARTA) -> float:
    """Return the second of the day in the regency."""
    local = now.astimezone(ZoneInfo(zone))
    return local.hour * 3600.0 + local.minute * 60 + local.second


def _spawned(log: Path) -> "subprocess.Popen[bytes]":
    # A session of its own: Ctrl-C is for the parent, which then stops this in order. -P: the current
    # directory of the user is no place to import from.
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "demo.world"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )


def _first_line(process: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], READY_S)
    line = process.stdout.readline() if ready else b""
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError:
        raise SiagaError(
            "demo-failed", f"The simulated devices did not start within {READY_S:.0f} s; {log} says why."
        ) from None
    if "code" in answer:
        raise SiagaError(answer["code"], answer["sentence"])
    return answer


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()
    # The life line has ended, which ends the child in order. A signal at that moment could hit it when it has
    # already put its handlers away, so it is only for a child that did not notice.
    with suppress(subprocess.TimeoutExpired):
        process.wait(NOTICE_S)
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


# -- the child's side ------------------------------------------------------------------------------------------


async def _run(told: dict[str, Any]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin.fileno(), _listen, stop)
    ports = Ports(told["snmp"], told["ssh"])
    async with World(
        Path(told["home"]), told["seed"], Secrets(**told["keys"]), ports, told["day_s"]
    ) as world:
        _say({"snmp": world.ports.snmp, "ssh": world.ports.ssh})
        while not stop.is_set() and os.getppid() == told["parent"]:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WATCH_S)


def _listen(stop: asyncio.Event) -> None:
    """End when the life line ends; whatever else comes over it is not for us."""
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


def _say(answer: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(answer).encode() + b"\n")


def _told() -> dict[str, Any]:
    """Read the first line unbuffered, so that nothing after it is swallowed."""
    line = b""
    while not line.endswith(b"\n") and len(line) < 65536:
        octet = os.read(sys.stdin.fileno(), 1)
        if not octet:
            break
        line += octet
    told: dict[str, Any] = json.loads(line)
    return told


def main() -> int:
    """Be the child: read what to simulate, run it, and say when it is ready or why it is not."""
    try:
        asyncio.run(_run(_told()))
    except SiagaError as error:
        _say({"code": error.code, "sentence": error.sentence})
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
