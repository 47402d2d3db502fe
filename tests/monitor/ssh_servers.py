"""Servers that the tests read: real SSH by asyncssh on the loopback, and sockets that are no SSH at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
from pydantic import SecretStr

from monitor.observation import Observation
from monitor.ssh import observe
from monitor.targets import SshAuth, Target
from siaga.hostkeys import HostKeys

NOW = datetime(2026, 3, 2, 3, 4, 5, tzinfo=UTC)
USER, PASSWORD = "noc", "rahasia-sekali"
KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER_KEY = asyncssh.generate_private_key("ssh-ed25519")

Handle = Callable[[Any], Awaitable[None]]


class Recorder(asyncssh.SSHServer):
    """Lets in USER with PASSWORD or with a key, and writes down whatever is tried."""

    def __init__(self, tried: list[str], key: asyncssh.SSHKey | None = None) -> None:
        self.tried = tried
        self.key = key

    def begin_auth(self, username: str) -> bool:
        self.tried.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self.tried.append(password)
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return self.key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self.key is not None and key == self.key.convert_to_public()


@asynccontextmanager
async def ssh_server(
    handle: Handle,
    tried: list[str] | None = None,
    key: asyncssh.SSHKey | list[asyncssh.SSHKey] = KEY,
    login: asyncssh.SSHKey | None = None,
    forward: list[tuple[str, int]] | None = None,
    **options: Any,
) -> AsyncIterator[int]:
    """Run a server on 127.0.0.1 and give its port; with `forward` it leads on to whom it notes there."""
    connections: list[asyncssh.SSHServerConnection] = []

    class Noting(Recorder):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

        def connection_requested(
            self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
        ) -> bool:
            if forward is not None:
                forward.append((dest_host, dest_port))
            return forward is not None

    talks: list[asyncio.Task[None]] = []

    async def handled(process: Any) -> None:
        talks.append(asyncio.ensure_future(handle(process)))
        await asyncio.shield(talks[-1])

    server = await asyncssh.create_server(
        lambda: Noting([] if tried is None else tried, login),
        "127.0.0.1",
        0,
        server_host_keys=key,
        process_factory=handled,
        line_editor=False,
        **options,
    )
    try:
        yield server.get_port()
    finally:
        server.close()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        await server.wait_closed()
        await asyncio.gather(*talks, return_exceptions=True)


async def shell(process: Any) -> None:
    """Run a real /bin/sh on pipes for the session."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec("/bin/sh", stdin=pipe, stdout=pipe)
    assert child.stdin
    assert child.stdout

    async def feed(stdin: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncssh.Error):
            while keys := await process.stdin.read(1024):
                stdin.write(keys.encode())
        stdin.close()

    feeding = asyncio.create_task(feed(child.stdin))
    with suppress(OSError, asyncssh.Error):
        while text := await child.stdout.read(65536):
            process.stdout.write(text.decode())
    await asyncio.gather(feeding, child.wait())
    process.exit(0)


def cli(answers: Mapping[str, str | None], prompt: str = "rtr1#") -> Handle:
    """Return a command line that gives these answers, and nothing at all, for ever, where one is None."""

    async def handle(process: Any) -> None:
        line = ""
        with suppress(OSError, asyncssh.Error):
            process.stdout.write(prompt)
            while keys := await process.stdin.read(1024):
                for key in keys:
                    if key != "\n":
                        process.stdout.write(key)
                        line += key
                    elif line == "hang up" or answers.get(line, "") == "hang up":
                        return process.exit(0)
                    elif (answer := answers.get(line, "")) is not None:
                        process.stdout.write("\r\n" + answer.replace("\n", "\r\n") + prompt)
                        line = ""
        return None

    return handle


@asynccontextmanager
async def tcp_server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Run a plain TCP server on 127.0.0.1 and give its port."""
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(OSError):
            await talk(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        await server.wait_closed()


def target(port: int, platform: str = "cisco_ios", password: str = PASSWORD, **auth: Any) -> Target:
    ssh = SshAuth(USER, SecretStr(password), **auth)
    return Target("rtr1", "127.0.0.1", ssh_port=port, platform=platform, ssh=ssh)


async def look(at: Target, hosts: Path, timeout_s: float = 10.0, *, accept_new: bool = True) -> Observation:
    """Read one device in a thread, while the server runs in this loop."""
    keys = HostKeys(hosts / "known_hosts", accept_new=accept_new)
    return await asyncio.to_thread(observe, at, now=NOW, known_hosts=keys, timeout_s=timeout_s)
