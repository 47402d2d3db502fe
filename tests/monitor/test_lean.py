"""The lean engine on loopback: who is matched, who waits, what is learned of a device, who is polled beside whom."""

import asyncio
import random
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import hostile
import pytest
from agent import BULK, COUNTER32, COUNTER64, GET, INTEGER, OCTETS, TICKS, Oid, Script, Tagged, served, switch
from pydantic import SecretStr

from monitor import lean_waiting
from monitor.lean_round import Polled
from monitor.observation import Reach
from monitor.snmp import Engines, connected, engine_of
from monitor.snmp_agent import Answer, Fault, Kind, PoliteAgent, Request, Trouble, Windowed
from monitor.snmp_lean import Lean, RoundTally, Wanted, share, speaks
from monitor.targets import SnmpAuth, SnmpVersion, Target
from monitor.windows import HAS_C
from siaga.settings import Poll

AUTH = SnmpAuth(community=SecretStr("public"))
V1 = replace(AUTH, version=SnmpVersion.v1)
IF, IF_X = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
COLUMNS = ((*IF_X, 6), (*IF_X, 10), (*IF, 8), (*IF, 14))
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
HERE = "127.81.0.1"


def indexes(ports: int) -> tuple[Oid, ...]:
    return tuple((i,) for i in range(1, ports + 1))


def values(ports: int) -> list[list[int]]:
    return [[2**40 + i, 2**41 + i, 1 if i % 2 else 7, i] for i in range(1, ports + 1)]


