"""The main job, right half: real Ansible over real SSH against hosts that are directories."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from infra.events import TaskEvent
from infra.models import Plan
from infra.plans import apply_plan, make_plan
from inventory.models import Observed, Run
from inventory.store import reading, session
from siaga.errors import InvalidError
from siaga.settings import Ssh
from tests.infra.conftest import AUTH, PRIV, Regency, files

Watch = Callable[[TaskEvent], None]

TOUCH = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Write who you are
      ansible.builtin.copy:
        dest: "{{ siaga_root }}/etc/who"
        content: "{{ siaga_notes }}\\n"
        mode: "0644"
"""


def test_the_baseline_is_planned_applied_and_then_leaves_nothing_to_do(
    regency: Regency, watch: Watch
) -> None:
    roots = [h.root for h in regency.farm.hosts]
    before = [files(r) for r in roots]

    plan = make_plan(regency.desk, "baseline", "role=server", [], watch)

    assert (plan.plan, plan.status) == ("baseline-20261124-071502", "ok")
    assert [h.status for h in plan.hosts] == ["changed", "changed"]
    assert any("+server 0.id.pool.ntp.org iburst" in t.diff for t in plan.tasks)
    assert plan.unchecked == []
    assert any("Only files are managed on srv-1, srv-2" in n for n in plan.notes)
    assert [files(r) for r in roots] == before, "a plan changes nothing"
    assert regency.seen == list(plan.tasks), "progress is told as it happens"

    built = _built(regency)
    assert any(p.name.startswith("ansible.modules.stat-") for p in built), built
    done = apply_plan(regency.desk, plan.plan, watch)
    assert {p: t for p, t in _built(regency).items() if p in built} == built, "modules are built once"

    assert [(h.status, h.failed) for h in done.hosts] == [("changed", 0)] * 2
    key_host, password_host = (files(r) for r in roots)
    assert b"iburst" in key_host["etc/chrony/chrony.conf"]
    assert b"rouser monitor authpriv" in key_host["etc/snmp/snmpd.conf"]
    assert b"sysLocation Ruang server" in key_host["etc/snmp/snmpd.conf"]
    assert key_host["var/lib/snmp/snmpd.conf"].count(b"usmUser 1 3 0x80001f8805") == 1
    # The login in use is never closed: by key, passwords may go; by password, they may not.
    assert b"PasswordAuthentication no" in key_host["etc/ssh/sshd_config.d/10-siaga.conf"]
    assert b"PasswordAuthentication" not in password_host["etc/ssh/sshd_config.d/10-siaga.conf"]

    with reading(regency.engine) as opened:
        seen = opened.exec(select(Observed).where(Observed.source == "ansible")).all()
        runs = [(r.kind, r.status) for r in opened.exec(select(Run))]
    assert {"kernel", "memory_mb", "processors", "os"} <= {o.field for o in seen}
    assert {o.cause for o in seen} == {f"job {done.job_id}"}
    assert runs == [("plan", "ok"), ("apply", "ok")]

    with pytest.raises(InvalidError, match="plan-used"):
        apply_plan(regency.desk, plan.plan, watch)

    after = [files(r) for r in roots]
    again = apply_plan(regency.desk, make_plan(regency.desk, "baseline", "srv-2", [], watch).plan, watch)
    assert [(h.host, h.status, h.changed) for h in again.hosts] == [("srv-2", "ok", 0)]
    assert [files(r) for r in roots] == after

    _no_secret_is_left(regency)


def _built(regency: Regency) -> dict[Path, int]:
    """Return the modules that were built and kept, and when."""
    kept = regency.settings.home.glob("built-modules/*/ansible.*")
    return {p: p.stat().st_mtime_ns for p in kept if p.suffix != ".lock"}


def _no_secret_is_left(regency: Regency) -> None:
    """Look for the secrets in everything siaga keeps, on tmpfs, and on the hosts."""
    secrets = [AUTH, PRIV, regency.farm.password, regency.farm.key.splitlines()[2]]
    places = [regency.settings.home, *(h.root for h in regency.farm.hosts)]
    for path in (p for place in places for p in place.rglob("*") if p.is_file()):
        content = path.read_bytes()
        assert not [s for s in secrets if s.encode() in content], path
    database = b"".join(p.read_bytes() for p in regency.settings.home.glob("siaga.db*"))
    assert b"usmUser" not in database, "not even as a localised key"
    assert not [p for p in Path("/dev/shm").glob("siaga-job-*") if _holds(p, secrets)]


