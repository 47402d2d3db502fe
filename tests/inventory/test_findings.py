"""What becomes of findings by answers of three values, and what the report may count."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from inventory.findings import Judged, Key, Remedy, Verdict, due, rank, settled, standing
from inventory.findings_read import Deviation, Shown, deviations, shown
from inventory.history import Author
from inventory.models_findings import Compliance, Exposure
from inventory.store import reading, session
from inventory.writing import Writer

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
KEY = Key("compliance", "ios-ntp", 7)
OPEN = {KEY.text: 1}


@pytest.mark.parametrize(
    ("verdict", "before", "opened", "again", "closed"),
    [
        (Verdict.broken, {}, 1, 0, {}),
        (Verdict.broken, OPEN, 0, 1, {}),
        (Verdict.met, OPEN, 0, 0, {1: "mended"}),
        (Verdict.met, {}, 0, 0, {}),
        (Verdict.unknown, OPEN, 0, 0, {}),
        (Verdict.unknown, {}, 0, 0, {}),
        (Verdict.none, OPEN, 0, 0, {1: "gone"}),
    ],
)
def test_only_a_proof_closes_a_finding(
    verdict: Verdict, before: dict[str, int], opened: int, again: int, closed: dict[int, str]
) -> None:
    done = settled([Judged(KEY, verdict)], before)
    assert (len(done.opened), len(done.again), done.closed) == (opened, again, closed)


def test_what_nobody_asks_for_any_more_is_gone() -> None:
    assert settled([], OPEN, [KEY.text]).closed == {1: "gone"}
    assert settled([Judged(KEY, Verdict.unknown)], OPEN, [KEY.text]).closed == {}


def test_a_risk_is_carried_until_its_time_is_over() -> None:
    assert standing(None, NOW + timedelta(days=1), NOW) == "accepted"
    assert standing(None, NOW, NOW) == "open"
    assert standing(NOW, NOW + timedelta(days=1), NOW) == "closed"


def test_the_worse_is_mended_sooner() -> None:
    days = [(due(s, NOW) - NOW.date()).days for s in ("critical", "high", "medium", "low")]
    assert days == sorted(days)
    assert [rank(s) for s in ("critical", "low", "strange")] == [0, 3, 4]


def test_parameters_are_written_as_a_command_line_says_them() -> None:
    remedy = Remedy("p", "rtr", {"ntp_servers": ["10.0.0.1", "10.0.0.2"], "on": True, "banner": ""})
    assert remedy.assignments == ("ntp_servers=10.0.0.1,10.0.0.2", "on=true", "banner=")


DOORS = {"ssh": "open", "telnet": "closed", "http": "closed", "snmp-v1": "closed", "snmp-v2c": "closed"}


@pytest.mark.parametrize(
    ("doors", "results", "wanted"),
    [
        (DOORS, {}, (True, ())),
        ({**DOORS, "telnet": "open"}, {}, (True, ("telnet",))),
        ({**DOORS, "snmp-v2c": "unknown"}, {}, None),
        ({**DOORS, "snmp-v2c": "unknown"}, {"ios-snmp-v3": ["met", ""]}, (True, ())),
        ({**DOORS, "snmp-v2c": "unknown"}, {"ios-snmp-v3": ["broken", ""]}, None),
        ({**DOORS, "snmp-v2c": "unknown", "http": "open"}, {}, (True, ("http",))),
        ({**DOORS, "ssh": "unknown"}, {}, None),
        ({**DOORS, "ssh": "closed"}, {}, (False, ())),
    ],
)
def test_a_device_is_counted_only_by_what_is_known(
    engine: Engine,
    doors: dict[str, str],
    results: dict[str, list[str]],
    wanted: tuple[bool, tuple[str, ...]] | None,
) -> None:
    with session(engine) as writing:
        Writer(writing, Author("tests", NOW)).put("device", {"name": "rtr"})
    with session(engine) as writing:
        writing.add(Exposure(device_id=1, at=NOW, doors=doors))
        writing.add(Compliance(device_id=1, at=NOW, results=results))
    with reading(engine) as opened:
        assert shown(opened) == ([Shown("rtr", NOW, *wanted)] if wanted else [])


@pytest.mark.parametrize(
    ("at", "broken", "unknown", "wanted"),
    [(NOW, 0, 0, 0), (NOW, 2, 3, 2), (NOW, 0, 1, None), (None, 0, 9, None)],
)
def test_unknown_is_not_compliant_and_not_a_deviation(
    engine: Engine, at: datetime | None, broken: int, unknown: int, wanted: int | None
) -> None:
    with session(engine) as writing:
        Writer(writing, Author("tests", NOW)).put("device", {"name": "rtr"})
    with session(engine) as writing:
        writing.add(Compliance(device_id=1, at=NOW, evidence_at=at, broken=broken, unknown=unknown))
    with reading(engine) as opened:
        assert deviations(opened) == ([] if wanted is None else [Deviation("rtr", NOW, wanted)])
