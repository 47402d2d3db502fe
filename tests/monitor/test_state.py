"""States: nothing is down without cause, nobody behind another is called down for it, nothing recovers by silence."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.observation import Observation, Reach
from monitor.poller import samples_of
from monitor.show import duration, rate, sparkline
from monitor.state import UPLINK_REASON, Heard, Judged, Limits, Probe, Standing, State, World, judge
from monitor.topology import UPLINK, Topology, of_parents

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SILENT, UP = Reach.silent, Reach.up
AT_ONCE = Limits(patience=0)
# core 1 ── 2 ── 3, and 4 between 2 and the core: a ring.
RING = Topology({1: (2, 4), 2: (1, 3, 4), 3: (2,), 4: (1, 2)}, frozenset({1}))
TREE = of_parents({2: 1, 3: 2})


class Run:
    """The machine with its memory, one batch after another, a minute apart."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.standings: Mapping[int, Standing] = {}
        self.now = T0
        self.last = Judged({})

    def hear(self, reaches: Mapping[int, Reach], after_s: float = 60.0) -> Judged:
        self.now += timedelta(seconds=after_s)
        heard = [Heard(d, self.now, r, "" if r is UP else "no answer in 2 s") for d, r in reaches.items()]
        self.last = judge(self.standings, heard, self.world, self.now)
        self.standings = {**self.standings, **self.last.after}
        return self.last

    def states(self) -> dict[int, str]:
        return {d: s.state.value for d, s in sorted(self.standings.items()) if d != UPLINK}

    def asked(self) -> set[int]:
        return {a.device for a in self.last.asks}


def alone(*reaches: Reach) -> Standing:
    run = Run(World(usual=AT_ONCE))
    for reach in reaches:
        run.hear({1: reach})
    return run.standings.get(1, Standing())


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
    assert alone(*reaches).state is state


def test_since_is_when_the_state_began() -> None:
    assert alone(UP, UP, UP).since == T0 + timedelta(minutes=1)
    assert alone(UP, SILENT, SILENT, SILENT).since == T0 + timedelta(minutes=3)


@given(st.lists(st.sampled_from(list(Reach)), max_size=40))
def test_down_needs_two_silences_in_a_row_and_ends_with_any_answer(reaches: list[Reach]) -> None:
    standing = alone(*reaches)
    assert (standing.beneath is State.down) == (reaches[-2:] == [SILENT, SILENT])
    if reaches and reaches[-1] is UP:
        assert standing.beneath is State.up


def test_a_transition_holds_the_probes_it_rests_on() -> None:
    run = Run(World(usual=AT_ONCE))
    run.hear({1: UP})
    run.hear({1: SILENT})
    (change,) = run.hear({1: SILENT}).transitions
    assert [(e.at, e.reach) for e in change.evidence] == [
        (T0 + timedelta(minutes=n + 1), r) for n, r in enumerate((UP, SILENT, SILENT))
    ]
    assert (change.before, change.after, change.reason) == (State.up, State.down, "no answer in 2 s")


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_the_one_in_front_is_down_and_those_behind_are_unreachable_whatever_the_order(
    order: Iterable[int],
) -> None:
    run = Run(World(topology=TREE, usual=AT_ONCE))
    run.hear({1: UP, 2: UP, 3: UP})
    for _ in range(2):
        run.hear(dict.fromkeys(order, SILENT))
    assert run.states() == {1: "down", 2: "unreachable", 3: "unreachable"}
    assert {t.device: t.behind for t in run.last.transitions} == {1: (), 2: (1,), 3: (1,)}


def test_a_ring_holds_while_one_way_is_left() -> None:
    run = Run(World(topology=RING, usual=AT_ONCE))
    run.hear({1: UP, 2: UP, 3: UP, 4: UP})
    for _ in range(3):
        run.hear({1: UP, 2: UP, 3: UP, 4: SILENT})
    assert run.states() == {1: "up", 2: "up", 3: "up", 4: "down"}
    for _ in range(3):
        run.hear({1: UP, 2: SILENT, 3: SILENT, 4: SILENT})
    assert run.states() == {1: "up", 2: "down", 3: "unreachable", 4: "down"}


def test_the_parent_is_asked_again_before_the_child_is_judged() -> None:
    run = Run(World(topology=TREE, usual=Limits(patience=3)))
    run.hear({1: UP, 2: UP, 3: UP})
    run.hear({2: SILENT}, 5)
    assert run.last.asks == (Probe(2, "it was silent", 2.0),)
    run.hear({2: SILENT}, 2)  # its parent answered before this: that says nothing
    assert run.asked() == {1, 2}
    assert run.states()[2] == "up"
    run.hear({1: SILENT}, 1)
    run.hear({1: SILENT}, 2)
    assert run.states() == {1: "down", 2: "unreachable", 3: "up"}


