"""Who sends: addresses and names of recorded devices, and whose word for another device is taken."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network


@dataclass(frozen=True)
class Source:
    """A recorded device as a sender."""

    device_id: int
    name: str
    platform: str = ""


def plain(address: str) -> str:
    """Return an address in its one spelling: without a zone, an IPv4 address in IPv6 as IPv4; '' if it is none."""
    try:
        found = ip_address(address.strip().partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)


@dataclass(frozen=True)
class Sources:
    """Devices by address and by name. An address that two devices have is nobody's."""

    by_address: Mapping[str, Source] = field(default_factory=dict)
    by_name: Mapping[str, Source] = field(default_factory=dict)
    relays: tuple[str, ...] = ()

    def find(self, address: str) -> Source | None:
        """Return the device at an address."""
        return self.by_address.get(address)

    def named(self, text: str) -> Source | None:
        """Return the device that a relay means: by its address, its name, or the first label of it."""
        name = text.strip().lower()
        return (
            self.by_address.get(plain(text))
            or self.by_name.get(name)
            or self.by_name.get(name.partition(".")[0])
        )

    def relays_for_others(self, address: str) -> bool:
        """Return whether this sender may speak for another."""
        return bool(address and self.relays) and any(
            ip_address(address) in ip_network(n) for n in self.relays
        )


def sources(rows: Iterable[tuple[str, Source]], relays: Iterable[str] = ()) -> Sources:
    """Return the devices of (address, device) pairs; names are those of all of them."""
    found: dict[str, Source | None] = {}
    names: dict[str, Source] = {}
    for address, one in rows:
        names[one.name.lower()] = one
        at = plain(address)
        if at:
            found[at] = one if found.get(at, one) == one else None
    return Sources({a: s for a, s in found.items() if s}, names, tuple(relays))
