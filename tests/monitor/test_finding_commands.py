"""From a configuration or an open door to a finding, to whoever sees to it, to its end when it is proven mended."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agent import Script, switch
from fleet import Fleet, fleet

from inventory.findings_store import remedy_of
from inventory.store import open_engine, reading
from siaga.errors import InvalidError, NotFoundError
from siaga.settings import Settings
from tests.cli_runner import Siaga, runner
from tests.homes import prepare
from tests.monitor.test_service_commands import serving
from tests.monitor.web_servers import HOST, answers, issued, page

GOOD, BAD = (Path(__file__).parent / "configurations" / f"linux.{kind}" for kind in ("good", "bad"))
HERE = "127.84.2.1"


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], scrubbed: Path, tmp_path: Path) -> Siaga:
    prepare(Settings(home=scrubbed))
    own = runner(capsys)
    own("device", "add", "srv-mauk", "role=server", "platform=linux", f"address={HERE}").well()
    servers = ('var.ntp_servers=["10.36.0.1"]', 'var.syslog_servers=["10.36.0.9"]')
    own("layer", "add", "regency", *servers).well()
    own("person", "add", "Budi").well()
    (tmp_path / "configs").mkdir()
    return own


def put(folder: Path, text: str, days: float = 0) -> None:
    path = folder / "configs" / "srv-mauk.conf"
    path.write_text(text)
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def rows(siaga: Siaga, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(siaga("finding", "list", *words, "-o", "json").well().out)
    return found


def check(siaga: Siaga, folder: Path, code: int, *words: str) -> str:
    said = siaga("compliance", "check", "--configs", folder / "configs", *words)
    assert said.code == code, said
    return said.out


def test_a_finding_opens_stays_and_closes_when_a_later_configuration_proves_it_mended(
    siaga: Siaga, tmp_path: Path
) -> None:
    put(tmp_path, BAD.read_text())
    check(siaga, tmp_path, 6)
    found = {r["rule"]: r for r in rows(siaga)}
    root = found["linux-root-login"]
    assert (root["severity"], root["device"], root["article"]) == ("high", "srv-mauk", "33(2)b")
    assert root["evidence"] == ["/etc/ssh/sshd_config: PermitRootLogin yes"]
    assert root["evidence_at"]

    check(siaga, tmp_path, 6)  # again: the same findings, none twice
    assert {r["id"] for r in rows(siaga)} == {r["id"] for r in found.values()}

    (tmp_path / "configs" / "srv-mauk.conf").unlink()  # no evidence: nothing closes
    check(siaga, tmp_path, 7)
    assert len(rows(siaga)) == len(found)

    put(tmp_path, GOOD.read_text())
    check(siaga, tmp_path, 0)
    assert rows(siaga) == []
    closed = {r["rule"]: r["closed_why"] for r in rows(siaga, "--all")}
    assert closed == dict.fromkeys(found, "mended")


def test_what_was_found_of_a_retired_device_is_gone(siaga: Siaga, tmp_path: Path) -> None:
    put(tmp_path, BAD.read_text())
    check(siaga, tmp_path, 6)
    siaga("device", "set", "srv-mauk", "status=retired").well()
    check(siaga, tmp_path, 0)
    assert {r["closed_why"] for r in rows(siaga, "--all")} == {"gone"}


def test_an_old_configuration_closes_nothing(siaga: Siaga, tmp_path: Path) -> None:
    put(tmp_path, BAD.read_text())
    check(siaga, tmp_path, 6)
    before = len(rows(siaga))
    put(tmp_path, GOOD.read_text(), days=40)
    check(siaga, tmp_path, 7)
    assert len(rows(siaga)) == before
    listed = json.loads(siaga("compliance", "list", "-o", "json").well().out)
    assert {r["verdict"] for r in listed} == {"unknown"}
    assert all(39.9 < r["age_d"] < 40.2 for r in listed)


def test_a_finding_names_the_playbook_with_its_parameters(
    siaga: Siaga, tmp_path: Path, scrubbed: Path
) -> None:
    put(tmp_path, BAD.read_text())
    check(siaga, tmp_path, 6)
    numbers = {r["rule"]: r["id"] for r in rows(siaga)}
    with reading(open_engine(Settings(home=scrubbed))) as session:
        remedy = remedy_of(session, numbers["linux-ntp"])
        assert (remedy.playbook, remedy.selector) == ("baseline", "srv-mauk")
        assert remedy.params == {"ntp_servers": ["10.36.0.1"]}
        with pytest.raises(InvalidError, match="No playbook"):
            remedy_of(session, numbers["linux-telnet-off"])
        with pytest.raises(NotFoundError):
            remedy_of(session, 999)


def test_a_dry_run_stores_nothing(siaga: Siaga, tmp_path: Path) -> None:
    put(tmp_path, BAD.read_text())
    check(siaga, tmp_path, 6, "--dry-run")
    assert rows(siaga) == []


def test_a_rule_is_explained_with_the_lines_that_break_it(siaga: Siaga, tmp_path: Path) -> None:
    put(tmp_path, BAD.read_text())
    said = siaga(
        "compliance", "explain", "linux-ntp", "srv-mauk", "--configs", tmp_path / "configs", "-o", "json"
    )
    told = json.loads(said.well().out)
    assert (told["verdict"], told["values"]) == ("broken", {"ntp_servers": ["10.36.0.1"]})
    assert told["mend"] == {"playbook": "baseline", "params": {"ntp_servers": ["10.36.0.1"]}}
    siaga("compliance", "explain", "ios-ntp", "srv-mauk", "--configs", tmp_path / "configs").failed(
        5, "rule-not-meant"
    )
    siaga("compliance", "explain", "no-such").failed(3, "no-such-rule")


def test_who_sees_to_it_and_whose_risk_it_is(siaga: Siaga, tmp_path: Path) -> None:
    put(tmp_path, BAD.read_text())
    check(siaga, tmp_path, 6)
    first, second, *_ = rows(siaga)
    siaga("finding", "assign", first["id"], "Budi", "--due", "14d").well()
    siaga("finding", "assign", first["id"], "Nobody").failed(3, "no-such-person")
    siaga("finding", "accept", second["id"], "--until", "90d").failed(2, "no-reason")
    siaga("finding", "accept", second["id"], "--until", "90d", "--why", "diganti 2027").well()
    found = {r["id"]: r for r in rows(siaga, "--all")}
    assert found[first["id"]]["owner"] == "Budi"
    assert found[second["id"]]["state"] == "accepted"
    assert second["id"] not in {r["id"] for r in rows(siaga)}
    siaga("history", "verify").well()
    assert "finding" in siaga("history", "list").well().out
    put(tmp_path, GOOD.read_text())
    check(siaga, tmp_path, 0)
    siaga("finding", "assign", first["id"], "Budi").failed(5, "finding-closed")


MEANINGLESS: tuple[tuple[tuple[object, ...], int, str], ...] = (
    (("finding", "show", 99), 3, "no-such-finding"),
    (("finding", "list", "--severity", "huge"), 2, "bad-severity"),
    (("finding", "list", "role=router"), 3, "nothing-selected"),
    (("finding", "close", 1), 2, "no-reason"),
    (("finding", "accept", 1, "--until", "never", "--why", "x"), 2, "bad-time"),
    (("compliance", "check", "--configs", "/no/such/folder"), 3, "no-such-folder"),
    (("compliance", "check"), 3, "no-configurations"),
    (("compliance", "list", "--verdict", "maybe"), 2, "bad-verdict"),
    (("compliance", "rules", "of-nobody"), 3, "no-rules"),
    (("compliance", "changes", "/no/file", "/no/file"), 3, "no-such-file"),
    (("audit", "10.0.0.0/8"), 2, "too-many"),
    (("audit", "10.0.0.1", "role=router"), 2, "mixed"),
    (("audit", "nobody-is-called-so"), 3, "nothing-selected"),
    (("audit", "srv-mauk", "--try-defaults"), 2, "needs-yes"),
)


def test_what_cannot_be_meant_is_one_clear_line(siaga: Siaga) -> None:
    for words, code, name in MEANINGLESS:
        siaga(*words).failed(code, name)


OWN = """platforms = ["ios"]
dialect = "{}"
whole = "^x"
[[rule]]
name = "a"
title = "Long enough"
severity = "low"
"""


UNREADABLE = (
    ("platforms = 1", "platforms"),
    ("x = [", "own.toml"),
    (
        'platforms=["ios"]\ndialect="indent"\nwhole="^x"\n[[rule]]\nname="a"\ntitle="Long enough"',
        "a.severity",
    ),
    (OWN.format("indent") + 'must_have=["(a+)+$("]', "must_have"),
    (OWN.format("fortios") + 'must_have=["^a"]', "'ios' are written in one way"),
)


def test_rules_that_cannot_be_read_are_told_by_file_and_place(siaga: Siaga, scrubbed: Path) -> None:
    (scrubbed / "compliance").mkdir()
    for text, told in UNREADABLE:
        (scrubbed / "compliance" / "own.toml").write_text(text)
        problems = siaga("compliance", "rules").failed(5, "bad-rules")
        assert told in " ".join(problems)


def test_a_rule_of_the_regencys_own_replaces_ours(siaga: Siaga, scrubbed: Path, tmp_path: Path) -> None:
    (scrubbed / "compliance").mkdir()
    (scrubbed / "compliance" / "own.toml").write_text(
        'platforms = ["linux"]\ndialect = "files"\nwhole = "^/etc/"\n[[rule]]\nname = "linux-root-login"\n'
        'title = "Root may log in here"\nseverity = "low"\n'
        'section = ["^/etc/ssh/"]\nmust_have = ["^PermitRootLogin yes"]'
    )
    put(tmp_path, BAD.read_text())
    check(siaga, tmp_path, 6)
    assert "linux-root-login" not in {r["rule"] for r in rows(siaga)}


# --- the audit


@pytest.fixture
def door(siaga: Siaga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """An SNMP agent that knows 'public', and settings under which no other door is asked at its usual port."""
    path = tmp_path / "siaga.toml"
    path.write_text(
        "[audit]\ntelnet_port = 24623\nhttp_ports = [24680]\nhttps_ports = [24643]\ntimeout_s = 0.5\n"
        "guess_timeout_s = 0.1\nlogin_pause_s = 0\n"
    )
    monkeypatch.setenv("SIAGA_CONFIG", str(path))
    with fleet({HERE: Script(switch()).answer}) as own:
        siaga("device", "set", "srv-mauk", f"snmp_port={own.port}", "ssh_port=24622").well()
        yield own


def audited(siaga: Siaga, code: int, *words: str) -> list[dict[str, Any]]:
    said = siaga("audit", *words, "-o", "json")
    assert said.code == code, said
    found: list[dict[str, Any]] = json.loads(said.out)
    return found


def test_an_audit_finds_the_open_door_and_sees_it_shut(siaga: Siaga, door: Fleet) -> None:
    found = {r["rule"]: r for r in audited(siaga, 6, "srv-mauk")}
    assert set(found) == {"snmp-default-community", "snmp-v1"}
    assert found["snmp-default-community"]["severity"] == "critical"
    assert (found["snmp-v1"]["device"], found["snmp-v1"]["article"]) == ("srv-mauk", "33(2)d")
    door.answers[HERE] = Script(switch(), community=b"another").answer
    assert audited(siaga, 0, "srv-mauk") == []
    assert {r["closed_why"] for r in rows(siaga, "--all")} == {"mended"}


def test_a_risk_that_is_carried_does_not_fail_the_audit(siaga: Siaga, door: Fleet) -> None:
    for row in audited(siaga, 6, "srv-mauk"):
        siaga("finding", "accept", row["id"], "--until", "30d", "--why", "uji").well()
    assert {r["state"] for r in audited(siaga, 0, "srv-mauk")} == {"accepted"}


def test_the_records_are_asked_with_everything(siaga: Siaga, door: Fleet) -> None:
    siaga("provider", "add", "pt-vendor").well()
    siaga("account", "add", "vendor1", "provider=pt-vendor", "device=srv-mauk", "expires=2024-01-01").well()
    siaga("device-type", "add", "old", "maker=x", "eol=2020-01-01").well()
    siaga("device", "set", "srv-mauk", "device_type=old").well()
    assert {"device-eol", "account-expired"} <= {r["rule"] for r in audited(siaga, 6)}
    siaga("account", "rm", "vendor1", "--yes").well()
    assert "account-expired" not in {r["rule"] for r in audited(siaga, 6)}


def test_a_dry_run_of_the_audit_stores_nothing(siaga: Siaga, door: Fleet) -> None:
    assert {r["id"] for r in audited(siaga, 6, "srv-mauk", "--dry-run")} == {None}
    assert rows(siaga) == []


def test_tried_logins_stand_in_the_history(siaga: Siaga, door: Fleet) -> None:
    audited(siaga, 6, "srv-mauk", "--try-defaults", "--yes", "--why", "serah terima")
    siaga("history", "verify").well()
    listed = json.loads(siaga("history", "list", "-o", "json").well().out)
    assert (listed[0]["what"], listed[0]["why"]) == ("audit srv-mauk", "serah terima")


def test_only_recorded_devices_are_tried_with_logins(siaga: Siaga, door: Fleet) -> None:
    said = siaga("audit", "127.84.2.9", "--try-defaults", "--yes")
    assert said.code == 0
    assert "audit" not in siaga("history", "list").well().out


def test_a_service_is_graded_and_its_certificate_watched(siaga: Siaga, door: Fleet, tmp_path: Path) -> None:
    door.answers[HERE] = Script(switch(), community=b"another").answer
    own = issued(tmp_path, days=20, self_signed=True).context()
    with serving(answers(page(b"Masuk")), own) as port:
        siaga("service", "add", "e-planning", f"url=https://{HOST}:{port}/").well()
        found = {r["rule"]: r for r in audited(siaga, 6)}
    grade, expiry = found["tls-grade"], found["tls-expiry"]
    assert (grade["title"], grade["severity"]) == ("The TLS of e-planning is graded T.", "high")
    assert grade["subject"] == "service e-planning"
    assert (expiry["severity"], expiry["article"]) == ("medium", "33(2)k")
    audited(siaga, 6)  # it does not answer any more: nothing is closed by that
    assert {"tls-grade", "tls-expiry"} <= {r["rule"] for r in rows(siaga)}
