"""What an audit makes of what it saw: literal doors, records and certificates, and the answer to each."""

from datetime import UTC, date, datetime, timedelta

import pytest

from inventory.findings import Judged, Verdict
from monitor.audit import records, tls
from monitor.audit.default_logins import Tried
from monitor.audit.default_logins import judged as logins_judged
from monitor.audit.doors import Doors, Page
from monitor.audit.guesses import Answers
from monitor.audit.judge import CHECKS, Place, exposure, judged
from monitor.audit.kexinit import Offer
from monitor.audit.records import Box, Login
from monitor.audit.ssh_judge import weak, weak_keys
from monitor.probes.result import Certificate, Probed
from monitor.probes.result import Verdict as Asked
from monitor.targets import SnmpVersion

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
TODAY = NOW.date()
GOOD = Offer(
    "2.0", "OpenSSH_9.2", ("curve25519-sha256",), ("ssh-ed25519", "rsa-sha2-512"), ("aes256-ctr",), ("x",)
)
SHUT = {"ssh": "open", "telnet": "closed", "http": "closed", "https": "closed"}
PLACE = Place("10.3.1.1", 7, "rtr-mauk", "router", credential="snmp-v3")
CLEAN = Doors("10.3.1.1", SHUT, ssh=GOOD, rsa_bits=3072)
SILENT = Doors("10.3.1.1", dict.fromkeys(SHUT, "unknown"))
V2C, V1 = SnmpVersion.v2c, SnmpVersion.v1


def found(doors: Doors, agent: Answers | None = None, place: Place = PLACE) -> dict[str, Judged]:
    return {j.key.rule: j for j in judged(place, doors, Answers() if agent is None else agent, NOW)}


def broken(doors: Doors, agent: Answers | None = None, place: Place = PLACE) -> dict[str, str]:
    return {r: j.severity for r, j in found(doors, agent, place).items() if j.verdict is Verdict.broken}


def test_a_device_with_its_doors_shut_has_no_finding() -> None:
    assert {j.verdict for j in found(CLEAN).values()} == {Verdict.met}
    assert found(CLEAN).keys() == CHECKS.keys() - {"host-not-recorded"}


def test_silence_proves_nothing() -> None:
    verdicts = {r: j.verdict for r, j in found(SILENT).items()}
    assert verdicts.pop("snmp-v3-unused") is Verdict.met  # siaga asks it by v3: that is known without it
    assert set(verdicts.values()) == {Verdict.unknown}


@pytest.mark.parametrize(
    ("doors", "agent", "place", "wanted"),
    [
        (CLEAN, Answers([(V2C, "public")]), PLACE, {"snmp-default-community": "critical"}),
        (CLEAN, Answers([(V1, "mauk")]), PLACE, {"snmp-guessable-community": "high", "snmp-v1": "medium"}),
        (CLEAN, Answers(v3=True), Place("a", 7, credential="snmp-v2c"), {"snmp-v3-unused": "medium"}),
        (CLEAN, Answers(v3=False), Place("a", 7, credential="snmp-v2c"), {}),
        (CLEAN, Answers(), Place("a", 7, credential="snmp-v1"), {"snmp-v1": "medium"}),
        (Doors("a", {**SHUT, "telnet": "open"}, ssh=GOOD), None, PLACE, {"telnet-open": "high"}),
        (
            Doors("a", {**SHUT, "http": "open"}, ssh=GOOD, pages=(Page(80, 200),)),
            None,
            PLACE,
            {"http-open": "high"},
        ),
        (
            Doors("a", {**SHUT, "http": "open"}, ssh=GOOD, pages=(Page(80, 200),)),
            None,
            Place("a", 7, role="server"),
            {"http-open": "low"},
        ),
        (Doors("a", SHUT, ssh=Offer("1.5", "Old")), None, PLACE, {"ssh-protocol-1": "critical"}),
        (Doors("a", SHUT, ssh=GOOD, rsa_bits=1024), None, PLACE, {"ssh-weak-key": "high"}),
        (Doors("a", SHUT, ssh=GOOD, old_tls=("TLSv1.1 at 443",)), None, PLACE, {"tls-old-version": "medium"}),
        (CLEAN, None, Place("10.3.1.99"), {"host-not-recorded": "medium"}),
    ],
)
def test_an_open_door_is_a_finding(
    doors: Doors, agent: Answers | None, place: Place, wanted: dict[str, str]
) -> None:
    assert broken(doors, agent, place) == wanted


