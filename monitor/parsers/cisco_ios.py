"""Cisco IOS and IOS XE: four show commands, read by ntc-templates and two templates of our own.

The CLI does not tell ifIndex: the index here is the interface's position in `show interfaces`, from 1, which
stays as long as no interface is added before it; match by name. Octets are the bytes after `packets input`
and `packets output`, taken as 64-bit; `clear counters` sets them to nought, which SNMP's do not do. Uptime
has a resolution of one minute. Processor load is the average of the last five minutes.
"""

import re
from collections.abc import Mapping

from monitor.observation import Identity, Mempool, Port, Processor
from monitor.ssh_parse import (
    PORTS,
    Found,
    Read,
    Reader,
    UnparsedError,
    bounded,
    mac,
    ntc_rows,
    number,
    own_rows,
)
from siaga.text import safe

PLATFORM = "cisco_ios"
VERSION, INTERFACES = "show version", "show interfaces"
PROCESSES, MEMORY = "show processes cpu", "show memory statistics"
VERSION_LINES = 400  # show version of a stack of nine has some 250

_UNITS_S = {"year": 31_536_000, "week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60}
_BANDWIDTH = {"Kbit": 1_000, "kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000}
# ifType (IANAifType-MIB) as IOS itself reports it for these names.
_TYPES = (("Loopback", 24), ("Tunnel", 131), ("Vlan", 53), ("Null", 1), ("Serial", 22), ("Port-channel", 53))


def parse_version(text: str) -> Found:
    """Read `show version`: who it is and how long it has been up."""
    text = bounded(text, VERSION_LINES)
    row = ntc_rows(PLATFORM, VERSION, text)[0]
    if not row["version"] and not row["hostname"]:
        raise UnparsedError("names neither a version nor a host")
    first = next((line for line in text.splitlines() if "Software" in line), "")
    return Found(uptime_s=uptime_s(row["uptime"]), identity=_identity(row, first))


def _identity(row: Mapping[str, str], first: str) -> Identity:
    return Identity(
        sysName=row["hostname"],
        sysDescr=safe(first),
        os="iosxe" if re.search("IOS[- ]XE", first) else "ios",
        vendor="Cisco",
        hardware=row["hardware"].partition(",")[0],
        version=row["version"],
        serial=row["serial"].partition(",")[0],
    )


def uptime_s(text: str) -> float | None:
    """Return `1 year, 3 weeks, 2 days, 4 hours, 5 minutes` in seconds, or None if no part of it is there."""
    parts = re.findall(r"(\d{1,4}) (year|week|day|hour|minute)s?\b", text)
    return float(sum(int(count) * _UNITS_S[unit] for count, unit in parts)) if parts else None


def parse_interfaces(text: str) -> Found:
    """Read `show interfaces`: the interfaces in the device's own order."""
    text = bounded(text)
    rows = ntc_rows(PLATFORM, INTERFACES, text)
    # ntc-templates reads the packets but not the bytes; a template of our own does.
    octets = {row["interface"]: row for row in own_rows("cisco_ios_interface_octets", text)}
    return Found(ports=tuple(_port(i, row, octets) for i, row in enumerate(rows[:PORTS], start=1)))


def _port(index: int, row: Mapping[str, str], octets: Mapping[str, Mapping[str, str]]) -> Port:
    name = row["interface"]
    counts = octets.get(name, {})
    return Port(
        ifIndex=index,
        ifName=name,
        ifDescr=name,
        ifAlias=row["description"],
        ifType=if_type(name),
        speed_bps=bandwidth_bps(row["bandwidth"]),
        ifAdminStatus="down" if row["link_status"].startswith("admin") else "up",
        ifOperStatus="up" if row["protocol_status"].startswith("up") else "down",
        in_octets=number(counts.get("in_octets")),
        out_octets=number(counts.get("out_octets")),
        octets_bits=64,
        in_errors=number(row["input_errors"]),
        out_errors=number(row["output_errors"]),
        in_discards=number(row["queue_drops"]),
        out_discards=number(row["queue_output_drops"]),
        mac=mac(row["mac_address"]),
    )


def if_type(name: str) -> int | None:
    """Return the ifType of an interface by its name, or None for a kind not known here."""
    known = next((kind for prefix, kind in _TYPES if name.startswith(prefix)), None)
    return known or (6 if re.match(r"\S*(Ethernet|GigE)", name) else None)


def bandwidth_bps(text: str) -> int | None:
    """Return `1000000 Kbit` in bits per second: the interface's `bandwidth`, which ifSpeed tells as well."""
    count, _, unit = text.partition(" ")
    value, scale = number(count), _BANDWIDTH.get(unit.partition("/")[0])
    return value * scale if value and scale else None


def parse_processes(text: str) -> Found:
    """Read `show processes cpu`: the load of the last five minutes."""
    row = ntc_rows(PLATFORM, PROCESSES, bounded(text))[0]
    percent = number(row["cpu_usage_5_min"])
    if percent is None or percent > 100:
        raise UnparsedError("does not tell the load of the last five minutes")
    return Found(processors=(Processor("CPU, average of 5 minutes", float(percent)),))


def parse_memory(text: str) -> Found:
    """Read `show memory statistics`: the processor's and the I/O pool, in bytes."""
    rows = own_rows("cisco_ios_memory", bounded(text))
    sizes = [(row["pool"], number(row["total"]), number(row["used"])) for row in rows[:64]]
    pools = [
        Mempool(pool, round(min(100.0, 100.0 * used / total), 1), total, used)
        for pool, total, used in sizes
        if total and used is not None
    ]
    if not pools:
        raise UnparsedError("tells of no pool of memory")
    return Found(mempools=tuple(pools))


READER = Reader(
    "cisco_ios",
    (
        Read(VERSION, parse_version),
        Read(INTERFACES, parse_interfaces),
        Read(PROCESSES, parse_processes),
        Read(MEMORY, parse_memory),
    ),
    serves=("cisco_ios", "cisco_xe", "ios", "iosxe"),
)
