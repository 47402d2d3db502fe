"""Whole reads over real SSH: the simulated Cisco device, and this machine's own kernel."""

import asyncio
import re
import socket
from pathlib import Path

import asyncssh
from pydantic import SecretStr
from ssh_servers import KEY, NOW, PASSWORD, USER, look, shell, ssh_server, target

from demo.cli_devices import CliDevice, serve
from demo.hosts import Host, Login
from demo.hosts import serve as serve_hosts
from demo.mib import DeviceSpec, PortSpec
from demo.traffic import Flow, Gauge
from monitor.observation import Identity, Mempool, Observation, Port, Processor, Reach
from monitor.ssh import observe_all
from monitor.targets import SshAuth, Target
from siaga.hostkeys import HostKeys

UPLINK = PortSpec(
    1, "GigabitEthernet0/1", "Uplink #1 ke Balaraja", 6, 10**9, bytes.fromhex("020000000101"),
    Flow(1000.0, first=5_000_000_000), Flow(10.0, first=70), errors_h=36.0,
)  # fmt: skip
SHUT = PortSpec(2, "Vlan10", "", 53, 10**8, bytes(6), Flow(1.0, 8), Flow(1.0, 9), admin_up=False)
SPEC = DeviceSpec(
    "sw-balaraja", "ios", "WS-C2960X-24TS-L", "15.2(7)E4", "FOC1234X0AB", "Balaraja", (UPLINK, SHUT),
    1_814_400.0, Gauge(37), 1, 512 * 2**20, Gauge(50), Gauge(40), Gauge(25),
)  # fmt: skip


def _look_at_device(hosts: Path, at_s: float, secret: str = "", platform: str = "cisco_ios") -> Observation:
    async def story() -> Observation:
        device = CliDevice(SPEC, "127.0.0.1", Login(USER, PASSWORD), enable_secret="en-rahasia")
        devices = await serve([device], 0, KEY, clock=lambda: at_s)
        try:
            return await look(target(devices.port, platform, enable_secret=SecretStr(secret)), hosts)
        finally:
            await devices.close()

    return asyncio.run(story())


def test_a_cisco_device_is_read_whole(tmp_path: Path) -> None:
    seen = _look_at_device(tmp_path, at_s=100.0)
    assert (seen.reach, seen.reason, seen.transport, seen.at) == (Reach.up, "", "ssh", NOW)
    assert seen.uptime_s == 1_814_400.0 + 60  # to the minute
    assert seen.identity == Identity(
        sysName="sw-balaraja",
        sysDescr="Cisco IOS Software, WS-C2960X-24TS-L Software (WS-C2960X-24TS-L-UNIVERSALK9-M), "
        "Version 15.2(7)E4, simulated",
        os="ios",
        vendor="Cisco",
        hardware="WS-C2960X-24TS-L",
        version="15.2(7)E4",
        serial="FOC1234X0AB",
    )
    assert seen.processors == (Processor("CPU, average of 5 minutes", 37.0),)
    assert seen.mempools == (Mempool("Processor", 50.0, 512 * 2**20, 256 * 2**20),)
    assert seen.ports == (
        Port(
            1, "GigabitEthernet0/1", "GigabitEthernet0/1", "Uplink #1 ke Balaraja", 6, 10**9, "up", "up",
            5_000_100_000, 1_070, 64, 18_145, 1_134, 4_536, 2_268, "020000000101",
        ),
        Port(2, "Vlan10", "Vlan10", "", 53, 10**8, "down", "down", 8, 9, 64, 0, 0, 0, 0, None),
    )  # fmt: skip


def test_the_counters_of_the_simulated_device_grow_by_its_rate(tmp_path: Path) -> None:
    before, after = (_look_at_device(tmp_path / str(at), at).ports[0] for at in (100.0, 160.0))
    assert (after.in_octets or 0) - (before.in_octets or 0) == 60 * 1000


def test_the_enable_secret_is_used_and_a_wrong_one_named(tmp_path: Path) -> None:
    assert _look_at_device(tmp_path / "a", 1.0, "en-rahasia").reach is Reach.up
    wrong = _look_at_device(tmp_path / "b", 1.0, "salah-rahasia")
    assert wrong.reach is Reach.partial
    assert "prompt was not understood" in wrong.reason
    assert "salah-rahasia" not in repr(wrong)


def test_a_cisco_device_is_known_by_its_ssh_banner(tmp_path: Path) -> None:
    assert _look_at_device(tmp_path, 1.0, platform="").identity.os == "ios"


def _is_this_machine(seen: Observation) -> None:
    """Compare with the kernel's own words, read here and now."""
    assert (seen.reach, seen.reason) == (Reach.up, "")
    now_s = float(Path("/proc/uptime").read_text().split()[0])
    assert seen.uptime_s is not None
    assert now_s - 10 < seen.uptime_s <= now_s
    assert (seen.identity.os, seen.identity.sysName) == ("linux", socket.gethostname())
    assert len(seen.processors) == len(re.findall(r"(?m)^cpu\d+ ", Path("/proc/stat").read_text()))
    assert all(0 <= p.percent <= 100 for p in seen.processors)
    total = re.search(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())
    assert total
    assert [m.total for m in seen.mempools] == [int(total[1]) * 1024]
    assert [(p.ifIndex, p.ifName) for p in seen.ports] == socket.if_nameindex()
    loop = next(p for p in seen.ports if p.ifName == "lo")
    sent = int(Path("/sys/class/net/lo/statistics/tx_bytes").read_text())
    assert (loop.ifType, loop.octets_bits) == (24, 64)
    assert 0 < (loop.out_octets or 0) <= sent


def test_linux_figures_are_those_of_this_machine(tmp_path: Path) -> None:
    async def story() -> Observation:
        async with ssh_server(shell) as port:
            return await look(target(port, "linux"), tmp_path)

    _is_this_machine(asyncio.run(story()))


def test_linux_is_read_on_a_terminal_that_echoes_whatever_the_prompt(tmp_path: Path) -> None:
    async def story() -> Observation:
        host = Host("srv1", "127.0.0.1", tmp_path / "root")
        hosts = await serve_hosts([host], 0, Login(USER, PASSWORD), tmp_path / "keys")
        try:
            return await look(target(hosts.port, ""), tmp_path)
        finally:
            await hosts.close()

    _is_this_machine(asyncio.run(story()))


def test_many_are_read_in_order_with_a_bound_and_progress(tmp_path: Path) -> None:
    at_once, most, done = 0, 0, []

    async def counted(process: "asyncssh.SSHServerProcess[str]") -> None:
        nonlocal at_once, most
        at_once, most = at_once + 1, max(most, at_once + 1)
        await shell(process)
        at_once -= 1

    async def story() -> list[Observation]:
        async with ssh_server(counted) as port:
            ssh = SshAuth(USER, SecretStr(PASSWORD))
            targets = [Target(f"srv{i}", "127.0.0.1", 161, port, "linux", ssh=ssh) for i in range(5)]
            targets[2] = Target("srv2", "127.0.0.1", ssh_port=port, platform="linux")
            keys = HostKeys(tmp_path / "known_hosts")
            return await observe_all(
                targets, concurrency=2, now=NOW, known_hosts=keys, progress=done.append, timeout_s=10
            )

    seen = asyncio.run(story())
    assert [s.name for s in seen] == ["srv0", "srv1", "srv2", "srv3", "srv4"]
    assert [s.reach.value for s in seen] == ["up", "up", "refused", "up", "up"]
    assert sorted(s.name for s in done) == [s.name for s in seen]
    assert most == 2
    assert len((tmp_path / "known_hosts").read_text().splitlines()) == 1
