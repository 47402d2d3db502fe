"""Serves simulated devices over real SSH: a port each on one address, or an address each on one port."""

import asyncio
import hmac
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import asyncssh

from tests.simulators.cli.device import Device
from tests.simulators.cli.session import Session

KEY = asyncssh.generate_private_key("ssh-ed25519")


class _Door(asyncssh.SSHServer):
    """Lets in the device's user, by password or key."""

    def __init__(self, device: Device, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._device, self._connections = device, connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._mine = conn
        faults = self._device.faults
        if self._device.holds(faults.cut_by) or self._device.holds(faults.shut_by):
            self._device.clock.passes(faults.knock_s)
            conn.abort()
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._mine)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        right = hmac.compare_digest(password.encode(), self._device.password.encode())
        right = right and username.partition("+")[0] == self._device.user
        self._device.logins += right
        return right

    def public_key_auth_supported(self) -> bool:
        return bool(self._device.public_key)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        right = key == asyncssh.import_public_key(self._device.public_key)
        right = right and username.partition("+")[0] == self._device.user
        self._device.logins += right
        return right


class Servers:
    """The running servers, `ports` in the order of the devices; made by `serve`."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self._servers: list[asyncssh.SSHAcceptor] = []
        self._connections: set[asyncssh.SSHServerConnection] = set()

    async def open(self, device: Device, address: str, port: int, key: asyncssh.SSHKey) -> None:
        """Start the server of one device."""

        async def handle(process: "asyncssh.SSHServerProcess[str]") -> None:
            await Session(device, process).run()

        server = await asyncssh.create_server(
            lambda: _Door(device, self._connections),
            address,
            port,
            server_host_keys=[key],
            server_version=device.dialect.ssh_version,
            process_factory=handle,
            encoding="utf-8",
            errors="surrogateescape",
            line_editor=False,
            agent_forwarding=False,
            login_timeout=30,
        )
        self._servers.append(server)
        self.ports.append(server.get_port())

    async def close(self) -> None:
        """Stop every server and hang up on everybody."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.abort()
            with suppress(OSError, asyncssh.Error):
                await connection.wait_closed()
        for server in self._servers:
            with suppress(OSError, asyncssh.Error):
                await server.wait_closed()


async def serve(
    devices: Sequence[Device],
    *,
    address: str = "127.0.0.1",
    addresses: Sequence[str] = (),
    port: int = 0,
    key: asyncssh.SSHKey = KEY,
) -> Servers:
    """Start all devices: at `address` with a port each, or at `addresses`, one each, all on `port`."""
    servers = Servers()
    places = addresses or [address] * len(devices)
    for device, place in zip(devices, places, strict=True):
        await servers.open(device, place, port, key)
    return servers


@contextmanager
def running(
    devices: Sequence[Device],
    *,
    address: str = "127.0.0.1",
    addresses: Sequence[str] = (),
    port: int = 0,
    key: asyncssh.SSHKey = KEY,
) -> Iterator[list[int]]:
    """Serve in a thread of its own while the block lasts, and give the ports."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="cli-simulator", daemon=True)
    thread.start()

    def wait(work: object) -> object:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    servers = wait(serve(devices, address=address, addresses=addresses, port=port, key=key))
    try:
        yield servers.ports
    finally:
        wait(servers.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
