"""SSH through netmiko against OpenSSH and FRR's vtysh: what siaga reads is what the kernel and vtysh say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Lab
from machine import KEY
from nodes import NOBODY, NODES, SSH_PASSWORD

pytestmark = pytest.mark.real

RTR1, SRV1 = NODES["rtr1"].address, NODES["srv1"].address
PASSWORD = f"SshAuth('netops', password=SecretStr({SSH_PASSWORD!r}))"
BY_KEY = f"SshAuth('ops', key_file={str(KEY)!r})"

PROGRAM = """
import json
from pathlib import Path
from pydantic import SecretStr
from monitor.hostkeys import HostKeys
from monitor.observation import as_json
from monitor.ssh import observe
from monitor.targets import SshAuth, Target
from siaga.clock import utc_now
target = Target("it", {address!r}, platform={platform!r}, ssh={auth})
keys = HostKeys(Path({home!r}) / "known_hosts")
print(json.dumps(as_json(observe(target, now=utc_now(), known_hosts=keys, timeout_s=10))))
"""


def observed(lab: Lab, home: Path, platform: str, auth: str, address: str) -> dict[str, Any]:
    """Return what the SSH adapter saw of an address, asked from noc."""
    program = PROGRAM.format(address=address, platform=platform, auth=auth, home=str(home))
    seen: dict[str, Any] = json.loads(lab.python(home, program))
    return seen


def kernel(lab: Lab, node: str) -> dict[str, dict[str, Any]]:
    """Return the node's interfaces as its kernel lists them, by name."""
    return {link["ifname"]: link for link in json.loads(lab.read(node, "ip", "-json", "link"))}


def test_the_router_is_read_through_vtysh(lab: Lab, home: Path) -> None:
    seen = observed(lab, home, "frr", PASSWORD, RTR1)
    assert (seen["reach"], seen["sysName"], seen["os"]) == ("up", "rtr1", "frr")
    assert f"FRRouting {seen['version']} " in lab.read("rtr1", "vtysh", "-c", "show version")


def test_the_routers_interfaces_are_those_of_vtysh_and_of_the_kernel(lab: Lab, home: Path) -> None:
    ports = {p["ifName"]: p for p in observed(lab, home, "frr", PASSWORD, RTR1)["ports"]}
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


@pytest.mark.parametrize("auth", [PASSWORD, BY_KEY], ids=["password", "key"])
def test_a_linux_server_is_read_by_password_and_by_key(lab: Lab, home: Path, auth: str) -> None:
    path = "/sys/class/net/eth0/statistics/tx_bytes"
    uptime, sent = (
        float(lab.read("srv1", "cat", "/proc/uptime").split()[0]),
        int(lab.read("srv1", "cat", path)),
    )
    seen = observed(lab, home, "linux", auth, SRV1)
    assert (seen["reach"], seen["sysName"]) == ("up", "srv1")
    assert uptime <= seen["uptime_s"] <= float(lab.read("srv1", "cat", "/proc/uptime").split()[0])
    port = next(p for p in seen["ports"] if p["ifName"] == "eth0")
    assert sent < port["out_octets"] <= int(lab.read("srv1", "cat", path))
    assert {p["ifName"] for p in seen["ports"]} == set(kernel(lab, "srv1"))
    memory = re.search(r"MemTotal: +(\d+) kB", lab.read("srv1", "cat", "/proc/meminfo"))
    assert memory is not None
    assert int(memory[1]) * 1024 in [m["total"] for m in seen["mempools"]]
    assert len(seen["processors"]) == int(lab.read("srv1", "grep", "-c", "^processor", "/proc/cpuinfo"))


def test_a_wrong_password_is_refused(lab: Lab, home: Path) -> None:
    seen = observed(lab, home, "linux", PASSWORD.replace(SSH_PASSWORD, "not-this-password"), SRV1)
    assert seen["reach"] == "refused"
    assert "not-this-password" not in json.dumps(seen)


def test_an_address_without_a_host_is_silent(lab: Lab, home: Path) -> None:
    assert observed(lab, home, "linux", PASSWORD, NOBODY)["reach"] == "silent"


def test_a_changed_host_key_is_refused_before_a_password_is_sent(lab: Lab, home: Path) -> None:
    known = home / "known_hosts"
    other = lab.read("rtr1", "cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
    before = known.read_text() if known.exists() else ""
    known.write_text(f"{SRV1} {' '.join(other)}\n")
    seen = observed(lab, home, "linux", PASSWORD, SRV1)
    known.write_text(before)
    assert seen["reach"] == "refused"
    assert "key" in seen["reason"]


def bare(mac: str) -> str:
    """Return a MAC address as twelve hexadecimal digits, however it is written."""
    return re.sub("[^0-9a-f]", "", mac.lower())