def _holds(place: Path, secrets: list[str]) -> bool:
    return any(s.encode() in p.read_bytes() for p in place.rglob("*") if p.is_file() for s in secrets)


def test_a_changed_passphrase_is_a_change_and_its_key_replaces_the_old_one(tmp_path: Path) -> None:
    """The role's own patterns, as Ansible uses them: what snmpd wrote is known, another key is not."""
    import re

    from pydantic import SecretStr

    from infra.usm import engine_id, user_variables

    engine = engine_id("srv-1")
    old, new = (
        user_variables("monitor", engine, ("SHA-256", SecretStr(a)), ("AES", SecretStr(PRIV)))
        for a in (AUTH, AUTH + "x")
    )
    line = old[1]["snmp_user_line"].get_secret_value()
    spelled = line.replace('"monitor"', "0x6d6f6e69746f7200")
    for written in (line, spelled, f"engineBoots 3\n{line}\nsetserialno 1"):
        assert re.search(old[1]["snmp_user_pattern"].get_secret_value(), written)
        assert not re.search(new[1]["snmp_user_pattern"].get_secret_value(), written)
        assert re.search(new[0]["snmp_user_regexp"], written, re.MULTILINE)
    assert not re.search(old[0]["snmp_user_regexp"], line.replace('"monitor"', '"monitor2"'))


def test_the_keys_are_those_of_rfc_3414_and_of_snmpd() -> None:
    from pydantic import SecretStr

    from infra.usm import localised

    # RFC 3414, A.3.2: SHA-1, passphrase "maplesyrup", engine 00..02.
    key = localised(SecretStr("maplesyrup"), "000000000000000000000002", "sha1")
    assert key.hex() == "6695febc9288e36282235fc7151f128497b38f3f"


def test_what_was_written_in_the_inventory_is_never_a_template(regency: Regency, watch: Watch) -> None:
    hostile = "{{ lookup('pipe', 'touch " + str(regency.settings.home / "pwned") + "') }} {% raw %}"
    regency.play("touch", TOUCH)
    regency.change("srv-1", notes=hostile, vars={**_root(regency, 0), "deep": {"list": [hostile]}})
    plan = make_plan(regency.desk, "touch", "srv-1", [], watch)
    apply_plan(regency.desk, plan.plan, watch)
    assert (regency.farm.hosts[0].root / "etc/who").read_text() == hostile + "\n"
    assert not (regency.settings.home / "pwned").exists()


def test_a_plan_is_refused_once_anything_under_it_has_changed(regency: Regency, watch: Watch) -> None:
    regency.play("touch", TOUCH)
    name = make_plan(regency.desk, "touch", "role=server", [], watch).plan

    def refusal() -> list[str]:
        with pytest.raises(InvalidError, match="plan-changed") as caught:
            apply_plan(regency.desk, name, watch)
        return list(caught.value.problems)

    regency.play("touch", TOUCH + "# changed\n")
    assert refusal() == ["The playbook or one of its roles has changed."]
    regency.play("touch", TOUCH)
    regency.change("srv-1", notes="other")
    assert refusal() == ["A variable or the login of 'srv-1' has changed."]
    regency.change("srv-1", notes="", role="router")
    assert "The hosts the selector means has changed." in refusal()
    regency.change("srv-1", role="server", address="")
    assert "'srv-1' has no address that can be reached." in refusal()
    regency.change("srv-1", address=regency.farm.hosts[0].address)
    regency.now += timedelta(hours=25)
    with pytest.raises(InvalidError, match="plan-expired"):
        apply_plan(regency.desk, name, watch)
    with session(regency.engine) as opened:
        assert opened.exec(select(Plan)).one().status == "ready", "a refusal uses nothing up"


def test_an_unreachable_host_is_its_own_result_and_the_others_go_on(regency: Regency, watch: Watch) -> None:
    regency.play("touch", TOUCH)
    regency.change("srv-2", ssh_port=1)
    plan = make_plan(regency.desk, "touch", "role=server", [], watch)
    assert plan.status == "partial"
    assert [h.status for h in plan.hosts] == ["changed", "unreachable"]
    done = apply_plan(regency.desk, plan.plan, watch)
    assert [(h.host, h.status) for h in done.hosts] == [("srv-1", "changed")]
    assert done.notes[-1] == "Not changed, because the check did not succeed there: srv-2."


