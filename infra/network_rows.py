"""What the inventory says of an agency's connection at the router it ends at: port, VLAN, address, rate."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_interface, ip_network
from typing import Any

from sqlmodel import Session

from infra.hosts import Host
from inventory.store import rows
from siaga.errors import InvalidError
from siaga.text import safe

PARAMETER = "connection"
_LINUX_PORT = re.compile(r"[A-Za-z0-9_.+-]{1,15}")  # what stands in the commands of its unit
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """The rows that a connection is made of."""

    connection: Row
    link: Row
    contract: Row
    vlan: Row
    addresses: Sequence[Row]


def with_connection(session: Session, hosts: Sequence[Host], name: str) -> list[Host]:
    """Return the hosts with the connection's variables (`agency_…`).

    Raises InvalidError (`not-provisionable`) with everything that the inventory lacks for it.
    """
    known = _known(session, name)
    made, problems = [], []
    for host in hosts:
        try:
            linux = host.variables.get("siaga_platform") != "routeros"
            made.append(
                replace(host, variables={**host.variables, **variables(known, host.name, linux=linux)})
            )
        except ValueError as error:
            problems.append(f"'{host.name}': {error}.")
    if problems:
        sentence = f"Connection '{safe(name, 80)}' cannot be set up; nothing was started."
        raise InvalidError("not-provisionable", sentence, problems)
    return made


def _known(session: Session, name: str) -> Known:
    found = _named(rows(session, "connection"), name)
    if not found:
        said = f"connection: no connection is called '{safe(name, 80)}': see 'siaga connection list'."
        raise InvalidError("bad-parameter", said)
    return Known(
        found,
        _named(rows(session, "link"), found.get("link")),
        _named(rows(session, "contract"), found.get("contract")),
        _named(rows(session, "vlan"), found.get("vlan")),
        rows(session, "address"),
    )


def _named(found: Sequence[Row], name: object) -> Row:
    return next((row for row in found if name and row["name"] == name), {})


def variables(known: Known, device: str, *, linux: bool = True) -> dict[str, Any]:
    """Return the connection's variables on one device; raises ValueError saying what the inventory lacks.

    `agency_vlan` is 0 where the port is the agency's alone; rates are bits per second, 0 where none is agreed.
    """
    port = _port(known, device)
    if linux and not _LINUX_PORT.fullmatch(port):
        raise ValueError(f"its port '{safe(port, 40)}' is not called so on a Linux router")
    vid = int(known.vlan.get("vid") or 0)
    interface = f"{port}.{vid}" if vid else port
    if len(interface) > 15:  # IFNAMSIZ of Linux is 16 with the closing zero
        interface = f"vlan{vid}"
    rates = {
        f"agency_{way}_bps": int(
            known.connection.get(f"committed_{way}_bps") or known.contract.get(f"committed_{way}_bps") or 0
        )
        for way in ("down", "up")
    }
    return {
        "agency_connection": str(known.connection["name"]),
        "agency_name": str(known.connection.get("agency") or ""),
        "agency_port": port,
        "agency_vlan": vid,
        "agency_interface": interface,
        "agency_address": _address(known, device, {port, interface}),
        **rates,
    }


def _port(known: Known, device: str) -> str:
    """Return the port where the connection leaves the device: its link's end there, or its own interface."""
    ends = (known.link.get("a_interface"), known.link.get("z_interface"), known.connection.get("interface"))
    for end in ends:
        owner, _, port = str(end or "").partition(":")
        if owner == device and port:
            return port
    raise ValueError("neither end of the connection's link is one of its interfaces")


def _address(known: Known, device: str, interfaces: set[str]) -> str:
    """Return the router's address in the connection's prefix with its length, as IPAM has it."""
    prefix = str(known.connection.get("prefix") or "").partition(" ")[0]
    if not prefix:
        raise ValueError("the connection has no prefix")
    network = ip_network(prefix)
    for row in known.addresses:
        owner, _, port = str(row.get("interface") or "").partition(":")
        if owner == device and port in interfaces:
            address = ip_interface(str(row["name"]).partition(" ")[0]).ip
            if address in network:
                return f"{address}/{network.prefixlen}"
    ask = f"siaga ipam next-address {prefix} --claim device={device} interface={sorted(interfaces)[0]}"
    raise ValueError(f"no address of {prefix} is recorded on it; '{ask}' claims one")
