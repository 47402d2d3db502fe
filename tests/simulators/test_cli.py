"""The simulated command lines remember: what one session configures, the next is shown."""

from pathlib import Path

import pytest
from netmiko import ConnectHandler

from tests.simulators.cli.device import Device, Faults
from tests.simulators.cli.dialect import dialect, names
from tests.simulators.cli.server import running

CONFIGS = Path(__file__).parent / "configs"
SECRET = "rahasia-enable"
# What is typed by somebody who changes a device, and lines that `show` must, and must not, print afterwards.
CHANGES = {
    "ios": (
        ["configure terminal", "interface GigabitEthernet1/0/2", "description Ruang Sekcam", "vlan 40", "name BARU",
         "no ntp server 10.20.0.5", "end", "write memory"],
        [" description Ruang Sekcam", "vlan 40", " name BARU"],
        [" description Ruang Camat", "ntp server 10.20.0.5"],
    ),
    "vrp": (
        ["system-view", "interface GigabitEthernet0/0/2", "description Loket 2", "quit",
         "undo ntp-service unicast-server 10.20.0.5", "return", "save", "y"],
        [" description Loket 2"],
        [" description Loket", "ntp-service unicast-server 10.20.0.5"],
    ),
    "yunshan": (
        ["system-view", "interface GigabitEthernet0/0/2", "description Loket 2", "quit", "commit",
         "return", "save", "y", "system-view", "undo ntp unicast-server 10.20.0.5", "commit trial 60", "return"],
        [" description Loket 2", "ntp unicast-server 10.20.0.5"],
        [" description Loket"],
    ),
    "junos": (
        ["configure", "set system ntp server 10.20.0.6", "delete system ntp server 10.20.0.5", "commit and-quit"],
        ["set system ntp server 10.20.0.6"],
        ["set system ntp server 10.20.0.5"],
    ),
    "routeros": (
        ["/system identity set name=RTR-BARU", "/ip firewall filter add action=accept chain=forward",
         "/ip firewall filter remove [find comment=\"dari NOC\"]", "/ip service set telnet disabled=no"],
        ["set name=RTR-BARU", "add action=accept chain=forward", "set telnet disabled=no"],
        ["set name=RTR-BALARAJA", "set telnet disabled=yes"],
    ),
    "fortigate": (
        ["config system global", "set hostname \"FW-BARU\"", "end", "config firewall policy", "delete 1", "end"],
        ["    set hostname \"FW-BARU\""],
        ["        set name \"internet\""],
    ),
    "edgeos": (
        ["configure", "set system host-name ER-BARU", "commit", "save", "exit"],
        ["set system host-name ER-BARU"],
        ["set system host-name ER-KRONJO"],
    ),
    "procurve": (
        ["configure", "vlan 40", "name \"BARU\"", "exit", "exit", "write memory"],
        ["vlan 40", "   name \"BARU\""],
        [],
    ),
    "airos": (
        ["sed -i 's/^snmp.location=.*/snmp.location=Menara Baru/' /tmp/system.cfg", "cfgmtd -w -p /etc/"],
        ["snmp.location=Menara Baru"],
        ["snmp.location=Menara Kominfo"],
    ),
}  # fmt: skip


def text_of(make: str) -> str:
    return (CONFIGS / f"{make}.txt").read_text("utf-8")


@pytest.mark.parametrize("make", names())
def test_a_configuration_is_printed_as_it_was_read(make: str) -> None:
    device = Device(make, text_of(make))
    again = Device(make, "\n".join(device.running()))
    known = dialect(make)

    def told(text: str) -> list[str]:
        lines = (line.strip() for line in text.splitlines())
        return [x for x in lines if x and x not in known.drop and not x.startswith(known.comment)]

    if known.shape == "blocks":  # the others order or break lines in their own way
        body = told("\n".join(device.config.lines()))
        assert body == [x for x in told(text_of(make)) if x in body]
    assert again.config.lines() == device.config.lines()
    assert len(device.config.lines()) > 15


def session(device: Device, port: int) -> ConnectHandler:
    return ConnectHandler(
        device_type=device.dialect.netmiko,
        host="127.0.0.1",
        port=port,
        username=device.user,
        password=device.password,
        secret=device.enable_secret,
        disabled_algorithms={
            "kex": ["none"]
        },  # else netmiko asks FortiOS for the weakest key exchanges alone
    )


@pytest.mark.parametrize("make", sorted(CHANGES))
def test_what_is_configured_is_shown_to_the_next_session(make: str) -> None:
    typed, there, gone = CHANGES[make]
    device = Device(make, text_of(make), enable_secret=SECRET if dialect(make).enable == "enable" else "")
    with running([device]) as ports:
        for commands in (typed, [dialect(make).show[0]]):
            talk = session(device, ports[0])
            if device.enable_secret:
                talk.enable()
            for command in commands:
                said = talk.send_command_timing(command, read_timeout=10, last_read=0.1)
            talk.remote_conn.close()
            talk.remote_conn_pre.close()
    lines = said.splitlines()
    assert [line for line in there if line not in lines] == []
    assert [line for line in gone if line in lines] == []
    assert device.saved == device.config.lines() or not dialect(make).save


def test_a_word_nobody_knows_and_an_address_that_cannot_be_are_refused() -> None:
    device = Device("ios", text_of("ios"))
    before = device.config.lines()
    where: list = []
    assert device.config.enter("frobnicate 1", where) == list(dialect("ios").unknown)
    assert device.config.enter("ip default-gateway 10.20.300.1", where) == list(dialect("ios").unknown)
    assert device.config.lines() == before


def test_a_pager_that_stays_on_stops_after_a_page() -> None:
    device = Device("ios", text_of("ios"), faults=Faults(pages_always=True))
    with running([device]) as ports:
        talk = session(device, ports[0])
        said = talk.send_command_timing("show running-config", read_timeout=5, last_read=0.1)
        talk.remote_conn_pre.close()
    assert "More" in said
    assert "transport input ssh" not in said
