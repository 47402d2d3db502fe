"""Whatever is done to the store, in whatever order, it holds what a dictionary would hold."""

import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.samples import MISSING, Asked, Layout, Poll, Sample, ms_of, polls_of, time_of
from monitor.tsdb.check import check
from monitor.tsdb.store import EmbeddedStore

T0_MS = 1_795_478_400_000  # 2026-11-24T00:00Z
MINUTE = 60_000
DEVICES = st.integers(1, 3)
NAMES = [("cpu", ""), ("in_octets_64", "e1"), ("in_errors", "e1"), ("temperature", "inlet")]
TIMES = st.integers(-3, 3 * 1440).map(lambda m: T0_MS + m * MINUTE) | st.sampled_from(
    [T0_MS + d * 86_400_000 + ms for d in (1, 2) for ms in (-1, 0, 1)]
)
VALUES = st.integers(0, 9) | st.sampled_from([2**63 - 1, -1, -(2**63) + 1, MISSING])
COLUMNS = st.lists(st.sampled_from(NAMES), unique=True, min_size=1)


class Stored(RuleBasedStateMachine):
    """Polls of three devices over three days: once, twice, late, silent, in several layouts."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name) / "s"
        self.store = EmbeddedStore(self.root)
        self.values: dict[tuple[int, str, str], dict[int, int]] = {}
        self.asked: dict[int, dict[int, bool]] = {}

    @rule(device=DEVICES, at=TIMES, columns=COLUMNS, data=st.data())
    def polled(self, device: int, at: int, columns: list[tuple[str, str]], data: st.DataObject) -> None:
        values = [data.draw(VALUES) for _ in columns]
        self._write([Poll(device, at, Layout(tuple(columns)), np.array(values, np.int64))])

    @rule(device=DEVICES, at=TIMES, rounds=st.integers(2, 200), columns=COLUMNS)
    def polled_regularly(self, device: int, at: int, rounds: int, columns: list[tuple[str, str]]) -> None:
        layout = Layout(tuple(columns))
        some = [Poll(device, at + i * MINUTE, layout, np.full(len(columns), i)) for i in range(rounds)]
        self._write(some)

    @rule(device=DEVICES, at=TIMES, rounds=st.integers(1, 30))
    def silent(self, device: int, at: int, rounds: int) -> None:
        self._write([Poll(device, at + i * MINUTE, answered=False) for i in range(rounds)])

    @rule(device=DEVICES, at=TIMES)
    def not_asked(self, device: int, at: int) -> None:
        """A value that came by itself: a trap, or a file of another program."""
        self._write(polls_of([Sample(device, "cpu", "", time_of(at), 5)]))

    def _write(self, polls: list[Poll]) -> None:
        self.store.write(polls)
        for poll in polls:
            values = poll.values.tolist() if poll.values is not None else []
            for name, value in zip(poll.layout.columns, values, strict=True):
                if value != MISSING:
                    self.values.setdefault((poll.device, *name), {}).setdefault(poll.at_ms, value)
            if poll.asked:
                looks = self.asked.setdefault(poll.device, {})
                looks[poll.at_ms] = looks.get(poll.at_ms, False) or poll.answered

    @rule(minutes=st.integers(0, 5 * 1440), compacting=st.booleans())
    def maintained(self, minutes: int, compacting: bool) -> None:
        self.store.maintain(time_of(T0_MS + minutes * MINUTE), compacting=compacting)

    @rule()
    def reopened(self) -> None:
        self.store.close()
        self.store = EmbeddedStore(self.root)

    @invariant()
    def it_holds_every_value(self) -> None:
        keys = [(d, *name) for d in (1, 2, 3) for name in NAMES]
        found = self.store.read(keys, time_of(0), time_of(T0_MS * 2))
        assert {k: list(zip(s.at_ms.tolist(), s.values.tolist(), strict=True)) for k, s in found.items()} == {
            k: sorted(v.items()) for k, v in self.values.items()
        }

    @invariant()
    def it_knows_who_was_asked(self) -> None:
        start, end = time_of(T0_MS + 700 * MINUTE), time_of(T0_MS + 2000 * MINUTE)
        found = self.store.asked(start, end)
        assert found == {
            d: [Asked(d, time_of(t), looks[t]) for t in inside]
            for d, looks in sorted(self.asked.items())
            if (inside := sorted(t for t in looks if ms_of(start) <= t <= ms_of(end)))
        }

    @invariant()
    def the_last_look_and_the_last_answer_are_those_of_all_looks(self) -> None:
        for minutes in ((700, 2000), (0, 5000), (1400, 1441)):
            start, end = (time_of(T0_MS + m * MINUTE) for m in minutes)
            looks = self.store.asked(start, end)
            answers = {d: [a.at for a in some if a.answered] for d, some in looks.items()}
            assert self.store.last_asked(start, end) == {
                d: (some[-1].at, answers[d][-1] if answers[d] else None) for d, some in looks.items()
            }

    @invariant()
    def availability_is_that_of_every_look(self) -> None:
        start, end = T0_MS + 700 * MINUTE, T0_MS + 2000 * MINUTE
        for hold in (90_000, 3_600_000):
            found = self.store.availability(time_of(start), time_of(end), hold / 1000)
            assert {
                d: (round(a.answered_s * 1000), round(a.silent_s * 1000)) for d, a in found.items()
            } == _held(self.asked, start, end, hold)

    @invariant()
    def the_last_is_the_last(self) -> None:
        now = T0_MS + 4000 * MINUTE
        found = self.store.last(time_of(now), max_age_s=2 * 86_400)
        newest = {
            d: max(t for key, some in self.values.items() if key[0] == d for t in some if _seen(t, now))
            for d in {k[0] for k, some in self.values.items() if any(_seen(t, now) for t in some)}
        }
        for device, at in newest.items():
            assert found[device][0].at_ms >= at  # a poll may hold nothing but missing values

    def teardown(self) -> None:
        self.store.close()
        assert check(self.root).damage == []
        assert check(self.root).leftovers == []
        self.folder.cleanup()


def _seen(at: int, now: int) -> bool:
    return now - 2 * 86_400_000 <= at <= now


def _held(asked: dict[int, dict[int, bool]], start: int, end: int, hold: int) -> dict[int, tuple[int, int]]:
    found = {}
    for device, looks in asked.items():
        sums = [0, 0]
        times = sorted(t for t in looks if t < end)
        for at, following in zip(times, [*times[1:], end], strict=False):
            sums[not looks[at]] += max(0, min(at + hold, following, end) - max(at, start))
        if any(sums):
            found[device] = (sums[0], sums[1])
    return found


TestStored = Stored.TestCase
TestStored.settings = settings(max_examples=30, stateful_step_count=20, deadline=timedelta(seconds=20))
