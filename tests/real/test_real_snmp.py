"""SNMP against Debian's snmpd: what siaga says is what `snmpget` and the node's own /proc and /sys say."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Lab
from machine import until
from nodes import COMMUNITY, NOBODY, NODES, SNMP_AUTH, SNMP_PRIV, SNMP_USER

pytestmark = pytest.mark.real

SRV1 = NODES["srv1"].address
V2C = f"SnmpAuth(SnmpVersion.v2c, community=SecretStr({COMMUNITY!r}))"
V3 = (
    f"SnmpAuth(SnmpVersion.v3, user={SNMP_USER!r},"
    f" auth_protocol='SHA-256', auth_secret=SecretStr({SNMP_AUTH!r}),"
    f" priv_protocol='AES', priv_secret=SecretStr({SNMP_PRIV!r}))"
)
# Figures that snmpget gives beside siaga: sysUpTime, and octets in and out by ifIndex (IF-MIB).
SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
IF_HC_IN, IF_HC_OUT = "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10"

PROGRAM = """
import asyncio, json
from pydantic import SecretStr
from monitor.observation import as_json
from monitor.snmp import observe
from monitor.targets import SnmpAuth, SnmpVersion, Target
from siaga.clock import utc_now
target = Target("it", {address!r}, snmp=({auth}), timeout_s=1, retries=1)
print(json.dumps(as_json(asyncio.run(observe(target, now=utc_now())))))
"""


def observed(lab: Lab, home: Path, auth: str, address: str = SRV1) -> dict[str, Any]:
    """Return what the SNMP adapter saw of an address, asked from noc."""
    seen: dict[str, Any] = json.loads(lab.python(home, PROGRAM.format(address=address, auth=auth)))
    return seen


def snmpget(lab: Lab, *oids: str) -> list[int]:
    """Return numbers as net-snmp's own client gets them from srv1 (times in hundredths of a second)."""
    said = lab.read("noc", "snmpget", "-Oqvt", "-v2c", "-c", COMMUNITY, SRV1, *oids)
    return [int(line) for line in said.split()]


def sysfs(lab: Lab, node: str, interface: str, file: str) -> str:
    """Return what the node's kernel says of an interface."""
    return lab.read(node, "cat", f"/sys/class/net/{interface}/{file}").strip()


@pytest.mark.parametrize("auth", [V2C, V3], ids=["v2c", "v3"])
def test_counters_and_uptime_lie_between_two_reads_of_snmpget(lab: Lab, home: Path, auth: str) -> None:
    index = int(sysfs(lab, "srv1", "eth0", "ifindex"))
    asked = (SYS_UP_TIME, f"{IF_HC_IN}.{index}", f"{IF_HC_OUT}.{index}")
    before = snmpget(lab, *asked)
    seen = observed(lab, home, auth)
    after = snmpget(lab, *asked)
    port = next(p for p in seen["ports"] if p["ifIndex"] == index)
    figures = (seen["uptime_s"] * 100, port["in_octets"], port["out_octets"])
    assert all(low <= figure <= high for low, figure, high in zip(before, figures, after, strict=True))
    assert port["octets_bits"] == 64
    assert 0 < port["in_octets"] <= int(sysfs(lab, "srv1", "eth0", "statistics/rx_bytes"))


@pytest.mark.parametrize("auth", [V2C, V3], ids=["v2c", "v3"])
def test_the_interfaces_are_those_of_the_kernel(lab: Lab, home: Path, auth: str) -> None:
    seen = {p["ifName"]: p for p in observed(lab, home, auth)["ports"]}
    assert sorted(seen) == sorted(lab.read("srv1", "ls", "/sys/class/net").split())
    for name, port in seen.items():
        assert port["ifIndex"] == int(sysfs(lab, "srv1", name, "ifindex"))
        assert port["ifAdminStatus"] == "up"
        assert port["ifOperStatus"] == "up"
    for name in ("eth0", "eth1"):
        assert seen[name]["mac"] == sysfs(lab, "srv1", name, "address").replace(":", "")
        assert seen[name]["speed_bps"] == int(sysfs(lab, "srv1", name, "speed")) * 1_000_000


def test_memory_and_processors_are_those_of_proc(lab: Lab, home: Path) -> None:
    # snmpd has no processor's load before it has run for a minute (hrProcessorLoad is a minute's mean).
    until("snmpd knows the load", lambda: bool(observed(lab, home, V2C)["processors"]), wait_s=90)
    seen = observed(lab, home, V2C)
    total_kb = int(lab.read("srv1", "grep", "MemTotal:", "/proc/meminfo").split()[1])
    assert total_kb * 1024 in [m["total"] for m in seen["mempools"]]
    assert all(0 <= m["used"] <= m["total"] for m in seen["mempools"])
    assert len(seen["processors"]) == int(lab.read("srv1", "grep", "-c", "^processor", "/proc/cpuinfo"))
    assert all(0 <= p["percent"] <= 100 for p in seen["processors"])


def test_the_identity_is_what_the_agent_was_told(lab: Lab, home: Path) -> None:
    seen = observed(lab, home, V3)
    assert (seen["reach"], seen["sysName"], seen["os"]) == ("up", "srv1", "linux")
    assert seen["sysLocation"] == "Ruang server, Tigaraksa"
    assert lab.read("srv1", "uname", "-r").strip() in seen["sysDescr"]


def test_a_port_that_is_down_is_seen_down(lab: Lab, home: Path) -> None:
    seen = {p["ifName"]: p for p in observed(lab, home, V2C, NODES["rtr1"].address)["ports"]}
    assert (seen["eth2"]["ifAdminStatus"], seen["eth2"]["ifOperStatus"]) == ("down", "down")
    assert (seen["eth1"]["ifAdminStatus"], seen["eth1"]["ifOperStatus"]) == ("up", "up")


def test_a_wrong_community_is_silence_with_a_reason(lab: Lab, home: Path) -> None:
    seen = observed(lab, home, V2C.replace(COMMUNITY, "not-this-one"))
    assert seen["reach"] == "silent"
    assert seen["reason"]
    assert seen["ports"] == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(SNMP_USER, "nobody-known"), (SNMP_AUTH, "not-this-password")],
    ids=["unknown user", "wrong password"],
)
def test_version_3_is_refused_and_says_why(lab: Lab, home: Path, right: str, wrong: str) -> None:
    seen = observed(lab, home, V3.replace(right, wrong))
    assert seen["reach"] == "refused"
    assert "SNMPv3" in seen["reason"]
    assert wrong not in seen["reason"].replace("nobody-known", "")


def test_an_address_without_a_host_is_silent_at_once(lab: Lab, home: Path) -> None:
    seen = observed(lab, home, V2C, NOBODY)
    assert seen["reach"] == "silent"
    assert seen["took_s"] < 5
