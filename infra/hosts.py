"""Device rows become Ansible hosts. Pure: rows and opened credentials in, values out.

What an operator or a device wrote is data and never a template: every string of the inventory that Ansible
reads is marked `__ansible_unsafe` (ansible/_internal/_json/_profiles/_legacy.py), names of hosts and groups
are made of harmless characters, and of Ansible's own variables a row may set only those in ROW_VARIABLES,
because some of the others run commands on this machine (ansible_ssh_common_args, connection local, …).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from infra.usm import engine_id, user_variables
from inventory.credentials import OpenCredential
from siaga.text import safe

_SWITCH = re.compile(r"(?i)true|false|yes|no|1|0|on|off")
ROW_VARIABLES: Mapping[str, re.Pattern[str]] = {
    "ansible_connection": re.compile(r"ssh|(ansible\.builtin\.)?(ssh|paramiko_ssh)"),
    "ansible_user": re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}"),
    "ansible_port": re.compile(r"[1-9][0-9]{0,4}"),
    "ansible_host": re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}"),
    "ansible_python_interpreter": re.compile(r"/[A-Za-z0-9._/-]{1,200}|auto|auto_silent"),
    "ansible_become": _SWITCH,
    "siaga_manage_packages": _SWITCH,
    "siaga_manage_services": _SWITCH,
    "ansible_become_method": re.compile(r"sudo|su|doas"),
    "ansible_become_user": re.compile(r"[a-z_][a-z0-9_-]{0,31}"),
    "ansible_remote_tmp": re.compile(r"[A-Za-z0-9._/~-]{1,200}"),
    "siaga_root": re.compile(r"|/[A-Za-z0-9._/-]{1,400}"),
}
# A cell of a workbook or a word of the command line is text: 'false' must not be taken for something.
SWITCHES = ("ansible_become", "siaga_manage_packages", "siaga_manage_services")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_RESERVED = frozenset({"all", "ungrouped", "localhost", "hosts", "children", "vars"})
GROUPED_BY = ("role", "kecamatan", "agency", "platform")
_PREFIXES = ("device_", *(f"{kind}_" for kind in GROUPED_BY))
TEXT_LIMIT = 4_096
# A directory has no packages and no services: those of the machine around it must be left alone.
_ONLY_FILES = {"siaga_manage_packages": False, "siaga_manage_services": False}


@dataclass(frozen=True)
class Host:
    """One host: `alias` is its name for Ansible, `name` for people; `secrets` are variables as well."""

    alias: str
    name: str
    device_id: int
    groups: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    key: SecretStr | None = None


def alias(name: str, device_id: int) -> str:
    """Return the device's name if Ansible can take it for nothing else: no range, port, pattern or group."""
    harmless = _ALIAS.fullmatch(name) and name.lower() not in _RESERVED and not name.startswith(_PREFIXES)
    return name if harmless and len(name) <= 120 else f"device_{device_id}"


def group(kind: str, value: object) -> str:
    """Return a group's name, such as kecamatan_sepatan_timur."""
    return f"{kind}_" + (re.sub(r"[^a-z0-9]+", "_", safe(value).lower()).strip("_") or "none")


