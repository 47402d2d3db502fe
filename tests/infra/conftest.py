"""Real SSH hosts for the tests of provisioning: directories with a shell behind asyncssh, without root."""

import asyncio
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from demo.hosts import Host, Hosts, Login, serve

USER = "siaga"


@dataclass
class Farm:
    """Running hosts and how to log in to them. `key` is the private half, in OpenSSH's format."""

    hosts: list[Host]
    port: int
    password: str
    key: str


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread for the servers, because Ansible runs beside the tests."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def farm(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Iterator[Farm]:
    """Serve three hosts on their own loopback addresses."""
    net = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250) + 1}"
    hosts = [Host(f"srv-{i}", f"{net}.{i}", tmp_path / "hosts" / f"srv-{i}") for i in (1, 2, 3)]
    key = asyncssh.generate_private_key("ssh-ed25519")
    password = "pw-" + secrets.token_hex(12)
    public = key.export_public_key().decode().strip()
    (tmp_path / "keys").mkdir()

    async def up() -> Hosts:
        return await serve(hosts, 0, Login(USER, password, public), tmp_path / "keys")

    running = asyncio.run_coroutine_threadsafe(up(), loop).result(20)
    try:
        yield Farm(hosts, running.port, password, key.export_private_key().decode())
    finally:
        asyncio.run_coroutine_threadsafe(running.close(), loop).result(20)
