"""What the tiers bring to the samples: counters of rounds, and of walks only where no round brings any."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from monitor.alarms import News
from monitor.known import known_of
from monitor.lean_round import Polled
from monitor.observation import Observation, Port, Reach
from monitor.reaching import Reacher
from monitor.rules.subjects import Subject
from monitor.samples import Poll
from monitor.snmp import Engines
from monitor.targets import SnmpAuth, SnmpVersion, Target
from monitor.tiers import Tiers
from monitor.watched import Periods, Watched
from siaga.settings import Settings

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
WALK = Observation(
    "sw-1",
    "127.0.0.1",
    161,
    "snmp",
    NOW,
    Reach.up,
    uptime_s=90.0,
    ports=(Port(1, ifName="ether1", in_octets=5, out_octets=6, octets_bits=64, speed_bps=10**9),),
)


@dataclass
class Kept:
    """What was brought: the metrics of each poll."""

    metrics: list[set[str]] = field(default_factory=list)

    def store(self, polls: list[Poll]) -> None:
        self.metrics += [{metric for metric, _ in poll.layout.columns} for poll in polls]

    def hear(self, device: int, news: News, whole: Observation | None = None) -> None: ...

    def doubt(self, device: int) -> None: ...

    def changed(self, device: int) -> None: ...

    def served(self, subject: Subject) -> None: ...


def test_counters_are_of_rounds_and_of_walks_only_where_no_round_brings_any(tmp_path: Path) -> None:
    device = Watched(
        1, Target("sw-1", "127.0.0.1", snmp=SnmpAuth(SnmpVersion.v2c, SecretStr("public"))), Periods()
    )
    known = known_of(WALK)
    assert known is not None

    async def brought() -> list[set[str]]:
        kept, settings, engines = Kept(), Settings(home=tmp_path), Engines()
        reacher = Reacher(None, engines, settings, lambda: NOW, lambda _: None)
        tiers = Tiers(settings, engines, reacher, kept, lambda: NOW)
        async with engines.lean as lean:
            peer = lean.peer(device.target)
            width = len(known.columns)
            tiers._read(device, WALK, full=False)
            for values in ([7] * width, [None] * width):
                tiers._counted(device, known, Polled(peer, 0.0, 9100, values, False, None, width))
                tiers._read(device, WALK, full=False)
        return kept.metrics

    walks = [("in_octets_64" in metrics, "speed" in metrics) for metrics in asyncio.run(brought())]
    assert walks == [(True, True), (True, False), (False, True), (True, False), (True, True)]
