"""Neighbour tables: what their rows mean, read from agents of all manners, and what is remembered of them."""

import asyncio
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Engine

from inventory.credentials import store_secret
from inventory.history import Author
from inventory.ipam_nodes import Remembered, Spotted
from inventory.store import open_engine, reading, rows, session
from inventory.writing import Writer
from monitor import address_tables, arp
from monitor.address_tables import OWN, OWN_V4
from monitor.arp import MEDIA, PHYSICAL, spotted
from monitor.arp_commands import ipam_scan
from monitor.observation import Reach
from monitor.snmp import Engines
from monitor.snmp_ports import DESCR, MAC, NAME
from monitor.tables import SYS_UPTIME, Oid, Tables
from monitor.targets import SnmpAuth, SnmpVersion, Target
from siaga.errors import NotFoundError
from siaga.outcome import Format
from siaga.secrets import open_vault
from siaga.settings import load
from tests.cli_runner import answering, closed_port
from tests.homes import prepare
from tests.monitor.agent import INTEGER, OCTETS, TICKS, Script, Tagged, served

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DYNAMIC, INVALID, LOCAL = 3, 2, 5
REACHABLE, INCOMPLETE = 1, 7
Rows = dict[Oid, Tagged]


def octets(text: str) -> Oid:
    return tuple(ipaddress.ip_address(text).packed)


def mac(number: int) -> bytes:
    return bytes((0x48, 0x8F, 0x5A, 0, 0, number))


def shown(number: int) -> str:
    return mac(number).hex(":")


def media(port: int, text: str, at: bytes, kind: int = DYNAMIC) -> Rows:
    """A row of ipNetToMediaTable."""
    index = (port, *octets(text))
    return {(*MEDIA, 2, *index): (OCTETS, at), (*MEDIA, 4, *index): (INTEGER, kind)}


def physical(port: int, text: str, at: bytes, kind: int = DYNAMIC, state: int = REACHABLE) -> Rows:
    """A row of ipNetToPhysicalTable."""
    plain = octets(text)
    index = (port, 1 if len(plain) == 4 else 2, len(plain), *plain)
    parts = {4: (OCTETS, at), 6: (INTEGER, kind), 7: (INTEGER, state)}
    return {(*PHYSICAL, part, *index): value for part, value in parts.items()}


def port(number: int, name: str) -> Rows:
    return {(*NAME, number): (OCTETS, name.encode()), (*MAC, number): (OCTETS, mac(200 + number))}


ALIVE: Rows = {SYS_UPTIME: (TICKS, 4711)}
OLD = ALIVE | port(1, "ether1") | port(2, "vlan20") | {(*OWN_V4, *octets("10.1.1.1")): (INTEGER, 1)}
OLD |= media(1, "10.1.1.5", mac(5)) | media(2, "10.1.2.7", mac(7)) | media(1, "10.1.1.1", mac(201), 4)
NEW = ALIVE | port(1, "ether1") | port(3, "ge-0/0/0")
NEW |= physical(1, "10.1.1.5", mac(5)) | physical(3, "2001:db8::5", mac(6)) | physical(3, "fe80::5", mac(6))
NEW |= {(*OWN, 1, 4, *octets("10.1.1.1")): (INTEGER, 1), (*OWN, 2, 16, *octets("2001:db8::1")): (INTEGER, 3)}


def said(answer: Callable[[bytes], bytes | None], version: SnmpVersion = SnmpVersion.v2c) -> arp.Neighbours:
    """Ask an agent over UDP."""

    async def run() -> arp.Neighbours:
        async with served(answer) as number:
            auth = SnmpAuth(version, community=SecretStr("public"))
            target = Target("r1", "127.0.0.1", number, snmp=auth, device_id=4, timeout_s=0.2, retries=0)
            return await arp.neighbours(target, Engines(), NOW)

    return asyncio.run(run())


def pairs(answer: arp.Neighbours) -> set[tuple[str, str, str]]:
    return {(s.address, s.mac, s.port) for s in answer.seen}


@pytest.mark.parametrize("version", [SnmpVersion.v1, SnmpVersion.v2c])
def test_an_old_router_is_read_by_its_arp_table(version: SnmpVersion) -> None:
    answer = said(Script(OLD).answer, version)
    assert (answer.reach, answer.reason) == (Reach.up, "")
    assert pairs(answer) == {
        ("10.1.1.5", shown(5), "ether1"),
        ("10.1.2.7", shown(7), "vlan20"),
        ("10.1.1.1", shown(201), "ether1"),
    }
    assert {s.device_id for s in answer.seen} == {4}


