"""`siaga discover` as a user types it: what he reads, what is kept, what is refused, and what an interrupt leaves."""

import fcntl
import json
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from agent import INTEGER, OCTETS, Oid, Script, Tagged
from fleet import Answer, Fleet, fleet
from sqlalchemy import Engine
from sqlmodel import Session
from test_lldp import lldp, port
from test_propose import box

from inventory import store
from monitor.discover_keep import Kept, keep
from siaga.errors import TemporaryError
from tests.cli_runner import Said, Siaga, runner, stored
from tests.homes import fresh

IP_ADDRESS = 0x40
KEYS = {
    "proposal", "what", "address", "also_at", "vendor", "platform", "model", "version", "serial", "base_mac",
    "engine_id", "name", "device", "score", "credential", "ports", "rtt_ms", "prefix", "found_by", "note", "reasons",
}  # fmt: skip


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Siaga:
    for name, value in (("TIMEOUT_S", "0.3"), ("RETRIES", "0")):
        monkeypatch.setenv(f"SIAGA_POLL__{name}", value)
        monkeypatch.setenv(f"SIAGA_DISCOVER__{name}", value)
    run = runner(capsys)
    fresh(scrubbed)
    return run


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Answer]], Fleet]]:
    """Serve agents until the test ends."""
    with ExitStack() as stack:
        yield lambda answers: stack.enter_context(fleet(answers))


def discover(siaga: Siaga, own: Fleet, *words: str) -> Said:
    return siaga("discover", *words, "--snmp-port", own.port, "--ports", "none")


def credential(siaga: Siaga, monkeypatch: pytest.MonkeyPatch, name: str, community: str) -> None:
    monkeypatch.setenv("COMMUNITY", community)
    siaga("credential", "add", name, "kind=snmp-v2c", "--secret", "community=env:COMMUNITY").well()


def test_a_sweep_says_what_is_there_and_asks_about_what_is_new(
    siaga: Siaga, serve: Callable[..., Fleet]
) -> None:
    own = serve({f"127.83.20.{n}": Script(box(n)).answer for n in (1, 2)})
    said = discover(siaga, own, "127.83.20.0/29", "127.83.21.8").well()
    head, one, two = said.out.splitlines()
    assert head.split()[:4] == ["proposal", "what", "address", "vendor"]
    assert one.split()[:6] == ["p1", "new", "127.83.20.1", "MikroTik", "routeros", "CRS317-1G-16S+"]
    assert two.split()[0] == "p2"
    numbers = {line.split()[0]: line.split()[1:] for line in said.err.splitlines()}
    assert numbers["127.83.20.0/29"] == ["6", "6", "2", "0", "2", "0", "0"]
    assert numbers["127.83.21.8"] == ["1", "1", "0", "0", "0", "0", "0"]
    assert "siaga proposal list status=open" in said.err
    assert "siaga proposal accept p1 role=switch" in said.err
    assert "siaga credential add public" in said.err  # else the accepted devices could not be polled
    other = serve({"127.83.21.9": Script(box(9)).answer})
    assert "siaga proposal accept p3 role=switch" in discover(siaga, other, "127.83.21.9").well().err
    again = discover(siaga, own, "127.83.20.0/29").well()
    assert again.out == ""
    assert "Nothing is new." in again.err
    assert len(json.loads(siaga("proposal", "list", "-o", "json").well().out)) == 3
    run = json.loads(siaga("runs", "-o", "json").well().out)[-1]
    assert (run["kind"], run["status"]) == ("discover", "ok")
    assert {k: run["summary"][k] for k in ("asked", "alive", "snmp", "new")} == {
        "asked": 7, "alive": 7, "snmp": 2, "new": 2,
    }  # fmt: skip
    siaga("history", "verify").well()


