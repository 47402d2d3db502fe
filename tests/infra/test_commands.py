"""The commands, as an operator types them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import cli
from siaga.who import account, who
from tests.infra.conftest import AUTH, Regency
from tests.infra.test_provisioning import TOUCH


@pytest.fixture(autouse=True)
def _home(regency: Regency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIAGA_HOME", str(regency.settings.home))
    monkeypatch.setenv("SIAGA_PLAYBOOKS", str(regency.settings.playbooks[0]))
    monkeypatch.setenv("SIAGA_POLL__TIMEOUT_S", "0.2")  # the hosts have no agent
    monkeypatch.setenv("SIAGA_POLL__RETRIES", "0")
    regency.play("touch", TOUCH)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command line; return exit code, standard output and standard error."""
    code = cli.run(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_plan_apply_and_look_back(regency: Regency, capsys: pytest.CaptureFixture[str]) -> None:
    regency.change("srv-2", ssh_port=1)
    code, out, err = said(capsys, "plan", "touch", "role=server")
    assert code == 7
    assert "    +++ " + str(regency.farm.hosts[0].root / "etc/who") in out
    assert "srv-1: changed: Write who you are" in err
    assert "Unreachable: srv-2." in out
    name = out.rpartition("siaga apply ")[2].strip()

    code, out, err = said(capsys, "apply", name)
    assert (code, "needs-yes" in err) == (2, True)
    code, out, err = said(capsys, "apply", name, "--yes", "-o", "json")
    assert code == 0, err
    result: dict[str, Any] = json.loads(out)
    assert (result["name"], result["status"]) == (name, "ok")
    assert [(h["host"], h["status"], h["changed"]) for h in result["hosts"]] == [("srv-1", "changed", 1)]
    assert "Not changed, because the check did not succeed there: srv-2." in err

    code, out, _ = said(capsys, "job", "list", "-o", "json")
    assert [(j["mode"], j["status"], j["plan"]) for j in json.loads(out)] == [
        ("apply", "ok", name),
        ("check", "partial", name),
    ]
    code, out, _ = said(capsys, "job", "show", "1")
    assert (code, "unreachable" in out) == (0, True)
    assert out.endswith(f"Job 1: check of plan {name}, partial.\n")
    assert said(capsys, "apply", name, "--yes")[0] == 5
    assert said(capsys, "apply", "nonsense", "--yes")[0] == 3
    assert said(capsys, "job", "show", "99")[0] == 3


def test_a_play_with_a_syntax_error_is_one_line_and_exit_code_5(
    regency: Regency, capsys: pytest.CaptureFixture[str]
) -> None:
    regency.play("bad", "- hosts: all\n  tasks:\n    - name: x\n     debug: {}\n")
    code, out, err = said(capsys, "plan", "bad", "role=server")
    assert (code, out, err.count("\n")) == (5, "", 1)
    assert err.startswith("siaga: bad-playbook: bad.yml, line 4: ")


def test_the_ansible_inventory_can_be_seen_without_secrets(
    regency: Regency, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "playbook", "hosts", "role=server")
    found = json.loads(out)["all"]
    assert code == 0
    assert sorted(found["hosts"]) == ["srv-1", "srv-2"]
    assert "kecamatan_sepatan_timur" in found["children"]
    assert found["hosts"]["srv-1"]["snmp_user"] == "monitor"
    for secret in (AUTH, regency.farm.password, "PRIVATE KEY", "usmUser 1 3"):
        assert secret not in out


def test_a_device_may_have_its_own_parameters_read_by_their_type(
    regency: Regency, capsys: pytest.CaptureFixture[str]
) -> None:
    own = "192.0.2.1, ntp.bmkg.go.id"
    assert said(capsys, "device", "set", "srv-1", f"var.ntp_servers={own}")[0] == 0
    code, out, _ = said(capsys, "playbook", "hosts", "srv-1")
    assert code == 0
    assert json.loads(out)["all"]["hosts"]["srv-1"]["ntp_servers"] == own.split(", ")
    regency.change("srv-1", vars={"ntp_servers": "a b"})
    code, _, err = said(capsys, "plan", "baseline", "srv-1")
    assert (code, "'srv-1': the variable ntp_servers: 'a b' does not match" in err) == (5, True)


def test_plays_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [p["name"] for p in json.loads(said(capsys, "playbook", "list", "-o", "json")[1])]
    assert {"baseline", "touch"} <= set(listed), "those that ship, and the operator's own"
    assert listed == sorted(listed)
    assert "--ntp-servers <list>" in said(capsys, "playbook", "show", "baseline")[1]


def test_nothing_selected_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "plan", "touch", "role=router")
    assert (code, err.startswith("siaga: nothing-selected: ")) == (3, True)


def test_without_an_ssh_client_paramiko_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.launch import connection

    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert connection() == "ansible.builtin.paramiko_ssh"


def test_to_provision_takes_the_role_for_every_device_that_is_meant(
    regency: Regency, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "access.toml"
    monkeypatch.setenv("SIAGA_CONFIG", str(config))
    mine = f'[[access]]\nuser = "{account(who())}"\nrole = '
    config.write_text(mine + '"operator"\n')
    code, out, err = said(capsys, "plan", "touch", "srv-1")
    assert (code, out) == (4, "")
    assert "takes the role provisioner" in err
    config.write_text(mine + '"provisioner"\nplace = "Nowhere"\n')
    code, _, err = said(capsys, "plan", "touch", "srv-1")
    assert (code, "device 'srv-1' is not in it" in err) == (4, True)
    config.write_text(mine + '"provisioner"\n')
    code, out, _ = said(capsys, "plan", "touch", "srv-1")
    assert code == 0
    name = out.rpartition("siaga apply ")[2].strip()
    config.write_text(mine + '"viewer"\n')
    assert said(capsys, "apply", name, "--yes")[0] == 4
    assert not (regency.farm.hosts[0].root / "etc/who").exists()


def test_variables_of_layers_reach_the_hosts(regency: Regency, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "layer", "add", "servers", "role=server", "var.domain=tangerang.test")[0] == 0
    assert said(capsys, "device", "set", "srv-2", "var.domain=own.test", "--yes")[0] == 0
    found = json.loads(said(capsys, "playbook", "hosts", "role=server")[1])["all"]["hosts"]
    assert {n: h["domain"] for n, h in found.items()} == {"srv-1": "tangerang.test", "srv-2": "own.test"}
