"""Events: what changes is told to others once, in order, even when they were away; and writes never wait for it."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runner import Siaga, runner, stored
from tests.homes import fresh


@dataclass
class Receiver:
    """What a receiver was told, and how it answers."""

    port: int = 0
    status: int = 204
    got: list[tuple[dict[str, Any], dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def sets(self) -> list[Any]:
        return [body["change_set"] for body, _, _ in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A real HTTP server that keeps what it is told."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            octets = self.rfile.read(int(self.headers["Content-Length"]))
            if told.status < 300:
                told.got.append((json.loads(octets), dict(self.headers.items()), octets))
            self.send_response(told.status)
            self.send_header("Location", told.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as told:
        yield told


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    run = runner(capsys)
    fresh(scrubbed)
    return run


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write the settings file that declares the events."""

    def write(text: str) -> None:
        path = tmp_path / "events.toml"
        path.write_text(text)
        monkeypatch.setenv("SIAGA_CONFIG", str(path))

    return write


def test_what_changes_is_told_once_with_who_before_and_after(
    siaga: Siaga, declare: Any, receiver: Receiver
) -> None:
    declare(f'[[events]]\nname = "noc"\nnouns = ["device"]\nurl = "{receiver.url}"\n')
    siaga("device", "add", "rtr-0", "role=router").well()
    siaga("event", "send").well()
    assert receiver.got == []  # an event begins when it is first sent, not at the beginning of time
    siaga("device", "add", "rtr-1", "role=router", "--why", "new kecamatan").well()
    siaga("place", "add", "Mauk", "kind=kecamatan").well()
    siaga("device", "set", "rtr-1", "notes=rack 2", "--yes").well()
    said = siaga("event", "send").well()
    assert "Sent 2 messages." in said.err
    first, second = (body for body, _, _ in receiver.got)
    assert (first["why"], [c["action"] for c in first["changes"]]) == ("new kecamatan", ["add"])
    (change,) = second["changes"]
    assert (change["row_name"], change["before"], change["after"]) == (
        "rtr-1",
        {"notes": ""},
        {"notes": "rack 2"},
    )
    siaga("event", "send").well()
    assert len(receiver.got) == 2


def test_a_receiver_that_was_away_gets_all_in_order_and_writes_never_wait(
    siaga: Siaga, declare: Any, receiver: Receiver
) -> None:
    declare(f'[[events]]\nname = "noc"\nurl = "{receiver.url}"\n')
    siaga("event", "send").well()
    receiver.status = 503
    for number in range(3):
        siaga("device", "add", f"rtr-{number}").well()
    (problem,) = siaga("event", "send").failed(7, "events-not-sent")
    assert "HTTP 503" in problem
    siaga("event", "send").well()  # rests after the failure and says nothing
    (row,) = json.loads(siaga("event", "list", "-o", "json").well().out)
    assert (row["behind"], row["failures"]) == (3, 1)
    receiver.status = 200
    siaga("event", "send", "--now").well()
    assert receiver.sets() == [1, 2, 3]
    (row,) = json.loads(siaga("event", "list", "-o", "json").well().out)
    assert (row["behind"], row["failures"], row["error"]) == (0, 0, "")


def test_a_message_is_signed_and_the_key_is_shown_nowhere(
    siaga: Siaga, declare: Any, receiver: Receiver, tmp_path: Path
) -> None:
    key = tmp_path / "hook.key"
    key.write_text("rahasia-besar\n")
    declare(f'[[events]]\nname = "noc"\nurl = "{receiver.url}"\nsecret_file = "{key}"\n')
    said = siaga("event", "test", "noc").well()
    body, headers, octets = receiver.got[0]
    assert body["test"] is True
    expected = hmac.new(b"rahasia-besar", octets, hashlib.sha256).hexdigest()
    assert headers["X-Siaga-Signature"] == f"sha256={expected}"
    shown = said.err + siaga("event", "list", "-o", "json").well().out + str(headers)
    assert "rahasia-besar" not in shown
    key.write_text("")
    siaga("event", "test", "noc").failed(4, "no-event-key")


def test_a_redirect_is_not_followed(siaga: Siaga, declare: Any, receiver: Receiver) -> None:
    with receiving() as other:
        other.status = 307  # its Location is its own; the first one must not be sent on at all
        declare(f'[[events]]\nname = "noc"\nurl = "{other.url}"\n')
        siaga("event", "test", "noc").failed(75, "event-not-sent")
    assert receiver.got == []


