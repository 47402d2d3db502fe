"""When whose turn is: even, without drift, the same after a restart, and unmoved by a clock that steps or a sleep."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.lateness import Lateness
from monitor.schedule import Agenda, Beat, Key, Line
from monitor.snmp_lean import share

T0 = 1_795_478_400.0
PERIODS = st.sampled_from([10.0, 30.0, 60.0, 300.0, 3600.0])
GAPS = st.lists(st.floats(0.01, 5.0), min_size=20, max_size=200)


def crowd(number: int, period_s: float) -> dict[Key, Beat]:
    return {("counters", n): Beat(period_s, share(f"rtr-{n}")) for n in range(number)}


def turns(agenda: Agenda, start_s: float, until_s: float, step_s: float) -> list[tuple[float, Key]]:
    found = []
    for n in range(int((until_s - start_s) / step_s) + 1):
        found += [(t.due_s, t.key) for t in agenda.take(start_s + n * step_s) if t.run]
    return found


@given(PERIODS, st.floats(T0, T0 + 86_400), st.floats(0, 1, exclude_max=True))
def test_the_next_turn_is_within_a_period_and_in_its_place(
    period_s: float, at_s: float, place: float
) -> None:
    due = Beat(period_s, place).after(at_s)
    assert at_s < due <= at_s + period_s + 1e-6
    assert abs(((due / period_s - place) + 0.5) % 1 - 0.5) < 1e-6


@given(st.integers(0, 10_000))
def test_a_crowd_is_spread_evenly_over_the_period(seed: int) -> None:
    agenda = Agenda()
    agenda.replace({("c", n): Beat(60.0, share(f"{seed}-{n}")) for n in range(1200)}, T0)
    seconds = [0] * 60
    for due_s, _ in turns(agenda, T0, T0 + 60, 1.0):
        seconds[int(due_s) % 60] += 1
    assert sum(seconds) == 1200
    assert max(seconds) < 20 + 6 * 20**0.5  # six sigma: a herd would have hundreds


@given(PERIODS, GAPS)
def test_no_turn_drifts_however_the_loop_is_delayed(period_s: float, gaps: list[float]) -> None:
    agenda, beat = Agenda(), Beat(period_s, share("rtr-mauk"))
    agenda.replace({("c", 1): beat}, T0)
    at_s, due = T0, []
    for gap_s in gaps:
        at_s += gap_s
        due += [t.due_s for t in agenda.take(at_s)]
    expected = []
    turn_s = beat.after(T0)
    while turn_s <= at_s:
        expected.append(turn_s)
        turn_s = beat.after(turn_s)
    assert due == expected  # each exactly once, at its own time, as delays are shorter than the period


@given(st.floats(0, 86_400))
def test_a_restart_keeps_the_phase(off_s: float) -> None:
    before, after = Agenda(), Agenda()
    before.replace(crowd(50, 60.0), T0)
    after.replace(crowd(50, 60.0), T0 + off_s)
    places = [
        {key: round(due_s % 60, 3) % 60 for due_s, key in turns(a, start_s, start_s + 61, 0.5)}
        for a, start_s in ((before, T0), (after, T0 + off_s))
    ]
    assert places[0].keys() == places[1].keys()
    assert all(min(d := abs(places[0][k] - places[1][k]), 60 - d) < 0.01 for k in places[0])


@given(st.sampled_from([-3600.0, 3600.0, -86_400.0]), st.integers(1, 100))
def test_a_clock_that_steps_moves_no_turn(step_s: float, when: int) -> None:
    """The line begins at the clock's time and is monotonic from then on: nobody reads the clock again."""
    line = Line(T0, 500.0)
    clock = [T0 + n + (step_s if n >= when else 0.0) for n in range(200)]
    at = [line.at(500.0 + n) for n in range(200)]
    assert at == [T0 + n for n in range(200)]
    assert clock != at  # it did step


@given(st.floats(31, 100_000))
def test_after_a_sleep_nobody_is_caught_up_and_there_is_no_herd(asleep_s: float) -> None:
    agenda = Agenda()
    agenda.replace(crowd(600, 60.0), T0)
    agenda.take(T0 + 60)
    woke_s = T0 + 60 + asleep_s
    due = agenda.take(woke_s)
    assert len({t.key for t in due}) == len(due)  # each at most once, however long it was
    assert all(t.run == (woke_s - t.due_s <= 30) for t in due)
    if asleep_s >= 60:
        assert len(due) == 600
        assert sum(t.missed for t in due) >= 600 * int(asleep_s / 60 - 1)
    after = [due_s for due_s, _ in turns(agenda, woke_s, woke_s + 60, 1.0)]
    assert len(after) == 600
    assert max(sum(s <= d < s + 1 for d in after) for s in (woke_s + n for n in range(60))) < 40


def test_a_device_keeps_its_turn_when_others_come_and_go() -> None:
    agenda = Agenda()
    agenda.replace(crowd(10, 60.0), T0)
    first = crowd(10, 60.0)[("counters", 3)].after(T0)
    agenda.replace({k: b for k, b in crowd(20, 60.0).items() if k[1] >= 3}, T0 + 0.001)
    found = {key: due_s for due_s, key in turns(agenda, T0 + 0.001, T0 + 61, 0.25)}
    assert found[("counters", 3)] in (first, first + 60)
    assert {n for _, n in found} == set(range(3, 20))


def test_lateness_is_of_beginnings_and_fades() -> None:
    book = Lateness(0.0)
    book.due(("health", 1), 10.0)
    assert book.late_s("health", 15.0) == 5.0  # it waits
    book.begin(("health", 1), 16.0)
    assert book.late_s("health", 70.0) == 6.0  # lately
    book.end(("health", 1), 75.0)
    assert (book.done["health"], book.is_open(("health", 1))) == (1, False)
    assert book.late_s("health", 300.0) == 0.0


def test_who_does_not_come_to_an_end_is_unpolled() -> None:
    book, periods = Lateness(0.0), {("health", 1): 60.0, ("health", 2): 60.0}
    for n in range(1, 10):
        book.due(("health", 1), 60.0 * n)
        book.end(("health", 1), 60.0 * n + 1)
    assert list(book.unpolled(periods, 150.0)) == []
    assert list(book.unpolled(periods, 545.0)) == [("health", 2)]
