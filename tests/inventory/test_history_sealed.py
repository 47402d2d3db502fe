"""The head of the history is sealed: who has the database and not the key cannot set it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from inventory.database import initialise
from inventory.history import GENESIS, Author, breaks, sealed
from inventory.store import make_engine, open_engine, reading, session
from inventory.writing import Writer
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.inventory.conftest import NOW

_BACK = "UPDATE history_head SET entries = 2, hash = (SELECT hash FROM change WHERE id = 2)"


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], settings: Settings) -> Siaga:
    return runner(capsys)


def add(engine: Engine, name: str) -> None:
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW))
        writer.put("device", {"name": name})
        writer.finish()


@pytest.fixture
def written(engine: Engine) -> Engine:
    for number in (1, 2, 3):
        add(engine, f"rtr-{number}")
    assert found(engine) == []
    return engine


def found(engine: Engine, *harm: str) -> list[str]:
    with engine.begin() as connection:
        for statement in harm:
            connection.exec_driver_sql(statement)
    with reading(engine) as opened:
        return list(breaks(opened))


@pytest.mark.parametrize(
    "harm",
    [
        ("DELETE FROM change WHERE id = 3", _BACK),
        ("DELETE FROM change WHERE id = 3", f"{_BACK}, seal = ''"),
        ("DELETE FROM change", f"UPDATE history_head SET entries = 0, hash = '{GENESIS}'"),
    ],
)
def test_a_tail_cut_off_with_its_head_set_back_is_found_and_stays_so(
    written: Engine, harm: tuple[str, ...]
) -> None:
    (told,) = found(written, *harm)
    assert told.startswith("The head is not sealed with this home's master key")
    add(written, "later")
    assert found(written) == [told]


def test_an_inventory_without_any_history_is_found(written: Engine) -> None:
    told = found(written, "DELETE FROM change", "DELETE FROM history_head")
    assert told == ["The inventory holds rows, and its history is empty."]


def test_without_the_key_all_else_is_checked_and_that_is_said(
    written: Engine, siaga: Siaga, settings: Settings
) -> None:
    (settings.home / "master.key").rename(settings.home / "elsewhere")
    said = siaga("history", "verify").well()
    assert "The head's seal cannot be checked: there is no master key here." in said.err
    assert found(written, "DELETE FROM change WHERE id = 3") != []


def test_a_head_is_accepted_again_by_who_holds_the_key(
    written: Engine, siaga: Siaga, settings: Settings
) -> None:
    strange = make_engine(settings.database)  # a home that has no key
    add(strange, "rtr-4")
    strange.dispose()
    written.dispose()
    (told,) = siaga("history", "verify").failed(6, "history-broken")
    assert "'siaga history seal' accepts it" in told
    siaga("history", "seal").well()
    siaga("history", "verify").well()
    assert found(written, "UPDATE change SET who = 'x' WHERE id = 2") != []
    written.dispose()
    siaga("history", "seal").failed(6, "history-broken")


def _without_what_came_later() -> Iterator[str]:
    """Yield the statements that take away what 0005 and its followers added."""
    yield "DROP INDEX ix_alert_open_key"
    added = {
        "alert": "closed_why open_key evidence acked_at acked_by acked_until",
        "device_state": "beneath silent_since waited_s overdue silent_order answered_order flaps flapping evidence",
        "state_change": "evidence",
        "service": '"check" expect expect_status plugin',
        "plan": "risk needs_approval finding_id radius",
        "job": "resumes cancelled_by origin",
        "host_result": "batch duration_s before after verdict rolled_back",
        "evidence": "target_noun target result media_type size_bytes",
        "account": "via_jump_host",
    }
    for table, columns in added.items():
        yield from (f"ALTER TABLE {table} DROP COLUMN {column}" for column in columns.split())
    tables = "alert_note rule_memory silence maintenance notification delivery notify_cursor"
    tables += " device_event device_wish config_backup config_version"
    tables += " finding compliance exposure access_window approval job_step"
    tables += " budget restitution capacity_test risk milestone room_check advisory"
    yield from (f"DROP TABLE {table}" for table in tables.split())


def test_an_old_head_is_sealed_once_when_the_schema_is_brought_forward(
    written: Engine, siaga: Siaga, settings: Settings
) -> None:
    with written.begin() as connection:
        for statement in _without_what_came_later():
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("ALTER TABLE history_head DROP COLUMN seal")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    written.dispose()
    siaga("history", "verify").failed(1, "schema-outdated")
    told = initialise(settings)
    assert told[-1] == "The history's head was sealed with the master key, as it stood at 3 entries."
    siaga("history", "verify").well()
    with reading(open_engine(settings)) as opened:
        assert sealed(opened)


def test_a_replaced_key_is_no_longer_the_one(written: Engine, settings: Settings) -> None:
    key: Path = settings.home / "master.key"
    key.chmod(0o600)
    key.write_bytes(bytes(32))
    assert [t[:40] for t in found(written)] == ["The head is not sealed with this home's "]
