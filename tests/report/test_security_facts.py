"""What compliance and the audit have kept is counted by the report: what is known of the period, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inventory.history import Author
from inventory.models_findings import Compliance, Exposure
from inventory.store import open_engine, session
from inventory.writing import Writer
from report.asked.kept import kept
from report.questions import Period
from report.records import Drift
from report.records import Exposure as Probed
from report.rubric import LATEST, load
from siaga.settings import Settings
from tests.homes import prepare

UNTIL = datetime(2026, 12, 1, tzinfo=UTC)
PERIOD = Period(UNTIL - timedelta(days=30), UNTIL)
LIMITS = load(LATEST).rubric.limits
AT = UNTIL - timedelta(days=3)
SHUT = {"ssh": "open", "telnet": "closed", "http": "closed", "snmp-v1": "closed", "snmp-v2c": "closed"}


@pytest.fixture
def settings(scrubbed: Path) -> Settings:
    found = Settings(home=scrubbed)
    prepare(found)
    with session(open_engine(found)) as writing:
        writer = Writer(writing, Author("tests", AT))
        for name in ("good", "bad", "unknown", "later"):
            writer.put("device", {"name": name})
        writer.flush()
        ids = writer.ids("device")
        after = UNTIL + timedelta(days=1)
        for name, at, broken, unknown, telnet in (
            ("good", AT, 0, 0, "closed"),
            ("bad", AT, 2, 1, "open"),
            ("unknown", AT, 0, 4, "unknown"),
            ("later", after, 0, 0, "closed"),
        ):
            writing.add(
                Compliance(device_id=ids[name], at=at, evidence_at=at, broken=broken, unknown=unknown)
            )
            writing.add(Exposure(device_id=ids[name], at=at, doors={**SHUT, "telnet": telnet}))
    return found


def test_deviations_and_doors_are_facts_of_the_period(settings: Settings) -> None:
    with kept(settings, PERIOD, LIMITS) as ask:
        assert ask.every(Drift) == (Drift("bad", AT, 2, "compliance"), Drift("good", AT, 0, "compliance"))
        assert ask.every(Probed) == (Probed("bad", AT, True, ("telnet",)), Probed("good", AT, True))


def test_where_nothing_was_ever_looked_at_nothing_is_known(scrubbed: Path) -> None:
    empty = Settings(home=scrubbed)
    prepare(empty)
    with kept(empty, PERIOD, LIMITS) as ask:
        assert ask.every(Drift) is None
        assert ask.every(Probed) is None
