"""SNMP against Debian's snmpd: what siaga says is what `snmpget` and the node's own /proc and /sys say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.conftest import Lab
from tests.real.machine import until
from tests.real.nodes import COMMUNITY, NOBODY, NODES, SNMP_USER

pytestmark = pytest.mark.real

SRV1 = NODES["srv1"].address
# Figures that snmpget gives beside siaga: sysUpTime, and octets in and out by ifIndex (IF-MIB).
SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
IF_HC_IN, IF_HC_OUT = "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10"

Files = dict[str, str]
Options = Callable[[Files], list[str]]


def v2c(files: Files, community: str = "community") -> list[str]:
    """Return the options of `siaga inspect` for SNMPv2c."""
    return ["--community-file", files[community], "--timeout", "1", "--retries", "1"]


def v3(files: Files, user: str = SNMP_USER, auth: str = "auth", priv: str = "priv") -> list[str]:
    """Return the options of `siaga inspect` for SNMPv3 with SHA-256 and AES-128."""
    passwords = ["--auth", "SHA-256", "--auth-file", files[auth], "--priv", "AES", "--priv-file", files[priv]]
    return ["--snmp", "3", "--user", user, *passwords, "--timeout", "1", "--retries", "1"]


VERSIONS = pytest.mark.parametrize("options", [v2c, v3])


def snmpget(lab: Lab, *oids: str) -> list[int]:
    """Return numbers as net-snmp's own client gets them from srv1 (times in hundredths of a second)."""
    said = lab.read("noc", "snmpget", "-Oqvt", "-v2c", "-c", COMMUNITY, SRV1, *oids)
    return [int(line) for line in said.split()]


def sysfs(lab: Lab, node: str, interface: str, file: str) -> str:
    """Return what the node's kernel says of an interface."""
    return lab.read(node, "cat", f"/sys/class/net/{interface}/{file}").strip()


@VERSIONS
def test_counters_and_uptime_lie_between_two_reads_of_snmpget(
    lab: Lab, home: Path, secrets: Files, options: Options
) -> None:
    index = int(sysfs(lab, "srv1", "eth0", "ifindex"))
    asked = (SYS_UP_TIME, f"{IF_HC_IN}.{index}", f"{IF_HC_OUT}.{index}")
    before = snmpget(lab, *asked)
    code, seen = lab.inspect(home, f"{SRV1}:161", *options(secrets))
    after = snmpget(lab, *asked)
    assert (code, seen["reach"]) == (0, "up")
    port = next(p for p in seen["ports"] if p["ifIndex"] == index)
    figures = (round(seen["uptime_s"] * 100), port["in_octets"], port["out_octets"])
    assert all(low <= figure <= high for low, figure, high in zip(before, figures, after, strict=True))
    assert port["octets_bits"] == 64
    assert 0 < port["in_octets"] <= int(sysfs(lab, "srv1", "eth0", "statistics/rx_bytes"))


@VERSIONS
def test_the_interfaces_are_those_of_the_kernel(
    lab: Lab, home: Path, secrets: Files, options: Options
) -> None:
    seen = {p["ifName"]: p for p in lab.inspect(home, SRV1, *options(secrets))[1]["ports"]}
    assert sorted(seen) == sorted(lab.read("srv1", "ls", "/sys/class/net").split())
    for name, port in seen.items():
        assert port["ifIndex"] == int(sysfs(lab, "srv1", name, "ifindex"))
        assert (port["ifAdminStatus"], port["ifOperStatus"]) == ("up", "up")
    for name in ("eth0", "eth1"):
        assert seen[name]["mac"] == sysfs(lab, "srv1", name, "address").replace(":", "")
        assert seen[name]["speed_bps"] == int(sysfs(lab, "srv1", name, "speed")) * 1_000_000


def test_memory_is_that_of_proc(lab: Lab, home: Path, secrets: Files) -> None:
    _, seen = lab.inspect(home, SRV1, *v2c(secrets))
    total_kb = int(lab.read("srv1", "grep", "MemTotal:", "/proc/meminfo").split()[1])
    assert total_kb * 1024 in [m["total"] for m in seen["mempools"]]
    assert all(0 <= m["used"] <= m["total"] for m in seen["mempools"])


def test_the_identity_is_what_the_agent_was_told(lab: Lab, home: Path, secrets: Files) -> None:
    _, seen = lab.inspect(home, SRV1, *v3(secrets))
    assert (seen["sysName"], seen["os"]) == ("srv1", "linux")
    assert seen["sysLocation"] == "Ruang server, Tigaraksa"
    assert lab.read("srv1", "uname", "-r").strip() in seen["sysDescr"]


def test_a_port_that_is_down_is_seen_down(lab: Lab, home: Path, secrets: Files) -> None:
    ports = lab.inspect(home, NODES["rtr1"].address, *v2c(secrets))[1]["ports"]
    status = {p["ifName"]: (p["ifAdminStatus"], p["ifOperStatus"]) for p in ports}
    assert status == dict.fromkeys(("lo", "eth0", "eth1"), ("up", "up")) | {"eth2": ("down", "down")}


def test_a_wrong_community_is_silence_with_a_reason(lab: Lab, home: Path, secrets: Files) -> None:
    code, seen = lab.inspect(home, SRV1, *v2c(secrets, community="wrong"))
    assert (code, seen["reach"], seen["ports"]) == (1, "silent", [])
    assert "community" in seen["reason"]


def test_version_3_is_refused_and_says_what_is_wrong(lab: Lab, home: Path, secrets: Files) -> None:
    code, seen = lab.inspect(home, SRV1, *v3(secrets, auth="wrong"))
    assert (code, seen["reach"]) == (4, "refused")
    assert "password" in seen["reason"]
    code, seen = lab.inspect(home, SRV1, *v3(secrets, user="stranger"))
    assert (code, seen["reach"]) == (4, "refused")
    assert "user" in seen["reason"]


def test_a_wrong_privacy_password_is_never_taken_for_an_answer(lab: Lab, home: Path, secrets: Files) -> None:
    code, seen = lab.inspect(home, SRV1, *v3(secrets, priv="wrong"))
    assert code in (1, 4)
    assert (seen["ports"], seen["sysName"]) == ([], "")
    assert "privacy" in seen["reason"]


def test_an_address_without_a_host_is_silent_and_bounded(lab: Lab, home: Path, secrets: Files) -> None:
    code, seen = lab.inspect(home, NOBODY, *v2c(secrets))
    assert (code, seen["reach"]) == (1, "silent")
    assert seen["took_s"] < 5


def test_the_processors_are_those_of_proc(lab: Lab, home: Path, secrets: Files) -> None:
    # The last one here: snmpd tells no load before it has run for a minute (hrProcessorLoad is its mean).
    def load() -> list[float]:
        return [p["percent"] for p in lab.inspect(home, SRV1, *v2c(secrets))[1]["processors"]]

    until("snmpd knows the load", lambda: bool(load()), wait_s=90)
    assert len(load()) == int(lab.read("srv1", "grep", "-c", "^processor", "/proc/cpuinfo"))
    assert all(0 <= percent <= 100 for percent in load())
