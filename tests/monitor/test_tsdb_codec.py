"""A block gives back what it was given, whatever that was; a changed bit is seen; bins agree with monitor.rates."""

import sqlite3
import struct
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from monitor.rates import Count, increments
from monitor.samples import MISSING, Layout, Sample, polls_of
from monitor.tsdb import codec, merge, runs, sparse, tiers
from monitor.tsdb.faults import DamagedSamplesError
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import LENGTH
from monitor.tsdb.store import EmbeddedStore
from monitor.tsdb.strung import strung

ANY = st.integers(-(2**63), 2**63 - 1) | st.just(MISSING) | st.integers(-300, 300)
MATRICES = arrays.arrays(np.int64, st.tuples(st.integers(0, 6), st.integers(0, 70)), elements=ANY)


@given(
    MATRICES,
    st.sampled_from([codec.Kind.plain, codec.Kind.delta]),
    st.sampled_from([codec.ZLIB, codec.ZSTD]),
)
def test_a_matrix_comes_back(values: np.ndarray, kind: codec.Kind, which: int) -> None:
    block = codec.encode(values, kind, codec=which)
    assert np.array_equal(codec.decode(block), values)
    if len(values) > 2:
        assert np.array_equal(codec.decode(block, [2, 0]), values[[2, 0]])
        ((places, some),) = codec.decode_alike([block, block], [(2, 0)] * 2)
        assert places == [0, 1]
        assert np.array_equal(some, np.stack([values[[2, 0]]] * 2))


@given(st.lists(arrays.arrays(np.int64, st.tuples(st.just(3), st.integers(0, 40)), elements=ANY), max_size=5))
def test_blocks_of_any_length_come_back_as_one_run(some: list[np.ndarray]) -> None:
    other = [
        codec.encode(np.zeros((2, 4), np.int64)),
        codec.encode(np.zeros((3, 4), np.int64), codec.Kind.plain),
    ]
    found = strung([other[0], *map(codec.encode, some), other[1], b"cut"], 3, [2, 0])
    run = np.concatenate([np.empty((3, 0), np.int64), *some], axis=1)
    assert np.array_equal(found.values, run[[2, 0]])
    assert found.sizes == [0, *(values.shape[1] for values in some), 0, 0]
    assert [*found.damaged] == [0, len(some) + 1, len(some) + 2]


@given(arrays.arrays(np.int64, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=ANY))
def test_rows_of_the_head_come_back(values: np.ndarray) -> None:
    blocks = codec.encode_each(values)
    assert np.array_equal(codec.decode_each(blocks), values)
    picked = [values.shape[1] - 1, 0]
    assert np.array_equal(codec.decode_each(blocks, picked), values[:, picked])
    assert np.array_equal(np.stack([codec.decode(b)[:, 0] for b in blocks]), values)


def of_an_older_version(values: np.ndarray, which: int) -> bytes:
    """Return values as the head held them before: all first bytes, all second ones, …, compressed."""
    planes = values.view(np.uint8).reshape(-1, 8).T.tobytes()
    packed = zlib.compress(planes) if which == codec.ZLIB else zstandard.ZstdCompressor().compress(planes)
    body = struct.pack("<BBBBII", which, codec.Kind.raw, 8, 0, len(values), 1) + packed
    return zlib.crc32(body).to_bytes(4, "little") + body


@pytest.mark.parametrize("which", [codec.ZLIB, codec.ZSTD])
def test_rows_of_an_older_head_are_read_beside_new_ones(which: int) -> None:
    values = np.array([[1, MISSING, -5], [2**62, 0, 7], [3, 4, 5]])
    old = [of_an_older_version(row, which) for row in values]
    assert np.array_equal(codec.decode_each(old), values)
    assert np.array_equal(codec.decode(old[0])[:, 0], values[0])
    mixed = [old[0], *codec.encode_each(values[1:])]
    assert np.array_equal(codec.decode_each(mixed), values)
    assert np.array_equal(codec.decode_each(mixed, [2, 0]), values[:, [2, 0]])
    with pytest.raises(codec.DamagedError, match="its shape"):
        codec.decode_each([old[0], *codec.encode_each(values[1:, :2].copy())])


