"""Reads an Ansible inventory, of whatever form: what `ansible-inventory --list` makes of it."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from inventory.imports import vocabulary
from inventory.imports.harmless import Names, notes, tags, without_secrets
from inventory.imports.sheets import Taken, from_rows
from inventory.nouns import noun
from siaga.errors import InvalidError, NotFoundError, SiagaError, TemporaryError
from siaga.text import safe

TIMEOUT_S = 300
MAX_OCTETS = 128 * 1024 * 1024
# How a host is reached: fields of a device here, no variables.
_REACHED = ("ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port", "ansible_network_os")
_OURS = "siaga_"  # how the fields of a device are called in a listing that siaga made (see exports.hosts)
_DERIVED = ("kecamatan", "site", "maker", "model")
# What siaga's plugin says again under the names that NetBox's plugin has for it (see exports.netbox).
_LIKE_NETBOX = frozenset(
    {
        "asset_tag",
        "config_context",
        "custom_fields",
        "dns_name",
        "interfaces",
        "is_virtual",
        "local_context_data",
    }
    | {
        "locations",
        "prefixes",
        "primary_ip4",
        "primary_ip6",
        "regions",
        "serial",
        "services",
        "status",
        "tags",
    }
    | {f"{one}{s}" for one in ("device_role", "device_type", "manufacturer", "platform") for s in ("", "s")}
    | {f"{one}{s}" for one in ("rack", "role", "site", "tenant") for s in ("", "s")}
)


def listed(source: str) -> str:
    """Return what `ansible-inventory -i SOURCE --list` says.

    Raises NotFoundError (`no-such-file`), InvalidError (`bad-ansible-inventory`), TemporaryError.
    """
    if not Path(source).exists() and "," not in source:
        raise NotFoundError("no-such-file", f"{source} is not there.")
    program = Path(sys.executable).with_name("ansible-inventory")
    try:
        done = subprocess.run(
            [str(program), "-i", source, "--list"],
            capture_output=True, text=True, timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TemporaryError("ansible-too-slow", f"ansible-inventory took more than {TIMEOUT_S} s.") from None
    except OSError as error:
        raise SiagaError("no-ansible", f"{program} cannot be run: {error.strerror}.") from None
    if done.returncode:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it says nothing")
        raise InvalidError(
            "bad-ansible-inventory", f"ansible-inventory cannot read {source}: {safe(last, 200)}."
        )
    if not done.stdout.strip() or "Unable to parse" in done.stderr:
        raise InvalidError("bad-ansible-inventory", f"ansible-inventory found no inventory in {source}.")
    return done.stdout


def ansible(source: str, text: str) -> Taken:
    """Return the hosts of a listing as devices, their groups as tags, their variables without what is secret.

    A host that siaga itself listed (it has `siaga_name`) becomes the device it was. Raises InvalidError
    (`bad-ansible-inventory`).
    """
    variables, groups = _read(source, text)
    left, names = _Left(), Names("device")
    hosts = dict.fromkeys([*variables, *(h for g in groups.values() for h in g.hosts)])
    rows = []
    for number, host in enumerate(hosts, 1):
        kept = without_secrets(dict(variables.get(host) or {}), host, left.secrets) or {}
        if kept.get(f"{_OURS}name"):
            row = _own_device(host, kept, left)
        else:
            row = _device(names, number, host, kept, _groups(groups, host))
        rows.append((number, {k: v for k, v in row.items() if v not in (None, "")}))
    return Taken([from_rows(source, "device", rows)] if rows else [], left.told())


class _Group(NamedTuple):
    hosts: AbstractSet[str]  # in the order of the listing
    children: AbstractSet[str]


@dataclass
class _Left:
    """What was not taken over: where secrets stood, and the names of variables that are no device's own."""

    secrets: list[str] = field(default_factory=list)
    others: set[str] = field(default_factory=set)

    def told(self) -> list[str]:
        found = []
        if self.secrets:
            found.append(f"Secrets are not taken over: {_listed(self.secrets)}.")
        if self.others:
            found.append(
                f"Variables of layers and of the inventory file are left there: {_listed(self.others)}."
            )
        return found


def _listed(words: Iterable[str]) -> str:
    return safe(", ".join(sorted(set(words))), 400)


