"""The simulated agents answer as RFC 3416 and RFC 3414 say; pysnmp is the judge, and so is arithmetic."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    bulk_walk_cmd,
    get_cmd,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
)

from demo import ber, usm
from demo.agents import Behaviour, Mood, Served, serve
from demo.mib import DeviceSpec, PortSpec, Tree, makes, tree
from demo.respond import BULK, GET, NEXT, SET, Agent
from demo.traffic import DAY_S, Flow, Gauge, flow
from siaga.errors import SiagaError

PORTS = tuple(
    PortSpec(
        i, f"ether{i}", "uplink" if i == 1 else "", 6, 10**10, bytes((2, 0, 0, 0, 0, i)),
        flow(f"r{i}", 4e8, 1e6, 30_000), flow(f"t{i}", 1e8, 1e6, 30_000), oper_up=i != 3, errors_h=3.0,
    )
    for i in range(1, 4)
)  # fmt: skip


def _device(platform: str) -> DeviceSpec:
    still = Gauge(30.0)
    return DeviceSpec(
        "r1", platform, "M1", "7.1", "S1", "Curug", PORTS, 1e6, still, 2, 2**30, still, still, still
    )


TREE = tree(_device("routeros"))
ENGINE = usm.engine_id("r1")
USER = usm.User.of("noc", "rahasia-auth", "rahasia-priv", ENGINE)
AGENT = Agent(TREE, b"rahasia", USER, ENGINE, 3, 1e6)
SYS_NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)


def _ask(kind: int, *names: ber.Oid, first: int = 0, second: int = 0, community: bytes = b"rahasia") -> bytes:
    binds = b"".join(ber.tlv(ber.SEQUENCE, ber.oid(n) + b"\x05\x00") for n in names)
    pdu = ber.integer(7) + ber.integer(first) + ber.integer(second) + ber.tlv(ber.SEQUENCE, binds)
    return ber.tlv(ber.SEQUENCE, ber.integer(1) + ber.tlv(ber.OCTETS, community) + ber.tlv(kind, pdu))


def _read(answer: bytes | None) -> tuple[int, int, list[tuple[ber.Oid, int, bytes]]]:
    """Return (error-status, error-index, [(name, tag of the value, its body)])."""
    assert answer is not None
    start, end = ber.body(answer, 0, len(answer), ber.SEQUENCE)
    _, at = ber.whole(answer, start, end)
    _, at = ber.octets(answer, at, end)
    start, end = ber.body(answer, at, end, 0xA2)
    request, at = ber.whole(answer, start, end)
    assert request == 7
    status, at = ber.whole(answer, at, end)
    index, at = ber.whole(answer, at, end)
    start, end = ber.body(answer, at, end, ber.SEQUENCE)
    binds = []
    for _, inner, stop in ber.children(answer, start, end):
        name, name_end = ber.body(answer, inner, stop, ber.OID)
        tag, value, value_end = ber.head(answer, name_end, stop)
        binds.append((ber.decoded_oid(answer[name:name_end]), tag, answer[value:value_end]))
    return status, index, binds


def _answered(kind: int, *names: ber.Oid, **more: Any) -> tuple[int, int, list[tuple[ber.Oid, int, bytes]]]:
    return _read(AGENT.answer(_ask(kind, *names, **more), 5.0))


def test_get_gives_the_value() -> None:
    assert _answered(GET, SYS_NAME) == (0, 0, [(SYS_NAME, ber.OCTETS, b"r1")])


def test_get_of_what_is_not_there_tells_instance_from_object() -> None:
    _, _, binds = _answered(GET, (1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 99), (1, 3, 6, 1, 2, 1, 99, 1, 0))
    assert [tag for _, tag, _ in binds] == [0x81, 0x80]


def test_next_walks_the_whole_tree_in_order_and_ends() -> None:
    seen, name = [], (1, 3)
    for _ in range(len(TREE.oids) + 1):
        _, _, [(name, tag, _)] = _answered(NEXT, name)
        if tag == 0x82:
            break
        seen.append(name)
    assert seen == TREE.oids
    assert tag == 0x82


def test_bulk_repeats_only_the_repeaters() -> None:
    descr, alias = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18)
    _, _, binds = _answered(BULK, SYS_NAME[:-1], descr, alias, first=1, second=2)
    assert [n for n, _, _ in binds] == [SYS_NAME, (*descr, 1), (*alias, 1), (*descr, 2), (*alias, 2)]


def test_bulk_past_the_end_names_the_last_object_with_end_of_view() -> None:
    _, _, binds = _answered(BULK, TREE.oids[-2], second=5)
    assert [(n, t) for n, t, _ in binds][1:] == [(TREE.oids[-1], 0x82)]


def test_a_bulk_that_is_too_large_is_cut_and_a_get_is_too_big() -> None:
    answer = AGENT.answer(_ask(BULK, (1, 3), second=2000), 0)
    assert answer is not None
    assert 1200 < len(answer) <= 1472
    small = Agent(TREE, b"rahasia", max_octets=90)
    assert _read(small.answer(_ask(GET, *[SYS_NAME] * 10), 0)) == (1, 0, [])
    assert _read(small.answer(_ask(BULK, *[SYS_NAME] * 10, first=10), 0)) == (1, 0, [])


def test_set_is_refused_and_changes_nothing() -> None:
    status, index, _ = _answered(SET, SYS_NAME)
    assert (status, index) == (17, 1)
    assert _answered(GET, SYS_NAME)[2][0][2] == b"r1"


def test_a_wrong_community_and_an_old_version_get_no_answer() -> None:
    assert AGENT.answer(_ask(GET, SYS_NAME, community=b"tebakan"), 0) is None
    assert AGENT.answer(_ask(GET, SYS_NAME).replace(b"\x02\x01\x01\x04", b"\x02\x01\x00\x04", 1), 0) is None


@given(st.binary(max_size=200))
def test_garbage_gets_no_answer(data: bytes) -> None:
    assert AGENT.answer(data, 0) is None


@given(st.integers(0, 60), st.integers(0, 255), st.integers(0, 60))
def test_a_damaged_request_never_raises(place: int, octet: int, cut: int) -> None:
    request = bytearray(_ask(BULK, SYS_NAME, (1, 3), first=1, second=3))
    request[place % len(request)] = octet
    AGENT.answer(bytes(request[: len(request) - cut]), 0)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_survive(value: int) -> None:
    encoded = ber.integer(value)
    assert ber.whole(encoded, 0, len(encoded)) == (value, len(encoded))


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20), st.integers(0, 2), st.integers(0, 39))
def test_object_identifiers_survive(arcs: list[int], root: int, second: int) -> None:
    name = (root, second, *arcs)
    encoded = ber.oid(name)
    start, stop = ber.body(encoded, 0, len(encoded), ber.OID)
    assert ber.decoded_oid(encoded[start:stop]) == name


FLOWS = st.builds(flow, st.text(max_size=5), st.floats(1e3, 1e11), st.floats(0, 1e7), st.floats(0, DAY_S))


@given(FLOWS, st.floats(0, 1e6), st.floats(0.001, 1e4))
def test_a_counter_never_goes_back(one: Flow, at: float, later: float) -> None:
    assert one.octets(at + later) >= one.octets(at)


@given(FLOWS, st.floats(0, 1e5))
def test_a_counter_is_the_integral_of_its_rate(one: Flow, start: float) -> None:
    steps, span = 400, 20.0
    summed = sum(one.rate(start + (k + 0.5) * span / steps) for k in range(steps)) * span / steps
    assert one.octets(start + span) - one.octets(start) == pytest.approx(summed, rel=1e-3, abs=2)


def test_rounds_a_few_seconds_apart_show_different_rates() -> None:
    one = flow("any", 1e8, 1e6, 40_000)
    rates = [(one.octets(t + 5) - one.octets(t)) / 5 for t in (0, 5, 10)]
    assert max(rates) > 1.02 * min(rates)


def test_the_32_bit_counter_is_the_low_half_of_the_64_bit_one() -> None:
    low, high = (1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1)
    _, _, [(_, _, small), (_, tag, large)] = _answered(GET, low, high)
    assert tag == ber.COUNTER64
    assert int.from_bytes(large, "big") > 2**32
    assert int.from_bytes(large, "big") % 2**32 == int.from_bytes(small, "big")


@pytest.mark.parametrize("platform", sorted(makes()))
def test_every_make_has_a_tree_that_moves(platform: str) -> None:
    grown = tree(_device(platform))
    octets = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1)
    place = grown.find(ber.oid(octets))
    assert place is not None
    assert grown.bind(place, 1) != grown.bind(place, 9)
    assert all(grown.bind(i, 3.0) for i in range(len(grown.oids)))


def test_keys_are_those_of_an_example_worked_independently() -> None:
    # RFC 3414, A.2 with SHA-256 in place of SHA-1, written out the slow way.
    import hashlib

    password, stream = b"maplesyrup", b""
    while len(stream) < 2**20:
        stream += password
    key = hashlib.sha256(stream[: 2**20]).digest()
    assert usm.localized(password, b"engine") == hashlib.sha256(key + b"engine" + key).digest()


def test_secrets_are_not_shown() -> None:
    shown = repr(AGENT)
    assert "rahasia" not in shown
    assert repr(USER.auth_key) not in shown


# -- over real sockets -----------------------------------------------------------------------------------------


async def _serving(work: Callable[[int, Any], Awaitable[Any]], *behaviours: Behaviour) -> Any:
    served = [Served(f"r{n}", f"127.77.250.{n + 1}", AGENT, b) for n, b in enumerate(behaviours)]
    running = await serve(served, 0, seed=1)
    try:
        return await work(running.port, running)
    finally:
        await running.close()


async def _walk(port: int, auth: Any, address: str = "127.77.250.1") -> list[tuple[int, ...]]:
    target = await UdpTransportTarget.create((address, port), timeout=0.5, retries=0)
    names: list[tuple[int, ...]] = []
    engine = SnmpEngine()
    every = ObjectType(ObjectIdentity("1.3"))
    try:
        async for error, status, _, binds in bulk_walk_cmd(
            engine, auth, target, ContextData(), 0, 20, every, lexicographicMode=True
        ):
            if error or status:
                break
            names += [tuple(name) for name, _ in binds]
    finally:
        engine.close_dispatcher()
    return names


async def _get(port: int, auth: Any) -> str:
    target = await UdpTransportTarget.create(("127.77.250.1", port), timeout=0.5, retries=0)
    name = ObjectType(ObjectIdentity(".".join(map(str, SYS_NAME))))
    engine = SnmpEngine()
    try:
        error, _, _, binds = await get_cmd(engine, auth, target, ContextData(), name)
    finally:
        engine.close_dispatcher()
    return str(error) if error else str(binds[0][1])


def _v3(user: str = "noc", auth: str = "rahasia-auth", priv: str = "rahasia-priv") -> UsmUserData:
    return UsmUserData(
        user,
        auth,
        priv,
        authProtocol=usmHMAC192SHA256AuthProtocol,
        privProtocol=usmAesCfb128Protocol,
    )


@pytest.mark.parametrize("auth", [CommunityData("rahasia", mpModel=1), _v3()], ids=["v2c", "v3"])
def test_pysnmp_walks_everything(auth: Any) -> None:
    names = asyncio.run(_serving(lambda port, _: _walk(port, auth), Behaviour()))
    assert names == [o for o in TREE.oids if o > (1, 3)]


@pytest.mark.parametrize(
    ("auth", "answer"),
    [
        (_v3(), "r1"),
        (_v3(auth="salah-salah"), "Wrong SNMP PDU digest"),
        (_v3(user="orang-lain"), "Unknown USM user"),
    ],
)
def test_v3_mistakes_are_reported(auth: Any, answer: str) -> None:
    assert asyncio.run(_serving(lambda port, _: _get(port, auth), Behaviour())) == answer


def test_a_wrong_privacy_password_gives_no_data() -> None:
    answer = asyncio.run(_serving(lambda port, _: _get(port, _v3(priv="salah-salah")), Behaviour()))
    assert answer != "r1"


def test_a_device_that_is_down_has_no_socket_and_a_lossy_one_drops_some() -> None:
    async def work(port: int, running: Any) -> tuple[int, int]:
        loop, request = asyncio.get_running_loop(), _ask(GET, SYS_NAME)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.77.250.9", 0))
            probe.setblocking(False)
            for _ in range(200):
                await loop.sock_sendto(probe, request, ("127.77.250.2", port))
                await loop.sock_sendto(probe, request, ("127.77.250.3", port))
            await _until(lambda: running.requests >= 200)
        return running.requests, running.answers

    behaviours = Behaviour(), Behaviour(Mood.down), Behaviour(Mood.lossy, loss=0.3)
    requests, answers = asyncio.run(_serving(work, *behaviours))
    assert requests == 200
    assert 110 <= answers <= 170


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)


def test_a_slow_device_answers_late() -> None:
    async def work(port: int, _: Any) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await _get(port, CommunityData("rahasia", mpModel=1)) == "r1"
        return loop.time() - began

    assert asyncio.run(_serving(work, Behaviour(Mood.slow, delay_s=0.2))) >= 0.2


def test_a_walk_can_be_cut_off_in_the_middle() -> None:
    auth = CommunityData("rahasia", mpModel=1)
    cut = Behaviour(Mood.cut, beyond=(1, 3, 6, 1, 2, 1, 31))
    names = asyncio.run(_serving(lambda port, _: _walk(port, auth), cut))
    assert 0 < len(names) < len(TREE.oids)


def test_a_port_in_use_is_one_clear_sentence_and_leaves_nothing_open() -> None:
    async def work(port: int, _: Any) -> str:
        others = [Served("a", "127.77.251.1", AGENT), Served("b", "127.77.250.1", AGENT)]
        with pytest.raises(SiagaError) as caught:
            await serve(others, port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.77.251.1", port))
        return str(caught.value)

    said = asyncio.run(_serving(work, Behaviour()))
    assert said.startswith("port-taken: ")
    assert "127.77.250.1" in said


def test_a_tree_finds_its_place_between_objects() -> None:
    small = Tree({(1, 3, 6, 1): b"\x05\x00", (1, 3, 6, 3): b"\x05\x00"})
    assert [small.after(ber.oid(o)) for o in ((1, 3), (1, 3, 6, 1), (1, 3, 6, 2), (1, 3, 6, 3))] == [
        0,
        1,
        1,
        2,
    ]
