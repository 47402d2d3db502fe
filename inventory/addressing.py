"""Addresses and prefixes as text that sorts and compares as numbers do. Pure; the standard library's ipaddress."""

import ipaddress
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Span:
    """From `first` to `last` (32 hex digits each, both included) of one family (4 or 6); `text` is canonical."""

    text: str
    family: int
    first: str
    last: str
    length: int


def digits(address: Ip | int) -> str:
    """Return an address as 32 hex digits, for both families: then text compares as numbers do."""
    return f"{int(address):032x}"


def ip(first: str, family: int) -> Ip:
    """Return the address that 32 hex digits stand for."""
    return ipaddress.IPv4Address(int(first, 16)) if family == 4 else ipaddress.IPv6Address(int(first, 16))


def cidr(text: str) -> Span:
    """Read a prefix such as 10.1.0.0/16; raises ValueError with a phrase that completes 'field name …'."""
    plain = text.strip()
    if "/" not in plain:
        raise ValueError(f"is '{plain[:60]}', must be a prefix with its length, such as 10.1.0.0/16")
    try:
        network = ipaddress.ip_network(plain)
    except ValueError as error:
        raise ValueError(f"is '{plain[:60]}': {_reason(plain, error)}") from None
    return of(network)


def of(network: Network) -> Span:
    """Return the span of a network."""
    return Span(
        str(network),
        network.version,
        digits(network.network_address),
        digits(network.broadcast_address),
        network.prefixlen,
    )


def _reason(plain: str, error: ValueError) -> str:
    if "host bits" in str(error):
        right = ipaddress.ip_network(plain, strict=False)
        return f"it has bits behind its length; the prefix is {right}"
    return "no prefix such as 10.1.0.0/16 or 2001:db8::/48"


def address(text: str) -> Span:
    """Read one address; a length behind it (10.1.0.5/24) is kept as `length`, else -1. Raises ValueError."""
    plain = text.strip()
    try:
        found = ipaddress.ip_interface(plain)
    except ValueError:
        raise ValueError(f"is '{plain[:60]}', must be an IPv4 or IPv6 address") from None
    length = found.network.prefixlen if "/" in plain else -1
    where = digits(found.ip)
    return Span(str(found.ip), found.version, where, where, length)


def span(text: str) -> Span:
    """Read a range FIRST-LAST, both included; raises ValueError."""
    low, dash, high = text.strip().partition("-")
    if not dash:
        raise ValueError(f"is '{text[:60]}', must be FIRST-LAST, such as 10.1.0.10-10.1.0.99")
    first, last = address(low), address(high)
    if first.family != last.family or first.first > last.first:
        raise ValueError(f"is '{text[:60]}': the last address must follow the first, in the same family")
    return Span(f"{first.text}-{last.text}", first.family, first.first, last.last, -1)


def within(text: str, network: Network) -> bool:
    """Return whether `text` is an address inside `network`; what is no address is not."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return found.version == network.version and found in network
