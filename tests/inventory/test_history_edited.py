"""What somebody did to the history by hand, in the file itself, is found; and no command stumbles over it."""

import os

import pytest
from sqlalchemy import Engine

from inventory.history import Author, breaks
from inventory.store import reading, session
from inventory.writing import Writer
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.inventory.conftest import NOW

only_sqlite = pytest.mark.skipif("SIAGA_TEST_POSTGRESQL" in os.environ, reason="a file of SQLite is edited")
_COLUMNS = "id, at, who, why, cause, change_set, noun, row_name, action, before, after, previous_hash, hash"


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], settings: Settings) -> Siaga:
    return runner(capsys)


@pytest.fixture
def written(engine: Engine) -> Engine:
    """Three entries, each a change set of its own."""
    for number in (1, 2, 3):
        with session(engine) as opened:
            writer = Writer(opened, Author("budi", NOW, f"why {number}"))
            writer.put("device", {"name": "rtr-1", "serial": f"S{number}", "var.x": str(number)})
            writer.finish()
    with reading(engine) as opened:
        assert list(breaks(opened)) == []
    return engine


def harmed(engine: Engine, *statements: str) -> list[str]:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    with reading(engine) as opened:
        return list(breaks(opened))


def copied(number: int, **changed: object) -> str:
    """Return the SQL that copies entry 3 under another number."""
    values = [str(changed.get(c, number if c == "id" else c)) for c in _COLUMNS.split(", ")]
    return f"INSERT INTO change ({_COLUMNS}) SELECT {', '.join(values)} FROM change WHERE id = 3"


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (copied(0), "Entry 0 stands where entry 1 should"),
        (copied(-7), "Entry -7 stands where entry 1 should"),
        (copied(4), "Entry 4 does not follow"),
        ("UPDATE change SET id = id + 100", "Entry 101 stands where entry 1 should"),
        ("UPDATE change SET id = 10 WHERE id = 3", "Entry 10 stands where entry 3 should"),
        ("UPDATE change SET id = -id", "Entry -3 stands where entry 1 should"),
    ],
)
def test_every_number_is_where_it_should_be(written: Engine, harm: str, told: str) -> None:
    assert any(told in sentence for sentence in harmed(written, harm))


SAME_VALUES = (
    "UPDATE change SET at = replace(at, ' ', 'T') WHERE id = 2",
    "UPDATE change SET at = replace(at, '.000000', '') WHERE id = 2",
    """UPDATE change SET after = replace(after, '{"serial"', '{"serial": "EVIL", "serial"') WHERE id = 2""",
    "UPDATE change SET after = replace(after, ': ', ':') WHERE id = 2",
    "UPDATE change SET before = CAST(before AS BLOB) WHERE id = 2",
)


@only_sqlite
@pytest.mark.parametrize("harm", SAME_VALUES)
def test_what_reads_the_same_but_is_not_what_was_stored_is_found(written: Engine, harm: str) -> None:
    assert harmed(written, harm) == [
        "Entry 2 was edited after it was written: siaga writes no entry like that."
    ]


NO_ENTRIES = (
    "at = 'garbage'",
    "before = 'not json'",
    "before = '[1,2]'",
    "after = 'null'",
    "after = '\"text\"'",
    "who = x'ff'",
    "who = CAST(x'ff' AS TEXT)",
    "row_name = x'7274722d31'",
    """after = '{"name": "\\ud800"}'""",
)


@only_sqlite
@pytest.mark.parametrize("harm", NO_ENTRIES)
def test_an_entry_that_cannot_be_read_is_named_by_every_command(
    written: Engine, siaga: Siaga, harm: str
) -> None:
    found = harmed(written, f"UPDATE change SET {harm} WHERE id = 2")
    assert found == ["Entry 2 was edited after it was written: siaga writes no entry like that."]
    written.dispose()
    assert found[0] in siaga("history", "verify").failed(6, "history-broken")
    for command in (
        ("device", "list", "--at", "2026-01-01"),
        ("device", "history", "rtr-1"),
        ("history", "undo", "2", "--yes"),
        ("history", "show", "2"),
        ("history", "list"),
        ("history", "export"),
    ):
        said = siaga(*command)
        if said.code or command[1] in ("undo", "show", "export"):
            said.failed(1, "history-damaged")
            assert "Entry 2 of the history cannot be read: run 'siaga history verify'." in said.err
