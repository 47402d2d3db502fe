"""Bins, percentiles and what is now: the same before and after compaction, and what monitor.rates would say."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from monitor.rates import percentile
from monitor.samples import Asked, Bins, Key, Layout, Poll, Sample, ms_of, polls_of
from monitor.tsdb.store import EmbeddedStore

T0 = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)
OCTETS: Key = (1, "in_octets_64", "e1")
KEYS: list[Key] = [OCTETS, (1, "in_octets", "e2"), (1, "in_errors", "e1"), (1, "temperature", "inlet")]


def lived(store: EmbeddedStore, days: int = 2) -> None:
    """Store two days of a router: a 32-bit counter that wraps, restarts, a gap, a temperature now and then."""
    chance = np.random.default_rng(5)
    wide, narrow, errors, uptime = 2**64 - 10**9, 2**32 - 10**8, 0, 10**6
    for minute in range(days * 1440):
        at = T0 + timedelta(minutes=minute, milliseconds=int(chance.integers(0, 900)))
        wide, narrow = (wide + int(chance.integers(0, 10**8))) % 2**64, (narrow + 10**6) % 2**32
        errors, uptime = errors + minute % 7 // 6, uptime + 6000
        if minute % 700 == 650:
            wide = narrow = errors = uptime = 0
        if 300 < minute < 400:
            continue  # nobody asked
        silent = minute % 50 == 49
        values = [
            Sample(*OCTETS, at, wide),
            Sample(1, "in_octets", "e2", at, narrow),
            Sample(1, "in_errors", "e1", at, errors),
            Sample(1, "speed", "e1", at, 10**9),
            Sample(1, "speed", "e2", at, 10**7),
            Sample(1, "uptime", "", at, uptime),
        ]
        if minute % 5 == 0:
            values.append(Sample(1, "temperature", "inlet", at, 4000 + minute % 60))
        store.write(polls_of([] if silent else values, [Asked(1, at, not silent)]))


def as_lists(found: Bins) -> list[list[int]]:
    return [getattr(found, name).tolist() for name in ("at_ms", "total", "weight", "low", "high")]


def test_bins_are_the_same_from_raw_values_and_from_the_tiers(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "s") as store:
        with store.writer():
            lived(store)
        end = T0 + 2 * DAY
        asked = [(T0, end, 300), (T0, end, 3600), (T0, end, 86_400), (T0 + DAY / 3, end - DAY / 3, 900)]
        before = [store.bins(KEYS, *window) for window in asked]
        share = store.percentiles(KEYS[:3], 0.95, T0, end)
        held = store.availability(T0, end, 180)
        store.maintain(end + DAY)
        assert len(list((tmp_path / "s" / "r5").iterdir())) == 2
        after = [store.bins(KEYS, *window) for window in asked]
        for early, late in zip(before, after, strict=True):
            assert early.keys() == late.keys() == set(KEYS)
            for key in KEYS:
                assert as_lists(early[key]) == as_lists(late[key]), key
        assert store.percentiles(KEYS[:3], 0.95, T0, end) == share
        assert store.availability(T0, end, 180) == held
        gaps = 100 * 60 - 180
        assert held[1].unobserved_s == pytest.approx(gaps, abs=120)
        assert held[1].silent_s == pytest.approx(56 * 60, abs=120)


def test_a_window_from_before_everything_takes_no_more_memory_than_what_is_there(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "s") as store:
        assert store.begins() is None
        with store.writer():
            lived(store)
        end = T0 + 2 * DAY
        store.maintain(end)
        assert store.begins() == T0
        short = {key: [c.tolist() for c in columns] for key, *columns in store.carried(KEYS[:2], T0, end)}
        tracemalloc.start()
        long = {
            key: [c.tolist() for c in columns]
            for key, *columns in store.carried(KEYS[:2], datetime(1900, 1, 1, tzinfo=UTC), end + 300 * DAY)
        }
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert long == short
    assert peak < 30e6


def test_a_percentile_is_the_nearest_rank_of_five_minute_means(tmp_path: Path) -> None:
    rates = np.random.default_rng(6).integers(0, 10**6, 288)
    octets = np.concatenate(([0], np.cumsum(rates * 300)))
    layout = Layout((OCTETS[1:],))
    polls = [Poll(1, ms_of(T0) + i * 300_000, layout, np.array([v])) for i, v in enumerate(octets.tolist())]
    with EmbeddedStore(tmp_path / "s") as store:
        store.write(polls)
        for _ in range(2):
            found = store.percentiles([OCTETS], 0.95, T0, T0 + DAY)[OCTETS]
            assert found.per_second == percentile(rates.tolist(), 0.95)
            assert found.bins == 288
            store.maintain(T0 + 3 * DAY)


def test_the_last_two_polls_and_the_busiest_ports(tmp_path: Path) -> None:
    layout = Layout((("in_octets_64", "a"), ("in_octets_64", "b"), ("uptime", "")))
    with EmbeddedStore(tmp_path / "s") as store:
        for i in range(3):
            at = ms_of(T0) + i * 60_000
            store.write(
                [
                    Poll(1, at, layout, np.array([i * 6000, i * 600, i * 6000])),
                    Poll(2, at + 5, layout, np.array([i * 60, 10**12 * (i < 2), 50 - i * 10])),  # restarted
                    Poll(3, at, answered=False),
                ]
            )
        now = T0 + timedelta(minutes=2, seconds=10)
        last = store.last(now)
        assert set(last) == {1, 2}
        new, old = last[1]
        assert old is not None
        assert (new.values.tolist(), new.at_ms - old.at_ms) == ([12000, 1200, 12000], 60_000)  # type: ignore[union-attr]
        assert store.top("in_octets_64", now, 2) == [
            ((1, "in_octets_64", "a"), 100),
            ((1, "in_octets_64", "b"), 10),
        ]
        assert store.last(now, [2]).keys() == {2}
        assert store.last(now + timedelta(hours=1)) == {}
        store.maintain(now + timedelta(hours=2))  # into a block of an hour
        assert store.last(now, max_age_s=600)[1][0].at_ms == new.at_ms
        store.maintain(now + 3 * DAY)  # into a file
        assert store.last(now, max_age_s=600)[1][0].at_ms == new.at_ms


def test_a_day_of_silence_can_be_compacted_twice(tmp_path: Path) -> None:
    """A device that never answered has no columns in the day's file, and gets none by what comes later."""
    store = EmbeddedStore(tmp_path / "s")
    for _ in range(2):
        store.write([Poll(1, ms_of(T0), answered=False)])
        store.maintain(T0 + timedelta(hours=26), compacting=True)
    store.write([Poll(1, ms_of(T0) + 60_000, Layout((("cpu", ""),)), np.array([7], np.int64))])
    store.maintain(T0 + timedelta(hours=26), compacting=True)
    found = store.read([(1, "cpu", "")], T0, T0 + DAY)[(1, "cpu", "")]
    assert found.values.tolist() == [7]
