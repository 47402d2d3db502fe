"""Replies that are well formed and wrong are refused or flagged: what is kept is the device's own, or no rate."""

import asyncio
import os
import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from agent import Oid
from altered import ALWAYS, BELIEVED, COLUMNS, IN, OUT, PORTS, REFUSED, SPEED, STEP_S, UPTIME, Device
from pydantic import SecretStr

from monitor import snmp_ports
from monitor.lean_round import Polled
from monitor.observation import Observation, Reach
from monitor.poller import rate_series, samples_of
from monitor.rates import OVER_SPEED, UNKNOWN_SPEED_BPS
from monitor.samples import open_samples, polls_of
from monitor.snmp_agent import Fault
from monitor.snmp_lean import Lean, Wanted
from monitor.store import named_ports
from monitor.tables import Tables
from monitor.targets import SnmpAuth, Target

HERE, ELSEWHERE = "127.93.2.1", "127.93.2.2"
AUTH = SnmpAuth(community=SecretStr("public"))
T0 = datetime(2026, 11, 24, tzinfo=UTC)
INDEXES = tuple((i,) for i in range(1, PORTS + 1))
NAMES = [(*column, *index) for index in INDEXES for column in COLUMNS]
KINDS = {**REFUSED, **BELIEVED}
CASES = int(os.environ.get("SIAGA_ALTERED", "5000"))


class Serving(asyncio.DatagramProtocol):
    """A device at a socket."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for each in self._device.answers(data):
            self._transport.sendto(each, addr)


async def _world(dice: random.Random, stack: ExitStack) -> dict[str, tuple[Device, Target]]:
    """Serve a device of each kind."""
    strangers = []
    for address in (HERE, ELSEWHERE):
        stranger = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        stranger.bind((address, 0))
        strangers.append(stranger)
    found = {}
    for name, alters in KINDS.items():
        device = Device(alters, random.Random(dice.getrandbits(32)), strangers=strangers)
        device.share = 1.0 if name in ALWAYS else device.share
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda d=device: Serving(d), local_addr=(HERE, 0))
        stack.callback(transport.close)
        port = transport.get_extra_info("sockname")[1]
        found[name] = device, Target(name, HERE, snmp_port=port, snmp=AUTH, timeout_s=0.02, retries=1)
    return found


def _seen(name: str, device: Device, polled: Polled) -> Observation:
    """Return a round's values as the poller has them."""
    cells = {n: v for n, v in zip(NAMES, polled.values, strict=True) if v is not None}
    ticks = polled.uptime_ticks
    return Observation(
        name,
        HERE,
        161,
        "snmp",
        T0 + timedelta(seconds=STEP_S * device.rounds),
        Reach.up,
        "",
        0.0,
        uptime_s=None if ticks is None or ticks < 0 else ticks / 100,
        ports=snmp_ports.ports(Tables(cells)),
    )


def _own(device: Device, polled: Polled) -> bool:
    """Tell whether all that came is the device's own."""
    rows = device.rows
    values = zip([*NAMES, UPTIME], [*polled.values, polled.uptime_ticks], strict=True)
    return all(value is None or value == rows[name][1] for name, value in values)


async def _polled(dice: random.Random) -> tuple[dict[str, list[Observation]], int]:
    """Poll all in rounds until so many replies were altered; return what was seen, and how many were."""
    seen: dict[str, list[Observation]] = {name: [] for name in KINDS}
    with ExitStack() as stack:
        world = await _world(dice, stack)
        devices = [device for device, _ in world.values()]
        async with Lean(parser="pure") as engine:
            engine._open_wire()._new_socket(2)
            to = (HERE, engine._open_wire()._sockets[2].getsockname()[1])
            for device in devices:
                device.to = to
            while sum(device.altered for device in devices) < CASES:
                wanted = [Wanted(target, COLUMNS, INDEXES) for _, target in world.values()]

                def done(asked: Wanted, polled: Polled | Fault) -> None:
                    name = asked.target.name
                    device, _ = world[name]
                    assert isinstance(polled, Polled)
                    assert name in BELIEVED or _own(device, polled), (name, polled)
                    seen[name].append(_seen(name, device, polled))

                await engine.round_of(wanted, done)
                for device in devices:
                    device.rounds += 1
    return seen, sum(device.altered for device in devices)


def _rates(home: Path, seen: Sequence[Observation]) -> list[tuple[float, float]]:
    """Keep what was seen as the poller does; return every rate with the most there may be."""
    store = open_samples(home)
    store.write(polls_of(sample for one in seen for sample in samples_of(1, one)))
    speeds = {name: port.speed_bps for name, port in named_ports(seen[-1].ports).items()}
    names = sorted({s.instance for one in seen for s in samples_of(1, one) if s.instance})
    most = {name: OVER_SPEED * (speeds.get(name) or UNKNOWN_SPEED_BPS[64]) for name in names}
    end = seen[-1].at + timedelta(minutes=1)
    series = rate_series(store, 1, names, speeds, T0, end)
    found = [(rate, most[name]) for name, pair in series.items() for points in pair for _, rate in points]
    keys = [
        (1, f"{way}_octets{wide}", name) for name in names for way in ("in", "out") for wide in ("", "_64")
    ]
    for key, bins in store.bins(keys, T0, end, 300).items():  # what is kept for years
        # Every poll has its own speed here, the greatest of them is the bound.
        fastest = max(port.speed_bps or UNKNOWN_SPEED_BPS[64] for one in seen for port in one.ports)
        assert (bins.high * 8 / 1000 <= OVER_SPEED * min(fastest, UNKNOWN_SPEED_BPS[64])).all(), (
            key,
            bins.high,
        )
        assert (bins.total >= 0).all()
    store.close()
    return found


def test_five_thousand_wrong_replies_are_refused_or_flagged(tmp_path: Path) -> None:
    escaped: list[object] = []

    async def guarded() -> tuple[dict[str, list[Observation]], int]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        return await _polled(random.Random(20261127))

    seen, wrong = asyncio.run(guarded())
    assert escaped == []
    assert wrong >= CASES
    told = 0
    for number, (name, ones) in enumerate(seen.items()):
        home = tmp_path / str(number)
        home.mkdir()
        rates = _rates(home, ones)
        told += len(rates)
        assert all(0 <= rate <= most for rate, most in rates), name
        if name in REFUSED:
            true = {0.4e9, 0.2e9}
            assert all(min(abs(rate - t) for t in true) < 1e5 for rate, _ in rates), name
    assert told > 1000


def test_a_counter_above_half_its_range_is_kept_and_its_wrap_is_a_rate(tmp_path: Path) -> None:
    def seen(minute: int, octets: int) -> Observation:
        cells: dict[Oid, int] = {(*IN, 1): octets, (*OUT, 1): 2**63 + minute, (*SPEED, 1): 1000}
        at = T0 + timedelta(minutes=minute)
        ports = snmp_ports.ports(Tables(cells))
        return Observation("d", HERE, 161, "snmp", at, Reach.up, "", 0.0, uptime_s=60.0 * minute, ports=ports)

    rates = _rates(tmp_path, [seen(100, 2**64 - 6000), seen(101, 1500)])
    assert [rate for rate, _ in rates] == [1000.0, pytest.approx(8 / 60)]