def test_no_community_of_a_devices_own_is_told() -> None:
    told = found(CLEAN, Answers([(V2C, "mauk"), (V1, "mauk")]))
    assert all("mauk" not in " ".join((*j.evidence, j.detail, j.title)) for j in told.values())


def test_a_host_without_a_row_is_known_by_its_address() -> None:
    keys = {j.key.text for j in judged(Place("10.3.1.99"), CLEAN, None, NOW)}
    assert "audit/telnet-open//10.3.1.99" in keys


def test_what_is_kept_of_the_doors_has_three_values() -> None:
    assert exposure(PLACE, CLEAN, Answers([(V2C, "public")], v3=True)) == {
        **SHUT,
        "snmp-v1": "unknown",
        "snmp-v2c": "open",
        "snmp-v3": "open",
    }
    shut = exposure(PLACE, CLEAN, Answers(closed=True))
    assert (shut["snmp-v1"], shut["snmp-v2c"], shut["snmp-v3"]) == ("closed",) * 3


# --- SSH


def test_weak_algorithms_are_told_the_worst_first() -> None:
    offer = Offer(
        "2.0", "x", ("diffie-hellman-group1-sha1", "curve25519-sha256"), (), ("aes128-cbc", "3des-cbc"), ()
    )
    assert [(w.kind, w.name, w.severity) for w in weak(offer)] == [
        ("key exchange", "diffie-hellman-group1-sha1", "high"),
        ("cipher", "3des-cbc", "medium"),
        ("cipher", "aes128-cbc", "low"),
    ]
    assert weak(GOOD) == []


@pytest.mark.parametrize(
    ("kinds", "bits", "severities"),
    [
        (("ssh-ed25519",), None, []),
        (("ssh-dss",), None, ["high"]),
        (("ssh-rsa",), 2048, ["medium"]),
        (("ssh-rsa",), 768, ["medium", "high"]),
        (("rsa-sha2-256", "ssh-rsa"), 2048, []),
        (("rsa-sha2-256",), 1024, ["high"]),
    ],
)
def test_weak_host_keys(kinds: tuple[str, ...], bits: int | None, severities: list[str]) -> None:
    assert [s for s, _ in weak_keys(Offer("2.0", "x", (), kinds), bits)] == severities


# --- TLS


def certificate(**other: object) -> Certificate:
    begin, end = NOW - timedelta(days=90), NOW + timedelta(days=90)
    values: dict[str, object] = {
        "subject": "CN=eplanning", "names": (), "issuer": "CN=ca", "serial": "1", "not_before": begin,
        "not_after": end, "days_left": 90.0, "chain": "", "name_matches": True, "self_signed": False,
        "protocol": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "sha256": "ab" * 32,
    }  # fmt: skip
    return Certificate(**{**values, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "old", "letter"),
    [
        ({}, None, "A"),
        ({"protocol": "TLSv1.2", "cipher": "ECDHE-RSA-AES128-GCM-SHA256"}, None, "A"),
        ({"protocol": "TLSv1.2", "cipher": "AES128-SHA"}, None, "B"),
        ({"days_left": 20.0}, None, "B"),
        ({}, "TLSv1.1", "C"),
        ({"protocol": "TLSv1"}, None, "C"),
        ({"chain": "self-signed certificate", "self_signed": True}, "TLSv1.1", "T"),
        ({"name_matches": False}, None, "T"),
        ({"days_left": -3.0, "chain": "certificate has expired"}, None, "F"),
    ],
)
def test_the_letter_of_a_service(other: dict[str, object], old: str | None, letter: str) -> None:
    assert tls.grade(certificate(**other), old)[0] == letter


def of_service(one: Certificate | None, tried: bool = True) -> dict[str, tuple[str, str]]:
    probed = Probed("eplanning", "http", "https://eplanning/", NOW, Asked.ok, certificate=one)
    return {j.key.rule: (j.verdict.value, j.severity) for j in tls.judged(probed, None, tried, NOW)}