def test_the_child_is_down_once_its_parent_has_answered_after_it_fell_silent() -> None:
    run = Run(World(topology=TREE, usual=Limits(patience=3)))
    run.hear({1: UP, 2: UP})
    for _ in range(2):
        run.hear({2: SILENT}, 2)
    run.hear({1: UP}, 1)
    assert run.states() == {1: "up", 2: "down"}


def test_patience_ends_so_that_no_child_waits_for_ever() -> None:
    run = Run(World(topology=TREE, usual=Limits(patience=3)))
    run.hear({1: UP, 2: UP})
    for _ in range(5):
        run.hear({2: SILENT}, 2)  # nobody ever asks its parent
    assert run.states()[2] == "down"


def test_what_was_down_before_its_way_was_lost_stays_down() -> None:
    run = Run(World(topology=TREE, usual=AT_ONCE))
    run.hear({1: UP, 2: UP})
    for _ in range(2):
        run.hear({1: UP, 2: SILENT})
    for _ in range(3):
        run.hear({1: SILENT, 2: SILENT})
    assert run.states() == {1: "down", 2: "down"}


def test_when_the_way_is_back_the_child_is_counted_from_the_beginning() -> None:
    run = Run(World(topology=TREE, usual=Limits(failures=3, patience=0)))
    run.hear({1: UP, 2: UP})
    for _ in range(5):
        run.hear({1: SILENT, 2: SILENT})
    assert run.states() == {1: "down", 2: "unreachable"}
    seen = []
    for _ in range(3):
        run.hear({1: UP, 2: SILENT})
        seen.append(run.states()[2])
    assert seen == ["unreachable", "unreachable", "down"]


def test_an_unmanaged_switch_in_between_lets_pass() -> None:
    run = Run(World(topology=Topology({1: (9,), 9: (1, 2), 2: (9,)}, frozenset({1})), usual=AT_ONCE))
    run.hear({1: UP, 2: UP})
    for _ in range(2):
        run.hear({1: UP, 2: SILENT})
    assert run.states() == {1: "up", 2: "down"}
    for _ in range(2):
        run.hear({1: SILENT, 2: UP})
    assert run.states() == {1: "down", 2: "up"}


def test_grace_is_waited_for_and_a_clock_that_steps_delays_it_by_one_gap_at_most() -> None:
    run = Run(World(usual=Limits(failures=2, grace_s=60, patience=0, longest_gap_s=30)))
    run.hear({1: UP})
    run.hear({1: SILENT}, 10)
    run.hear({1: SILENT}, -3600)  # an hour back
    assert run.states()[1] == "up"
    for _ in range(3):
        run.hear({1: SILENT}, 20)
    assert run.states()[1] == "down"
    run.hear({1: UP}, 20)
    run.hear({1: SILENT}, 20)
    run.hear({1: SILENT}, 3600)  # an hour on: that is one gap of 30 s
    assert run.states()[1] == "up"


def test_a_step_of_the_clock_makes_no_old_answer_new() -> None:
    run = Run(World(topology=TREE, usual=Limits(patience=3)))
    run.hear({1: UP, 2: UP})
    run.hear({2: SILENT}, -3600)
    run.hear({2: SILENT}, 2)
    assert run.states()[2] == "up"  # the parent's answer has a later time, and came before
    assert 1 in run.asked()


def test_it_flaps_once_and_ends_flapping_when_it_is_quiet() -> None:
    run = Run(World(usual=replace(AT_ONCE, flap_half_life_s=600)))
    said = []
    for _ in range(6):
        for reach in (UP, SILENT, SILENT):
            said += [t.after.value for t in run.hear({1: reach}).transitions]
    assert said == ["up", "down", "up", "down", "flapping"]
    for _ in range(40):
        said += [t.after.value for t in run.hear({1: UP}).transitions]
    assert said[-2:] == ["flapping", "up"]


def test_maintenance_lies_over_everything_and_ends_with_what_is_beneath() -> None:
    world = World(usual=AT_ONCE)
    run = Run(world)
    run.hear({1: UP})
    run.world = replace(world, maintenance={1: "ganti ups"})
    for _ in range(6):
        run.hear({1: SILENT})
        run.hear({1: SILENT})
        run.hear({1: UP})
    assert run.states()[1] == "maintenance"
    assert run.standings[1].flaps == 0
    run.world = world
    assert [t.after for t in run.hear({}).transitions] == [State.up]


