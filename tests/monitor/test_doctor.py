"""`siaga doctor`: each thing that can be wrong is found, and named in one line with what to do."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from inventory.store import open_engine, session
from monitor.doctor import database, machine
from monitor.instance import keep_status, only
from monitor.models import DeviceState, Notification
from monitor.out import cursor as cursors
from monitor.samples import Asked, Sample, open_samples, polls_of
from monitor.tsdb.arrivals import Mark
from monitor.wishes import BACKUP, wish
from siaga.clock import shown, utc_now
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.monitor.out_world import regency

NOW = utc_now()


@pytest.fixture(autouse=True)
def now() -> None:
    """Begin each test now, and not when the tests were collected: siaga's own clock goes on meanwhile."""
    global NOW
    NOW = utc_now()


@pytest.fixture
def home(now: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that is well: devices judged just now, samples of an hour."""
    monkeypatch.setenv("SIAGA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(machine, "_kept", lambda: 0.01)  # what the machine of the tests does is not siaga's
    regency(tmp_path / "home", NOW)
    (tmp_path / "home").chmod(0o700)
    measured(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def siaga(home: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


def measured(home: Path, ago: timedelta = timedelta(), minutes: int = 5) -> None:
    with open_samples(home) as store:
        for n in range(minutes):
            at = NOW - ago - timedelta(minutes=n)
            store.write(polls_of([Sample(1, "uptime", "", at, 100 - n)], [Asked(1, at, True)]))


def writing(home: Path) -> Any:
    return session(open_engine(Settings(home=home)))


def found(siaga: Siaga, *words: str) -> list[tuple[str, str, str]]:
    """Return area, state and sentence of what is not well; each says what to do."""
    said = siaga("doctor", "-o", "json", "-q", *words)
    rows = json.loads(said.out)
    assert said.code == (6 if rows else 0), said
    assert all(r["said"].endswith(".") and r["todo"] for r in rows), rows
    return [(r["area"], r["state"], r["said"]) for r in rows]


def test_a_home_that_is_well_has_a_line_for_each_part_and_exit_code_0(siaga: Siaga) -> None:
    said = siaga("doctor", "--deep").well()
    areas = [line.split()[1] for line in said.out.splitlines()]
    for area in ("settings", "home", "key", "permissions", "database", "disk", "samples", "clock", "locks",
                 "service", "rounds", "outbox", "rules", "platforms", "routes", "versions"):  # fmt: skip
        assert area in areas
    assert all(line.startswith("ok ") for line in said.out.splitlines())
    assert said.err == "All is well.\n"
    assert found(siaga) == []


def no_key(home: Path) -> None:
    (home / "master.key").unlink()


def short_key(home: Path) -> None:
    (home / "master.key").chmod(0o600)
    (home / "master.key").write_bytes(b"short")


def open_home(home: Path) -> None:
    home.chmod(0o755)
    (home / "siaga.db").chmod(0o644)


def open_rules(home: Path) -> None:
    (home / "rules").mkdir()
    (home / "rules" / "own.toml").write_text(Path("monitor/rules/cpu-busy.toml").read_text())
    (home / "rules" / "own.toml").chmod(0o666)


def broken_rule(home: Path) -> None:
    (home / "rules").mkdir(mode=0o700)
    (home / "rules" / "panas.toml").write_text("of = 'device'\nmeasure = 3\n")


def old_schema(home: Path) -> None:
    with closing(sqlite3.connect(home / "siaga.db")) as plain, plain:
        plain.execute("UPDATE alembic_version SET version_num = '0005'")


def loose_rows(home: Path) -> None:
    with closing(sqlite3.connect(home / "siaga.db")) as plain, plain:
        plain.execute("UPDATE device_state SET device_id = 999 WHERE device_id = 1")


def damaged_block(home: Path) -> None:
    with closing(sqlite3.connect(home / "tsdb" / "hot.db")) as plain, plain:
        (data,) = plain.execute("SELECT data FROM head WHERE id = 1").fetchone()
        plain.execute("UPDATE head SET data = ? WHERE id = 1", (data[:-1] + bytes([data[-1] ^ 1]),))


def old_head(home: Path) -> None:
    measured(home, timedelta(hours=5))


def lost_day(home: Path) -> None:
    for days in (5, 4, 3):
        measured(home, timedelta(days=days))
    with open_samples(home) as store:
        store.maintain(NOW)
    lost = sorted((home / "tsdb" / "raw").glob("*.db"))[1]
    lost.unlink()


def old_rounds(home: Path) -> None:
    with writing(home) as opened:
        for row in opened.exec(select(DeviceState)):
            row.at = NOW - timedelta(hours=3)
            opened.add(row)


def from_the_future(home: Path) -> None:
    with writing(home) as opened:
        row = opened.exec(select(DeviceState).order_by(col(DeviceState.at).desc())).first()
        row.at = NOW + timedelta(days=3)
        opened.add(row)


def told(home: Path, status: str, minutes: float) -> None:
    at = NOW - timedelta(minutes=minutes)
    with writing(home) as opened:
        row = Notification(
            key=status, event="opened", route="noc", at=at, due_at=at, status=status, error="HTTP 502"
        )
        opened.add(row)


def unsaved(home: Path) -> None:
    with writing(home) as opened:
        wish(opened, 1, BACKUP, "changed", NOW - timedelta(days=2))


def ended(home: Path) -> None:
    keep_status(home, {"pid": 4, "ended": True, "at": shown(NOW)})


@pytest.mark.parametrize(
    ("hurt", "area", "state", "word"),
    [
        (no_key, "key", "wrong", "cannot be read (No such file or directory)"),
        (short_key, "key", "wrong", "has 5 octets and not 32"),
        (open_home, "permissions", "wrong", "siaga.db."),
        (open_rules, "permissions", "warning", "own.toml"),
        (broken_rule, "rules", "wrong", "panas.toml: measure"),
        (old_schema, "database", "wrong", "is at schema 0005"),
        (loose_rows, "database", "wrong", "1 row of device_state without the row of device"),
        (damaged_block, "samples", "wrong", "hot.db, device 1"),
        (old_head, "samples", "warning", "5 hours old"),
        (lost_day, "samples", "warning", "There is no file of 1 day in between"),
        (old_rounds, "rounds", "warning", "No device was judged for 3.0 hours"),
        (from_the_future, "rounds", "warning", "3.0 days in the future"),
        (lambda home: told(home, "waiting", 20), "outbox", "wrong", "late by noc: 1 message, HTTP 502"),
        (lambda home: told(home, "failed", 60), "outbox", "warning", "by noc: 1 message, HTTP 502"),
        (unsaved, "backups", "warning", "rtr-1"),
        (ended, "service", "wrong", "The service does not run; it has ended"),
    ],
)  # fmt: skip
def test_each_wrong_thing_is_found(
    home: Path, siaga: Siaga, hurt: Callable[[Path], None], area: str, state: str, word: str
) -> None:
    hurt(home)
    rows = found(siaga)
    assert [(a, s) for a, s, said in rows if word in said] == [(area, state)], rows
    assert {a for a, s, _ in rows if s == "wrong"} <= {area, "home"}, rows


def test_what_waits_for_its_time_is_no_finding(home: Path, siaga: Siaga) -> None:
    told(home, "waiting", 5)
    assert found(siaga) == []


def status(**more: Any) -> dict[str, Any]:
    said = {"pid": os.getpid(), "ended": False, "at": shown(utc_now()), "late_s": 0.2}
    return {**said, "unpolled_names": [], "samples_lost": 0, "problems": [], **more}


def test_the_service_that_runs_is_asked_how_it_is(home: Path, siaga: Siaga) -> None:
    with only(home):
        keep_status(home, status())
        assert found(siaga) == []
        assert f"the service is pid {os.getpid()}" in siaga("doctor").out
        bad = status(late_s=90.0, unpolled_names=["sw-1"], samples_lost=3, problems=["ping: no right"])
        keep_status(home, {**bad, "at": shown(utc_now() - timedelta(minutes=5))})
        said = " ".join(said for area, _, said in found(siaga) if area == "service")
        for word in (
            "said nothing of itself",
            "90 s behind",
            "(sw-1)",
            "Lost polls: 3",
            "ping: no right",
        ):
            assert word in said


def test_settings_that_name_what_is_not_there_and_routes_that_lead_nowhere(
    home: Path, siaga: Siaga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "siaga.toml"
    monkeypatch.setenv("SIAGA_CONFIG", str(file))
    file.write_text("""
[plugins.disk]
run = ["/nowhere/check_disk"]
[[routes]]
name = "noc"
channel = "telegram"
credential = "bot"
[[remote_write]]
name = "pusat"
url = "http://127.0.0.1:9/write"
""")
    file.chmod(0o600)
    failing = cursors.failed(cursors.begun(Mark(0, 0), 0.0), "connection refused", 0.0, 60)
    assert [(a, s) for a, s, _ in found(siaga)] == [
        ("settings", "wrong"), ("push", "warning"), ("routes", "wrong")
    ]  # fmt: skip
    cursors.write(home / cursors.FOLDER / "pusat.json", failing)
    assert ("push", "wrong", "'pusat' failed 1 time: connection refused.") in found(siaga)
    file.write_text("[monitor]\ncounters_s = 'often'\nxyz = 1\n")
    assert [a for a, _, _ in found(siaga)] == ["settings", "settings"]


def test_without_a_home_it_says_so_and_nothing_more(
    siaga: Siaga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIAGA_HOME", str(tmp_path / "nothing"))
    assert [(a, s) for a, s, _ in found(siaga)] == [("home", "wrong")]
    assert not (tmp_path / "nothing").exists()


def test_room_lasts_as_long_as_the_files_grow(tmp_path: Path) -> None:
    kept = {"raw": 90, "r5": 400, "r60": 1830}
    (tmp_path / "raw").mkdir()
    assert machine.growth(tmp_path, kept) == 0
    for day in range(1, 10):
        (tmp_path / "raw" / f"2026-03-{day:02}.db").write_bytes(b"x" * day * 100)
    assert machine.growth(tmp_path, kept) == 600  # the mean of the last seven
    assert machine.growth(tmp_path, {**kept, "raw": 9}) == 0  # as long as it may be: what comes goes


def test_the_kernel_is_asked_for_the_clock() -> None:
    kept = machine._kept()
    assert kept is None or kept >= 0


def test_the_newest_schema_is_that_of_the_migrations() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    assert database.newest_version() == ScriptDirectory.from_config(config).get_current_head()
