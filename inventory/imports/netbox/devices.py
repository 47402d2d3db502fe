"""Device types, devices, virtual machines and their interfaces."""

from collections.abc import Iterable, Mapping
from typing import Any

from inventory.imports.harmless import harmless, tags, without_secrets
from inventory.imports.netbox.places import place_of
from inventory.imports.netbox.world import Reader, Record, Row, World, choice, kbps, label, original
from inventory.imports.vocabulary import platform, role
from inventory.ipam_space import merged
from inventory.values import BadValueError, variable_name

COMPONENTS = {
    "interface": "interface",
    "console-port": "console",
    "console-server-port": "console",
    "power-port": "power",
    "power-outlet": "power-outlet",
    "module-bay": "module-bay",
    "device-bay": "device-bay",
    "front-port": "front",
    "rear-port": "rear",
}
_STATUS = {
    "active": "active",
    "offline": "active",
    "failed": "active",
    "paused": "active",
    "planned": "planned",
    "staged": "planned",
    "inventory": "spare",
    "decommissioning": "retired",
}
_MODES = {"access": "access", "tagged": "trunk", "tagged-all": "trunk", "q-in-q": "trunk"}


def device_types(world: World, read: Reader) -> None:
    """dcim/device-types and their component templates; a type is called by its maker and model."""
    endpoint = "dcim/device-types"
    for record in read(endpoint):
        maker = str((record.get("manufacturer") or {}).get("name") or "")
        wanted = f"{maker} {record.get('model') or ''}"
        name = world.of("device_type").give((endpoint, record["id"]), wanted)
        used = (
            "manufacturer",
            "model",
            "part_number",
            "u_height",
            "end_of_life",
            "weight_unit",
            "subdevice_role",
        )
        height = record.get("u_height")
        row = {
            "name": name,
            "maker": maker,
            "model": record.get("model"),
            "part_number": record.get("part_number"),
            "slug": record.get("slug"),
            "u_height": height,
            "eol": record.get("end_of_life"),
            **world.rest(endpoint, record, "device_type", used),
        }
        world.add("device-types", endpoint, "device_type", record, row)
    if world.writes("device-types"):
        for singular, kind in COMPONENTS.items():
            _components(world, read, f"dcim/{singular}-templates", kind)


def _components(world: World, read: Reader, endpoint: str, kind: str) -> None:
    for record in read(endpoint):
        device_type = world.of("device_type").get(
            ("dcim/device-types", (record.get("device_type") or {}).get("id"))
        )
        if not device_type:
            world.lost[f"{endpoint}: those of module types"] += 1
            continue
        row = {
            "device_type": device_type,
            "kind": kind,
            "label": record.get("name"),
            "type": choice(record.get("type")),
            "mgmt_only": bool(record.get("mgmt_only")),
            "notes": record.get("description"),
        }
        world.add("device-types", endpoint, "component", record, row)


def devices(world: World, read: Reader) -> None:
    """dcim/devices and virtualization/virtual-machines; two that answer at one address are told apart."""
    at: dict[str, str] = {}
    for word, endpoint in (
        ("devices", "dcim/devices"),
        ("virtual-machines", "virtualization/virtual-machines"),
    ):
        for record in read(endpoint):
            virtual = word == "virtual-machines"
            model = (record.get("device_type") or {}).get("model") or ("vm" if virtual else "device")
            wanted = record.get("name") or f"{model} {record['id']}"
            site = label(record.get("site"))
            name = world.of("device").give((endpoint, record["id"]), wanted, site)
            row = _device(world, endpoint, record, name, virtual=virtual)
            _single_address(world, row, at)
            world.add(word, endpoint, "device", record, row)
            if record.get("asset_tag"):
                world.add(word, endpoint, "asset", record, _asset(world, record, name))


