"""What the inventory says of a device becomes what is asked: its site, its engine, its way of asking."""

from pathlib import Path

import pytest
from sqlmodel import select

from inventory.history import Author
from inventory.models import Device
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor import store
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import load
from tests.homes import prepare


@pytest.fixture
def home(scrubbed: Path) -> Path:
    prepare(load())
    return scrubbed


def add(names: dict[str, dict[str, object]]) -> None:
    with session(open_engine(load())) as opened:
        writer = Writer(opened, Author("t", utc_now()))
        for name, row in names.items():
            noun, _, called = name.partition(" ")
            writer.put(noun, {"name": called, **row})
        writer.finish()


def sites() -> dict[str, str]:
    settings = load()
    with session(open_engine(settings)) as opened:
        devices = list(opened.exec(select(Device)))
        found = store.targets(opened, devices, open_vault(settings.home), settings)
    return {t.name: t.site for t in found}


def test_devices_of_one_site_share_its_link_whatever_room_they_are_in(home: Path) -> None:
    add(
        {
            "place tangerang": {"kind": "regency"},
            "place kantor-mauk": {"kind": "site", "parent": "tangerang"},
            "place lantai-2": {"kind": "room", "parent": "kantor-mauk"},
            "place rak-1": {"kind": "rack", "parent": "lantai-2"},
            "device sw-1": {"role": "switch", "address": "127.0.0.1", "place": "rak-1"},
            "device sw-2": {"role": "switch", "address": "127.0.0.2", "place": "kantor-mauk"},
            "device sw-3": {"role": "switch", "address": "127.0.0.3", "place": "tangerang"},
            "device sw-4": {"role": "switch", "address": "127.0.0.4"},
        }
    )
    assert sites() == {"sw-1": "kantor-mauk", "sw-2": "kantor-mauk", "sw-3": "", "sw-4": ""}


def test_a_platform_says_which_engine_asks(home: Path) -> None:
    (home / "platforms").mkdir()
    text = 'name = "odd"\nvendor = "V"\ntitle = "T"\nengine = "pysnmp"\n[[match]]\ndescr = "odd"\n'
    (home / "platforms" / "odd.toml").write_text(text, "utf-8")
    add({"device sw-1": {"role": "switch", "address": "127.0.0.1", "platform": "odd"}})
    settings = load()
    with session(open_engine(settings)) as opened:
        (found,) = store.targets(opened, list(opened.exec(select(Device))), open_vault(home), settings)
    assert found.engine == "pysnmp"
