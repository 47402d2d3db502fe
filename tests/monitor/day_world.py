"""The regency of a scripted day, and siaga's real service over it, under a fake clock."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session, select

from demo import ber, mib
from demo.agents import Agents, Served
from demo.respond import Agent
from inventory.credentials import store_secret
from inventory.history import Author
from inventory.models import Device
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from monitor.models import Alert, Maintenance
from monitor.service import Service
from siaga.secrets import open_vault
from siaga.settings import Settings
from tests.homes import prepare
from tests.monitor.day_script import Script
from tests.monitor.fake_clock import FakeClock

NET = "127.81.1"
COMMUNITY = "regency-ro"
BPS = 8_000_000  # what flows into every port
APC = (1, 3, 6, 1, 4, 1, 318)
SETTINGS: dict[str, Any] = {
    "poll": {"timeout_s": 0.5, "retries": 1},
    "monitor": {
        "reachability_s": 60,
        "counters_s": 300,
        "health_s": 300,
        "batch_s": 10,
        "scene_s": 60,
        "ping": False,
        # What is done in a process of its own goes by the machine's clock, and nobody here would wait for it.
        "compact": False,
        "backup": False,
        "audit": False,
    },
}


@dataclass
class Player:
    """An agent of the script: it answers while it can be reached, with what it would say then."""

    script: Script
    name: str
    agent: Agent

    def answer(self, data: bytes, at_s: float) -> bytes | None:
        return self.agent.answer(data, at_s) if self.script.answers(self.name, at_s) else None


def tree_of(script: Script, name: str) -> mib.Tree:
    """Return what a device tells: who it is, its uptime, its ports, and of a UPS whence the power comes."""
    system = (1, 3, 6, 1, 2, 1, 1)
    ups = script.boxes[name].role == "ups"
    kind = (*APC, 1, 3, 27) if ups else (1, 3, 6, 1, 4, 1, 14988, 1)
    rows: dict[ber.Oid, bytes | mib.Encoder] = {
        (*system, 1, 0): _text("APC Web/SNMP Management Card" if ups else "RouterOS RB5009UG+S+"),
        (*system, 2, 0): ber.oid(kind),
        (*system, 3, 0): lambda at: ber.integer(
            round((at - script.booted_s(name, at)) * 100) % mib.WORD, ber.TIMETICKS
        ),
        (*system, 5, 0): _text(name),
    }
    for index, cable in enumerate(ports_of(script, name).values(), 1):
        rows |= _port(script, name, index, cable)
    if ups:
        battery = script.battery.get(name, ())
        rows[(*APC, 1, 1, 1, 4, 1, 1, 0)] = lambda at: ber.integer(
            3 if any(a <= at < b for a, b in battery) else 2
        )
    return mib.Tree(rows)


def ports_of(script: Script, name: str) -> dict[str, str]:
    """Return port → link of a device."""
    mine = [c.name for c in script.cables.values() if name in (c.a, c.z)]
    return {f"ether{n}": cable for n, cable in enumerate(mine, 1)}


def _port(script: Script, name: str, index: int, cable: str) -> dict[ber.Oid, bytes | mib.Encoder]:
    table, extra = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)

    def octets(at: float) -> bytes:
        return ber.integer(int((at - script.booted_s(name, at)) * BPS / 8), ber.COUNTER64)

    return {
        (*table, 1, index): ber.integer(index),
        (*table, 2, index): _text(f"ether{index}"),
        (*table, 3, index): ber.integer(6),
        (*table, 5, index): ber.integer(1_000_000_000, ber.GAUGE32),
        (*table, 6, index): ber.tlv(
            ber.OCTETS, bytes((0x48, 0x8F, 0x5A, 0, script.boxes[name].number, index))
        ),
        (*table, 7, index): ber.integer(1),
        (*table, 8, index): lambda at: ber.integer(2 if script.is_cut(cable, at) else 1),
        (*extra, 1, index): _text(f"ether{index}"),
        (*extra, 6, index): octets,
        (*extra, 10, index): octets,
        (*extra, 15, index): ber.integer(1000, ber.GAUGE32),
        (*extra, 18, index): _text(cable),
    }


def _text(text: str) -> bytes:
    return ber.tlv(ber.OCTETS, text.encode())


def record(script: Script, settings: Settings, port: int) -> None:
    """Record the regency, and the work that is planned."""
    prepare(settings)
    with session(open_engine(settings)) as opened:
        writer = Writer(opened, Author("test", script.begin))
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        writer.flush()
        secret = SecretStr(COMMUNITY)
        store_secret(opened, open_vault(settings.home), writer.ids("credential")["noc"], "community", secret)
        for place in dict.fromkeys(b.place for b in script.boxes.values()):
            writer.put("place", {"name": place, "kind": "kecamatan"})
        for box in script.boxes.values():
            row = {"name": box.name, "role": box.role, "place": box.place, "transport": "snmp"}
            own = {"address": f"{NET}.{box.number}", "snmp_port": port, "credential": "noc"}
            writer.put("device", {**row, **own})
        quick = {"counters_s": 60}
        writer.put("layer", {"name": "core-quick", "role": "core-router", "vars": {"poll": quick}})
        for box in script.boxes.values():
            for name in ports_of(script, box.name):
                writer.put("interface", {"device": box.name, "name": name})
        for cable in script.cables.values():
            ends = (("a_interface", cable.a), ("z_interface", cable.z))
            own = {k: f"{d}:{_port_to(script, d, cable.name)}" for k, d in ends}
            writer.put("link", {"name": cable.name, "kind": "fibre", **own})
        writer.finish()
        for name, (selector, (start_s, end_s)) in script.windows.items():
            times = {"start": script.time_of(start_s), "end": script.time_of(end_s)}
            opened.add(Maintenance(name=name, selector=selector, **times))


def _port_to(script: Script, device: str, cable: str) -> str:
    return next(p for p, c in ports_of(script, device).items() if c == cable)


@dataclass
class Played:
    """A day that is over: where all of it is kept, and what the service said."""

    script: Script
    settings: Settings
    engine: Engine
    said: list[str] = field(default_factory=list)

    @property
    def ids(self) -> dict[str, int]:
        """Return device → id."""
        with reading(self.engine) as opened:
            return {n: i or 0 for i, n in opened.exec(select(Device.id, Device.name))}

    def alerts(self, session: Session) -> list[Alert]:
        """Return every alert, by when it opened."""
        return sorted(session.exec(select(Alert)), key=lambda a: (a.opened_at, a.rule, a.device_id or 0))

    def told(self) -> list[dict[str, Any]]:
        """Return what the route of last resort was told, line by line."""
        path = self.settings.home / "alerts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@dataclass
class Stage:
    """What acts of a play may lay hands on while it runs."""

    clock: FakeClock
    settings: Settings
    players: dict[str, Player]
    agents: Agents


Act = tuple[float, Callable[[Stage], object]]  # the second of the day, and what is done then


def play(
    script: Script,
    home: Path,
    *,
    acts: Iterable[Act] = (),
    agents: Callable[[], Agents] = lambda: Agents(0),
    settings: Mapping[str, Any] = SETTINGS,
) -> Played:
    """Let the day pass, with siaga's service running at the times that the script says."""
    own = Settings.model_validate({"home": home, **settings})
    said: list[str] = []
    clock = FakeClock(script.begin)
    with pytest.MonkeyPatch.context() as rarely, asyncio.Runner(loop_factory=lambda: clock) as runner:
        # A sixth of the processor would go into looking at an empty outbox, and telling systemd and 'status' of itself.
        rarely.setattr("monitor.chores.OUTBOX_S", 30.0)
        rarely.setattr("monitor.service._STATUS_S", 60.0)
        engine = runner.run(_day(script, own, clock, said.append, agents, acts))
    return Played(script, own, engine, said)


