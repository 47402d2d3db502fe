"""While one host goes first, the logins to the others are made: once each, and Ansible uses them."""

from collections import Counter
from pathlib import Path

import asyncssh
import pytest
from ansible.plugins.connection.ssh import Connection  # type: ignore[import-untyped]
from sqlmodel import select

from demo import hosts
from infra.ahead import Login, control_path, logins
from infra.plans import apply_plan, make_plan
from inventory.models import Credential
from inventory.store import session
from tests.infra.conftest import Regency
from tests.infra.test_provisioning import Watch

# Who goes first waits until the others were logged in to.
WAITING = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Wait for the logins
      ansible.builtin.wait_for: {path: "{{ siaga_root }}/etc/go", timeout: 30, sleep: 1}
      when: ansible_play_hosts_all | length == 1 and not ansible_check_mode
    - name: Write
      ansible.builtin.copy: {content: x, dest: "{{ siaga_root }}/etc/written"}
"""


def test_the_socket_has_the_name_that_ansible_gives_it(tmp_path: Path) -> None:
    login = Login("192.0.2.7", 2222, "siaga", tmp_path / "key")
    theirs = Connection._create_control_path("192.0.2.7", 2222, "siaga") % {"directory": tmp_path}
    assert str(control_path(tmp_path, login)) == theirs


def test_only_who_is_entered_by_openssh_with_a_key_is_logged_in_to() -> None:
    own = {"ansible_host": {"__ansible_unsafe": "192.0.2.7"}, "ansible_port": 22, "ansible_user": "siaga"}
    variables = {
        "a": own,
        "b": own | {"ansible_connection": {"__ansible_unsafe": "ansible.builtin.paramiko_ssh"}},
        "c": own,
    }
    assert logins(variables, {"a": "/k/a", "b": "/k/b"}) == {
        "a": Login("192.0.2.7", 22, "siaga", Path("/k/a"))
    }


@pytest.mark.parametrize("farm", [4], indirect=True)
def test_the_others_are_logged_in_to_while_the_canary_runs_and_not_again(
    regency: Regency, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session(regency.engine) as opened:
        key = opened.exec(select(Credential).where(Credential.name == "by-key")).one().id
    for name in ("srv-2", "srv-3"):
        regency.change(name, ssh_credential_id=key)
    regency.play("waiting", WAITING)
    plan = make_plan(regency.desk, "waiting", "role=server", [], watch).plan
    made: Counter[str] = Counter()
    by_address = {h.address: h for h in regency.farm.hosts}
    before = hosts._HostDoor.connection_made

    def counted(door: hosts._HostDoor, conn: asyncssh.SSHServerConnection) -> None:
        made[by_address[conn.get_extra_info("sockname")[0]].name] += 1
        if made["srv-2"] and made["srv-3"]:
            (by_address[regency.farm.hosts[0].address].root / "etc/go").touch()
        before(door, conn)

    monkeypatch.setattr(hosts._HostDoor, "connection_made", counted)
    done = apply_plan(regency.desk, plan, watch)
    assert (done.status, [h.batch for h in done.hosts]) == ("ok", [1, 2, 2, 2]), done.hosts
    assert all((h.root / "etc/written").exists() for h in regency.farm.hosts)
    assert [made[f"srv-{n}"] for n in (1, 2, 3)] == [1, 1, 1], "Ansible uses the connection that is open"
    assert made["srv-4"] >= 1, "who is entered with a password is logged in to in his turn"
