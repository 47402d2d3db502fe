"""What the report asks of backups, doors and logs: the rows that other parts write, of the period and not later."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inventory.models import Device
from inventory.models_findings import Compliance
from inventory.models_findings import Exposure as Doors
from inventory.store import open_engine, session
from monitor.configs.models import ConfigBackup, ConfigVersion
from monitor.samples import HEARD, SKEW, Sample, open_samples, polls_of
from report.asked.kept import Kept, kept
from report.questions import Period
from report.records import Backup, Drift, Exposure, Logged
from report.rubric import load as rubric
from siaga.settings import load
from tests.homes import prepare

UNTIL = datetime(2026, 12, 1, tzinfo=UTC)
PERIOD = Period(UNTIL - timedelta(days=30), UNTIL)
BEFORE, AFTER = UNTIL - timedelta(hours=3), UNTIL + timedelta(hours=3)


@pytest.fixture
def asked(scrubbed: Path) -> Iterator[Kept]:
    """Keep backups of two devices (one read again after the period), doors and rules of both, a log of one."""
    settings = load()
    prepare(settings)
    with session(open_engine(settings)) as opened:
        devices = [Device(name=n, role="router") for n in ("r1", "r2", "r3")]
        opened.add_all(devices)
        opened.flush()
        one, two, _ = (d.id or 0 for d in devices)
        opened.add(
            ConfigBackup(device_id=one, tried_at=BEFORE, ok_at=BEFORE, result="unchanged", digest="aa")
        )
        opened.add(ConfigBackup(device_id=two, tried_at=AFTER, ok_at=AFTER, result="stored", digest="cc"))
        for at, digest in ((BEFORE - timedelta(days=9), "b0"), (BEFORE, "bb"), (AFTER, "cc")):
            opened.add(ConfigVersion(device_id=two, at=at, commit="x", path="p", digest=digest))
        doors = {"telnet": "open", "http": "closed", "ssh": "open", "snmp-v1": "closed", "snmp-v2c": "closed"}
        opened.add(Doors(device_id=one, at=BEFORE, doors=doors))
        opened.add(Doors(device_id=two, at=AFTER, doors=doors))
        opened.add(Compliance(device_id=one, at=BEFORE, evidence_at=BEFORE, broken=2))
    samples = [Sample(one, HEARD, "", UNTIL - timedelta(hours=h), 4) for h in (30, 5, 2)]
    samples += [Sample(one, SKEW, "", UNTIL - timedelta(hours=h), ms) for h, ms in ((5, 9000), (2, -1250))]
    with open_samples(settings.home) as store:
        store.write(polls_of([*samples, Sample(two, HEARD, "", UNTIL - timedelta(hours=30), 1)]))
    with kept(settings, PERIOD, rubric().rubric.limits) as found:
        yield found


def test_the_newest_good_backup_of_the_period_counts(asked: Kept) -> None:
    assert asked.every(Backup) == (Backup("r1", BEFORE, "aa", True), Backup("r2", BEFORE, "bb", None))


def test_doors_and_rules_of_later_do_not_count(asked: Kept) -> None:
    assert asked.every(Exposure) == (Exposure("r1", BEFORE, ssh=True, open=("telnet",)),)
    assert asked.every(Drift) == (Drift("r1", BEFORE, 2, "compliance"),)


def test_a_log_is_as_old_as_its_last_message_and_its_clock_as_wrong(asked: Kept) -> None:
    (logged,) = asked.every(Logged) or ()
    assert (logged.device, logged.last_log, logged.clock_skew_s) == ("r1", UNTIL - timedelta(hours=2), -1.25)
    assert len(logged.sha256) == 64


def test_where_nothing_was_ever_kept_nothing_is_known(scrubbed: Path) -> None:
    settings = load()
    prepare(settings)
    with kept(settings, PERIOD, rubric().rubric.limits) as found:
        assert [found.every(kind) for kind in (Backup, Drift, Logged)] == [None, None, None]
        assert found.every(Exposure) is None
