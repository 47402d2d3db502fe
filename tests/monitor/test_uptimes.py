"""Availability: every millisecond is of one kind, as a second and slower way of counting says too."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.intervals import joined, union
from monitor.tsdb import runs
from monitor.tsdb.head import ANSWERED, ASKED
from monitor.uptimes import (
    BEST,
    Kind,
    Parts,
    added,
    believed,
    best,
    looked,
    looks_of,
    per_device,
    seen,
    stretches,
)

START, END, HOLD = 1000, 1100, 25
_WORDS = ("up", "degraded", "down", "unreachable", "flapping", "maintenance", "not observed")
_looks = st.dictionaries(st.integers(START - 40, END + 10), st.booleans(), max_size=14)
_states = st.dictionaries(st.integers(START - 40, END + 10), st.sampled_from(_WORDS), max_size=6)
_excuses = st.lists(st.tuples(st.integers(START, END), st.integers(0, 60)), max_size=2)
_world = st.dictionaries(st.integers(1, 3), st.tuples(_looks, _states, _excuses), min_size=1, max_size=3)
World = dict[int, tuple[dict[int, bool], dict[int, str], list[tuple[int, int]]]]


def slow(looks: dict[int, bool], states: dict[int, str], excuses: list[tuple[int, int]]) -> dict[int, Kind]:
    """Say what every millisecond was, by looking at nothing but that millisecond and those after it."""

    def look(t: int) -> bool | None:
        before = max((at for at in looks if at <= t), default=None)
        return None if before is None or t >= before + HOLD else looks[before]

    def state(t: int) -> str:
        before = max((at for at in states if at <= t), default=None)
        return "" if before is None else states[before]

    def came_to(t: int) -> str:
        for later in range(t, END):
            if look(later):
                return ""
            if look(later) is False and state(later) in ("down", "flapping", "unreachable"):
                return state(later)
        return ""

    def kind(t: int) -> Kind:
        answer = look(t)
        if state(t) == "maintenance":
            seen_then = {True: Kind.maintained_up, False: Kind.maintained_down, None: Kind.maintained_unseen}
            return seen_then[answer]
        if answer is None:
            return Kind.unobserved
        if answer:
            return Kind.up
        settled = came_to(t)
        if settled in ("down", "flapping"):
            excused = any(a <= t < a + n for a, n in excuses)
            return Kind.excused if excused else Kind.down
        return Kind.unreachable if settled == "unreachable" else Kind.unobserved

    return {t: kind(t) for t in range(START, END)}


def fast(world: World) -> tuple[dict[int, Parts], object]:
    table = looks_of((d, at, answered) for d, (some, _, _) in world.items() for at, answered in some.items())
    changes = sorted((d, at, word) for d, (_, some, _) in world.items() for at, word in some.items())
    spans = [(d, a, a + n) for d, (_, _, some) in world.items() for a, n in some]
    columns = [np.array([s[n] for s in spans], np.int64) for n in range(3)]
    view = seen(
        looked(table, HOLD),
        believed(*([c[n] for c in changes] for n in range(3))),  # type: ignore[arg-type]
        union(*columns),
        list(world),
        (START, END),
    )
    return per_device(view), view


@given(_world)
def test_the_fast_way_and_the_slow_way_agree_to_the_millisecond(world: World) -> None:
    found, view = fast(world)
    told = {d: slow(*some) for d, some in world.items()}
    assert {d: p.ms for d, p in found.items()} == {
        d: tuple(Counter(kinds.values())[k] for k in Kind) for d, kinds in told.items()
    }
    assert all(sum(p.ms) == END - START for p in found.values())
    both = best(view, {7: list(world), 8: [min(world)]})  # type: ignore[arg-type]
    foremost = Counter(next(k for k in BEST if k in {told[d][t] for d in world}) for t in range(START, END))
    assert both[7].ms == tuple(foremost[k] for k in Kind)
    assert both[8] == found[min(world)]
    whole = added(found.values())
    assert whole is not None
    assert whole.total_s == len(world) * (END - START) / 1000
    away = stretches(view, (Kind.down, Kind.excused))  # type: ignore[arg-type]
    assert sum(s.end_ms - s.start_ms for s in away) == sum(
        p.ms[Kind.down] + p.ms[Kind.excused] for p in found.values()
    )
    assert all(a.device != b.device or a.end_ms < b.start_ms for a, b in pairwise(away))


@given(st.dictionaries(st.integers(START - 40, END), st.booleans(), min_size=1, max_size=14))
def test_runs_say_what_the_looks_they_were_made_of_say(looks: dict[int, bool]) -> None:
    at = np.array(sorted(looks), np.int64)
    flags = np.array([ASKED | (ANSWERED if looks[t] else 0) for t in sorted(looks)], np.int64)
    table = runs.runs_of(np.ones(len(at), np.int64), at, flags)
    if (table[runs.GAP] > HOLD).any():
        return  # the store then gives every look instead
    nothing = joined()
    single = seen(
        looked(looks_of((1, t, a) for t, a in looks.items()), HOLD), nothing, nothing, [1], (START, END)
    )
    shortened = seen(looked(table, HOLD), nothing, nothing, [1], (START, END))
    assert per_device(single) == per_device(shortened)


def test_what_users_met_and_what_the_contract_counts_are_told_apart() -> None:
    parts = Parts(100_000, 1, (10_000, 50_000, 5_000, 10_000, 6_000, 4_000, 5_000, 10_000))
    assert parts.met_s == 85.0
    assert parts.users_pct == 100 * 56 / 85
    assert parts.sla_s == 55.0
    assert parts.sla_pct == 100 * 50 / 55
    assert parts.maintenance_s == 15.0
    assert parts.coverage_pct == 85.0
    nothing = Parts(100_000, 1, (100_000, 0, 0, 0, 0, 0, 0, 0))
    assert (nothing.users_pct, nothing.sla_pct, nothing.coverage_pct) == (None, None, 0.0)


def told(looks: str, *changes: tuple[int, str]) -> list[str]:
    """Return the kind of each minute of looks, one a minute: + answered, - silent, . nobody looked."""
    table = looks_of((1, 60 * n, c == "+") for n, c in enumerate(looks) if c != ".")
    states = believed([1] * len(changes), [at for at, _ in changes], [word for _, word in changes])
    view = seen(looked(table, 60), states, joined(), [1], (0, 60 * len(looks)))
    kinds = dict(zip(view.pieces.start_ms.tolist(), view.kind.tolist(), strict=True))
    at = [max(t for t in kinds if t <= 60 * n) for n in range(len(looks))]
    return [Kind(kinds[t]).name for t in at]


def test_a_single_silence_says_nothing_and_those_that_led_to_down_are_down() -> None:
    found = told("+-+---", (0, "up"), (270, "down"))
    assert found == ["up", "unobserved", "up", "down", "down", "down"]


def test_a_device_cut_off_or_refusing_is_not_down() -> None:
    assert told("--", (0, "unreachable")) == ["unreachable"] * 2
    for state in ("degraded", "up", "not observed"):
        assert told("--", (0, state)) == ["unobserved"] * 2
    assert told("--") == ["unobserved"] * 2


def test_a_pause_in_polling_is_a_gap_whatever_is_believed() -> None:
    assert told("+..+", (0, "up")) == ["up", "unobserved", "unobserved", "up"]
    assert told("--..-", (0, "down")) == ["down", "down", "unobserved", "unobserved", "down"]


def test_an_outage_goes_on_behind_a_gap_in_which_nothing_was_seen() -> None:
    looks = {0: True, 60: False, 120: False, 300: False, 420: True, 480: False}
    table = looks_of((1, at, answered) for at, answered in looks.items())
    states = believed([1, 1, 1], [60, 420, 480], ["down", "up", "down"])
    view = seen(looked(table, 60), states, joined(), [1], (0, 900))
    assert [(s.start_ms, s.end_ms, s.open) for s in stretches(view, [Kind.down])] == [
        (60, 180, False),
        (300, 360, False),
        (480, 540, False),
    ]
    found = stretches(view, [Kind.down], across=True)
    assert [(s.start_ms, s.end_ms, s.open, s.parts) for s in found] == [
        (60, 360, False, {Kind.down: 180}),
        (480, 540, True, {Kind.down: 60}),
    ]
