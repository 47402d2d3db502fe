"""What is written is what is read, once, also above 2^63 and after a kill."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.samples import Asked, EmbeddedStore, Sample
from siaga.errors import TemporaryError

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_values_come_back_by_time_and_once(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s.db")
    big = 2**64 - 5
    samples = [Sample(1, "in_octets_64", "ether1", T0 + timedelta(seconds=i), big + i) for i in range(3)]
    for _ in range(2):
        store.write(reversed(samples), [Asked(1, T0, True), Asked(2, T0, False)])
    key = (1, "in_octets_64", "ether1")
    assert store.read([key, (9, "x", "")], T0, T0 + DAY) == {key: [(s.at, s.value) for s in samples]}
    assert store.asked(T0, T0 + DAY) == {1: [Asked(1, T0, True)], 2: [Asked(2, T0, False)]}


def test_a_value_once_written_is_not_replaced(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s.db")
    store.write([Sample(1, "cpu", "", T0, 10)], [])
    store.write([Sample(1, "cpu", "", T0, 99)], [])
    assert store.read([(1, "cpu", "")], T0, T0) == {(1, "cpu", ""): [(T0, 10)]}


def test_a_round_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s.db")

    def cut_off():
        yield Sample(1, "cpu", "", T0, 1)
        raise RuntimeError("cut off")

    with pytest.raises(RuntimeError):
        store.write(cut_off(), [])
    assert store.read([(1, "cpu", "")], T0, T0) == {}


def test_an_empty_store_reads_as_empty(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "none.db")
    assert store.read([(1, "cpu", "")], T0, T0) == {}
    assert store.asked(T0, T0) == {}
    assert not store.path.exists()


def test_an_unwritable_place_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="cannot be used now"):
        EmbeddedStore(tmp_path / "no" / "s.db").write([], [])


_WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from monitor.samples import EmbeddedStore, Sample
store, t0 = EmbeddedStore(Path(sys.argv[1])), datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
for i in range(100000):
    store.write([Sample(d, "cpu", "", t0 + timedelta(seconds=i), i) for d in range(20)], [])
    print(i, flush=True)
"""


def test_kill_9_loses_no_acknowledged_round(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    for _ in range(3):
        path.unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            acknowledged = [int(process.stdout.readline()) for _ in range(15)][-1]
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split()
        acknowledged = max([acknowledged, *map(int, rest)])
        values = EmbeddedStore(path).read([(d, "cpu", "") for d in range(20)], T0, T0 + DAY)
        lengths = {len(v) for v in values.values()}
        assert len(lengths) == 1
        assert lengths.pop() >= acknowledged + 1
