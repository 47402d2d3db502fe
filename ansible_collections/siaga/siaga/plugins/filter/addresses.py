"""Filters for templates of network devices: one prefix in the ways that platforms write it."""

from __future__ import annotations

from ipaddress import ip_interface, ip_network
from typing import Any

from ansible.errors import AnsibleFilterError  # type: ignore[import-untyped]


def wildcard(prefix: str) -> str:
    """Return `10.0.0.0/8` as `10.0.0.0 0.255.255.255`, an access list's way to say it."""
    network = _network(prefix)
    return f"{network.network_address} {network.hostmask}"


def cisco_source(prefix: str) -> str:
    """Return a source as a standard access list shows it: `any`, one address, or address and wildcard."""
    network = _network(prefix)
    if network.prefixlen == 0:
        return "any"
    return str(network.network_address) if network.num_addresses == 1 else wildcard(prefix)


def address_of(interface: str) -> str:
    """Return the address alone of `10.0.0.1/24`."""
    return str(_interface(interface).ip)


def network_of(interface: str) -> str:
    """Return the prefix of `10.0.0.1/24`: `10.0.0.0/24`."""
    return str(_interface(interface).network)


def _network(prefix: str) -> Any:
    try:
        return ip_network(str(prefix), strict=False)
    except ValueError as error:
        raise AnsibleFilterError(f"{prefix!r} is no prefix: {error}") from None


def _interface(text: str) -> Any:
    try:
        return ip_interface(str(text))
    except ValueError as error:
        raise AnsibleFilterError(f"{text!r} is no address with its length: {error}") from None


class FilterModule:
    """What Ansible finds here."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {f.__name__: f for f in (wildcard, cisco_source, address_of, network_of)}
