"""What is written is what is read, once, also above 2^63, late, in another layout, and from the first layout's file."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.samples import Asked, Key, Sample, open_samples, polls_of
from monitor.tsdb.store import EmbeddedStore
from siaga.errors import SiagaError, TemporaryError

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def points(store: EmbeddedStore, *keys: Key) -> dict[Key, list[tuple[datetime, int]]]:
    return {k: s.points() for k, s in store.read(keys, T0 - 9 * DAY, T0 + 9 * DAY).items()}


def test_values_come_back_by_time_and_once(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    big = 2**64 - 5
    samples = [Sample(1, "in_octets_64", "ether1", T0 + timedelta(seconds=i), big + i) for i in range(3)]
    for _ in range(2):
        store.write(polls_of(reversed(samples), [Asked(1, T0, True), Asked(2, T0, False)]))
    key = (1, "in_octets_64", "ether1")
    assert points(store, key, (9, "x", "")) == {key: [(s.at, s.value) for s in samples]}
    assert store.asked(T0, T0 + DAY) == {1: [Asked(1, T0, True)], 2: [Asked(2, T0, False)]}


def test_a_value_once_written_is_not_replaced(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    key = (1, "cpu", "")
    store.write(polls_of([Sample(1, "cpu", "", T0, 10)]))
    store.write(polls_of([Sample(1, "cpu", "", T0, 99), Sample(1, "memory", "", T0, 7)]))
    for _ in range(2):
        assert points(store, key, (1, "memory", "")) == {key: [(T0, 10)], (1, "memory", ""): [(T0, 7)]}
        store.maintain(T0 + 2 * DAY)
        store.write(polls_of([Sample(1, "cpu", "", T0, 98)]))


def test_a_round_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    good, bad = polls_of([Sample(1, "cpu", "", T0, 1)]), polls_of([Sample(2**40, "cpu", "", T0, 1)])
    with pytest.raises(ValueError, match="no place"):
        store.write(good + bad)
    assert points(store, (1, "cpu", "")) == {}


def test_an_empty_store_reads_as_empty(tmp_path: Path) -> None:
    store = open_samples(tmp_path)
    assert points(store, (1, "cpu", "")) == {}
    assert store.asked(T0, T0) == {}
    assert (store.last(T0), store.top("in_octets", T0)) == ({}, [])
    assert store.availability(T0, T0 + DAY, 60) == {}
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("a file where a folder should be")
    with pytest.raises(TemporaryError, match="cannot be used now"):
        EmbeddedStore(tmp_path / "s").write(polls_of([Sample(1, "cpu", "", T0, 1)]))


def test_late_data_and_a_new_layout_come_into_the_file_of_their_day(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    cpu, heat = (1, "cpu", ""), (1, "temperature", "inlet")
    store.write(polls_of([Sample(1, "cpu", "", T0 + i * MINUTE, i) for i in range(0, 100, 2)]))
    store.maintain(T0 + 2 * DAY)
    assert [p.name for p in (tmp_path / "s" / "raw").iterdir()] == ["2026-11-24.db"]
    late = [Sample(1, m, n, T0 + i * MINUTE, i) for i in range(1, 100, 2) for _, m, n in (cpu, heat)]
    store.write(polls_of(late))
    for _ in range(3):
        found = points(store, cpu, heat)
        assert found[cpu] == [(T0 + i * MINUTE, i) for i in range(100)]
        assert found[heat] == [(T0 + i * MINUTE, i) for i in range(1, 100, 2)]
        store.maintain(T0 + 2 * DAY)


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    first, second = EmbeddedStore(tmp_path / "s"), EmbeddedStore(tmp_path / "s", wait_s=0)
    with (
        first.writer(),
        pytest.raises(TemporaryError, match=r"samples-busy: Another process \(pid \d+\) writes"),
    ):
        second.write(polls_of([Sample(1, "cpu", "", T0, 1)]))
    second.write(polls_of([Sample(1, "cpu", "", T0, 1)]))
    assert points(first, (1, "cpu", "")) == {(1, "cpu", ""): [(T0, 1)]}


def test_what_is_too_old_is_removed_by_the_file(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    for day in range(6):
        store.write(polls_of([Sample(1, "cpu", "", T0 + day * DAY, day)]))
    store.compact(T0 + 5 * DAY)
    store.maintain(T0 + 6 * DAY, {"raw": 3, "r5": 4, "r60": 5})
    found = {tier: len(list((tmp_path / "s" / tier).iterdir())) for tier in ("raw", "r5", "r60")}
    assert found == {"raw": 3, "r5": 4, "r60": 5}
    assert [v for _, v in points(store, (1, "cpu", ""))[1, "cpu", ""]] == [3, 4, 5]


_OLD = """
CREATE TABLE series (id INTEGER PRIMARY KEY, device INTEGER NOT NULL, metric TEXT NOT NULL, instance TEXT NOT NULL,
  UNIQUE (device, metric, instance));
CREATE TABLE sample (series INTEGER NOT NULL, at_ms INTEGER NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY (series, at_ms)) WITHOUT ROWID;
CREATE TABLE asked (device INTEGER NOT NULL, at_ms INTEGER NOT NULL, answered INTEGER NOT NULL,
  PRIMARY KEY (device, at_ms)) WITHOUT ROWID;
