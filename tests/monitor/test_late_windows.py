"""A poll of several windows: each counter's interval is its own, whenever its window was read."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from agent import COUNTER32, COUNTER64, INTEGER, TICKS, Oid, Script, Tagged, served
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from monitor.known import Counted, Known, flows_between, known_ports, polls_of_round, ports_of
from monitor.lean_round import Polled
from monitor.observation import Port
from monitor.rates import Count, Increment, Kind, increments
from monitor.samples import MISSING, Poll, open_samples, time_of
from monitor.snmp_agent import Fault, Late
from monitor.snmp_lean import Lean, Wanted
from monitor.snmp_ports import ADMIN, DISCONTINUITY, IN_64, OPER, OUT_64
from monitor.targets import SnmpAuth, Target
from monitor.windows import HAS_C
from siaga.settings import Poll as Asking

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HERE = "127.91.4.1"
PORTS, INTERVAL = 12, 6000  # interfaces, ticks from round to round
TOLERANCE = 0.01  # of the interval; see lean_round.py
UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
PARSERS = ["pure", "c"] if HAS_C else ["pure"]


def known() -> Known:
    ports = {f"ether{i}": Port(i, octets_bits=64, speed_bps=10**9) for i in range(1, PORTS + 1)}
    found = known_ports(tuple(ports.items()))
    assert found is not None
    return found


def octets_a_tick(port: int) -> int:
    return 1000 * port


class Device:
    """A device with a clock of its own: each request finds it as many ticks later as `lapses` says."""

    def __init__(self, own: Known, ticks: int = 500_000) -> None:
        self.ticks, self.lapses = ticks, iter(())
        self._own, self._script = own, Script({})

    def answer(self, data: bytes) -> bytes | None:
        self.ticks = (self.ticks + next(self.lapses, 0)) % 2**32
        self._script.rows = dict(self._rows())
        return self._script.answer(data)

    def _rows(self) -> Iterator[tuple[Oid, Tagged]]:
        yield UPTIME, (TICKS, self.ticks)
        plain = {ADMIN: (INTEGER, 1), OPER: (INTEGER, 1), DISCONTINUITY: (TICKS, 0)}
        for column in self._own.columns:
            for port in range(1, PORTS + 1):
                octets = (COUNTER64, octets_a_tick(port) * self.ticks)
                small = plain.get(column, (COUNTER32, 0))
                yield (*column, port), octets if column in (IN_64, OUT_64) else small


def rounds(
    own: Known,
    device: Device,
    lapses: Sequence[Sequence[int]],
    parser: str = "pure",
    asking: Asking | None = None,
    round_s: float = INTERVAL / 100,
) -> list[Counted]:
    """Poll once for each of `lapses`, INTERVAL ticks apart; return the answers under the device's own time."""

    async def run() -> list[Counted]:
        found = []
        async with (
            served(device.answer, HERE) as port,
            Lean(asking or Asking(reply_bytes=500), parser=parser) as engine,
        ):
            auth = SnmpAuth(community=SecretStr("public"))
            target = Target("d", HERE, snmp_port=port, snmp=auth)
            wanted = Wanted(target, own.columns, own.indexes, round_s=round_s)
            for number, some in enumerate(lapses):
                device.ticks = start = (500_000 + number * INTERVAL) % 2**32
                device.lapses = iter(some)
                polled = await _one(engine, wanted)
                assert polled.uptime_ticks is not None
                at = T0 + timedelta(seconds=(start - 500_000 + (polled.uptime_ticks - start) % 2**32) / 100)
                late = tuple(_in_its_time(one, polled.uptime_ticks) for one in polled.late)
                found.append(Counted(own, at, polled.uptime_ticks, polled.values, late))
        return found

    return asyncio.run(run())


def _in_its_time(late: Late, first: int) -> Late:
    """Return it as if the time of the device, which passes at requests only, were that of the world."""
    after = (late.uptime_ticks - first) % 2**32
    return late._replace(after_s=after / 100) if after < INTERVAL else late


