"""What devices, and errors of our own, cannot do to the lean engine: hang a round, stop the loop, fill the memory."""

import asyncio
import errno
import gc
import os
import socket
import threading
import tracemalloc
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hostile
import pytest
from agent import COUNTER64, GET, INTEGER, OCTETS, TICKS, Oid, Script, Tagged, number, served, switch, tlv
from test_lean import AUTH, COLUMNS, IF, IF_X, UPTIME, V1, indexes, polled, rounds, run, target, values

from monitor import snmp, windows
from monitor.lean import Wire
from monitor.lean_round import Polled
from monitor.observation import Reach
from monitor.snmp import Engines, connected, observe
from monitor.snmp_agent import Fault, Kind, Request, Trouble
from monitor.snmp_lean import Lean, Wanted
from monitor.windows import HAS_C, Layout
from siaga.settings import Poll

HERE = "127.93.0.1"
PARSERS = ["pure", "c"] if HAS_C else ["pure"]
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def stumble(*_: object) -> None:
    raise AttributeError("rows")


@pytest.mark.parametrize("devices", [1, 100], ids=["woken", "read at intervals"])
def test_an_error_of_our_own_is_a_fault_of_that_device_and_the_round_ends(devices: int) -> None:
    async def one() -> tuple[list[Polled | Fault], int]:
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(Lean(parser="pure"))
            ports = [
                await stack.enter_async_context(served(Script(switch(9)).answer, HERE))
                for _ in range(devices)
            ]
            wanted = [Wanted(target(port, address=HERE), COLUMNS, indexes(9)) for port in ports]
            usual, engine._quick = engine._quick, stumble
            broken = await rounds(engine, wanted)
            engine._quick = usual
            return broken + await rounds(engine, wanted), engine.tally.broken

    found, broken = run(one())
    assert broken == devices
    for first in found[:devices]:
        assert (first.fault.reach, first.uptime_ticks) == (Reach.garbage, None)
        assert "could not be read: AttributeError('rows')" in first.fault.reason
    assert all((later.fault, later.rows()) == (None, values(9)) for later in found[devices:])


def test_a_parser_that_was_not_built_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_c", None)
    with pytest.raises(ValueError, match="make fast"):
        Lean(parser="c")


def test_an_error_while_a_device_is_read_loses_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise OverflowError("a number")

    monkeypatch.setattr(snmp, "read", broken)
    seen = asyncio.run(observe(target(1, address=HERE), now=NOW))
    assert (seen.reach, seen.ports) == (Reach.garbage, ())
    assert "could not be read: OverflowError" in seen.reason


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    "uptime", [(OCTETS, b"x"), (OCTETS, b""), (5, b""), (INTEGER, -1), (COUNTER64, 2**63)]
)
def test_an_uptime_that_is_none_hangs_nothing(uptime: Tagged, parser: str) -> None:
    def now_and_then(script: Script, reply: bytes) -> bytes:
        script.rows = {**script.rows, UPTIME: uptime if script.asked % 2 else (TICKS, 5)}
        return reply

    found = polled(Script(switch(40), manners=now_and_then), 40, times=2, parser=parser)
    assert found.rows() == values(40)
    assert found.fault is None or "restarted" in found.fault.reason


def test_an_uptime_that_wraps_is_no_restart() -> None:
    def wraps(script: Script, reply: bytes) -> bytes:
        script.rows = {**script.rows, UPTIME: (TICKS, script.asked)}
        return reply

    found = polled(Script({**switch(40), UPTIME: (TICKS, 2**32 - 1)}, manners=wraps), 40)
    assert (found.uptime_ticks, found.fault, found.changed) == (2**32 - 1, None, False)


def test_windows_that_nobody_waits_for_any_more_leave_nothing_behind() -> None:
    async def given_up() -> int:
        def late(script: Script, reply: bytes) -> bytes | None:
            return None if script.asked < 2 else reply

        async with served(Script(switch(5), manners=late).answer, HERE) as port, AsyncExitStack() as stack:
            engines = Engines()
            asked = target(port, address=HERE, timeout_s=0.2)
            await stack.enter_async_context(engines.lean)
            agent = await stack.enter_async_context(connected(asked, engines))
            task = asyncio.create_task(agent.windows(COLUMNS, indexes(5)))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.wait([task])
            left = engines.lean._open_wire().in_flight
            assert (await agent.windows(COLUMNS, indexes(5))).rows == values(5)
            return left

    assert run(given_up()) == 0