def target(port: int, auth: SnmpAuth = AUTH, address: str = HERE, **more: Any) -> Target:
    more = {"timeout_s": 0.3, "retries": 1} | more
    return Target(f"d-{address}-{port}", address, snmp_port=port, snmp=auth, **more)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run with every exception that the loop would have logged as a failure."""
    escaped: list[object] = []

    async def guarded() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        async with asyncio.timeout(60):
            return await coroutine

    found = asyncio.run(guarded())
    assert escaped == []
    return found


async def rounds(engine: Lean, wanted: list[Wanted], times: int = 1) -> list[Polled | Fault]:
    found: list[Polled | Fault] = []
    for _ in range(times):
        found.clear()
        await engine.round_of(wanted, lambda _, polled: found.append(polled))
    return found


def polled(
    script: Script, ports: int, times: int = 1, auth: SnmpAuth = AUTH, parser: str = "pure", **more: Any
) -> Polled:
    """Poll one device so many rounds; return the last."""

    async def one() -> Polled:
        async with served(script.answer, HERE) as port, Lean(parser=parser) as engine:
            (found,) = await rounds(
                engine, [Wanted(target(port, auth, **more), COLUMNS, indexes(ports))], times
            )
            assert isinstance(found, Polled)
            return found

    found: Polled = run(one())
    return found


@pytest.mark.parametrize("parser", ["pure", "c"] if HAS_C else ["pure"])
def test_windows_bring_the_rows_and_the_uptime(parser: str) -> None:
    script = Script(switch(40))
    found = polled(script, 40, parser=parser)
    assert (found.fault, found.changed, found.uptime_ticks) == (None, False, 123456)
    assert found.rows() == values(40)
    assert set(script.kinds) == {BULK}
    assert script.asked < 5


def test_version_1_is_polled_by_get_and_what_is_not_there_is_none() -> None:
    rows = switch(9, sixty_four=False)
    script = Script(rows)
    found = polled(script, 9, times=2, auth=V1)
    assert found.rows() == [[None, None, row[2], row[3]] for row in values(9)]
    assert (found.fault, found.changed, set(script.kinds)) == (None, False, {GET})


def test_a_value_that_is_no_number_is_read_too() -> None:
    rows: dict[Oid, Tagged] = {**switch(8), (*IF, 8, 3): (OCTETS, b"up"), (*IF, 14, 4): (INTEGER, -5)}
    expected: list[list[Any]] = values(8)
    expected[2][2], expected[3][3] = b"up", -5
    assert polled(Script(rows), 8).rows() == expected


@pytest.mark.parametrize("most", [1, 2, 4, 5, 9, 30])
@pytest.mark.parametrize("strict", [False, True])
def test_what_a_device_can_take_is_learned(most: int, strict: bool) -> None:
    script = Script(switch(12), most=most, strict=strict)
    if most == 1:  # sysUpTime and one cell do not fit: a device that cannot say anything
        return
    found = polled(script, 12)
    assert found.rows() == values(12)
    assert found.fault is None
    before = script.asked
    again = Script(switch(12), most=most, strict=strict)
    assert polled(again, 12, times=2).rows() == values(12)
    assert again.asked - before <= before  # the second round asks no more than the first


def test_a_row_that_went_and_one_that_came_are_told_of() -> None:
    rows = switch(12)
    gone = {name: value for name, value in rows.items() if name[-1] != 5 or len(name) < 10}
    found = polled(Script(gone), 12)
    assert found.changed
    assert found.rows()[4] == [None] * 4
    assert [row for i, row in enumerate(found.rows()) if i != 4] == [
        r for i, r in enumerate(values(12)) if i != 4
    ]
    between = polled(Script(rows), 12, times=1)
    assert not between.changed

    async def some() -> Polled:
        async with served(Script(rows).answer, HERE) as port, Lean() as engine:
            known = tuple(i for i in indexes(12) if i != (6,))
            (one,) = await rounds(engine, [Wanted(target(port), COLUMNS, known)])
            assert isinstance(one, Polled)
            return one

    new = run(some())
    assert new.changed
    assert new.rows() == [row for i, row in enumerate(values(12)) if i != 5]


def test_a_column_with_holes_is_asked_cell_by_cell_and_no_more_in_the_next_round() -> None:
    rows = {n: v for n, v in switch(12).items() if n not in ((*IF_X, 6, 3), (*IF_X, 10, 3))}
    script = Script(rows)
    found = polled(script, 12, times=3)
    expected: list[list[Any]] = values(12)
    expected[2][:2] = [None, None]
    assert (found.rows(), found.changed, found.fault) == (expected, False, None)


def test_where_getbulk_stays_unanswered_the_cells_are_got() -> None:
    def first(script: Script, reply: bytes) -> bytes | None:
        return None if script.kinds[-1] == BULK and script.asked > 1 else reply

    script = Script(switch(40), manners=first)
    found = polled(script, 40, times=2, timeout_s=0.05, retries=1)
    assert found.rows() == values(40)
    assert GET in script.kinds


def test_an_agent_that_restarts_meanwhile_is_told_of() -> None:
    rows = dict(switch(40))

    def restarts(script: Script, reply: bytes) -> bytes:
        script.rows = {**script.rows, UPTIME: (TICKS, 5)}
        return reply

    found = polled(Script(rows, manners=restarts), 40)
    assert found.changed
    assert found.fault is not None
    assert "restarted" in found.fault.reason


def test_silence_is_no_value_and_says_how_long() -> None:
    async def both() -> list[Polled | Fault]:
        async with served(lambda _: None, HERE) as port, Lean() as engine:
            first = await rounds(engine, [Wanted(target(port, timeout_s=0.1), COLUMNS, indexes(5))])
            down = await rounds(engine, [Wanted(target(port, timeout_s=0.1), COLUMNS, indexes(5), down=True)])
            assert engine.tally.sent == 4  # two tries and a look whether it is the window; later, one probe
            return first + down

    for found in run(both()):
        assert isinstance(found, Polled)
        assert found.fault is not None
        assert (found.fault.reach, found.uptime_ticks, set(found.values)) == (Reach.silent, None, {None})
    assert "No answer in 0.2 s" in found.fault.reason or "No answer in 0.1 s" in found.fault.reason


@pytest.mark.parametrize("address", [HERE, "::1"])
def test_a_closed_port_is_told_at_once(address: str) -> None:
    if address == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6")

    async def closed() -> tuple[list[Polled | Fault], RoundTally]:
        loop = asyncio.get_running_loop()
        async with served(lambda _: None, address) as port:
            pass
        async with Lean() as engine:
            found: list[Polled | Fault] = []
            wanted = Wanted(target(port, address=address, timeout_s=30), COLUMNS, indexes(3))
            before = loop.time()
            tally = await engine.round_of([wanted], lambda _, p: found.append(p))
            assert loop.time() - before < 20
            return found, tally

    (found,), tally = run(closed())
    assert "Nothing listens" in found.fault.reason
    assert tally.wire.unreachable >= 1


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_ipv6_is_polled_like_ipv4() -> None:
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6")

    async def six() -> Polled:
        async with served(Script(switch(12)).answer, "::1") as port, Lean() as engine:
            (found,) = await rounds(engine, [Wanted(target(port, address="::1"), COLUMNS, indexes(12))])
            assert isinstance(found, Polled)
            return found

    assert run(six()).rows() == values(12)


def test_one_closed_port_does_no_harm_to_the_others() -> None:
    async def many() -> list[Polled | Fault]:
        async with AsyncExitStack() as stack:
            ports = [
                await stack.enter_async_context(served(Script(switch(20)).answer, HERE)) for _ in range(20)
            ]
            async with served(lambda _: None, HERE) as closed:
                pass
            engine = await stack.enter_async_context(Lean())
            wanted = [Wanted(target(p), COLUMNS, indexes(20)) for p in (*ports[:10], closed, *ports[10:])]
            return await rounds(engine, wanted, 3)

    faults = [p.fault for p in run(many()) if p.fault is not None]
    assert len(faults) == 1
    assert "Nothing listens" in faults[0].reason


class Forger(Script):
    """Answers, and lets a stranger answer first from another port with a value that is not the device's."""

    def answer(self, data: bytes) -> bytes | None:
        """Return the right answer, after the forged one was sent."""
        right = super().answer(data)
        forged = Script({name: (COUNTER32, 666) if v[0] == COUNTER32 else v for name, v in self.rows.items()})
        reply = forged.answer(data)
        assert reply is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind((HERE, 0))
            stranger.sendto(reply, self.to)
        return right

    to: tuple[str, int] = ("", 0)


