"""Neighbours as agents of several makes tell them, and what the command makes of them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Engine

from inventory.credentials import store_secret
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.wires import Heard
from inventory.writing import Writer
from monitor.neighbour_tables import CDP, IF_DESCR, IF_NAME, LOCAL, MIKROTIK, REMOTE, heard, neighbours
from monitor.tables import SYS_UPTIME, Oid, Tables
from siaga.secrets import open_vault
from siaga.settings import load
from tests.cli_runner import Siaga, answering, closed_port, runner
from tests.homes import prepare
from tests.monitor.agent import INTEGER, OCTETS, TICKS, Script, Tagged

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
Rows = dict[Oid, Tagged]
MAC = bytes.fromhex("488f5a000101")


def lldp(index: Oid, name: str, port: bytes, *, kind: int = 5, chassis: bytes = MAC, text: str = "") -> Rows:
    parts: dict[int, Tagged] = {
        4: (INTEGER, 4), 5: (OCTETS, chassis), 6: (INTEGER, kind), 7: (OCTETS, port),
        8: (OCTETS, text.encode()), 9: (OCTETS, name.encode()),
    }  # fmt: skip
    return {(*REMOTE, part, *index): value for part, value in parts.items()}


def port(number: int, name: str) -> Rows:
    return {(*IF_NAME, number): (OCTETS, name.encode()), (*IF_DESCR, number): (OCTETS, name.encode())}


ALIVE: Rows = {SYS_UPTIME: (TICKS, 4711)}
# A switch numbers its LLDP ports otherwise than its interfaces, and names them.
SWITCH = (
    ALIVE
    | port(101, "Gi1/0/1")
    | {(*LOCAL, 3, 1): (OCTETS, b"Gi1/0/1")}
    | lldp((0, 1, 1), "rtr-mauk", b"ether1")
)
CISCO = ALIVE | port(7, "Gi0/7") | {
    (*CDP, 6, 7, 1): (OCTETS, b"rtr-mauk.example(FOC1)"), (*CDP, 7, 7, 1): (OCTETS, b"ether1")
}  # fmt: skip
# RouterOS: an LLDP table without the local port, and its own table that says the interface.
ROUTEROS = ALIVE | port(3, "ether3") | lldp((8,), "sw-cc", b"Gi1/0/1", chassis=b"48:8F:5A:00:02:01") | {
    (*MIKROTIK, 2, 1): (OCTETS, bytes((10, 3, 1, 9))), (*MIKROTIK, 3, 1): (OCTETS, bytes.fromhex("488f5a000201")),
    (*MIKROTIK, 6, 1): (OCTETS, b"sw-cc"), (*MIKROTIK, 8, 1): (INTEGER, 3),
}  # fmt: skip


def read(rows: Rows) -> list[Heard]:
    return list(heard(Tables({k: v[1] for k, v in rows.items()}), 1))


def test_lldp_is_read_with_the_switchs_own_names_of_its_ports() -> None:
    assert read(SWITCH) == [Heard(1, ("Gi1/0/1",), "rtr-mauk", "48:8f:5a:00:01:01", port=("ether1",))]


def test_a_port_may_be_told_by_its_mac() -> None:
    (found,) = read(ALIVE | port(4, "A4") | lldp((0, 4, 1), "", MAC, kind=3))
    assert (found.local, found.port) == (("A4",), ("48:8f:5a:00:01:01",))


def test_cdp_is_read_without_the_serial_in_the_name() -> None:
    assert read(CISCO) == [Heard(1, ("Gi0/7",), "rtr-mauk.example", port=("ether1",))]


def test_routeros_is_read_by_its_own_table() -> None:
    assert read(ROUTEROS) == [Heard(1, ("ether3",), "sw-cc", "48:8f:5a:00:02:01", "10.3.1.9")]


@pytest.mark.parametrize("index", [(1,), (0, 0, 1)])
def test_routeros_numbers_a_neighbour_alike_in_both_of_its_tables(index: tuple[int, ...]) -> None:
    rows = {k: v for k, v in ROUTEROS.items() if k[: len(REMOTE)] != REMOTE}
    told = lldp(index, "sw-cc", b"Gi1/0/1", chassis=b"00:00:00:00:00:00")
    assert read(rows | told) == [
        Heard(1, ("ether3",), "sw-cc", "48:8f:5a:00:02:01", "10.3.1.9", port=("Gi1/0/1",))
    ]


def test_somebody_of_whom_nothing_is_known_is_nobody() -> None:
    rows = ROUTEROS | lldp((1,), "", b"", chassis=b"00:00:00:00:00:00") | {(*MIKROTIK, 6, 1): (OCTETS, b"")}
    nobody = rows | {(*MIKROTIK, 2, 1): (OCTETS, b""), (*MIKROTIK, 3, 1): (OCTETS, bytes(6))}
    assert [n.remote_mac for n in neighbours(Tables({k: v[1] for k, v in rows.items()}))] == [
        "48:8f:5a:00:02:01"
    ]
    assert neighbours(Tables({k: v[1] for k, v in nobody.items()})) == ()


VALUES = st.one_of(st.integers(-(2**31), 2**63), st.binary(max_size=40), st.tuples(st.integers(0, 9)))
OIDS = st.builds(
    lambda base, part, index: (*base, part, *index),
    st.sampled_from([REMOTE, LOCAL, CDP, MIKROTIK, IF_NAME]),
    st.integers(2, 9),
    st.lists(st.integers(0, 2**32), max_size=4),
)


@given(st.dictionaries(OIDS, VALUES, max_size=20))
def test_whatever_an_agent_says_is_a_value(seen: dict[Oid, int | bytes | tuple[int, ...]]) -> None:
    for one in heard(Tables(seen), 1):
        assert all(len(text) <= 255 and "\x1b" not in text for text in (one.name, *one.local, *one.port))


# --- through the command -----------------------------------------------------------------------------------


@pytest.fixture
def engine(scrubbed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("SIAGA_POLL__TIMEOUT_S", "0.2")
    monkeypatch.setenv("SIAGA_POLL__RETRIES", "0")
    prepare(load())
    opened = open_engine(load())
    yield opened
    opened.dispose()


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    return runner(capsys)


def record(engine: Engine, **at: int) -> None:
    """Record three devices; the link core-mauk is right, mauk-cc is not."""
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW, "test"))
        writer.put("credential", {"name": "noc", "kind": "snmp-v2c"})
        for name, ports in {
            "sw-cc": ["Gi1/0/1", "Gi1/0/2"],
            "rtr-mauk": ["ether1", "ether3"],
            "rtr-x": ["ether1"],
        }.items():
            polled = {"address": "127.0.0.1", "snmp_port": at[name.replace("-", "_")], "credential": "noc"}
            writer.put("device", {"name": name, "role": "switch", **polled})
            for one in ports:
                writer.put("interface", {"device": name, "name": one})
        writer.put(
            "link", {"name": "benar", "a_interface": "sw-cc:Gi1/0/1", "z_interface": "rtr-mauk:ether1"}
        )
        writer.put("link", {"name": "salah", "a_interface": "rtr-mauk:ether3", "z_interface": "rtr-x:ether1"})
        writer.finish()
        store_secret(
            opened, open_vault(load().home), writer.ids("credential")["noc"], "community", SecretStr("public")
        )


def test_links_are_confirmed_or_in_conflict_and_the_history_says_so(engine: Engine, siaga: Siaga) -> None:
    with ExitStack() as held:
        switch = held.enter_context(answering(Script(SWITCH).answer))
        router = held.enter_context(answering(Script(ROUTEROS).answer))
        record(engine, sw_cc=switch, rtr_mauk=router, rtr_x=closed_port())
        rehearsed = siaga("link", "check", "--dry-run", "-o", "json")
        assert {r["state"] for r in json.loads(siaga("link", "list", "-o", "json").well().out)} == {
            "declared"
        }
        said = siaga("link", "check", "--fail", "-o", "json")
    assert (rehearsed.code, said.code) == (7, 6)
    found = {r["link"]: r for r in json.loads(said.out)}
    assert found["benar"]["state"] == "confirmed"
    assert found["benar"]["heard"] == "sw-cc:Gi1/0/1 hears rtr-mauk:ether1"
    assert found["salah"]["state"] == "conflicting"
    assert found["salah"]["heard"] == "rtr-mauk:ether3 hears sw-cc, not rtr-x"
    assert "rtr-x did not answer in full" in said.err
    assert ".." not in said.err  # a reason is a sentence of its own
    states = {r["name"]: r["state"] for r in json.loads(siaga("link", "list", "-o", "json").well().out)}
    assert states == {"benar": "confirmed", "salah": "conflicting"}
    (change,) = [
        c
        for c in json.loads(siaga("link", "history", "benar", "-o", "json").well().out)
        if c["action"] == "set"
    ]
    assert change["after"] == {"state": "confirmed"}
    siaga("history", "verify").well()


def test_silence_leaves_a_state_as_it_was(engine: Engine, siaga: Siaga) -> None:
    record(engine, sw_cc=closed_port(), rtr_mauk=closed_port(), rtr_x=closed_port())
    assert siaga("link", "check", "--quiet").code == 1
    states = {r["state"] for r in json.loads(siaga("link", "list", "-o", "json").well().out)}
    assert states == {"declared"}
