"""A device that misbehaves is a value with a sentence, by inspect and by poll, and its figures are not made up."""

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from demo import usm
from demo.mib import DeviceSpec, PortSpec, Tree, tree
from demo.respond import Agent
from demo.traffic import Gauge, flow
from monitor.samples import open_samples
from siaga.clock import utc_now
from tests.cli_runner import Said, Siaga, answering, closed_port, runner, stored
from tests.homes import fresh
from tests.monitor.agent import Script, switch

QUICK = ("--timeout", "0.2", "--retries", "0", "-o", "json")
Answer = Callable[[bytes], bytes | None]
GARBAGE = b"\x16\x03\x01 this is not SNMP \xff\xfe\x1b[2J"


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str]) -> Siaga:
    """What runs a command line."""
    return runner(capsys)


def stops(after: int) -> Answer:
    """An agent of 40 ports that falls silent after so many answers."""
    return Script(switch(40), manners=lambda s, reply: reply if s.asked <= after else None).answer


def turns(after: int) -> Answer:
    """An agent of 40 ports that sends garbage after so many answers."""
    return Script(switch(40), manners=lambda s, reply: reply if s.asked <= after else GARBAGE).answer


def _spec() -> DeviceSpec:
    still, lane = Gauge(30.0), flow("r1", 4e8, 1e6, 30_000)
    port = PortSpec(1, "ether1", "uplink", 6, 10**9, bytes((2, 0, 0, 0, 0, 1)), lane, lane)
    return DeviceSpec(
        "r1", "routeros", "M1", "7.1", "S1", "Mauk", (port,), 1e6, still, 2, 2**30, still, still, still
    )


def v3_agent() -> Answer:
    """An agent for SNMPv3 with SHA-256 and AES-128 only."""
    grown: Tree = tree(_spec())
    engine = usm.engine_id("r1")
    user = usm.User.of("noc", "canary-auth-right", "canary-priv-right", engine)
    agent, began = Agent(grown, b"", user, engine, 3, 1e6), time.monotonic()
    return lambda data: agent.answer(data, time.monotonic() - began)


def told(said: Said, exit_code: int, reach: str) -> dict[str, Any]:
    """Hold that inspect printed one JSON object and one line that says how far it came; return the object."""
    assert said.code == exit_code, said
    seen: dict[str, Any] = json.loads(said.out)
    assert seen["reach"] == reach
    assert seen["reason"].endswith((".", "…")) or reach == "up", seen["reason"]
    assert said.err == (f"{reach}: {seen['reason']}\n" if reach != "up" else "")
    assert said.err.rstrip("\n").isprintable()
    return seen


@pytest.mark.parametrize("known", [False, True], ids=["without an inventory", "with one"])
@pytest.mark.parametrize(
    ("agent", "exit_code", "reach", "words"),
    [
        (lambda: Script(switch(), community=b"another").answer, 1, "silent", "the community is wrong"),
        (lambda: lambda _: GARBAGE, 1, "garbage", "does not speak SNMP"),
        (lambda: lambda data: data, 1, "garbage", "SNMP"),
        (lambda: stops(4), 7, "partial", "stopped answering in the middle"),
        (lambda: turns(4), 7, "partial", "went wrong"),
    ],
    ids=["wrong community", "garbage", "an echo", "stops in the middle", "garbage in the middle"],
)
def test_inspect_says_how_far_it_came(
    agent: Callable[[], Answer],
    exit_code: int,
    reach: str,
    words: str,
    known: bool,
    siaga: Siaga,
    scrubbed: Path,
) -> None:
    if known:
        fresh(scrubbed)
    with answering(agent()) as port:
        seen = told(siaga("inspect", f"127.0.0.1:{port}", *QUICK), exit_code, reach)
    assert words in seen["reason"]
    if reach == "partial":
        assert seen["sysName"] == "sw-balaraja-01", "what came before is kept"
    else:
        assert (seen["ports"], seen["uptime_s"], seen["sysName"]) == ([], None, "")
    assert scrubbed.exists() is known, "nothing is stored"


