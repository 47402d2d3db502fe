"""VRFs, VLANs, prefixes, ranges and addresses."""

from collections.abc import Mapping
from typing import Any

from inventory.imports.netbox.devices import interface_label, owner_of
from inventory.imports.netbox.places import scope_of
from inventory.imports.netbox.world import Reader, Record, Row, World, choice, label, original

_ADDRESS = {
    "active": "active",
    "reserved": "reserved",
    "deprecated": "deprecated",
    "dhcp": "dhcp",
    "slaac": "dhcp",
}
_PREFIX = {s: s for s in ("active", "container", "reserved", "deprecated")}
_RANGE = {s: s for s in ("active", "reserved", "deprecated")}
_VLAN = {s: s for s in ("active", "reserved", "deprecated")}


def vrfs(world: World, read: Reader) -> None:
    """ipam/vrfs."""
    endpoint = "ipam/vrfs"
    for record in read(endpoint):
        name = world.of("vrf").give((endpoint, record["id"]), record.get("name"), record.get("rd") or "")
        used = ("name", "rd", "tenant", "enforce_unique", "import_targets", "export_targets")
        targets = [label(t) for k in ("import_targets", "export_targets") for t in record.get(k) or ()]
        rest = world.rest(endpoint, record, "vrf", used, name=original(record, name), route_targets=targets)
        row = {
            "name": name,
            "route_distinguisher": record.get("rd"),
            "enforce_unique": record.get("enforce_unique"),
            "agency": world.named("tenancy/tenants", record.get("tenant")),
            **rest,
        }
        world.add("vrfs", endpoint, "vrf", record, row)


def vlans(world: World, read: Reader) -> None:
    """ipam/vlan-groups and ipam/vlans; a VLAN's name is its own here in the whole regency."""
    _groups(world, read)
    endpoint = "ipam/vlans"
    for record in read(endpoint):
        group, site = label(record.get("group")), label(record.get("site"))
        wanted = record.get("name") or f"VLAN {record.get('vid')}"
        name = world.of("vlan").give((endpoint, record["id"]), wanted, group or site, record.get("vid"))
        said: dict[str, object] = {
            "name": original(record, name),
            "role": label(record.get("role")) or None,
            "qinq_role": choice(record.get("qinq_role")) or None,
            "qinq_svlan": label(record.get("qinq_svlan")) or None,
        }
        row = {
            "name": name,
            "vid": record.get("vid"),
            "vlan_group": world.named("ipam/vlan-groups", record.get("group")),
            "status": _VLAN.get(choice(record.get("status"))),
            "place": world.named("dcim/sites", record.get("site")),
            "agency": world.named("tenancy/tenants", record.get("tenant")),
            **world.rest(endpoint, record, "vlan", ("vid", "group", "site", "status", "tenant"), **said),
        }
        world.add("vlans", endpoint, "vlan", record, row)


def _groups(world: World, read: Reader) -> None:
    endpoint = "ipam/vlan-groups"
    for record in read(endpoint):
        said: dict[str, object] = {"tenant": label(record.get("tenant")) or None}
        place = scope_of(world, record, said)
        name = world.of("vlan_group").give((endpoint, record["id"]), record.get("name"), place)
        ranges = [r for r in record.get("vid_ranges") or () if isinstance(r, list) and len(r) == 2]
        said |= {"name": original(record, name), "ranges": ranges if len(ranges) > 1 else None}
        used = ("name", "scope", "scope_type", "scope_id", "site", "vid_ranges", "min_vid", "max_vid")
        row = {
            "name": name,
            "place": place,
            "first_vid": min((r[0] for r in ranges), default=record.get("min_vid")),
            "last_vid": max((r[1] for r in ranges), default=record.get("max_vid")),
            **world.rest(endpoint, record, "vlan_group", used, **said),
        }
        world.add("vlans", endpoint, "vlan_group", record, row)


