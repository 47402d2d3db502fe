"""FRRouting by its own shell, vtysh, as the login shell; netmiko's cisco_ios drives it unchanged.

vtysh tells the interfaces with the kernel's ifindex, but no traffic counters, no uptime and no load: of the
host itself, read Linux. Learnt from FRR 8.4.4.
"""

from collections.abc import Mapping

from monitor.observation import Identity, Port
from monitor.ssh_parse import PORTS, Found, Read, Reader, UnparsedError, bounded, mac, number, own_rows

_TYPES = {"Ethernet": 6, "Loopback": 24, "GRE over IP": 131, "IPIP Tunnel": 131, "PPP": 23}


def parse_version(text: str) -> Found:
    """Read `show version`."""
    row = own_rows("frr_show_version", bounded(text, 40))[0]
    name = f"FRRouting {row['version']}" + (f" on {row['system']}" if row["system"] else "")
    seen = Identity(
        sysName=row["hostname"], sysDescr=name, os="frr", vendor="FRRouting", version=row["version"]
    )
    return Found(identity=seen)


def parse_interfaces(text: str) -> Found:
    """Read `show interface`; an interface that is only configured, and has no ifindex, is left out."""
    rows = own_rows("frr_show_interface", bounded(text))[:PORTS]
    ports = [_port(index, row) for row in rows if (index := number(row["ifindex"]))]
    if not ports:
        raise UnparsedError("tells of no interface")
    return Found(ports=tuple(sorted(ports, key=lambda port: port.ifIndex)))


def _port(index: int, row: Mapping[str, str]) -> Port:
    flags = row["flags"].split(",")
    speed = number(row["speed"])
    return Port(
        ifIndex=index,
        ifName=row["interface"],
        ifDescr=row["interface"],
        ifAlias=row["description"] or row["os_description"],
        ifType=_TYPES.get(row["type"]),
        # zebra tells Mbit/s; 0 and 4294967295 (unknown) are no speeds.
        speed_bps=speed * 1_000_000 if speed and speed < 2**32 - 1 else None,
        ifAdminStatus="up" if "UP" in flags else "down",
        ifOperStatus="up" if row["protocol"] == "up" else "down",
        mac=mac(row["mac"]),
    )


READER = Reader("cisco_ios", (Read("show version", parse_version), Read("show interface", parse_interfaces)))
