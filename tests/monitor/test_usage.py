"""What lines carried: a gap is no zero, a sum with a part missing is no sum, and p95 is one of the values."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.plot import axis, plot
from monitor.rates import percentile
from monitor.usage import STEP_MS, Carried, busier, carried, load, nearest_rank, summed
from tests.monitor.line_world import DAY, minute

_bins = st.dictionaries(st.integers(0, 40), st.integers(0, 10**9), min_size=1, max_size=40)


def line(bins: dict[int, int], known_ms: int = STEP_MS) -> Carried:
    at = np.array(sorted(bins), np.int64) * STEP_MS
    octets = np.array([bins[n] for n in sorted(bins)], np.int64)
    return carried(at, octets, np.full(len(at), known_ms))


def test_bins_are_means_over_known_time_and_gaps_have_no_bin() -> None:
    found = load(line({0: 750_000, 3: 1_500_000}, 60_000), 0, 4 * STEP_MS, 4)
    assert (found.peak_bps, found.mean_bps, found.bins) == (200_000, 150_000, 2)
    assert found.trend == (100_000, None, None, 200_000)
    assert found.observed == 2 * 60_000 / (4 * STEP_MS)
    assert found.p95_bps is None  # of two bins nobody bills
    nothing = load(None, 0, 3 * STEP_MS, 3)
    assert (nothing.peak_bps, nothing.trend) == (None, (None, None, None))


@given(st.lists(_bins, min_size=1, max_size=4))
def test_a_sum_has_the_bins_in_which_all_are_known(some: list[dict[int, int]]) -> None:
    found = summed([line(bins) for bins in some])
    assert found is not None
    shared = sorted(set.intersection(*map(set, some)))
    assert (found.at_ms // STEP_MS).tolist() == shared
    expected = [sum(bins[n] for bins in some) * 8 / 300 for n in shared]
    assert np.allclose(found.bps, expected)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=60), st.integers(1, 100))
def test_the_percentile_is_the_one_that_bills_are_made_by(values: list[float], pct: int) -> None:
    assert nearest_rank(np.array(values), pct / 100) == percentile(values, pct / 100)


@given(_bins, st.integers(1, 30))
def test_a_trend_covers_the_window_and_lies_between_least_and_peak(bins: dict[int, int], points: int) -> None:
    end = 41 * STEP_MS
    found = load(line(bins), 0, end, points)
    assert len(found.trend) == points
    edges = [end * n // points for n in range(points + 1)]
    for mean, (a, b) in zip(found.trend, pairwise(edges), strict=True):
        inside = [v * 8 / 300 for n, v in bins.items() if a <= n * STEP_MS < b]
        assert (mean is None) == (not inside)
        if mean is not None:
            assert np.isclose(mean, sum(inside) / len(inside))


def test_only_what_is_known_and_promised_is_a_share() -> None:
    assert busier((5.0, 10), (9.0, 10), (None, 1), (99.0, None)) == 0.9
    assert busier((None, 10), (1.0, 0)) is None


def test_a_plot_tells_a_gap_from_nothing_carried() -> None:
    drawn = plot([0.0, None, 8e6], "line", height=4, mark=4e6)
    assert drawn[0] == "line"
    assert drawn[-2].endswith("│▁·█")
    assert drawn[1] == "    8 Mbps │  █"
    assert [row.count("┄") for row in drawn] == [0, 0, 0, 1, 0, 0]
    assert axis(DAY, minute(8), 40, "Asia/Jakarta") == " " * 12 + "07:00     09:00     11:00     13:00"
