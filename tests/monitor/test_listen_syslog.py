"""Syslog: every form of message and frame, every pattern of every platform, and what is meant to hurt."""

import asyncio
import socket
import tomllib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.platforms import FOLDER, platforms, syslog_of
from monitor.listen.event import Event, Kind, Wish
from monitor.listen.meaning import Patterns, patterns
from monitor.listen.receiver import Receiver
from monitor.listen.sieve import Recent, Sieve
from monitor.listen.sockets import PER_SOURCE, Ports, opened
from monitor.listen.sources import Source, plain, sources
from monitor.listen.syslog import MOST_BYTES, Frames, parsed
from siaga.errors import TemporaryError
from siaga.settings import Listen

LINES = tomllib.loads(Path(__file__).with_name("syslog_lines.toml").read_text("utf-8"))["line"]
NOW = datetime(2026, 3, 2, 3, 4, 5, tzinfo=UTC)
HOST, SENDER = "127.86.2.1", "127.0.0.1"
CONFIG = (
    b"<189>45: *Mar  1 00:01:02.123: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.1.1.5)"
)


@cache
def known() -> Patterns:
    return patterns()


@pytest.mark.parametrize("line", LINES, ids=lambda row: f"{row['platform']}-{row['event'] or 'nothing'}")
def test_a_line_means_what_it_should(line: dict[str, Any]) -> None:
    found = known().meaning(line["text"], line["platform"])
    assert (found[0].value if found else "") == line["event"]
    if found:
        details = dict(found[1])
        assert {k: details.get(k) for k in ("user", "from", "interface") if k in line} == {
            k: line[k] for k in ("user", "from", "interface") if k in line
        }


def test_every_pattern_of_every_file_has_a_line_that_proves_it() -> None:
    proved = set()
    for line in LINES:
        for pattern in syslog_of(next(p for p in platforms() if p.name == line["platform"])):
            if Patterns({"x": [(Kind(pattern.event), pattern.regex)]}).meaning(line["text"], "x"):
                proved.add(pattern.regex)
                break
    written = {
        row["regex"]
        for path in FOLDER.glob("*.toml")
        for row in tomllib.loads(path.read_text()).get("syslog", ())
    }
    assert len(written) > 60
    assert written - proved == set()


@pytest.mark.parametrize(
    ("data", "host", "text"),
    [
        (b"<34>1 2026-03-02T03:04:05.003Z rtr-1.go.id sshd 12 ID47 - hello", "rtr-1.go.id", None),
        (b"<34>1 - - - - - - hello", "", None),
        (b"<34>Oct 11 22:14:15 srv-1 su: failed", "srv-1", "Oct 11 22:14:15 srv-1 su: failed"),
        (b"<34>Oct  1 22:14:15 10.1.1.1 su: failed", "10.1.1.1", None),
        (b"<134>2026-03-02T03:04:05+07:00 fw-1 x: y", "fw-1", None),
        (b"<189>date=2026-03-02 time=03:04:05 devname=fw", "", "date=2026-03-02 time=03:04:05 devname=fw"),
        (b"<0>x\n\0", "", "x"),
        (CONFIG, "", None),
    ],
)
def test_messages(data: bytes, host: str, text: str | None) -> None:
    line = parsed(data)
    assert line
    assert line.host == host
    assert text is None or line.text == text
    assert line.facility * 8 + line.severity == int(data[1 : data.index(b">")])


@pytest.mark.parametrize(
    "data", [b"", b"<", b"<>x", b"<192>x", b"<1>", b"no priority", b"<1234>x", b"\xff\xfe"]
)
def test_what_is_no_message(data: bytes) -> None:
    assert parsed(data) is None


@given(st.binary(max_size=400))
def test_any_octets_are_safe_text_or_nothing(data: bytes) -> None:
    line = parsed(b"<13>" + data)
    assert line is None or (line.text.isprintable() and line.host.isprintable() and len(line.text) <= 2000)
    if line:
        known().meaning(line.text, "")


