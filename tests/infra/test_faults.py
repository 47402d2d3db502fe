"""Hosts that fail, each in its own way: each ends in a clear state, says what to do, and holds up no other."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from pydantic import SecretStr

from demo import hosts as demo_hosts
from demo.hosts import Host, Hosts, Login, serve
from infra.plans import apply_plan, make_plan, settle
from inventory.credentials import store_secret
from inventory.models import Credential
from inventory.store import session
from siaga.hostkeys import HostKeys
from siaga.lock import device_lock
from siaga.secrets import open_vault
from tests.cli_runner import Siaga, runner
from tests.infra.conftest import USER, Farm, Regency
from tests.infra.test_cut_off import alive, applying, one_id

TOUCH = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Touch
      ansible.builtin.file:
        path: "{{ siaga_root }}/etc/who"
        state: touch
"""
WAITING = (
    TOUCH
    + """
    - name: Wait for the word
      ansible.builtin.wait_for:
        path: "{{ siaga_root }}/etc/go"
        timeout: 60
"""
)


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], regency: Regency, monkeypatch: pytest.MonkeyPatch) -> Siaga:
    """What runs a command line in the regency's home, patient with nobody."""
    for name, value in {
        "HOME": regency.settings.home,
        "PLAYBOOKS": regency.settings.playbooks[0],
        "SSH__TIMEOUT_S": 3,
        "PROVISION__TASK_TIMEOUT_S": 20,
        "POLL__TIMEOUT_S": 0.2,
        "POLL__RETRIES": 0,
    }.items():
        monkeypatch.setenv(f"SIAGA_{name}", str(value))
    regency.play("touch", TOUCH)
    return runner(capsys)


@contextmanager
def mute(address: str) -> Iterator[int]:
    """Listen and say nothing: whoever connects waits for a banner that never comes."""
    with socket.socket() as own:
        own.bind((address, 0))
        own.listen(8)
        yield own.getsockname()[1]