def prefixes(world: World, read: Reader) -> None:
    """ipam/prefixes and ipam/ip-ranges."""
    seen: set[str] = set()
    endpoint = "ipam/prefixes"
    used = (
        "prefix",
        "vrf",
        "scope",
        "scope_type",
        "scope_id",
        "site",
        "tenant",
        "vlan",
        "status",
        "role",
        "is_pool",
    )
    for record in read(endpoint):
        name = _in_vrf(world, str(record.get("prefix") or ""), record)
        said: dict[str, object] = {"mark_utilized": "yes" if record.get("mark_utilized") else None}
        row = {
            "name": name,
            "status": _PREFIX.get(choice(record.get("status"))),
            "pool": record.get("is_pool"),
            "place": scope_of(world, record, said),
            "agency": world.named("tenancy/tenants", record.get("tenant")),
            "vlan": world.named("ipam/vlans", record.get("vlan")),
            "role": (record.get("role") or {}).get("name"),  # its CSV has no slug
            **world.rest(endpoint, record, "prefix", used, **said),
        }
        if _first(world, endpoint, name, seen):
            world.add("prefixes", endpoint, "prefix", record, row)
    _ranges(world, read)


def _ranges(world: World, read: Reader) -> None:
    seen: set[str] = set()
    endpoint = "ipam/ip-ranges"
    used = ("start_address", "end_address", "vrf", "tenant", "status", "mark_utilized", "mark_populated")
    for record in read(endpoint):
        ends = [str(record.get(k) or "").partition("/")[0] for k in ("start_address", "end_address")]
        name = _in_vrf(world, "-".join(ends), record)
        status = choice(record.get("status"))
        said = {
            "role": label(record.get("role")) or None,
            "NetBox_status": None if status in _RANGE else status,
        }
        row = {
            "name": name,
            "status": _RANGE.get(status),
            "agency": world.named("tenancy/tenants", record.get("tenant")),
            **world.rest(endpoint, record, "ip_range", used, **said),
        }
        if _first(world, endpoint, name, seen):
            world.add("ip-ranges", endpoint, "ip_range", record, row)


def addresses(world: World, read: Reader) -> None:
    """ipam/ip-addresses, at their interface and device."""
    seen: set[str] = set()
    endpoint = "ipam/ip-addresses"
    for record in read(endpoint):
        text, _, length = str(record.get("address") or "").partition("/")
        name = _in_vrf(world, text, record)
        if _first(world, endpoint, name, seen):
            row = {"name": name, "length": length or None, **_address(world, endpoint, record)}
            world.add("ip-addresses", endpoint, "address", record, row)


def _address(world: World, endpoint: str, record: Record) -> Row:
    at, model = record.get("assigned_object"), str(record.get("assigned_object_type") or "")
    on_port = isinstance(at, Mapping) and model in ("dcim.interface", "virtualization.vminterface")
    status = choice(record.get("status"))
    outside = [str(n.get("address")) for n in record.get("nat_outside") or () if isinstance(n, Mapping)]
    said = {
        "role": choice(record.get("role")) or None,
        "NetBox_status": "slaac" if status == "slaac" else None,
        "assigned_to": f"{model} {label(at)}" if at and not on_port else None,
        "NAT_inside": (record.get("nat_inside") or {}).get("address"),
        "NAT_outside": outside,
    }
    used = (
        *("address", "vrf", "tenant", "status", "dns_name", "nat_inside", "nat_outside"),
        *("assigned_object", "assigned_object_id", "assigned_object_type"),
    )
    return {
        "status": _ADDRESS.get(status),
        "interface": interface_label(world, at) if on_port else "",
        "device": owner_of(world, at) if on_port and isinstance(at, Mapping) else "",
        "agency": world.named("tenancy/tenants", record.get("tenant")),
        "dns_name": record.get("dns_name"),
        **world.rest(endpoint, record, "address", used, **said),
    }


def _in_vrf(world: World, text: str, record: Record) -> str:
    vrf: Any = record.get("vrf")
    return f"{text} {world.named('ipam/vrfs', vrf)}".strip()


def _first(world: World, endpoint: str, name: str, seen: set[str]) -> bool:
    """Tell whether this one is the first of its name; a second one is counted and left out."""
    if name in seen:
        world.lost[f"{endpoint}: a second {name}"] += 1
    seen.add(name)
    return world.lost[f"{endpoint}: a second {name}"] == 0
