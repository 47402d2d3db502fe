"""Replies with flipped bits are garbage or a reply, never an exception (PROTOS c06; seeded)."""

import asyncio
import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from agent import Script, served, switch
from pydantic import SecretStr

from monitor.identify import SYSTEM
from monitor.observation import Reach
from monitor.snmp import observe
from monitor.snmp_agent import Kind, Request, Trouble
from monitor.snmp_pysnmp import Engines, _Community, _Usm
from monitor.snmp_udp import Good
from monitor.targets import SnmpAuth, SnmpVersion, Target

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AUTH = SnmpAuth(community=SecretStr("public"))


def mutated(dice: random.Random, data: bytes) -> bytes:
    """Return the datagram with a few octets changed, cut off, doubled or put in."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed))
        match dice.randrange(5):
            case 0:
                changed[at] ^= 1 << dice.randrange(8)
            case 1:
                changed[at] = dice.choice((0, 0x7F, 0x80, 0x84, 0xFF))
            case 2:
                del changed[at + 1 :]
            case 3:
                changed[at:at] = dice.randbytes(dice.randint(1, 9))
            case _:
                changed[at:at] = changed[at : at + 20]
    return bytes(changed)


def test_request_ids_cannot_be_foretold() -> None:
    codec = _Community(AUTH)
    ids = [codec.pack(Request(Kind.get, SYSTEM))[0] for _ in range(50)]
    assert all(2**24 <= number < 2**31 for number in ids)
    assert all(after - before != 1 for before, after in pairwise(ids))


def test_no_mutated_reply_raises() -> None:
    dice = random.Random(20261124)
    codec = _Community(AUTH)
    _, question = codec.pack(Request(Kind.getbulk, SYSTEM, 5))
    reply = Script(switch()).answer(question)
    assert reply is not None
    assert isinstance(codec.unpack(reply), Good)
    for _ in range(3000):
        codec.unpack(mutated(dice, reply))


def test_no_mutated_v3_message_raises_but_a_refusal() -> None:
    dice = random.Random(20261124)
    auth = SnmpAuth(version=SnmpVersion.v3, user="siaga")
    codec = _Usm(Target("d", "127.0.0.1"), auth, Engines().engine(auth))
    _, question = codec.pack(Request(Kind.get, SYSTEM))
    refused = 0
    for _ in range(500):
        try:
            codec.unpack(mutated(dice, question))
        except Trouble:
            refused += 1
    assert refused < 500


@pytest.mark.parametrize("seed", range(6))
def test_a_mad_device_is_a_value_and_an_honest_one_beside_it_is_read(seed: int) -> None:
    dice = random.Random(seed)
    escaped: list[object] = []

    def mad(_: Script, reply: bytes) -> bytes:
        return mutated(dice, reply) if dice.random() < 0.4 else reply

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        async with (
            served(Script(switch(), manners=mad).answer) as odd,
            served(Script(switch()).answer) as good,
        ):
            mad_one, honest = (
                Target("d", "127.0.0.1", snmp_port=port, snmp=AUTH, timeout_s=0.1, retries=1)
                for port in (odd, good)
            )
            seen, fine = await asyncio.gather(observe(mad_one, now=NOW), observe(honest, now=NOW))
        assert isinstance(seen.reach, Reach)
        assert (fine.reach, len(fine.ports)) == (Reach.up, 3)

    asyncio.run(run())
    assert escaped == []
