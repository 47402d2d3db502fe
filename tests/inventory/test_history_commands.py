"""The commands on the history say who, when, why and what; a home that can only be read is read."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from inventory.history import last_hash
from inventory.store import open_engine, reading
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], settings: Settings) -> Siaga:
    return runner(capsys)


@pytest.fixture
def moved(siaga: Siaga) -> Siaga:
    siaga("device", "add", "rtr-1", "--why", "new box").well()
    siaga("device", "set", "rtr-1", "serial=9", "--why", "from the label").well()
    return siaga


def test_a_set_is_shown_whole(moved: Siaga, settings: Settings) -> None:
    (shown,) = json.loads(moved("history", "show", "2", "-o", "json").well().out)
    with reading(open_engine(settings)) as opened:
        assert shown["hash"] == last_hash(opened)
    assert (shown["id"], shown["why"], shown["cause"], shown["change_set"]) == (2, "from the label", "", 2)
    heading = moved("history", "show", "2").well().out.splitlines()[0]
    assert heading.split()[:3] == ["at", "who", "noun"]


def test_the_history_of_what_never_was_is_an_error(moved: Siaga) -> None:
    moved("device", "history", "nope").failed(3, "no-such-device")
    moved("node", "history", "x").failed(3, "no-such-node")
    moved("device", "rm", "rtr-1", "--yes").well()
    assert "from the label" in moved("device", "history", "rtr-1").well().out


def test_a_set_of_several_nouns_says_which(siaga: Siaga, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("devices: [{name: d}]\nplaces: [{name: p, kind: site}]\n")
    siaga("import", tmp_path / "all.yaml").well()
    (row,) = json.loads(siaga("history", "list", "-o", "json").well().out)
    assert row["what"] == "place p, device d"


def test_a_reason_is_short(siaga: Siaga) -> None:
    siaga("device", "add", "d", "--why", "x" * 200).well()
    siaga("device", "add", "e", "--why", "x" * 201).failed(5, "why-too-long")


def test_verify_speaks_json(moved: Siaga, settings: Settings) -> None:
    said = json.loads(moved("history", "verify", "-o", "json").well().out)
    assert (said["holds"], said["sealed"], said["problems"]) == (True, True, [])
    engine = open_engine(settings)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE device SET serial = 'EVIL'")
    engine.dispose()
    said = moved("history", "verify", "-o", "json")
    assert said.code == 6
    assert json.loads(said.out)["problems"] == ["device rtr-1: serial is EVIL, the history says 9"]


@pytest.mark.skipif("SIAGA_TEST_POSTGRESQL" in os.environ, reason="a file of SQLite")
def test_a_home_that_cannot_be_written_is_read_and_verified(
    moved: Siaga, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "copy"
    home.mkdir()
    path = home / "siaga.db"
    with closing(sqlite3.connect(settings.home / "siaga.db")) as own, closing(sqlite3.connect(path)) as copy:
        own.backup(copy)  # as it is when nobody has it open
    shutil.copy(settings.home / "master.key", home)
    monkeypatch.setenv("SIAGA_HOME", str(home))
    before = sorted(p.name for p in home.iterdir())
    content = path.read_bytes()
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)  # root may write everything
    assert "rtr-1" in moved("device", "list", "role=other").well().out
    moved("history", "verify").well()
    moved("impact", "rtr-1", "--root", "rtr-1").well()
    moved("device", "set", "rtr-1", "notes=x").failed(75, "database-readonly")
    assert str(path) in moved("device", "set", "rtr-1", "notes=x").err
    assert sorted(p.name for p in home.iterdir()) == before
    assert path.read_bytes() == content


def test_a_row_that_came_back_to_its_name_keeps_what_it_was_called_in_between(siaga: Siaga) -> None:
    siaga("device", "add", "a", "notes=satu").well()
    siaga("device", "set", "a", "name=b").well()
    siaga("device", "set", "b", "notes=dua").well()
    siaga("device", "set", "b", "name=a").well()
    siaga("device", "set", "a", "notes=tiga").well()
    found = json.loads(siaga("device", "history", "a", "-o", "json").well().out)
    assert [e["after"] for e in found][1:] == [
        {"name": "b"},
        {"notes": "dua"},
        {"name": "a"},
        {"notes": "tiga"},
    ]