def test_an_answer_from_another_address_is_not_taken() -> None:
    script = Forger(switch(12))

    async def one() -> tuple[list[Polled | Fault], lean_waiting.Tally]:
        async with served(script.answer, HERE) as port, Lean() as engine:
            asked = Wanted(target(port), COLUMNS, indexes(12))
            wire = engine._open_wire()
            wire._new_socket(2)
            script.to = (HERE, wire._sockets[2].getsockname()[1])
            return await rounds(engine, [asked]), engine.tally

    (found,), tally = run(one())
    assert found.rows() == values(12)
    assert tally.strays >= 1


def test_an_answer_with_another_id_is_not_taken() -> None:
    def other_id(_: Script, reply: bytes) -> bytes:
        at = reply.index(b"\x02\x04", 10)
        return reply[: at + 5] + bytes((reply[at + 5] ^ 1,)) + reply[at + 6 :]

    found = polled(Script(switch(5), manners=other_id), 5, timeout_s=0.05)
    assert found.fault is not None
    assert found.fault.reach is Reach.garbage
    assert "answers other questions" in found.fault.reason


def test_what_is_lost_is_asked_for_again() -> None:
    dice = random.Random(4)

    def lossy(script: Script, reply: bytes) -> bytes | None:
        return None if dice.random() < 0.15 else reply

    async def many() -> list[Polled | Fault]:
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(Lean(Poll(window=5)))
            ports = [
                await stack.enter_async_context(served(Script(switch(30), manners=lossy).answer, HERE))
                for _ in range(20)
            ]
            wanted = [Wanted(target(p, timeout_s=0.5, retries=6), COLUMNS, indexes(30)) for p in ports]
            found = await rounds(engine, wanted, 2)
            assert engine.tally.resent > 0
            return found

    found = run(many())
    assert [p.fault for p in found] == [None] * 20
    assert all(p.rows() == values(30) for p in found)


