"""From the wire to the inventory by the command line: a box is found, accepted, moves, and stays one row."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from agent import OCTETS, Script
from test_propose import BRIDGE, ENGINE, SERIAL, box

sys.path.insert(0, str(Path(__file__).parent.parent))
from cli_runner import Siaga, answering, runner

from tests.homes import fresh


@pytest.fixture
def siaga(scrubbed: Path, capsys: pytest.CaptureFixture[str]) -> Siaga:
    run = runner(capsys)
    fresh(scrubbed)
    return run


@pytest.fixture
def serve() -> Iterator[Callable[[Script], int]]:
    """Serve agents until the test ends, each on a port of its own."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(answering(lambda data: script.answer(data)))


def proposals(siaga: Siaga, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(siaga("proposal", "list", *words, "-o", "json").well().out)
    return found


def test_a_box_that_was_found_is_accepted_and_stays_one_row_when_it_moves_and_changes(
    siaga: Siaga, serve: Callable[[Script], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.proposals.FRESH", timedelta(0))  # else it has two addresses for an hour
    first = f"127.0.0.1:{serve(Script(box(7)))}"
    assert "new" in siaga("propose", first).well().out
    siaga("propose", first).well()
    (proposal,) = proposals(siaga, "status=open")  # asked twice, it is one question
    shown = siaga("proposal", "accept", proposal["name"], "role=switch", "--dry-run").well()
    assert "+ device sw-7" in shown.out
    assert json.loads(siaga("device", "list", "-o", "json").well().out) == []
    siaga("proposal", "accept", proposal["name"], "role=switch", "--why", "Mauk").well()

    # Another address, another name, another line card: serial, engine ID and the MACs of other ports still tell.
    changed = box(7, "mauk-baru") | {
        (1, 3, 6, 1, 2, 1, 2, 2, 1, 6, 3): (OCTETS, bytes.fromhex("488f5a990001"))
    }
    second = f"127.0.0.1:{serve(Script(changed))}"
    assert "sw-7" in siaga("propose", second).well().out
    (moved,) = proposals(siaga, "status=open")
    assert moved["device"] == "sw-7"
    siaga("proposal", "accept", moved["name"]).well()
    (row,) = json.loads(siaga("device", "list", "-o", "json", "--fields", "name,snmp_port,serial").well().out)
    assert row == {"name": "sw-7", "snmp_port": int(second.rpartition(":")[2]), "serial": "HE9080WQ007"}

    # What it says differs from what is written: told, held by cron, and taken over when the box is right.
    siaga("device", "set", "sw-7", "serial=HE9080SALAH").well()
    siaga("propose", second).well()
    differing = siaga("disagreements", "-o", "json").well().out
    assert {d["field"]: d["observed"] for d in json.loads(differing)} == {
        "serial": "HE9080WQ007",
        "name": "mauk-baru",
    }
    assert siaga("disagreements", "sw-7", "--fail").code == 6
    assert "but seen as HE9080WQ007" in siaga("device", "show", "sw-7").well().out
    siaga("adopt", "sw-7", "serial", "name", "--yes", "--why", "a slip of the pen").well()
    assert "Nothing differs" in siaga("disagreements", "--fail").well().err
    entry = json.loads(siaga("device", "history", "mauk-baru", "-o", "json").well().out)[-1]
    assert entry["why"] == "a slip of the pen"
    siaga("history", "verify").well()


def test_boxes_that_share_a_default_name_or_a_cloned_mac_are_not_merged(
    siaga: Siaga, serve: Callable[[Script], int]
) -> None:
    """MikroTik ships every box as 'MikroTik'; virtual machines are cloned with their addresses."""
    ports = []
    for number in (1, 2):
        rows = box(number, "MikroTik") | {
            SERIAL: (OCTETS, b""),
            BRIDGE: (OCTETS, bytes.fromhex("020000000001")),
        }
        rows[ENGINE] = (
            OCTETS,
            bytes.fromhex("80001f8804") + b"clone",
        )  # made of text: the same in every image
        ports.append(serve(Script(rows)))
    siaga("propose", *(f"127.0.0.1:{p}" for p in ports)).well()
    found = proposals(siaga, "status=open")
    assert len(found) == 2, found
    for number, proposal in enumerate(found):
        siaga("proposal", "accept", proposal["name"], f"name=rtr-{number}", "--new").well()
    assert len(json.loads(siaga("device", "list", "-o", "json").well().out)) == 2


def test_what_is_none_of_ours_is_asked_once(siaga: Siaga, serve: Callable[[Script], int]) -> None:
    where = f"127.0.0.1:{serve(Script(box(3)))}"
    siaga("propose", where).well()
    siaga("proposal", "reject", "p1", "--why", "a neighbour's").well()
    siaga("propose", where).well()
    assert proposals(siaga, "status=open") == []


def test_a_box_is_said_to_be_a_device_that_is_there(siaga: Siaga, serve: Callable[[Script], int]) -> None:
    siaga("device", "add", "rtr-kec-mauk", "role=router").well()
    siaga("propose", f"127.0.0.1:{serve(Script(box(4)))}").well()
    siaga("proposal", "merge", "p1", "rtr-kec-mauk", "--take", "address,serial").well()
    (row,) = json.loads(siaga("device", "list", "-o", "json", "--fields", "name,address,serial").well().out)
    assert row == {"name": "rtr-kec-mauk", "address": "127.0.0.1", "serial": "HE9080WQ004"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["proposal", "accept", "p9"], (3, "nothing-selected")),
        (["proposal", "merge", "p9", "rtr-1"], (3, "not-found")),
        (["proposal", "merge", "p1", "nobody"], (3, "not-found")),
        (["proposal", "merge", "p1", "rtr-1", "--take", "colour"], (2, "unknown-field")),
        (["proposal", "merge", "p1", "rtr-1", "--take", "device_type"], (5, "bad-values")),
        (["proposal", "accept", "p1", "role=swich"], (5, "bad-values")),
        (["proposal", "accept", "colour=red"], (2, "bad-selector")),
        (["adopt", "rtr-1", "colour"], (2, "unknown-field")),
        (["adopt", "nobody-*", "serial"], (3, "nothing-selected")),
    ],
)
def test_a_slip_is_one_clear_sentence(
    siaga: Siaga, serve: Callable[[Script], int], arguments: list[str], code: tuple[int, str]
) -> None:
    siaga("device", "add", "rtr-1").well()
    siaga("propose", f"127.0.0.1:{serve(Script(box(4)))}").well()
    said = siaga(*arguments)
    assert said.code == code[0], said
    assert code[1] in said.err, said
    assert proposals(siaga, "status=open")


def test_what_was_accepted_keeps_what_was_seen_of_it(siaga: Siaga, serve: Callable[[Script], int]) -> None:
    siaga("propose", f"127.0.0.1:{serve(Script(box(7)))}").well()
    seen_at = proposals(siaga)[0]["last_seen"]
    siaga("proposal", "accept", "p1", "role=switch").well()
    row = json.loads(siaga("device", "show", "sw-7", "-o", "json").well().out)
    serial = row["observed"]["serial"]
    assert (serial["value"], serial["source"], serial["at"]) == ("HE9080WQ007", "snmp", seen_at)
    assert serial["cause"] == "proposal p1"
    assert row["observed"]["sysname"]["value"] == "sw-7"


def test_a_name_that_is_taken_says_what_to_do(siaga: Siaga, serve: Callable[[Script], int]) -> None:
    for number in (1, 2, 3):
        siaga("propose", f"127.0.0.1:{serve(Script(box(number, 'private')))}").well()
    problems = siaga("proposal", "accept", "status=open", "--new", "--yes").failed(5, "bad-values")
    assert problems == [
        f"p{n}: it is called 'private' as p1 is: accept them one by one, each with name=…" for n in (2, 3)
    ]
    siaga("proposal", "accept", "p1").well()
    (problem,) = siaga("proposal", "accept", "p2", "--new").failed(5, "bad-values")
    assert problem == (
        "p2: there is already a device called 'private': 'siaga proposal merge p2 private' if it is that one,"
        " else accept p2 with name=…"
    )
    siaga("proposal", "accept", "p2", "name=private-2", "--new").well()


def test_a_list_of_proposals_says_what_was_found(siaga: Siaga, serve: Callable[[Script], int]) -> None:
    where = f"127.0.0.1:{serve(Script(box(7)))}"
    siaga("propose", where).well()
    head, line = siaga("proposal", "list", "status=open").well().out.splitlines()
    assert head.split() == [
        "name",
        "status",
        "device",
        "score",
        "address",
        "sysname",
        "model",
        "serial",
        "reason",
    ]
    assert [w for w in ("p1", "127.0.0.1", "sw-7", "MikroTik", "HE9080WQ007") if w not in line] == []
    parts = siaga("proposal", "list", "--fields", "name,serial,platform", "-o", "json").well().out
    assert json.loads(parts) == [{"name": "p1", "serial": "HE9080WQ007", "platform": "routeros"}]
    siaga("proposal", "list", "--fields", "nope").failed(2, "no-such-field")
    assert proposals(siaga)[0]["facts"]["sysname"] == "sw-7"  # type: ignore[index]


def test_a_round_says_that_boxes_answer_in_anothers_place(
    siaga: Siaga, serve: Callable[[Script], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMUNITY", "public")
    siaga("credential", "add", "noc", "kind=snmp-v2c", "--secret", "community=env:COMMUNITY").well()
    script = Script(box(1))
    place = ("address=127.0.0.1", f"snmp_port={serve(script)}", "credential=noc")
    siaga("device", "add", "sw-1", *place).well()
    assert "in another's place" not in siaga("poll").well().err
    script.rows = box(9, "sw-1")
    assert "1 box answers in another's place: see 'siaga proposal show p1'." in siaga("poll", "-q").well().err
    assert json.loads(siaga("poll", "-o", "json").well().out)["proposals"] == ["p1"]


def test_one_device_adopted_is_one_row_and_needs_one_yes(
    siaga: Siaga, serve: Callable[[Script], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    siaga("propose", f"127.0.0.1:{serve(Script(box(7)))}").well()
    siaga("proposal", "accept", "p1").well()
    siaga("device", "set", "sw-7", "serial=HE9080SALAH", "platform=ios").well()
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    said = siaga("adopt", "sw-7", "serial", "platform")
    said.failed(2, "needs-yes")
    assert "Adopting what was observed in 1 row needs --yes when nobody can be asked." in said.err
    siaga("adopt", "sw-7", "serial", "platform", "--yes", "--why", "the box is right").well()
    assert siaga("disagreements").well().out == ""
    assert json.loads(siaga("disagreements", "-o", "json").well().out) == []
    # Who meant what, field by field; in a table only where it is asked for.
    row = json.loads(siaga("device", "show", "sw-7", "-o", "json").well().out)
    by = row["provenance"]
    assert {f: (by[f]["source"], by[f]["cause"], by[f]["why"]) for f in ("address", "serial")} == {
        "address": ("proposal", "proposal p1", ""),
        "serial": ("person", "", "the box is right"),
    }
    assert by["serial"]["who"]
    assert by["serial"]["at"] >= by["address"]["at"]
    wide = siaga("device", "show", "sw-7", "-o", "wide").well().out
    (line,) = [line for line in wide.splitlines() if line.startswith("serial ")]
    assert line.endswith(", the box is right)")
    assert "the box is right" not in siaga("device", "show", "sw-7").well().out
    siaga("device", "show", "sw-7", "--at", "set:2").well()


def test_another_port_alone_is_said(
    siaga: Siaga, serve: Callable[[Script], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.proposals.FRESH", timedelta(0))
    siaga("propose", f"127.0.0.1:{serve(Script(box(7)))}").well()
    siaga("proposal", "accept", "p1").well()
    port = serve(Script(box(7)))
    assert (
        f"answers at 127.0.0.1 port {port}" in siaga("propose", f"127.0.0.1:{port}", "-o", "json").well().out
    )


def test_where_nobody_answers_there_is_no_empty_line(siaga: Siaga) -> None:
    said = siaga("propose", "127.0.0.1:9", "--timeout", "0.05", "--retries", "0")
    assert (said.code, said.out) == (1, "")


def test_a_mac_that_was_seen_is_written_with_colons(
    siaga: Siaga, serve: Callable[[Script], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMUNITY", "public")
    siaga("credential", "add", "noc", "kind=snmp-v2c", "--secret", "community=env:COMMUNITY").well()
    place = ("address=127.0.0.1", f"snmp_port={serve(Script(box(1)))}", "credential=noc")
    siaga("device", "add", "sw-1", *place).well()
    siaga("poll").well()
    assert "48:8f:5a:01:00:01" in siaga("interface", "list").well().out
