"""The tables of addresses. `first` and `last` hold an address as 32 hex digits, so that text compares as numbers do."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field

from inventory.models import Row, UtcDateTime, key, ref


class Vrf(Row, table=True):
    """A routing table of its own. `enforce_unique`: no address twice in it; the global table always enforces it."""

    name: str = key()
    route_distinguisher: str = ""
    enforce_unique: bool = True
    agency_id: int | None = ref("agency")


class VlanGroup(Row, table=True):
    """Where VLAN ids are unique: a site, a ring, the whole regency."""

    __tablename__ = "vlan_group"
    BOUNDS: ClassVar[dict[str, tuple[float, float]]] = {"first_vid": (1, 4094), "last_vid": (1, 4094)}
    name: str = key()
    place_id: int | None = ref("place")
    first_vid: int = 1
    last_vid: int = 4094


class Vlan(Row, table=True):
    """A VLAN (IEEE 802.1Q); `vid` is unique within its group."""

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"status": ("active", "reserved", "deprecated")}
    BOUNDS: ClassVar[dict[str, tuple[float, float]]] = {"vid": (1, 4094)}
    name: str = key()
    vid: int
    vlan_group_id: int | None = ref("vlan_group")
    status: str = "active"
    place_id: int | None = ref("place")
    agency_id: int | None = ref("agency")


class Prefix(Row, table=True):
    """A prefix; its name is its CIDR, then a space and its VRF when it has one. Where it lies is derived.

    `container`: it is only divided, its own addresses are not used. `pool`: every address is usable.
    """

    __table_args__ = (Index("prefix_span", "vrf_id", "family", "first", "last"),)
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "status": ("active", "container", "reserved", "deprecated")
    }
    name: str = key()
    vrf_id: int | None = ref("vrf")
    status: str = "active"
    pool: bool = False
    place_id: int | None = ref("place")
    agency_id: int | None = ref("agency")
    vlan_id: int | None = ref("vlan")
    role: str = ""
    family: int = 4
    length: int = 0
    first: str = ""
    last: str = ""


class IpRange(Row, table=True):
    """A span of addresses, such as a DHCP pool; its name is FIRST-LAST, then a space and its VRF."""

    __tablename__ = "ip_range"
    __table_args__ = (Index("ip_range_span", "vrf_id", "family", "first", "last"),)
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"status": ("active", "dhcp", "reserved", "deprecated")}
    name: str = key()
    vrf_id: int | None = ref("vrf")
    status: str = "active"
    agency_id: int | None = ref("agency")
    family: int = 4
    first: str = ""
    last: str = ""


class Address(Row, table=True):
    """An address given to an interface, a device or an agency; its name is the address, then its VRF.

    `seen_at` and `seen_mac` are the newest sighting (see Node).
    """

    __table_args__ = (Index("address_span", "vrf_id", "family", "first"),)
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "status": ("active", "reserved", "dhcp", "deprecated"),
    }
    name: str = key()
    vrf_id: int | None = ref("vrf")
    status: str = "active"
    length: int | None = None  # of the prefix it is configured with, such as 24
    interface_id: int | None = ref("interface")
    device_id: int | None = ref("device")
    agency_id: int | None = ref("agency")
    dns_name: str = ""
    family: int = 4
    first: str = ""
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_mac: str = ""


class Node(Row, table=True):
    """An address, or a MAC, seen on the network: in a router's ARP table, answering, or in a switch. Observed only.

    An address at a MAC is named ADDRESS/MAC, a MAC at a port of a switch (`source` fdb) MAC/DEVICE-ID:PORT: what
    moves to another MAC or another port is a new row, and the old one keeps when it was last seen there.
    `switch` and `switch_port` are where the MAC hangs; `uplink` says that this port only leads to other switches,
    because nobody saw the MAC closer.
    """

    name: str = key()
    address: str = Field(default="", index=True)
    mac: str = Field(default="", index=True)
    device_id: int | None = ref("device")  # who saw it
    port: str = ""
    switch_id: int | None = ref("device")
    switch_port: str = ""
    vlan: str = ""  # one or several: 10,20
    uplink: bool = False
    source: str = ""  # arp, fdb, import; snmp and ping: answered a sweep
    first_seen: datetime = Field(sa_type=UtcDateTime)
    last_seen: datetime = Field(sa_type=UtcDateTime)