def test_a_loop_that_did_not_run_makes_nobody_silent() -> None:
    """While our own loop stands still no time-out passes, and what came meanwhile is read before any is judged."""

    async def stalled() -> list[Polled | Fault]:
        loop = asyncio.get_running_loop()
        async with served(Script(switch(30)).answer, HERE) as port, Lean() as engine:
            found: list[Polled | Fault] = []
            wanted = Wanted(target(port, timeout_s=0.2, retries=0), COLUMNS, indexes(30))

            def stand_still(times: int) -> None:
                until = loop.time() + 0.3
                while loop.time() < until:
                    pass
                if times:
                    loop.call_soon(stand_still, times - 1)

            loop.call_soon(stand_still, 3)
            await engine.round_of([wanted], lambda _, p: found.append(p))
            assert engine.tally.lag_max_s > 0.1
            return found

    (found,) = run(stalled())
    assert found.fault is None
    assert found.rows() == values(30)


def test_devices_at_one_address_are_asked_one_after_another() -> None:
    open_now, most = 0, 0

    async def one() -> list[Polled | Fault]:
        loop = asyncio.get_running_loop()
        script = Script(switch(10))

        class Slow(asyncio.DatagramProtocol):
            def connection_made(self, transport: Any) -> None:
                self.transport = transport

            def datagram_received(self, data: bytes, addr: Any) -> None:
                nonlocal open_now, most
                open_now += 1
                most = max(most, open_now)
                loop.call_later(0.01, self.reply, data, addr)

            def reply(self, data: bytes, addr: Any) -> None:
                nonlocal open_now
                open_now -= 1
                self.transport.sendto(script.answer(data), addr)

        transport, _ = await loop.create_datagram_endpoint(Slow, local_addr=(HERE, 0))
        port = transport.get_extra_info("sockname")[1]
        async with Lean() as engine:
            found = await rounds(engine, [Wanted(target(port), COLUMNS, indexes(10))] * 8)
        transport.close()
        return found

    assert [p.fault for p in run(one())] == [None] * 8
    assert most == 1


def test_a_site_s_link_gets_no_more_than_its_rate() -> None:
    times: list[float] = []

    async def one() -> list[Polled | Fault]:
        loop = asyncio.get_running_loop()
        script = Script(switch(4))

        def answer(data: bytes) -> bytes | None:
            times.append(loop.time())
            return script.answer(data)

        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(Lean(Poll(site_pdus_per_s=20)))
            ports = [await stack.enter_async_context(served(answer, HERE)) for _ in range(30)]
            return await rounds(
                engine, [Wanted(target(p, timeout_s=5, site="balaraja"), COLUMNS, indexes(4)) for p in ports]
            )

    assert [p.fault for p in run(one())] == [None] * 30
    assert times[-1] - times[0] > 0.4  # a burst of 20, then 20 a second: a bound that load cannot break


def test_turns_are_spread_over_the_interval() -> None:
    shares = [share(f"sw-{i}") for i in range(1000)]
    assert all(0 <= s < 1 for s in shares)
    assert all(60 < sum(int(s * 10) == k for s in shares) < 140 for k in range(10))
    assert share("sw-1") == share("sw-1")


def test_who_cannot_be_asked_is_a_fault_and_the_others_are_asked() -> None:
    async def some() -> list[Polled | Fault]:
        async with served(Script(switch(4)).answer, HERE) as port, Lean() as engine:
            nobody = Target("x", HERE, snmp_port=port)
            nowhere = target(port, address="not an address")
            return await rounds(
                engine, [Wanted(t, COLUMNS, indexes(4)) for t in (nobody, nowhere, target(port))]
            )

    found = run(some())
    assert [type(p).__name__ for p in found] == ["Fault", "Fault", "Polled"]
    assert found[2].rows() == values(4)


