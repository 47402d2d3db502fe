"""Every indicator on facts at hand: value, numerator, what it is counted against and coverage were computed by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from told import DAY_MS, HOUR_MS, LAST, MONTH_MS, SINCE, UNTIL, away, bought, contract, day, told

from report import measures
from report.assessment import Reading
from report.questions import Told
from report.records import (
    Account,
    Advisory,
    Agency,
    AgencyList,
    App,
    Asset,
    Backup,
    Budget,
    CapacityTest,
    Centre,
    Certificate,
    Climate,
    Device,
    Document,
    Drift,
    Exposure,
    Line,
    Load,
    Logged,
    Met,
    Milestone,
    Person,
    Polled,
    Quality,
    Restitution,
    Risk,
    Room,
    RoomCheck,
    Ticket,
    Ups,
    Zoning,
)
from report.rubric import Indicator, load

LIMITS = load().rubric.limits
NOW = UNTIL - timedelta(hours=1)
SERVER = Room("Ruang Server", "server")


def paper(kind: str, dated: date = date(2026, 9, 1), **more: Any) -> Document:
    return Document(f"{kind}-1", kind, dated, **more)


def opd(*names: str, **more: Any) -> list[Agency]:
    return [Agency(n, "opd", **more) for n in names]


def app(name: str, **more: Any) -> App:
    given = {"agency": "dinas-a", "agency_kind": "opd", "criticality": 1, "window_ms": MONTH_MS, **more}
    return App(name, **given)


# measure, facts, value, numerator, counted, coverage
TABLE: dict[str, tuple[list[object], float | None, float | None, float | None, float]] = {
    # 3 devices for 1.5 posts: 2 each. The third officer's post is not recorded: 2 of 3 are known.
    "devices_per_staff": (
        [
            *(Device(n) for n in "abc"),
            Person("Budi", "Kepala seksi jaringan", fte=1),
            Person("Siti", "Staf Sistem", fte=0.5),
            Person("Adi", "jaringan"),
            Person("Ibu Camat", "camat", fte=1),
        ],
        2.0, 3, 1.5, 0.6667,
    ),
    # Three of six fields have two people.
    "competence_ladder": (
        [
            Person("A", competences=("keamanan", "data", "aplikasi")),
            Person("B", competences=("keamanan", "data", "aplikasi", "arsitektur")),
        ],
        3, 3, 6, 1.0,
    ),
    # Of three officers one has a valid certificate in security; another's has ended, one's is of another area.
    "staff_cert_pct": (
        [
            Person("A", "jaringan", certificates=(Certificate("c1", "Keamanan", date(2027, 1, 1)),)),
            Person("B", "server", certificates=(Certificate("c2", "keamanan", date(2026, 10, 30)),)),
            Person("C", "aplikasi", certificates=(Certificate("c3", "jaringan"),)),
        ],
        33.33, 1, 3, 1.0,
    ),
    # Service: 5 days of 9 h = 2,700 min. On call Mon-Wed 07.30-16.30 (1,620) and Thu 07.30-12.00 (270): 1,890.
    "oncall_pct": (
        [
            Person("A", on_call=True, on_duty="Mon-Wed 00.00-24.00"),
            Person("B", on_call=True, on_duty="Thu 06.00-12.00"),
            Person("C", on_duty="24/7"),
        ],
        70.0, 1890, 2700, 1.0,
    ),
    # 304 of 365 days have passed: 10,950 * 304/365 = 9,120 was due, 6,840 was realised: three quarters.
    "budget_realised_pct": (
        [Budget("DPA", 2026, 10_950, 6_840, LAST), Budget("DPA-2025", 2025, 5, 5)],
        75.0, 6840, 9120, 1.0,
    ),
    # 90 days after 31 October is 29 January. Of four priority devices one is not known, two are supported.
    "support_pct": (
        [
            Device("a", priority=1, support_until=date(2027, 1, 29)),
            Device("b", priority=2, support_until=date(2027, 1, 28)),
            Device("c", priority=2, support_until=date(2028, 1, 1)),
            Device("d", priority=1),
            Device("e", priority=3),
        ],
        66.67, 2, 3, 0.75,
    ),
    # 240 claimable minutes at 1 %/h of 1,000,000: 40,000. 10,000 was claimed.
    "restitution_claimed_pct": (
        [
            bought("wan"), contract(penalty="1%/jam", monthly_idr=1_000_000), day("wan"), away("wan", 240),
            Restitution("027/1", "K/1", date(2026, 10, 20), 10_000),
        ],
        25.0, 10_000, 40_000, 1.0,
    ),
    # Four agencies by the dated list, three recorded: one is on an intra line that was up, one on the internet only,
    # one's line was not watched.
    "intra_ladder": (
        [
            *opd("a", "b", "c"), AgencyList("opd", 4, "2025", "list"),
            Line("l-a", agency="a", intra=True), Line("l-b", agency="b", intra=False),
            Line("l-c", agency="c", intra=True), day("l-a"), day("l-b"), day("l-c", 0, 0),
        ],
        50.0, 1, 2, 0.5,
    ),
    # 50 Mbps are wanted: 30 + 20 up is enough; 50 of which 20 were down all the time is not.
    "kecamatan_connected_pct": (
        [
            Agency("mauk", "kecamatan"), Agency("curug", "kecamatan"),
            Line("m1", agency="mauk", down_bps=30_000_000), Line("m2", agency="mauk", down_bps=20_000_000),
            Line("c1", agency="curug", down_bps=30_000_000), Line("c2", agency="curug", down_bps=20_000_000),
            day("m1"), day("m2", HOUR_MS), day("c1"), day("c2", 0),
        ],
        50.0, 1, 2, 1.0,
    ),
    # 274 by the list, three recorded: two have a line that was up, one has none.
    "desa_connected_pct": (
        [
            Agency("d1", "desa"), Agency("d2", "desa"), Agency("d3", "desa"), AgencyList("desa", 274, "2025", "x"),
            Line("l1", agency="d1"), Line("l2", agency="d2"), day("l1"), day("l2", 1),
        ],
        66.67, 2, 3, 0.0109,
    ),
    # A puskesmas needs 30 Mbps, a hospital 200.
    "health_connected_pct": (
        [
            Agency("pkm", "puskesmas"), Agency("rsud", "rsud"),
            Line("p", agency="pkm", down_bps=30_000_000), Line("r", agency="rsud", down_bps=100_000_000),
            day("p"), day("r"),
        ],
        50.0, 1, 2, 1.0,
    ),
    # Weights 3 and 1: (3 * 0.99 + 1 * 0.95) / 4 = 0.98. One was never watched: 2 of 3 windows.
    "availability_user_pct": (
        [
            Met("a", "opd", 1000, 1000, 990, priority=1), Met("b", "opd", 1000, 1000, 950, priority=3),
            Met("c", "opd", 1000, 0, 0, priority=1),
        ],
        98.0, 3.92, 4, 0.6667,
    ),
    # A day each at 99 %: 20 min away by power keeps it, 20 min by the link does not (98.61), four times 4 min does.
    "sla_sites_pct": (
        [
            bought("a"), bought("b"), bought("c"), contract(),
            *(day(n) for n in "abc"), away("a", 20, "power"), away("b", 20),
            *(away("c", 4, start_h=h) for h in range(4)),
        ],
        66.67, 2, 3, 1.0,
    ),
    # Ten outages of 1 to 10 h: the ninth is the nearest rank of 90 %. Planned, short, open and low priority are out.
    "restore_p90_h": (
        [
            Line("a", priority=1), Line("z", priority=3), day("a"),
            *(away("a", 60 * n, start_h=24 * n) for n in range(1, 11)),
            away("a", 600, "planned"), away("a", 4), away("a", 6000, open=True), away("z", 6000),
        ],
        9.0, 9, 10, 1.0,
    ),
    # 50 Mbps: a peak of 45 is 90 %, a test of 40 is not; a line that was never full nor tested is not known.
    "cir_delivered_pct": (
        [
            bought("a"), bought("b"), bought("c"),
            Load("a", 100, 100, peak_down_bps=45_000_000), Load("c", 100, 100, peak_down_bps=9),
            CapacityTest("t", "b", NOW, 40_000_000),
        ],
        50.0, 1, 2, 0.6667,
    ),
    # Over 80 % of 50 Mbps is over 40: up counts as well as down; exactly 40 is not over.
    "saturated_pct": (
        [
            bought("a"), bought("b"), bought("c"), bought("d"),
            Load("a", 99, 99, busy_p95_down_bps=1, busy_p95_up_bps=40_000_001),
            Load("b", 99, 99, busy_p95_down_bps=40_000_000), Load("c", 99, 99, busy_p95_down_bps=5),
        ],
        33.33, 1, 3, 0.75,
    ),
    # Fibre to 20 ms, satellite to 750; a loss over 2 % is bad; a medium without a limit is not known.
    "quality_pct": (
        [
            Line("f", agency="a", medium="fibre"), Line("s", agency="a", medium="satellite"),
            Line("l", agency="a", medium="fibre"), Line("o", agency="a", medium="other"),
            Quality("f", 9, 9, 20.0, 0.1), Quality("s", 9, 9, 751.0, 0.1), Quality("l", 9, 9, 5.0, 2.1),
            Quality("o", 9, 9, 5.0, 0.0),
        ],
        33.33, 1, 3, 0.75,
    ),
    # One has two path groups and a test, one two groups and none, one a single line.
    "redundant_pct": (
        [
            *opd("a", "b", "c", priority=1), *opd("d", priority=2),
            Line("a1", agency="a", path_group="utara"), Line("a2", agency="a", path_group="selatan"),
            Line("b1", agency="b", path_group="utara"), Line("b2", agency="b", path_group="selatan"),
            Line("c1", agency="c", path_group="utara"), paper("uji_alih_jalur", about="connection/a2"),
        ],
        33.33, 1, 3, 1.0,
    ),
    # A rented device needs no year; one without a room is not complete.
    "inventory_complete_pct": (
        [
            Device("a", "router", "s", "r", agency="d", maker="m", model="x", serial="1", acquired=LAST),
            Device("b", "router", "s", "r", agency="d", maker="m", model="x", serial="2", rented=True),
            Device("c", "router", "s", "", agency="d", maker="m", model="x", serial="3", acquired=LAST),
        ],
        66.67, 2, 3, 1.0,
    ),
    # Rented ones are apart; a code without a number is no entry.
    "bmd_match_pct": (
        [
            Device("a"), Device("b"), Device("c", rented=True),
            Asset("1", kode_barang="1.3", register_number="0001", device="a"),
            Asset("2", kode_barang="1.3", device="b"),
        ],
        50.0, 1, 2, 1.0,
    ),
    "condition_good_pct": (
        [Asset("1", condition="B"), Asset("2", condition="RR"), Asset("3"), Asset("4", condition="B", status="lost")],
        50.0, 1, 2, 0.6667,
    ),
    "not_eol_pct": (
        [
            Device("a", "router", eol=date(2026, 11, 1)), Device("b", "server", eol=LAST), Device("c", "switch"),
            Device("d", "ups", eol=LAST),
        ],
        50.0, 1, 2, 0.6667,
    ),
    # 90 % of the period answered is enough; who was never asked did not answer.
    "monitored_pct": (
        [
            Device("a"), Device("b"), Device("c"), Device("d", managed=False),
            Polled("a", 1000, 900, 100), Polled("b", 1000, 899, 0),
        ],
        33.33, 1, 3, 1.0,
    ),
    # Seven days exactly is in time; a copy that is not what runs does not count.
    "config_backup_pct": (
        [
            *(Device(n, "router") for n in "abcd"), Device("s", "server"),
            Backup("a", UNTIL - timedelta(days=7)), Backup("b", UNTIL - timedelta(days=8)),
            Backup("c", NOW, current=False),
        ],
        25.0, 1, 4, 1.0,
    ),
    "drift_free_pct": (
        [
            *(Device(n, "router") for n in "abc"), Drift("a", NOW, 0, "job/1"), Drift("b", NOW, 2, "job/1"),
            Drift("c", UNTIL - timedelta(days=31), 0, "job/0"),
        ],
        50.0, 1, 2, 0.6667,
    ),
    # Seen within a year, and not in another room.
    "verified_pct": (
        [
            Asset("1", verified_at=date(2025, 10, 31), place="r"), Asset("2", verified_at=date(2025, 10, 30)),
            Asset("3", verified_at=LAST, place="r", seen_in="x"), Asset("4"),
        ],
        25.0, 1, 4, 1.0,
    ),
    # 150 of 200 bins were right; 200 of 400 were measured, in one of one room.
    "thermal_ok_pct": (
        [SERVER, Climate("Ruang Server", "s1", 200, 100, 60), Climate("Ruang Server", "s2", 200, 100, 90)],
        75.0, 150, 200, 0.5,
    ),
    "power_ladder": (
        [SERVER, Ups("Ruang Server", "u1", True, 99, 12.5), Ups("Ruang Server", "u2", True, 99, 30)],
        30, 1, 1, 1.0,
    ),
    # Door, log and fire hold; the camera was up 94 % of the time, whatever the list says; one was not looked at.
    "physical_checklist": (
        [
            SERVER, Device("cam", room="Ruang Server", tags=("cctv",)), Polled("cam", 100, 94, 6),
            RoomCheck("c", "Ruang Server", date(2026, 3, 1), True, True, True, None, True),
        ],
        3, 3, 4, 0.8,
    ),
    # A: both in a data centre. B: one at the office. C: not known where.
    "dc_ladder": (
        [
            app("1", data_centre=True), app("2", data_centre=True), app("3", agency="dinas-b", data_centre=False),
            app("4", agency="dinas-c"), app("5", agency="rsud", agency_kind="rsud", data_centre=False),
        ],
        50.0, 1, 2, 0.6667,
    ),
    "command_center_pct": ([Centre("CC", 1000, 800, 760, ("device/wall",))], 95.0, 760, 800, 0.8),
    "app_complete_pct": (
        [app("a", hosting="pdn", url="https://a", depends_on=1), app("b", hosting="pdn", url="https://b")],
        50.0, 1, 2, 1.0,
    ),
    # 99 % and 98 %; one was not checked; a national one and one of less weight are apart.
    "app_availability_pct": (
        [
            app("a", observed_ms=MONTH_MS, up_ms=MONTH_MS * 99 // 100),
            app("b", observed_ms=MONTH_MS, up_ms=MONTH_MS * 98 // 100), app("c"),
            app("n", national=True, observed_ms=MONTH_MS), app("l", criticality=2, observed_ms=MONTH_MS),
        ],
        98.5, 1.97, 2, 0.6667,
    ),
    "spl_ladder": (
        [app("a", spl=False), app("b", spl=True), app("c", agency="dinas-b", spl=False)], 50.0, 1, 2, 1.0,
    ),
    # 14 days is enough; plain HTTP has none; one that was never greeted is not known.
    "tls_ok_pct": (
        [
            app("a", url="https://a", certificate_days=14.0, tls_ok=True), app("h", url="http://h"),
            app("b", url="https://b", certificate_days=99.0, tls_ok=False), app("c", url="https://c"), app("n"),
        ],
        33.33, 1, 3, 0.75,
    ),
    # v2c is not safe; v3 is, once the probe found nothing else open; one not probed is not known.
    "secure_mgmt_pct": (
        [
            Device("a", snmp="2c", snmp_safe=False), Device("b", snmp="3", snmp_safe=True),
            Device("c", snmp="3", snmp_safe=True), Device("d", snmp="3", snmp_safe=True), Device("x", managed=False),
            Exposure("b", NOW, True), Exposure("c", NOW, True, ("telnet",)),
        ],
        33.33, 1, 3, 0.75,
    ),
    # 9 of 10 unused ports shut is enough; zones that nobody judged leave it open, open ports do not.
    "zoned_pct": (
        [Zoning("a", True, 10, 9), Zoning("b", True, 10, 8), Zoning("c", None, 10, 10), Zoning("d", None, 10, 0)],
        33.33, 1, 3, 0.75,
    ),
    # 7.9 lies before 7.15.2, which mends it; one of 20 days does not count yet; no list tells of ios.
    "vuln_free_pct": (
        [
            *(Device(n, platform="routeros", version=v) for n, v in (("a", "7.9"), ("b", "7.15.2"), ("c", "7.20"))),
            Device("d", platform="routeros"), Device("e", platform="ios", version="15.2"),
            Advisory("CVE-1", "routeros", "critical", published=date(2026, 5, 1), fixed_version="7.15.2"),
            Advisory("CVE-2", "routeros", "critical", published=date(2026, 10, 11), fixed_version="7.30"),
            Advisory("CVE-3", "routeros", "high", published=date(2026, 1, 1), fixed_version="8"),
        ],
        66.67, 2, 3, 0.6,
    ),
    "logs_pct": (
        [
            *(Device(n) for n in "abcd"), Logged("a", NOW, 5.0), Logged("b", NOW, -5.1),
            Logged("c", UNTIL - timedelta(hours=25), 0.0), Logged("d", NOW),
        ],
        33.33, 1, 3, 0.75,
    ),
    # A provider's account ends with its contract and comes by the jump host; shared accounts name nobody.
    "access_ok_pct": (
        [
            Account("a", "Budi", scope="admin", mfa=True), Account("b", scope="admin", mfa=True),
            Account("c", "Tek", "isp", scope="admin", mfa=True, expires=LAST, contract_end=LAST, via_jump_host=True),
            Account("d", "Tek", "isp", scope="admin", mfa=True, expires=date(2027, 1, 1), contract_end=LAST),
            Account("e", "Tek", "isp", scope="admin", mfa=True, expires=LAST, contract_end=LAST), Account("r"),
        ],
        50.0, 2, 4, 0.8,
    ),
    # One restore within 180 days; one is older, one failed.
    "restore_test_pct": (
        [
            app("a"), app("b"), app("c"), paper("uji_pulih", about="service/a"),
            Document("u2", "uji_pulih", date(2026, 5, 3), about="service/b"),
            Document("u3", "uji_pulih", LAST, about="service/c", result="Gagal"),
        ],
        33.33, 1, 3, 1.0,
    ),
    "policy_ladder": (
        [
            paper("perbup_jip"), paper("perbup_keamanan", date(2015, 1, 1)),
            paper("perbup_aset_tik", valid_until=date(2026, 10, 30)),
        ],
        2, 2, 5, 1.0,
    ),
    "asset_mgmt_ladder": (
        [Device("a"), *opd("d"), Asset("1", agency="d", status="disposed")], 0.0, 0, 1, 1.0,
    ),
    # From 1 September to 31 October: 60 days.
    "arch_doc_ladder": (
        [paper("arsitektur_jaringan"), paper("arsitektur_jaringan", date(2020, 1, 1))], 60, None, None, 1.0,
    ),
    # One decree of two, and one agency of four with somebody named: 1.25 of 3.
    "bodies_pct": (
        [*opd("a", "b", "c"), *opd("d", contacts=("Budi",)), paper("sk_pengelola")], 41.67, 1.25, 3, 1.0,
    ),
    "ttis_ladder": ([app("a", incident_contact=True), app("b"), paper("sk_ttis")], 50.0, 1, 2, 1.0),
    "audit_ladder": ([paper("rencana_audit"), paper("laporan_audit_internal")], 2, None, None, 1.0),
    # Of three open ones one is owned and in time, one nobody's, one overdue; a closed one is apart.
    "risk_on_time_pct": (
        [
            Risk("1", owner="B", due=LAST), Risk("2", due=LAST), Risk("3", owner="B", due=date(2026, 10, 30)),
            Risk("4", closed=LAST),
        ],
        33.33, 1, 3, 1.0,
    ),
    "roadmap_pct": (
        [
            Milestone("1", due=LAST, done=LAST), Milestone("2", due=date(2026, 6, 1), done=date(2026, 6, 2)),
            Milestone("3", due=date(2027, 1, 1)),
        ],
        50.0, 1, 2, 1.0,
    ),
    "kami_status": ([paper("hasil_kami", result="cukup baik")], 4, None, None, 1.0),
    # 4 h for priority 1, 24 h for 3; one of an unknown priority is not known, one closed later is not of this period.
    "tickets_on_time_pct": (
        [
            Ticket("1", 1, SINCE, SINCE + timedelta(hours=4)), Ticket("2", 1, SINCE, SINCE + timedelta(hours=5)),
            Ticket("3", 3, SINCE, SINCE + timedelta(hours=24)), Ticket("4", 9, SINCE, SINCE + timedelta(hours=1)),
            Ticket("5", 1, SINCE, UNTIL), Ticket("6", 1, SINCE),
        ],
        66.67, 2, 3, 0.75,
    ),
}  # fmt: skip


def reading(name: str, ask: Told) -> Reading:
    return measures.find(name)(ask, LIMITS)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_an_indicator_is_what_a_hand_computes(name: str) -> None:
    facts, value, numerator, counted, coverage = TABLE[name]
    found = reading(name, told(*facts))
    assert (found.value, found.numerator, found.counted, found.coverage) == (
        value,
        numerator,
        counted,
        coverage,
    )


def test_the_table_has_every_measure_of_the_rubric_and_of_the_folder() -> None:
    assert set(TABLE) == {i.measure for i in load().rubric.indicators} == measures.names()


@pytest.mark.parametrize("name", sorted(TABLE))
def test_nothing_known_is_no_value_and_no_coverage_or_an_open_ladder(name: str) -> None:
    found = reading(name, told())
    assert found.value is None
    assert found.coverage == 0 or all(v is None for _, v in found.terms)
    assert found.note


@pytest.mark.parametrize(
    "row", [i for i in load().rubric.indicators if i.direction == "ladder"], ids=lambda i: i.id
)
def test_a_ladder_asks_only_for_terms_that_its_measure_tells(row: Indicator) -> None:
    terms = dict(reading(row.measure, told(*TABLE[row.measure][0])).terms)
    asked = {n for _, _, needs in row.steps() for need in needs for n in need.names()}
    assert asked <= set(terms)


def test_the_members_are_named_and_dated() -> None:
    facts, *_ = TABLE["intra_ladder"]
    found = reading("intra_ladder", told(*facts))
    assert (found.denominator, found.met, found.unknown, found.missing) == (("a", "b"), ("a",), ("c",), 1)
    assert found.as_of == LAST
    assert "list/opd@2025" in found.evidence


def test_nothing_to_claim_is_everything_claimed() -> None:
    found = reading("restitution_claimed_pct", told(bought("wan"), contract(), day("wan"), away("wan", 5)))
    assert (found.value, found.note) == (100.0, "nothing-claimable")


def test_a_priced_claim_without_a_register_is_not_known() -> None:
    terms = contract(penalty="1%/jam", monthly_idr=1_000_000)
    found = reading("restitution_claimed_pct", told(bought("wan"), terms, day("wan"), away("wan", 240)))
    assert (found.value, found.note) == (None, "no-restitutions")


def test_no_outage_of_a_watched_line_is_no_time_to_restore() -> None:
    found = reading("restore_p90_h", told(Line("a", priority=1), day("a")))
    assert (found.value, found.coverage) == (0.0, 1.0)
    blind = reading("restore_p90_h", told(Line("a", priority=1), day("a", 0, 0)))
    assert (blind.value, blind.coverage) == (None, 0.0)


def test_a_power_outage_in_the_server_room_is_a_term_of_the_ladder() -> None:
    room = [SERVER, Ups("Ruang Server", "u", True, 99, 12.5), Device("srv", data_centre=True)]
    terms = dict(reading("power_ladder", told(*room, away("srv", 9, "power"), away("srv", 9, "link"))).terms)
    assert terms == {"ups_monitored": True, "r": 12.5, "dc_power_outages": 1}
    bare = dict(reading("power_ladder", told(SERVER)).terms)
    assert bare == {"ups_monitored": False, "r": None, "dc_power_outages": None}


def test_hours_past_midnight_belong_to_the_week() -> None:
    people = [Person("A", on_call=True, on_duty="Sun 22.00-08.00")]
    found = reading("oncall_pct", told(*people))
    assert found.numerator == 30  # Monday 07.30 to 08.00


def test_hours_that_nobody_can_read_are_not_known() -> None:
    some = [Person("A", on_call=True, on_duty="siang"), Person("B", on_call=True, on_duty="Mon 07.30-16.30")]
    found = reading("oncall_pct", told(*some))
    assert (found.value, found.coverage) == (20.0, 0.5)


assert DAY_MS == 24 * HOUR_MS
assert datetime(2026, 10, 31, 17, tzinfo=UTC) == UNTIL