async def _day(
    script: Script,
    settings: Settings,
    clock: FakeClock,
    say: Callable[[str], None],
    agents: Callable[[], Agents],
    acts: Iterable[Act],
) -> Engine:
    stage = Stage(clock, settings, players_of(script), agents())
    for name, player in stage.players.items():
        stage.agents.open(Served(name, address_of(script, name), player), 0)
    record(script, settings, stage.agents.port)
    engine = open_engine(settings)
    for at_s, act in acts:
        clock.call_at(at_s, act, stage)
    try:
        for start_s, end_s in script.watching:
            await asyncio.sleep(start_s - clock.time())
            await watched(settings, engine, clock, end_s, say)
    finally:
        await stage.agents.close()
    return engine


def players_of(script: Script) -> dict[str, Player]:
    """Return the agents of a script."""
    community = COMMUNITY.encode()
    return {n: Player(script, n, Agent(tree_of(script, n), community)) for n in script.boxes}


def address_of(script: Script, name: str) -> str:
    """Return where a device of a script is."""
    return f"{NET}.{script.boxes[name].number}"


async def watched(
    settings: Settings, engine: Engine, clock: FakeClock, end_s: float, say: Callable[[str], None]
) -> None:
    """Run the service until a second of the day."""
    service = Service(settings, engine, run_id=None, now=clock.now, say=say, load=lambda: settings)
    handle = clock.call_at(end_s, service.end)
    try:
        await service.run()
    finally:
        handle.cancel()
