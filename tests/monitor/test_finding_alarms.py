"""Open findings ring where somebody must know at once, once, and no longer than they are open."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from inventory.findings import Judged, Key, Verdict
from inventory.findings_store import accept, keep, open_keys
from inventory.history import Author
from inventory.models import Device
from inventory.store import open_engine, reading, session
from inventory.writing import Writer
from monitor.audit.due import due, last_whole
from monitor.finding_alarms import ring
from monitor.models import Alert
from siaga.settings import Audit, Settings
from tests.homes import prepare

NOW = datetime(2026, 11, 26, 19, tzinfo=UTC)  # 02.00 in Tangerang
COMMUNITY, LOGIN = ("audit", "snmp-default-community"), ("access", "login-outside-window")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path / "home")
    prepare(made)
    return made


@pytest.fixture
def engine(settings: Settings) -> Engine:
    engine = open_engine(settings)
    with session(engine) as writing:
        writer = Writer(writing, Author("tests", NOW))
        for n, name in enumerate(("rtr-mauk", "rtr-kresek")):
            writer.put("device", {"name": name, "role": "router", "address": f"127.84.5.{n}"})
        writer.finish()
    return engine


def judged(engine: Engine, check: tuple[str, str], verdict: Verdict, severity: str, device: str) -> None:
    with session(engine) as writing:
        number = writing.exec(select(Device.id).where(Device.name == device)).one()
        answer = Judged(Key(*check, number), verdict, severity, "title")
        keep(writing, [answer], NOW, open_=open_keys(writing, check[0]))


def open_alerts(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as opened:
        return sorted(
            (a.subject, a.rule, a.severity) for a in opened.exec(select(Alert)) if a.closed_at is None
        )


def test_a_critical_finding_rings_until_it_is_mended(engine: Engine, settings: Settings) -> None:
    judged(engine, ("audit", "telnet-open"), Verdict.broken, "high", "rtr-kresek")
    assert ring(engine, settings, NOW) == 0
    judged(engine, COMMUNITY, Verdict.broken, "critical", "rtr-mauk")
    assert ring(engine, settings, NOW) == 1
    assert open_alerts(engine) == [("rtr-mauk", "finding-critical", "warning")]
    assert ring(engine, settings, NOW) == 0, "nothing is told twice"
    judged(engine, COMMUNITY, Verdict.met, "critical", "rtr-mauk")
    assert ring(engine, settings, NOW) == 1
    assert open_alerts(engine) == []


def test_an_accepted_risk_rings_again_when_its_time_is_over(engine: Engine, settings: Settings) -> None:
    judged(engine, COMMUNITY, Verdict.broken, "critical", "rtr-mauk")
    ring(engine, settings, NOW)
    with session(engine) as writing:
        (number,) = open_keys(writing, "audit").values()
        accept(writing, number, Author("budi", NOW, "diganti 2027"), NOW + timedelta(days=9))
    ring(engine, settings, NOW)
    assert open_alerts(engine) == []
    ring(engine, settings, NOW + timedelta(days=10))
    assert open_alerts(engine) == [("rtr-mauk", "finding-critical", "warning")]


def test_a_login_that_nobody_foresaw_rings(engine: Engine, settings: Settings) -> None:
    judged(engine, LOGIN, Verdict.broken, "high", "rtr-mauk")
    ring(engine, settings, NOW)
    assert open_alerts(engine) == [("rtr-mauk", "login-not-foreseen", "warning")]


@pytest.mark.parametrize(
    ("last", "now", "wanted"),
    [
        (None, NOW, True),
        (None, NOW + timedelta(hours=8), False),  # at ten in the morning
        (NOW - timedelta(days=7), NOW, True),
        (
            NOW - timedelta(days=7) + timedelta(minutes=30),
            NOW,
            True,
        ),  # a week ago, a little later in the night
        (NOW - timedelta(days=6), NOW, False),
    ],
)
def test_an_audit_is_due_once_a_week_at_night(last: datetime | None, now: datetime, wanted: bool) -> None:
    assert due(Audit(), "Asia/Jakarta", last, now) is wanted


def test_an_audit_of_some_devices_is_none_of_all(engine: Engine) -> None:
    from inventory.models import Run

    with session(engine) as writing:
        writing.add(Run(kind="audit", status="ok", started_at=NOW - timedelta(days=1), summary={}))
        writing.add(Run(kind="audit", status="ok", started_at=NOW, summary={"asked": True}))
    with reading(engine) as opened:
        assert last_whole(opened) == NOW - timedelta(days=1)


def test_hours_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="are no hours"):
        Audit(hours="malam")
