"""`siaga samples`: what was measured is shown, exported, checked and compacted, with clear words when it cannot be."""

import fcntl
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from pyarrow import parquet

from monitor.samples import Asked, Sample, open_samples, polls_of
from siaga.clock import utc_now
from tests.cli_runner import Siaga, runner
from tests.homes import fresh

NOW = utc_now().replace(microsecond=0)


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Siaga:
    siaga = runner(capsys)
    fresh(scrubbed)
    siaga("device", "add", "rtr-1", "role=router").well()
    monkeypatch.chdir(scrubbed.parent)
    return siaga


def measured(home: Path, *, days: int = 0) -> None:
    """Store an hour of a link at 8 Mbps, a temperature, and a reset in the middle."""
    start = NOW - timedelta(days=days, hours=1)
    samples = []
    for i in range(60):
        at = start + timedelta(minutes=i)
        ticks = (i if i < 30 else i - 30) * 6000 + 50_000 * (i < 30)
        octets = i * 60_000_000 if i < 30 else (i - 30) * 60_000_000
        samples += [
            Sample(1, "in_octets_64", "ether1", at, octets),
            Sample(1, "uptime", "", at, ticks),
            Sample(1, "temperature", "inlet", at, 4150 + i),
        ]
    with open_samples(home) as store:
        store.write(polls_of(samples, [Asked(1, s.at, True) for s in samples]))
        store.maintain(NOW)


def test_series_are_shown_as_people_read_them(siaga: Siaga, scrubbed: Path) -> None:
    measured(scrubbed)
    said = siaga("samples", "show", "rtr-1").well().out
    assert "8 Mbps" in said
    assert "42.09" in said
    points = json.loads(siaga("samples", "show", "rtr-1", "in_octets", "-o", "json").well().out)
    assert {p["value"] for p in points} == {8_000_000.0}
    assert len(points) == 58  # 59 increments but for the one in which the counter began again
    siaga("samples", "show", "rtr-1", "fan").failed(3, "no-such-metric")
    siaga("samples", "show", "nobody").failed(3, "nothing-selected")
    siaga("samples", "show", "rtr-1", "--since", "2026-11-02", "--until", "2026-11-01").failed(
        2, "empty-window"
    )


def test_nothing_measured_is_said(siaga: Siaga) -> None:
    assert "Nothing was measured" in siaga("samples", "show", "rtr-1").well().err
    assert "The samples are whole." in siaga("samples", "check").well().err


def test_parquet_holds_every_value(siaga: Siaga, scrubbed: Path) -> None:
    measured(scrubbed, days=2)
    measured(scrubbed)
    siaga("samples", "export", "--parquet", "all.parquet", "--since", "4d").well()
    rows = parquet.read_table("all.parquet").to_pylist()
    assert len(rows) == 360
    with open_samples(scrubbed) as store:
        key = (1, "in_octets_64", "ether1")
        stored = store.read([key], NOW - timedelta(days=5), NOW)[key].points()
    assert [(r["at"], r["value"]) for r in rows if r["metric"] == "in_octets_64"] == stored
    siaga("samples", "export", "--parquet", "days/", "--since", "4d", "name=rtr-1").well()
    assert sum(parquet.read_table(p).num_rows for p in Path("days").iterdir()) == 360


def test_an_export_begins_with_what_there_is_and_overwrites_nothing_else(
    siaga: Siaga, scrubbed: Path
) -> None:
    said = siaga("samples", "export", "--parquet", "none/").well()
    assert "Nothing was measured" in said.err
    assert not Path("none").exists()
    measured(scrubbed, days=1)
    siaga("samples", "export", "--parquet", "days/", "--since", "1900-01-01").well()
    assert len(list(Path("days").iterdir())) <= 3
    siaga("samples", "export", "--parquet", "one.parquet").well()
    siaga("samples", "export", "--parquet", "one.parquet").well()
    Path("letter.txt").write_text("to be kept")
    siaga("samples", "export", "--parquet", "letter.txt").failed(1, "export-failed")
    assert Path("letter.txt").read_text() == "to be kept"
    siaga("samples", "export", "--parquet", "letter.txt/days").failed(1, "export-failed")
    siaga("samples", "export", "--parquet", "days/", "--since", "2199-01-01").failed(2, "empty-window")


def test_damage_is_found_and_named(siaga: Siaga, scrubbed: Path) -> None:
    measured(scrubbed, days=3)
    siaga("samples", "compact").well()
    file = min((scrubbed / "tsdb" / "raw").iterdir())
    siaga("samples", "check").well()
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE block SET data = substr(data, 1, 20) WHERE key = (SELECT min(key) FROM block)")
        db.commit()
    said = siaga("samples", "check", "-o", "json")
    assert said.code == 6
    (row,) = json.loads(said.out)
    assert (row["file"], row["device"], row["reason"]) == (str(file), 1, "its checksum is wrong")
    siaga("samples", "show", "rtr-1", "--since", "9d").failed(1, "samples-damaged")


def test_a_second_compaction_is_told(siaga: Siaga, scrubbed: Path) -> None:
    measured(scrubbed, days=3)
    with (scrubbed / "tsdb" / "compact.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        siaga("samples", "compact").failed(75, "samples-busy")
