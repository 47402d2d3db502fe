"""A database that was made before alarms had memory keeps its open alerts, each once."""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config

from inventory.database import MIGRATIONS, initialise
from inventory.store import make_engine, open_engine, reading
from monitor import alarm_store
from monitor.alerts import Key
from monitor.state import State
from siaga.settings import Settings

AT = "2026-11-24 03:00:00.000000"


def old(settings: Settings) -> None:
    """Make a database as it was before, with two devices, one of them down and with an alert that is open twice."""
    settings.home.mkdir(parents=True)
    engine = make_engine(settings.database, foreign_keys=False)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.execution_options(siaga_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    engine.dispose()
    with closing(sqlite3.connect(settings.home / "siaga.db")) as plain:
        columns = [row[1:4] for row in plain.execute("PRAGMA table_info(device)") if row[3]]
        names = [name for name, _, _ in columns]
        for number in (1, 2):
            values = {n: 0 if t in ("INTEGER", "BOOLEAN") else "" for n, t, _ in columns}
            values |= {"id": number, "name": f"rtr-{number}", "vars": "{}", "status": "active"}
            marks = ", ".join("?" * len(names))
            plain.execute(
                f"INSERT INTO device ({', '.join(names)}) VALUES ({marks})", [values[n] for n in names]
            )
        plain.execute(
            "INSERT INTO device_state (device_id, state, since, at, reason, failures, health)"
            " VALUES (1, 'down', ?, ?, 'no answer', 4, '{}')",
            (AT, AT),
        )
        for _ in range(2):
            plain.execute(
                "INSERT INTO alert (device_id, rule, subject, severity, text, opened_at)"
                " VALUES (1, 'device-down', '', 'critical', 'rtr-1 is down.', ?)",
                (AT,),
            )
        plain.commit()


def test_what_was_open_is_open_once_and_what_was_down_is_down(scrubbed: Path) -> None:
    settings = Settings(home=scrubbed)
    old(settings)
    initialise(settings)
    engine = open_engine(settings)
    with reading(engine) as opened:
        found = alarm_store.recall(opened)
    engine.dispose()
    assert found.opened == {1: {Key("device-down", ""): (2, "critical")}}
    standing = found.standings[1]
    assert (standing.state, standing.beneath, standing.failures) == (State.down, State.down, 4)
    assert standing.evidence == ()
