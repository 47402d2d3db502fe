"""Who is looked at when: nobody waits for the silence of another, and an address of two tells nothing of either."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from monitor import snmp
from monitor.echoes import Burst, Swept
from monitor.observation import Reach
from monitor.pace import Pace
from monitor.reaching import Reached, Reacher, heard_of, recalled
from monitor.snmp_agent import Fault
from monitor.state import Heard, Standing, State
from monitor.targets import SnmpAuth, SnmpVersion, Target
from monitor.watched import Periods, Roll, Watched
from siaga.settings import Settings
from tests.monitor.agent import TICKS, Script, served

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)


@dataclass
class Echoes:
    """A network: on the loopback everybody answers ICMP. A burst to one who is away lasts until it is ended."""

    there: set[str]
    end: asyncio.Event = field(default_factory=asyncio.Event)
    open: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def sweep(self, addresses: Sequence[str], _: Pace, told: Callable[[str, float], None]) -> Swept:
        assert not set(addresses) & set(self.open), "a sweep and a burst would take each other's answers"
        for address in self.there.intersection(addresses):
            told(address, 0.001)
        return Swept(dict.fromkeys(self.there.intersection(addresses), 0.001))

    async def burst(self, address: str, count: int, **_: float) -> Burst:
        self.open.append(address)
        self.begun.set()
        await self.end.wait()
        self.open.remove(address)
        return Burst(address, (None,) * count)


def device(number: int, address: str, port: int = 9) -> Watched:
    auth = SnmpAuth(SnmpVersion.v2c, SecretStr("public"))
    target = Target(f"sw-{number}", address, snmp_port=port, snmp=auth, timeout_s=0.3, retries=0)
    return Watched(number, target, Periods())


async def of_one_beside_a_silent_one(home: Path) -> list[list[tuple[int, Reach]]]:
    echoes, told = Echoes({"127.95.3.1"}), []
    settings = Settings(home=home)
    engines = snmp.Engines(settings.poll)
    async with engines.lean:
        reacher = Reacher(
            cast(Any, echoes),
            engines,
            settings,
            lambda: NOW,
            lambda f: told.append((f.device, f.heard.reach)),
        )
        there, away = device(1, "127.95.3.1"), device(2, "127.95.3.2")
        first = asyncio.create_task(reacher.look([there, away]))
        await asyncio.wait_for(echoes.begun.wait(), 10)
        steps = []
        for some in ([there], [there, away], [away]):
            told.clear()
            await reacher.look(some)
            steps.append(list(told))
        told.clear()
        echoes.end.set()
        await first
        steps.append(list(told))
        await reacher.look([away])
        return [*steps, list(told)]


def test_who_answers_is_looked_at_again_while_the_silence_of_another_lasts(tmp_path: Path) -> None:
    again, both, other, first, after = asyncio.run(of_one_beside_a_silent_one(tmp_path))
    assert (again, both) == ([(1, Reach.up)], [(1, Reach.up)])
    assert other == [], "one who is being asked is told of by that look"
    assert first == [(2, Reach.silent)]
    assert after == [(2, Reach.silent)] * 2, "and may be looked at again when it is over"


async def of_two_at_one_address(home: Path) -> list[tuple[int, Reach, str]]:
    settings, told = Settings(home=home), []
    engines = snmp.Engines(settings.poll)

    def tell(found: Reached) -> None:
        told.append((found.device, found.heard.reach, found.heard.probe))

    async with served(Script({UPTIME: (TICKS, 100)}).answer, "127.95.3.3") as port, engines.lean:
        pair = [device(1, "127.95.3.3", port), device(2, "127.95.3.3", 9), device(3, "127.95.3.4")]
        reacher = Reacher(
            cast(Any, Echoes({"127.95.3.3", "127.95.3.4"})), engines, settings, lambda: NOW, tell
        )
        reacher.shared = Roll({d.id: d for d in pair}, {}).shared
        for one in pair:  # each at its own turn
            await reacher.look([one])
    return told


def test_of_two_at_one_address_an_echo_tells_nothing_though_they_have_their_turns_apart(
    tmp_path: Path,
) -> None:
    assert asyncio.run(of_two_at_one_address(tmp_path)) == [
        (1, Reach.up, "direct"), (2, Reach.silent, "direct"), (3, Reach.up, "icmp"),
    ]  # fmt: skip


@pytest.mark.parametrize("reach", [Reach.silent, Reach.refused, Reach.garbage])
def test_the_first_echo_after_a_restart_says_of_a_mute_one_what_the_last_one_before_it_said(
    reach: Reach,
) -> None:
    watched = {1: device(1, "127.95.3.1")}
    before = heard_of(1, NOW, True, Fault(reach, "No answer."), False)
    ended = {1: Standing(State.degraded, beneath=State.degraded, evidence=(before,))}
    assert heard_of(1, NOW, True, recalled(ended, watched).get(1), False) == before


@pytest.mark.parametrize(
    ("beneath", "heard"),
    [
        (State.up, Heard(1, NOW, Reach.up, "", "icmp")),
        (State.down, Heard(1, NOW, Reach.silent, "No answer.", "icmp")),
        (State.degraded, Heard(1, NOW, Reach.partial, "The device stopped.", "snmp")),
    ],
)
def test_of_others_nothing_is_recalled(beneath: State, heard: Heard) -> None:
    ended = {n: Standing(beneath, beneath=beneath, evidence=(heard,)) for n in (1, 2)}
    assert recalled(ended, {1: device(1, "127.95.3.1")}) == {}
