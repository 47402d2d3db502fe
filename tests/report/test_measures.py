"""The arithmetic: a gap is never zero and never up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from report.facts import Connection, Device, Seen, Span, Usage, over
from report.measures import bandwidth
from report.measures.availability import buckets, outages, parts, watched
from report.measures.counts import agency_seen, count

T0 = datetime(2026, 11, 1, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def test_unobserved_time_is_in_no_denominator() -> None:
    spans = [Span(1, after(0), after(30), Seen.up), Span(1, after(50), after(60), Seen.down)]
    seen = watched(spans, 1, T0, after(100))
    assert (seen.up_s, seen.down_s, seen.unobserved_s) == (1800, 600, 3600)
    assert seen.ratio == 0.75
    assert seen.coverage == 0.4


def test_nothing_observed_has_no_availability() -> None:
    assert watched([], 3, T0, after(10)).ratio is None


def test_a_gap_ends_an_outage() -> None:
    spans = [Span(1, after(0), after(5), Seen.down), Span(1, after(60), after(70), Seen.down)]
    found = outages(spans)
    assert [(o.seconds, o.open) for o in found] == [(600, True), (300, False)]


def test_buckets_cover_the_time_and_are_few() -> None:
    for minutes in (1, 7, 300, 43200):
        pieces = buckets(T0, after(minutes))
        assert 1 <= len(pieces) <= 30
        assert pieces[0][0] <= T0
        assert pieces[-1][1] == after(minutes)


def test_p95_is_a_value_that_was_measured_not_a_mean() -> None:
    assert bandwidth.p95([float(n) for n in range(1, 101)]) == 95
    assert bandwidth.p95([1.0] * 19) is None


@given(st.lists(st.floats(0, 1e9), min_size=20, max_size=200))
def test_at_most_a_twentieth_lies_above_p95(values: list[float]) -> None:
    found = bandwidth.p95(values)
    assert found in values
    assert sum(v > found for v in values) <= len(values) / 20


def test_use_counts_the_busier_direction_against_the_contract() -> None:
    usage = Usage(300, (10e6,) * 20, (9e6,) * 20)
    line = bandwidth.load(Connection("a", down_bps=100_000_000, up_bps=10_000_000, usage=usage))
    assert line.utilisation == 0.9
    assert line.above is True
    assert bandwidth.load(Connection("b", usage=usage)).utilisation is None


def test_what_is_printed_as_80_is_not_above_80() -> None:
    assert not over(0.80049)
    assert over(0.8006)


def test_device_counts_are_never_mixed() -> None:
    devices = [Device(1, "a", seen=Seen.up, degraded=True), Device(2, "b", seen=Seen.down), Device(3, "c")]
    seen = count(devices)
    assert (seen.up, seen.down, seen.unobserved, seen.degraded) == (1, 1, 1, 1)


def test_an_agency_is_down_only_if_every_connection_is() -> None:
    devices = {
        1: Device(1, "a", seen=Seen.down),
        2: Device(2, "b"),
        3: Device(3, "c", seen=Seen.up),
    }

    def seen(*ids: int) -> Seen:
        return agency_seen([Connection(str(i), agency="X", device_id=i) for i in ids], devices)["X"]

    assert seen(1) is Seen.down
    assert seen(1, 2) is Seen.unobserved
    assert seen(1, 2, 3) is Seen.up


@given(
    st.lists(
        st.tuples(st.integers(-50, 150), st.integers(0, 120), st.sampled_from([Seen.up, Seen.down])),
        max_size=8,
    ),
    st.integers(1, 12),
)
def test_the_parts_of_a_window_are_what_each_piece_would_be_alone(
    some: list[tuple[int, int, Seen]], count: int
) -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    spans = [Span(1, at + timedelta(minutes=a), at + timedelta(minutes=a + n), seen) for a, n, seen in some]
    pieces = [(at + timedelta(minutes=10 * i), at + timedelta(minutes=10 * (i + 1))) for i in range(count)]
    alone = [watched(spans, 2, a, b) for a, b in pieces]
    assert parts(spans, 2, pieces) == alone
