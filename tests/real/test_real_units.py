"""The service and its timers under a real systemd, locked in as their units say: it watches, keeps, tells and ends."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import lab as build
from tests.real.conftest import SIAGA, Lab, _environment
from tests.real.machine import until
from tests.real.nodes import COMMUNITY, NODES, SSH_PASSWORD

pytestmark = pytest.mark.real

NODE, HOME, UNIT = "srv1", Path("/srv/siaga"), "siaga-monitor"
RTR1 = NODES["rtr1"].address
SETTINGS = """\
[monitor]
reachability_s = 2
counters_s = 3
health_s = 5
backup_s = 2
notify = true
listen = true
[listen]
credentials = ["public"]
"""


class Box:
    """The node that siaga is installed on."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def siaga(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run siaga by hand in the node."""
        return build.run(NODE, *_environment(HOME.parent), f"SIAGA_CONFIG={HOME}.toml", str(SIAGA), *words)

    def well(self, *words: str) -> str:
        """Do so; it must succeed."""
        done = self.siaga(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def states(self) -> dict[str, str]:
        """Return what is believed of each device."""
        said = self.siaga("status", "-o", "json")
        return {row["name"]: row["state"] for row in json.loads(said.stdout)} if said.stdout else {}

    def ports(self) -> set[str]:
        """Return the UDP ports that are open."""
        rows = self.lab.read(NODE, "ss", "-Hlun").splitlines()
        return {row.split()[3].rpartition(":")[2] for row in rows}

    def told(self, *properties: str) -> list[str]:
        """Return what systemd says of the service."""
        words = [word for one in properties for word in ("-P", one)]
        return self.lab.read(NODE, "systemctl", "show", *words, f"{UNIT}.service").split()

    def log(self) -> str:
        """Return the journal of siaga's units."""
        return self.lab.run(NODE, "journalctl", "--no-pager", "-u", "siaga-*").stdout


@pytest.fixture(scope="module")
def box(lab: Lab) -> Iterator[Box]:
    """siaga in the node: one device, its units installed and started as `monitor install` says."""
    it = Box(lab)
    lab.read(NODE, "sh", "-c", f"cat > {HOME}.toml <<'.'\n{SETTINGS}.")
    it.well("init")
    for name, kind, part, secret in (
        ("public", "kind=snmp-v2c", "community", COMMUNITY),
        ("netops", "kind=ssh-password", "password", SSH_PASSWORD),
    ):
        lab.read(NODE, "sh", "-c", f"printf '%s\\n' {secret} > /srv/{part}; chmod 600 /srv/{part}")
        user = ["username=netops"] if part == "password" else []
        it.well("credential", "add", name, kind, *user, "--secret", f"{part}=file:/srv/{part}")
    ssh = ("platform=frr", "ssh_credential=netops")
    it.well("device", "add", "rtr1", "role=router", f"address={RTR1}", "credential=public", *ssh)
    said = it.siaga("monitor", "install")
    assert said.returncode == 0, said.stdout + said.stderr
    lab.read(NODE, "systemctl", "daemon-reload")
    try:
        lab.read(NODE, "systemctl", "start", UNIT, "siaga-notify.timer", "siaga-compact.timer")
        yield it
    finally:
        lab.run(NODE, "systemctl", "stop", "siaga-notify.timer", "siaga-compact.timer", UNIT)


def test_it_watches_with_the_few_rights_it_has(box: Box) -> None:
    """Echoes need a raw socket, traps and syslog two low ports; the rest of the machine is closed to it."""
    assert box.told("ActiveState") == ["active"]
    until("rtr1 is up", lambda: box.states() == {"rtr1": "up"})
    until("both ports are open", lambda: box.ports() >= {"162", "514"})
    capabilities = box.lab.read(NODE, "grep", "^CapEff", f"/proc/{box.told('MainPID')[0]}/status").split()[1]
    assert int(capabilities, 16) == 1 << 13 | 1 << 10  # CAP_NET_RAW, CAP_NET_BIND_SERVICE
    assert "Traceback" not in box.log()


def test_its_own_processes_keep_configurations_and_pack_samples(box: Box) -> None:
    until("rtr1 is kept", lambda: "stored" in box.siaga("backup", "list", "name=rtr1", "-o", "json").stdout)
    for unit in ("siaga-notify", "siaga-compact"):
        box.lab.read(NODE, "systemctl", "start", f"{unit}.service")


def test_a_reload_keeps_the_process_and_takes_the_new_device(box: Box) -> None:
    before = box.told("MainPID")
    box.well("device", "add", "srv-sendiri", "role=server", "address=127.0.0.1", "credential=public")
    box.lab.read(NODE, "systemctl", "reload", UNIT)
    until("the new device is known", lambda: box.states().get("srv-sendiri") == "up")
    assert box.told("MainPID") == before


def test_one_that_hangs_is_ended_by_the_watchdog_and_begins_anew(box: Box) -> None:
    drop = f"/etc/systemd/system/{UNIT}.service.d"
    box.lab.read(
        NODE, "sh", "-c", f"mkdir {drop} && printf '[Service]\\nWatchdogSec=3\\n' > {drop}/soon.conf"
    )
    box.lab.read(NODE, "systemctl", "daemon-reload")
    box.lab.read(NODE, "systemctl", "restart", UNIT)
    (hangs,) = box.told("MainPID")
    box.lab.read(NODE, "kill", "-STOP", hangs)
    until("another runs", lambda: box.told("ActiveState") == ["active"] and box.told("MainPID") != [hangs])
    assert box.told("NRestarts") == ["1"]


def test_it_ends_well(box: Box) -> None:
    box.lab.read(NODE, "systemctl", "stop", UNIT)
    assert (box.told("ActiveState"), box.told("Result")) == (["inactive"], ["success"])
