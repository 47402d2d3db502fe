"""Two who write at once: nothing is lost, nothing is half there, and the second is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inventory import writes
from siaga.outcome import Outcome
from tests.cli_runner import Siaga, runner, stored
from tests.homes import fresh


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


@pytest.fixture
def home(scrubbed: Path, siaga: Siaga) -> Path:
    fresh(scrubbed)
    siaga("device", "add", "rtr-1").well()
    siaga("device", "add", "rtr-2").well()
    return scrubbed


_MANY = """
import sys
import cli
codes = [cli.run(["device", "set", "rtr-1", f"var.{sys.argv[1]}_{n}=x"]) for n in range(12)]
codes += [cli.run(["device", "add", f"{sys.argv[1]}-{n}"]) for n in range(4)]
print(codes)
"""


def test_what_several_processes_write_at_once_is_all_there(home: Path, siaga: Siaga) -> None:
    environment = {**os.environ, "SIAGA_HOME": str(home)}
    at_work = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", _MANY, name],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b", "c")
    ]
    for process in at_work:
        out, err = process.communicate(timeout=120)
        assert json.loads(out.splitlines()[-1]) == [0] * 16, err
    row = json.loads(siaga("device", "show", "rtr-1", "-o", "json").well().out)
    assert set(row["vars"]) == {f"{name}_{n}" for name in "abc" for n in range(12)}
    siaga("history", "verify").well()
    assert stored(home)["history_head"][0][1] == 2 + 3 * 16


def test_a_file_that_is_older_than_the_row_does_not_overwrite_it(
    home: Path, siaga: Siaga, tmp_path: Path
) -> None:
    revision = stored_revision(home, "rtr-1")
    sheet = tmp_path / "device.csv"
    sheet.write_text(
        f"name,notes,revision\nrtr-1,from the file,{revision}\nrtr-2,also,{stored_revision(home, 'rtr-2')}\n"
    )
    siaga("device", "set", "rtr-1", "notes=by hand").well()
    (problem,) = siaga("import", sheet).failed(5, "bad-rows")
    assert problem.startswith(
        "device.csv, row 2, column revision: the row was changed since this file was written"
    )
    assert json.loads(siaga("device", "show", "rtr-2", "-o", "json").out)["notes"] == ""
    fresh = stored_revision(home, "rtr-1")
    sheet.write_text(f"name,notes,revision\nrtr-1,from the file,{fresh}\n")
    siaga("import", sheet).well()
    assert json.loads(siaga("device", "show", "rtr-1", "-o", "json").out)["notes"] == "from the file"
    sheet.write_text("name,notes,revision\nrtr-9,x,5\nrtr-1,x,soon\n")
    gone, wrong = siaga("import", sheet).failed(5, "bad-rows")
    assert "the row was removed since" in gone
    assert "must be a whole number" in wrong


def stored_revision(home: Path, name: str) -> int:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(home / "siaga.db")) as plain:
        return int(plain.execute("SELECT revision FROM device WHERE name = ?", (name,)).fetchone()[0])


def test_a_change_while_somebody_is_asked_is_noticed(
    home: Path, siaga: Siaga, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> None:
        subprocess.run(
            [sys.executable, "-P", "-m", "cli", "device", "set", "rtr-2", "role=switch"],
            env={**os.environ, "SIAGA_HOME": str(home)},
            check=True,
            capture_output=True,
        )

    monkeypatch.setattr(writes, "confirm", asked)
    said = siaga("device", "set", "name~^rtr", "role=router")
    assert (said.code, said.err.split(":")[1].strip()) == (5, "changed-meanwhile")
    assert json.loads(siaga("device", "show", "rtr-1", "-o", "json").out)["role"] == "other"


def test_asking_holds_no_lock(home: Path, monkeypatch: pytest.MonkeyPatch, siaga: Siaga) -> None:
    """Somebody who goes for coffee at the question does not stop the poller from writing."""
    times: list[Outcome | int] = []

    def asked(*_: object, **__: object) -> None:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "cli", "agency", "add", "dinkes"],
            env={**os.environ, "SIAGA_HOME": str(home)},
            check=False,
            capture_output=True,
            timeout=60,
        )
        times.append(done.returncode)

    monkeypatch.setattr(writes, "confirm", asked)
    siaga("device", "set", "name~^rtr", "role=router").well()
    assert times == [0]
