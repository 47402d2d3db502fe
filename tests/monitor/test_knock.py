"""Light probes on the wire: who answers, who is asked no more, and what does not count as an answer."""

import asyncio
import errno
import socket
from contextlib import suppress

import pytest
from agent import OCTETS, Script, switch
from fleet import Answer, fleet
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from demo import usm
from demo.mib import Tree
from demo.respond import Agent
from monitor import knock_wire as wire
from monitor.ber import Malformed
from monitor.identify import SYS_NAME
from monitor.knock import Knocked, Knocker
from monitor.pace import Pace
from monitor.tables import ENGINE_ID
from monitor.targets import SnmpAuth, SnmpVersion

QUICK = Pace(0, 0.3, 1)
PUBLIC = SnmpAuth(community=SecretStr("public"))
V1 = SnmpAuth(version=SnmpVersion.v1, community=SecretStr("public"))
V3 = SnmpAuth(version=SnmpVersion.v3, user="noc")
ENGINE = usm.engine_id("sw-1")
NUMBER = 0x40000001


def knock(
    answers: dict[str, Answer], *addresses: str, auth: SnmpAuth = PUBLIC, pace: Pace = QUICK
) -> tuple[Knocked, dict[str, list[bytes]]]:
    with fleet(answers) as own:

        async def run() -> Knocked:
            async with Knocker(own.port) as knocker:
                return await knocker.knock(addresses or list(answers), auth, QUICK)

        return asyncio.run(run()), own.asked


@pytest.mark.parametrize("auth", [PUBLIC, V1])
def test_who_knows_the_community_says_who_he_is(auth: SnmpAuth) -> None:
    scripts = {f"127.83.3.{n}": Script(switch()).answer for n in (1, 2, 3)}
    found, _ = knock(scripts, auth=auth)
    assert set(found.heard) == set(scripts)
    greeting = found.heard["127.83.3.1"]
    assert (greeting.sysName, greeting.sysDescr) == ("sw-balaraja-01", "RouterOS CRS317-1G-16S+")
    assert greeting.sysObjectID == "1.3.6.1.4.1.14988.1"
    assert greeting.booted_s is not None


def test_ipv6_is_asked_as_well() -> None:
    found, _ = knock({"::1": Script(switch()).answer})
    assert list(found.heard) == ["::1"]


def test_without_ipv6_its_hosts_cannot_be_asked_and_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = socket.socket

    def without(family: int, *more: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return whole(family, *more)

    monkeypatch.setattr("monitor.knock.socket.socket", without)
    found, _ = knock({"127.83.3.1": Script(switch()).answer}, "127.83.3.1", "2001:db8::1")
    assert list(found.heard) == ["127.83.3.1"]
    assert list(found.unsent) == ["2001:db8::1"]


def test_a_wrong_community_costs_one_message_for_each_try_and_opens_nothing() -> None:
    found, asked = knock({"127.83.3.1": Script(switch(), community=b"rahasia").answer})
    assert found.heard == {}
    assert len(asked["127.83.3.1"]) == 2


def test_a_host_that_says_itself_that_it_has_no_agent_is_asked_once() -> None:
    found, _ = knock({"127.83.3.1": Script(switch()).answer}, "127.83.3.1", "127.83.3.99")
    assert list(found.heard) == ["127.83.3.1"]
    assert found.closed == {"127.83.3.99"}


def test_of_a_user_of_snmpv3_nothing_is_sent() -> None:
    """The greeting (RFC 3414, section 4) has no user, and the report says which engine answers."""
    auth = SnmpAuth(SnmpVersion.v3, SecretStr("komunitas"), "noc-siaga", "SHA-256", SecretStr("autentikasi"))
    user = usm.User.of("noc-siaga", "autentikasi-1", "privasi-rahasia", ENGINE)
    box = Agent(Tree({}), user=user, engine=ENGINE)
    found, asked = knock({"127.83.3.1": lambda data: box.answer(data, 1.0)}, auth=auth)
    assert found.heard["127.83.3.1"].engine_id == ENGINE.hex()
    (message,) = asked["127.83.3.1"]
    assert not any(secret in message for secret in (b"noc-siaga", b"komunitas", b"autentikasi"))


def test_garbage_echoes_and_answers_to_others_are_no_answers() -> None:
    right = Script(switch()).answer

    def other_number(data: bytes) -> bytes | None:
        reply = right(data)
        assert reply is not None
        at = reply.index(data[data.index(b"\x02\x04") :][:6]) + 2  # its request-id
        return reply[:at] + bytes((reply[at] ^ 1,)) + reply[at + 1 :]

    found, _ = knock(
        {
            "127.83.3.1": lambda data: data,
            "127.83.3.2": lambda _: b"SSH-2.0-OpenSSH_9.2\r\n",
            "127.83.3.3": other_number,
            "127.83.3.4": lambda data: (right(data) or b"")[:-1],
            "127.83.3.5": lambda data: (right(data) or b"") + b"\0",
            "127.83.3.6": lambda _: b"",
            "127.83.3.7": right,
        }
    )
    assert set(found.heard) == {"127.83.3.7"}


def test_an_answer_after_garbage_still_counts() -> None:
    tries: list[int] = []

    def second(data: bytes) -> bytes | None:
        tries.append(1)
        return b"\x30\x80" if len(tries) == 1 else Script(switch()).answer(data)

    assert list(knock({"127.83.3.1": second})[0].heard) == ["127.83.3.1"]


def test_what_a_host_says_is_cut_and_drives_no_terminal() -> None:
    loud = switch() | {(1, 3, 6, 1, 2, 1, 1, 5, 0): (OCTETS, b"\x1b[2J\x07" + b"x" * 60_000)}
    greeting = knock({"127.83.3.1": Script(loud).answer})[0].heard["127.83.3.1"]
    assert "\x1b" not in greeting.sysName
    assert len(greeting.sysName) <= 255


# --- messages -----------------------------------------------------------------------------------------------------


def test_what_is_asked_can_be_read_and_its_answer_too() -> None:
    for version in (0, 1):
        message = wire.get(version, b"public")(NUMBER)
        reply = Script(switch() | {ENGINE_ID: (OCTETS, ENGINE)}).answer(message)
        assert reply is not None
        number, seen = wire.read_response(reply, version)
        assert number == NUMBER
        assert seen[SYS_NAME] == b"sw-balaraja-01"
        assert (ENGINE_ID in seen) == bool(version)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    for read in (lambda d: wire.read_response(d, 1), wire.read_report):
        with suppress(Malformed):
            read(data)


@given(st.integers(0, 300), st.integers(0, 255), st.booleans())
def test_any_octet_of_a_good_answer_may_be_another(at: int, octet: int, v3: bool) -> None:
    user = usm.User.of("noc", "autentikasi-1", "privasi-rahasia", ENGINE)
    box = Agent(Tree({}), user=user, engine=ENGINE)
    question = wire.greeting if v3 else wire.get(1, b"public")
    answered = box.answer(question(NUMBER), 1.0) if v3 else Script(switch()).answer(question(NUMBER))
    good = bytearray(answered or b"")
    good[at % len(good)] = octet
    try:
        number, _ = wire.read_report(bytes(good)) if v3 else wire.read_response(bytes(good), 1)
    except Malformed:
        return
    assert isinstance(number, int)


@given(st.binary(max_size=300))
@example(b"id##")  # as the hole for the number
def test_communities_of_any_length_make_messages_that_agents_read(community: bytes) -> None:
    message = wire.get(1, community)(NUMBER)
    assert Script(switch(), community=community).answer(message) is not None