def test_an_older_head_is_sealed_with_what_came_since(tmp_path: Path) -> None:
    key, root = (1, "cpu", ""), tmp_path / "s"
    with EmbeddedStore(root) as store:
        store.write(polls_of([Sample(*key, T0, 10)]))
    block = of_an_older_version(np.array([10]), codec.ZSTD)
    with closing(sqlite3.connect(root / "hot.db")) as db, db:
        index = np.frombuffer(db.execute("SELECT polls FROM head").fetchone()[0], np.int64).copy()
        index[LENGTH] = len(block)
        db.execute("UPDATE head SET polls = ?, data = ?", (index.tobytes(), block))
    with EmbeddedStore(root) as store:
        store.write(polls_of([Sample(*key, T0 + timedelta(minutes=1), 11)]))
        new, old = store.last(T0 + timedelta(minutes=2))[1]
        assert [p.values.tolist() for p in (old, new) if p and p.values is not None] == [[10], [11]]
        for _ in range(2):
            assert store.read([key], T0, T0 + timedelta(hours=1))[key].values.tolist() == [10, 11]
            store.maintain(T0 + timedelta(hours=3), compacting=False)


def test_of_a_large_row_of_the_head_a_device_is_read_alone(tmp_path: Path) -> None:
    names = [("voltage", f"s{i}") for i in range(60)]
    value = 0x0102030405060708
    with EmbeddedStore(tmp_path / "s") as store:
        store.write(
            polls_of([Sample(d, *n, T0, value + d * i) for d in range(40) for i, n in enumerate(names)])
        )
        keys = [(d, *names[i]) for d in (0, 17, 39) for i in (59, 0)]
        found = store.read(keys, T0, T0)
        expected = {(d, *names[i]): [value + d * i] for d in (0, 17, 39) for i in (59, 0)}
        assert {key: series.values.tolist() for key, series in found.items()} == expected
    with closing(sqlite3.connect(tmp_path / "s/hot.db")) as db, db:
        assert db.execute("SELECT length(data) FROM head").fetchone()[0] > 2 * 8192
        db.execute("UPDATE head SET data = substr(data, 1, length(data) / 2)")
    with EmbeddedStore(tmp_path / "s") as store:
        assert store.read(keys[:1], T0, T0)[keys[0]].values.tolist() == [value]
        with pytest.raises(DamagedSamplesError):
            store.read(keys[4:], T0, T0)


def test_a_mask_that_tells_of_other_bytes_is_seen() -> None:
    ((mask, found),) = sparse.packed(np.array([[1, 2]]))
    for wrong in (found[:-1], found + b"x", b""):
        with pytest.raises(ValueError, match="not as many"):
            sparse.unpacked([mask + wrong], 2)
        with pytest.raises(ValueError, match="not as many"):
            sparse.picked([mask + wrong], 2, [0])


@given(MATRICES, st.data())
def test_a_changed_or_cut_block_is_seen(values: np.ndarray, data: st.DataObject) -> None:
    block = bytearray(codec.encode(values))
    place = data.draw(st.integers(0, len(block) - 1))
    block[place] ^= 1 << data.draw(st.integers(0, 7))
    for broken in (bytes(block), bytes(block[:place])):
        with pytest.raises(codec.DamagedError):
            codec.decode(broken)
        with pytest.raises(codec.DamagedError):
            codec.decode_each([broken])


def test_a_codec_that_is_not_there_is_named() -> None:
    block = codec.encode(np.zeros((1, 1), np.int64), codec=codec.ZLIB)
    other = bytes([*block[:4], 7, *block[5:]])
    with pytest.raises(codec.DamagedError, match="codec 7 is not known"):
        codec.decode(zlib.crc32(other[4:]).to_bytes(4, "little") + other[4:])


T0 = datetime(2026, 11, 24, tzinfo=UTC)
COLUMNS = (("in_octets_64", "e"), ("in_octets", "e"), ("speed", "e"), ("discontinuity", "e"), ("uptime", ""))
COUNTERS = st.integers(0, 2**40) | st.integers(2**63 - 3, 2**63 + 3) | st.integers(2**64 - 10**6, 2**64 - 1)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 400_000),  # milliseconds after the one before
        COUNTERS.filter(lambda v: v != 2**63),
        st.integers(0, 2**32 - 1),
        st.sampled_from([None, 10**6, 10**9, 10**10]),
        st.sampled_from([None, 1, 1, 1, 2]),
        st.one_of(st.none(), st.integers(0, 2**32 - 1), st.just(-1)),  # -1: as the clock says
    ),
    min_size=2,
    max_size=25,
)


