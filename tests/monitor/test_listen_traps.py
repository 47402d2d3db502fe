"""Traps and informs sent by pysnmp's own notification sender and taken by the receiver over real sockets."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    NotificationType,
    ObjectIdentity,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    send_notification,
    usmAesCfb128Protocol,
    usmAesCfb256Protocol,
    usmDESPrivProtocol,
    usmHMAC192SHA256AuthProtocol,
    usmHMAC384SHA512AuthProtocol,
    usmHMACMD5AuthProtocol,
    usmHMACSHAAuthProtocol,
)
from pysnmp.proto.rfc1902 import Integer32, IpAddress, OctetString

from monitor.listen.clocks import clocks
from monitor.listen.event import Event, Kind, Wish, event_json
from monitor.listen.meaning import Patterns
from monitor.listen.receiver import Receiver
from monitor.listen.sieve import Sieve
from monitor.listen.sockets import opened
from monitor.listen.sources import Source, sources
from monitor.targets import SnmpAuth, SnmpVersion
from siaga.settings import Listen

NOW = datetime(2026, 3, 2, 3, 4, 5, tzinfo=UTC)
HOST = "127.86.1.1"
SENDER = "127.0.0.1"  # the kernel's choice for what is sent to the loopback
V2C = SnmpAuth(SnmpVersion.v2c, SecretStr("trap-rahasia"))
V1 = SnmpAuth(SnmpVersion.v1, SecretStr("trap-lama"))
AUTH, PRIV = "kata-sandi-auth", "kata-sandi-priv"
LINK_DOWN, COLD = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.1"


def user(name: str = "trapper", auth: str = "SHA-256", priv: str = "AES", secret: str = AUTH) -> SnmpAuth:
    return SnmpAuth(
        SnmpVersion.v3,
        user=name,
        auth_protocol=auth,
        auth_secret=SecretStr(secret if auth else ""),
        priv_protocol=priv,
        priv_secret=SecretStr(PRIV if priv else ""),
    )


class Heard:
    """A receiver and what it told."""

    def __init__(self, auths: Sequence[SnmpAuth], **more: Any) -> None:
        self.events: list[Event] = []
        self.wishes: list[Wish] = []
        self.clock_s = 1000.0
        relays = more.pop("relays", ())
        rows = [(SENDER, Source(7, "rtr-kec-mauk")), ("10.9.9.9", Source(8, "sw-1"))]
        self.receiver = Receiver(
            auths,
            sources(rows, relays),
            Patterns({}),
            sieve=more.pop("sieve", Sieve(1000, 1000)),
            now=lambda: NOW,
            tell=self.events.append,
            wish=self.wishes.append,
            clock_s=lambda: self.clock_s,
            **more,
        )

    @property
    def tally(self) -> dict[str, int]:
        return dict(self.receiver.tally)


@asynccontextmanager
async def listening(heard: Heard) -> AsyncIterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((HOST, 0))
        port = own.getsockname()[1]
    settings = Listen.model_validate(
        {"addresses": [HOST], "trap_port": port, "syslog_port": 0, "syslog_tcp_port": 0}
    )
    async with opened(heard.receiver, settings):
        yield port


async def send(
    port: int, auth: Any, kind: str = "trap", oid: str = LINK_DOWN, *varbinds: Any, engine: Any = None
) -> str:
    """Send one notification with pysnmp; return its error indication, or '' when it is acknowledged or unconfirmed."""
    own = engine or SnmpEngine()
    target = await UdpTransportTarget.create((HOST, port), timeout=1, retries=1)
    note = NotificationType(ObjectIdentity(oid)).add_varbinds(*varbinds)
    error, *_ = await send_notification(own, auth, target, ContextData(), kind, note)
    if engine is None:
        own.close_dispatcher()
    return str(error or "")


async def came(heard: Heard, number: int) -> None:
    """Wait until so many datagrams were taken."""
    async with asyncio.timeout(5):
        while heard.receiver.tally["trap.received"] < number:  # noqa: ASYNC110 - the receiver tells nobody of a refusal
            await asyncio.sleep(0.005)


IF = "1.3.6.1.2.1.2.2.1"
PORT_3 = [
    (f"{IF}.1.3", Integer32(3)),
    (f"{IF}.2.3", OctetString("ether3")),
    (f"{IF}.8.3", Integer32(2)),
]


def test_a_v2c_trap_is_an_event_and_a_wish() -> None:
    async def run() -> Heard:
        heard = Heard([V2C])
        async with listening(heard) as port:
            await send(port, CommunityData("trap-rahasia"), "trap", LINK_DOWN, *PORT_3)
            await came(heard, 1)
        return heard

    heard = asyncio.run(run())
    (event,) = heard.events
    assert (event.kind, event.text, event.device) == (Kind.link_down, "linkDown: ether3", "rtr-kec-mauk")
    assert (event.channel, event.source, event.authentic) == ("trap", SENDER, False)
    assert dict(event.details)["ifIndex"] == "3"
    (wish,) = heard.wishes
    assert (wish.what, wish.device_id, wish.at) == ("poll", 7, NOW)
    assert event_json(event)["details"]["ifOperStatus"] == "2"
    assert "rahasia" not in repr(heard.events) + repr(heard.tally)


@pytest.mark.parametrize(
    ("auth", "kind", "right"),
    [
        (CommunityData("trap-rahasia"), "inform", True),
        (CommunityData("salah"), "inform", False),
        (CommunityData("salah"), "trap", False),
        (CommunityData("trap-lama", mpModel=0), "trap", True),
        (CommunityData("trap-rahasia", mpModel=0), "trap", False),
    ],
)
def test_communities_and_informs(auth: CommunityData, kind: str, right: bool) -> None:
    async def run() -> tuple[Heard, str]:
        heard = Heard([V2C, V1])
        async with listening(heard) as port:
            error = await send(port, auth, kind, COLD)
            await came(heard, 1)
        return heard, error

    heard, error = asyncio.run(run())
    assert [e.kind for e in heard.events] == ([Kind.cold_start] if right else [])
    assert bool(error) == (kind == "inform" and not right)
    if not right:
        assert heard.tally["trap.refused.community"] >= 1
        assert heard.wishes == []


SHA256_AES = {"authProtocol": usmHMAC192SHA256AuthProtocol, "privProtocol": usmAesCfb128Protocol}


@pytest.mark.parametrize(
    ("auth", "priv", "protocols"),
    [
        ("MD5", "DES", {"authProtocol": usmHMACMD5AuthProtocol, "privProtocol": usmDESPrivProtocol}),
        ("SHA", "AES", {"authProtocol": usmHMACSHAAuthProtocol, "privProtocol": usmAesCfb128Protocol}),
        ("SHA-256", "AES", SHA256_AES),
        ("SHA-512", "AES-256", {"authProtocol": usmHMAC384SHA512AuthProtocol, "privProtocol": usmAesCfb256Protocol}),
        ("SHA-256", "", {"authProtocol": usmHMAC192SHA256AuthProtocol}),
        ("", "", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["trap", "inform"])
def test_v3(auth: str, priv: str, protocols: dict[str, Any], kind: str) -> None:
    secrets = {"authKey": AUTH} if auth else {}
    secrets |= {"privKey": PRIV} if priv else {}

    async def run() -> tuple[Heard, str]:
        heard = Heard([user(auth=auth, priv=priv)])
        async with listening(heard) as port:
            error = await send(port, UsmUserData("trapper", **secrets, **protocols), kind, LINK_DOWN, *PORT_3)
            await came(heard, 1 if kind == "trap" else 2)
        return heard, error

    heard, error = asyncio.run(run())
    assert error == ""
    assert [(e.kind, e.channel, e.authentic) for e in heard.events] == [(Kind.link_down, kind, bool(auth))]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (UsmUserData("other", AUTH, PRIV, **SHA256_AES), "user"),
        (UsmUserData("trapper", "another-secret", PRIV, **SHA256_AES), "digest"),
        (UsmUserData("trapper", AUTH, "another-secret", **SHA256_AES), "decryption"),
        (UsmUserData("trapper", AUTH, authProtocol=usmHMAC192SHA256AuthProtocol), "level"),
        (UsmUserData("trapper"), "level"),
    ],
)
@pytest.mark.parametrize("kind", ["trap", "inform"])
def test_wrong_users_and_weaker_levels_are_counted_and_never_believed(
    data: UsmUserData, word: str, kind: str
) -> None:
    async def run() -> Heard:
        heard = Heard([user()])
        async with listening(heard) as port:
            await send(port, data, kind)
            await came(heard, 1)
        return heard

    heard = asyncio.run(run())
    assert (heard.events, heard.wishes) == ([], [])
    words = {"decryption", "garbled"} if word == "decryption" else {word}
    assert words & {k.rpartition(".")[2] for k in heard.tally}, heard.tally


def recorded(auth: Any, kind: str = "trap", number: int = 1, *varbinds: Any) -> list[bytes]:
    """Return the datagrams that pysnmp sends for some notifications, from one engine."""

    async def run() -> list[bytes]:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind((HOST, 0))
            sink.setblocking(False)
            engine = SnmpEngine()
            found = []
            for _ in range(number):
                await send(sink.getsockname()[1], auth, kind, LINK_DOWN, *varbinds, engine=engine)
                found.append(await loop.sock_recv(sink, 65535))
            engine.close_dispatcher()
            return found

    return asyncio.run(run())


AUTHENTIC = UsmUserData("trapper", AUTH, PRIV, **SHA256_AES)


def test_a_replayed_trap_is_counted_and_not_believed(tmp_path: Path) -> None:
    (first,) = recorded(AUTHENTIC)
    heard = Heard([user()], state=tmp_path / "engine.json")
    heard.receiver.trap(first, SENDER)
    for later_s in (0.0, 60.0, 100_000.0):
        heard.clock_s += later_s
        if later_s < 150:
            heard.receiver.trap(first, SENDER)
    assert len(heard.events) == 1
    assert heard.tally["trap.refused.replayed"] == 2


def test_an_old_trap_is_refused_after_a_newer_one_also_by_the_next_process(tmp_path: Path) -> None:
    state = tmp_path / "engine.json"
    (old,) = recorded(AUTHENTIC)
    heard = Heard([user()], state=state)
    heard.receiver.trap(old, SENDER)
    assert len(heard.events) == 1
    kept = clocks(state)
    heard.receiver.keep()
    kept = clocks(state)
    (engine_id,) = kept.senders
    boots, time_s = kept.senders[engine_id]
    kept.senders[engine_id] = (boots, time_s + 151)  # the sender was heard later on
    kept.keep()
    after = Heard([user()], state=state)
    after.receiver.trap(old, SENDER)
    assert (after.events, after.tally["trap.refused.replayed"]) == ([], 1)
    kept.senders[engine_id] = (boots + 1, 0)  # and it has booted since
    kept.keep()
    again = Heard([user()], state=state)
    again.receiver.trap(old, SENDER)
    assert again.events == []


def test_an_inform_that_comes_again_is_acknowledged_and_is_one_event() -> None:
    (inform,) = recorded(CommunityData("trap-rahasia"), "inform")
    heard = Heard([V2C])
    replies = [heard.receiver.trap(inform, SENDER) for _ in range(3)]
    assert all(replies)
    assert len(heard.events) == 1
    assert heard.tally["trap.refused.again"] == 2


def test_boots_are_counted_before_they_are_used(tmp_path: Path) -> None:
    async def run() -> int:
        heard = Heard([user()], state=tmp_path / "engine.json")
        async with listening(heard) as port:
            assert await send(port, AUTHENTIC, "inform") == ""
        return clocks(tmp_path / "engine.json").boots

    assert [asyncio.run(run()) for _ in range(2)] == [1, 2]
    assert (tmp_path / "engine.json").stat().st_mode & 0o777 == 0o600


ADDRESS = ("1.3.6.1.6.3.18.1.3.0", IpAddress("10.9.9.9"))


def test_the_address_in_a_trap_is_believed_of_relays_only() -> None:
    (trap,) = recorded(CommunityData("trap-rahasia"), "trap", 1, ADDRESS)
    for relays, device in (
        ((), "rtr-kec-mauk"),
        (("127.0.0.0/8",), "sw-1"),
        (("10.0.0.0/8",), "rtr-kec-mauk"),
    ):
        heard = Heard([V2C], relays=relays)
        heard.receiver.trap(trap, SENDER)
        assert [e.device for e in heard.events] == [device]


def test_a_stranger_is_an_event_without_a_wish() -> None:
    (trap,) = recorded(CommunityData("trap-rahasia"))
    heard = Heard([V2C])
    heard.receiver.trap(trap, "10.77.0.1")
    assert [(e.device, e.device_id) for e in heard.events] == [("", None)]
    assert (heard.wishes, heard.tally["trap.stranger"]) == ([], 1)


def test_strangers_drown_nobody() -> None:
    (trap,) = recorded(CommunityData("trap-rahasia"))
    heard = Heard([V2C], sieve=Sieve(10, 20))
    for n in range(500):
        heard.receiver.trap(trap, f"10.77.{n % 250}.1")
    assert heard.tally["trap.held"] == 480
    heard.receiver.trap(trap, SENDER)
    assert [e.device for e in heard.events][-1] == "rtr-kec-mauk"
    heard.clock_s += 1.0
    heard.receiver.trap(trap, "10.77.0.9")
    assert heard.tally["trap.held"] == 480


def test_hostile_variables_are_bounded_and_safe() -> None:
    oid = "1.3.6.1.4.1.99999." + ".".join(["4294967295"] * 30)
    evil = b"\x1b[2J[/red]\r\nforged \xe2\x80\xae" + b"A" * 200
    varbinds = [(oid, OctetString(evil)), (oid, OctetString(b"\x00\xff\x01"))]
    varbinds *= 20
    (trap,) = recorded(CommunityData("trap-rahasia"), "trap", 1, *varbinds)
    heard = Heard([V2C])
    heard.receiver.trap(trap, SENDER)
    (event,) = heard.events
    texts = [event.text, *(t for pair in event.details for t in pair)]
    assert all(t.isprintable() and len(t) <= 300 for t in texts)
    assert len(event.details) == 32


def seeds() -> list[bytes]:
    return [
        *recorded(CommunityData("trap-rahasia"), "trap", 1, *PORT_3),
        *recorded(CommunityData("trap-rahasia"), "inform"),
        *recorded(CommunityData("trap-lama", mpModel=0), "trap", 1, *PORT_3),
        *recorded(AUTHENTIC),
        *recorded(UsmUserData("trapper", AUTH, authProtocol=usmHMAC192SHA256AuthProtocol)),
        *recorded(AUTHENTIC, "inform"),
    ]


def test_mutated_datagrams_never_raise_and_forge_no_authentic_event() -> None:
    rng = random.Random(3603)
    originals = seeds()
    heard = Heard([V2C, V1, user(), user("plain", priv="")], sieve=Sieve(1e9, 10**9))
    for n in range(3000):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.choice((1, 1, 2, 5, 30))):
            what, at = rng.randrange(4), rng.randrange(len(data))
            if what == 0:
                data[at] ^= 1 << rng.randrange(8)
            elif what == 1:
                data[at] = rng.randrange(256)
            elif what == 2:
                del data[at : at + rng.randrange(1, 9)]
            else:
                data[at:at] = rng.randbytes(rng.randrange(1, 9))
            if not data:
                data += b"0"
        if bytes(data) not in originals:
            heard.receiver.trap(bytes(data), f"10.77.0.{n % 250}")
    assert not [e for e in heard.events if e.authentic]
    assert all(e.text.isprintable() for e in heard.events)
    assert heard.tally["trap.refused.garbled"] > 100
    heard.receiver.trap(originals[3], SENDER)  # an honest one is still taken
    assert heard.events[-1].authentic


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x00" * 16000, b"\x30\x80" * 8000, b"\xa7" * 70000, b"0" * 100,
     b"\x30\x82\x13\x90\x02\x82\x13\x8c" + b"\x7f" * 5004],
)  # fmt: skip
def test_datagrams_that_are_none(data: bytes) -> None:
    heard = Heard([V2C, user()])
    assert heard.receiver.trap(data, SENDER) is None
    assert heard.events == []
    assert sum(n for k, n in heard.tally.items() if ".refused." in k) == 1


def test_refusals_are_forgotten_by_a_new_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("monitor.listen.traps.REFUSALS", 3)
    (probe,) = recorded(AUTHENTIC, "inform")  # asks for the engine, and is refused with a report
    heard = Heard([user()], state=tmp_path / "engine.json")
    for _ in range(7):
        assert heard.receiver.trap(probe, SENDER)
    assert clocks(tmp_path / "engine.json").boots == 3
    assert heard.tally["trap.refused.engine"] + heard.tally.get("trap.refused.user", 0) == 7


def test_a_state_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (trap,), (probe,) = recorded(AUTHENTIC), recorded(AUTHENTIC, "inform")
    (tmp_path / "nowhere").write_text("no folder")
    heard = Heard([user()], state=tmp_path / "nowhere" / "engine.json")
    assert heard.receiver.trap(probe, SENDER)
    heard.receiver.trap(trap, SENDER)
    heard.receiver.keep()
    assert (len(heard.events), heard.tally["state.not-kept"]) == (1, 1)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"engine_id": 5}', '{"engine_id": "zz", "boots": 1}'])
def test_a_state_that_cannot_be_read_begins_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "engine.json"
    path.write_text(text)
    assert clocks(path).boots == 0
    assert len(clocks(path).engine_id) == 13