def problems(row: Mapping[str, Any], login: OpenCredential | None) -> list[str]:
    """Return, as sentences, everything that keeps this device from being provisioned."""
    name = safe(row["name"], 120)
    found = []
    if not _is_address(str(row.get("address") or "")):
        found.append(f"'{name}' has no address that can be reached.")
    if login is None:
        found.append(f"'{name}' has no ssh_credential.")
    else:
        found += [f"'{name}': {p}" for p in _login_problems(login)]
    return found + [f"'{name}': {p}" for p in _variable_problems(row.get("vars") or {})]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return bool(
            re.fullmatch(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*", text)
        )
    return True


def _login_problems(login: OpenCredential) -> list[str]:
    part = {"ssh-key": "key", "ssh-password": "password"}.get(login.kind)
    if part is None:
        return [f"credential '{login.name}' is of kind {login.kind}, not ssh-key or ssh-password."]
    found = [] if login.secrets.get(part) else [f"credential '{login.name}' holds no {part}."]
    if not ROW_VARIABLES["ansible_user"].fullmatch(login.username):
        found.append(f"credential '{login.name}' has no usable user name.")
    return found


def _variable_problems(variables: Mapping[str, Any]) -> list[str]:
    found = []
    for name, value in variables.items():
        rule = ROW_VARIABLES.get(name)
        if not _VARIABLE.fullmatch(name):
            found.append(f"'{safe(name, 60)}' cannot be the name of a variable.")
        elif rule is None and name.startswith("ansible_"):
            found.append(f"the variable {name} may not be set by a row.")
        elif rule is not None and (not rule.fullmatch(str(value)) or ".." in str(value)):
            found.append(f"the variable {name} may not be '{safe(value, 60)}'.")
        elif _speaks_to_ansible(value):
            found.append(f"the variable {name} holds a key that only Ansible itself may write.")
    return found


def _speaks_to_ansible(value: Any) -> bool:
    """Tell whether a key in `value` would be read as one of Ansible's marks (__ansible_vault and others)."""
    if isinstance(value, Mapping):
        return any(str(k).startswith("__ansible") or _speaks_to_ansible(v) for k, v in value.items())
    return isinstance(value, (list, tuple)) and any(map(_speaks_to_ansible, value))


def host(
    row: Mapping[str, Any],
    login: OpenCredential,
    connection: str,
    defaults: Mapping[str, Any] = MappingProxyType({}),
    given: Mapping[str, Any] = MappingProxyType({}),
) -> Host:
    """Return a device without problems as a host; the row's `vars` win over `defaults`, `given` over both."""
    own = {k: clean(v) for k, v in (row.get("vars") or {}).items()}
    own |= {k: str(own[k]).lower() in ("true", "yes", "1", "on") for k in SWITCHES if k in own}
    root = str(own.get("siaga_root", "")).rstrip("/")
    user = own.get("ansible_user", login.username)
    variables = {
        **defaults,
        "siaga_manage_packages": True,
        "siaga_manage_services": True,
        "ansible_host": row["address"],
        "ansible_port": int(row.get("ssh_port") or 22),
        "ansible_user": user,
        "ansible_connection": connection,
        "ansible_become": user != "root" and not root,
        **({"ansible_remote_tmp": f"{root}/tmp/.ansible"} if root else {}),  # noqa: S108  (on the host, below its own root)
        **own,
        **given,
        **(_ONLY_FILES if root else {}),
        "siaga_root": root,
        "siaga_user": user,
        "siaga_login": "key" if login.kind == "ssh-key" else "password",
        **{f"siaga_{k}": clean(row.get(k) or "") for k in ("name", "role", "status", "place", "agency")},
        **{f"siaga_{k}": clean(row.get(k) or "") for k in ("kecamatan", "platform", "serial", "notes")},
    }
    secrets = {}
    if login.kind == "ssh-password":
        secrets = dict.fromkeys(("ansible_password", "ansible_become_password"), login.secrets["password"])
        if "enable" in login.secrets:
            secrets["siaga_secret_enable"] = login.secrets["enable"]
    return Host(
        alias(str(row["name"]), row["id"]),
        str(row["name"]),
        row["id"],
        tuple(group(kind, row[kind]) for kind in GROUPED_BY if row.get(kind)),
        variables,
        secrets,
        login.secrets["key"] if login.kind == "ssh-key" else None,
    )


def with_snmp_user(one: Host, credential: OpenCredential | None) -> Host:
    """Return the host with the variables of an SNMPv3 user; without a credential the user is empty.

    Raises ValueError with the reason if net-snmp cannot have such a user.
    """
    if credential is None:
        nobody = dict.fromkeys(("snmp_user", "snmp_engine_id", "snmp_user_regexp"), "")
        return replace(one, variables={**one.variables, **nobody})
    if credential.kind != "snmp-v3" or not {"auth", "priv"} <= set(credential.secrets):
        raise ValueError("it is not of kind snmp-v3 with both an auth and a priv secret")
    plain, secret = user_variables(
        credential.username,
        engine_id(one.name),
        (credential.auth_protocol, credential.secrets["auth"]),
        (credential.priv_protocol, credential.secrets["priv"]),
    )
    return replace(one, variables={**one.variables, **plain}, secrets={**one.secrets, **secret})


def clean(value: Any) -> Any:
    """Return a value of the inventory with every text on one line, so that it cannot add lines to a file."""
    if isinstance(value, str):
        return safe(value, TEXT_LIMIT)
    if isinstance(value, Mapping):
        return {safe(k): clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(v) for v in value]
    return value


def inventory(hosts: Iterable[Host]) -> dict[str, Any]:
    """Return the Ansible inventory, without secrets, as `ansible-inventory --list --yaml` would have it."""
    names: dict[str, Any] = {}
    children: dict[str, dict[str, Any]] = {}
    for one in hosts:
        names[one.alias] = dict(one.variables)
        for name in one.groups:
            children.setdefault(name, {"hosts": {}})["hosts"][one.alias] = {}
    return {"all": {"hosts": names, "children": {k: children[k] for k in sorted(children)}}}


def with_secrets(hosts: Sequence[Host], key_files: Mapping[str, str]) -> dict[str, Any]:
    """Return the inventory that Ansible reads: every text marked as data, secrets and key files added."""
    found = inventory(hosts)
    for one in hosts:
        opened = {k: v.get_secret_value() for k, v in one.secrets.items()}
        if one.alias in key_files:
            opened["ansible_ssh_private_key_file"] = key_files[one.alias]
        found["all"]["hosts"][one.alias] |= opened
    return {
        "all": {
            "hosts": {name: marked(variables) for name, variables in found["all"]["hosts"].items()},
            "children": found["all"]["children"],
        }
    }


def marked(value: Any) -> Any:
    """Return `value` with every text in it marked as data, which Ansible never takes for a template."""
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, Mapping):
        return {k: marked(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [marked(v) for v in value]
    return value
