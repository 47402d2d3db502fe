"""Doors on real sockets: what is open is told with its evidence, what lies is bounded, what is silent is unknown."""

import asyncio
import ssl
import struct
import warnings
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from agent import Script, switch
from fleet import fleet
from hypothesis import given, settings
from hypothesis import strategies as st
from ssh_servers import PASSWORD, USER, shell, ssh_server
from web_servers import issued, server

from monitor.audit.default_logins import Gate, Tried, tried
from monitor.audit.doors import CLOSED, OPEN, UNKNOWN, Doors, Page, Ports, page_of, spoken
from monitor.audit.doors import tried as looked
from monitor.audit.guesses import communities, derived, guessed, logins
from monitor.audit.host_key import rsa_bits
from monitor.audit.kexinit import MOST_BYTES, NotSshError, Offer, offered, read_offer
from monitor.audit.tls import old as older
from monitor.pace import Pace
from monitor.targets import SnmpVersion
from siaga.hostkeys import HostKey, HostKeys

HERE = "127.84.1.1"
NOBODY = 1  # a port at which nothing listens


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 30))


# --- SSH


def test_an_offer_is_what_the_server_was_set_to() -> None:
    async def ask() -> tuple[Offer, int | None]:
        key = asyncssh.generate_private_key("ssh-rsa", key_size=1024)
        options: dict[str, Any] = {
            "kex_algs": ["curve25519-sha256", "diffie-hellman-group1-sha1"],
            "encryption_algs": ["aes256-ctr", "3des-cbc"],
            "mac_algs": ["hmac-sha2-256", "hmac-md5"],
        }
        async with ssh_server(shell, key=key, **options) as port:
            return await offered("127.0.0.1", port, 5), await rsa_bits("127.0.0.1", port, 5)

    offer, bits = run(ask())
    assert (offer.protocol, offer.kex[:2]) == ("2.0", ("curve25519-sha256", "diffie-hellman-group1-sha1"))
    assert (offer.ciphers, offer.macs) == (("aes256-ctr", "3des-cbc"), ("hmac-sha2-256", "hmac-md5"))
    assert "ssh-rsa" in offer.host_keys
    assert bits == 1024


def packet(payload: bytes) -> bytes:
    padding = 8 - (len(payload) + 5) % 8 + 4
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


HOSTILE = {
    "nothing": b"",
    "no SSH": b"220 ftp ready\r\n" * 60,
    "endless line": b"SSH-2.0-" + b"x" * (MOST_BYTES * 3),
    "endless greeting": b"hello\r\n" * 100_000,
    "huge packet": b"SSH-2.0-x\r\n" + struct.pack(">IB", 0xFFFFFFFF, 4) + b"y" * 100_000,
    "no packet": b"SSH-2.0-x\r\n" + struct.pack(">IB", 0, 200),
    "another message": b"SSH-2.0-x\r\n" + packet(b"\x01" + bytes(40)),
    "lists that lie": b"SSH-2.0-x\r\n" + packet(b"\x14" + bytes(16) + b"\xff\xff\xff\xff" + bytes(64)),
    "cut short": b"SSH-2.0-x\r\n" + packet(b"\x14" + bytes(80))[:20],
}


@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_offer_is_refused(said: bytes) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async def ask() -> None:
        async with server(talk, host=HERE) as port:
            with pytest.raises(NotSshError):
                await offered(HERE, port, 5)

    run(ask())


@settings(max_examples=80)
@given(st.binary(max_size=300))
def test_no_payload_does_anything_but_be_refused_or_read(payload: bytes) -> None:
    for octets in (payload, b"\x14" + bytes(16) + payload):
        try:
            read_offer(octets)
        except NotSshError:
            continue


def test_ssh_version_one_is_told() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-1.5-OldBox_1.2\r\n")
        await writer.drain()

    async def ask() -> Offer:
        async with server(talk, host=HERE) as port:
            return await offered(HERE, port, 5)

    assert run(ask()) == Offer("1.5", "OldBox_1.2")