"""


def test_samples_of_the_first_layout_are_brought_over_once(tmp_path: Path) -> None:
    at = [round((T0 + i * 5 * MINUTE).timestamp() * 1000) + 123 for i in range(600)]
    with closing(sqlite3.connect(tmp_path / "samples.db")) as old:
        old.executescript(_OLD)
        old.executemany(
            "INSERT INTO series VALUES (?, ?, ?, ?)",
            [(1, 5, "in_octets_64", "e1"), (2, 5, "uptime", ""), (3, 7, "cpu", "")],
        )
        old.executemany("INSERT INTO sample VALUES (1, ?, ?)", [(a, -600 + i) for i, a in enumerate(at)])
        old.executemany("INSERT INTO sample VALUES (2, ?, ?)", [(a, i) for i, a in enumerate(at[:300])])
        old.executemany("INSERT INTO sample VALUES (3, ?, ?)", [(at[0], 50)])
        old.executemany("INSERT INTO asked VALUES (5, ?, ?)", [(a, i % 9 > 0) for i, a in enumerate(at)])
        old.execute("INSERT INTO asked VALUES (8, ?, 0)", (at[0],))
        old.commit()
    keys = [(5, "in_octets_64", "e1"), (5, "uptime", ""), (7, "cpu", "")]
    for _ in range(2):
        with open_samples(tmp_path) as store:
            found = points(store, *keys)
            assert [v for _, v in found[keys[0]]] == [2**64 - 600 + i for i in range(600)]
            assert [round(t.timestamp() * 1000) for t, _ in found[keys[0]]] == at
            assert [v for _, v in found[keys[1]]] == list(range(300))
            assert [v for _, v in found[keys[2]]] == [50]
            asked = store.asked(T0 - DAY, T0 + 9 * DAY)
            assert [a.answered for a in asked[5]] == [i % 9 > 0 for i in range(600)]
            assert [a.answered for a in asked[8]] == [False]
            assert 7 not in asked
            store.maintain(T0 + 9 * DAY)
        assert not (tmp_path / "samples.db").exists()
        assert (tmp_path / "samples-migrated.db").exists()


def test_a_damaged_block_is_named_and_the_rest_can_be_read(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    for day in range(2):
        rows = [Sample(d, "cpu", "", T0 + day * DAY + i * MINUTE, i) for d in (1, 2) for i in range(300)]
        store.write(polls_of(rows))
    store.maintain(T0 + 4 * DAY)
    store.close()
    file = tmp_path / "s" / "raw" / "2026-11-24.db"
    with closing(sqlite3.connect(file)) as db:
        (key, data), *_ = db.execute("SELECT key, data FROM block ORDER BY key")
        db.execute("UPDATE block SET data = ? WHERE key = ?", (data[:-1] + bytes([data[-1] ^ 1]), key))
        db.commit()
    with pytest.raises(
        SiagaError, match=r"raw/2026-11-24.db, device 1, from 2026-11-24T00:00Z: its checksum"
    ):
        points(EmbeddedStore(tmp_path / "s"), (1, "cpu", ""))
    told = []
    some = EmbeddedStore(tmp_path / "s", on_damage=told.append)
    assert {k: len(v) for k, v in points(some, (1, "cpu", ""), (2, "cpu", "")).items()} == {
        (1, "cpu", ""): 300,
        (2, "cpu", ""): 600,
    }
    assert [(d.file, d.device) for d in told] == [(file, 1)]


@pytest.mark.parametrize("garbage", [b"", b"this is no database " * 100])
def test_a_day_file_that_is_none_is_named_and_the_other_days_can_be_read(
    tmp_path: Path, garbage: bytes
) -> None:
    with EmbeddedStore(tmp_path / "s") as store:
        for day in range(2):
            store.write(
                polls_of([Sample(1, "cpu", "", T0 + day * DAY, day)], [Asked(1, T0 + day * DAY, True)])
            )
        store.maintain(T0 + 4 * DAY)
    for tier in ("raw", "r5", "r60"):
        (tmp_path / "s" / tier / "2026-11-24.db").write_bytes(garbage)
    with pytest.raises(
        SiagaError, match=r"raw/2026-11-24.db, from 2026-11-24T00:00Z: the file cannot be read"
    ):
        points(EmbeddedStore(tmp_path / "s"), (1, "cpu", ""))
    told = []
    some = EmbeddedStore(tmp_path / "s", on_damage=told.append)
    assert points(some, (1, "cpu", "")) == {(1, "cpu", ""): [(T0 + DAY, 1)]}
    assert len(some.availability(T0, T0 + 4 * DAY, 60)) == 1
    assert len(some.bins([(1, "cpu", "")], T0, T0 + 4 * DAY, 300)) == 1
    assert {d.file.parent.name for d in told} == {"raw", "r5", "r60"}


def test_a_damaged_file_keeps_back_only_the_late_data_of_its_own_day(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "s") as store:
        store.write(polls_of([Sample(1, "cpu", "", T0, 1)]))
        store.maintain(T0 + 2 * DAY)
        (tmp_path / "s" / "raw" / "2026-11-24.db").write_bytes(b"this is no database " * 100)
        late = [Sample(1, "cpu", "", T0 + MINUTE, 2), Sample(1, "cpu", "", T0 + DAY, 3)]
        store.write(polls_of(late))
        store.maintain(T0 + 3 * DAY)
        done = store.compact(T0 + 3 * DAY)
        assert [d.file.name for d in done.damage] == ["2026-11-24.db"]
        (tmp_path / "s" / "raw" / "2026-11-24.db").unlink()
        assert [v for _, v in points(store, (1, "cpu", ""))[1, "cpu", ""]] == [2, 3]