@pytest.mark.parametrize("spread_s", [0.0, 30.0])
def test_a_round_that_is_cut_off_asks_nobody_any_more(spread_s: float) -> None:
    async def cut() -> tuple[int, int]:
        asked: list[bytes] = []
        async with served(asked.append, HERE) as port, Lean(Poll(window=4)) as engine:
            wanted = [Wanted(target(port, timeout_s=30, address=f"127.93.1.{i}"), COLUMNS, indexes(3))
                      for i in range(1, 40)]  # fmt: skip
            before = descriptors()
            task = asyncio.create_task(engine.round_of(wanted, lambda *_: None, spread_s=spread_s))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.wait([task])
            wire = engine._open_wire()
            assert (wire.in_flight, len(wire._queued)) == (0, 0)
            sent = engine.tally.sent
            await asyncio.sleep(0.1)
            assert engine.tally.sent == sent
        async with served(Script(switch(3)).answer, HERE) as port, engine:
            (again,) = await rounds(engine, [Wanted(target(port, address=HERE), COLUMNS, indexes(3))])
            assert isinstance(again, Polled)
            assert again.rows() == values(3)
        return before, descriptors()

    before, after = run(cut())
    assert after <= before


def test_what_gives_an_error_once_is_asked_for_again() -> None:
    """A device that begins, or a row that is being made: one noSuchName is not for ever."""

    def begins(script: Script, reply: bytes) -> bytes:
        if script.asked == 1:  # the first cell does not exist, says the device
            ident = reply.index(b"\x02\x04") + 2
            body = tlv(INTEGER, reply[ident : ident + 4]) + number(2) + number(2) + tlv(0x30, b"")
            return tlv(0x30, number(0) + tlv(OCTETS, b"public") + tlv(0xA2, body))
        return reply

    rows, columns = switch(3, sixty_four=False), ((*IF, 8), (*IF, 14))

    async def several() -> list[Any]:
        async with served(Script(rows, manners=begins).answer, HERE) as port, Lean() as engine:
            wanted = Wanted(target(port, V1, address=HERE), columns, indexes(3))
            return [(await rounds(engine, [wanted]))[0].rows()[0] for _ in range(20)]  # type: ignore[union-attr]

    found = run(several())
    assert found[0] == [None, 1]
    assert found[-1] == [1, 1]


@pytest.mark.parametrize("auth", [V1, AUTH], ids=["v1", "v2c"])
def test_a_device_that_gives_an_error_to_everything_is_asked_in_every_round(auth: Any) -> None:
    well = False

    def sick(script: Script, reply: bytes) -> bytes:
        if well:
            return reply
        at = reply.index(b"\x02\x04") + 2
        body = tlv(INTEGER, reply[at : at + 4]) + number(5) + number(0) + tlv(0x30, b"")
        return tlv(0x30, number(int(auth is AUTH)) + tlv(OCTETS, b"public") + tlv(0xA2, body))

    async def several() -> list[Any]:
        nonlocal well
        script = Script(switch(6, sixty_four=False), manners=sick)
        columns, found = ((*IF, 8), (*IF, 14)), []
        async with served(script.answer, HERE) as port, Lean() as engine:
            wanted = Wanted(target(port, auth, address=HERE), columns, indexes(6))
            for i in range(6):
                well = i > 3
                before = script.asked
                found += await rounds(engine, [wanted])
                assert script.asked > before
        return found

    found = run(several())
    assert "error 5" in found[3].fault.reason
    assert found[-1].rows() == [row[2:] for row in values(6)]


def test_a_device_that_is_down_gets_one_probe_though_it_was_heard_before() -> None:
    asked = 0

    def falls_silent(script: Script, reply: bytes) -> bytes | None:
        nonlocal asked
        asked = script.asked
        return reply if script.asked < 4 else None

    async def one() -> int:
        script = Script(switch(5), manners=falls_silent)
        async with served(script.answer, HERE) as port, Lean() as engine:
            wanted = Wanted(target(port, address=HERE, timeout_s=0.6), COLUMNS, indexes(5))
            while script.asked < 4:
                await rounds(engine, [wanted])
            before = asked
            await rounds(engine, [wanted._replace(down=True)])
            return script.asked - before

    assert run(one()) == 1