def test_a_closed_port_is_told_at_once(siaga: Siaga) -> None:
    began = time.monotonic()
    seen = told(siaga("inspect", f"127.0.0.1:{closed_port()}", "--timeout", "10", "-o", "json"), 1, "silent")
    assert time.monotonic() - began < 8
    assert seen["ports"] == []


@pytest.fixture
def passwords(tmp_path: Path) -> dict[str, Path]:
    """Files with the right passwords of the SNMPv3 agent, and a wrong one."""
    texts = {"auth": "canary-auth-right", "priv": "canary-priv-right", "wrong": "canary-wrong"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text + "\n")
    return {name: tmp_path / name for name in texts}


@pytest.mark.parametrize(
    ("user", "auth", "priv", "words"),
    [
        ("noc", "wrong", "priv", "authentication password"),
        ("noc", "auth", "wrong", "privacy password"),
        ("orang-lain", "auth", "priv", "does not know this SNMPv3 user"),
        ("noc", "auth", "priv", ""),
    ],
)
def test_a_wrong_v3_password_is_refused_by_name(
    user: str, auth: str, priv: str, words: str, passwords: dict[str, Path], siaga: Siaga
) -> None:
    keys = (
        "--auth",
        "SHA-256",
        "--auth-file",
        passwords[auth],
        "--priv",
        "AES",
        "--priv-file",
        passwords[priv],
    )
    with answering(v3_agent()) as port:
        said = siaga("inspect", f"127.0.0.1:{port}", "--snmp", "3", "--user", user, *keys, *QUICK)
    seen = told(said, 4 if words else 0, "refused" if words else "up")
    assert words in seen["reason"]
    assert bool(seen["ports"]) is not bool(words)
    assert "canary" not in said.out + said.err


def test_ssh_to_what_is_not_there_or_does_not_speak_it(siaga: Siaga, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("canary-pw")
    ask = ("--ssh", "--user", "noc", "--password-file", tmp_path / "pw", "--timeout", "2", "-o", "json")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        gone = listening.getsockname()[1]
    told(siaga("inspect", f"127.0.0.1:{gone}", *ask), 1, "silent")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        babbler = threading.Thread(target=_babble, args=(listening,))
        babbler.start()
        seen = told(siaga("inspect", f"127.0.0.1:{listening.getsockname()[1]}", *ask), 1, "garbage")
        babbler.join(5)
    assert "SSH" in seen["reason"]


def _babble(listening: socket.socket) -> None:
    listening.settimeout(5)
    caller, _ = listening.accept()
    with caller:
        caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 500)


# -- poll ----------------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(siaga: Siaga, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """An inventory of devices with every bad manner, one good one among them; name → port."""
    for name, value in {"COMMUNITY": "public", "AUTH": "canary-wrong", "PRIV": "canary-priv-right"}.items():
        monkeypatch.setenv(f"T_{name}", value)
    monkeypatch.setenv("SIAGA_POLL__TIMEOUT_S", "0.2")
    monkeypatch.setenv("SIAGA_POLL__RETRIES", "0")
    siaga("init").well()
    siaga("credential", "add", "noc", "kind=snmp-v2c", "--secret", "community=env:T_COMMUNITY").well()
    v3 = ("kind=snmp-v3", "username=noc", "auth_protocol=SHA-256", "priv_protocol=AES")
    siaga("credential", "add", "v3", *v3, "--secret", "auth=env:T_AUTH", "--secret", "priv=env:T_PRIV").well()
    answers: dict[str, Answer] = {
        "good": Script(switch(4)).answer,
        "other-community": Script(switch(), community=b"another").answer,
        "garbage": lambda _: GARBAGE,
        "stops": stops(4),
        "other-password": v3_agent(),
    }
    with ExitStack() as stack:
        ports = {name: stack.enter_context(answering(answer)) for name, answer in answers.items()}
        ports["closed"] = closed_port()
        for name, port in ports.items():
            credential = "v3" if name == "other-password" else "noc"
            where = ("role=switch", "address=127.0.0.1", f"snmp_port={port}", f"credential={credential}")
            siaga("device", "add", name, *where).well()
        siaga("device", "add", "no-credential", "role=switch", "address=127.0.0.1", "snmp_port=9").well()
        yield ports


