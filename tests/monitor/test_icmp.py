"""Real ICMP on loopback: sweeps and bursts, what counts as a reply, and what is said where nothing may be sent."""

import asyncio
import errno
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import icmp, pace
from monitor.echoes import Burst, Swept
from monitor.icmp import Echo, checksum
from monitor.pace import BURST, Bucket, Pace, paced
from siaga.errors import AuthError

QUICK = Pace(0, 0.2, 0)


def _permitted() -> bool:
    try:
        icmp.opened(socket.AF_INET)[0].close()
    except AuthError:
        return False
    return True


permitted = pytest.mark.skipif(not _permitted(), reason="neither kind of ICMP socket is permitted here")


def sweep(
    addresses: list[str], pace: Pace = QUICK, told: Callable[[str, float], None] | None = None
) -> Swept:
    async def swept() -> Swept:
        async with Echo() as echo:
            return await echo.sweep(addresses, pace, told)

    return asyncio.run(swept())


@permitted
def test_every_address_of_a_network_answers_with_a_round_trip_of_its_own() -> None:
    addresses = [f"127.83.{n >> 8}.{n & 255}" for n in range(600)]
    told: list[str] = []
    found = sweep(addresses, told=lambda address, _: told.append(address))
    assert set(found.rtt_s) == set(addresses)
    assert sorted(told) == sorted(addresses)
    assert all(0 < rtt_s < 1 for rtt_s in found.rtt_s.values())
    assert found.unsent == {}


@permitted
def test_both_families_are_asked_and_an_address_given_twice_is_asked_once() -> None:
    found = sweep(["::1", "127.83.0.1", "127.83.0.1", "0:0:0:0:0:0:0:1"])
    assert "127.83.0.1" in found.rtt_s
    assert len(found.rtt_s) == 2


@permitted
def test_what_cannot_be_sent_is_said_with_the_reason_and_the_others_are_asked() -> None:
    found = sweep(["255.255.255.255", "127.83.0.1"])
    assert list(found.rtt_s) == ["127.83.0.1"]
    assert list(found.unsent) == ["255.255.255.255"]
    assert found.unsent["255.255.255.255"]


@permitted
def test_two_sweeps_at_a_time_do_not_take_each_others_answers() -> None:
    async def both() -> list[Swept]:
        async with Echo() as echo:
            sweeps = (echo.sweep([f"127.83.{n}.{i}" for i in range(100)], QUICK) for n in (1, 2))
            return list(await asyncio.gather(*sweeps))

    one, two = asyncio.run(both())
    assert {a.rsplit(".", 1)[0] for a in one.rtt_s} == {"127.83.1"}
    assert {a.rsplit(".", 1)[0] for a in two.rtt_s} == {"127.83.2"}
    assert len(one.rtt_s) == len(two.rtt_s) == 100


@permitted
def test_a_burst_tells_loss_round_trips_and_jitter() -> None:
    async def bursts() -> Burst:
        async with Echo() as echo:
            return await echo.burst("127.83.0.9", 5, interval_s=0.001, timeout_s=1)

    found = asyncio.run(bursts())
    assert found.loss_pct == 0
    assert len(found.heard_s) == 5
    assert found.min_s is not None
    assert found.avg_s is not None
    assert found.max_s is not None
    assert 0 < found.min_s <= found.avg_s <= found.max_s
    assert found.jitter_s is not None


def test_the_figures_of_a_burst_are_those_of_what_was_heard() -> None:
    found = Burst("10.0.0.1", (0.010, None, 0.014, 0.011))
    assert found.loss_pct == 25
    assert (found.min_s, found.max_s) == (0.010, 0.014)
    assert found.avg_s == pytest.approx(0.035 / 3)
    assert found.jitter_s == pytest.approx((0.004 + 0.003) / 2)
    nothing = Burst("10.0.0.1", (None, None))
    assert nothing.loss_pct == 100
    assert (nothing.min_s, nothing.avg_s, nothing.max_s, nothing.jitter_s) == (None, None, None, None)
    assert Burst("10.0.0.1", ()).loss_pct is None  # nothing was asked: no loss, and no success


# --- what counts as a reply ---------------------------------------------------------------------------------------


class Wire:
    """Stands where the socket stands: keeps what is sent, gives what the test puts there."""

    def __init__(self, forge: Callable[[bytes], list[tuple[bytes, str]]]) -> None:
        self._forge = forge
        self.waiting: list[tuple[bytes, tuple[str, int]]] = []

    def sendto(self, packet: bytes, where: tuple[str, int]) -> int:
        self.waiting += [(b"\x45" + bytes(19) + data, (source, 0)) for data, source in self._forge(packet)]
        return len(packet)

    def recvfrom(self, _: int) -> tuple[bytes, tuple[str, int]]:
        if not self.waiting:
            raise BlockingIOError
        return self.waiting.pop(0)

    def close(self) -> None:
        pass


@pytest.fixture
def forged(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Swept]:
    """Sweep one address over a wire on which something else answers; only what came is made up."""

    def swept(forge: Callable[[bytes], list[tuple[bytes, str]]]) -> Swept:
        async def run() -> Swept:
            loop = asyncio.get_running_loop()
            monkeypatch.setattr(icmp, "opened", lambda _: (Wire(forge), True))
            monkeypatch.setattr(loop, "add_reader", lambda *_: None)
            monkeypatch.setattr(loop, "remove_reader", lambda *_: None)
            async with Echo() as echo:
                return await echo.sweep(["10.0.0.1"], Pace(0, 0.001, 0))

        return asyncio.run(run())

    return swept