async def _one(engine: Lean, wanted: Wanted) -> Polled:
    found: list[Polled | Fault] = []
    await engine.round_of([wanted], lambda _, polled: found.append(polled))
    assert isinstance(found[0], Polled)
    return found[0]


def steps(own: Known, counted: Sequence[Counted]) -> dict[int, list[Increment]]:
    """Return interface → the increments of its octets, of what is stored."""
    rows = [row for one in counted for row in polls_of_round(1, one)]
    found = {}
    for port in range(1, PORTS + 1):
        column = own.layout.places["in_octets_64", f"ether{port}"]
        counts = [_count(row, column) for row in rows if row.values[column] != MISSING]
        found[port] = list(increments(counts, bits=64, speed_bps=10**9))
    return found


def _count(row: Poll, column: int) -> Count:
    assert row.values is not None
    return Count(time_of(row.at_ms), int(row.values[column]), int(row.values[0]) / 100)


def off(own: Known, counted: Sequence[Counted]) -> float:
    """Return by which share the rate that is farthest from the truth is off."""
    found = steps(own, counted)
    assert all(len(some) == len(counted) - 1 for some in found.values())
    assert {step.kind for some in found.values() for step in some} == {Kind.ok}
    return max(
        abs(step.per_second / (100 * octets_a_tick(port)) - 1)
        for port, some in found.items()
        for step in some
        if step.per_second is not None
    )


LATE = [[0, 0, 0], [0, 300, 0, 50, 0, 100], [0, 0, 0]]


@example(lapses=LATE)
@settings(max_examples=25, deadline=None)
@given(lapses=st.lists(st.lists(st.integers(0, 120), max_size=8), min_size=3, max_size=3))
def test_the_rate_of_each_counter_is_right_whenever_its_window_was_read(lapses: list[list[int]]) -> None:
    own = known()
    assert (
        off(own, rounds(own, Device(own), lapses)) < TOLERANCE * 60 / 50
    )  # a late window makes a short step


@pytest.mark.parametrize("parser", PARSERS)
def test_without_the_times_of_late_windows_rates_are_some_per_cent_off(parser: str) -> None:
    own = known()
    counted = rounds(own, Device(own), LATE, parser)
    assert [len(one.late) for one in counted] == [0, 2, 0]
    assert off(own, counted) < TOLERANCE * 1.05
    assert off(own, [replace(one, late=()) for one in counted]) > 0.05


def test_a_device_that_is_asked_more_often_than_others_has_a_narrower_time() -> None:
    """What is a hundredth of ten minutes is a tenth of its one."""
    own, slow = known(), Asking(reply_bytes=500, interval_s=600)
    assert off(own, rounds(own, Device(own), LATE, asking=slow)) < TOLERANCE * 1.05
    assert off(own, rounds(own, Device(own), LATE, asking=slow, round_s=600)) > 0.05


def test_what_flows_between_two_rounds_goes_by_the_same_times() -> None:
    own = known()
    before, now = rounds(own, Device(own), LATE[:2])
    names = [name for name, _ in own.ports]
    found = flows_between(1, before, now, ports_of(now), names)
    for port, name in enumerate(names, 1):
        assert found[name].in_bps == pytest.approx(800 * octets_a_tick(port), rel=TOLERANCE)
    blurred = flows_between(1, before, replace(now, late=()), ports_of(now), names)
    assert blurred[names[-1]].in_bps > 1.05 * 800 * octets_a_tick(PORTS)