def test_who_waits_for_a_link_is_served_in_turn() -> None:
    order: list[str] = []

    async def one() -> None:
        last = asyncio.Event()
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(Lean(Poll(site_pdus_per_s=50)))
            engine._open_wire().bucket("Mauk", 50).tokens = 1
            port = await stack.enter_async_context(served(Script(switch(2)).answer, HERE))
            for i in range(2, 6):
                await stack.enter_async_context(served(Script(switch(2)).answer, f"127.93.0.{i}", port))
            wanted = [
                Wanted(target(port, address=f"127.93.0.{i}", site="Mauk"), COLUMNS, indexes(2))
                for i in range(1, 6)
            ]

            def late(_: Polled) -> None:
                order.append("late")
                last.set()

            def done(asked: Wanted, _: Polled | Fault) -> None:
                order.append(asked.target.address)
                if len(order) == 1:  # comes last, when there may be a token again
                    engine._open_wire().bucket("Mauk", 50).tokens = 1
                    engine.poll(wanted[0], late)

            await engine.round_of(wanted, done)
            await last.wait()

    run(one())
    assert order == [f"127.93.0.{i}" for i in range(1, 6)] + ["late"]


def test_tries_again_are_paid_for_by_the_link() -> None:
    async def one() -> float:
        async with served(lambda _: None, HERE) as port, Lean(Poll(site_pdus_per_s=1)) as engine:
            asked = target(port, address=HERE, timeout_s=0.05, retries=3, site="Mauk")
            exchange = await engine.exchange(asked)
            with pytest.raises(Trouble, match="No answer"):
                await exchange.ask(Request(Kind.get, (UPTIME,)))
            return engine._open_wire().bucket("Mauk", 1).tokens

    assert run(one()) == -3


