"""What command output means: literal texts, and texts that nobody would send but a fool or a foe."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.observation import Identity, Mempool, Port, Processor
from monitor.parsers import cisco_ios, frr, linux
from monitor.ssh_parse import (
    LINE,
    LINES,
    PORTS,
    Found,
    UnparsedError,
    bounded,
    mac,
    merged,
    number,
    reader_for,
    readers,
)

VERSION = """\
Cisco IOS XE Software, Version 16.09.04
Cisco IOS Software [Fuji], ISR Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), Version 16.9.4, RELEASE SOFTWARE (fc2)
Technical Support: http://www.cisco.com/techsupport

rtr-curug uptime is 1 year, 2 weeks, 3 days, 4 hours, 5 minutes
System returned to ROM by reload
cisco ISR4321/K9 (1RU) processor with 1694893K/3071K bytes of memory.
Processor board ID FDO21520TGH
"""
INTERFACES = """\
GigabitEthernet0/0/0 is up, line protocol is up
  Hardware is ISR4321-2x1GE, address is 0042.6858.4a00 (bia 0042.6858.4a00)
  Description: Ring utara, 100 Mbps
  MTU 1500 bytes, BW 100000 Kbit/sec, DLY 100 usec,
     reliability 255/255, txload 1/255, rxload 1/255
  Input queue: 1/375/17/0 (size/max/drops/flushes); Total output drops: 23
  5 minute input rate 2000 bits/sec, 2 packets/sec
     9035274 packets input, 18446744073709551615 bytes, 0 no buffer
     3 input errors, 2 CRC, 0 frame, 0 overrun, 0 ignored
     4041563 packets output, 704321467 bytes, 0 underruns
     5 output errors, 0 collisions, 1 interface resets
Loopback0 is up, line protocol is up
  Hardware is Loopback
  MTU 1514 bytes, BW 8000000 Kbit/sec, DLY 5000 usec,
     0 packets input, 0 bytes, 0 no buffer
     12 packets output, 888 bytes, 0 underruns
Serial0/1/0 is administratively down, line protocol is down
  Hardware is NIM-1T
"""
MEMORY = """\
Tracekey : 1#f8e3c2db7822c04e58ce2bd2fc7e476a

                Head    Total(b)     Used(b)     Free(b)   Lowest(b)  Largest(b)
Processor  7F6A0A3010   1000000000   250000000   750000000   740000000   700000000
lsmpi_io   7F6A09B1A8     6295128     6294304         824         824         412
"""
PROCESSES = """\
CPU utilization for five seconds: 12%/3%; one minute: 10%; five minutes: 8%
 PID Runtime(ms)     Invoked      uSecs   5Sec   1Min   5Min TTY Process
   1           4          29        137  0.00%  0.00%  0.00%   0 Chunk Manager
"""
FRR_INTERFACE = """\
Interface eth1 is up, line protocol is up
  Link ups:       3    last: 2026/03/01 10:00:00.00
  vrf: default
  Description: Uplink ke Balaraja
  OS Description: kabel 7
  index 3 metric 0 mtu 1500 speed 10000 txqlen 1000
  flags: <UP,BROADCAST,RUNNING,MULTICAST>
  Type: Ethernet
  HWaddr: 22:4f:db:ba:34:5a
  inet 10.77.1.1/30
Interface eth9 is down
  index 9 metric 0 mtu 1500 speed 4294967295
  flags: <BROADCAST,MULTICAST>
  Type: Ethernet
Interface lo is up, line protocol is up
  index 1 metric 0 mtu 65536 speed 0
  flags: <UP,LOOPBACK,RUNNING>
  Type: Loopback
Interface gone is down
  pseudo interface
"""
LINUX = """\
Welcome! 3 updates # can be applied $ now
$ /bin/sh -c 'm() { echo @"@" $1; }; m begin'

@@ begin

@@ host
srv-bapenda

@@ kernel
Linux 6.1.0-18-amd64 x86_64

@@ release
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
ID=debian

@@ net
Inter-|   Receive               |  Transmit
 face |bytes    packets errs ... |bytes    packets errs ...
    lo: 3193 29 0 0 0 0 0 0 3193 29 0 0 0 0 0 0
  eth0:18446744073709551615 9 1 2 0 0 0 0 704321467 9 3 4 0 0 0 0

@@ links
eth0 ifindex 2
eth0 ifalias ke switch inti
eth0 address 52:54:00:ab:cd:ef
eth0 operstate lowerlayerdown
eth0 speed 2500
eth0 type 1
eth0 flags 0x1003
lo ifindex 1
lo address 00:00:00:00:00:00
lo operstate unknown
lo type 772
lo flags 0x9

