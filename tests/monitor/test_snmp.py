"""What a device does or fails to do on the wire is a value, and what came before is kept."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from agent import NEXT, Oid, Script, Tagged, served, switch, tlv
from pydantic import SecretStr

from monitor.observation import Observation, Reach, as_json
from monitor.snmp import Engines, connected, observe, observe_all
from monitor.snmp_agent import Answer
from monitor.targets import SnmpAuth, SnmpVersion, Target

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AUTH = SnmpAuth(community=SecretStr("public"))


def seen_of(
    answer: Callable[[bytes], bytes | None], auth: SnmpAuth = AUTH, *, full: bool = True, retries: int = 1
) -> Observation:
    async def run() -> Observation:
        async with served(answer) as port:
            target = Target("sw", "127.0.0.1", snmp_port=port, snmp=auth, timeout_s=0.15, retries=retries)
            return await observe(target, now=NOW, full=full)

    return asyncio.run(run())


def test_a_switch_is_read_whole() -> None:
    seen = seen_of(Script(switch()).answer)
    assert (seen.reach, seen.reason, seen.uptime_s) == (Reach.up, "", 1234.56)
    assert (seen.identity.os, seen.identity.hardware, seen.identity.sysName) == (
        "routeros",
        "CRS317-1G-16S+",
        "sw-balaraja-01",
    )
    assert [(p.ifIndex, p.ifName, p.ifOperStatus, p.speed_bps) for p in seen.ports] == [
        (1, "ether1", "up", 10**9),
        (2, "ether2", "lowerLayerDown", 10**9),
        (3, "ether3", "up", 10**9),
    ]
    first = seen.ports[0]
    assert (first.in_octets, first.out_octets, first.octets_bits) == (2**40 + 1, 2**41 + 1, 64)
    assert [c.percent for c in seen.processors] == [7.0]
    json.dumps(as_json(seen))


@pytest.mark.parametrize("version", [SnmpVersion.v1, SnmpVersion.v2c])
def test_what_answers_as_net_snmp_is_told_apart_by_what_else_it_has(version: SnmpVersion) -> None:
    rows = switch()
    rows[(1, 3, 6, 1, 2, 1, 1, 1, 0)] = (4, b"Linux nas 4.4.302+ x86_64")
    rows[(1, 3, 6, 1, 2, 1, 1, 2, 0)] = (6, (1, 3, 6, 1, 4, 1, 8072, 3, 2, 10))
    assert seen_of(Script(rows).answer, replace(AUTH, version=version)).identity.os == "linux"
    rows[(1, 3, 6, 1, 4, 1, 6574, 1, 5, 1, 0)] = (4, b"DS214se")
    nas = seen_of(Script(rows).answer, replace(AUTH, version=version)).identity
    assert (nas.os, nas.hardware) == ("dsm", "DS214se")


def test_a_column_that_was_looked_into_is_still_read_whole() -> None:
    rows = switch()
    rows[(1, 3, 6, 1, 2, 1, 1, 1, 0)] = (4, b"UAP-nanoHD 6.5.28")
    rows[(1, 3, 6, 1, 2, 1, 1, 2, 0)] = (6, (1, 3, 6, 1, 4, 1, 8072, 3, 2, 10))
    rows |= {(1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2, 90 + n): (2, n) for n in (1, 2, 3)}
    seen = seen_of(Script(rows).answer)
    assert seen.identity.os == "unifi"
    assert [c.percent for c in seen.processors][-3:] == [1.0, 2.0, 3.0]


def test_what_a_device_has_nothing_of_is_not_asked_for_table_by_table() -> None:
    # Who it is, one look around, two windows of ports, the platform's own look and scalars, processors, two of facts.
    script = Script(switch())
    seen_of(script.answer)
    assert script.asked <= 10


def test_a_look_that_is_too_big_is_made_in_halves() -> None:
    rows: dict[Oid, Tagged] = {(1, 3, 6, 1, 4, 1, 9, n, 0): (2, n) for n in range(1, 13)}
    branches = [(1, 3, 6, 1, 4, 1, 9, n) for n in range(1, 13)]

    async def run(script: Script) -> Answer:
        async with served(script.answer) as port:
            target = Target("sw", "127.0.0.1", snmp_port=port, snmp=AUTH, timeout_s=0.5)
            async with connected(target, Engines()) as agent:
                return await agent.peek(branches)

    assert asyncio.run(run(Script(rows, most=5, strict=True))).seen == {o: v for o, (_, v) in rows.items()}


def test_the_light_round_has_ports_and_health_in_fewer_requests() -> None:
    whole, light = Script(switch()), Script(switch())
    seen_of(whole.answer)
    seen = seen_of(light.answer, full=False)
    assert light.asked < whole.asked
    assert seen.ports[0].in_octets == 2**40 + 1
    assert seen.processors
    assert seen.identity.os == "routeros"


def test_version_1_is_walked_by_getnext_and_counts_in_32_bits() -> None:
    script = Script(switch(sixty_four=False))
    seen = seen_of(script.answer, replace(AUTH, version=SnmpVersion.v1))
    assert seen.reach is Reach.up
    assert (seen.ports[0].in_octets, seen.ports[0].octets_bits, seen.ports[0].speed_bps) == (1001, 32, 10**9)
    assert 0xA5 not in script.kinds


def test_silence_is_a_finding_that_says_how_long() -> None:
    seen = seen_of(lambda _: None)
    assert seen.reach is Reach.silent
    assert "No answer in 0.4 s: down, filtered, or the community is wrong." in seen.reason
    assert not seen.ports


def test_a_wrong_community_is_silence() -> None:
    seen = seen_of(Script(switch(), community=b"other").answer)
    assert seen.reach is Reach.silent
    assert "community" in seen.reason


def test_a_closed_port_is_told_at_once() -> None:
    async def run() -> Observation:
        async with served(lambda _: None) as port:
            pass
        target = Target("sw", "127.0.0.1", snmp_port=port, snmp=AUTH, timeout_s=5)
        return await observe(target, now=NOW)

    seen = asyncio.run(run())
    assert seen.reach is Reach.silent
    assert "Nothing listens" in seen.reason
    assert seen.took_s < 2


@pytest.mark.parametrize(
    "junk",
    [b"\0", b"SSH-2.0-OpenSSH_9.2", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x02\x01\x07", bytes(1000)],
)
def test_garbage_is_called_garbage(junk: bytes) -> None:
    seen = seen_of(lambda _: junk)
    assert seen.reach is Reach.garbage
    assert "does not speak SNMPv2c" in seen.reason


def test_an_echo_of_the_question_is_garbage() -> None:
    assert seen_of(lambda data: data).reach is Reach.garbage


def test_an_answer_to_another_question_is_not_taken() -> None:
    kept: list[bytes] = []

    def stale(_: Script, reply: bytes) -> bytes:
        kept.append(reply)
        return kept[0]

    seen = seen_of(Script(switch(), manners=stale).answer)
    assert seen.reach is Reach.partial
    assert "answers other questions" in seen.reason
    assert not seen.ports


def test_a_device_that_stops_in_the_middle_keeps_what_came_before() -> None:
    def stops(script: Script, reply: bytes) -> bytes | None:
        return reply if script.asked <= 4 else None

    seen = seen_of(Script(switch(40), manners=stops).answer)
    assert seen.reach is Reach.partial
    assert "stopped answering in the middle" in seen.reason
    assert seen.identity.sysName == "sw-balaraja-01"
    assert 0 < len(seen.ports) < 40


def test_garbage_after_good_answers_keeps_the_good() -> None:
    def turns(script: Script, reply: bytes) -> bytes:
        return reply if script.asked <= 3 else b"\x30\x02\x05"

    seen = seen_of(Script(switch(40), manners=turns).answer)
    assert seen.reach is Reach.partial
    assert seen.ports


def test_a_walk_that_does_not_increase_is_stopped() -> None:
    rows = switch()

    class Stuck(Script):
        def _after(self, name: tuple[int, ...]) -> tuple[int, ...] | None:
            found = super()._after(name)
            return (
                name
                if found and found[:11] == (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18) and found[-1] == 3
                else found
            )

    seen = seen_of(Stuck(rows).answer)
    assert seen.reach is Reach.partial
    assert "did not increase" in seen.reason
    assert len(seen.ports) == 3


def test_a_walk_without_end_is_cut() -> None:
    class Endless(Script):
        def _after(self, name: tuple[int, ...]) -> tuple[int, ...] | None:
            if name[:10] == (1, 3, 6, 1, 2, 1, 2, 2, 1, 2):
                after = (*name[:10], (name[10] if len(name) > 10 else 0) + 1)
                self.rows = {**self.rows, after: (4, b"x")} if after not in self.rows else self.rows
                return after
            return super()._after(name)

    from monitor import snmp_agent

    script = Endless(switch())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snmp_agent.PoliteAgent.__init__, "__defaults__", (200,))
        seen = seen_of(script.answer)
    assert seen.reach is Reach.partial
    assert "did not end" in seen.reason


@pytest.mark.parametrize("most", [1, 2, 7, 30])
def test_a_device_that_can_send_little_is_asked_for_little(most: int) -> None:
    seen = seen_of(Script(switch(5), most=most, strict=True).answer)
    assert seen.reach is Reach.up
    assert len(seen.ports) == 5
    assert all(p.in_octets and p.ifAlias == "uplink" for p in seen.ports)


def test_short_replies_are_continued() -> None:
    seen = seen_of(Script(switch(30), most=7).answer)
    assert (seen.reach, len(seen.ports)) == (Reach.up, 30)


def test_where_getbulk_stays_unanswered_getnext_is_used() -> None:
    script = Script(switch(2), bulk=False)
    seen = seen_of(script.answer)
    assert (seen.reach, len(seen.ports)) == (Reach.up, 2)
    assert NEXT in script.kinds


def test_lost_answers_are_asked_for_again() -> None:
    def lossy(script: Script, reply: bytes) -> bytes | None:
        return None if script.asked % 5 == 2 else reply

    seen = seen_of(Script(switch(20), manners=lossy).answer, retries=3)
    assert (seen.reach, len(seen.ports)) == (Reach.up, 20)


def test_a_huge_integer_makes_the_answer_garbage_and_nothing_worse() -> None:
    rows = switch()
    rows[(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15, 2)] = (2, b"\x7f" * 5000)
    seen = seen_of(Script(rows).answer)
    assert seen.reach is Reach.partial
    assert seen.identity.sysName == "sw-balaraja-01"


def test_all_are_read_in_order_and_told_of() -> None:
    told: list[str] = []

    async def run() -> list[Observation]:
        async with served(Script(switch()).answer) as good, served(lambda _: None) as silent:
            targets = [
                Target(
                    f"d{i}", "127.0.0.1", snmp_port=silent if i % 3 == 0 else good, snmp=AUTH, timeout_s=0.2
                )
                for i in range(9)
            ]
            return await observe_all(
                targets, concurrency=4, now=lambda: NOW, progress=lambda o: told.append(o.name)
            )

    seen = asyncio.run(run())
    assert [o.name for o in seen] == [f"d{i}" for i in range(9)]
    assert [o.reach is Reach.silent for o in seen] == [i % 3 == 0 for i in range(9)]
    assert sorted(told) == sorted(o.name for o in seen)


def test_no_credential_and_no_route_are_values_too() -> None:
    async def run(target: Target) -> Observation:
        return await observe(target, now=NOW)

    assert asyncio.run(run(Target("a", "127.0.0.1"))).reach is Reach.refused
    assert asyncio.run(run(Target("a", "not an address", snmp=AUTH))).reach is Reach.silent


def test_the_community_is_in_no_text() -> None:
    secret = replace(AUTH, community=SecretStr("s3cr3t-Community"))
    seen = seen_of(lambda _: tlv(0x30, b"\x02\x01\x01"), secret)
    assert "s3cr3t" not in repr(seen) + json.dumps(as_json(seen)) + repr(secret)
