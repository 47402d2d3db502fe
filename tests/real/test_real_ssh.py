"""SSH through netmiko against OpenSSH and FRR's vtysh: what siaga reads is what the kernel and vtysh say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.real.conftest import Lab
from tests.real.machine import KEY
from tests.real.nodes import NOBODY, NODES

pytestmark = pytest.mark.real

RTR1, SRV1 = NODES["rtr1"].address, NODES["srv1"].address
Files = dict[str, str]


def netops(files: Files, platform: str, password: str = "password") -> list[str]:
    """Return the options of `siaga inspect` for the user `netops`, who logs in with a password."""
    return ["--ssh", "--user", "netops", "--password-file", files[password], "--platform", platform]


def kernel(lab: Lab, node: str) -> dict[str, dict[str, Any]]:
    """Return the node's interfaces as its kernel lists them, by name."""
    return {link["ifname"]: link for link in json.loads(lab.read(node, "ip", "-json", "link"))}


def bare(mac: str) -> str:
    """Return a MAC address as twelve hexadecimal digits, however it is written."""
    return re.sub("[^0-9a-f]", "", mac.lower())


def test_the_router_is_read_through_vtysh(lab: Lab, home: Path, secrets: Files) -> None:
    code, seen = lab.inspect(home, RTR1, *netops(secrets, "frr"))
    assert (code, seen["reach"], seen["sysName"], seen["os"]) == (0, "up", "rtr1", "frr")
    assert f"FRRouting {seen['version']} " in lab.read("rtr1", "vtysh", "-c", "show version")


def test_the_routers_interfaces_are_those_of_vtysh_and_of_the_kernel(
    lab: Lab, home: Path, secrets: Files
) -> None:
    ports = {p["ifName"]: p for p in lab.inspect(home, RTR1, *netops(secrets, "frr"))[1]["ports"]}
    said = json.loads(lab.read("rtr1", "vtysh", "-c", "show interface json"))
    links = kernel(lab, "rtr1")
    assert sorted(ports) == sorted(said) == sorted(links)
    for name, port in ports.items():
        assert port["ifIndex"] == said[name]["index"] == links[name]["ifindex"]
        assert port["ifAlias"] == said[name].get("description", "")
        assert port["ifAdminStatus"] == said[name]["administrativeStatus"]
        # vtysh leaves it out of what is shut down.
        assert port["ifOperStatus"] == said[name].get("operationalStatus", "down")
    assert {name: bare(port["mac"]) for name, port in ports.items() if name != "lo"} == {
        name: bare(link["address"]) for name, link in links.items() if name != "lo"
    }


def test_a_linux_server_is_read_as_its_kernel_tells(lab: Lab, home: Path, secrets: Files) -> None:
    path = "/sys/class/net/eth0/statistics/tx_bytes"
    uptime, sent = (
        float(lab.read("srv1", "cat", "/proc/uptime").split()[0]),
        int(lab.read("srv1", "cat", path)),
    )
    code, seen = lab.inspect(home, SRV1, *netops(secrets, "linux"))
    assert (code, seen["reach"], seen["sysName"]) == (0, "up", "srv1")
    assert uptime <= seen["uptime_s"] <= float(lab.read("srv1", "cat", "/proc/uptime").split()[0])
    port = next(p for p in seen["ports"] if p["ifName"] == "eth0")
    assert sent < port["out_octets"] <= int(lab.read("srv1", "cat", path))
    assert {p["ifName"] for p in seen["ports"]} == set(kernel(lab, "srv1"))
    total_kb = int(lab.read("srv1", "grep", "MemTotal:", "/proc/meminfo").split()[1])
    assert total_kb * 1024 in [m["total"] for m in seen["mempools"]]
    assert len(seen["processors"]) == int(lab.read("srv1", "grep", "-c", "^processor", "/proc/cpuinfo"))


def test_a_key_of_the_vault_opens_a_server(lab: Lab, home: Path) -> None:
    assert lab.siaga(home, "init").returncode == 0
    words = ("kind=ssh-key", "username=ops", "--secret", f"key=file:{KEY}")
    added = lab.siaga(home, "credential", "add", "ops", *words)
    assert added.returncode == 0, added.stderr
    code, seen = lab.inspect(home, SRV1, "--credential", "ops", "--platform", "linux")
    assert (code, seen["reach"], seen["sysName"]) == (0, "up", "srv1")


def test_a_wrong_password_is_refused(lab: Lab, home: Path, secrets: Files) -> None:
    code, seen = lab.inspect(home, SRV1, *netops(secrets, "linux", password="wrong"))
    assert (code, seen["reach"]) == (4, "refused")
    assert Path(secrets["wrong"]).read_text().strip() not in json.dumps(seen)


def test_an_address_without_a_host_is_silent(lab: Lab, home: Path, secrets: Files) -> None:
    code, seen = lab.inspect(home, NOBODY, *netops(secrets, "linux"))
    assert (code, seen["reach"]) == (1, "silent")


def test_a_changed_host_key_is_refused_before_a_password_is_sent(
    lab: Lab, tmp_path: Path, secrets: Files
) -> None:
    other = lab.read("rtr1", "cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
    (tmp_path / "siaga").mkdir()
    (tmp_path / "siaga/known_hosts").write_text(f"{SRV1} {' '.join(other)}\n")
    code, seen = lab.inspect(tmp_path, SRV1, *netops(secrets, "linux"))
    assert (code, seen["reach"]) == (4, "refused")
    assert "key" in seen["reason"]