def reply(packet: bytes) -> bytes:
    return b"\0" + packet[1:]


def test_only_the_answer_of_the_one_asked_with_what_he_was_sent_counts(forged: Callable[..., Swept]) -> None:
    assert "10.0.0.1" in forged(lambda p: [(reply(p), "10.0.0.1")]).rtt_s
    for forge in (
        lambda p: [(reply(p), "10.0.0.2")],  # another one
        lambda p: [(p, "10.0.0.1")],  # a request, not a reply
        lambda p: [(reply(p)[:8] + bytes(8), "10.0.0.1")],  # without the cookie
        lambda p: [(reply(p)[:-1], "10.0.0.1")],  # cut off
        lambda p: [(reply(p) + b"\0", "10.0.0.1")],  # more than was sent
        lambda p: [(reply(p)[:4] + bytes((p[4] ^ 1,)) + reply(p)[5:], "10.0.0.1")],  # another identifier
        lambda p: [(reply(p)[:6] + b"\xff\xff" + reply(p)[8:], "10.0.0.1")],  # to a try that was not made
        lambda p: [(b"", "10.0.0.1"), (b"\0", "10.0.0.1")],
    ):
        assert forged(forge).rtt_s == {}


def test_cookies_are_not_those_of_others(forged: Callable[..., Swept]) -> None:
    seen: list[bytes] = []
    for _ in range(8):
        forged(lambda p: seen.append(p[8:]) or [])  # type: ignore[func-returns-value]
    assert len(set(seen)) == len(seen) == 8
    assert all(len(cookie) == icmp.COOKIE for cookie in seen)


@given(st.binary(min_size=2, max_size=64).filter(lambda b: len(b) % 2 == 0))
def test_the_checksum_makes_the_sum_of_all_words_nothing(body: bytes) -> None:
    packet = struct.pack("!BBH", 8, 0, 0) + body
    filled = packet[:2] + checksum(packet).to_bytes(2, "big") + packet[4:]
    total = sum(struct.unpack(f"!{len(filled) // 2}H", filled))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF  # RFC 1071: the ones' complement of it is zero


# --- pace ---------------------------------------------------------------------------------------------------------


@given(st.integers(1, 100_000), st.lists(st.floats(0, 0.5), max_size=50))
def test_a_bucket_never_gives_more_than_its_rate(rate: int, waits: list[float]) -> None:
    bucket, now, taken = Bucket(rate), 1000.0, 0
    bucket.take(now)
    for wait in waits:
        now += wait
        taken += bucket.take(now)
        assert taken <= BURST + rate * (now - 1000.0) + max(BURST, rate * 0.05) + 1


def test_a_full_buffer_is_waited_for_and_another_error_is_not() -> None:
    tries: dict[str, int] = {}

    def send(item: str) -> None:
        tries[item] = tries.get(item, 0) + 1
        if item == "full" and tries[item] < 3:
            raise OSError(errno.ENOBUFS, "No buffer space available")
        if item == "nowhere":
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    unsent = asyncio.run(paced(["full", "nowhere", "well"], send, Bucket(0)))
    assert unsent == [("nowhere", "Network is unreachable")]
    assert tries == {"full": 3, "nowhere": 1, "well": 1}


def test_a_silent_network_at_this_machine_fills_neither_buffers_nor_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What waits for ARP lies in the send buffer, and holds its place in the kernel's table for three seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        pace.roomy(own)
        most = int(Path("/proc/sys/net/core/wmem_max").read_text())  # for who may not pass it
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) >= min(2 * most, 4 << 20)
    left = [errno.ENOBUFS] * round(3.5 / pace._NO_ROOM_S)

    def send(_: str) -> None:
        if left:
            raise OSError(left.pop(), "No buffer space available")

    monkeypatch.setattr(pace, "_NO_ROOM_S", 0)
    assert asyncio.run(paced(["full"], send, Bucket(0))) == []


# --- without permission -------------------------------------------------------------------------------------------


def test_without_any_socket_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(AuthError) as failed:
        icmp.opened(socket.AF_INET)
    assert failed.value.code == "no-ping"
    assert "CAP_NET_RAW" in failed.value.sentence
    assert "net.ipv4.ping_group_range" in failed.value.sentence


_AS_NOBODY = """
import asyncio, os, socket
from monitor.icmp import Echo, opened
from monitor.pace import Pace
os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(opened(socket.AF_INET)[1])
async def main():
    async with Echo() as echo:
        return await echo.sweep(["127.83.0.1", "127.83.0.2"], Pace(0, 1, 0))
print(len(asyncio.run(main()).rtt_s))
"""


@pytest.mark.real
def test_a_user_without_capabilities_sweeps_where_his_group_may() -> None:
    """In a network namespace of its own, whose sysctl names the group: the datagram socket does all the work."""
    script = 'ip link set lo up && echo "65534 65534" > /proc/sys/net/ipv4/ping_group_range && exec "$@"'
    words = ["unshare", "--net", "sh", "-ec", script, "sh", sys.executable, "-c", _AS_NOBODY]
    done = subprocess.run(
        words, cwd=Path(icmp.__file__).parent.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "2"]
