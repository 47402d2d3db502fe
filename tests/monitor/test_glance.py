"""What the monitor gives to whoever changes devices: a glance, and windows that end by themselves."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select

from inventory.credentials import store_secret
from inventory.models import Credential, Device, Service
from inventory.select import selected
from inventory.store import make_engine, reading, session
from monitor.glance import Eyes, Glimpse
from monitor.maintenance import open_windows
from monitor.models import Maintenance
from monitor.work_windows import WorkWindows, selectors
from siaga.secrets import open_vault
from siaga.settings import Poll, Settings
from tests.homes import prepare

NOW = datetime(2026, 11, 24, 0, 15, tzinfo=UTC)
NAMES = ["rtr-1", "rtr 2", "rtr'3"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(home=tmp_path / "home", poll=Poll(timeout_s=0.2, retries=0))
    prepare(found)
    return found


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    found = make_engine(settings.database)
    with session(found) as opened:
        secret = Credential(name="c", kind="snmp-v2c")
        opened.add(secret)
        opened.flush()
        store_secret(opened, open_vault(settings.home), secret.id or 0, "community", SecretStr("x"))
        for number, name in enumerate(NAMES):
            opened.add(
                Device(name=name, address=f"127.85.9.{number + 1}", snmp_port=25611, credential_id=secret.id)
            )
        opened.add(Device(name="unasked", address="127.85.9.9"))
    yield found
    found.dispose()


def test_who_is_silent_is_down_and_who_cannot_be_asked_is_not_observed(
    settings: Settings, engine: Engine
) -> None:
    with socket.create_server(("127.85.9.1", 0)) as listening:
        with session(engine) as opened:
            port = listening.getsockname()[1]
            opened.add(Service(name="door", url="", check="tcp", port=port, device_id=1))
            opened.add(Service(name="shut", url="tcp://127.85.9.1:25612", device_id=1))
            opened.add(Service(name="unwatched", check="none", device_id=1))
        glance = Eyes(engine, settings).glance(
            [*NAMES, "unasked", "nobody"], ["door", "shut", "unwatched", "none"]
        )
    assert {n: g.state for n, g in glance.devices.items()} == dict.fromkeys(NAMES, "down")
    assert all(g.reason for g in glance.devices.values())
    assert {n: g.state for n, g in glance.services.items()} == {"door": "up", "shut": "down"}
    assert Eyes(engine, settings).glance([], []).devices == {}
    assert Glimpse("up").neighbours is None


def windows(engine: Engine) -> list[tuple[str, bool]]:
    with reading(engine) as opened:
        rows = opened.exec(select(Maintenance).order_by(Maintenance.name)).all()
        return [(w.name, w.ended_at is None) for w in rows]


def open_at(engine: Engine, at: datetime) -> set[int]:
    with reading(engine) as opened:
        return {i for w in open_windows(opened, at) for i in selected(opened, "device", w.selector)}


def test_a_window_is_a_lease_that_is_renewed_and_closed(engine: Engine) -> None:
    work = WorkWindows(engine)
    work.hold("job 7", NAMES, NOW + timedelta(minutes=2), "budi", NOW)
    assert open_at(engine, NOW) == {1, 2, 3}, "whatever they are called"
    work.hold("job 7", NAMES, NOW + timedelta(minutes=3), "budi", NOW + timedelta(minutes=1))
    assert open_at(engine, NOW + timedelta(minutes=2.5)) == {1, 2, 3}
    assert open_at(engine, NOW + timedelta(minutes=3)) == set(), "were siaga killed, it ends by itself"
    work.close("job 7", NOW + timedelta(minutes=2))
    assert open_at(engine, NOW + timedelta(minutes=2.5)) == set()
    assert windows(engine) == [("job-7", False)]
    work.close("job 7", NOW + timedelta(minutes=2))
    work.close("job 8", NOW)
    work.hold("job 7", NAMES[:1], NOW + timedelta(hours=1), "budi", NOW + timedelta(minutes=50))
    assert open_at(engine, NOW + timedelta(minutes=50)) == {1}
    assert [is_open for _, is_open in windows(engine)].count(True) == 1


def test_many_devices_are_several_selectors_none_too_long() -> None:
    names = [f"rtr-kecamatan-{n:04}" for n in range(1000)]
    found = list(selectors(names))
    assert len(found) > 1
    assert max(map(len, found)) < 4000
    assert [w.strip("'") for s in found for w in s.split(",")] == names
    assert list(selectors([])) == []