def test_with_its_own_uplink_silent_siaga_sees_nothing_and_says_so_once() -> None:
    near = {1: tuple(range(2, 40)), **dict.fromkeys(range(2, 40), (1,))}
    run = Run(World(topology=Topology(near, frozenset({1})), watch_uplink=True, usual=Limits(patience=3)))
    everybody = dict.fromkeys(range(1, 40), UP)
    run.hear({UPLINK: UP, **everybody})
    run.hear(dict.fromkeys((1, 7), SILENT), 1)
    run.hear(dict.fromkeys((1, 7), SILENT), 2)
    assert UPLINK in run.asked()
    assert set(run.states().values()) == {"up"}
    run.hear({UPLINK: SILENT}, 1)
    run.hear({UPLINK: SILENT}, 2)
    for _ in range(20):
        run.hear({**dict.fromkeys(range(1, 40), SILENT), UPLINK: SILENT})
        assert run.last.blind
    assert set(run.states().values()) == {"not observed"}
    assert run.standings[7].reason == UPLINK_REASON
    run.hear({UPLINK: UP, **everybody})
    assert set(run.states().values()) == {"up"}
    assert not run.last.blind


def test_a_gateway_that_does_not_answer_makes_nobody_blind_while_devices_do() -> None:
    run = Run(World(topology=TREE, watch_uplink=True, usual=Limits(patience=2)))
    for _ in range(3):
        run.hear({UPLINK: SILENT, 1: UP, 2: UP, 3: UP})
    for _ in range(6):
        run.hear({UPLINK: SILENT, 1: UP, 2: UP, 3: SILENT})
    assert run.states() == {1: "up", 2: "up", 3: "down"}
    assert not run.last.blind


@st.composite
def networks(draw: st.DrawFn) -> tuple[Topology, frozenset[int]]:
    """Return a network that hangs together, with rings in it, and who of it fails."""
    size = draw(st.integers(2, 12))
    lines = {(draw(st.integers(1, n - 1)), n) for n in range(2, size + 1)}
    lines |= draw(st.sets(st.tuples(st.integers(1, size), st.integers(1, size)), max_size=6))
    near: dict[int, set[int]] = {n: set() for n in range(1, size + 1)}
    for a, z in lines:
        if a != z:
            near[a].add(z)
            near[z].add(a)
    roots = frozenset(draw(st.sets(st.integers(1, size), min_size=1, max_size=2)))
    dead = frozenset(draw(st.sets(st.integers(1, size))))
    return Topology({n: tuple(sorted(some)) for n, some in near.items()}, roots), dead


@given(networks(), st.integers(0, 3), st.randoms(use_true_random=False))
def test_in_any_network_who_is_down_and_who_is_behind(
    drawn: tuple[Topology, frozenset[int]], patience: int, chance: Random
) -> None:
    topology, dead = drawn
    there = topology.reached(lambda d: d not in dead)
    run = Run(World(topology=topology, usual=Limits(failures=3, patience=patience)))
    everybody = list(topology.near)
    run.hear(dict.fromkeys(everybody, UP))
    for _ in range(12):
        chance.shuffle(everybody)
        run.hear({d: UP if d in there else SILENT for d in everybody})
    for device in everybody:
        reached = device in topology.roots or any(n in there for n in topology.near[device])
        expected = "up" if device in there else "down" if reached else "unreachable"
        assert run.states()[device] == expected, (device, topology, dead)
    run.hear(dict.fromkeys(everybody, UP))
    assert set(run.states().values()) == {"up"}


@given(networks(), st.randoms(use_true_random=False))
def test_polled_one_by_one_in_any_order_nobody_is_down_for_another(
    drawn: tuple[Topology, frozenset[int]], chance: Random
) -> None:
    topology, dead = drawn
    there = topology.reached(lambda d: d not in dead)
    run = Run(World(topology=topology, usual=Limits(failures=2, patience=3)))
    everybody = list(topology.near)
    run.hear(dict.fromkeys(everybody, UP))
    said: set[tuple[int, str]] = set()
    for _ in range(3):
        chance.shuffle(everybody)
        asked: dict[int, None] = {}
        waiting = list(everybody)
        for _ in range(60 * len(everybody)):  # who is to be asked again comes before the round goes on
            if not asked and not waiting:
                break
            device = next(iter(asked)) if asked else waiting.pop(0)
            asked.pop(device, None)
            heard = run.hear({device: UP if device in there else SILENT}, 1)
            said |= {(t.device, t.after.value) for t in heard.transitions}
            asked |= dict.fromkeys(a.device for a in heard.asks if a.device not in asked)
        assert not waiting
    for device in everybody:
        doorstep = device in topology.roots or any(n in there for n in topology.near[device])
        expected = "up" if device in there else "down" if doorstep else "unreachable"
        assert run.states()[device] == expected, (device, topology, dead)
        assert expected == "down" or (device, "down") not in said


def test_what_was_not_observed_has_no_sample() -> None:
    assert samples_of(1, Observation("r", "127.0.0.1", 161, "snmp", T0, SILENT)) == []


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