def _device(world: World, endpoint: str, record: Record, name: str, *, virtual: bool) -> Row:
    told = _role(world, record, virtual=virtual)
    system = platform(label(record.get("platform")), (record.get("platform") or {}).get("name"))
    status = choice(record.get("status"))
    position = record.get("position")
    whole = position is not None and float(position) == int(float(position))
    said: dict[str, object] = {
        "name": original(record, name),
        "NetBox_role": None if told else label(record.get("role") or record.get("device_role")) or None,
        "NetBox_platform": None if system else label(record.get("platform")) or None,
        "NetBox_status": None if status in ("active", "planned", "inventory", "") else status,
        "position": None if whole else position,
        "cluster": label(record.get("cluster")) or None,
        "vcpus": record.get("vcpus"),
        "memory_MB": record.get("memory"),
        "disk_MB": record.get("disk"),
        "out_of_band_address": _ip(record.get("oob_ip")) or None,
    }
    used = (
        *(
            "name",
            "role",
            "device_role",
            "platform",
            "status",
            "position",
            "cluster",
            "vcpus",
            "memory",
            "disk",
        ),
        *("oob_ip", "device_type", "tenant", "site", "location", "rack", "primary_ip", "serial", "asset_tag"),
        *("virtual_chassis", "parent_device", "device", "local_context_data", "vc_position"),
    )
    device_type = record.get("device_type")
    return {
        "name": name,
        "role": told,
        "status": _STATUS.get(status),
        "place": place_of(world, record),
        "agency": world.named("tenancy/tenants", record.get("tenant")),
        "device_type": _type(world, device_type) if isinstance(device_type, Mapping) else "",
        "platform": system,
        "address": _ip(record.get("primary_ip")),
        "serial": record.get("serial"),
        "parent": world.named("dcim/devices", record.get("parent_device") or record.get("device")),
        "virtual": virtual or None,
        "chassis": label({"name": (record.get("virtual_chassis") or {}).get("name")}),
        "rack_unit": int(float(position)) if whole and position is not None else None,
        "tags": tags(map(label, record.get("tags") or ())),
        **_variables(world, endpoint, record.get("local_context_data")),
        **world.rest(endpoint, record, "device", used, **said),
    }


def _role(world: World, record: Record, *, virtual: bool) -> str:
    """Return our role; none if we know none, so that one set here by hand outlives the next import."""
    theirs = record.get("role") or record.get("device_role")
    told = role(label(theirs), (theirs or {}).get("name") if isinstance(theirs, Mapping) else theirs)
    if not told and theirs:
        world.lost[f"the device role {label(theirs)}, which is not among ours: set role by hand"] += 1
    return told or ("server" if virtual else "")


def _type(world: World, nested: Record) -> str:
    given = world.of("device_type").get(("dcim/device-types", nested.get("id")))
    maker = (nested.get("manufacturer") or {}).get("name") or ""
    return given or harmless(f"{maker} {nested.get('model') or ''}")


def _ip(nested: Any) -> str:
    """Return the address of a nested IP address, without its length."""
    text = nested.get("address") if isinstance(nested, Mapping) else nested
    return str(text or "").partition("/")[0]


def _single_address(world: World, row: Row, at: dict[str, str]) -> None:
    """Leave the address with the first device that has it: two active ones cannot be polled at one address."""
    address, name = row["address"], row["name"]
    if address and row["status"] == "active" and at.setdefault(address, name) != name:
        row["address"] = ""
        row["notes"] = "; ".join(t for t in (row["notes"], f"primary IP {address}, as {at[address]}") if t)[
            :2000
        ]
        world.lost["the primary IP of a device that another one has too; the notes keep it"] += 1


def _variables(world: World, endpoint: str, context: Any) -> Row:
    """Return the local config context as variables, without what looks like a secret."""
    if not isinstance(context, Mapping):
        return {}
    left: list[str] = []
    kept = without_secrets(context, "local_context_data", left)
    world.lost.update({f"{endpoint}: {where}, which looks like a secret": 1 for where in left})
    row: Row = {}
    for key, value in kept.items():
        try:
            row[f"var.{variable_name(key)}"] = value
        except BadValueError:
            world.lost[f"{endpoint}: local_context_data.{harmless(key)}, which can be no variable"] += 1
    return row


