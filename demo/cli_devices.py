"""The simulated network devices with a command line: a real SSH server each, on its own loopback address.

They run in the caller's event loop, without root, and show what demo.cli_ios says. There is no configuration
mode: these devices are read, not changed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncssh

from demo.agents import port_taken
from demo.cli_ios import COMMANDS
from demo.hosts import Door, Login
from demo.mib import DeviceSpec

LINE_LIMIT = 512  # characters in a command line
DIALECTS = ("cisco_ios",)
_INVALID = ["                ^", "% Invalid input detected at '^' marker.", ""]


@dataclass(frozen=True)
class CliDevice:
    """One device: what it is (the same as its SNMP agent shows), where, and who may log in.

    With an `enable_secret` a login is in user mode until `enable`; without one it is privileged at once.
    """

    spec: DeviceSpec
    address: str
    login: Login
    dialect: str = "cisco_ios"
    enable_secret: str = ""

    @property
    def name(self) -> str:
        """The device's host name, which its prompt shows."""
        return self.spec.name

    def __repr__(self) -> str:
        return f"CliDevice({self.name!r}, {self.address!r}, {self.dialect!r})"


class _Door(Door):
    """Lets in the device's user, and remembers the connections so that they can be ended."""

    def __init__(self, login: Login, connections: set[asyncssh.SSHServerConnection]) -> None:
        super().__init__(login)
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Note who came."""
        self._mine = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note who went."""
        self._connections.discard(self._mine)


class CliDevices:
    """The running servers; made by `serve`, ended by `close`. `port` is the one they listen at."""

    def __init__(self, port: int, clock: Callable[[], float]) -> None:
        self.port = port
        self._clock = clock
        self._servers: list[asyncssh.SSHAcceptor] = []
        self._connections: set[asyncssh.SSHServerConnection] = set()

    async def open(self, device: CliDevice, key: asyncssh.SSHKey) -> None:
        """Start one device's server."""

        async def handle(process: "asyncssh.SSHServerProcess[str]") -> None:
            await _Session(device, self._clock, process).run()

        server = await asyncssh.create_server(
            lambda: _Door(device.login, self._connections),
            device.address,
            self.port,
            server_host_keys=[key],
            server_version="Cisco-1.25",
            process_factory=handle,
            encoding="utf-8",
            errors="replace",
            line_editor=False,
            agent_forwarding=False,
            login_timeout=30,
            keepalive_interval=30,
        )
        self._servers.append(server)
        self.port = self.port or server.get_port()

    async def close(self) -> None:
        """Stop every server and hang up on everybody."""
        for server in self._servers:
            server.close()
        endings: list[Awaitable[None]] = [server.wait_closed() for server in self._servers]
        for connection in list(self._connections):
            connection.abort()
            endings.append(connection.wait_closed())
        for ending in endings:
            with suppress(OSError, asyncssh.Error):
                await ending
        self._servers.clear()


async def serve(
    devices: Sequence[CliDevice],
    port: int,
    key: asyncssh.SSHKey,
    clock: Callable[[], float] | None = None,
) -> CliDevices:
    """Start every device on TCP `port` (0: any one), all with the host key `key` (see demo.hosts.host_key).

    `clock` gives the seconds since the simulation began; by default it begins now. Raises SiagaError
    `port-taken` if a port cannot be had; nothing is left running then.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    running = CliDevices(port, clock or (lambda: loop.time() - began))
    try:
        for device in devices:
            await running.open(device, key)
    except OSError as error:
        await running.close()
        raise port_taken("TCP", device.address, running.port, error) from error
    return running


class _Session:
    """One login: reads keys, echoes them, answers line by line."""

    def __init__(
        self, device: CliDevice, clock: Callable[[], float], process: "asyncssh.SSHServerProcess[str]"
    ) -> None:
        self._device = device
        self._clock = clock
        self._process = process
        self._privileged = not device.enable_secret
        self._asks_secret = False

    async def run(self) -> None:
        """Talk until the other side ends it."""
        with suppress(OSError, asyncssh.Error, asyncssh.BreakReceived, asyncssh.SignalReceived):
            await self._talk()
        with suppress(OSError, asyncssh.Error):
            self._process.exit(0)

    async def _talk(self) -> None:
        self._say("\r\n" + self._prompt())
        line = ""
        while keys := await self._keys():
            for key in keys.replace("\r\n", "\n").replace("\r", "\n"):
                # Each key is echoed in its turn: an echo that runs ahead of the prompt makes clients
                # take two prompts for one.
                if key != "\n":
                    line = self._typed(line, key)
                    continue
                if not self._entered(line.strip()):
                    return
                line = ""
            await self._process.stdout.drain()

    async def _keys(self) -> str:
        while True:
            try:
                return await self._process.stdin.read(4096)
            except asyncssh.TerminalSizeChanged:
                continue

    def _typed(self, line: str, key: str) -> str:
        if key in "\b\x7f":
            self._say("\b \b" if line and not self._asks_secret else "")
            return line[:-1]
        if not key.isprintable() or len(line) >= LINE_LIMIT:
            return line
        self._say("" if self._asks_secret else key)
        return line + key

    def _entered(self, line: str) -> bool:
        """Answer one line and prompt for the next; False ends the session."""
        if self._asks_secret:
            output = self._secret(line)
        elif line and matches(line, "exit", "logout", "quit"):
            return False
        else:
            output = self._answer(line)
        self._say("\r\n" + "".join(text + "\r\n" for text in output) + self._prompt())
        return True

    def _answer(self, line: str) -> list[str]:
        if not line or matches(line, "terminal length 0", "terminal width 511"):
            return []
        if matches(line, "enable") and not self._privileged:
            self._asks_secret = True
            return []
        if matches(line, "enable", "disable"):
            self._privileged = matches(line, "enable") or not self._device.enable_secret
            return []
        for command, (answer, privileged) in COMMANDS.items():
            if matches(line, command) and (self._privileged or not privileged):
                return answer(self._device.spec, self._clock())
        return _INVALID

    def _secret(self, line: str) -> list[str]:
        self._asks_secret = False
        self._privileged = line == self._device.enable_secret
        return [] if self._privileged else ["% Access denied"]

    def _prompt(self) -> str:
        if self._asks_secret:
            return "Password: "
        return self._device.name + ("#" if self._privileged else ">")

    def _say(self, text: str) -> None:
        self._process.stdout.write(text)


def matches(line: str, *commands: str) -> bool:
    """Tell whether a line is one of these commands; as in IOS, a word may be cut short, and case is nothing.

    A number matches any number.
    """
    return any(_matches(line.lower().split(), command.split()) for command in commands)


def _matches(words: list[str], command: list[str]) -> bool:
    if len(words) != len(command):
        return False
    pairs: Any = zip(words, command, strict=True)
    return all(full.startswith(word) or (full.isdigit() and word.isdigit()) for word, full in pairs)
