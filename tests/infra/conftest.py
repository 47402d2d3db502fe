"""Real SSH hosts for the tests of provisioning: directories with a shell behind asyncssh, without root."""

import asyncio
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select

from demo.hosts import Host, Hosts, Login, serve
from infra.around import NOTHING, Around
from infra.desk import Desk
from infra.events import TaskEvent
from inventory.credentials import store_secret
from inventory.models import Credential, Device, Place
from inventory.store import make_engine, session
from siaga.secrets import open_vault
from siaga.settings import Settings
from tests.homes import prepare

USER = "siaga"
NOW = datetime(2026, 11, 24, 0, 15, 2, tzinfo=UTC)
# Secrets that must be found nowhere but in the sealed table.
AUTH, PRIV = "canary-auth-7Qx2", "canary-priv-9Zk4"


@dataclass
class Farm:
    """Running hosts and how to log in to them. `key` is the private half, in OpenSSH's format."""

    hosts: list[Host]
    port: int
    password: str
    key: str


@dataclass
class Regency:
    """A home with an inventory of the farm's hosts, and what provisioning works with."""

    farm: Farm
    engine: Engine
    settings: Settings
    seen: list[TaskEvent] = field(default_factory=list)
    now: datetime = NOW
    who: str = "tester"
    around: Around = NOTHING

    @property
    def desk(self) -> Desk:
        """A desk whose clock stands still."""
        vault = open_vault(self.settings.home)
        return Desk(self.engine, vault, self.settings, self.who, lambda: self.now, self.around)

    def change(self, name: str, **values: Any) -> None:
        """Change a device's row."""
        with session(self.engine) as opened:
            device = opened.exec(select(Device).where(Device.name == name)).one()
            for key, value in values.items():
                setattr(device, key, value)

    def play(self, name: str, text: str, front: str = 'risk = "low"') -> None:
        """Add a play to the folder of the operator's own."""
        folder = self.settings.playbooks[0]
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.toml").write_text(f'title = "{name}"\n{front}\n')
        (folder / f"{name}.yml").write_text(text)


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
def farm(loop: asyncio.AbstractEventLoop, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Farm]:
    """Serve two hosts on their own loopback addresses, or as many as the test asks for (indirect parameter)."""
    net = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250) + 1}"
    hosts = [
        Host(f"srv-{i}", f"{net}.{i}", tmp_path / "hosts" / f"srv-{i}")
        for i in range(1, getattr(request, "param", 2) + 1)
    ]
    key = asyncssh.generate_private_key("ssh-ed25519")
    password = "canary-pw-" + secrets.token_hex(8)
    public = key.export_public_key().decode().strip()
    (tmp_path / "keys").mkdir()

    async def up() -> Hosts:
        return await serve(hosts, 0, Login(USER, password, public), tmp_path / "keys")

    running = asyncio.run_coroutine_threadsafe(up(), loop).result(20)
    try:
        yield Farm(hosts, running.port, password, key.export_private_key().decode())
    finally:
        asyncio.run_coroutine_threadsafe(running.close(), loop).result(20)


@pytest.fixture
def regency(farm: Farm, tmp_path: Path) -> Iterator[Regency]:
    """Make a home whose inventory holds the farm: srv-1 is entered with a key, the others with a password."""
    settings = Settings(home=tmp_path / "home", playbooks=(tmp_path / "plays",))
    prepare(settings)
    engine = make_engine(settings.database)
    with session(engine) as opened:
        vault = open_vault(settings.home)
        place = Place(name="Ruang server", kind="room", kecamatan="Sepatan Timur")
        by_key = Credential(name="by-key", kind="ssh-key", username=USER)
        by_password = Credential(name="by-password", kind="ssh-password", username=USER)
        snmp = Credential(
            name="v3", kind="snmp-v3", username="monitor", auth_protocol="SHA-256", priv_protocol="AES"
        )
        opened.add_all([place, by_key, by_password, snmp])
        opened.flush()
        store_secret(opened, vault, by_key.id or 0, "key", SecretStr(farm.key))
        store_secret(opened, vault, by_password.id or 0, "password", SecretStr(farm.password))
        store_secret(opened, vault, snmp.id or 0, "auth", SecretStr(AUTH))
        store_secret(opened, vault, snmp.id or 0, "priv", SecretStr(PRIV))
        for number, host in enumerate(farm.hosts):
            login = by_password if number else by_key
            opened.add(_device(host, farm.port, login, snmp, place))
    yield Regency(farm, engine, settings)
    engine.dispose()


def _device(host: Host, port: int, login: Credential, snmp: Credential, place: Place) -> Device:
    return Device(
        name=host.name,
        role="server",
        address=host.address,
        ssh_port=port,
        place_id=place.id,
        credential_id=snmp.id,
        ssh_credential_id=login.id,
        vars={"siaga_root": str(host.root), "siaga_manage_packages": False, "siaga_manage_services": False},
    )


def files(root: Path) -> dict[str, bytes]:
    """Return every file below `root` with its content, but for Ansible's and the shell's own scratch."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and p.relative_to(root).parts[0] not in ("tmp", ".cache")
    }


@pytest.fixture
def watch(regency: Regency) -> Callable[[TaskEvent], None]:
    """Keep what a job tells while it runs."""
    return regency.seen.append
