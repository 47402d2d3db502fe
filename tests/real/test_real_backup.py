"""Backups over OpenSSH of a Linux server and of FRR by its vtysh: a change by hand is noticed, shown, given back."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.real.conftest import Lab
from tests.real.nodes import COMMUNITY, NODES, SSH_PASSWORD

pytestmark = pytest.mark.real

RTR1, SRV1 = NODES["rtr1"].address, NODES["srv1"].address


@pytest.fixture(scope="module")
def known(lab: Lab, home: Path, secrets: dict[str, str]) -> Path:
    """Record both devices in a home of their own."""
    for words in (
        ("init",),
        (
            "credential",
            "add",
            "ops",
            "kind=ssh-password",
            "username=netops",
            "--secret",
            f"password=file:{secrets['password']}",
        ),
        (
            "device",
            "add",
            "rtr1",
            "role=router",
            "platform=frr",
            f"address={RTR1}",
            "transport=none",
            "ssh_credential=ops",
        ),
        (
            "device",
            "add",
            "srv1",
            "role=server",
            "platform=linux",
            f"address={SRV1}",
            "transport=none",
            "ssh_credential=ops",
        ),
    ):
        done = lab.siaga(home, *words)
        assert done.returncode == 0, done.stderr
    return home


def backed_up(lab: Lab, home: Path, *words: str) -> dict[str, dict[str, object]]:
    done = lab.siaga(home, "backup", "run", *words, "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    return {row["device"]: row for row in json.loads(done.stdout)}


def vtysh(lab: Lab, *lines: str) -> None:
    words = [word for line in ("configure terminal", *lines) for word in ("-c", line)]
    lab.read("rtr1", "vtysh", *words)


def test_a_change_by_hand_is_noticed_shown_and_given_back(lab: Lab, known: Path, tmp_path: Path) -> None:
    first = backed_up(lab, known)
    assert {name: row["result"] for name, row in first.items()} == {"rtr1": "stored", "srv1": "stored"}
    again = backed_up(lab, known)
    assert {row["result"] for row in again.values()} == {"unchanged"}
    shown = lab.siaga(known, "backup", "show", "rtr1").stdout
    said = lab.read("rtr1", "vtysh", "-c", "show running-config")
    assert [x for x in shown.splitlines() if x.startswith("interface")] == [
        x for x in said.splitlines() if x.startswith("interface")
    ]
    vtysh(lab, "interface eth2", "description dibuka malam hari", "no shutdown")
    try:
        changed = backed_up(lab, known, "rtr1")["rtr1"]
        assert (changed["result"], changed["cause"]) == ("stored", "out-of-band")
        diff = lab.siaga(known, "backup", "diff", "rtr1").stdout.splitlines()
        assert "- description spare" in diff
        assert "+ description dibuka malam hari" in diff
        assert "- shutdown" in diff
        file = tmp_path / "restore.txt"
        assert lab.siaga(known, "backup", "restore", "rtr1", "--write", str(file)).returncode == 0
        vtysh(lab, *(line.strip() for line in file.read_text().splitlines()))
        assert backed_up(lab, known, "rtr1")["rtr1"]["result"] == "stored"
        assert lab.siaga(known, "backup", "show", "rtr1").stdout == shown
    finally:
        vtysh(lab, "interface eth2", "description spare", "shutdown")


def test_a_linux_servers_files_are_kept_without_their_secrets(lab: Lab, known: Path) -> None:
    assert backed_up(lab, known, "srv1")["srv1"]["result"] in ("stored", "unchanged")
    shown = lab.siaga(known, "backup", "show", "srv1").stdout
    assert "### /etc/ssh/sshd_config" in shown
    assert "PermitRootLogin" in shown
    git = ["git", "--git-dir", str(known / "siaga" / "configs.git"), "log", "-p"]
    kept = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    assert "### /etc/hostname" in kept
    assert not [secret for secret in (COMMUNITY, SSH_PASSWORD) if secret in kept]
