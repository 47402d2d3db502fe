"""Only a sound increment yields a value; wraps, restarts and resets are told apart."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rates import Count, Kind, increment, increments, percentile, rates_bps

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
GIGABIT = 1_000_000_000


def count(
    seconds: float, value: int, uptime_s: float | None = None, discontinuity: int | None = None
) -> Count:
    return Count(T0 + timedelta(seconds=seconds), value, uptime_s, discontinuity)


@pytest.mark.parametrize(
    ("before", "after", "bits", "speed", "kind", "delta"),
    [
        (count(0, 100), count(60, 160), 64, GIGABIT, Kind.ok, 60),
        (count(0, 2**32 - 10), count(10, 20), 32, 100_000_000, Kind.wrap, 30),
        (count(0, 2**64 - 10), count(10, 20), 64, GIGABIT, Kind.wrap, 30),
        (count(0, 500, 1000), count(60, 20, 30), 64, GIGABIT, Kind.restart, None),
        (count(0, 500, 1000), count(60, 900, 30), 64, GIGABIT, Kind.restart, None),
        (count(0, 500, 1000, 7), count(60, 900, 1060, 8), 64, GIGABIT, Kind.discontinuity, None),
        (count(0, 10**9, 1000), count(60, 50, 1060), 64, GIGABIT, Kind.reset, None),
        (count(0, 100), count(60, 200), 32, GIGABIT, Kind.ambiguous, None),
        (count(0, 100), count(30, 200), 32, None, Kind.ok, 100),
        (count(0, 100), count(60, 200), 32, None, Kind.ambiguous, None),
        (count(0, 0), count(1, 10**12), 64, GIGABIT, Kind.impossible, None),
        (count(5, 0), count(5, 10), 64, GIGABIT, Kind.impossible, None),
        (count(5, 0), count(0, 10), 64, GIGABIT, Kind.impossible, None),
        # sysUpTime wraps after 497 days: no restart.
        (count(0, 5, 2**32 / 100 - 30), count(60, 9, 30), 64, GIGABIT, Kind.ok, 4),
        # A counter of 32 bits that says more, as a Counter64 in its place can, is none.
        (count(0, 2**40), count(10, 5), 32, 100_000_000, Kind.impossible, None),
        (count(0, 5), count(10, 2**32), 32, 100_000_000, Kind.impossible, None),
        (count(0, -5), count(10, 5), 64, GIGABIT, Kind.impossible, None),
        (count(0, 5), count(10, 2**64), 64, GIGABIT, Kind.impossible, None),
        # Who tells no speed, or an absurd one, still carries less than any interface there is.
        (count(0, 5), count(60, 2**63), 64, None, Kind.impossible, None),
        (count(0, 5), count(60, 2**63), 64, 0, Kind.impossible, None),
        (count(0, 5), count(60, 2**63), 64, 2**32 * 10**6, Kind.impossible, None),
        (count(0, 2**63), count(60, 5), 64, None, Kind.reset, None),
        # The agent's clock neither began again nor agrees with ours: nobody knows how long it took.
        (count(0, 5, 90_000), count(60, 9, 90_006), 64, GIGABIT, Kind.ambiguous, None),
        (count(0, 5, 90_000), count(60, 9, 80_000), 64, GIGABIT, Kind.ambiguous, None),
        (count(0, 5, 90_000), count(3600, 9, 90_060), 64, GIGABIT, Kind.ambiguous, None),  # ours was set
        (count(0, 5, 90_000), count(2, 9, 89_999), 64, GIGABIT, Kind.impossible, None),
        (count(0, 5, 90_000), count(2, 9, 90_000), 64, GIGABIT, Kind.impossible, None),
    ],
)
def test_each_kind(
    before: Count, after: Count, bits: int, speed: int | None, kind: Kind, delta: int | None
) -> None:
    step = increment(before, after, bits=bits, speed_bps=speed)
    assert (step.kind, step.delta) == (kind, delta)


def test_how_long_a_step_took_is_told_by_the_agent() -> None:
    """The counters of a slow reading are older or younger than our clock says."""
    step = increment(count(0, 0, 900), count(60, 5800, 958), bits=64, speed_bps=GIGABIT)
    assert (step.kind, step.seconds, step.per_second) == (Kind.ok, 58.0, 100.0)
    without = increment(count(0, 0, 900), count(60, 6000), bits=64, speed_bps=GIGABIT)
    assert (without.seconds, without.per_second) == (60.0, 100.0)
    near_wrap = count(0, 0, 2**32 / 100 - 30)
    assert increment(near_wrap, count(60, 0, 31), bits=64, speed_bps=None).seconds == pytest.approx(61)


@given(
    start=st.integers(0, 2**64 - 1),
    seconds=st.floats(1, 3600),
    share=st.floats(0, 1),
    bits=st.sampled_from([32, 64]),
    speed=st.sampled_from([10**6, 10**7, 10**8, 10**9, 10**11]),
)
def test_what_was_carried_is_what_is_measured_or_nothing(
    start: int, seconds: float, share: float, bits: int, speed: int
) -> None:
    carried = int(share * speed * seconds / 8)
    before = count(0, start % 2**bits, 1000.0)
    after = count(seconds, (start + carried) % 2**bits, 1000.0 + seconds)
    step = increment(before, after, bits=bits, speed_bps=speed)
    assert step.delta in (carried, None)
    if step.delta is None:
        assert step.kind is Kind.ambiguous


@given(values=st.lists(st.integers(0, 2**64 - 1), max_size=30), speed=st.none() | st.just(GIGABIT))
def test_no_rate_is_negative_or_over_the_line_s_speed(values: list[int], speed: int | None) -> None:
    counts = [count(i * 60, v) for i, v in enumerate(values)]
    for _, rate in rates_bps(counts, bits=64, speed_bps=speed):
        assert rate >= 0
        assert speed is None or rate <= 1.2 * speed


def test_a_gap_makes_one_long_step_not_a_zero() -> None:
    steps = list(increments([count(0, 0), count(600, 6000)], bits=64, speed_bps=GIGABIT))
    assert [(s.kind, s.per_second) for s in steps] == [(Kind.ok, 10.0)]


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=200))
def test_p95_is_the_smallest_value_that_95_percent_do_not_exceed(values: list[float]) -> None:
    found = percentile(values, 0.95)
    assert found in values
    assert sum(v <= found for v in values) >= 0.95 * len(values)
    assert sum(v < found for v in values) < 0.95 * len(values)


def test_p95_of_nothing_is_nothing() -> None:
    assert percentile([], 0.95) is None
    assert percentile(range(1, 101), 0.95) == 95