def test_a_new_router_is_read_for_both_families_and_its_own_addresses() -> None:
    assert pairs(said(Script(NEW).answer)) == {
        ("10.1.1.5", shown(5), "ether1"),
        ("2001:db8::5", shown(6), "ge-0/0/0"),
        ("10.1.1.1", shown(201), "ether1"),
        ("2001:db8::1", shown(203), "ge-0/0/0"),
    }


def test_a_router_with_the_new_table_for_ipv6_only_is_asked_for_the_old_one_too() -> None:
    mixed = ALIVE | physical(3, "2001:db8::5", mac(6)) | media(1, "10.1.1.5", mac(5))
    assert pairs(said(Script(mixed).answer)) == {("2001:db8::5", shown(6), "3"), ("10.1.1.5", shown(5), "1")}


def test_the_old_table_is_not_walked_where_the_new_one_says_it_all() -> None:
    both, new = Script(NEW | media(1, "10.9.9.9", mac(9))), Script(NEW)
    assert pairs(said(both.answer)) == pairs(said(new.answer))
    assert both.asked == new.asked


def test_a_device_without_neighbours_is_no_failure() -> None:
    answer = said(Script(ALIVE).answer)
    assert (answer.reach, answer.seen) == (Reach.up, ())


def test_rows_that_nobody_answered_for_are_left_out() -> None:
    gone = (
        ALIVE
        | physical(1, "10.1.1.1", mac(1), INVALID)
        | physical(1, "10.1.1.2", mac(2), DYNAMIC, INCOMPLETE)
    )
    gone |= (
        physical(1, "10.1.1.3", b"")
        | physical(1, "10.1.1.4", bytes(6))
        | physical(1, "10.1.1.5", b"\xff" * 6)
    )
    gone |= (
        physical(1, "224.0.0.5", mac(3))
        | physical(1, "169.254.1.1", mac(3))
        | physical(1, "10.1.1.9", mac(9), LOCAL)
    )
    gone |= media(1, "10.2.1.1", mac(1), INVALID)
    assert [s.address for s in said(Script(gone).answer).seen] == ["10.1.1.9"]


def test_a_port_without_a_name_is_called_by_its_description_or_number() -> None:
    seen = (
        ALIVE
        | media(1, "10.1.1.5", mac(5))
        | media(2, "10.1.1.6", mac(6))
        | {(*DESCR, 1): (OCTETS, b"eth\x1b[31m0")}
    )
    assert {s.port for s in said(Script(seen).answer).seen} == {"eth[31m0", "2"}


def test_a_large_table_comes_whole_through_an_agent_that_takes_little_at_once() -> None:
    every: Rows = dict(ALIVE)
    for number in range(1, 400):
        every |= media(1, f"10.1.{number // 250}.{number % 250 + 1}", mac(number % 250))
    assert len(said(Script(every, most=9, strict=True).answer).seen) == 399


def test_silence_refusal_and_half_an_answer_are_values() -> None:
    assert said(lambda _data: None).reach is Reach.silent
    assert said(lambda _data: b"no SNMP").reach is Reach.garbage
    half = Script(OLD, manners=lambda s, reply: reply if s.asked <= 3 else None)
    answer = said(half.answer)
    assert answer.reach is Reach.partial
    assert answer.reason


def test_a_device_without_a_credential_is_refused() -> None:
    target = Target("r1", "127.0.0.1", closed_port())
    answer = asyncio.run(arp.neighbours(target, Engines(), NOW))
    assert (answer.reach, answer.seen) == (Reach.refused, ())


@pytest.mark.parametrize(
    ("index", "address"),
    [
        ((1, 4, 10, 1, 1, 5), "10.1.1.5"),
        ((1, 10, 1, 1, 5), ""),
        ((1, 8, 10, 1, 1, 5, 0, 0, 0, 2), ""),
        ((3, 8, 10, 1, 1, 5, 0, 0, 0, 2), "10.1.1.5"),
        ((2, 16, *octets("2001:db8::5")), "2001:db8::5"),
        ((4, 20, *octets("2001:db8::5"), 0, 0, 0, 1), "2001:db8::5"),
        ((1, 4, 10, 1, 1), ""),
        ((1, 4, 10, 1, 1, 256), ""),
        ((16, 3, 1, 2, 3), ""),
        ((1,), ""),
        ((), ""),
    ],
)
def test_addresses_are_read_out_of_indexes(index: Oid, address: str) -> None:
    assert address_tables.inet(index) == address


