"""Killed, cut off at each step, out of disk, locked: what was acknowledged is there, and the store is whole."""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.samples import Layout, Poll, ms_of, time_of
from monitor.tsdb.check import check
from monitor.tsdb.store import EmbeddedStore
from siaga.errors import SiagaError, TemporaryError

T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LAYOUT = Layout((("in_octets_64", "e1"), ("cpu", "")))
ROOT = Path(__file__).resolve().parents[2]
KEYS = [(d, "in_octets_64", "e1") for d in (1, 2, 3)]


def polls(start: datetime, rounds: int, step_s: int = 300) -> list[Poll]:
    return [
        Poll(d, ms_of(start) + i * step_s * 1000 + d, LAYOUT, np.array([i * 1000, d]))
        for i in range(rounds)
        for d in (1, 2, 3)
    ]


def contents(root: Path) -> dict[Any, list[tuple[int, int]]]:
    with EmbeddedStore(root) as store:
        series = store.read(KEYS, T0 - timedelta(days=9), T0 + timedelta(days=9))
    return {k: list(zip(s.at_ms.tolist(), s.values.tolist(), strict=True)) for k, s in series.items()}


def test_killed_at_random_instants_it_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    kills, seed = os.environ.get("STORE_KILLS", "40"), random.randrange(10**6)
    done = subprocess.run(
        [sys.executable, "-m", "tests.monitor.kill_writer", str(tmp_path / "s"), kills, str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + 5 * int(kills),
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["wrong"] == [], f"seed {seed}: {said}"
    assert said["files"] > 1, said  # compactions were among what was cut off
    assert said["left"] == 0


# -- the n-th call to the operating system or to SQLite fails, for every n -----------------------------------


class Failing:
    """Counts calls, and lets the n-th fail."""

    def __init__(self, number: int) -> None:
        self.left = number

    def count(self, error: Exception) -> None:
        self.left -= 1
        if self.left == 0:
            raise error

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.count(OSError(5, "Input/output error"))
            return call(*arguments, **options)

        return counted

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        failing = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
                if not sql.startswith("ROLLBACK"):
                    failing.count(sqlite3.OperationalError("disk I/O error"))
                return super().execute(sql, *rest)

            def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
                failing.count(sqlite3.OperationalError("database or disk is full"))
                return super().executemany(sql, rows)

        return _connect(*arguments, **options, factory=Connection)


_connect = sqlite3.connect


@contextmanager
def failing_at(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Failing]:
    failing = Failing(number)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", failing.connect)
        for name in ("fsync", "replace", "unlink"):
            patch.setattr(os, name, failing.around(getattr(os, name)))
        yield failing


def _advance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: Path, act: Callable[[EmbeddedStore], None]
) -> int:
    """Let `act` fail at its first, second, third ... call until it is done; return how many calls it makes."""
    before, expected = contents(begun), None
    for number in range(1, 5000):
        root = tmp_path / "try"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(begun, root)
        with (
            failing_at(number, monkeypatch) as failing,
            EmbeddedStore(root, wait_s=0) as store,
            suppress(TemporaryError),
        ):
            act(store)
        found = contents(root)
        assert all(row in found[key] for key, rows in before.items() for row in rows), number
        assert check(root).damage == []
        with EmbeddedStore(root) as store:
            act(store)
        if failing.left > 0:
            return number
        expected = expected or contents(root)
        assert contents(root) == expected
        assert check(root).leftovers == []
    raise AssertionError("it never came to an end")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a day in a file, hours that belong into it, hours of the next day, and a head."""
    root = tmp_path_factory.mktemp("begun") / "s"
    with EmbeddedStore(root) as store:
        store.write(polls(T0, 60))
        store.maintain(T0 + timedelta(days=1))
        store.write(polls(T0 + timedelta(seconds=100), 60))
        store.maintain(T0 + timedelta(hours=13), compacting=False)
        store.write(polls(T0 + timedelta(days=1), 20))
    return root


def test_sealing_and_compaction_may_fail_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: Path
) -> None:
    calls = _advance(tmp_path, monkeypatch, begun, lambda s: s.maintain(T0 + timedelta(days=3)))
    assert calls > 50


def test_a_write_may_fail_at_any_step_and_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: Path
) -> None:
    late = polls(T0 + timedelta(seconds=7), 3)
    calls = _advance(tmp_path, monkeypatch, begun, lambda s: s.write(late))
    assert calls > 10


# -- no room, no lock, no right ------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_what_was_stored_stays(tmp_path: Path) -> None:
    root = tmp_path / "s"
    with EmbeddedStore(root) as store:
        store.write(polls(T0, 12))
    code = (
        "import resource, sys, signal; from pathlib import Path; from tests.monitor.test_tsdb_faults import fill;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)); fill(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    count, said = json.loads(done.stdout)
    assert "samples-unavailable" in said
    assert "What was stored before is kept" in said
    found = contents(root)
    assert all(len(rows) >= 12 + count for rows in found.values())
    assert check(root).damage == []
    with EmbeddedStore(root) as store:  # there is room again
        store.write(polls(T0 + timedelta(days=2), 1))
        store.maintain(T0 + timedelta(days=4))
    assert all(len(contents(root)[k]) == len(found[k]) + 1 for k in KEYS)


def fill(root: Path) -> None:
    """Write until there is no room; print how many rounds were acknowledged, and the error."""
    count = 0
    try:
        with EmbeddedStore(root) as store, store.writer():
            while count < 5000:
                store.write(polls(T0 + timedelta(seconds=1 + count), 1))
                count += 1
    except SiagaError as error:
        print(json.dumps([count, str(error)]))


def test_a_compaction_without_room_leaves_everything_where_it_was(tmp_path: Path) -> None:
    root = tmp_path / "s"
    layout = Layout(tuple(("cpu", f"{i}") for i in range(50)))
    chance = np.random.default_rng(1)
    with EmbeddedStore(root) as store:
        noise = chance.integers(0, 2**60, (300, 50))
        store.write([Poll(1, ms_of(T0) + i * 60_000, layout, row) for i, row in enumerate(noise)])
        store.maintain(T0 + timedelta(hours=9), compacting=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
        with EmbeddedStore(root) as store, pytest.raises(TemporaryError, match="cannot be used now"):
            store.compact(T0 + timedelta(days=2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(root.glob("*/*")) == []
    with EmbeddedStore(root) as store:
        store.compact(T0 + timedelta(days=2))
        found = store.read([(1, "cpu", "7")], T0, T0 + timedelta(days=1))
    assert found[1, "cpu", "7"].values.tolist() == noise[:, 7].tolist()


def test_a_lock_held_by_another_process_is_waited_for_and_then_said(tmp_path: Path) -> None:
    root = tmp_path / "s"
    with EmbeddedStore(root) as store:
        store.write(polls(T0, 1))
    with closing(sqlite3.connect(root / "hot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with (
            EmbeddedStore(root, wait_s=0.3) as store,
            pytest.raises(TemporaryError, match="database is locked"),
        ):
            store.write(polls(T0 + timedelta(hours=1), 1))
        assert time.monotonic() - began < 25  # bounded; a busy machine is given time
        assert len(contents(root)[KEYS[0]]) == 1  # readers are not kept out
        other.execute("ROLLBACK")
    with EmbeddedStore(root, wait_s=0.3) as store:
        store.write(polls(T0 + timedelta(hours=1), 1))
    assert len(contents(root)[KEYS[0]]) == 2


_READER = """
import sys
from datetime import timedelta
from pathlib import Path
from monitor.tsdb.store import EmbeddedStore
from tests.monitor.test_tsdb_faults import KEYS, T0, rising
store = EmbeddedStore(Path(sys.argv[1]))
before = 0
print("ready", flush=True)
while before < int(sys.argv[2]):
    series = store.read(KEYS[:1], T0 - timedelta(days=9), T0 + timedelta(days=9))
    before = rising(series, before)
print("whole", flush=True)
"""


def rising(series: Any, before: int) -> int:
    """Return how many rounds a reader sees; each time all it saw before, in order, with their values."""
    values = series[KEYS[0]].values.tolist()
    assert values == [i * 1000 for i in range(len(values))]
    assert len(values) >= before
    return len(values)


def test_readers_in_other_processes_see_every_moment_whole(tmp_path: Path) -> None:
    root, rounds = tmp_path / "s", 500
    everything = polls(T0, rounds)
    with EmbeddedStore(root) as store, store.writer():
        store.write(everything[:3])
        command = [sys.executable, "-c", _READER, str(root), str(rounds)]
        readers = [
            subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        for reader in readers:
            assert reader.stdout
            assert reader.stdout.readline() == "ready\n"
        for i in range(1, rounds):
            store.write(everything[3 * i : 3 * i + 3])
            store.maintain(time_of(everything[3 * i].at_ms))
        for reader in readers:
            said, errors = reader.communicate(timeout=60)
            assert said == "whole\n", errors
