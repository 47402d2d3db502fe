"""A home with devices that are real SSH servers with a command line that remembers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select

from inventory.credentials import store_secret
from inventory.history import Author
from inventory.models import Credential, Device
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Settings
from tests.homes import prepare
from tests.simulators.cli.device import Device as Simulated
from tests.simulators.cli.device import Faults
from tests.simulators.cli.dialect import dialect
from tests.simulators.cli.server import KEY, running

CONFIGS = Path(__file__).parent.parent / "simulators" / "configs"
ENABLE = "rahasia-enable"


def text_of(make: str) -> str:
    """Return the configuration of a make that was written for the tests."""
    return (CONFIGS / f"{make}.txt").read_text("utf-8")


def simulated(make: str, text: str = "", **options: Any) -> Simulated:
    """Return a device of a make; one that has user mode needs the enable secret."""
    known = dialect(make)
    enable = ENABLE if known.enable and not known.enable_free and make != "fiberhome" else ""
    return Simulated(make, text or text_of(make), enable_secret=enable, **options)


@dataclass
class World:
    """The home, its devices by name, and where they listen."""

    settings: Settings
    engine: Engine
    devices: Mapping[str, Simulated]
    ports: Mapping[str, int]

    @property
    def ids(self) -> dict[str, int]:
        """Device name → id."""
        with reading(self.engine) as opened:
            return {d.name: d.id or 0 for d in opened.exec(select(Device))}

    def put(self, noun: str, **values: Any) -> None:
        """Add or change a row."""
        with session(self.engine) as writing:
            writer = Writer(writing, Author("tests", utc_now()))
            writer.put(noun, values)
            writer.finish()


def faulty(make: str, text: str = "", **faults: Any) -> Simulated:
    """Return a device that misbehaves."""
    return simulated(make, text, faults=Faults(**faults))


@contextmanager
def world(
    home: Path, devices: Mapping[str, Simulated], key: Any = KEY, role: str = "switch", **ssh: Any
) -> Iterator[World]:
    """Serve the devices and record them in a new home (or the one that is there)."""
    settings = Settings(home=home, ssh={"timeout_s": 10.0, **ssh})  # type: ignore[arg-type]
    if not (home / "siaga.db").exists():
        prepare(settings)
    engine = open_engine(settings)
    with running(list(devices.values()), key=key) as ports:
        places = dict(zip(devices, ports, strict=True))
        made = World(settings, engine, devices, places)
        _record(made, role)
        yield made
    engine.dispose()


def _record(made: World, role: str) -> None:
    vault = open_vault(made.settings.home)
    with session(made.engine) as writing:
        writer = Writer(writing, Author("tests", utc_now()))
        for name, device in made.devices.items():
            values = {"name": f"ssh-{name}", "kind": "ssh-password", "username": device.user}
            writer.put("credential", values)
            writer.put(
                "device",
                {
                    "name": name,
                    "role": role,
                    "platform": device.dialect.platform,
                    "address": "127.0.0.1",
                    "ssh_port": made.ports[name],
                    "transport": "none",
                    "ssh_credential": f"ssh-{name}",
                },
            )
        writer.finish()
        ids = {c.name: c.id for c in writing.exec(select(Credential))}
        for name, device in made.devices.items():
            secrets: Sequence[tuple[str, str]] = (
                ("password", device.password),
                ("enable", device.enable_secret),
            )
            for part, secret in secrets:
                if secret:
                    store_secret(writing, vault, ids[f"ssh-{name}"] or 0, part, SecretStr(secret))