# --- Telnet, HTTP, TLS


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nServer: RouterOS \x1b[2Jproxy\r\n\r\n<html>")
    await writer.drain()


async def _leads_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/\r\n\r\n")
    await writer.drain()


async def _telnet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\xff\xfd\x18\xff\xfb\x01\r\nUser \x1b[31mAccess Verification\r\n\r\nUsername: ")
    await writer.drain()
    await asyncio.sleep(30)


async def _drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


def test_open_doors_are_told_with_what_they_say(tmp_path: Path) -> None:
    async def ask() -> Doors:
        tls = issued(tmp_path).context(ssl.TLSVersion.TLSv1_2)
        async with (
            server(_telnet, host=HERE) as telnet,
            server(_page, host=HERE) as page,
            server(_leads_on, host=HERE) as moved,
            server(_page, tls, host=HERE) as secure,
        ):
            return await looked(HERE, Ports(NOBODY, telnet, (page, moved), (secure,)), 2, 10)

    found = run(ask())
    assert found.states == {"ssh": CLOSED, "telnet": OPEN, "http": OPEN, "https": OPEN}
    assert found.told["telnet"] == "User [31mAccess Verification Username:"
    assert {(p.status, p.leads_on, p.server) for p in found.pages} == {
        (200, False, "RouterOS [2Jproxy"),
        (301, True, ""),
    }


def test_a_page_that_only_leads_to_https_is_no_open_door() -> None:
    async def ask() -> Doors:
        async with server(_leads_on, host=HERE) as moved:
            return await looked(HERE, Ports(NOBODY, NOBODY, (moved,), (NOBODY,)), 2, 10)

    assert run(ask()).states["http"] == CLOSED


def test_a_host_that_drips_for_ever_is_looked_at_only_so_long() -> None:
    async def ask() -> Doors:
        async with server(_drip, host=HERE) as port:
            return await looked(HERE, Ports(port, port, (port,), (port,)), 0.5, 1.5)

    found = run(ask())
    assert found.states["telnet"] == OPEN
    assert len(found.told["telnet"]) <= 120


def test_of_a_host_that_says_nothing_nobody_knows_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence(*_: Any, **__: Any) -> Any:
        raise TimeoutError

    monkeypatch.setattr(asyncio, "open_connection", silence)
    found = run(looked("127.84.1.9", Ports(), 0.1, 1))
    assert found.silent
    assert set(found.states.values()) == {UNKNOWN}


@settings(max_examples=80)
@given(st.binary(max_size=400))
def test_no_answer_breaks_the_readers(said: bytes) -> None:
    assert spoken(said).isprintable()
    page = page_of(b"HTTP/1.1 200 " + said, 80)
    assert page is None or isinstance(page, Page)


# --- SNMP


def test_who_answers_a_guess_is_found_and_who_does_not_is_not() -> None:
    answers = {
        "127.84.1.2": Script(switch()).answer,
        "127.84.1.3": Script(switch(), community=b"mauk").answer,
        "127.84.1.4": Script(switch(), community=b"Xy7-unguessable").answer,
    }
    with fleet(answers) as own:
        words = {"127.84.1.2": (), "127.84.1.3": derived(["rtr-mauk"]), "127.84.1.4": derived(["rtr-mauk"])}
        found = run(guessed(words, own.port, Pace(0, 0.1, 0)))
    assert set(found["127.84.1.2"].open_to) == {(SnmpVersion.v2c, "public"), (SnmpVersion.v1, "public")}
    assert found["127.84.1.3"].versions == {SnmpVersion.v1, SnmpVersion.v2c}
    assert found["127.84.1.4"].open_to == []


def test_guesses_are_few_and_from_names() -> None:
    assert derived(["RTR-Mauk_01", "Kecamatan Mauk", "1234"]) == ("rtrmauk01", "rtr", "mauk", "kecamatanmauk")
    assert len(communities()) < 30
    assert communities(["tangerang"])[-1] == "tangerang"
    assert logins("routeros") == (("admin", ""),)
    assert logins("of-nobody") == (("admin", "admin"),)


# --- logins of the delivery


def gate(port: int, folder: Path) -> Gate:
    return Gate("127.0.0.1", port, HostKeys(folder / "known_hosts"))


async def _no_wait(_: float) -> None:
    return None


def attempt(
    folder: Path, few: list[tuple[str, str]], known: HostKey | None = None
) -> tuple[Tried, list[str]]:
    async def ask() -> tuple[Tried, list[str]]:
        seen: list[str] = []
        async with ssh_server(shell, seen) as port:
            own = gate(port, folder)
            if known:
                own.known_hosts.trust("127.0.0.1", port, known)
            return await tried(own, few, timeout_s=10, pause_s=5, wait=_no_wait), seen

    found: tuple[Tried, list[str]] = run(ask())
    return found


def test_a_login_of_the_delivery_that_works_is_found(tmp_path: Path) -> None:
    found, _ = attempt(tmp_path, [("admin", "admin"), (USER, PASSWORD), ("never", "asked")])
    assert found == Tried(2, USER)


def test_logins_that_are_refused_prove_that_they_are_gone(tmp_path: Path) -> None:
    found, seen = attempt(tmp_path, [("admin", ""), ("admin", "admin")])
    assert found == Tried(2)
    assert "admin" in seen


def test_where_the_host_key_has_changed_no_password_is_sent(tmp_path: Path) -> None:
    other = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    found, seen = attempt(tmp_path, [(USER, PASSWORD)], other)
    assert found == Tried(0, "", "Its host key has changed: nothing was tried.")
    assert seen == []


def test_where_nothing_listens_nothing_is_known(tmp_path: Path) -> None:
    found = run(tried(gate(NOBODY, tmp_path), [("admin", "")], timeout_s=2, pause_s=0))
    assert found.tries == 0
    assert found.why


@pytest.mark.parametrize(
    ("newest", "taken"), [(ssl.TLSVersion.TLSv1_1, "TLSv1.1"), (ssl.TLSVersion.TLSv1_3, None)]
)
def test_older_versions_of_tls_are_found_where_they_are_taken(
    tmp_path: Path, newest: ssl.TLSVersion, taken: str | None
) -> None:
    async def ask() -> tuple[bool, str | None]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            own = issued(tmp_path).context(newest)
            own.minimum_version = ssl.TLSVersion.TLSv1_1 if taken else ssl.TLSVersion.TLSv1_2
        own.set_ciphers("ALL:@SECLEVEL=0")
        async with server(_page, own, host=HERE) as port:
            return await older(f"https://nowhere.invalid:{port}/login", HERE, 5)

    assert run(ask()) == (True, taken)


def test_where_nobody_takes_the_connection_older_versions_are_not_known() -> None:
    assert run(older(f"https://{HERE}:{NOBODY}", HERE, 1)) == (False, None)
