"""The lab itself: the daemons are real, nothing leaves it, and nothing is left of it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.real.conftest import Lab
from tests.real.nodes import COMMUNITY, NODES, SNMP_AUTH, SNMP_PRIV, SNMP_USER

pytestmark = pytest.mark.real
SYS_NAME = "1.3.6.1.2.1.1.5.0"


def test_every_node_boots_systemd_without_a_failed_unit(lab: Lab) -> None:
    for node in (n.name for n in NODES.values() if n.booted):
        state = lab.run(node, "systemctl", "is-system-running", "--wait").stdout
        assert (node, state) == (node, "running\n")
        assert lab.read(node, "systemctl", "list-units", "--failed", "--no-legend") == ""


def test_the_agent_answers_version_2c_and_version_3(lab: Lab) -> None:
    v3 = ["-l", "authPriv", "-u", SNMP_USER, "-a", "SHA-256", "-A", SNMP_AUTH, "-x", "AES", "-X", SNMP_PRIV]
    for auth in (["-v2c", "-c", COMMUNITY], ["-v3", *v3]):
        assert lab.read("noc", "snmpget", "-Oqv", *auth, NODES["srv1"].address, SYS_NAME) == '"srv1"\n'


def test_the_router_forwards_between_its_links(lab: Lab) -> None:
    lab.read("noc", "ip", "route", "replace", "10.77.9.0/30", "via", NODES["rtr1"].address)
    lab.read("srv1", "ip", "route", "replace", "10.77.0.10/32", "via", "10.77.9.1")
    assert "1 received" in lab.read("noc", "ping", "-c1", "-W2", "10.77.9.2")
    lab.read("srv1", "ip", "route", "del", "10.77.0.10/32")


def test_nothing_leaves_the_lab(lab: Lab) -> None:
    for node in ("noc", "srv1", "srv2", "rtr1"):
        refused = lab.run(node, "ping", "-c1", "-W1", "192.0.2.1")
        assert refused.returncode == 2
        assert "unreachable" in refused.stderr


def test_what_changes_in_a_node_changes_there_only(lab: Lab) -> None:
    lab.read("srv2", "touch", "/etc/lab-was-here")
    assert lab.run("srv1", "test", "-e", "/etc/lab-was-here").returncode == 1
    assert not Path("/etc/lab-was-here").exists()


def test_a_killed_builder_leaves_nothing_that_down_does_not_find(lab: Lab) -> None:
    command = [sys.executable, "-m", "tests.real.lab"]
    environment = {**os.environ, "SIAGA_LAB_ID": "sgk"}
    builder = subprocess.Popen([*command, "up"], env=environment)
    end = time.monotonic() + 20
    while not Path("/dev/shm/sgk-lab/rtr1/pid").exists() and time.monotonic() < end:
        time.sleep(0.01)
    builder.kill()
    builder.wait()
    status = subprocess.run([*command, "status"], env=environment, capture_output=True, text=True)
    assert "/dev/shm/sgk-lab/rtr1/root" in status.stdout
    subprocess.run([*command, "down"], env=environment, check=True)
    status = subprocess.run([*command, "status"], env=environment, capture_output=True, text=True)
    assert status.stdout == "nothing is left of the lab\n"
