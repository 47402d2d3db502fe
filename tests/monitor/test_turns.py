"""Whose first reading begins when: not before somebody has seen the device, at once then, and never twice at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from monitor.lateness import Lateness
from monitor.observation import Reach
from monitor.reaching import Reached
from monitor.schedule import Turn
from monitor.snmp_agent import Fault
from monitor.state import Heard
from monitor.targets import SnmpAuth, SnmpVersion, Target
from monitor.tier_rim import Setting
from monitor.turns import Turns, together_s
from monitor.watched import Periods, Roll, Watched
from siaga.settings import Settings

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
AUTH = SnmpAuth(SnmpVersion.v2c, SecretStr("public"))
READ = ("counters", "health", "metadata")


@dataclass
class Readers:
    """Stands where the tiers and the reacher do: it notes whom it is to read as a whole, and holds each until told."""

    known: dict[int, Any] = field(default_factory=dict)
    setting: Setting = field(default_factory=Setting)
    trouble: dict[int, Any] = field(default_factory=dict)
    begun: list[int] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[int] = field(default_factory=list)
    speaking: set[int] = field(default_factory=set)

    async def answers(self, device: Watched) -> bool:
        self.asked.append(device.id)
        return device.id in self.speaking

    def reached(self, found: Reached) -> None: ...

    def counters(self, device: Watched, began: Callable[[], None]) -> Awaitable[None]:
        return self.reading(device, began, full=True)

    async def reading(self, device: Watched, began: Callable[[], None], *, full: bool) -> None:
        began()
        self.begun.append(device.id)
        await self.may_end.wait()
        self.known[device.id] = full

    async def look(self, devices: Sequence[Watched]) -> None: ...


def heard(device: int, reach: Reach) -> Reached:
    return Reached(device, Heard(device, NOW, reach, "", "icmp"))


async def first_readings(home: Path) -> tuple[list[int], ...]:
    devices = {i: Watched(i, Target(f"sw-{i}", f"127.94.1.{i}", snmp=AUTH), Periods()) for i in (1, 2, 3)}
    loop, readers = asyncio.get_running_loop(), Readers(speaking={1, 2, 3})
    turns = Turns(Settings(home=home), loop.time, Lateness(loop.time()), lambda _: None, lambda _: None)
    turns.connect(*(cast(Any, readers),) * 4)
    turns.enrol(Roll(devices, {}))
    steps = []
    for seen in ([], [heard(1, Reach.up), heard(2, Reach.silent)], [heard(3, Reach.partial)]):
        for found in seen:
            turns.reached(found)
        turns._begin([Turn((tier, device), loop.time()) for tier in READ for device in (1, 2)])
        for _ in range(5):
            await asyncio.sleep(0)
        steps.append(list(readers.begun))
    readers.may_end.set()
    await turns.drain(5.0)
    return (*steps, sorted(readers.known))


def test_a_first_reading_waits_until_the_device_is_seen_and_is_one(tmp_path: Path) -> None:
    unseen, seen, later, known = asyncio.run(first_readings(tmp_path))
    assert unseen == []
    assert seen == [1], "the silent one is not read, and the other once, though it has three turns"
    assert later == [1], "a device without a turn of its own is not read because it was seen"
    assert known == [1]


async def of_a_mute_one(home: Path) -> list[tuple[int, int]]:
    loop, readers = asyncio.get_running_loop(), Readers()
    turns = Turns(Settings(home=home), loop.time, Lateness(loop.time()), lambda _: None, lambda _: None)
    turns.connect(*(cast(Any, readers),) * 4)
    turns.enrol(Roll({1: Watched(1, Target("sw-1", "127.94.1.1", snmp=AUTH), Periods())}, {}))
    turns.reached(heard(1, Reach.partial))
    readers.trouble[1] = Fault(Reach.silent, "It did not answer.")
    steps = []
    for speaking in (set(), {1}):
        readers.speaking = speaking
        turns._begin([Turn((tier, 1), loop.time()) for tier in READ])
        for _ in range(5):
            await asyncio.sleep(0)
        steps.append((len(readers.asked), len(readers.begun)))
    readers.may_end.set()
    await turns.drain(5.0)
    return steps


def test_one_that_answers_icmp_alone_is_asked_one_question_before_it_is_read(tmp_path: Path) -> None:
    assert asyncio.run(of_a_mute_one(tmp_path)) == [(1, 0), (2, 1)]


@pytest.mark.parametrize(
    ("devices", "period_s", "expected_s"), [(0, 30, 0.02), (50, 30, 0.02), (500, 30, 0.2), (500, 12, 0.08)]
)
def test_turns_of_a_large_fleet_are_begun_together(devices: int, period_s: float, expected_s: float) -> None:
    assert together_s([period_s] * devices) == pytest.approx(expected_s)