def framed(messages: list[bytes], counted: bool) -> bytes:
    return b"".join(b"%d %s" % (len(m), m) if counted else m + b"\n" for m in messages)


@given(
    st.lists(st.binary(max_size=60).map(lambda b: b"<13>x" + b.replace(b"\n", b" ")), max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_frames_are_found_however_they_are_cut(
    messages: list[bytes], counted: list[bool], cuts: list[int]
) -> None:
    stream = b"".join(framed([m], c) for m, c in zip(messages, counted, strict=False))
    frames, found, at = Frames(), [], 0
    for n in range(len(stream)):
        size = cuts[n % len(cuts)]
        found += [f.rstrip(b"\n") for f in frames.feed(stream[at : at + size])]
        at += size
    assert found == messages


def test_a_frame_that_is_too_long_is_thrown_away_whole() -> None:
    frames = Frames()
    found = []
    for part in [b"<13>" + b"x" * 6000] * 5 + [b"end\n<13>next\n"]:
        found += list(frames.feed(part))
    assert [f for f in found if b"next" in f] == [b"<13>next\n"]
    assert frames.cut == 1
    assert list(Frames().feed(b"%d <13>x" % (MOST_BYTES + 1))) == []


class Heard:
    def __init__(self, platform: str = "ios", **more: Any) -> None:
        self.events: list[Event] = []
        self.wishes: list[Wish] = []
        self.clock_s = 1000.0
        rows = [(SENDER, Source(7, "rtr-1", platform)), ("10.9.9.9", Source(8, "sw-1", "ios"))]
        self.receiver = Receiver(
            [],
            sources(rows, more.pop("relays", ())),
            known(),
            sieve=more.pop("sieve", Sieve(10_000, 10_000)),
            now=lambda: NOW,
            tell=self.events.append,
            wish=self.wishes.append,
            clock_s=lambda: self.clock_s,
        )


def test_a_changed_configuration_is_a_wish_for_a_backup() -> None:
    heard = Heard()
    heard.receiver.syslog(CONFIG, SENDER)
    (event,), (wish,) = heard.events, heard.wishes
    assert (event.kind, event.device, dict(event.details)) == (
        Kind.config_changed,
        "rtr-1",
        {"user": "admin", "from": "10.1.1.5"},
    )
    assert (wish.what, wish.device_id) == ("backup", 7)


def test_what_means_nothing_is_counted_only() -> None:
    heard = Heard()
    heard.receiver.syslog(b"<189>%SYS-6-CLOCKUPDATE: System clock has been updated", SENDER)
    heard.receiver.syslog(b"junk", SENDER)
    assert heard.events == []
    assert dict(heard.receiver.tally) == {
        "syslog.received": 2, "syslog.other": 1, "syslog.refused.garbled": 1
    }  # fmt: skip


def test_the_same_message_at_once_is_one_and_later_two() -> None:
    heard = Heard()
    for later_s in (0.0, 0.5, 5.0):
        heard.clock_s += later_s
        heard.receiver.syslog(CONFIG, SENDER)
    assert len(heard.events) == 2


def test_a_relay_speaks_for_others_and_nobody_else() -> None:
    message = b"<189>1 - sw-1.go.id - - - - %SYS-5-CONFIG_I: Configured from console by x"
    for relays, device in (((), "rtr-1"), (("127.0.0.1/32",), "sw-1")):
        heard = Heard(relays=relays)
        heard.receiver.syslog(message, SENDER)
        assert [e.device for e in heard.events] == [device]


def test_a_flood_is_held_back_and_strangers_share_one_measure() -> None:
    heard = Heard(sieve=Sieve(5, 10))
    for n in range(100):
        heard.receiver.syslog(b"<189>%d " % n + CONFIG[5:], SENDER)
        heard.receiver.syslog(b"<189>%d " % n + CONFIG[5:], f"10.77.{n}.1")
    assert heard.receiver.tally["syslog.held"] == 180
    assert Counter(e.device for e in heard.events) == {"rtr-1": 10, "": 10}


def test_what_is_remembered_is_bounded() -> None:
    recent = Recent(window_s=10, most=50)
    assert not any(recent.again(b"%d" % n, n / 100) for n in range(1000))
    assert len(recent._seen) <= 50
    assert recent.again(b"999", 10.0)
    assert not recent.again(b"999", 21.0)


def test_an_address_of_two_devices_is_nobodys() -> None:
    known_ = sources(
        [("10.1.1.1", Source(1, "a")), ("10.1.1.1", Source(2, "b")), ("::ffff:10.1.1.2", Source(1, "a"))]
    )
    assert known_.find("10.1.1.1") is None
    assert known_.find("10.1.1.2") == Source(1, "a")
    assert (plain("fe80::1%eth0"), plain("no")) == ("fe80::1", "")


@asynccontextmanager
async def listening(heard: Heard) -> AsyncIterator[Ports]:
    ports = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as own:
            own.bind((HOST, 0))
            ports.append(own.getsockname()[1])
    where = {"addresses": [HOST], "trap_port": 0, "syslog_port": ports[0], "syslog_tcp_port": ports[1]}
    async with opened(heard.receiver, Listen.model_validate(where)) as found:
        yield found


async def reached(heard: Heard, name: str, number: int) -> None:
    async with asyncio.timeout(5):
        while heard.receiver.tally[name] < number:  # noqa: ASYNC110 - the receiver tells nobody of a refusal
            await asyncio.sleep(0.005)


def test_udp_and_tcp_in_both_framings() -> None:
    async def run() -> Heard:
        heard = Heard()
        async with listening(heard) as ports:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
                own.sendto(CONFIG, (HOST, ports.syslog))
            _, writer = await asyncio.open_connection(HOST, ports.syslog_tcp)
            one, two = CONFIG + b" 1", CONFIG + b" 2"
            writer.write(b"%d %s%s\n" % (len(one), one, two))
            await writer.drain()
            await reached(heard, "syslog.received", 3)
            writer.transport.abort()
        return heard

    assert len(asyncio.run(run()).events) == 3


def test_connections_of_one_sender_are_bounded() -> None:
    async def run() -> Heard:
        heard = Heard()
        async with listening(heard) as ports:
            pairs = [await asyncio.open_connection(HOST, ports.syslog_tcp) for _ in range(PER_SOURCE + 3)]
            await reached(heard, "syslog.refused.connections", 3)
            for _, writer in pairs:
                writer.transport.abort()
        return heard

    assert asyncio.run(run()).receiver.tally["syslog.refused.connections"] == 3


def test_an_endless_line_is_bounded_and_what_follows_is_heard() -> None:
    async def run() -> Heard:
        heard = Heard()
        async with listening(heard) as ports:
            _, writer = await asyncio.open_connection(HOST, ports.syslog_tcp)
            writer.write(b"<13>" + b"y" * 500_000)
            await writer.drain()
            writer.write(b"\n" + CONFIG + b"\n")
            await writer.drain()
            await reached(heard, "syslog.event", 1)
            writer.transport.abort()
        return heard

    heard = asyncio.run(run())
    assert heard.receiver.tally["syslog.refused.too-long"] == 1


def test_a_port_that_is_taken_is_said() -> None:
    async def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.bind((HOST, 0))
            where = {
                "addresses": [HOST],
                "trap_port": own.getsockname()[1],
                "syslog_port": 0,
                "syslog_tcp_port": 0,
            }
            with pytest.raises(TemporaryError, match="cannot be opened"):
                async with opened(Heard().receiver, Listen.model_validate(where)):
                    pass

    asyncio.run(run())
