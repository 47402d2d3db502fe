"""States and alerts: nothing is down without cause, nothing recovers without an answer."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import Verdict, examine, reconcile
from monitor.checks import Committed, Finding, Seen, all_checks
from monitor.observation import Mempool, Observation, Processor, Reach, Sensor
from monitor.poller import judged, samples_of
from monitor.show import duration, rate, sparkline
from monitor.state import Standing, State, judge

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SILENT, UP = Reach.silent, Reach.up


def seen(name: str = "rtr", reach: Reach = UP, **more: object) -> Observation:
    return Observation(
        name, "127.0.0.1", 161, "snmp", T0, reach, "no answer in 2 s" if reach is SILENT else "", **more
    )  # type: ignore[arg-type]


def after(*reaches: Reach, parent: State = State.up) -> Standing:
    standing = Standing()
    for i, reach in enumerate(reaches):
        standing = judge(standing, reach, "why", parent=parent, now=T0 + timedelta(minutes=i))
    return standing


@pytest.mark.parametrize(
    ("reaches", "state"),
    [
        ([], State.not_observed),
        ([SILENT], State.not_observed),
        ([SILENT, SILENT], State.down),
        ([UP, SILENT], State.up),
        ([UP, SILENT, SILENT], State.down),
        ([UP, SILENT, UP, SILENT], State.up),
        ([UP, SILENT, SILENT, UP], State.up),
        ([Reach.refused], State.degraded),
        ([Reach.partial, SILENT], State.degraded),
    ],
)
def test_transitions(reaches: list[Reach], state: State) -> None:
    assert after(*reaches).state is state


def test_behind_a_parent_that_is_down_a_device_is_unreachable() -> None:
    assert after(SILENT, SILENT, parent=State.down).state is State.unreachable
    assert after(SILENT, SILENT, parent=State.unreachable).state is State.unreachable
    assert after(SILENT, SILENT, parent=State.not_observed).state is State.down


def test_since_is_when_the_state_began() -> None:
    assert after(UP, UP, UP).since == T0
    assert after(UP, SILENT, SILENT, SILENT).since == T0 + timedelta(minutes=2)


@given(st.lists(st.sampled_from(list(Reach)), max_size=40))
def test_down_needs_two_silences_in_a_row_and_ends_with_any_answer(reaches: list[Reach]) -> None:
    standing = after(*reaches)
    last_two = reaches[-2:]
    assert (standing.state is State.down) == (last_two == [SILENT, SILENT])
    if reaches and reaches[-1] is UP:
        assert standing.state is State.up


def test_the_one_in_front_is_judged_first_whatever_the_order() -> None:
    before = {i: Standing(State.up, T0, "", 1) for i in (1, 2, 3)}
    silent = {3: seen("c", SILENT), 2: seen("b", SILENT), 1: seen("a", SILENT)}
    states = judged(before, silent, {3: 2, 2: 1}, now=T0)
    assert {i: s.state for i, s in states.items()} == {
        1: State.down,
        2: State.unreachable,
        3: State.unreachable,
    }


def test_a_circle_of_parents_ends() -> None:
    silent = {1: seen("a", SILENT), 2: seen("b", SILENT)}
    assert len(judged({}, silent, {1: 2, 2: 1}, now=T0)) == 2


def test_a_parent_that_was_not_asked_counts_as_it_was() -> None:
    before = {1: Standing(State.down, T0), 2: Standing(State.up, T0, "", 1)}
    assert judged(before, {2: seen("b", SILENT)}, {2: 1}, now=T0)[2].state is State.unreachable


def test_every_check_names_its_rule_once() -> None:
    rules = [c.RULE for c in all_checks()]
    assert sorted(rules) == [
        "bandwidth-near-contract",
        "cpu-busy",
        "device-down",
        "memory-full",
        "temperature-high",
    ]


@pytest.mark.parametrize(
    ("view", "rule", "severity"),
    [
        (Seen(seen(reach=SILENT), State.down), "device-down", "critical"),
        (Seen(seen(reach=Reach.refused), State.degraded), "device-down", "warning"),
        (Seen(seen(processors=(Processor("0", 97.0),)), State.up), "cpu-busy", "critical"),
        (
            Seen(seen(processors=(Processor("0", 100.0), Processor("1", 72.0))), State.up),
            "cpu-busy",
            "warning",
        ),
        (Seen(seen(mempools=(Mempool("RAM", 98.0),)), State.up), "memory-full", "critical"),
        (
            Seen(seen(sensors=(Sensor("temperature", "CPU", 80.0, "°C"),)), State.up),
            "temperature-high",
            "warning",
        ),
        (
            Seen(seen(), State.up, {"wan": (41e6, 1e6)}, {"wan": Committed("c", 50_000_000, 50_000_000)}),
            "bandwidth-near-contract",
            "warning",
        ),
    ],
)
def test_each_check_finds_its_trouble(view: Seen, rule: str, severity: str) -> None:
    assert [(f.rule, f.severity) for f in examine(view).findings] == [(rule, severity)]


def test_nothing_is_found_where_all_is_well_or_nothing_was_seen() -> None:
    well = seen(processors=(Processor("0", 10.0),), mempools=(Mempool("Cached memory", 99.0),))
    assert examine(Seen(well, State.up)).findings == ()
    assert examine(Seen(seen(reach=SILENT), State.unreachable)).findings == ()


def test_a_gap_closes_no_alert() -> None:
    hot = Finding("temperature-high", "warning", "hot", "CPU")
    assert reconcile([("temperature-high", "CPU")], Verdict((), frozenset({"temperature-high"}))) == ([], [])
    assert reconcile([("temperature-high", "CPU")], Verdict((), frozenset())) == (
        [],
        [("temperature-high", "CPU")],
    )
    assert reconcile([], Verdict((hot,), frozenset())) == ([hot], [])
    assert reconcile([("temperature-high", "CPU")], Verdict((hot,), frozenset())) == ([], [])


SUBJECTS = st.sampled_from([("a", ""), ("b", "x"), ("b", "y")])


@given(st.lists(st.tuples(st.sets(SUBJECTS), st.sets(st.sampled_from(["a", "b"]))), max_size=30))
def test_no_alert_is_doubled_lost_or_stuck(rounds: list[tuple[set[tuple[str, str]], set[str]]]) -> None:
    opened: set[tuple[str, str]] = set()
    for wrong, blind in rounds:
        visible = {s for s in wrong if s[0] not in blind}
        verdict = Verdict(tuple(Finding(r, "warning", "", s) for r, s in sorted(visible)), frozenset(blind))
        to_open, to_close = reconcile(opened, verdict)
        assert not opened & {(f.rule, f.subject) for f in to_open}
        opened = (opened | {(f.rule, f.subject) for f in to_open}) - set(to_close)
        assert {s for s in opened if s[0] not in blind} == visible


def test_what_was_not_observed_has_no_sample() -> None:
    assert samples_of(1, seen(reach=SILENT)) == []


def test_a_sparkline_covers_the_window_and_shows_gaps() -> None:
    assert sparkline([0.0, 1.0, None, 2.0]) == "▁▄ █"
    assert sparkline([1.0] * 100 + [2.0] * 100, 4) == "▄▄██"
    assert sparkline([]) == ""
    assert [rate(v) for v in (None, 0, 999, 41_300_000, 1e9)] == [
        "-",
        "0 bps",
        "999 bps",
        "41.3 Mbps",
        "1 Gbps",
    ]
    assert [duration(v) for v in (None, 0, 61, 90_061)] == ["-", "0s", "1m 1s", "1d 1h"]