VALUES = st.one_of(st.integers(-(2**63), 2**64 - 1), st.binary(max_size=20), st.tuples(st.integers(0, 9)))
COLUMNS = st.sampled_from(
    [(*MEDIA, 2), (*MEDIA, 4), (*PHYSICAL, 4), (*PHYSICAL, 6), (*PHYSICAL, 7), OWN, OWN_V4, NAME, MAC]
)
INDEXES = st.lists(st.integers(0, 300), max_size=20).map(tuple)


@given(st.dictionaries(st.builds(lambda c, i: (*c, *i), COLUMNS, INDEXES), VALUES, max_size=30))
def test_whatever_tables_hold_they_are_read(seen: dict[Oid, Any]) -> None:
    for one in spotted(Tables(seen), None):
        assert ipaddress.ip_address(one.address)
        assert len(one.mac) in (0, 17)


# --- through the inventory ----------------------------------------------------------------------------


@pytest.fixture
def engine(scrubbed: Path) -> Iterator[Engine]:
    settings = load()
    prepare(settings)
    opened = open_engine(settings)
    yield opened
    opened.dispose()


def devices(engine: Engine, **ports: int) -> None:
    """Record devices at ports of loopback, with one community for all."""
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW, "test"))
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        for name, number in ports.items():
            values = {
                "name": name,
                "address": "127.0.0.1",
                "snmp_port": number,
                "credential": "noc",
                "role": "router",
            }
            writer.put("device", values)
        writer.put("address", {"name": "10.1.1.5"})
        writer.finish()
        store_secret(
            opened, open_vault(load().home), writer.ids("credential")["noc"], "community", SecretStr("public")
        )


def nodes(engine: Engine) -> set[tuple[Any, ...]]:
    with reading(engine) as opened:
        return {(n["address"], n["mac"], n["device"], n["port"]) for n in rows(opened, "node")}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIAGA_POLL__TIMEOUT_S", "0.2")
    monkeypatch.setenv("SIAGA_POLL__RETRIES", "0")


@pytest.mark.usefixtures("quick")
def test_a_scan_remembers_what_answered_and_tells_what_did_not(engine: Engine) -> None:
    with ExitStack() as held:
        old = held.enter_context(answering(Script(OLD).answer))
        new = held.enter_context(answering(Script(NEW).answer))
        devices(engine, old=old, new=new, gone=closed_port())
        outcome = ipam_scan()
    assert outcome.exit_code == 7
    assert [(r["device"], r["reach"]) for r in outcome.rows or ()] == [("gone", "silent")]
    assert outcome.messages == [
        "Asked 3 devices, 2 answered in full.",
        "Saw 5 addresses: 5 new, 0 known; 1 is recorded.",
    ]
    assert {(a, m) for a, m, _, _ in nodes(engine)} == {
        ("10.1.1.1", shown(201)), ("10.1.1.5", shown(5)), ("10.1.2.7", shown(7)),
        ("2001:db8::1", shown(203)), ("2001:db8::5", shown(6)),
    }  # fmt: skip
    with reading(engine) as opened:
        (row,) = rows(opened, "address")
        assert row["seen_mac"] == shown(5)
        assert row["seen_at"] is not None


@pytest.mark.usefixtures("quick")
def test_a_scan_of_some_devices_asks_only_those(engine: Engine) -> None:
    with answering(Script(OLD).answer) as old:
        devices(engine, old=old, gone=closed_port())
        outcome = ipam_scan(["name=old"], output=Format.json)
        assert ipam_scan(["name=old"], quiet=True).messages == []
    assert (outcome.exit_code, [r["addresses"] for r in outcome.rows or ()]) == (0, [3])
    assert ("10.1.2.7", shown(7), "old", "vlan20") in nodes(engine)
    with pytest.raises(NotFoundError):
        ipam_scan(["name=nobody"])


@pytest.mark.usefixtures("quick")
def test_when_nobody_answers_it_has_failed(engine: Engine) -> None:
    devices(engine, gone=closed_port())
    assert ipam_scan().exit_code == 1
    assert nodes(engine) == set()


def test_without_devices_there_is_nothing_to_ask(engine: Engine) -> None:
    outcome = ipam_scan()
    assert (outcome.exit_code, outcome.rows) == (0, [])


def test_progress_is_told_for_each_device(engine: Engine) -> None:
    told: list[str] = []
    with answering(Script(OLD).answer) as old:
        devices(engine, old=old)
        result = arp.scan(engine, load(), [1], now=lambda: NOW, progress=lambda a: told.append(a.device))
    assert told == ["old"]
    assert result.kept == Remembered(3, 0, 1)
    assert Spotted("10.1.1.5", shown(5), 1, "ether1") in result.answers[0].seen
