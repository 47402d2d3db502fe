"""A small regency as a NetBox holds it: what record.py writes into a real one before it records the answers.

Every list is (endpoint, records), in an order in which references can be followed; `{"name": …}` refers to another
record as NetBox's REST API takes it. What needs an id (cables, generic relations) is a `Ref`.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ref:
    """The id of the one record of `endpoint` that has these values."""

    endpoint: str
    where: tuple[tuple[str, str], ...]


def ref(endpoint: str, **where: str) -> Ref:
    return Ref(endpoint, tuple(where.items()))


def slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")


def named(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"name": n, "slug": slug(n), **more} for n in names]


OFFICES = (
    "Balaraja",
    "Mauk",
    "Kronjo",
    "Cisoka",
    "Sepatan",
    "Teluknaga",
    "Legok",
    "Curug",
    "Cikupa",
    "Pasar Kemis",
)


def port(device: str, name: str) -> Ref:
    return ref("dcim/interfaces", device=device, name=name)


def cable(label: str, kind: str, a: tuple[str, Ref], b: tuple[str, Ref], **more: Any) -> dict[str, Any]:
    ends = {
        f"{side}_terminations": [{"object_type": model, "object_id": end}]
        for side, (model, end) in (("a", a), ("b", b))
    }
    return {"label": label, "type": kind, "status": "connected", **ends, **more}


SEED: list[tuple[str, list[dict[str, Any]]]] = [
    ("extras/tags", named("core", "titipan provider", color="2196f3")),
    (
        "extras/custom-field-choice-sets",
        [{"name": "Sumber dana", "extra_choices": [["apbd", "APBD"], ["hibah", "Hibah"]]}],
    ),
    (
        "extras/custom-fields",
        [
            {"name": "no_kontrak", "type": "text", "object_types": ["dcim.device"]},
            {
                "name": "sumber_dana",
                "type": "select",
                "object_types": ["dcim.device"],
                "choice_set": {"name": "Sumber dana"},
            },
            {
                "name": "pengganti",
                "type": "object",
                "related_object_type": "dcim.device",
                "object_types": ["dcim.device"],
            },
            {"name": "snmp_community", "type": "text", "object_types": ["dcim.device"]},
        ],
    ),
    ("tenancy/tenant-groups", named("Dinas", "Kecamatan")),
    (
        "tenancy/tenants",
        [
            *named(
                "Dinas Komunikasi dan Informatika",
                "Dinas Kesehatan",
                "RSUD Balaraja",
                group={"slug": "dinas"},
            ),
            *named(*(f"Kecamatan {o}" for o in OFFICES), group={"slug": "kecamatan"}),
            {"name": 'Puskesmas "Mauk" <baru>', "slug": "puskesmas-mauk"},
        ],
    ),
    ("dcim/regions", named("Kabupaten Tangerang")),
    ("dcim/regions", named("Balaraja", "Mauk", "Tigaraksa", parent={"slug": "kabupaten-tangerang"})),
    (
        "dcim/regions",
        [{"name": "Tegal Kunir Kidul", "slug": "tegal-kunir-kidul", "parent": {"slug": "mauk"}}],
    ),
    ("dcim/site-groups", named("Kantor")),
    ("ipam/rirs", named("IDNIC")),
    ("ipam/asns", [{"asn": 64512, "rir": {"slug": "idnic"}}, {"asn": 7713, "rir": {"slug": "idnic"}}]),
    (
        "dcim/sites",
        [
            {
                "name": "Command Center",
                "slug": "command-center",
                "region": {"slug": "tigaraksa"},
                "group": {"slug": "kantor"},
                "tenant": {"slug": "dinas-komunikasi-dan-informatika"},
                "latitude": -6.267,
                "longitude": 106.478,
                "physical_address": "Jl. H. Somawinata\nTigaraksa",
                "time_zone": "Asia/Jakarta",
                "asns": [ref("ipam/asns", asn="64512")],
                "description": "=SUM(A1:A9)",
            },
            *(
                {
                    "name": f"Kantor {o}",
                    "slug": slug(f"Kantor {o}"),
                    "region": {"slug": slug(o)}
                    if o in ("Balaraja", "Mauk")
                    else {"slug": "kabupaten-tangerang"},
                    "tenant": {"slug": slug(f"Kecamatan {o}")},
                    "status": "planned" if o == "Curug" else "active",
                }
                for o in OFFICES
            ),
            {"name": "Mauk", "slug": "pos-mauk", "region": {"slug": "tegal-kunir-kidul"}},
        ],
    ),
    (
        "dcim/locations",
        [{"name": "Gedung A", "slug": "gedung-a", "site": {"slug": "command-center"}, "status": "active"}],
    ),
    (
        "dcim/locations",
        [
            {
                "name": "Ruang Server",
                "slug": "ruang-server",
                "site": {"slug": "command-center"},
                "parent": {"slug": "gedung-a"},
            },
            {
                "name": "Ruang Server",
                "slug": "ruang-server",
                "site": {"slug": "kantor-mauk"},
                "facility": "R-1",
            },
        ],
    ),
    ("dcim/rack-roles", named("Inti", color="4caf50")),
    (
        "dcim/racks",
        [
            {
                "name": "R01",
                "site": {"slug": "command-center"},
                "location": ref("dcim/locations", site="command-center", slug="ruang-server"),
                "role": {"slug": "inti"},
                "u_height": 42,
                "serial": "RK-001",
                "asset_tag": "RAK-1",
            },
            {"name": "R01", "site": {"slug": "kantor-mauk"}, "u_height": 12, "desc_units": True},
        ],
    ),
    ("dcim/manufacturers", named("MikroTik", "Cisco", "APC", "Dell")),
    (
        "dcim/device-types",
        [
            {
                "manufacturer": {"slug": "mikrotik"},
                "model": "CCR2004-16G-2S+",
                "slug": "mikrotik-ccr2004-16g-2s",
                "part_number": "CCR2004-16G-2S+PC",
                "u_height": 1,
                "end_of_life": "2031-12-31",
            },
            {"manufacturer": {"slug": "mikrotik"}, "model": "hEX S", "slug": "mikrotik-hex-s", "u_height": 0},
            {
                "manufacturer": {"slug": "cisco"},
                "model": "C9300-48P",
                "slug": "cisco-c9300-48p",
                "u_height": 1,
            },
            {
                "manufacturer": {"slug": "apc"},
                "model": "SMT1500RMI2U",
                "slug": "apc-smt1500rmi2u",
                "u_height": 2,
            },
            {
                "manufacturer": {"slug": "dell"},
                "model": "PowerEdge R650",
                "slug": "dell-poweredge-r650",
                "u_height": 1,
            },
        ],
    ),
    (
        "dcim/interface-templates",
        [
            *(
                {"device_type": {"slug": "mikrotik-ccr2004-16g-2s"}, "name": n, "type": t}
                for n, t in (
                    ("ether1", "1000base-t"),
                    ("ether2", "1000base-t"),
                    ("sfp-sfpplus1", "10gbase-x-sfpp"),
                )
            ),
            *(
                {"device_type": {"slug": "mikrotik-hex-s"}, "name": f"ether{n}", "type": "1000base-t"}
                for n in (1, 2, 3)
            ),
            *(
                {
                    "device_type": {"slug": "cisco-c9300-48p"},
                    "name": f"GigabitEthernet1/0/{n}",
                    "type": "1000base-t",
                }
                for n in (1, 2, 3)
            ),
            {
                "device_type": {"slug": "dell-poweredge-r650"},
                "name": "eno1",
                "type": "1000base-t",
            },
            {
                "device_type": {"slug": "dell-poweredge-r650"},
                "name": "iDRAC",
                "type": "1000base-t",
                "mgmt_only": True,
            },
        ],
    ),
    (
        "dcim/power-port-templates",
        [
            {"device_type": {"slug": "dell-poweredge-r650"}, "name": f"PSU{n}", "type": "iec-60320-c14"}
            for n in (1, 2)
        ],
    ),
    (
        "dcim/console-port-templates",
        [{"device_type": {"slug": "cisco-c9300-48p"}, "name": "con0", "type": "rj-45"}],
    ),
    (
        "dcim/device-roles",
        named("Core Router", "Router", "Access Switch", "Server", "UPS", "Mesin Antrean", color="9e9e9e"),
    ),
    ("dcim/platforms", named("RouterOS", "Cisco IOS-XE", "Debian 12", "Sistem Antrean")),
    ("ipam/route-targets", [{"name": "64512:100", "tenant": {"slug": "rsud-balaraja"}}]),
    (
        "ipam/vrfs",
        [
            {
                "name": "rsud",
                "rd": "64512:100",
                "enforce_unique": True,
                "tenant": {"slug": "rsud-balaraja"},
                "import_targets": [ref("ipam/route-targets", name="64512:100")],
            }
        ],
    ),
    ("ipam/roles", named("Manajemen", "Layanan")),
    (
        "ipam/vlan-groups",
        [
            {
                "name": "Command Center",
                "slug": "vlan-cc",
                "scope_type": "dcim.site",
                "scope_id": ref("dcim/sites", slug="command-center"),
                "vid_ranges": [[10, 199], [300, 399]],
            }
        ],
    ),
    (
        "ipam/vlans",
        [
            {"vid": 10, "name": "manajemen", "group": {"slug": "vlan-cc"}, "role": {"slug": "manajemen"}},
            {"vid": 20, "name": "layanan", "group": {"slug": "vlan-cc"}, "status": "reserved"},
            {
                "vid": 10,
                "name": "manajemen",
                "site": {"slug": "kantor-mauk"},
                "tenant": {"slug": "kecamatan-mauk"},
            },
        ],
    ),
    (
        "ipam/prefixes",
        [
            {"prefix": "10.0.0.0/8", "status": "container"},
            {
                "prefix": "10.10.0.0/16",
                "status": "container",
                "scope_type": "dcim.region",
                "scope_id": ref("dcim/regions", slug="kabupaten-tangerang"),
            },
            {
                "prefix": "10.10.1.0/24",
                "scope_type": "dcim.site",
                "scope_id": ref("dcim/sites", slug="command-center"),
                "vlan": ref("ipam/vlans", name="manajemen", group="vlan-cc"),
                "role": {"slug": "manajemen"},
                "is_pool": True,
                "mark_utilized": True,
            },
            {"prefix": "10.10.2.0/24", "tenant": {"slug": "kecamatan-mauk"}, "status": "reserved"},
            {"prefix": "10.10.1.0/24", "vrf": {"rd": "64512:100"}, "tenant": {"slug": "rsud-balaraja"}},
            {"prefix": "2001:db8:36::/48"},
        ],
    ),
    (
        "ipam/ip-ranges",
        [
            {
                "start_address": "10.10.2.100/24",
                "end_address": "10.10.2.199/24",
                "status": "reserved",
                "description": "DHCP",
            }
        ],
    ),
    (
        "dcim/virtual-chassis",
        [{"name": "tumpukan-cc"}],
    ),
    (
        "dcim/devices",
        [
            {
                "name": "rtr-cc-1",
                "role": {"slug": "core-router"},
                "device_type": {"slug": "mikrotik-ccr2004-16g-2s"},
                "site": {"slug": "command-center"},
                "location": ref("dcim/locations", site="command-center", slug="ruang-server"),
                "rack": ref("dcim/racks", site="command-center", name="R01"),
                "position": 40,
                "face": "front",
                "tenant": {"slug": "dinas-komunikasi-dan-informatika"},
                "platform": {"slug": "routeros"},
                "serial": "HE9080WQ12X",
                "asset_tag": "1.3.2.10.02.04.001.1",
                "tags": [{"slug": "core"}],
                "local_context_data": {"ntp_servers": ["10.10.1.5"], "snmp": {"community": "jangan-terbaca"}},
                "custom_fields": {
                    "no_kontrak": "SPK-2024-017",
                    "sumber_dana": "apbd",
                    "snmp_community": "jangan-terbaca",
                },
                "comments": "Dibeli 2024.\r\n**Garansi** 3 tahun.",
            },
            {
                "name": "sw-cc-1",
                "role": {"slug": "access-switch"},
                "device_type": {"slug": "cisco-c9300-48p"},
                "site": {"slug": "command-center"},
                "rack": ref("dcim/racks", site="command-center", name="R01"),
                "location": ref("dcim/locations", site="command-center", slug="ruang-server"),
                "position": 38,
                "face": "front",
                "platform": {"slug": "cisco-ios-xe"},
                "serial": "FOC2133X0AB",
                "virtual_chassis": {"name": "tumpukan-cc"},
                "vc_position": 1,
            },
            {
                "name": "srv-cc-1",
                "role": {"slug": "server"},
                "device_type": {"slug": "dell-poweredge-r650"},
                "site": {"slug": "command-center"},
                "rack": ref("dcim/racks", site="command-center", name="R01"),
                "location": ref("dcim/locations", site="command-center", slug="ruang-server"),
                "position": 20,
                "face": "front",
                "platform": {"slug": "debian-12"},
                "status": "staged",
                "custom_fields": {"pengganti": ref("dcim/devices", name="rtr-cc-1")},
            },
            {
                "name": "ups-cc-1",
                "role": {"slug": "ups"},
                "device_type": {"slug": "apc-smt1500rmi2u"},
                "site": {"slug": "command-center"},
                "status": "failed",
            },
            *(
                {
                    "name": f"rtr-{slug(o)}",
                    "role": {"slug": "router"},
                    "device_type": {"slug": "mikrotik-hex-s"},
                    "site": {"slug": slug(f"Kantor {o}")},
                    "tenant": {"slug": slug(f"Kecamatan {o}")},
                    "platform": {"slug": "routeros"},
                    "serial": f"HC0{n:02}XY",
                    "status": {"Curug": "planned", "Legok": "decommissioning", "Kronjo": "inventory"}.get(
                        o, "active"
                    ),
                }
                for n, o in enumerate(OFFICES)
            ),
            {
                "role": {"slug": "router"},
                "device_type": {"slug": "mikrotik-hex-s"},
                "site": {"slug": "pos-mauk"},
            },
            {
                "name": "antrean-1",
                "role": {"slug": "mesin-antrean"},
                "device_type": {"slug": "dell-poweredge-r650"},
                "site": {"slug": "kantor-mauk"},
                "platform": {"slug": "sistem-antrean"},
            },
        ],
    ),
    ("virtualization/cluster-types", named("Proxmox")),
    ("virtualization/clusters", [{"name": "cc", "type": {"slug": "proxmox"}}]),
    (
        "virtualization/virtual-machines",
        [
            {
                "name": "vm-eplanning",
                "cluster": {"name": "cc"},
                "site": {"slug": "command-center"},
                "role": {"slug": "server"},
                "platform": {"slug": "debian-12"},
                "vcpus": 4,
                "memory": 8192,
                "disk": 60000,
                "tenant": {"slug": "dinas-komunikasi-dan-informatika"},
            }
        ],
    ),
    ("virtualization/interfaces", [{"virtual_machine": {"name": "vm-eplanning"}, "name": "ens18"}]),
    (
        "dcim/interfaces",
        [
            {"device": {"name": "rtr-cc-1"}, "name": "bond1", "type": "lag"},
            {"device": {"name": "rtr-cc-1"}, "name": "wlan1", "type": "ieee802.11ac"},
            {"device": {"name": "rtr-mauk"}, "name": "wlan1", "type": "ieee802.11ac", "description": "ke CC"},
            {
                "device": {"name": "sw-cc-1"},
                "name": "GigabitEthernet1/0/4",
                "type": "1000base-t",
                "mode": "tagged",
                "untagged_vlan": ref("ipam/vlans", name="manajemen", group="vlan-cc"),
                "tagged_vlans": [ref("ipam/vlans", name="layanan")],
                "speed": 1000000,
                "duplex": "full",
                "enabled": False,
                "mtu": 9000,
                "label": "panel 4",
                "lag": None,
            },
        ],
    ),
    (
        "dcim/mac-addresses",
        [
            {
                "mac_address": "48:8F:5A:00:00:01",
                "assigned_object_type": "dcim.interface",
                "assigned_object_id": port("rtr-cc-1", "ether1"),
            }
        ],
    ),
    (
        "ipam/ip-addresses",
        [
            {
                "address": "10.10.1.1/24",
                "assigned_object_type": "dcim.interface",
                "assigned_object_id": port("rtr-cc-1", "ether1"),
                "dns_name": "rtr-cc-1.tangerangkab.go.id",
                "tenant": {"slug": "dinas-komunikasi-dan-informatika"},
            },
            {
                "address": "10.10.2.1/24",
                "assigned_object_type": "dcim.interface",
                "assigned_object_id": port("rtr-mauk", "ether1"),
            },
            {
                "address": "10.10.1.20/24",
                "assigned_object_type": "virtualization.vminterface",
                "assigned_object_id": ref("virtualization/interfaces", name="ens18"),
            },
            {"address": "10.10.1.30/24", "status": "dhcp", "role": "vip"},
            {"address": "10.10.1.1/24", "vrf": {"rd": "64512:100"}, "status": "reserved"},
            {"address": "2001:db8:36::1/64", "status": "deprecated"},
        ],
    ),
    ("circuits/providers", named("Telkom", "Biznet", asns=[ref("ipam/asns", asn="7713")])),
    ("circuits/provider-accounts", [{"provider": {"slug": "telkom"}, "account": "4718-22"}]),
    ("circuits/circuit-types", named("Metro Ethernet", "Internet")),
    (
        "circuits/circuits",
        [
            {
                "cid": "ASTI-0017",
                "provider": {"slug": "telkom"},
                "provider_account": {"account": "4718-22"},
                "type": {"slug": "metro-ethernet"},
                "install_date": "2025-01-01",
                "termination_date": "2026-12-31",
                "commit_rate": 50000,
                "tenant": {"slug": "dinas-komunikasi-dan-informatika"},
            },
            {
                "cid": "INET-1",
                "provider": {"slug": "biznet"},
                "type": {"slug": "internet"},
                "status": "planned",
            },
        ],
    ),
    (
        "circuits/circuit-terminations",
        [
            {
                "circuit": {"cid": "ASTI-0017"},
                "term_side": side,
                "termination_type": "dcim.site",
                "termination_id": ref("dcim/sites", slug=site),
                "port_speed": 100000,
            }
            for side, site in (("A", "command-center"), ("Z", "kantor-mauk"))
        ],
    ),
    (
        "dcim/cables",
        [
            cable(
                "CC-1",
                "cat6",
                ("dcim.interface", port("rtr-cc-1", "ether2")),
                ("dcim.interface", port("sw-cc-1", "GigabitEthernet1/0/1")),
                length=3,
                length_unit="m",
            ),
            cable(
                "",
                "smf",
                ("dcim.interface", port("rtr-cc-1", "sfp-sfpplus1")),
                (
                    "circuits.circuittermination",
                    ref("circuits/circuit-terminations", circuit="ASTI-0017", term_side="A"),
                ),
            ),
            cable(
                "",
                "smf",
                (
                    "circuits.circuittermination",
                    ref("circuits/circuit-terminations", circuit="ASTI-0017", term_side="Z"),
                ),
                ("dcim.interface", port("rtr-mauk", "ether1")),
            ),
        ],
    ),
    (
        "wireless/wireless-links",
        [
            {
                "interface_a": port("rtr-cc-1", "wlan1"),
                "interface_b": port("rtr-mauk", "wlan1"),
                "ssid": "cc-mauk",
                "auth_psk": "jangan-terbaca",
                "distance": 17.5,
                "distance_unit": "km",
            }
        ],
    ),
    ("tenancy/contact-groups", named("NOC")),
    ("tenancy/contact-roles", named("Teknis", "Administratif")),
    (
        "tenancy/contacts",
        [
            {
                "name": "Budi Santoso",
                "title": "Pranata Komputer",
                "phone": "+62 812-0000-0000",
                "email": "budi@example.go.id",
            },
            {"name": "Siti Aminah", "groups": [ref("tenancy/contact-groups", name="NOC")]},
        ],
    ),
    (
        "tenancy/contact-assignments",
        [
            {
                "object_type": "dcim.site",
                "object_id": ref("dcim/sites", slug="command-center"),
                "contact": ref("tenancy/contacts", name="Budi Santoso"),
                "role": {"slug": "teknis"},
                "priority": "primary",
            },
            {
                "object_type": "circuits.provider",
                "object_id": ref("circuits/providers", slug="telkom"),
                "contact": ref("tenancy/contacts", name="Siti Aminah"),
                "role": {"slug": "administratif"},
            },
        ],
    ),
    (
        "extras/journal-entries",
        [
            {
                "assigned_object_type": "dcim.device",
                "assigned_object_id": ref("dcim/devices", name="rtr-cc-1"),
                "kind": "danger",
                "comments": "Kabel putus di Jl. Raya Serang.",
            },
            {
                "assigned_object_type": "virtualization.cluster",
                "assigned_object_id": ref("virtualization/clusters", name="cc"),
                "kind": "info",
                "comments": "Tidak ada rumahnya di sini.",
            },
        ],
    ),
    ("dcim/power-panels", [{"site": {"slug": "command-center"}, "name": "Panel UPS"}]),
    (
        "ipam/services",
        [
            {
                "name": "https",
                "protocol": "tcp",
                "ports": [443],
                "parent_object_type": "virtualization.virtualmachine",
                "parent_object_id": ref("virtualization/virtual-machines", name="vm-eplanning"),
            }
        ],
    ),
]
# What can be set only once other records are there: (endpoint, which record, values).
LATER: list[tuple[str, Ref, dict[str, Any]]] = [
    (
        "dcim/interfaces",
        port("rtr-cc-1", "ether1"),
        {"primary_mac_address": ref("dcim/mac-addresses", mac_address="48:8F:5A:00:00:01")},
    ),
    ("dcim/interfaces", port("rtr-cc-1", "ether2"), {"lag": port("rtr-cc-1", "bond1")}),
    (
        "dcim/devices",
        ref("dcim/devices", name="rtr-cc-1"),
        {"primary_ip4": ref("ipam/ip-addresses", address="10.10.1.1/24", vrf="null")},
    ),
    (
        "dcim/devices",
        ref("dcim/devices", name="rtr-mauk"),
        {"primary_ip4": ref("ipam/ip-addresses", address="10.10.2.1/24")},
    ),
    (
        "virtualization/virtual-machines",
        ref("virtualization/virtual-machines", name="vm-eplanning"),
        {"primary_ip4": ref("ipam/ip-addresses", address="10.10.1.20/24")},
    ),
]