def _read(source: str, text: str) -> tuple[Mapping[str, Any], dict[str, _Group]]:
    """Return the variables by host and the groups by name; raises InvalidError (`bad-ansible-inventory`)."""
    try:
        tree = json.loads(text[:MAX_OCTETS])
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise _no_listing(source, f"it is no JSON{where}") from None
    if not isinstance(tree, Mapping):
        raise _no_listing(source, "a mapping of groups must stand at its top")
    meta = tree.get("_meta", {})
    variables = meta.get("hostvars", {}) if isinstance(meta, Mapping) else None
    if not isinstance(variables, Mapping):
        raise _no_listing(source, "_meta holds no hostvars")
    bad = next((h for h, v in variables.items() if not isinstance(v, Mapping)), None)
    if bad is not None:
        raise _no_listing(source, f"the variables of {safe(bad, 80)} are no mapping")
    groups = ((n, g) for n, g in tree.items() if n != "_meta" and isinstance(g, Mapping))
    return variables, {
        n: _Group(_texts(source, n, g, "hosts"), _texts(source, n, g, "children")) for n, g in groups
    }


def _texts(source: str, name: str, group: Mapping[str, Any], key: str) -> AbstractSet[str]:
    found = group.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _no_listing(source, f"the {key} of the group {safe(name, 80)} are no list of names")
    return dict.fromkeys(found).keys()


def _no_listing(source: str, reason: str) -> InvalidError:
    return InvalidError(
        "bad-ansible-inventory", f"{source} is no listing of 'ansible-inventory --list': {reason}."
    )


def _groups(groups: Mapping[str, _Group], host: str) -> list[str]:
    """Return the groups a host is in, and those above them."""
    found = {n for n, g in groups.items() if host in g.hosts}
    while more := {n for n, g in groups.items() if g.children & found} - found:
        found |= more
    return sorted(found - {"all", "ungrouped"})


def _device(
    names: Names, number: int, host: str, kept: Mapping[str, Any], groups: list[str]
) -> dict[str, Any]:
    given = str(kept.get("ansible_host") or kept.get("ansible_ssh_host") or "")
    # Ansible connects to the name where no variable says otherwise.
    address = next((a for a in (given, str(kept.get(f"{_OURS}address") or ""), host) if _is_address(a)), None)
    system = str(kept.get("ansible_network_os") or "")
    row: dict[str, Any] = {
        "name": names.give(number, host),
        "address": address,
        "ssh_port": kept.get("ansible_port") or kept.get("ansible_ssh_port"),
        "platform": vocabulary.platform(system) or None,
        "role": vocabulary.role(*groups, host) or None,
        "transport": "ssh",
        "tags": tags(groups) or None,
        "notes": notes(ansible_host=None if _is_address(given) else given, network_os=system),
    }
    return row | {f"var.{k}": v for k, v in _variables(kept) if k not in _REACHED}


def _own_device(host: str, kept: Mapping[str, Any], left: _Left) -> dict[str, Any]:
    """Return the device that siaga listed as this host: its own fields and variables, not what was derived."""
    fields = noun("device").attributes
    said = {k.removeprefix(_OURS): v for k, v in kept.items() if k.startswith(_OURS)}
    row = {k: v for k, v in said.items() if k in fields and fields[k].settable}
    row["tags"] = " ".join(map(str, row["tags"])) if isinstance(row.get("tags"), list) else None
    if not row.get("address"):
        row["address"] = next((a for a in (kept.get("ansible_host"), host) if _is_address(str(a))), None)
    facts = {*(f"{_OURS}{k}" for k in said if k in fields or k in _DERIVED), *_REACHED, "ansible_user"}
    own = {k: v for k, v in _variables(kept) if k not in facts}
    if (
        "is_virtual" in kept
    ):  # by the plugin, where what is the device's own stands apart from what layers gave
        merged, own = own, _own_variables(kept)
        left.others.update(merged.keys() - own.keys() - _LIKE_NETBOX)
    return row | {f"var.{k}": v for k, v in own.items()}


def _own_variables(kept: Mapping[str, Any]) -> dict[str, Any]:
    found = kept.get("local_context_data") or {}
    first = found[0] if isinstance(found, list) else found
    return dict(_variables(first)) if isinstance(first, Mapping) else {}


def _variables(kept: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((k, v) for k, v in kept.items() if k.isidentifier() and v is not None)


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True