def test_a_task_that_cannot_be_checked_makes_the_plan_partly_checked(regency: Regency, watch: Watch) -> None:
    regency.play(
        "command",
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - name: Do it\n      ansible.builtin.command: 'true'\n"
        "    - name: Later\n      ansible.builtin.debug:\n      when: not ansible_check_mode\n",
    )
    plan = make_plan(regency.desk, "command", "srv-1", [], watch)
    assert [t.task for t in plan.unchecked] == ["Do it", "Later"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- hosts: all\n  tasks:\n    - name: x\n     debug: {}\n", "bad.yml, line 4: "),
        ("- hosts: all\n  tasks:\n    - no_such_module: {}\n", "bad.yml, line 3: "),
        ("- hosts: all\n  roles: [not-there]\n", "bad.yml, line 2: "),
    ],
)
def test_a_play_with_a_mistake_gets_one_line_with_file_and_line(
    regency: Regency, watch: Watch, text: str, said: str
) -> None:
    regency.play("bad", text)
    with pytest.raises(InvalidError, match="bad-playbook") as caught:
        make_plan(regency.desk, "bad", "srv-1", [], watch)
    assert caught.value.sentence.startswith(said), caught.value.sentence
    assert caught.value.exit_code == 5


def test_every_problem_of_every_device_is_listed_at_once(regency: Regency, watch: Watch) -> None:
    regency.change(
        "srv-1", address="-oProxyCommand=id", vars={"ansible_ssh_common_args": "-o ProxyCommand=id"}
    )
    regency.change("srv-2", ssh_credential_id=None, vars={"ansible_connection": "local"})
    with pytest.raises(InvalidError, match="not-provisionable") as caught:
        make_plan(regency.desk, "baseline", "role=server", [], watch)
    assert list(caught.value.problems) == [
        "'srv-1' has no address that can be reached.",
        "'srv-1': the variable ansible_ssh_common_args may not be set by a row.",
        "'srv-2' has no ssh_credential.",
        "'srv-2': the variable ansible_connection may not be 'local'.",
    ]


def _root(regency: Regency, index: int, connection: str = "") -> dict[str, str]:
    own = {"siaga_root": str(regency.farm.hosts[index].root)}
    return own | ({"ansible_connection": connection} if connection else {})


def _with_both_connections(regency: Regency) -> None:
    """srv-1 by whatever is there (OpenSSH on most machines), srv-2 by paramiko, as without an ssh client."""
    regency.play("touch", TOUCH)
    regency.change("srv-2", vars=_root(regency, 1, "paramiko_ssh"))


def test_paramiko_serves_where_there_is_no_ssh_and_both_remember_host_keys(
    regency: Regency, watch: Watch
) -> None:
    _with_both_connections(regency)
    plan = make_plan(regency.desk, "touch", "role=server", [], watch)
    assert [h.status for h in plan.hosts] == ["changed", "changed"]
    known = (regency.settings.home / "known_hosts").read_text()
    names = [f"[{h.address}]:{regency.farm.port}" for h in regency.farm.hosts]
    assert sorted(line.split()[0] for line in known.splitlines()) == sorted(names)

    (one, kind, key), (other, _, other_key) = (line.split() for line in known.splitlines())
    swapped = f"{one} {kind} {other_key}\n{other} {kind} {key}\n"
    (regency.settings.home / "known_hosts").write_text(swapped)
    plan = make_plan(regency.desk, "touch", "role=server", [], watch)
    assert [h.status for h in plan.hosts] == ["unreachable", "unreachable"], "a changed key is refused"
    assert (regency.settings.home / "known_hosts").read_text() == swapped


def test_a_new_host_key_is_refused_where_the_settings_say_so(regency: Regency, watch: Watch) -> None:
    _with_both_connections(regency)
    strict = Ssh(accept_new_host_keys=False)
    regency.settings = regency.settings.model_copy(update={"ssh": strict})
    plan = make_plan(regency.desk, "touch", "role=server", [], watch)
    assert (plan.status, [h.status for h in plan.hosts]) == ("failed", ["unreachable", "unreachable"])
    assert (regency.settings.home / "known_hosts").read_text() == ""
    with pytest.raises(InvalidError, match="plan-void"):
        apply_plan(regency.desk, plan.plan, watch)