@contextmanager
def prompting_never(loop: asyncio.AbstractEventLoop, address: str) -> Iterator[int]:
    """Let everybody in by password, take every command and answer none."""

    lines: list[asyncssh.SSHServerConnection] = []

    class Door(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            lines.append(conn)

        def begin_auth(self, username: str) -> bool:
            return False

    async def silent(process: "asyncssh.SSHServerProcess[bytes]") -> None:
        await process.wait_closed()

    async def up() -> asyncssh.SSHAcceptor:
        keys = [asyncssh.generate_private_key("ssh-ed25519")]
        return await asyncssh.create_server(
            Door, address, 0, server_host_keys=keys, process_factory=silent, encoding=None
        )

    async def down() -> None:
        server.close()
        for line in lines:
            line.abort()
            await line.wait_closed()

    server = asyncio.run_coroutine_threadsafe(up(), loop).result(20)
    try:
        yield server.get_port()
    finally:
        asyncio.run_coroutine_threadsafe(down(), loop).result(20)


def without_sudo(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path) -> None:
    """Let one host have a PATH on which there is no sudo."""
    folder.mkdir()
    usual = demo_hosts.environment

    def environment(host: Host, user: str) -> dict[str, str]:
        return usual(host, user) | ({"PATH": str(folder)} if host.name == name else {})

    monkeypatch.setattr(demo_hosts, "environment", environment)


def wrong_password(regency: Regency) -> int:
    """Add a credential whose password is wrong."""
    with session(regency.engine) as opened:
        row = Credential(name="wrong", kind="ssh-password", username=USER)
        opened.add(row)
        opened.flush()
        store_secret(
            opened, open_vault(regency.settings.home), row.id or 0, "password", SecretStr("canary-wrong")
        )
        return row.id or 0


SAID = {
    "srv-1": ("changed", ""),
    "srv-2": ("unreachable", "nothing answers at its SSH port"),
    "srv-3": ("unreachable", "it refused the login"),
    "srv-4": (
        "unreachable",
        "its SSH host key is not the one that is known, so no password was sent; if it is right: siaga trust srv-4",
    ),
    "srv-5": ("failed", "sudo is missing there"),
    "srv-6": ("unreachable", "it does not answer"),
    "srv-7": ("failed", "it did not come to an end in time"),
}


@pytest.mark.parametrize("farm", [7], indirect=True)
def test_each_fault_is_told_apart_and_the_good_host_is_planned(
    regency: Regency,
    siaga: Siaga,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    hosts, python = {h.name: h for h in regency.farm.hosts}, "/usr/bin/python3"
    root = {n: {"siaga_root": str(h.root)} for n, h in hosts.items()}
    regency.change("srv-2", ssh_port=1)
    regency.change("srv-3", ssh_credential_id=wrong_password(regency))
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    known = regency.settings.home / "known_hosts"
    known.write_text(f"[{hosts['srv-4'].address}]:{regency.farm.port} {' '.join(other.split()[:2])}\n")
    without_sudo(monkeypatch, "srv-5", tmp_path / "bin")
    sudo = {"ansible_become": True, "ansible_become_method": "sudo", "ansible_python_interpreter": python}
    regency.change("srv-5", vars=root["srv-5"] | sudo)
    with mute(hosts["srv-6"].address) as port, prompting_never(loop, hosts["srv-7"].address) as late:
        regency.change("srv-6", ssh_port=port)
        regency.change("srv-7", ssh_port=late, vars=root["srv-7"] | {"ansible_python_interpreter": python})
        said = siaga("plan", "touch", "role=server", "-o", "json")
    assert said.code == 7, said
    found = {h["host"]: (h["status"], h["reason"]) for h in json.loads(said.out)["hosts"]}
    for name, (status, reason) in SAID.items():
        assert (found[name][0], reason in found[name][1]) == (status, True), (name, found[name])
    assert "canary-wrong" not in said.out + said.err
    assert not [h for h in hosts.values() if (h.root / "etc/who").exists()]

    siaga("trust", "srv-4", "--yes").well()  # the way to accept a key, once somebody has looked
    keys = HostKeys(known).of(hosts["srv-4"].address, regency.farm.port)
    assert [k.base64 for k in keys] not in ([], [other.split()[1]])


def test_a_link_that_is_cut_in_the_middle_ends_the_job_and_leaves_nothing(
    regency: Regency, loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    host = regency.farm.hosts[1]
    own = _own_server(regency.farm, host, loop, tmp_path)
    regency.change("srv-2", ssh_port=own.port)
    regency.play("waiting", WAITING)
    plan = make_plan(regency.desk, "waiting", "srv-2", [], lambda _: None)

    def cut(told: Any) -> None:
        if getattr(told, "task", "") == "Touch":
            asyncio.run_coroutine_threadsafe(own.close(), loop).result(20)

    done = apply_plan(regency.desk, plan.plan, cut)
    (one,) = done.hosts
    assert (done.status, one.status, one.changed, one.verdict) == ("failed", "unreachable", 1, ""), one
    assert "the connection was cut" in one.reason or "nothing answers" in one.reason
    assert [(s.name, s.status) for s in done.steps][-2:] == [("checks", "failed"), ("rollback", "skipped")]
    with device_lock(regency.settings.home, one_id(regency, "srv-2"), "srv-2"):
        pass


def _own_server(farm: Farm, host: Host, loop: asyncio.AbstractEventLoop, folder: Path) -> Hosts:
    key = asyncssh.import_private_key(farm.key)
    login = Login(USER, farm.password, key.export_public_key().decode().strip())
    (folder / "own").mkdir()
    return asyncio.run_coroutine_threadsafe(serve([host], 0, login, folder / "own"), loop).result(20)


def test_a_job_is_cancelled_from_elsewhere(regency: Regency, siaga: Siaga) -> None:
    regency.now = datetime.now(UTC)
    regency.play("slow", WAITING.replace("Touch", "Write").replace("etc/who", "etc/begun"))
    plan = make_plan(regency.desk, "slow", "srv-2", [], lambda _: None).plan
    siaga("job", "cancel", "1").failed(5, "not-running")
    with applying(regency, plan) as (process, below, private):
        said = siaga("job", "cancel", "2").well()
        assert "Job 2 has ended: interrupted" in said.err
        assert process.wait(30) == 130
        assert not [p for p in below if alive(p)]
        assert not [p for p in private if p.exists()]
    shown: dict[str, Any] = json.loads(siaga("job", "show", "2", "-o", "json").well().out)
    assert [h["status"] for h in shown["hosts"]] == ["interrupted"]
    assert "Cancelled by" in siaga("job", "show", "2").well().out
    assert settle(regency.desk) == [], "it closed its own records"
