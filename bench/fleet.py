"""A regency's inventory of any size, as rows: the same number of devices gives the same rows, to the last octet.

A site has five devices (router, two switches, and two of access point, radio, server, UPS), a /24 and an uplink;
each device has 28 interfaces. Nothing is drawn at random and everything is made while it is read, so 1.4 million
interfaces need no memory here.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from ipaddress import IPv4Address
from itertools import count, islice
from pathlib import Path
from typing import Any

PORTS = 28
PER_SITE = 5
CORE_SITES, BELOW = 200, 20  # sites below one core router, and below each router of its tree
KECAMATAN = 29
DESA = 274
LAN = int(IPv4Address("10.0.0.0"))
FLAT, FLAT_FIRST, FLAT_MOST = "172.16.0.0/16", int(IPv4Address("172.16.0.1")), 60_000
_DAY_ONE = date(2024, 1, 1)
_ROLES = (("router",), ("switch",), ("switch",), ("ap", "radio"), ("server", "ups", "ap", "switch"))
_ABBREVIATED = {"router": "rtr", "switch": "sw", "ap": "ap", "radio": "rad", "server": "srv", "ups": "ups"}
_PLATFORMS = {"router": "routeros", "switch": "ios", "server": "linux"}
_PORT = {"router": "ether", "switch": "GigabitEthernet0/", "server": "eth"}
_MAKERS = ("MikroTik", "Cisco", "Ruijie", "Huawei", "Ubiquiti", "Dell", "APC")

PER_FILE = 500_000

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """The rows of one noun: `rows()` begins anew at each call."""

    noun: str
    header: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]


@dataclass(frozen=True)
class Fleet:
    """An inventory of `devices` devices, and everything that comes with as many."""

    devices: int

    @property
    def sites(self) -> int:
        """How many sites there are."""
        return -(-self.devices // PER_SITE)

    @property
    def agencies(self) -> int:
        """How many agencies there are: every fifth site has one, fifty at least."""
        return max(50, self.sites // 5)

    @property
    def contracts(self) -> int:
        """How many contracts there are: one for four sites."""
        return max(10, self.sites // 4)

    def tables(self) -> list[Table]:
        """Return every table, in an order in which references stand behind what they name."""
        return [
            Table("place", ("name", "kind", "code", "parent", "latitude", "longitude"), self.places),
            Table("agency", ("name", "title", "kind", "place"), self.agency_rows),
            Table("provider", ("name", "title", "contact"), _providers),
            Table(
                "contract",
                (
                    "name",
                    "provider",
                    "kind",
                    "start",
                    "end",
                    "price_idr",
                    "committed_down_bps",
                    "committed_up_bps",
                    "availability_pct",
                ),
                self.contract_rows,
            ),
            Table("device_type", ("name", "maker", "model", "eol"), _types),
            Table("vlan_group", ("name", "place"), _vlan_groups),
            Table("vlan", ("name", "vid", "vlan_group", "agency"), self.vlans),
            Table("prefix", ("name", "status", "role", "place", "vlan"), self.prefixes),
            Table(
                "device",
                (
                    "name",
                    "role",
                    "status",
                    "place",
                    "agency",
                    "device_type",
                    "platform",
                    "address",
                    "serial",
                    "support_contract",
                    "tags",
                ),
                self.device_rows,
            ),
            Table(
                "interface",
                ("device", "name", "alias", "speed_bps", "enabled", "mac", "mode", "vlan"),
                self.interfaces,
            ),
            Table("address", ("name", "length", "device", "interface", "dns_name"), self.addresses),
            Table(
                "link",
                ("name", "kind", "a_interface", "z_interface", "contract", "role", "capacity_bps"),
                self.links,
            ),
            Table(
                "connection",
                (
                    "name",
                    "agency",
                    "place",
                    "contract",
                    "device",
                    "interface",
                    "committed_down_bps",
                    "committed_up_bps",
                ),
                self.connections,
            ),
        ]

    # --- names, from the number of a thing ------------------------------------------------------------

    def role(self, device: int) -> str:
        """Return the role of a device; every two-hundredth site's router is a core router."""
        site, position = divmod(device, PER_SITE)
        roles = _ROLES[position]
        return "core-router" if position == 0 and site % 200 == 0 else roles[site % len(roles)]

    def device(self, device: int) -> str:
        """Return the name of a device."""
        role = self.role(device)
        return f"{_ABBREVIATED.get(role, 'core')}-{device:05}"

    def port(self, device: int, port: int) -> str:
        """Return the name of a port, counted from 1."""
        return f"{_PORT.get(self.role(device), 'ether')}{port}"

    def vlan(self, site: int) -> str:
        """Return the name of the VLAN that a site's access ports are in: forty for each kecamatan."""
        return f"kec{site % KECAMATAN:02}-v{100 + site // KECAMATAN % 40}"

    def ip(self, device: int) -> str:
        """Return the management address of a device: .1 to .5 in the site's /24."""
        site, position = divmod(device, PER_SITE)
        return str(IPv4Address(LAN + site * 256 + 1 + position))

    def agency(self, site: int) -> str:
        """Return the agency that uses a site."""
        return f"agency-{site % self.agencies:05}"

    def contract(self, site: int) -> str:
        """Return the contract that pays for a site's uplink."""
        return f"CTR-{site % self.contracts:05}"

    # --- rows -----------------------------------------------------------------------------------------

    def places(self) -> Iterator[Row]:
        """The tree: the regency, its kecamatan, desa and sites."""
        yield ("Kabupaten", "regency", "36.03", "", -6.2, 106.5)
        for k in range(KECAMATAN):
            yield (f"Kecamatan {k:02}", "kecamatan", f"36.03.{k:02}", "Kabupaten", "", "")
        for d in range(DESA):
            yield (
                f"Desa {d:03}",
                "desa",
                f"36.03.{d % KECAMATAN:02}.2{d:03}",
                f"Kecamatan {d % KECAMATAN:02}",
                "",
                "",
            )
        for s in range(self.sites):
            where = (round(-6.0 - s % 331 / 1000, 4), round(106.3 + s % 431 / 1000, 4))
            yield (f"site-{s:05}", "site", "", f"Desa {s % DESA:03}", *where)

    def agency_rows(self) -> Iterator[Row]:
        """Agencies of every kind, each in a site."""
        kinds = ("opd", "kecamatan", "puskesmas", "desa", "rsud")
        for a in range(self.agencies):
            place = f"site-{a % self.sites:05}"
            yield (f"agency-{a:05}", f"Perangkat daerah {a}", kinds[a % len(kinds)], place)

    def contract_rows(self) -> Iterator[Row]:
        """Contracts that end on different days, some of them soon."""
        for c in range(self.contracts):
            start = _DAY_ONE + timedelta(days=c % 365)
            down = (20, 50, 100, 200)[c % 4] * 1_000_000
            end = start + timedelta(days=365 * (2 + c % 2))
            price = 1_500_000 * (1 + c % 9)
            yield (
                f"CTR-{c:05}",
                f"isp-{c % 6}",
                "internet",
                start.isoformat(),
                end.isoformat(),
                price,
                down,
                down // 2,
                99.5,
            )

    def vlans(self) -> Iterator[Row]:
        """Forty VLANs for each kecamatan."""
        for k in range(KECAMATAN):
            for v in range(40):
                yield (f"kec{k:02}-v{100 + v}", 100 + v, f"vlans-{k:02}", f"agency-{(k * 40 + v) % 50:05}")

    def prefixes(self) -> Iterator[Row]:
        """10.0.0.0/8, a /16 for every 256 sites, a /24 for each site, and one flat /16."""
        yield ("10.0.0.0/8", "container", "", "Kabupaten", "")
        yield (FLAT, "active", "clients", "Kabupaten", "")
        for block in range(-(-self.sites // 256)):
            yield (f"10.{block}.0.0/16", "container", "", "Kabupaten", "")
        for s in range(self.sites):
            yield (f"10.{s >> 8}.{s & 255}.0/24", "active", "lan", f"site-{s:05}", self.vlan(s))

    def device_rows(self) -> Iterator[Row]:
        """Devices; each fiftieth is retired, each tenth bears a tag."""
        for d in range(self.devices):
            site, role = d // PER_SITE, self.role(d)
            status = "retired" if d % 50 == 49 else "active"
            platform = _PLATFORMS.get(role, "routeros" if role == "core-router" else "")
            tags = "core backbone" if role == "core-router" else "critical" if d % 10 == 5 else ""
            yield (
                self.device(d),
                role,
                status,
                f"site-{site:05}",
                self.agency(site),
                f"type-{d % 24:02}",
                platform,
                self.ip(d),
                f"SN{d:08X}",
                self.contract(site) if role.endswith("router") else "",
                tags,
            )

    def interfaces(self) -> Iterator[Row]:
        """28 for each device: an uplink, access ports in the site's VLAN, a third of them described."""
        for d in range(self.devices):
            site, name = d // PER_SITE, self.device(d)
            for p in range(1, PORTS + 1):
                number = d * PORTS + p
                mac = f"02:{number >> 32 & 255:02x}:" + number.to_bytes(4, "big").hex(":")
                alias = f"uplink {self.contract(site)}" if p == 1 else f"meja {p}" if p % 3 == 0 else ""
                speed = 10_000_000_000 if p == 1 else 1_000_000_000
                access = p > 4
                yield (
                    name,
                    self.port(d, p),
                    alias,
                    speed,
                    "no" if p % 14 == 0 else "yes",
                    mac,
                    "access" if access else "trunk",
                    self.vlan(site) if access else "",
                )

    def addresses(self) -> Iterator[Row]:
        """The management address of each device, on its first port, and as many in the flat /16 without a gap."""
        for d in range(self.devices):
            name = self.device(d)
            yield (self.ip(d), 24, name, f"{name}:{self.port(d, 1)}", f"{name}.kab.example")
        for a in range(min(self.devices, FLAT_MOST)):
            yield (str(IPv4Address(FLAT_FIRST + a)), 16, "", "", "")

    def links(self) -> Iterator[Row]:
        """From each first port to the router, from each router to the one above; no port is taken twice."""
        kinds = ("fibre", "copper", "radio")
        for d in range(self.devices):
            site, position = divmod(d, PER_SITE)
            core, place = site // CORE_SITES * CORE_SITES, site % CORE_SITES
            if not position and not place:
                continue  # a core router
            above = site if position else core + (place - 1) // BELOW
            port = 1 + position if position else PER_SITE + 1 + (place - 1) % BELOW
            ends = (
                f"{self.device(d)}:{self.port(d, 1)}",
                f"{self.device(above * PER_SITE)}:{self.port(above * PER_SITE, port)}",
            )
            contract = "" if position else self.contract(site)
            yield (f"link-{d:05}", kinds[d % 3], *ends, contract, "primary", 1_000_000_000)

    def connections(self) -> Iterator[Row]:
        """One for each site: its agency's way into the regency's network."""
        for s in range(self.sites):
            router = s * PER_SITE
            if router >= self.devices:
                return
            name = self.device(router)
            yield (
                f"conn-{s:05}",
                self.agency(s),
                f"site-{s:05}",
                self.contract(s),
                name,
                f"{name}:{self.port(router, 1)}",
                50_000_000,
                25_000_000,
            )


def _providers() -> Iterator[Row]:
    for p in range(6):
        yield (f"isp-{p}", f"Penyedia {p}", f"noc@isp-{p}.example")


def _types() -> Iterator[Row]:
    for t in range(24):
        eol = _DAY_ONE + timedelta(days=90 * t)
        yield (f"type-{t:02}", _MAKERS[t % len(_MAKERS)], f"M{t:02}", eol.isoformat())


def _vlan_groups() -> Iterator[Row]:
    for k in range(KECAMATAN):
        yield (f"vlans-{k:02}", f"Kecamatan {k:02}")


# --- files --------------------------------------------------------------------------------------------


def write_csv(tables: Sequence[Table], folder: Path) -> list[Path]:
    """Write one NOUN.csv for each table and return the paths, in order.

    What does not fit into one file goes on in NOUN-2.csv and so on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for table in tables:
        rows = table.rows()
        for part in count(1):
            first = next(rows, None)
            if first is None:
                break
            path = folder / (f"{table.noun}-{part}.csv" if part > 1 else f"{table.noun}.csv")
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(table.header)
                writer.writerow(first)
                writer.writerows(islice(rows, PER_FILE - 1))
            written.append(path)
    return written


def write_yaml(tables: Sequence[Table], path: Path) -> Path:
    """Write one YAML file, a list of rows under each noun; JSON is YAML, and is written much faster."""
    with path.open("w", encoding="utf-8") as file:
        for table in tables:
            file.write(f"{table.noun}:\n")
            for row in table.rows():
                file.write(f"  - {json.dumps(_filled(table.header, row))}\n")
    return path


def _filled(header: Sequence[str], row: Row) -> Mapping[str, Any]:
    return {k: v for k, v in zip(header, row, strict=True) if v != ""}


def write_xlsx(tables: Sequence[Table], path: Path) -> Path:
    """Write one workbook, a sheet for each noun."""
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False})
    for table in tables:
        sheet = book.add_worksheet(table.noun)
        sheet.write_row(0, 0, table.header)
        for number, row in enumerate(table.rows(), 1):
            sheet.write_row(number, 0, row)
    book.close()
    return path