def test_only_what_the_rule_asks_for_is_told(siaga: Siaga, declare: Any, receiver: Receiver) -> None:
    declare(
        f'[[events]]\nname = "core"\nnouns = ["device"]\nactions = ["set", "rm"]\nfields = ["status"]\n'
        f'when = "role=core-router"\nurl = "{receiver.url}"\n'
    )
    siaga("event", "send").well()
    siaga("device", "add", "core-1", "role=core-router").well()
    siaga("device", "add", "sw-1", "role=switch").well()
    for arguments in (("core-1", "notes=x"), ("sw-1", "status=planned"), ("core-1", "status=planned")):
        siaga("device", "set", *arguments, "--yes").well()
    siaga("device", "rm", "sw-1", "--yes").well()
    siaga("event", "send").well()
    told = [(c["row_name"], c["action"]) for body, _, _ in receiver.got for c in body["changes"]]
    assert told == [("core-1", "set"), ("sw-1", "rm")]  # of a removed row nobody can say whether it was one


def test_a_program_gets_the_message_on_its_input_and_its_failure_is_told(
    siaga: Siaga, declare: Any, tmp_path: Path
) -> None:
    kept, program = tmp_path / "kept.json", tmp_path / "take"
    program.write_text(f"#!/bin/sh\ncat > '{kept}'\n")
    program.chmod(0o755)
    declare(f'[[events]]\nname = "ticket"\nrun = ["{program}"]\n')
    siaga("event", "send").well()
    siaga("device", "add", "rtr-1", "notes=$(id)").well()
    siaga("event", "send").well()
    assert json.loads(kept.read_text())["changes"][0]["after"]["notes"] == "$(id)"
    program.write_text("#!/bin/sh\nprintf 'no \\033[31mroom\\n' >&2\nexit 3\n")
    siaga("device", "add", "rtr-2").well()
    (problem,) = siaga("event", "send").failed(7, "events-not-sent")
    assert "ended with 3" in problem
    assert "\033" not in problem


def test_a_dry_run_prints_what_would_be_told_and_sends_nothing(
    siaga: Siaga, declare: Any, receiver: Receiver, scrubbed: Path
) -> None:
    declare(f'[[events]]\nname = "noc"\nurl = "{receiver.url}"\n')
    siaga("event", "send").well()
    siaga("device", "add", "rtr-1").well()
    before = stored(scrubbed)
    out = siaga("event", "send", "--dry-run").well().out
    assert json.loads(out)["changes"][0]["row_name"] == "rtr-1"
    assert receiver.got == []
    assert stored(scrubbed) == before


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ('url = "ftp://127.0.0.1/"', "bad-settings"),
        ('url = "http://user:pw@127.0.0.1/"', "bad-settings"),
        ('run = ["relative"]', "bad-settings"),
        ('url = "http://127.0.0.1:9/"\nrun = ["/bin/true"]', "bad-settings"),
        ('url = "http://127.0.0.1:9/"\nwhen = "role=router"', "bad-settings"),
    ],
)
def test_a_wrong_declaration_is_one_clear_sentence(siaga: Siaga, declare: Any, lines: str, code: str) -> None:
    declare(f'[[events]]\nname = "noc"\n{lines}\n')
    siaga("event", "list").failed(5, code)


@pytest.mark.parametrize("lines", ['nouns = ["devcie"]', 'nouns = ["device"]\nwhen = "colour=red"'])
def test_what_does_not_exist_is_told_when_it_is_sent(
    siaga: Siaga, declare: Any, receiver: Receiver, lines: str
) -> None:
    declare(f'[[events]]\nname = "noc"\nurl = "{receiver.url}"\n{lines}\n')
    siaga("device", "add", "rtr-1").well()
    (problem,) = siaga("event", "send").failed(7, "events-not-sent")
    assert problem.startswith("The event 'noc' cannot be read")
    siaga("event", "send", "nobody").failed(3, "no-event")


def test_the_history_can_be_copied_out_and_the_copy_verifies_by_itself(siaga: Siaga) -> None:
    from datetime import datetime

    from inventory.history import GENESIS, digest

    for number in range(3):
        siaga("device", "add", f"rtr-{number}").well()
    lines = [json.loads(x) for x in siaga("history", "export").well().out.splitlines()]
    previous = GENESIS
    for entry in lines:
        assert entry["previous_hash"] == previous
        at = datetime.fromisoformat(entry["at"])
        assert digest({**entry, "at": at}) == entry["hash"], entry
        previous = entry["hash"]
    later = siaga("history", "export", "--after", lines[1]["id"]).well().out.splitlines()
    assert [json.loads(x)["id"] for x in later] == [lines[2]["id"]]
