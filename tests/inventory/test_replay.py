"""Rows that somebody changed behind siaga's back are told by `history verify`, field by field."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from inventory.history import Author, breaks
from inventory.models import Interface
from inventory.nouns import declare
from inventory.replay import Replay
from inventory.store import reading, session
from inventory.undo import entries, undo
from inventory.writing import Writer
from siaga.settings import CustomField, Settings
from tests.cli_runner import Siaga, runner
from tests.inventory.conftest import NOW


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], settings: Settings) -> Siaga:
    return runner(capsys)


def differences(engine: Engine, *harm: str) -> list[str]:
    with engine.begin() as connection:
        for statement in harm:
            connection.exec_driver_sql(statement)
    with reading(engine) as opened:
        replay = Replay()
        assert list(breaks(opened, take=replay.take)) == []
        return list(replay.differences(opened))


def change(
    engine: Engine, *puts: tuple[str, dict[str, Any]], rename: tuple[str, str, str] | None = None
) -> None:
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW))
        for noun, values in puts:
            writer.put(noun, values)
        if rename:
            noun, old, new = rename
            writer.set(noun, writer.ids(noun)[old], {"name": new})
        writer.finish()


@pytest.fixture
def world(engine: Engine) -> Engine:
    change(
        engine,
        ("place", {"name": "Mauk", "kind": "kecamatan"}),
        ("place", {"name": "Kantor", "kind": "site", "parent": "Mauk"}),
        ("contract", {"name": "K1", "start": "2026-01-01", "price_idr": "100"}),
        ("device", {"name": "rtr-1", "serial": "X", "place": "Kantor", "var.a": "1", "tags": "core"}),
        ("device", {"name": "rtr-2", "parent": "rtr-1"}),
        ("interface", {"device": "rtr-1", "name": "e0", "speed_bps": "1G"}),
        ("link", {"name": "L1", "a_interface": "rtr-1:e0"}),
        ("prefix", {"name": "10.0.0.0/8"}),
        ("address", {"name": "10.0.0.1/24", "device": "rtr-1"}),
        (
            "note",
            {
                "name": "n1",
                "target_noun": "device",
                "target": "rtr-1",
                "text": "t",
                "who": "b",
                "at": str(NOW),
            },
        ),
    )
    with session(engine) as opened:  # what a poll writes has no history
        opened.add(Interface(device_id=1, name="e9", seen_alias="uplink"))
    change(engine, ("link", {"name": "L2", "a_interface": "rtr-1:e9"}), rename=("device", "rtr-1", "rtr-one"))
    change(engine, ("interface", {"device": "rtr-one", "name": "e9", "alias": "x"}))
    change(
        engine,
        ("device", {"name": "rtr-2", "serial": "S", "parent": ""}),
        rename=("place", "Mauk", "Mauk Timur"),
    )
    return engine


def test_what_was_written_by_siaga_is_what_the_history_says(world: Engine) -> None:
    assert differences(world) == []
    with session(world) as opened:
        writer = Writer(opened, Author("siti", NOW))
        undo(writer, entries(opened, 4))
        undo(writer, entries(opened, 3))
        undo(writer, entries(opened, 2))
        writer.finish()
    assert differences(world) == []


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("UPDATE device SET serial = 'EVIL' WHERE id = 1", "device rtr-one: serial is EVIL, the history says X"),
        ("UPDATE device SET place_id = 1 WHERE id = 1",
         "device rtr-one: place is Mauk Timur, the history says Kantor"),
        ("UPDATE device SET parent_id = 1 WHERE id = 2", "device rtr-2: parent is rtr-one, the history says empty"),
        ("UPDATE device SET status = 'retired' WHERE id = 2",
         "device rtr-2: status is retired, the history says active"),
        ("UPDATE contract SET price_idr = 99", "contract K1: price_idr is 99, the history says 100"),
        ("UPDATE contract SET start = '2025-01-01'", "contract K1: start is 2025-01-01, the history says 2026-01-01"),
        ("""UPDATE device SET vars = '{"a": "2"}' WHERE id = 1""",
         "device rtr-one: vars is {'a': '2'}, the history says {'a': '1'}"),
        ("UPDATE interface SET alias = 'y' WHERE name = 'e9'", "interface rtr-one:e9: alias is y, the history says x"),
        ("UPDATE interface SET seen_alias = 'y'", ""),
        ("UPDATE place SET kecamatan = 'y'", ""),
        ("DELETE FROM link WHERE name = 'L1'", "link L1: it is gone, and the history removed it not"),
        ("UPDATE link SET name = 'L9' WHERE name = 'L1'", "link L9: the history knows no such row"),
        ("UPDATE contract SET start = 'garbage'",
         "The rows of contract cannot be read: one holds what siaga does not write."),
    ],
)  # fmt: skip
def test_a_row_changed_behind_siaga_is_told(world: Engine, harm: str, told: str) -> None:
    found = differences(world, harm)
    assert (told in found) if told else found == []


def test_an_interface_that_only_a_poll_saw_has_no_intended_values(world: Engine) -> None:
    insert = (
        "INSERT INTO interface (device_id, name, notes, revision, alias, enabled, mac, mode, tagged_vlans,"
    )
    insert += " seen_alias, seen_mac, admin_status, oper_status)"
    insert += " VALUES (2, 'e5', '', 0, '{}', true, '', '', '', 's', '', '', '')"
    assert differences(world, insert.replace("{}", "")) == []
    assert differences(world, insert.replace("e5", "e6").replace("{}", "EVIL")) == [
        "interface rtr-2:e6: alias is EVIL, the history says empty"
    ]


def test_fields_of_ones_own_are_compared_too(engine: Engine) -> None:
    declare({"device": {"po": CustomField(), "boss": CustomField(type="ref", ref="person")}})
    try:
        change(engine, ("person", {"name": "siti"}), ("device", {"name": "d", "po": "7", "boss": "siti"}))
        assert differences(engine) == []
        told = "device d: po is 8, the history says 7"
        assert differences(engine, """UPDATE device SET custom = '{"po": "8", "boss": 1}'""") == [told]
    finally:
        declare({})


def test_verify_tells_it_and_the_chain_alone_can_be_asked(
    world: Engine, siaga: Siaga, settings: Settings
) -> None:
    world.dispose()
    siaga("history", "verify").well()
    differences(world, "UPDATE device SET serial = 'EVIL' WHERE id = 1")
    world.dispose()
    told = siaga("history", "verify").failed(6, "history-broken")
    assert told == ["device rtr-one: serial is EVIL, the history says X"]
    siaga("history", "verify", "--chain-only").well()


def test_a_whole_home_is_what_its_history_says(siaga: Siaga, tmp_path: Path) -> None:
    (tmp_path / "device.csv").write_text("name,role\nrtr-1,router\nrtr-2,switch\n")
    siaga("import", tmp_path / "device.csv").well()
    siaga("device", "set", "rtr-1", "serial=9").well()
    siaga("device", "rm", "rtr-2", "--yes").well()
    siaga("history", "undo", "1", "--yes", "--force").failed(5, "bad-values")
    siaga("history", "undo", "2", "--yes").well()
    siaga("history", "verify").well()
