"""What Ansible's setup says of a host, as the few short values that siaga keeps of a device. Pure.

Everything here was written by the host: a value of another shape than expected is no fact, texts are made safe and
cut, lists are bounded.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from siaga.text import safe

VALUE_LIMIT = 200
LIST_LIMIT = 450  # inventory.store.observe keeps 500 characters
MOST = 16
# What a fact is called in the inventory (observed values), and where ansible.builtin.setup puts it.
PLAIN = {
    "os": "ansible_distribution",
    "os_version": "ansible_distribution_version",
    "kernel": "ansible_kernel",
    "architecture": "ansible_architecture",
    "serial": "ansible_product_serial",
    "model": "ansible_product_name",
    "maker": "ansible_system_vendor",
    "virtualization": "ansible_virtualization_type",
    "memory_mb": "ansible_memtotal_mb",
    "swap_mb": "ansible_swaptotal_mb",
    "processors": "ansible_processor_vcpus",
    "hardening": "siaga_hardening",
}
_NOTHING = ("", "NA", "None", "Not Specified", "To Be Filled By O.E.M.", "Default string")
# Not disks: loops, RAM disks, network block devices, device-mapper volumes, optical drives.
_NO_DISK = re.compile(r"(loop|ram|zram|nbd|dm-|sr|fd|md)\d*")


def kept(found: Mapping[str, Any]) -> dict[str, str]:
    """Return field → value of what setup found; fields without a value are left out."""
    said = {name: _plain(found.get(key)) for name, key in PLAIN.items()}
    said["processor"] = _processor(found.get("ansible_processor"))
    said["default_address"] = _plain(_mapping(found.get("ansible_default_ipv4")).get("address"))
    said["disks"] = _listed(_disks(_mapping(found.get("ansible_devices"))))
    said["interfaces"] = _listed(_interfaces(found))
    return {name: value for name, value in said.items() if value}


def _plain(value: object) -> str:
    if not isinstance(value, (str, int)) or isinstance(value, bool) or value in _NOTHING:
        return ""
    return safe(value, VALUE_LIMIT)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _processor(value: object) -> str:
    """Return the processor's model: setup lists number, maker, model for each thread, some hosts without maker."""
    names = [_plain(v) for v in value if isinstance(v, str)] if isinstance(value, list) else []
    return max((n for n in names[:6] if not n.isdigit()), key=len, default="")


def _disks(devices: Mapping[str, Any]) -> Iterator[str]:
    """Yield `sda 447.13 GB INTEL SSDSC2KB48` for each disk."""
    for name in sorted(map(str, devices))[:256]:
        device = _mapping(devices.get(name))
        size = _plain(device.get("size"))
        if device and size and not size.startswith("0.00") and not _NO_DISK.fullmatch(name):
            yield " ".join(filter(None, (safe(name, 30), size, _plain(device.get("model")))))


def _interfaces(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield `eth0 52:54:00:12:34:56 10.0.0.2/24 up` for each interface but the loopback."""
    names = found.get("ansible_interfaces")
    for name in sorted(n for n in names if isinstance(n, str))[:256] if isinstance(names, list) else ():
        one = _mapping(found.get("ansible_" + re.sub(r"[^A-Za-z0-9_]", "_", name)))
        if not one or one.get("type") == "loopback":
            continue
        ip = _mapping(one.get("ipv4"))
        prefix = _plain(ip.get("prefix"))
        address = _plain(ip.get("address")) + (f"/{prefix}" if prefix else "")
        parts = (
            safe(name, 30),
            _plain(one.get("macaddress")),
            address,
            "up" if one.get("active") is True else "down",
        )
        yield " ".join(filter(None, parts))


def _listed(values: Iterator[str]) -> str:
    """Return values as one text, as many as fit, with the number of the others."""
    every = list(values)
    shown: list[str] = []
    for value in every[:MOST]:
        if len("; ".join([*shown, value])) > LIST_LIMIT:
            break
        shown.append(value)
    left = len(every) - len(shown)
    return "; ".join(shown) + (f"; and {left} more" if left else "")
