"""Secrets reach Ansible and nothing else: everything that a job shows, leaves or runs is looked through for them."""

import base64
import gzip
import json
import os
import threading
import urllib.parse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest

from infra.jobs import PREFIX
from infra.launch import known_hosts
from tests.cli_runner import Siaga, runner
from tests.infra.conftest import AUTH, PRIV, Regency
from tests.infra.test_cut_off import descendants

# A play that does what it should not: it prints the login, and fails with it. No no_log anywhere.
CARELESS = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Print everything
      ansible.builtin.debug:
        msg: "{{ ansible_password | default('none') }} {{ ansible_become_password | default('none') }}"
    - name: Write it
      ansible.builtin.copy:
        dest: "{{ siaga_root }}/etc/config"
        content: "login {{ ansible_password | default('none') }}\\n"
        mode: "0600"
    - name: Fail with it
      ansible.builtin.fail:
        msg: "cannot use {{ ansible_password | default('none') }}"
"""


def forms(secret: str) -> Iterator[bytes]:
    """Yield the ways in which a secret is written down."""
    raw = secret.encode()
    yield raw
    yield base64.b64encode(raw).rstrip(b"=")
    yield raw.hex().encode()
    yield urllib.parse.quote(secret).encode()
    yield json.dumps(secret)[1:-1].encode()


def found(secrets: Iterable[str], content: bytes) -> list[str]:
    if content[:2] == b"\x1f\x8b":
        with suppress(OSError, EOFError):
            content = gzip.decompress(content)
    return [s for s in secrets if any(form in content for form in forms(s))]


def everything(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


class Watcher:
    """Reads, again and again, the arguments and environment of every process below this one, and its open files."""

    def __init__(self, secrets: list[str]) -> None:
        self.secrets, self.leaks, self.looks, self.processes = secrets, set[str](), 0, set[int]()
        self._ended = threading.Event()

    def look(self) -> None:
        for pid in descendants(os.getpid()):
            self.processes.add(pid)
            for name in ("cmdline", "environ"):
                with suppress(OSError):
                    content = Path(f"/proc/{pid}/{name}").read_bytes()
                    self.leaks |= {f"{name}: {s}" for s in found(self.secrets, content)}
        self.looks += 1

    def run(self) -> None:
        while not self._ended.wait(0.1):
            self.look()

    @contextmanager
    def watching(self) -> Iterator["Watcher"]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()


@pytest.fixture
def siaga(capsys: pytest.CaptureFixture[str], regency: Regency, monkeypatch: pytest.MonkeyPatch) -> Siaga:
    """What runs a command line in the regency's home, in a process of its own as far as secrets go."""
    for name, value in {
        "HOME": regency.settings.home,
        "PLAYBOOKS": regency.settings.playbooks[0],
        "POLL__TIMEOUT_S": 0.2,
        "POLL__RETRIES": 0,
    }.items():
        monkeypatch.setenv(f"SIAGA_{name}", str(value))
    return runner(capsys)


def test_no_secret_is_in_anything_that_a_job_shows_leaves_or_runs(
    regency: Regency, siaga: Siaga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    regency.play("careless", CARELESS)
    key = [line for line in regency.farm.key.splitlines() if not line.startswith("---")]
    secrets = [AUTH, PRIV, regency.farm.password, key[1], key[2]]
    before = set(Path("/dev/shm").glob(f"{PREFIX}*"))
    with Watcher(secrets).watching() as watcher:
        planned = siaga("plan", "careless", "role=server", "-o", "json")
    assert planned.code == 1, "the play fails in the check already"
    plan = json.loads(planned.out)
    shown = [planned, siaga("job", "show", plan["job"]), siaga("plan", "show", plan["name"])]
    shown += [
        siaga("job", "list", "-o", "json"),
        siaga("playbook", "hosts", "role=server", "--playbook", "careless"),
    ]

    assert watcher.looks > 3
    assert len(watcher.processes) > 3, "Ansible and its ssh were seen"
    assert watcher.leaks == set()
    for said in shown:
        assert found(secrets, (said.out + said.err).encode()) == []
    assert "••••" in shown[1].out, "what the play printed is masked, and not just absent"
    kept = list(everything([regency.settings.home, scratch]))
    assert {p.name for p in kept} >= {"siaga.db", known_hosts(regency.settings).name}
    assert [(str(p), s) for p in kept for s in found(secrets, p.read_bytes())] == []
    left = set(Path("/dev/shm").glob(f"{PREFIX}*")) - before
    until = monotonic() + 5
    while left and monotonic() < until:  # another test's job may be running beside us
        left = {p for p in left if p.exists()}
    assert [(str(p), s) for p in everything(left) for s in found(secrets, p.read_bytes())] == []
    assert not [h for h in regency.farm.hosts if (h.root / "etc/config").exists()]


def test_the_search_finds_a_secret_in_every_form() -> None:
    for form in forms("canary?ä1"):
        assert found(["canary?ä1"], b"x" + form + b"x") == ["canary?ä1"]
    assert found(["canary"], gzip.compress(b"a canary sang")) == ["canary"]