def test_proposals_are_listed_in_the_order_of_their_numbers(
    siaga: Siaga, serve: Callable[..., Fleet]
) -> None:
    own = serve({f"127.83.20.{n}": Script(box(n)).answer for n in range(1, 12)})
    discover(siaga, own, "127.83.20.0/28").well()
    assert siaga("proposal", "list", "-o", "name").well().out.split() == [f"p{n}" for n in range(1, 12)]
    said = siaga("proposal", "list", "--limit", "10", "-o", "json").well()
    assert [r["name"] for r in json.loads(said.out)] == [f"p{n}" for n in range(1, 11)]
    assert "1 more rows are not shown." in said.err


def test_json_is_every_host_with_the_same_keys(siaga: Siaga, serve: Callable[..., Fleet]) -> None:
    own = serve({"127.83.20.1": Script(box(1)).answer})
    rows = json.loads(discover(siaga, own, "127.83.20.1-127.83.20.2", "-o", "json").well().out)
    assert [r["what"] for r in rows] == ["new", "alive"]
    assert all(set(r) == KEYS for r in rows)
    assert rows[0]["rtt_ms"] > 0
    assert (rows[0]["serial"], rows[0]["prefix"]) == ("HE9080WQ001", "127.83.20.1-127.83.20.2")
    some = discover(siaga, own, "127.83.20.1", "-o", "json", "--fields", "name,what").well().out
    assert json.loads(some) == [{"name": "sw-1", "what": "waiting"}]


def test_a_dry_run_writes_nothing_but_its_run(
    siaga: Siaga, serve: Callable[..., Fleet], scrubbed: Path
) -> None:
    own = serve({"127.83.20.1": Script(box(1)).answer})
    before = stored(scrubbed)
    said = discover(siaga, own, "127.83.20.0/29", "--dry-run").well()
    assert "sw-1" in said.out
    assert "p1" not in said.out
    assert "Dry run: nothing was written." in said.err
    assert stored(scrubbed) == before


def test_a_found_box_is_accepted_with_the_credential_that_opened_it_and_is_known_then(
    siaga: Siaga, serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch, scrubbed: Path
) -> None:
    for name, community in (("lama", "komunitas-lama"), ("noc", "komunitas-noc")):
        credential(siaga, monkeypatch, name, community)
    own = serve({"127.83.20.1": Script(box(1), community=b"komunitas-noc").answer})
    said = discover(
        siaga, own, "127.83.20.1", "--credential", "lama", "--credential", "noc", "-o", "json"
    ).well()
    assert json.loads(said.out)[0]["credential"] == "noc"
    assert "public" not in said.err
    siaga("proposal", "accept", "p1", "role=switch").well()
    (device,) = json.loads(siaga("device", "list", "-o", "json", "--fields", "name,credential").well().out)
    assert device == {"name": "sw-1", "credential": "noc"}
    again = discover(siaga, own, "127.83.20.1", "--credential", "noc", "-o", "json").well()
    assert json.loads(again.out)[0]["what"] == "known"
    kept = repr(stored(scrubbed)) + said.out + said.err + again.out + again.err
    assert "komunitas" not in kept
    assert b"komunitas" not in (scrubbed / "siaga.db").read_bytes()