def test_a_flood_keeps_nobody_from_being_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often one reads, more lies there: a silent device is given up all the same, honest ones are read."""
    read = Wire._read_empty
    monkeypatch.setattr(Wire, "_read_empty", lambda wire: read(wire) and False)

    async def flooded() -> list[Polled | Fault]:
        over = threading.Event()
        async with (
            served(Script(switch(3)).answer, HERE) as honest,
            served(lambda _: None, HERE) as silent,
            Lean(Poll(window=1)) as engine,
        ):
            wire = engine._open_wire()
            wire._new_socket(2)
            to = (HERE, wire._sockets[2].getsockname()[1])
            thread = threading.Thread(target=_flood, args=(to, over))
            thread.start()
            try:
                wanted = [
                    Wanted(target(p, address=HERE, timeout_s=0.1, retries=0), COLUMNS, indexes(3))
                    for p in (silent, honest)
                ]
                return await rounds(engine, wanted)
            finally:
                over.set()
                thread.join()

    silent, honest = sorted(run(flooded()), key=lambda polled: polled.fault is None)
    assert silent.fault.reach is Reach.silent
    assert honest.rows() == values(3)


def _flood(to: tuple[str, int], over: threading.Event) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((HERE, 0))
        while not over.wait(0.002):
            for _ in range(50):
                stranger.sendto(b"x" * 40, to)


def test_a_device_that_answers_slowly_does_not_outlast_the_round() -> None:
    async def one() -> tuple[Polled, int]:
        loop = asyncio.get_running_loop()
        script = Script(switch(200))

        class Slow(asyncio.DatagramProtocol):
            def connection_made(self, transport: Any) -> None:
                self.transport = transport

            def datagram_received(self, data: bytes, addr: Any) -> None:
                loop.call_later(0.15, self.transport.sendto, script.answer(data), addr)

        transport, _ = await loop.create_datagram_endpoint(Slow, local_addr=(HERE, 0))
        port = transport.get_extra_info("sockname")[1]
        async with Lean(Poll(interval_s=1)) as engine:
            (found,) = await rounds(
                engine, [Wanted(target(port, address=HERE, timeout_s=5), COLUMNS, indexes(200))]
            )
        transport.close()
        assert isinstance(found, Polled)
        return found, script.asked

    found, asked = run(one())
    assert found.fault == Fault(Reach.partial, "Reading took longer than 1 s.")
    assert found.rows()[0] == values(1)[0]
    assert found.rows()[-1] == [None] * 4
    assert asked < 15


def test_lengths_of_indexes_that_a_device_chooses_make_no_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_patterns", made := {})
    monkeypatch.setattr(windows, "_wanted", {})
    lengths = [1, 2**8, 2**15, 2**22, 2**29]
    chosen: tuple[Oid, ...] = tuple((first + i,) for first in lengths for i in range(7))
    rows: dict[Oid, Tagged] = {UPTIME: (TICKS, 5)}
    rows |= {(*IF_X, 6, *index): (COUNTER64, 9) for index in chosen}

    async def several() -> Any:
        async with served(Script(rows).answer, HERE) as port, Lean(parser="pure") as engine:
            wanted = Wanted(target(port, address=HERE), ((*IF_X, 6),), chosen)
            return await rounds(engine, [wanted], 3)

    assert run(several())[0].rows() == [[9]] * 35
    assert made == {}
    layout = Layout((b"+\x06\1",), (b"\1",))
    good = tlv(0x30, b"\x06\x08+\x06\1\2\1\1\3\0" + number(5, TICKS)) + tlv(
        0x30, b"\x06\x04+\x06\1\1" + number(9)
    )
    found = [hostile.read(Layout.by_pattern, layout, good, 0, len(good)) for _ in range(windows._OFTEN)]
    assert (found[0], found[-1], len(made)) == (None, [5, 9], 1)


def test_a_walk_of_large_values_stops_before_it_fills_the_memory() -> None:
    endless = 0

    def large(data: bytes) -> bytes:
        nonlocal endless
        endless += 1
        one: dict[Oid, Tagged] = {(*IF, 2, endless): (OCTETS, b"x" * 30_000)}
        reply = Script(one, most=1).answer(data)
        assert reply is not None
        return reply

    async def walk() -> Any:
        async with served(large, HERE) as port, connected(target(port, address=HERE), Engines()) as agent:
            return await agent.walk([(*IF, 2)])

    found = run(walk())
    assert "did not end" in found.fault.reason
    assert sum(len(value) for value in found.seen.values()) < 100 << 20


def test_memory_and_descriptors_do_not_grow_over_rounds() -> None:
    """Devices that cut every fifth answer short, a silent one, and targets made anew for each round."""
    devices = 6

    def cut(script: Script, reply: bytes) -> bytes:
        script.kinds.clear()
        return reply[:-1] if script.asked % 5 == 0 else reply

    async def many() -> tuple[int, int]:
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(Lean())
            ports = [
                await stack.enter_async_context(served(Script(switch(20), manners=cut).answer, HERE))
                for _ in range(devices)
            ]
            silent = await stack.enter_async_context(served(lambda _: None, HERE))

            async def some(times: int) -> None:
                for _ in range(times):
                    wanted = [
                        Wanted(replace(target(p, address=HERE, timeout_s=0.02)), COLUMNS, indexes(20))
                        for p in (*ports, silent)
                    ]
                    await rounds(engine, wanted)

            tracemalloc.start()
            await some(10)
            gc.collect()
            files, before = descriptors(), tracemalloc.get_traced_memory()[0]
            await some(25)
            gc.collect()
            after = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            assert descriptors() == files
            return before, after

    before, after = run(many())
    assert after - before < 25 * devices * 56  # less than one small object for each poll


def test_an_icmp_error_that_does_not_quote_the_question_ends_nothing() -> None:
    async def one() -> tuple[Any, Any]:
        def forged(script: Script, reply: bytes) -> bytes:
            peer.unreachable(errno.ECONNREFUSED, sure=False)
            return reply

        columns, asked = COLUMNS, indexes(3)
        async with (
            served(Script(switch(3), manners=forged).answer, HERE) as honest,
            served(lambda _: None, HERE) as silent,
            Lean() as engine,
        ):
            found: list[Polled] = []
            for port in (honest, silent):
                wanted = Wanted(target(port, address=HERE, timeout_s=0.1), columns, asked)
                over = asyncio.Event()
                peer = engine.poll(wanted, lambda polled, over=over: (found.append(polled), over.set()))  # type: ignore[misc]
                await over.wait()
        return found[0], found[1]

    good, nothing = run(one())
    assert (good.fault, good.rows()) == (None, values(3))
    assert "No answer in" in nothing.fault.reason


def test_a_wire_that_is_closed_forgets_its_devices() -> None:
    async def one() -> None:
        wire = Wire()
        wire._new_socket(2)
        opened = wire._sockets[2].fileno()
        wire.close()
        assert wire.in_flight == 0
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(opened)

    run(one())


def test_version_1_without_an_uptime_is_polled_without() -> None:
    rows = {name: value for name, value in switch(3, sixty_four=False).items() if name != UPTIME}
    script = Script(rows)
    found = polled(script, 3, auth=V1)
    assert found.uptime_ticks is None
    assert set(script.kinds) == {GET}
    assert found.fault is not None