@@ memory
MemTotal:        1000 kB
MemFree:          100 kB
MemAvailable:     250 kB

@@ board
sys_vendor Dell Inc.
product_name PowerEdge R640

@@ model

@@ before
cpu  100 0 100 800 0 0 0 0 0 0
cpu0 50 0 50 300 100 0 0 0 0 0
cpu1 50 0 50 400 0 0 0 0 0 0

@@ after
cpu  200 0 100 900 0 0 0 0 0 0
cpu0 70 0 50 330 150 0 0 0 0 0
cpu1 150 0 50 400 0 0 0 0 0 0

@@ uptime
123456.78 222222.00

@@ end
"""


def test_show_version_of_ios_xe() -> None:
    assert cisco_ios.parse_version(VERSION) == Found(
        uptime_s=31_536_000 + 2 * 604_800 + 3 * 86_400 + 4 * 3_600 + 5 * 60,
        identity=Identity(
            sysName="rtr-curug",
            sysDescr="Cisco IOS XE Software, Version 16.09.04",
            os="iosxe",
            vendor="Cisco",
            hardware="ISR4321/K9",
            version="16.9.4",
            serial="FDO21520TGH",
        ),
    )


def test_show_interfaces_in_the_devices_order_with_64_bit_octets() -> None:
    assert cisco_ios.parse_interfaces(INTERFACES).ports == (
        Port(
            1, "GigabitEthernet0/0/0", "GigabitEthernet0/0/0", "Ring utara, 100 Mbps", 6, 100_000_000, "up", "up",
            2**64 - 1, 704_321_467, 64, 3, 5, 17, 23, "004268584a00",
        ),
        Port(
            2, "Loopback0", "Loopback0", "", 24, 8_000_000_000, "up", "up", 0, 888, 64,
        ),
        Port(3, "Serial0/1/0", "Serial0/1/0", "", 22, None, "down", "down", octets_bits=64),
    )  # fmt: skip


def test_show_memory_statistics_and_show_processes_cpu() -> None:
    assert cisco_ios.parse_memory(MEMORY).mempools == (
        Mempool("Processor", 25.0, 1_000_000_000, 250_000_000),
        Mempool("lsmpi_io", 100.0, 6_295_128, 6_294_304),
    )
    assert cisco_ios.parse_processes(PROCESSES).processors == (Processor("CPU, average of 5 minutes", 8.0),)


def test_vtysh_tells_interfaces_with_the_kernels_ifindex() -> None:
    assert frr.parse_interfaces(FRR_INTERFACE).ports == (
        Port(1, "lo", "lo", "", 24, None, "up", "up"),
        Port(
            3, "eth1", "eth1", "Uplink ke Balaraja", 6, 10_000_000_000, "up", "up", mac="224fdbba345a",
        ),
        Port(9, "eth9", "eth9", "", 6, None, "down", "down"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "system"),
    [("FRRouting 8.4.4 (core) on Linux(6.1.0).\n", " on Linux(6.1.0)"), ("FRRouting 7.5 (core).\n", "")],
)
def test_vtysh_tells_its_version(text: str, system: str) -> None:
    seen = frr.parse_version(text + "Copyright\nconfigured with:\n").identity
    assert (seen.sysName, seen.os) == ("core", "frr")
    assert seen.sysDescr == f"FRRouting {seen.version}{system}"


def test_linux_is_read_from_proc_and_sys() -> None:
    assert linux.parse(LINUX) == Found(
        uptime_s=123_456.78,
        identity=Identity(
            sysName="srv-bapenda",
            sysDescr="Linux 6.1.0-18-amd64 x86_64",
            os="linux",
            vendor="Dell Inc.",
            hardware="PowerEdge R640",
            version="Debian GNU/Linux 12 (bookworm)",
        ),
        ports=(
            Port(1, "lo", "lo", "", 24, None, "up", "up", 3193, 3193, 64, 0, 0, 0, 0),
            Port(
                2, "eth0", "eth0", "ke switch inti", 6, 2_500_000_000, "up", "lowerLayerDown",
                2**64 - 1, 704_321_467, 64, 1, 3, 2, 4, "525400abcdef",
            ),
        ),
        # cpu0: 20 of 100 ticks busy, 30 idle and 50 waiting for a disk; cpu1: all 100 busy.
        processors=(Processor("cpu0", 20.0), Processor("cpu1", 100.0)),
        mempools=(Mempool("Memory", 75.0, 1_024_000, 768_000),),
    )  # fmt: skip


def test_what_linux_does_not_tell_is_named() -> None:
    text = LINUX.replace("MemTotal", "MemTotally").replace("eth0 ifindex 2\n", "").replace("123456", "soon")
    found = linux.parse(text)
    assert found.missing == ("/proc/uptime", "/proc/meminfo", "/sys/class/net of some interfaces")
    assert [p.ifName for p in found.ports] == ["lo"]


def test_another_unix_is_not_taken_for_linux() -> None:
    with pytest.raises(UnparsedError, match="found FreeBSD where Linux was expected"):
        linux.parse(LINUX.replace("Linux 6.1.0-18-amd64", "FreeBSD 14.1"))


def test_the_shell_line_fits_a_terminal_and_carries_no_mark_in_its_echo() -> None:
    assert len(linux.COMMAND) < 1024
    assert linux.COMMAND.count("'") == 2
    assert "!" not in linux.COMMAND
    assert "@@ " not in linux.COMMAND


def test_the_first_that_tells_a_thing_is_believed() -> None:
    one = Found(uptime_s=0.0, identity=Identity(sysName="a"), missing=("x",))
    two = Found(uptime_s=9.0, identity=Identity(sysName="b", os="ios"), missing=("y",))
    assert merged(iter([one, two])) == Found(0.0, Identity(sysName="a", os="ios"), missing=("x", "y"))


def test_a_reader_is_found_by_platform_and_by_what_the_server_says() -> None:
    known = readers()
    assert set(known) == {"cisco_ios", "frr", "linux"}
    assert reader_for("frr") == ("cisco_ios", known["frr"])
    assert reader_for("", "SSH-2.0-Cisco-1.25") == ("cisco_ios", known["cisco_ios"])
    assert reader_for("", "SSH-2.0-OpenSSH_9.2p1") == ("linux", known["linux"])
    assert reader_for("teletype") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("18446744073709551615", 2**64 - 1), ("18446744073709551616", None), ("٣", None)],
)
def test_a_number_is_ascii_digits_that_fit_a_counter(text: str, value: int | None) -> None:
    assert number(text) == value


def test_a_mac_address_is_twelve_digits_in_any_notation() -> None:
    assert {mac(t) for t in ("0042.6858.4A00", "00:42:68:58:4a:00", "0042-6858-4a00")} == {"004268584a00"}
    assert mac("00:00:00:00:00:00") is mac("none") is None


PARSERS = [
    cisco_ios.parse_version,
    cisco_ios.parse_interfaces,
    cisco_ios.parse_processes,
    cisco_ios.parse_memory,
    frr.parse_version,
    frr.parse_interfaces,
    linux.parse,
]
_REAL = [
    line
    for text in (VERSION, INTERFACES, MEMORY, PROCESSES, FRR_INTERFACE, LINUX)
    for line in text.splitlines()
]
_bent = st.builds(
    lambda line, at, junk: line[: at % (len(line) + 1)] + junk + line[at % (len(line) + 1) :],
    st.sampled_from(_REAL),
    st.integers(0, 80),
    st.text(max_size=6),
)
_texts = st.lists(st.one_of(st.sampled_from(_REAL), _bent, st.text(max_size=40)), max_size=30).map("\n".join)


@settings(deadline=None)
@given(_texts)
def test_no_text_makes_a_parser_fail_in_another_way_than_saying_so(text: str) -> None:
    for parse in PARSERS:
        try:
            found = parse(text)
        except UnparsedError as error:
            assert len(str(error)) < 250  # noqa: PT017 - it may or may not be raised
            continue
        assert all(p.ifIndex > 0 and p.ifName.isprintable() for p in found.ports)
        assert all(0 <= p.percent <= 100 for p in (*found.processors, *found.mempools))


@settings(deadline=None)
@given(st.text())
def test_no_text_at_all_makes_a_parser_fail(text: str) -> None:
    for parse in PARSERS:
        with pytest.raises(UnparsedError):
            parse(text)


def test_output_that_never_ends_is_not_read_to_the_end() -> None:
    assert bounded("x" * 1_000_000 + "\ny" * 50_000) == "\n".join(["x" * LINE, *["y"] * (LINES - 1)])
    text = "".join(f"Interface v{i} is up\n  index {i} metric 0 mtu 1500 speed 0\n" for i in range(1, 5000))
    assert len(frr.parse_interfaces(text).ports) == PORTS