def test_more_credentials_than_are_tried_at_one_address_are_no_secret(
    siaga: Siaga, serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIAGA_DISCOVER__ATTEMPTS", "1")
    for name in ("satu", "dua"):
        credential(siaga, monkeypatch, name, f"komunitas-{name}")
    own = serve({"127.83.20.1": Script(box(1), community=b"komunitas-dua").answer})
    said = discover(siaga, own, "127.83.20.1", "--credential", "satu", "--credential", "dua").well()
    assert "At most 1 of the 2 credentials are tried at one address" in said.err
    assert "At most" not in discover(siaga, own, "127.83.20.1", "--credential", "satu").well().err


def test_open_tcp_ports_are_told(siaga: Siaga, serve: Callable[..., Fleet]) -> None:
    own = serve({"127.83.20.1": Script(box(1)).answer})
    with socket.socket() as listening:
        listening.bind(("127.83.20.1", 0))
        listening.listen()
        number = listening.getsockname()[1]
        words = ("127.83.20.1", "--snmp-port", own.port, "--ports", f"{number},1", "-o", "json")
        (row,) = json.loads(siaga("discover", *words).well().out)
    assert row["ports"] == [number]


def test_recorded_prefixes_are_swept(siaga: Siaga, serve: Callable[..., Fleet]) -> None:
    own = serve({"127.83.20.1": Script(box(1)).answer, "127.83.22.1": Script(box(2)).answer})
    siaga("vrf", "add", "rsud").well()
    for prefix in (
        ["127.83.20.0/29"],
        ["127.83.22.0/29"],
        ["127.83.0.0/16", "status=container"],
        ["127.83.24.0/29 rsud"],
    ):
        siaga("prefix", "add", *prefix).well()
    rows = json.loads(discover(siaga, own, "--recorded", "-o", "json", "--dry-run").well().out)
    assert {r["prefix"] for r in rows} == {"127.83.20.0/29", "127.83.22.0/29"}
    rows = json.loads(discover(siaga, own, "--recorded", "name~^127.83.22", "-o", "json").well().out)
    assert {r["prefix"] for r in rows} == {"127.83.22.0/29"}
    discover(siaga, own, "--recorded", "name~^10.").failed(3, "no-such-prefix")


def test_cron_learns_of_what_is_new_by_the_exit_code(siaga: Siaga, serve: Callable[..., Fleet]) -> None:
    own = serve({"127.83.20.1": Script(box(1)).answer})
    said = discover(siaga, own, "127.83.20.1", "--fail", "--quiet")
    assert (said.code, said.err) == (6, "")
    assert discover(siaga, own, "127.83.20.1", "--fail", "--quiet").code == 0


def test_addresses_that_cannot_be_asked_are_counted_once_however_many_credentials_there_are(
    siaga: Siaga, serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("satu", "dua", "tiga"):
        credential(siaga, monkeypatch, name, f"komunitas-{name}")
    words = ("--no-ping", "--credential", "satu", "--credential", "dua", "--credential", "tiga")
    own = serve({"127.83.20.1": Script(box(1), community=b"komunitas-dua").answer})
    # The kernel sends nothing to a broadcast address for who did not ask for that.
    said = discover(siaga, own, "127.83.20.1", "127.255.255.255", *words)
    assert said.code == 7
    assert "1 address could not be asked: Permission denied." in said.err
    assert discover(siaga, own, "127.255.255.255", *words).code == 1


# --- neighbours, links and nodes ----------------------------------------------------------------------------------


def wired(number: int, far: str) -> dict[Oid, Tagged]:
    """Return a box whose first port hears the first port of another one."""
    rows = box(number) | port(1, "ether1") | lldp((0, 1, 1), far, b"ether1", chassis=bytes(6))
    local = (1, 0, 8802, 1, 1, 2, 1, 3, 7, 1)
    return rows | {(*local, 3, 1): (OCTETS, b"ether1"), (1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2, 1): (INTEGER, 1)}


def test_neighbours_confirm_links_of_known_devices(
    siaga: Siaga, serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    credential(siaga, monkeypatch, "noc", "public")
    own = serve(
        {"127.83.23.1": Script(wired(1, "sw-2")).answer, "127.83.23.2": Script(wired(2, "sw-1")).answer}
    )
    words = ("127.83.23.1-127.83.23.2", "--credential", "noc", "--neighbours")
    discover(siaga, own, *words).well()
    siaga("proposal", "accept", "status=open", "role=switch", "--yes").well()
    for name in ("sw-1", "sw-2"):
        siaga("interface", "add", f"{name}:ether1", f"device={name}").well()
    siaga("link", "add", "sw-1--sw-2", "a_interface=sw-1:ether1", "z_interface=sw-2:ether1").well()
    said = discover(siaga, own, *words).well()
    assert "1 confirmed, 0 conflicting" in said.err
    (link,) = json.loads(siaga("link", "list", "-o", "json", "--fields", "name,state").well().out)
    assert link["state"] == "confirmed"


@pytest.mark.parametrize("how", [("--hops", "1"), ("--within", "127.83.24.0/29"), ("--neighbours",)])
def test_who_says_how_far_neighbours_are_followed_wants_them_followed(
    siaga: Siaga, serve: Callable[..., Fleet], how: tuple[str, ...]
) -> None:
    peer = {(1, 3, 6, 1, 2, 1, 15, 3, 1, 7, 127, 83, 24, 2): (IP_ADDRESS, bytes((127, 83, 24, 2)))}
    own = serve({"127.83.24.1": Script(box(1) | peer).answer, "127.83.24.2": Script(box(2)).answer})
    more = () if "--within" in how else ("--within", "127.83.24.0/29")
    rows = json.loads(discover(siaga, own, "127.83.24.1", *how, *more, "-o", "json").well().out)
    assert [(r["address"], r["found_by"]) for r in rows] == [
        ("127.83.24.1", ""),
        ("127.83.24.2", "bgp of 127.83.24.1"),
    ]


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], (2, "no-prefix")),
        (["10.1.0.5/24"], (2, "bad-prefix")),
        (["224.0.0.0/24"], (2, "bad-prefix")),
        (["10.0.0.0/8"], (2, "too-many")),
        (["10.1.0.0/24", "--credential", "nobody"], (3, "no-such-credential")),
        (["10.1.0.0/24", "--credential", "masuk"], (2, "not-snmp")),
        (["10.1.0.0/24", "--ports", "22,http"], (2, "bad-ports")),
        (["10.1.0.0/24", "--ports", "0"], (2, "bad-ports")),
        (["10.1.0.0/24", "--within", "x"], (2, "bad-prefix")),
        (["--recorded", "colour=red"], (2, "bad-selector")),
    ],
)
def test_a_slip_is_one_clear_sentence_and_nothing_is_sent(
    siaga: Siaga, monkeypatch: pytest.MonkeyPatch, words: list[str], code: tuple[int, str]
) -> None:
    monkeypatch.setenv("PASSWORD", "sandi-panjang")
    siaga(
        "credential", "add", "masuk", "kind=ssh-password", "username=noc", "--secret", "password=env:PASSWORD"
    ).well()
    monkeypatch.setattr("monitor.discover.Sweep.run", lambda _: pytest.fail("something was asked"))
    siaga("discover", *words).failed(*code)


