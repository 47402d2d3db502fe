"""The simulated regency is consistent, imports as it is, says what is invented, and its world ends when it should."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from demo.agents import Mood
from demo.layout import MANAGED
from demo.regency import COLUMNS, Regency, Secrets, build, facts, plain, workbook
from demo.world import Ports, World, WorldProcess, second_of_day, start
from inventory.history import Author
from inventory.imports.load import load
from inventory.imports.reading import read_sheets
from inventory.store import open_engine, session
from inventory.writing import Writer
from siaga.errors import SiagaError
from siaga.settings import Settings
from tests.homes import prepare

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
KEYS = Secrets.drawn()


def _regency(home: Path = Path("/nowhere"), seed: int = 1) -> Regency:
    return build(home, seed, KEYS)


def test_it_is_as_large_as_promised() -> None:
    regency = _regency()
    roles = Counter(row["role"] for row in regency.sheets["device"])
    assert len(regency.agents) + len(regency.command_lines) >= 120
    assert {"core-router", "router", "firewall", "switch", "radio", "server", "ups"} == set(roles)
    assert len(regency.hosts) >= 3
    assert 2 <= len(regency.command_lines) <= 4


def test_the_same_seed_gives_the_same_regency_and_another_seed_another() -> None:
    assert _regency() == _regency()
    assert _regency() != _regency(seed=2)


def test_names_and_addresses_are_unique() -> None:
    regency = _regency()
    for noun, rows in regency.sheets.items():
        keys = [(row.get("device"), row["name"]) if noun == "interface" else row["name"] for row in rows]
        assert max(Counter(keys).values()) == 1, noun
    addresses = [one.address for one in regency.agents + regency.command_lines]
    assert len(set(addresses)) == len(addresses)
    assert all(address.startswith("127.77.") for address in addresses)


def test_every_device_has_the_interfaces_of_its_rows() -> None:
    regency = _regency()
    said = {(row["device"], row["name"]) for row in regency.sheets["interface"]}
    shown = {
        (one.spec.name, p.name) for one in regency.agents + regency.command_lines for p in one.spec.ports
    }
    assert shown == said


def test_both_ends_of_a_link_see_the_same_traffic() -> None:
    regency = _regency()
    ports = {
        f"{d.spec.name}:{p.name}": p for d in regency.agents + regency.command_lines for p in d.spec.ports
    }
    for link in regency.sheets["link"]:
        a, z = ports[link["a_interface"]], ports[link["z_interface"]]
        assert (a.tx, a.rx) == (z.rx, z.tx), link["name"]


def test_no_line_carries_more_than_was_bought() -> None:
    regency = _regency()
    ports = {f"{d.spec.name}:{p.name}": p for d in regency.agents for p in d.spec.ports}
    for row in regency.sheets["connection"]:
        port = ports[row["interface"]]
        peak = max(port.rx.rate(t) for t in range(0, 86_400, 31)) * 8
        assert 0 < peak <= row["committed_down_bps"], row["name"]


def test_the_behaviours_named_in_the_data_belong_to_devices() -> None:
    regency = _regency()
    names = {one.spec.name for one in regency.agents}
    odd = facts()["behaviour"]
    assert {name for kind in odd.values() for name in kind} <= names
    moods = Counter(one.behaviour.mood for one in regency.agents)
    assert moods[Mood.down] >= 3
    assert moods[Mood.slow] >= 2
    assert moods[Mood.lossy] >= 2


def test_what_is_invented_says_so_and_facts_name_their_source() -> None:
    sheets = _regency().sheets
    for noun in ("contract", "device_type", "device", "interface", "link", "connection", "provider"):
        assert all("ilustrasi" in row["notes"] for row in sheets[noun]), noun
    kecamatan = [row for row in sheets["place"] if row["kind"] == "kecamatan"]
    assert len(kecamatan) == 29
    assert all("Permendagri 72/2019" in row["notes"] for row in kecamatan)
    assert {row["position_kind"] for row in kecamatan} == {"centroid"}
    assert Counter(row["kind"] for row in sheets["agency"]) == {
        "opd": 31,
        "kecamatan": 29,
        "rsud": 4,
        "puskesmas": 29,
    }


def test_secrets_are_drawn_anew_and_stand_in_no_row_and_no_repr(tmp_path: Path) -> None:
    assert not set(plain(Secrets.drawn()).values()) & set(plain(KEYS).values())
    regency = _regency()
    workbook(tmp_path / "regency.xlsx", regency)
    cells = "\n".join(
        str(cell)
        for sheet in load_workbook(tmp_path / "regency.xlsx")
        for row in sheet.values
        for cell in row
    )
    for secret in plain(KEYS).values():
        assert secret not in cells
        assert secret not in repr(regency)
        assert secret not in repr(KEYS)


def test_the_workbook_has_a_sheet_for_each_noun_in_the_order_of_the_import(tmp_path: Path) -> None:
    workbook(tmp_path / "regency.xlsx", _regency())
    book = load_workbook(tmp_path / "regency.xlsx", read_only=True)
    assert book.sheetnames == list(COLUMNS)
    heads = {sheet.title: " ".join(next(sheet.iter_rows(values_only=True))) for sheet in book}
    assert heads == dict(COLUMNS)
    book.close()


def test_siaga_imports_the_workbook_without_a_single_problem(tmp_path: Path, scrubbed: Path) -> None:
    regency = _regency(tmp_path)
    workbook(tmp_path / "regency.xlsx", regency)
    settings = Settings(home=scrubbed)
    prepare(settings)
    engine = open_engine(settings)
    author = Author("demo", NOW, "test")
    with session(engine) as opened:
        writer = Writer(opened, author)
        for one in regency.credentials:
            columns = ("name", "kind", "username", "auth_protocol", "priv_protocol")
            writer.put("credential", {column: getattr(one, column) for column in columns})
    load(engine, read_sheets(str(tmp_path / "regency.xlsx")), author)
    with session(engine) as opened:
        writer = Writer(opened, author)
        counts = {noun: len(writer.names(noun)) for noun in COLUMNS}
    engine.dispose()
    assert counts == {noun: len(rows) for noun, rows in regency.sheets.items()}


def test_the_day_of_the_traffic_is_the_regencys_own() -> None:
    assert second_of_day(datetime(2026, 11, 24, 3, 0, 5, tzinfo=UTC)) == 10 * 3600 + 5


# -- the world -------------------------------------------------------------------------------------------------


def _started(home: Path, ports: Ports | None = None) -> WorldProcess:
    return start(home, 1, KEYS, NOW, ports or Ports(0, 0))


def _ended(pid: int, bound_s: float = 10.0) -> bool:
    """Tell whether the process ends within the bound; a zombie has ended."""
    deadline = time.monotonic() + bound_s
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_a_world_inside_this_process_starts_and_ends(tmp_path: Path) -> None:
    async def run() -> Ports:
        async with World(tmp_path, 1, KEYS, Ports(0, 0), 0.0) as world:
            return world.ports

    ports = asyncio.run(run())
    assert ports.snmp > 1023
    assert ports.ssh > 1023


def test_a_world_in_a_process_starts_tells_its_ports_and_stops(tmp_path: Path) -> None:
    with _started(tmp_path) as world:
        assert world.alive()
        line = Path(f"/proc/{world.pid}/cmdline").read_bytes()
        known = (tmp_path / "keys" / "known_hosts").read_text()
    assert not world.alive()
    assert world.process.returncode == 0
    assert not any(secret.encode() in line for secret in plain(KEYS).values())
    assert known.count(f"]:{world.ports.ssh} ssh-ed25519 ") == len(MANAGED)
    assert (tmp_path / "world.log").read_text() == ""
    world.stop()


def test_a_port_in_use_is_told_by_the_parent_and_leaves_no_process(tmp_path: Path) -> None:
    with _started(tmp_path / "one") as first, pytest.raises(SiagaError) as caught:
        _started(tmp_path / "two", first.ports)
    assert caught.value.code == "port-taken"
    assert str(first.ports.snmp) in caught.value.sentence


def test_a_world_that_hangs_is_killed_within_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.world.STOP_S", 0.3)
    world = _started(tmp_path)
    os.kill(world.pid, signal.SIGSTOP)
    world.stop()
    assert world.process.returncode == -signal.SIGKILL


PARENT = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from demo.regency import Secrets
from demo.world import Ports, start
print(start(Path(sys.argv[1]), 1, Secrets.drawn(), datetime.now(UTC), Ports(0, 0)).pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "kill"])
def test_the_world_ends_with_its_parent_however_that_dies(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.send_signal(how)
        assert _ended(pid)
