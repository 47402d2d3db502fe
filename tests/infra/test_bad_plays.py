"""Bad plays and hosts that go away, by the command line: the others go on, and every record says what happened."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from demo.hosts import Hosts, Login, serve
from tests.cli_runner import Siaga, runner
from tests.infra.conftest import USER, Farm, Regency, files
from tests.infra.test_provisioning import TOUCH


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], regency: Regency, monkeypatch: pytest.MonkeyPatch) -> Siaga:
    """What runs a command line in the regency's home, with a play of the operator's own."""
    monkeypatch.setenv("SIAGA_HOME", str(regency.settings.home))
    monkeypatch.setenv("SIAGA_PLAYBOOKS", str(regency.settings.playbooks[0]))
    monkeypatch.setenv("SIAGA_POLL__TIMEOUT_S", "0.2")  # the hosts have no agent
    monkeypatch.setenv("SIAGA_POLL__RETRIES", "0")
    regency.play("touch", TOUCH)
    return runner(capsys)


Leave = Callable[[str], None]


@pytest.fixture
def leave(farm: Farm, loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Iterator[Leave]:
    """What makes a host stop answering: each of them has a server of its own here, at the farm's port."""
    key = asyncssh.import_private_key(farm.key)
    login = Login(USER, farm.password, key.export_public_key().decode().strip())
    running: dict[str, Hosts] = {}
    port = 0
    for host in farm.hosts:
        up = serve([host], port, login, tmp_path / "keys")
        running[host.name] = asyncio.run_coroutine_threadsafe(up, loop).result(20)
        port = running[host.name].port
    farm.port = port

    def stop(name: str) -> None:
        asyncio.run_coroutine_threadsafe(running.pop(name).close(), loop).result(20)

    yield stop
    for name in list(running):
        stop(name)


@pytest.fixture
def leaving(leave: Leave, regency: Regency) -> Leave:
    """The regency on hosts that can leave."""
    for host in regency.farm.hosts:
        regency.change(host.name, ssh_port=regency.farm.port)
    return leave


def made(siaga: Siaga, *arguments: str) -> str:
    """Make a plan and return its name."""
    return str(json.loads(siaga("plan", *arguments, "-o", "json").out)["name"])


def newest(siaga: Siaga) -> tuple[str, str, dict[str, int]]:
    job = json.loads(siaga("job", "list", "-o", "json").well().out)[0]
    return job["mode"], job["status"], job["results"]


def test_a_host_that_leaves_before_the_apply_stops_no_other(
    leaving: Leave, regency: Regency, siaga: Siaga
) -> None:
    name = made(siaga, "touch", "role=server")
    leaving("srv-2")
    said = siaga("apply", name, "--yes", "-o", "json")
    assert said.code == 7, said
    hosts = {h["host"]: h for h in json.loads(said.out)["hosts"]}
    assert {n: h["status"] for n, h in hosts.items()} == {"srv-1": "changed", "srv-2": "unreachable"}
    assert hosts["srv-2"]["reason"]
    assert "Traceback" not in said.err
    assert regency.farm.password not in said.out + said.err
    assert "etc/who" in files(regency.farm.hosts[0].root)
    assert "etc/who" not in files(regency.farm.hosts[1].root)
    assert newest(siaga) == ("apply", "partial", {"changed": 1, "unreachable": 1})
    assert [(r["kind"], r["status"]) for r in json.loads(siaga("runs", "-o", "json").well().out)] == [
        ("apply", "partial"),
        ("plan", "ok"),
    ]
    siaga("apply", name, "--yes").failed(5, "plan-used")


def test_when_no_host_can_be_reached_there_is_nothing_to_apply(
    leaving: Leave, regency: Regency, siaga: Siaga
) -> None:
    for host in regency.farm.hosts:
        leaving(host.name)
    said = siaga("plan", "touch", "role=server", "-o", "json")
    assert said.code == 1, said
    assert [h["status"] for h in json.loads(said.out)["hosts"]] == ["unreachable"] * 2
    assert newest(siaga) == ("check", "failed", {"unreachable": 2})
    siaga("apply", json.loads(said.out)["name"], "--yes").failed(5, "plan-void")


BAD_PLAYS = {
    "a wrong indentation": "- hosts: all\n  tasks:\n    - name: x\n     debug: {}\n",
    "no list": "hosts: all\n",
    "nothing": "",
    "a module that is not there": "- hosts: all\n  tasks:\n    - name: x\n      no.such.module: {}\n",
    "a key that is not there": "- hosts: all\n  tsks: []\n",
    "a role that is not there": "- hosts: all\n  roles: [nowhere]\n",
    "no text": "- hosts: \udcff\n",
}


@pytest.mark.parametrize("what", BAD_PLAYS)
def test_a_play_that_cannot_be_read_is_named_and_stops_no_other(
    what: str, regency: Regency, siaga: Siaga
) -> None:
    before = [files(h.root) for h in regency.farm.hosts]
    regency.play("bad", "")
    (regency.settings.playbooks[0] / "bad.yml").write_bytes(
        BAD_PLAYS[what].encode("utf-8", "surrogateescape")
    )
    said = siaga("plan", "bad", "role=server")
    assert said.failed(5, "bad-playbook") == []
    assert "bad.yml" in said.err
    assert "/dev/shm" not in said.err, "where a job works is nobody's concern"
    assert [files(h.root) for h in regency.farm.hosts] == before
    bad = json.loads(siaga("job", "list", "-o", "json").well().out)
    assert {j["status"] for j in bad} <= {"failed"}
    for job in bad:
        siaga("apply", job["plan"], "--yes").failed(5, "plan-void")


def test_a_front_matter_that_cannot_be_read_is_named(regency: Regency, siaga: Siaga) -> None:
    (regency.settings.playbooks[0] / "bad.yml").write_text(TOUCH)
    (regency.settings.playbooks[0] / "bad.toml").write_text("title = \n")
    said = siaga("plan", "bad", "role=server")
    assert said.failed(5, "bad-playbook") == []
    assert "bad.toml" in said.err
    assert siaga("plan", "touch", "srv-1").well().out