def test_settings_stand_above_the_command_line(
    siaga: Siaga, serve: Callable[..., Fleet], scrubbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = serve({f"127.83.20.{n}": Script(box(n)).answer for n in (1, 2, 3)})
    toml = scrubbed.parent / "siaga.toml"
    toml.write_text('[discover]\ndeny = ["127.83.20.2"]\nallow = ["127.83.20.0/30"]\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(toml))
    rows = json.loads(discover(siaga, own, "127.83.20.0/29", "-o", "json").well().out)
    assert {r["address"] for r in rows} == {"127.83.20.1", "127.83.20.3"}
    assert not own.asked["127.83.20.2"]
    discover(siaga, own, "127.83.20.2").failed(2, "nothing-to-ask")
    toml.write_text('[discover]\ndeny = ["everything"]\n')
    discover(siaga, own, "127.83.20.1").failed(5, "bad-settings")


def test_two_sweeps_do_not_run_at_once(siaga: Siaga, scrubbed: Path) -> None:
    with (scrubbed / "discover.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        siaga("discover", "127.83.20.1").failed(75, "sweep-running")


def test_who_may_only_look_may_not_sweep(
    siaga: Siaga, scrubbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = scrubbed.parent / "siaga.toml"
    toml.write_text('[[access]]\nuser = "somebody-else"\nrole = "admin"\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(toml))
    said = siaga("discover", "127.83.20.1")
    assert said.code == 4, said


# --- cut off ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_was_found_and_says_how_far_it_came(
    siaga: Siaga, serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """A real signal, when a slice is asked that begins only after the first one is whole."""
    monkeypatch.setattr("monitor.discover.SLICE", 4)
    monkeypatch.setattr("monitor.discover.SLICES_AT_ONCE", 1)
    interrupted = threading.Event()

    def interrupt(_: bytes) -> bytes | None:
        if not interrupted.is_set():
            interrupted.set()
            os.kill(os.getpid(), number)
        return None

    own = serve({"127.83.20.1": Script(box(1)).answer, "127.83.20.30": interrupt})
    said = discover(siaga, own, "127.83.20.0/26")
    assert said.code == 130
    assert "Interrupted: 32 of 62 addresses were asked" in said.err
    assert "What was found is kept." in said.err
    (proposal,) = json.loads(siaga("proposal", "list", "-o", "json").well().out)
    assert proposal["address"] == "127.83.20.1"
    run = json.loads(siaga("runs", "-o", "json").well().out)[0]
    assert (run["kind"], run["status"]) == ("discover", "interrupted")
    siaga("history", "verify").well()


def test_whoever_presses_ctrl_c_again_and_again_loses_nothing(
    siaga: Siaga, serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real signals: in the middle of the sweep, and when what was found is being kept."""

    def impatient(*given: object, **more: object) -> Kept:
        signal.raise_signal(signal.SIGINT)
        return keep(*given, **more)  # type: ignore[arg-type]

    def interrupt(_: bytes) -> bytes | None:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
        return None

    monkeypatch.setattr("monitor.discover.SLICE", 4)
    monkeypatch.setattr("monitor.discover.SLICES_AT_ONCE", 1)
    monkeypatch.setattr("monitor.discover_run.keep", impatient)
    own = serve({"127.83.20.1": Script(box(1)).answer, "127.83.20.30": interrupt})
    said = discover(siaga, own, "127.83.20.0/26")
    assert said.code == 130
    assert "What was found is kept." in said.err
    assert len(json.loads(siaga("proposal", "list", "-o", "json").well().out)) == 1


def test_a_sweep_outlasts_a_database_that_is_locked_when_it_ends(
    siaga: Siaga, serve: Callable[..., Fleet], scrubbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(scrubbed / "siaga.db", isolation_level=None, check_same_thread=False)
    script, busy = Script(box(1)), []

    def lock(data: bytes) -> bytes | None:
        if not other.in_transaction and not busy:
            other.execute("BEGIN IMMEDIATE")
        return script.answer(data)

    @contextmanager
    def writing(engine: Engine) -> Iterator[Session]:
        try:
            with store.session(engine) as session:
                yield session
        except TemporaryError as error:
            busy.append(error.code)
            if len(busy) == 2:
                other.execute("ROLLBACK")
            raise

    monkeypatch.setattr("inventory.store.BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr("monitor.discover_run.writing", writing)
    own = serve({"127.83.20.1": lock})
    assert "sw-1" in discover(siaga, own, "127.83.20.1").well().out
    assert busy == ["database-busy", "database-busy"]
    assert len(json.loads(siaga("proposal", "list", "-o", "json").well().out)) == 1
    other.close()


def test_an_interrupt_while_links_are_checked_says_what_was_found(
    siaga: Siaga, serve: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("monitor.discover_run.topology", interrupt)
    own = serve({"127.83.20.1": Script(box(1)).answer})
    said = discover(siaga, own, "127.83.20.1", "--neighbours")
    assert said.code == 130
    assert "sw-1" in said.out
    assert "Interrupted: 1 of 1 addresses were asked" in said.err
    assert json.loads(siaga("runs", "-o", "json").well().out)[0]["status"] == "interrupted"
