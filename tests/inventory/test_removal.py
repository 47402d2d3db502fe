"""Removing: parts go with their row, what refers to it keeps it and is named; many rows cost little."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from inventory.history import Author, breaks
from inventory.models import Observed
from inventory.models_ipam import Node
from inventory.past import as_of
from inventory.store import reading, rows, session
from inventory.undo import ChangedSinceError, entries, undo
from inventory.writing import BadRowError, Writer
from monitor.models import Alert, DeviceState, StateChange
from siaga.settings import Settings
from siaga.who import account, who
from tests.cli_runner import Siaga, runner
from tests.inventory.conftest import NOW


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], settings: Settings) -> Siaga:
    return runner(capsys)


def write(engine: Engine, *puts: tuple[str, dict[str, Any]], minute: int = 0) -> None:
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW + timedelta(minutes=minute)))
        for noun, values in puts:
            writer.put(noun, values)
        writer.finish()


def polled(engine: Engine, device_id: int) -> None:
    """Write what a poll keeps of a device."""
    with session(engine) as opened:
        opened.add(Observed(device_id=device_id, field="serial", source="snmp", value="SEEN", at=NOW))
        opened.add(DeviceState(device_id=device_id, state="up", since=NOW, at=NOW))
        opened.add(StateChange(device_id=device_id, at=NOW, before="not observed", after="up"))
        opened.add(
            Alert(device_id=device_id, rule="cpu", severity="warning", text="CPU is busy.", opened_at=NOW)
        )
        opened.add(Node(name="10.0.0.9/aa", device_id=device_id, first_seen=NOW, last_seen=NOW))


def counts(engine: Engine) -> list[int]:
    tables = ("device", "interface", "observed", "device_state", "state_change", "alert", "node")
    with reading(engine) as opened:
        return [opened.execute(text(f"SELECT count(*) FROM {t}")).scalar_one() for t in tables]


def test_a_device_goes_with_its_interfaces_and_what_was_seen_of_it(engine: Engine, siaga: Siaga) -> None:
    write(
        engine,
        ("device", {"name": "rtr-1", "serial": "A"}),
        ("interface", {"device": "rtr-1", "name": "e0"}),
        ("device", {"name": "rtr-2"}),
    )
    polled(engine, 1)
    engine.dispose()
    said = siaga("device", "rm", "rtr-1", "--yes").well()
    assert said.out.splitlines() == [
        "- interface rtr-1:e0",
        "- device rtr-1",
        "    with it: 1 alert, 1 device state, 1 observed, 1 state change",
    ]
    assert counts(engine) == [1, 0, 0, 0, 0, 0, 0]
    assert "CPU is busy." in siaga("device", "history", "rtr-1", "-o", "json").well().out
    siaga("history", "verify").well()
    back = siaga("history", "undo", "2", "--yes").well()
    assert "device 'rtr-1' is back without what was observed of it" in back.err
    assert counts(engine) == [2, 1, 0, 0, 0, 0, 0]
    with reading(engine) as opened:
        # The samples of the old one are kept under its number, and nobody else's.
        assert {r["name"]: r["id"] for r in rows(opened, "device")} == {"rtr-1": 3, "rtr-2": 2}


def test_who_may_remove_a_device_may_remove_its_parts(
    siaga: Siaga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    siaga("place", "add", "Mauk", "kind=site").well()
    for name in ("mine", "other"):
        siaga("device", "add", name, *(["place=Mauk"] if name == "mine" else [])).well()
        siaga("interface", "add", f"{name}:e0").well()
    config = tmp_path / "siaga.toml"
    config.write_text(f'[[access]]\nuser = "{account(who())}"\nrole = "operator"\nplace = "Mauk"\n')
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    siaga("device", "rm", "mine", "--yes").well()
    siaga("device", "rm", "other", "--yes").failed(4, "not-allowed")
    siaga("interface", "rm", "other:e0", "--yes").failed(4, "not-allowed")


def test_a_number_is_never_given_twice(engine: Engine) -> None:
    for _ in range(3):
        write(engine, ("device", {"name": "rtr-1"}))
        with reading(engine) as opened:
            (row,) = rows(opened, "device")
        with session(engine) as opened:
            writer = Writer(opened, Author("budi", NOW))
            writer.remove("device", row["id"])
            writer.finish()
    assert row["id"] == 3


def test_what_is_no_part_of_it_keeps_a_device_and_is_named(engine: Engine) -> None:
    write(
        engine,
        ("device", {"name": "rtr-1"}),
        ("interface", {"device": "rtr-1", "name": "e0"}),
        ("service", {"name": "mail", "device": "rtr-1"}),
        ("address", {"name": "10.0.0.1", "device": "rtr-1"}),
        ("link", {"name": "L1", "a_interface": "rtr-1:e0"}),
        ("person", {"name": "siti"}),
        (
            "contact",
            {"name": "c1", "person": "siti", "role": "technical", "target_noun": "device", "target": "rtr-1"},
        ),
    )
    with pytest.raises(BadRowError) as caught, session(engine) as opened:
        Writer(opened, Author("budi", NOW)).remove("device", 1)
    advice = "remove what refers to it or let it refer to another first"
    held = "address '10.0.0.1', service 'mail', contact 'c1'"
    assert [p for _, p in caught.value.problems] == [
        f"device 'rtr-1' is still referred to by {held}: {advice}, or set status=retired",
        f"interface 'rtr-1:e0' is still referred to by link 'L1': {advice}",
    ]


def test_a_decided_proposal_does_not_keep_a_device(engine: Engine) -> None:
    write(engine, ("device", {"name": "rtr-1"}))
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW))
        seen = {"facts": {}, "first_seen": NOW, "last_seen": NOW}
        writer.put("proposal", {"name": "p1", "device": "rtr-1", "status": "merged"}, derived=seen)
        writer.finish()
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW))
        writer.remove("device", 1)
        writer.finish()
    with reading(engine) as opened:
        assert [(r["name"], r["device"]) for r in rows(opened, "proposal")] == [("p1", None)]


def test_rows_that_refer_to_each_other_go_together_and_come_back(engine: Engine) -> None:
    write(
        engine,
        *(("place", {"name": f"p{i}", "kind": "site", "parent": f"p{i - 1}" if i else ""}) for i in range(9)),
    )
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW + timedelta(minutes=1)))
        writer.remove_all({"place": list(writer.names("place"))})
        writer.finish()
    with reading(as_of(engine, NOW + timedelta(seconds=1))) as opened:
        assert {r["name"]: r["parent"] for r in rows(opened, "place")}["p8"] == "p7"
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW + timedelta(minutes=2)))
        assert undo(writer, entries(opened, 2)) == []
        writer.finish()
    with reading(engine) as opened:
        assert {r["name"]: r["parent"] for r in rows(opened, "place")} == {
            f"p{i}": f"p{i - 1}" if i else None for i in range(9)
        }
        assert list(breaks(opened)) == []


def test_an_undo_names_what_was_changed_since_and_only_that(engine: Engine, siaga: Siaga) -> None:
    write(
        engine,
        ("place", {"name": "Mauk", "kind": "site"}),
        ("device", {"name": "rtr-1", "place": "Mauk"}),
        ("device", {"name": "rtr-2", "place": "Mauk"}),
    )
    write(engine, ("device", {"name": "rtr-2", "serial": "X", "place": ""}), minute=1)
    with pytest.raises(ChangedSinceError) as caught, session(engine) as opened:
        undo(Writer(opened, Author("siti", NOW)), entries(opened, 1))
    told = "device 'rtr-2': place was changed since (change set 2, budi)"
    assert caught.value.problems == (("place", told),)
    engine.dispose()
    hint = "take that back first, or leave it and take back the rest with --force"
    assert siaga("history", "undo", "1", "--yes").failed(5, "bad-values") == [told, hint]
    siaga("history", "undo", "1", "--yes", "--force").well()


def test_many_rows_are_removed_at_a_millisecond_each(engine: Engine) -> None:
    number = 1500
    devices = [("device", {"name": f"d{i}"}) for i in range(number)]
    ports = [("interface", {"device": f"d{i}", "name": "e0"}) for i in range(number)]
    write(engine, ("place", {"name": "Mauk", "kind": "site"}), *devices, *ports)
    began = time.process_time()
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW))
        undo(writer, entries(opened, 1))
        writer.finish()
    assert time.process_time() - began < 2 * number * 0.001
    with reading(engine) as opened:
        assert opened.execute(select(func.count()).select_from(Observed)).scalar() == 0
        assert list(breaks(opened)) == []


def test_a_renaming_that_others_followed_is_taken_back(engine: Engine) -> None:
    write(
        engine,
        ("device", {"name": "old"}),
        ("vrf", {"name": "blue"}),
        ("prefix", {"name": "10.0.0.0/8 blue"}),
        (
            "note",
            {"name": "n", "target_noun": "device", "target": "old", "text": "t", "who": "b", "at": str(NOW)},
        ),
    )
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW))
        writer.set("device", 1, {"name": "new"})
        writer.set("vrf", 1, {"name": "red"})
        writer.finish()
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW))
        undo(writer, entries(opened, 2))
        writer.finish()
    with reading(engine) as opened:
        assert [r["target"] for r in rows(opened, "note")] == ["old"]
        assert [r["name"] for r in rows(opened, "prefix")] == ["10.0.0.0/8 blue"]
