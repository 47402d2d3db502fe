"""Reads an Ansible inventory, of whatever form: what `ansible-inventory --list` makes of it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inventory.imports import vocabulary
from inventory.imports.harmless import Names, notes, tag, without_secrets
from inventory.imports.sheets import Taken, from_rows
from siaga.errors import InvalidError, NotFoundError, SiagaError, TemporaryError
from siaga.text import safe

TIMEOUT_S = 300
MAX_OCTETS = 128 * 1024 * 1024
_OWN = ("ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port", "ansible_network_os")


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

    Raises InvalidError (`bad-ansible-inventory`).
    """
    try:
        tree = json.loads(text[:MAX_OCTETS])
        variables = tree.get("_meta", {}).get("hostvars", {})
        if not all(isinstance(v, Mapping) for v in variables.values()):
            raise ValueError("the variables of a host are no mapping")
        groups = {n: g for n, g in tree.items() if n != "_meta" and isinstance(g, Mapping)}
    except (ValueError, AttributeError, RecursionError) as error:
        raise InvalidError(
            "bad-ansible-inventory", f"{source} is no listing of Ansible ({safe(error, 100)})."
        ) from None
    if not isinstance(variables, Mapping):
        raise InvalidError(
            "bad-ansible-inventory", f"{source} is no listing of Ansible: _meta.hostvars is missing."
        )
    hidden: list[str] = []
    names = Names("device")
    hosts = dict.fromkeys([*variables, *(h for g in groups.values() for h in g.get("hosts") or [])])
    rows = [
        (
            number,
            _device(names, number, str(host), variables.get(host) or {}, _groups(groups, str(host)), hidden),
        )
        for number, host in enumerate(hosts, 1)
    ]
    left = [f"Secrets are not taken over: {safe(', '.join(sorted(set(hidden))), 400)}."] if hidden else []
    return Taken([from_rows(source, "device", rows)] if rows else [], left)


def _groups(groups: Mapping[str, Any], host: str) -> list[str]:
    """Return the groups a host is in, and those above them."""
    found = {n for n, g in groups.items() if host in (g.get("hosts") or [])}
    while more := {n for n, g in groups.items() if set(g.get("children") or []) & found} - found:
        found |= more
    return sorted(found - {"all", "ungrouped"})


def _device(
    names: Names, number: int, host: str, said: Mapping[str, Any], groups: list[str], hidden: list[str]
) -> dict[str, Any]:
    kept = without_secrets(dict(said), host, hidden) or {}
    address = str(kept.get("ansible_host") or kept.get("ansible_ssh_host") or "")
    port = kept.get("ansible_port") or kept.get("ansible_ssh_port")
    system = str(kept.get("ansible_network_os") or "")
    row: dict[str, Any] = {
        "name": names.give(number, host),
        "address": address if _is_address(address) else None,
        "ssh_port": port,
        "platform": vocabulary.platform(system) or None,
        "role": vocabulary.role(*groups, host) or None,
        "transport": "ssh",
        "tags": " ".join(dict.fromkeys(filter(None, map(tag, groups)))) or None,
        "notes": notes(ansible_host=None if _is_address(address) else address, network_os=system),
    }
    row |= {f"var.{k}": v for k, v in _variables(kept)}
    return {k: v for k, v in row.items() if v not in (None, "")}


def _variables(kept: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in kept.items():
        if key not in _OWN and key.isidentifier() and value is not None:
            yield key, value


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True