@settings(max_examples=300)
@given(ROWS)
def test_increments_are_judged_as_rates_does(rows: list[tuple[int, ...]]) -> None:
    at = np.cumsum([r[0] for r in rows])
    uptimes = [(50_000 + int(a) // 10) if r[5] == -1 else r[5] for r, a in zip(rows, at, strict=True)]
    known = [MISSING if v is None else v for v in uptimes]
    values = np.array(
        [
            [r[1] - 2**64 if r[1] >= 2**63 else r[1] for r in rows],
            [r[2] for r in rows],
            [MISSING if r[3] is None else r[3] for r in rows],
            [MISSING if r[4] is None else r[4] for r in rows],
            known,
        ],
        np.int64,
    )
    found = tiers.binned(Plan(Layout(COLUMNS)), at, values, 0, 1, step_s=86_400)
    for column, bits in enumerate((64, 32)):
        total = weight = refused = 0
        longest = max(600_000, 3 * int(np.median(np.diff(at))))
        for i, pair in enumerate(pairwise(rows)):
            counts = [
                Count(T0 + timedelta(milliseconds=int(at[i + j])), r[1 + column], _s(uptimes[i + j]), r[4])
                for j, r in enumerate(pair)
            ]
            (step,) = increments(counts, bits=bits, speed_bps=pair[1][3])
            sound = step.delta is not None and step.delta < tiers.MOST and (at[i + 1] - at[i]) <= longest
            total += step.delta if sound else 0
            weight += int(at[i + 1] - at[i]) if sound else 0
            refused += not sound
        assert found[column, :3, 0].tolist() == [total, weight, refused]


def _s(ticks: int | None) -> float | None:
    return None if ticks is None else ticks / 100


@given(
    st.lists(st.integers(1, 400), min_size=2, max_size=60),
    st.integers(0, 10**9),
    st.data(),
)
def test_no_octet_is_lost_or_told_twice_among_bins(
    gaps_s: list[int], begun: int, data: st.DataObject
) -> None:
    at = np.cumsum(gaps_s) * 1000
    steps = data.draw(st.lists(st.integers(0, 10**9), min_size=len(at), max_size=len(at)))
    values = np.array([begun + np.cumsum(steps)], np.int64)
    found = tiers.binned(Plan(Layout((("in_octets_64", "e"),))), at, values, 0, 288)
    known = found[0, :, found[0, tiers.WEIGHT] != MISSING]
    assert known[:, tiers.TOTAL].sum() == values[0, -1] - values[0, 0]
    assert known[:, tiers.WEIGHT].sum() == at[-1] - at[0]
    hours = tiers.folded(found, np.array([True]), 12)
    assert np.where(hours == MISSING, 0, hours)[0, :2].sum(axis=1).tolist() == [
        values[0, -1] - values[0, 0],
        at[-1] - at[0],
    ]


CELLS = st.dictionaries(
    st.tuples(st.integers(0, 9), st.sampled_from("abcd")), st.integers(-5, 5), max_size=12
)


@given(st.lists(CELLS, max_size=5))
def test_merging_keeps_the_first_of_each_value_and_all_of_them(
    stored: list[dict[tuple[int, str], int]],
) -> None:
    parts, expected = [], {}
    for cells in stored:
        columns = tuple((m, "") for m in sorted({m for _, m in cells}))
        times = sorted({t for t, _ in cells})
        if not columns:
            continue
        values = np.array([[cells.get((t, m), MISSING) for t in times] for m, _ in columns], np.int64)
        parts.append(merge.Part(Plan(Layout(columns)), np.array(times), np.full(len(times), 7), values))
        expected = {**cells, **expected}
    whole = merge.merged(parts)
    found = {
        (int(t), name[0]): int(v)
        for name, row in zip(whole.plan.layout.columns, whole.values, strict=True)
        for t, v in zip(whole.valued_ms, row, strict=True)
        if v != MISSING
    }
    assert found == expected


LOOKS = st.dictionaries(st.integers(0, 500), st.booleans(), min_size=1, max_size=60)


@given(LOOKS, st.integers(1, 60), st.integers(0, 200), st.integers(201, 600))
def test_runs_cover_what_single_looks_cover(looks: dict[int, bool], hold: int, start: int, end: int) -> None:
    at = np.array(sorted(looks))
    flags = np.array([runs.ASKED | runs.ANSWERED * looks[t] for t in at.tolist()])
    table = runs.runs_of(np.full_like(at, 3), at, flags)
    expected = [0, 0]
    for t, following in zip(at.tolist(), [*at[1:].tolist(), end], strict=True):
        until = min(t + hold, max(following, t), end)
        expected[not looks[t]] += max(0, until - max(t, start))
    if not len(runs.tangled(table, hold)):
        devices, up, silent = runs.covered(table, start, end, hold)
        assert (devices.tolist(), [int(up[0]), int(silent[0])]) == ([3], expected)
    assert np.array_equal(runs.unpacked([runs.packed([table])]), table)
