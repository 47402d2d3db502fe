"""In which order NetBox's lists are read, which others each needs for its names, and what is only counted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from inventory.imports.netbox import devices, ipam, lines, people, places
from inventory.imports.netbox.world import Reader, World
from inventory.imports.sheets import Taken
from siaga.errors import UsageError


@dataclass(frozen=True)
class Step:
    """Some lists that are read together: the words of --only for them, and the words they need names from."""

    words: tuple[str, ...]
    take: Callable[[World, Reader], None]
    needs: tuple[str, ...] = ()


STEPS = (
    Step(("tenants",), places.tenants),
    Step(("regions", "sites", "locations", "racks"), places.places),
    Step(("providers",), lines.providers),
    Step(("device-types",), devices.device_types),
    Step(("vrfs",), ipam.vrfs, ("tenants",)),
    Step(("vlans",), ipam.vlans, ("tenants", "sites")),
    Step(("prefixes", "ip-ranges"), ipam.prefixes, ("tenants", "sites", "vrfs", "vlans")),
    Step(("devices", "virtual-machines"), devices.devices, ("tenants", "sites", "device-types")),
    Step(("interfaces",), devices.interfaces, ("devices", "vlans")),
    Step(("ip-addresses",), ipam.addresses, ("tenants", "vrfs", "devices")),
    Step(("cables", "circuits"), lines.lines, ("devices", "providers")),
    Step(
        ("contacts",),
        people.contacts,
        ("tenants", "sites", "devices", "providers", "circuits", "vlans", "vrfs"),
    ),
    Step(
        ("journal",),
        people.journal,
        ("tenants", "sites", "devices", "providers", "circuits", "vlans", "vrfs"),
    ),
)
WORDS = tuple(word for step in STEPS for word in step.words)
# What is not taken: asked only for how many there are, so that nothing is left behind in silence.
COUNTED = (
    *("dcim/site-groups", "dcim/rack-types", "dcim/rack-reservations", "dcim/module-types", "dcim/modules"),
    *(
        "dcim/inventory-items",
        "dcim/inventory-item-templates",
        "dcim/console-ports",
        "dcim/console-server-ports",
    ),
    *("dcim/power-ports", "dcim/power-outlets", "dcim/power-panels", "dcim/power-feeds", "dcim/front-ports"),
    *("dcim/rear-ports", "dcim/module-bays", "dcim/device-bays", "dcim/virtual-device-contexts"),
    *("ipam/aggregates", "ipam/asns", "ipam/route-targets", "ipam/fhrp-groups", "ipam/services"),
    *("circuits/provider-networks", "circuits/circuit-groups", "circuits/virtual-circuits"),
    *(
        "virtualization/clusters",
        "virtualization/virtual-disks",
        "tenancy/tenant-groups",
        "tenancy/contact-groups",
    ),
    *(
        "wireless/wireless-lans",
        "vpn/tunnels",
        "vpn/l2vpns",
        "extras/config-contexts",
        "extras/config-templates",
    ),
    *("extras/image-attachments", "dcim/cable-bundles", "dcim/rack-groups"),
)


def words(only: str) -> frozenset[str]:
    """Read --only; raises UsageError (`unknown-list`)."""
    said = frozenset(w.strip() for w in only.split(",") if w.strip())
    if said - set(WORDS):
        unknown = ", ".join(sorted(said - set(WORDS)))
        raise UsageError("unknown-list", f"--only knows no {unknown}; it knows {', '.join(WORDS)}.")
    return said


def taken(world: World, read: Reader, count: Callable[[str], int] | None = None) -> Taken:
    """Read what is wanted and what that needs, and return it as sheets with an account of the rest.

    `count` tells how many records a list has that is not read.
    """
    needed = _needed(world.wanted)
    for step in STEPS:
        if not world.wanted or needed & set(step.words):
            step.take(world, read)
    if count and not world.wanted:
        world.lost.update({endpoint: found for endpoint in COUNTED if (found := count(endpoint))})
    return Taken(world.sheets(), world.account())


def _needed(wanted: Iterable[str]) -> set[str]:
    """Return the wanted words and all that they need, directly or through others."""
    of: Mapping[str, Step] = {word: step for step in STEPS for word in step.words}
    found: set[str] = set()
    following = list(wanted)
    while following:
        word = following.pop()
        if word not in found:
            found.add(word)
            following += of[word].needs
    return found
