"""From a real database and real samples to the two files."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.models import HostResult, Job
from inventory.models import (
    Agency,
    Connection,
    Contract,
    Credential,
    Device,
    DeviceType,
    Interface,
    Observed,
    Place,
    Provider,
    Run,
)
from inventory.models_custody import Asset
from inventory.models_people import Certificate, Evidence, Person
from inventory.store import open_engine, reading, session
from monitor.models import Alert, DeviceState, StateChange
from monitor.samples import Asked, Sample, open_samples, polls_of
from report import books_reader
from report.facts import Facts, Seen
from report.periods import moment
from report.reader import Window, denominators, read
from report.service import Order, make
from siaga.errors import NotFoundError, UsageError
from siaga.settings import load
from tests.homes import prepare

UNTIL = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SINCE = UNTIL - timedelta(hours=4)
ROUNDS = [SINCE + timedelta(minutes=i) for i in range(60, 240)]  # the first hour nobody looked


def stored(opened: Any, row: Any) -> int:
    """Add a row and return its id."""
    opened.add(row)
    opened.flush()
    return int(row.id)


@pytest.fixture
def home(scrubbed: Path) -> Path:
    """Make two routers: one is polled for three hours and carries 40 Mbps of 50, one fell silent at half past."""
    settings = load()
    prepare(settings)
    with session(open_engine(settings)) as opened:
        regency = stored(opened, Place(name="Tangerang", kind="regency", code="36.03"))
        place = stored(
            opened,
            Place(
                name="Balaraja", kind="kecamatan", code="36.03.01", parent_id=regency, kecamatan="Balaraja"
            ),
        )
        agency = stored(
            opened, Agency(name="kec-balaraja", title="Kecamatan Balaraja", kind="kecamatan", place_id=place)
        )
        provider = stored(opened, Provider(name="serat", title="PT Serat"))
        contract = stored(
            opened,
            Contract(
                name="027/1/2026", provider_id=provider, end=date(2026, 12, 31), committed_down_bps=50_000_000
            ),
        )
        kind = stored(opened, DeviceType(name="ccr", maker="MikroTik", model="CCR2004", eol=date(2025, 1, 1)))
        old = stored(opened, Credential(name="public", kind="snmp-v2c"))
        common = {"role": "router", "place_id": place, "agency_id": agency, "credential_id": old}
        one = stored(opened, Device(name="r1", device_type_id=kind, serial="A1", **common))
        two = stored(opened, Device(name="r2", **common))
        stored(opened, Device(name="spare", status="spare"))
        port = stored(opened, Interface(device_id=one, name="ether1", seen_speed_bps=10**9))
        stored(opened, Connection(name="wan-1", agency_id=agency, contract_id=contract, interface_id=port))
        stored(opened, Connection(name="wan-2", agency_id=agency, device_id=two))
        opened.add(Observed(device_id=one, field="serial", source="snmp", value="B2", at=UNTIL))
        opened.add(DeviceState(device_id=one, state="up", since=ROUNDS[0], at=ROUNDS[-1]))
        opened.add(DeviceState(device_id=two, state="down", since=ROUNDS[91], at=ROUNDS[-1]))
        for device, at, after in ((one, 0, "up"), (two, 0, "up"), (two, 91, "down")):
            when = ROUNDS[at] + timedelta(seconds=5)
            opened.add(StateChange(device_id=device, at=when, before="", after=after))
        opened.add(
            Alert(device_id=two, rule="down", severity="critical", text="r2 is down.", opened_at=ROUNDS[91])
        )
        opened.add(Run(kind="poll", status="ok", started_at=ROUNDS[0]))
        job = stored(opened, Job(mode="apply", playbook="baseline", status="partial", started_at=ROUNDS[3]))
        for host, status in (("h1", "changed"), ("h2", "ok"), ("h3", "unreachable")):
            opened.add(HostResult(job_id=job, host=host, status=status))
    samples = [
        Sample(one, metric, "ether1", at, i * 60 * bps // 8)
        for metric, bps in (("in_octets_64", 45_000_000), ("out_octets_64", 1_000_000))
        for i, at in enumerate(ROUNDS)
    ]
    marks = [Asked(one, at, True) for at in ROUNDS] + [Asked(two, at, i < 90) for i, at in enumerate(ROUNDS)]
    with open_samples(settings.home) as store:
        store.write(polls_of(samples, marks))
    return scrubbed


def facts() -> Facts:
    settings = load()
    return read(open_engine(settings), open_samples(settings.home), Window(SINCE, UNTIL))


def test_facts_are_what_was_stored(home: Path) -> None:
    found = facts()
    one, two = found.devices
    assert (one.seen, two.seen) == (Seen.up, Seen.down)
    assert (one.maker, one.model, one.past, one.snmp) == ("MikroTik", "CCR2004", True, "2c")
    assert (one.serial, one.seen_serial, one.kecamatan) == ("A1", "B2", "Balaraja")
    assert found.regency == "Kabupaten Tangerang"
    assert {d.kind: d.count for d in found.denominators} == {
        "opd": 31,
        "kecamatan": 29,
        "rsud": 4,
        "puskesmas": 44,
        "desa": 274,
    }
    assert (found.polls, len(found.alerts), found.illustrative) == (1, 1, False)
    job = found.jobs[0]
    assert (job.kind, job.hosts, job.ok, job.changed, job.failed) == ("apply", 3, 2, 1, 1)


def test_the_connection_carries_what_its_counters_say(home: Path) -> None:
    first, second = facts().connections
    assert first.load is not None
    assert (round(first.load.p95_down_bps or 0), first.load.bins) == (45_000_000, 36)  # three hours
    assert (first.down_bps, first.provider, first.agency) == (50_000_000, "PT Serat", "Kecamatan Balaraja")
    assert second.load is not None
    assert second.load.bins == 0


def test_the_hour_without_polling_is_neither_up_nor_down(home: Path) -> None:
    seconds = {
        seen: sum((s.end - s.start).total_seconds() for s in facts().spans if s.seen is seen) for seen in Seen
    }
    assert seconds == {Seen.up: 4.5 * 3600, Seen.down: 1.5 * 3600, Seen.unobserved: 0}


def test_a_state_that_is_old_is_no_observation(home: Path) -> None:
    settings = load()
    later = Window(UNTIL - timedelta(hours=1), UNTIL + timedelta(hours=1))
    found = read(open_engine(settings), open_samples(settings.home), later)
    assert {d.seen for d in found.devices} == {Seen.unobserved}


def test_the_report_is_made_from_the_database(home: Path, tmp_path: Path) -> None:
    order = Order((tmp_path / "r.pdf",), since="4h", at=UNTIL.isoformat(), illustrative=True)
    outcome = make(order)
    document = json.loads((tmp_path / "r.json").read_text())
    values = {f["id"]: f["value"] for f in document["figures"]}
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    assert values["N-07"] == 1  # 45 of 50 Mbps
    assert values["N-04"] == 0.75
    assert values["P-01"] == 2
    assert outcome.rows is not None
    assert outcome.rows[0]["illustrative"] is True


def test_bad_orders_are_refused_with_a_sentence(tmp_path: Path) -> None:
    for order in (Order((tmp_path / "r.txt",)), Order((tmp_path / "r.pdf",), lang="fr")):
        with pytest.raises(UsageError):
            make(order)
    with pytest.raises(NotFoundError):
        make(Order((tmp_path / "r.pdf",)))
    assert list(tmp_path.glob("r.*")) == []


def test_times_are_read_as_people_write_them() -> None:
    assert moment("30d", UNTIL, "Asia/Jakarta") == UNTIL - timedelta(days=30)
    assert moment("2026-11-01", UNTIL, "Asia/Jakarta") == datetime(2026, 10, 31, 17, tzinfo=UTC)
    with pytest.raises(UsageError):
        moment("soon", UNTIL, "Asia/Jakarta")


def test_a_regency_without_dated_lists_has_no_denominators() -> None:
    assert denominators("99.99") == ()
    assert denominators("../36.03") == ()


# --- the books, and a part of the regency


def window() -> books_reader.Window:
    return books_reader.Window(SINCE, UNTIL, 180.0)


def test_both_availabilities_come_from_the_same_looks(home: Path) -> None:
    settings = load()
    with reading(open_engine(settings)) as opened, open_samples(settings.home) as samples:
        found = books_reader.read(opened, samples, window(), zone="Asia/Jakarta", now=UNTIL)
    one, two = (found.met[i] for i in sorted(found.met))
    assert (one.up_s, one.met_s, one.window_s) == (3 * 3600, 3 * 3600, 4 * 3600)
    assert (two.up_s, two.sla_up_s, two.met_s, two.sla_s) == (5400, 5400, 10800, 10800)
    (money,) = found.money
    assert (money.contract, money.lines, money.monthly_idr) == ("027/1/2026", 1, None)
    (bill,) = found.bills
    assert (bill.provider, bill.sla, bill.amount_idr) == ("serat", 1.0, None)
    assert found.priced is False


def test_people_goods_and_papers_are_read_without_names(home: Path) -> None:
    settings = load()
    with session(open_engine(settings)) as opened:
        person = stored(
            opened, Person(name="Somebody", role="jaringan", competences="data keamanan", fte=0.5)
        )
        stored(opened, Person(name="Gone", role="jaringan", active_to=date(2020, 1, 1)))
        stored(opened, Certificate(name="c", person_id=person, area="keamanan", expires=date(2027, 1, 1)))
        stored(opened, Asset(name="a/1", condition="RR", price_idr=5, nibar="n"))
        stored(opened, Asset(name="a/2", status="disposed"))
        stored(opened, Evidence(name="e", kind="sk_ttis", dated=date(2026, 1, 1)))
        stored(opened, Evidence(name="later", kind="sk_ttis", dated=date(2030, 1, 1)))
    with reading(open_engine(settings)) as opened, open_samples(settings.home) as samples:
        found = books_reader.read(opened, samples, window(), zone="Asia/Jakarta", now=UNTIL)
    (staff,) = found.staff
    assert (staff.role, staff.fte, staff.competences) == ("jaringan", 0.5, ("data", "keamanan"))
    assert staff.certificates == (("keamanan", date(2027, 1, 1)),)
    (good,) = found.goods
    assert (good.condition, good.price_idr, good.numbered, good.linked) == ("worn", 5, True, False)
    assert [p.id for p in found.papers] == ["e"]
    assert "Somebody" not in str(found)


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [
        ("2026-09-30T17:00", "2026-10-31T17:00", 1),
        ("2026-09-30T17:00", "2026-12-31T17:00", 3),
        ("2026-09-30T17:00", "2026-12-31T16:59", 0),
        ("2026-10-01T00:00", "2026-10-31T17:00", 0),
    ],
)
def test_only_whole_months_of_the_regency_have_a_price(since: str, until: str, count: int) -> None:
    start, end = (datetime.fromisoformat(f"{t}Z") for t in (since, until))
    found = books_reader.months(start, end, 180.0, "Asia/Jakarta")
    assert found.whole_months is bool(count)
    assert len(found.windows) == max(count, 1)
    assert (found.windows[0].start, found.windows[-1].end) == (start, end)


def test_a_part_has_its_own_devices_agencies_and_goods(home: Path, tmp_path: Path) -> None:
    settings = load()
    with session(open_engine(settings)) as opened:
        other = stored(opened, Agency(name="dinkes", title="Dinas Kesehatan"))
        stored(opened, Device(name="r9", agency_id=other))
        stored(opened, Asset(name="a/1", agency_id=other))
    for given, devices, agencies in (
        ({"place": "Balaraja"}, 2, 1),
        ({"agency": "dinkes"}, 1, 1),
        ({"place": "Balaraja", "agency": "dinkes"}, 0, 0),
    ):
        make(Order((tmp_path / "p.json",), since="4h", at=UNTIL.isoformat(), **given))
        tree = json.loads((tmp_path / "p.json").read_text())
        figures = {f["id"]: f["value"] for f in tree["figures"]}
        assert (figures["E-01"], figures["W-02"]) == (devices, agencies), given
        assert tree["assessment"] is None
        assert tree["meta"]["scope"]
    for wrong in ({"place": "Atlantis"}, {"agency": "none"}):
        with pytest.raises(NotFoundError):
            make(Order((tmp_path / "q.json",), **wrong))
    assert not (tmp_path / "q.json").exists()