def test_a_certificate_that_ends_is_a_finding_before_it_does() -> None:
    assert of_service(certificate(days_left=20.0))["tls-expiry"] == ("broken", "medium")
    assert of_service(certificate(days_left=5.0))["tls-expiry"] == ("broken", "high")
    assert of_service(certificate(days_left=-1.0))["tls-expiry"] == ("broken", "critical")
    assert of_service(certificate())["tls-expiry"][0] == "met"


def test_a_service_that_does_not_answer_proves_nothing() -> None:
    assert {v for v, _ in of_service(None).values()} == {"unknown"}
    assert of_service(certificate(), tried=False)["tls-grade"][0] == "unknown"


# --- records


def said(answers: object) -> dict[str, str]:
    return {j.key.text.removeprefix("audit/"): j.verdict.value for j in answers}  # type: ignore[attr-defined]


def test_end_of_life_is_by_the_type_and_by_the_day() -> None:
    old = Box(1, "a", type_name="C2960", eos=date(2019, 10, 31), eol=date(2024, 10, 31))
    new = Box(2, "b", type_name="C9200", eos=date(2030, 1, 1), eol=date(2035, 1, 1))
    last = Box(3, "c", type_name="X", eol=TODAY)
    assert said(records.end_of_life([old, new, last, Box(4, "d")], TODAY)) == {
        "device-eol/1/": "broken",
        "device-eos/1/": "broken",
        "device-eol/2/": "met",
        "device-eos/2/": "met",
        "device-eol/3/": "met",
        "device-eos/3/": "none",
        "device-eol/4/": "none",
        "device-eos/4/": "none",
    }


def test_firmware_is_behind_what_most_of_its_like_run() -> None:
    fleet = [Box(n, f"r{n}", "routeros", "RB5009", version="7.14.3") for n in range(1, 4)]
    behind, ahead = (Box(n, "x", "routeros", "RB5009", version=v) for n, v in ((8, "7.9.2"), (9, "7.15")))
    lone = Box(10, "y", "ios", "C2960", version="12.2(55)SE")
    verdicts = said(records.firmware([*fleet, behind, ahead, lone]))
    assert verdicts["firmware-behind/8/"] == "broken"
    assert verdicts["firmware-behind/9/"] == verdicts["firmware-behind/1/"] == "met"
    assert verdicts["firmware-behind/10/"] == "none"


def test_a_third_partys_account_must_end_and_not_be_over() -> None:
    logins = [
        Login("vendor1", 1, True, date(2026, 1, 31), "Andi"),
        Login("vendor2", 1, True, None, "Andi"),
        Login("vendor3", 1, True, date(2027, 1, 31), "Andi"),
        Login("staf", 1, False, None, "Budi"),
    ]
    verdicts = said(records.accounts(logins, TODAY))
    assert verdicts["account-expired/1/account vendor1"] == "broken"
    assert verdicts["account-no-end/1/account vendor2"] == "broken"
    assert {verdicts[f"account-expired/1/account {n}"] for n in ("vendor2", "vendor3")} == {"met"}
    assert verdicts["account-expired/1/account staf"] == "none"


def test_addresses_in_dhcp_pools_are_no_strangers() -> None:
    rows = [
        {"address": "10.3.1.9", "mac": "aa", "prefix": "10.3.1.0/24", "dhcp": False},
        {"address": "10.3.1.200", "mac": "bb", "prefix": "10.3.1.0/24", "dhcp": True},
        {"address": "10.3.2.1", "mac": "cc", "prefix": None, "dhcp": False},
    ]
    told = list(records.strangers(rows))
    assert [(j.key.subject, len(j.evidence)) for j in told] == [
        ("prefix 10.3.1.0/24", 1),
        ("prefix no recorded prefix", 1),
    ]


def test_a_login_that_was_tried_has_three_answers() -> None:
    tried = [
        (PLACE, Tried(2, "admin")),
        (PLACE, Tried(3)),
        (PLACE, Tried(0, "", "It did not answer in time.")),
    ]
    answers = list(logins_judged(tried, NOW))
    assert [a.verdict for a in answers] == [Verdict.broken, Verdict.met, Verdict.unknown]
    assert (answers[0].severity, answers[0].key.rule) == ("critical", "default-login")
    assert "admin" in answers[0].evidence[0]