def test_what_the_caller_raises_comes_out_of_the_round() -> None:
    async def one() -> None:
        def wrong(_: Wanted, __: Polled | Fault) -> None:
            raise KeyError("x")

        async with served(Script(switch(4)).answer, HERE) as port, Lean() as engine:
            await engine.round_of([Wanted(target(port), COLUMNS, indexes(4))], wrong)

    with pytest.raises(KeyError):
        run(one())


def test_an_honest_device_is_polled_whole_beside_hostile_ones() -> None:
    dice = random.Random(20261126)
    sent = 0

    def hostile_one(script: Script, reply: bytes) -> bytes | None:
        nonlocal sent
        sent += 1
        match dice.randrange(6):
            case 0:
                return dice.randbytes(dice.randint(0, 1400))
            case 1:
                return None
            case 2:
                return reply
            case _:
                return hostile.mutated(dice, reply)

    async def both() -> tuple[list[Polled | Fault], list[Polled | Fault]]:
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(Lean())
            good = [
                await stack.enter_async_context(served(Script(switch(40)).answer, HERE)) for _ in range(10)
            ]
            odd = [
                await stack.enter_async_context(served(Script(switch(40), manners=hostile_one).answer, HERE))
                for _ in range(30)
            ]
            honest = [Wanted(target(p, timeout_s=1.0, retries=3), COLUMNS, indexes(40)) for p in good]
            mad = [Wanted(target(p, timeout_s=0.03, retries=2), COLUMNS, indexes(40)) for p in odd]
            seen: list[Polled | Fault] = []
            told: list[Polled | Fault] = []
            for _ in range(6):
                await engine.round_of(mad + honest, lambda w, p: (seen if w in honest else told).append(p))
            return seen, told

    seen, told = run(both())
    assert len(told) == 180
    assert sent > 200
    assert [p.fault for p in seen] == [None] * 60
    assert all(p.rows() == values(40) for p in seen)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_fifty_thousand_messages_raise_nothing_and_end_no_question(version: int) -> None:
    """All go where datagrams go; the question stays open but for a good answer, and the device is heard afterwards."""
    dice = random.Random(version)
    engine_id = bytes.fromhex("80001f8804736961676174657374")

    async def flood() -> int:
        from monitor.lean import Wire
        from monitor.lean_peer import Peer
        from monitor.snmp_lean import _reply
        from monitor.snmp_message import Community, Voice, template
        from monitor.usm import Engine, user

        wire = Wire()
        v3 = SnmpAuth(
            SnmpVersion.v3, user="siaga", auth_protocol="SHA-256", auth_secret=SecretStr("autentikasi")
        )
        voice: Voice = Engine(user(v3)) if version == 3 else Community(version, b"public")
        ended = 0

        def done(_: object) -> None:
            nonlocal ended
            ended += 1

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind((HERE, 0))
            address = deaf.getsockname()
            peer = Peer(target(address[1], v3 if version == 3 else AUTH), address, voice, wire)
            request = template(Kind.get, [UPTIME])
            stream = hostile.messages(dice, b"\x11\x22\x33\x44", engine_id)
            for _ in range(hostile.count() // 3):
                if not peer.busy:
                    peer.ask(request, _reply, done, tries=1, wait_s=60)
                    peer.number = b"\x11\x22\x33\x44"
                peer.came(next(stream)[1], wire.now_s)
            peer.abandon()
            wire.close()
        return ended

    assert run(flood()) >= 0


def agents(port: int, auth: SnmpAuth) -> list[Target]:
    return [target(port, auth, engine=engine) for engine in ("lean", "pysnmp")]


@pytest.mark.parametrize("version", [SnmpVersion.v1, SnmpVersion.v2c])
def test_both_engines_read_the_same(version: SnmpVersion) -> None:
    rows = switch(30, sixty_four=version is SnmpVersion.v2c)
    rows[(1, 3, 6, 1, 2, 1, 4, 20, 1, 1, 10, 0, 0, 1)] = (0x40, b"\x0a\0\0\1")
    rows[(1, 3, 6, 1, 2, 1, 99, 1)] = (INTEGER, -(2**31))
    if version is SnmpVersion.v2c:
        rows[(1, 3, 6, 1, 2, 1, 99, 2)] = (COUNTER64, 2**64 - 1)

    async def ask(read: Callable[[PoliteAgent], Coroutine[Any, Any, Answer]]) -> list[Answer]:
        async with served(Script(rows).answer, HERE) as port:
            found = []
            for one in agents(port, replace(AUTH, version=version)):
                async with connected(one, Engines()) as agent:
                    found.append(await read(agent))
            return found

    for read in (
        lambda agent: agent.walk(
            [(*IF, 2), (*IF, 10), (*IF_X, 6), (*IF_X, 18), (1, 3, 6, 1, 2, 1, 4, 20, 1, 1)]
        ),
        lambda agent: agent.walk([(1, 3, 6, 1, 2, 1)]),
        lambda agent: agent.get(
            [UPTIME, (1, 3, 6, 1, 2, 1, 99, 1), (1, 3, 9, 9, 0), (1, 3, 6, 1, 2, 1, 99, 2)]
        ),
        lambda agent: agent.peek([(1, 3, 6, 1, 2, 1, 31), (1, 3, 9)]),
    ):
        ours, theirs = run(ask(read))
        assert ours == theirs
        assert ours.seen


def test_the_engine_is_chosen_by_what_the_credential_needs() -> None:
    v3 = SnmpAuth(SnmpVersion.v3, user="u", auth_protocol="SHA-256", priv_protocol="AES")
    assert speaks(v3)
    assert engine_of(target(1, v3)) == engine_of(target(1)) == "lean"
    assert engine_of(target(1, replace(v3, priv_protocol="AES-256"))) == "pysnmp"
    assert engine_of(target(1, engine="pysnmp")) == "pysnmp"


def test_a_question_that_is_given_up_frees_the_address() -> None:
    async def given_up() -> int:
        async with served(lambda _: None, HERE) as port, Lean() as engine:
            exchange = await engine.exchange(target(port, timeout_s=30))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(exchange.ask(Request(Kind.get, (UPTIME,))), 0.05)
            return engine._open_wire().in_flight

    assert run(given_up()) == 0


def test_a_name_that_cannot_be_asked_for_is_trouble() -> None:
    async def odd() -> None:
        async with served(Script(switch(2)).answer, HERE) as port, Lean() as engine:
            exchange = await engine.exchange(target(port))
            with pytest.raises(Trouble, match="cannot be asked"):
                await exchange.ask(Request(Kind.getnext, ((1,),)))

    run(odd())


@pytest.mark.parametrize("engine", ["lean", "pysnmp"])
@pytest.mark.parametrize("auth", [V1, AUTH], ids=["v1", "v2c"])
def test_both_engines_bring_the_same_windows(engine: str, auth: SnmpAuth) -> None:
    async def look(rows: int) -> Windowed:
        script = Script(switch(3))
        async with served(script.answer, HERE) as port:
            asked = replace(target(port, auth), engine=engine)
            async with connected(asked, Engines()) as agent:
                return await agent.windows(columns, indexes(rows))

    columns = COLUMNS[2:] if auth is V1 else COLUMNS  # v1 has no Counter64
    rows = [row[-len(columns) :] for row in values(3)]
    assert run(look(3)) == Windowed(rows, 123456)
    gone = run(look(4))
    assert gone.rows == [*rows, [None] * len(columns)]
    assert gone.changed


@pytest.mark.parametrize("engine", ["lean", "pysnmp"])
def test_windows_of_a_silent_device_say_so(engine: str) -> None:
    async def look() -> Windowed:
        async with served(lambda _: None, HERE) as port:
            asked = replace(target(port, timeout_s=0.05), engine=engine)
            async with connected(asked, Engines()) as agent:
                return await agent.windows(COLUMNS, indexes(2))

    found = run(look())
    assert found.rows == [[None] * 4] * 2
    assert found.fault.reach is Reach.silent