def states(siaga: Siaga) -> dict[str, str]:
    rows = json.loads(siaga("status", "-o", "json").well().out)
    assert all(r["reason"] for r in rows if r["state"] in ("down", "degraded")), rows
    return {r["name"]: r["state"] for r in rows}


def sampled(home: Path) -> dict[str, set[str]]:
    """Return device → the metrics it has samples of."""
    with closing(sqlite3.connect(home / "siaga.db")) as plain:
        names = dict(plain.execute("SELECT id, name FROM device"))
    found: dict[str, set[str]] = {}
    with open_samples(home) as samples:
        for device, (poll, _) in samples.last(utc_now(), max_age_s=3600).items():
            found[names[device]] = {metric for metric, _ in poll.layout.columns}
    return found


def test_a_round_with_every_bad_manner_is_kept_as_it_was_seen(
    crowd: dict[str, int], siaga: Siaga, scrubbed: Path
) -> None:
    first = siaga("poll", "-o", "json").well()
    seen = json.loads(first.out)
    counts = {k: seen[k] for k in ("asked", "up", "partial", "silent", "refused", "garbage")}
    assert counts == {"asked": 7, "up": 1, "partial": 1, "silent": 2, "refused": 2, "garbage": 1}
    assert "canary" not in first.out + first.err
    once = {
        "garbage": "degraded",
        "stops": "degraded",
        "other-password": "degraded",
        "no-credential": "degraded",
    }
    assert states(siaga) == {
        "good": "up",
        **once,
        "other-community": "not observed",
        "closed": "not observed",
    }

    siaga("poll").well()
    assert states(siaga) == {"good": "up", **once, "other-community": "down", "closed": "down"}

    kept = sampled(scrubbed)
    assert sorted(kept) == ["good", "stops"], "who said nothing has no figures, not even zeros"
    assert {"uptime", "in_octets_64", "out_octets_64"} <= kept["good"]
    ports = json.loads(siaga("interface", "list", "device=stops", "-o", "json").well().out)
    assert 0 < len(ports) < 40
    stored(scrubbed)
    assert {r["status"] for r in json.loads(siaga("runs", "-o", "json").well().out)} == {"ok"}


def test_a_device_that_turns_bad_loses_nothing_it_said_before(
    siaga: Siaga, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T_COMMUNITY", "public")
    monkeypatch.setenv("SIAGA_POLL__TIMEOUT_S", "0.2")
    monkeypatch.setenv("SIAGA_POLL__RETRIES", "0")
    moods: dict[str, Answer] = {
        "well": Script(switch(4)).answer, "garbage": lambda _: GARBAGE, "silent": lambda _: None,
    }  # fmt: skip
    now = "well"
    siaga("init").well()
    siaga("credential", "add", "noc", "kind=snmp-v2c", "--secret", "community=env:T_COMMUNITY").well()
    with answering(lambda data: moods[now](data)) as port:
        siaga("device", "add", "sw", "address=127.0.0.1", f"snmp_port={port}", "credential=noc").well()
        siaga("poll").well()
        shown = json.loads(siaga("device", "show", "sw", "-o", "json").well().out)["observed"]
        ports = siaga("interface", "list", "-o", "json").well().out
        assert len(json.loads(ports)) == 4
        for bad in ("garbage", "silent"):
            now = bad
            siaga("poll").well()
            assert json.loads(siaga("device", "show", "sw", "-o", "json").well().out)["observed"] == shown
            assert siaga("interface", "list", "-o", "json").well().out == ports
