"""What a connection's VLAN is in Open vSwitch: why a port would not carry it, and the MAC address of its interface."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any


def no_vlan_because(answer: Sequence[str], port: str, interface: str, vlan: int, connection: str) -> str:
    """Return the reason as a sentence, or nothing where it would be carried.

    `answer` are the lines that ovs-vsctl prints for the port's tag, trunks and vlan_mode (ovs-vswitchd.conf.db(5)); a
    fourth line is there if `interface` is: the connection it was made for, or its type where there is no VLAN.
    """
    tag, trunks, mode = (_value(line) for line in answer[:3])
    last = str(_value(answer[3])) if len(answer) > 3 else None
    if not vlan and last == "internal":
        return ""
    if not vlan:
        return f"An address on '{port}', a port of an Open vSwitch bridge, hears nothing: give the connection a VLAN."
    if not _carries(tag, trunks, mode, vlan):
        return f"Open vSwitch does not carry VLAN {vlan} at port '{port}' ({_settings(tag, trunks, mode)})."
    if last not in (None, connection):
        return f"Open vSwitch has a port '{interface}' already, which this connection did not make."
    return ""


def mac_for(address: str) -> str:
    """Return a locally administered MAC address that stays the same for an IP address.

    Open vSwitch draws a new one for each internal port, and neighbours that know the old one wait for minutes.
    """
    digits = hashlib.sha256(address.encode()).hexdigest()
    return ":".join(["02", *(digits[i : i + 2] for i in range(0, 10, 2))])


def _carries(tag: Any, trunks: Any, mode: Any, vlan: int) -> bool:
    """Whether a port carries a VLAN: its own tag's, and in every mode but two all, or those in trunks."""
    if tag == vlan:
        return True
    own_only = mode in ("access", "dot1q-tunnel") or (mode == [] and tag != [])
    return not own_only and (trunks == [] or vlan in trunks)


def _settings(tag: Any, trunks: Any, mode: Any) -> str:
    """Return what is set of the three."""
    named = (("tag", tag), ("trunks", trunks), ("vlan_mode", mode))
    return ", ".join(f"{name} {value}" for name, value in named if value != [])


def _value(line: str) -> Any:
    """Return a number or a list as such, and a word with or without its quotes."""
    try:
        return json.loads(line)
    except ValueError:
        return line.strip()


class FilterModule:
    """What Ansible finds here."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {f.__name__: f for f in (no_vlan_because, mac_for)}
