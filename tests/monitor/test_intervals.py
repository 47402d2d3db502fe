"""The algebra of intervals: parts add up, nothing is less than nothing, and order says nothing."""

import random
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.intervals import NOTHING, Pieces, Steps, first_of, in_order, joined, laid, steps, totals, union

START, END = 1000, 1060
_event = st.tuples(st.integers(1, 4), st.integers(START - 20, END + 20), st.integers(0, 3))
_events = st.lists(_event, max_size=30)
_spans = st.lists(
    st.tuples(st.integers(1, 4), st.integers(START - 20, END + 20), st.integers(-5, 40)), max_size=12
)


def layer(events: Sequence[tuple[int, int, int]]) -> Steps:
    return steps(*([e[n] for e in events] for n in range(3)))


def naive(events: Sequence[tuple[int, int, int]], owner: int, at: int) -> int:
    """What holds at a moment, asked the slow way."""
    held, when = 0, -1
    for who, since, value in events:
        if who == owner and since <= at and since >= when:
            held, when = value, since
    return held


@given(_events, _events)
def test_every_moment_is_in_one_piece_that_holds_what_the_slow_way_says(
    one: list[tuple[int, int, int]], two: list[tuple[int, int, int]]
) -> None:
    pieces = laid((layer(one), layer(two)), [3, 1, 2, 2], START, END)
    assert (pieces.length_ms > 0).all()
    cells = {}
    for owner, start, end, *values in zip(
        pieces.owner, pieces.start_ms, pieces.end_ms, *pieces.values, strict=True
    ):
        for at in range(start, end):
            assert (owner, at) not in cells
            cells[int(owner), at] = tuple(map(int, values))
    assert cells == {
        (o, at): (naive(one, o, at), naive(two, o, at)) for o in (1, 2, 3) for at in range(START, END)
    }


@given(_events, st.randoms(use_true_random=False))
def test_parts_add_up_to_the_window_in_any_order(
    events: list[tuple[int, int, int]], chance: random.Random
) -> None:
    once = list({(o, at): (o, at, v) for o, at, v in events}.values())
    mixed = once[:]
    chance.shuffle(mixed)
    found = []
    for some in (once, mixed):
        pieces = laid((layer(some),), [1, 2, 3, 4], START, END)
        who, ms = totals(pieces.owner, pieces.length_ms, pieces.values[0], 4)
        assert who.tolist() == [1, 2, 3, 4]
        assert ms.sum(axis=1).tolist() == [END - START] * 4
        found.append(ms.tolist())
    assert found[0] == found[1]


@given(_spans)
def test_a_union_is_one_where_some_span_lies(spans: list[tuple[int, int, int]]) -> None:
    owner, start, length = (np.array([s[n] for s in spans], np.int64) for n in range(3))
    pieces = laid((union(owner, start, start + length),), [1, 2, 3, 4], START, END)
    _, ms = totals(pieces.owner, pieces.length_ms, pieces.values[0], 2)
    covered = [
        sum(any(o == who and a <= at < a + n for o, a, n in spans) for at in range(START, END))
        for who in (1, 2, 3, 4)
    ]
    assert ms[:, 1].tolist() == covered


@given(_events, st.permutations([0, 1, 2, 3]))
def test_a_group_is_as_its_foremost_member(events: list[tuple[int, int, int]], ranks: list[int]) -> None:
    pieces = laid((layer(events),), [1, 2, 3], START, END)
    groups = {1: 7, 2: 7, 3: 8}
    group = np.array([groups[int(o)] for o in pieces.owner], np.int64)
    found, best = first_of(pieces, pieces.values[0], group, ranks)
    _, ms = totals(found.owner, found.length_ms, best, 4)
    expected = {7: [0] * 4, 8: [0] * 4}
    for at in range(START, END):
        for g, members in ((7, (1, 2)), (8, (3,))):
            held = {naive(events, m, at) for m in members}
            expected[g][next(r for r in ranks if r in held)] += 1
    assert ms.tolist() == [expected[7], expected[8]]
    assert (found.length_ms > 0).all()


@given(st.lists(st.integers(0, 50), max_size=25))
def test_no_event_is_put_before_the_one_in_front_of_it(at: list[int]) -> None:
    times = in_order(at)
    assert times == sorted(times)
    assert len(times) == len(at)
    assert set(times) <= set(at)
    if at == sorted(at):
        assert times == at


def test_a_clock_that_was_wrong_once_moves_only_what_was_written_then() -> None:
    hour = 3600
    assert in_order([10, 20, 20 + hour, 30, 40]) == [10, 20, 30, 30, 40]  # ahead, and set back
    assert in_order([10, 20, 0, 30]) == [10, 20, 30, 30]  # a board without a battery
    assert in_order([100, 40]) == [40, 40]
    assert in_order([]) == []


def test_no_layer_and_no_owner_are_no_error() -> None:
    empty = joined()
    assert laid((empty,), [], START, END).values.shape == (1, 0)
    assert laid((empty,), [5], START, END).length_ms.tolist() == [END - START]
    none = Pieces(NOTHING, NOTHING, NOTHING, np.empty((1, 0), np.int64))
    assert len(first_of(none, NOTHING, NOTHING, (0, 1))[1]) == 0