def _asset(world: World, record: Record, name: str) -> Row:
    """Return the asset that a device's asset tag stands for: linked to it, not the same thing."""
    kind = record.get("device_type")
    return {
        "name": world.of("asset").give(("dcim/devices", record["id"]), record["asset_tag"]),
        "title": (kind or {}).get("model") or name,
        "serial": record.get("serial"),
        "device": name,
        "device_type": _type(world, kind) if isinstance(kind, Mapping) else "",
        "agency": world.named("tenancy/tenants", record.get("tenant")),
        "place": place_of(world, record),
    }


def interfaces(world: World, read: Reader) -> None:
    """dcim/interfaces and virtualization/interfaces."""
    taken: set[str] = set()
    for endpoint in ("dcim/interfaces", "virtualization/interfaces"):
        for record in read(endpoint):
            row = _interface(world, endpoint, record)
            if f"{row['device']}:{row['name']}" in taken:
                row["name"] = f"{row['name'][:110]} {record['id']}"
            taken.add(f"{row['device']}:{row['name']}")
            world.add("interfaces", endpoint, "interface", record, row)


_INTERFACE = (
    *(
        "device",
        "virtual_machine",
        "name",
        "label",
        "type",
        "enabled",
        "parent",
        "bridge",
        "lag",
        "mac_address",
    ),
    *("mac_addresses", "primary_mac_address", "speed", "mode", "untagged_vlan", "tagged_vlans"),
)


def _interface(world: World, endpoint: str, record: Record) -> Row:
    device = owner_of(world, record)
    name = harmless(record.get("name"), "interface")
    macs = [m.get("mac_address") for m in record.get("mac_addresses") or () if isinstance(m, Mapping)]
    mac = record.get("mac_address") or (macs[0] if len(macs) == 1 else None)
    others = [m for m in macs if m and m != mac]
    mode = choice(record.get("mode"))
    said = {
        "label": record.get("label"),
        "name": original(record, name),
        "NetBox_mode": mode if mode in ("tagged-all", "q-in-q") else None,
        "further_MACs": others,
    }
    rest = world.rest(endpoint, {**record, "description": None}, "interface", _INTERFACE, **said)
    above = record.get("lag") or record.get("bridge") or record.get("parent")
    return {
        "device": device,
        "name": name,
        "alias": str(record.get("description") or "")[:255],
        "speed_bps": kbps(record.get("speed")),
        "enabled": record.get("enabled"),
        "mac": mac,
        "mode": _MODES.get(mode),
        "vlan": world.named("ipam/vlans", record.get("untagged_vlan")),
        "tagged_vlans": spans(
            v.get("vid") for v in record.get("tagged_vlans") or () if isinstance(v, Mapping)
        ),
        "parent": interface_label(world, above, device),
        **rest,
    }


def owner_of(world: World, record: Record) -> str:
    """Return the device or virtual machine that an interface belongs to."""
    if isinstance(record.get("virtual_machine"), Mapping):
        return world.named("virtualization/virtual-machines", record["virtual_machine"])
    return world.named("dcim/devices", record.get("device"))


def interface_label(world: World, nested: Any, device: str = "") -> str:
    """Return what refers to an interface that is nested in another record: 'device:interface', or ''."""
    if not isinstance(nested, Mapping) or not nested.get("name"):
        return ""
    owner = owner_of(world, nested) or device
    return f"{owner}:{harmless(nested['name'], 'interface')}" if owner else ""


def spans(numbers: Iterable[Any]) -> str:
    """Return VLAN numbers as text, such as 10,20-29."""
    found = merged((int(n), int(n)) for n in numbers if str(n or "").isdigit())
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)