def test_the_store_tells_the_same_rates_in_bins_and_now(tmp_path: Path) -> None:
    own = known()
    counted = rounds(own, Device(own), [LATE[number % 3] for number in range(12)])
    keys = [(1, "in_octets_64", name) for name, _ in own.ports]
    with open_samples(tmp_path) as store:
        store.write([row for one in counted for row in polls_of_round(1, one)])
        bins = store.bins(keys, T0 + timedelta(minutes=5), T0 + timedelta(minutes=10), 300)
        whole = {key[2]: found.means().tolist() for key, found in bins.items()}
        for upto in (10, 11):  # the newest round has late windows, and then the one before it
            top = store.top("in_octets_64", counted[upto].at + timedelta(seconds=9), PORTS)
            now = {key[2]: rate for key, rate in top}
            assert len(now) == PORTS
            for port, (name, _) in enumerate(own.ports, 1):
                assert now[name] == pytest.approx(100 * octets_a_tick(port), rel=TOLERANCE)
    for port, (name, _) in enumerate(own.ports, 1):
        assert whole[name] == [pytest.approx(100 * octets_a_tick(port), rel=TOLERANCE)]


def test_a_device_that_starts_anew_within_a_poll_has_no_rate_where_it_did() -> None:
    own = known()
    device = Device(own)
    counted = rounds(own, device, [[], [0, 2**32 - device.ticks - INTERVAL + 700], []])
    (late,) = counted[1].late
    assert late.uptime_ticks == 700
    found = steps(own, counted)
    kinds = {port: some[0].kind for port, some in found.items()}
    assert set(kinds.values()) == {Kind.ok, Kind.restart}
    assert kinds[1] is Kind.ok


def test_a_clock_that_wraps_within_a_poll_is_none_that_starts_anew() -> None:
    own = known()

    async def polled(lapses: Sequence[int]) -> Polled:
        device = Device(own, 2**32 - 20)
        device.lapses = iter(lapses)
        async with served(device.answer, HERE) as port, Lean(Asking(reply_bytes=500)) as engine:
            auth = SnmpAuth(community=SecretStr("public"))
            return await _one(
                engine, Wanted(Target("d", HERE, snmp_port=port, snmp=auth), own.columns, own.indexes)
            )

    soon, late = asyncio.run(polled([0, 40])), asyncio.run(polled([0, 400]))
    assert (soon.fault, soon.late, late.fault) == (None, (), None)
    assert [one.uptime_ticks for one in late.late] == [380]


@pytest.mark.parametrize("parser", PARSERS)
def test_a_window_that_was_lost_and_asked_again_has_its_own_time(parser: str) -> None:
    """And so have those that are asked after it; the clock is the real one."""
    own = known()

    async def polled() -> Polled:
        clock = asyncio.get_running_loop().time
        device = Device(own)
        lost = _losing(device, 3, lambda: int(clock() * 100) % 2**32)
        async with (
            served(lost, HERE) as port,
            Lean(Asking(reply_bytes=500, interval_s=20), parser=parser) as engine,
        ):
            auth = SnmpAuth(community=SecretStr("public"))
            target = Target("d", HERE, snmp_port=port, snmp=auth, timeout_s=0.3, retries=2)
            return await _one(engine, Wanted(target, own.columns, own.indexes))

    found = asyncio.run(polled())
    assert found.fault is None
    late = found.late[0]
    assert late.after_s >= 0.25
    assert late.uptime_ticks - found.uptime_ticks >= 25
    first = min(late.cells)
    assert first % len(own.columns) == 0
    assert set(range(first, len(found.values))) == set().union(*(one.cells for one in found.late))


def _losing(device: Device, number: int, clock: Callable[[], int]) -> Callable[[bytes], bytes | None]:
    asked = 0

    def answer(data: bytes) -> bytes | None:
        nonlocal asked
        asked += 1
        device.ticks = clock()
        return None if asked == number else device.answer(data)

    return answer


def test_a_clock_that_jumps_at_each_window_makes_few_times_and_loses_no_cell() -> None:
    own = known()
    (one,) = rounds(own, Device(own), [[0, *([10**6] * 40)]])
    assert 1 < len(one.late) <= 16
    assert all(isinstance(value, int) for value in one.values)
