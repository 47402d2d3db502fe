"""What a device is called and may carry in an Ansible inventory. Pure: rows in, names, variables and JSON out.

What an operator or a device wrote is data and never a template. Names of hosts and groups are made of harmless
characters; of Ansible's own variables a row or a layer may set only those in ROW_VARIABLES, because some of
the others run commands on this machine (ansible_ssh_common_args, connection local, …); and a text that could
be taken for a template is marked `__ansible_unsafe`, since Ansible trusts what an inventory script says
(ansible/plugins/inventory/script.py, ansible/_internal/_json/_profiles/_legacy.py).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from siaga.text import safe

_SWITCH = re.compile(r"(?i)true|false|yes|no|1|0|on|off")
ROW_VARIABLES: Mapping[str, re.Pattern[str]] = {
    "ansible_connection": re.compile(
        r"ssh|(ansible\.builtin\.)?(ssh|paramiko_ssh)|(ansible\.netcommon\.)?(network_cli|netconf|httpapi)"
    ),
    "ansible_network_os": re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,2}"),
    "ansible_user": re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}"),
    "ansible_port": re.compile(r"[1-9][0-9]{0,4}"),
    "ansible_host": re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}"),
    "ansible_python_interpreter": re.compile(r"/[A-Za-z0-9._/-]{1,200}|auto|auto_silent"),
    "ansible_become": _SWITCH,
    "siaga_manage_packages": _SWITCH,
    "siaga_manage_services": _SWITCH,
    "ansible_become_method": re.compile(r"sudo|su|doas|enable|ansible\.netcommon\.enable"),
    "ansible_become_user": re.compile(r"[a-z_][a-z0-9_-]{0,31}"),
    "ansible_remote_tmp": re.compile(r"[A-Za-z0-9._/~-]{1,200}"),
    "siaga_root": re.compile(r"|/[A-Za-z0-9._/-]{1,400}"),
}
# A cell of a workbook or a word of the command line is text: 'false' must not be taken for something.
SWITCHES = ("ansible_become", "siaga_manage_packages", "siaga_manage_services")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_RESERVED = frozenset({"all", "ungrouped", "localhost", "hosts", "children", "vars"})
GROUPED_BY = ("role", "kecamatan", "site", "agency", "platform", "status", "tag", "maker", "model")
# The kinds of groups that the inventory plugin knows besides, under the names that NetBox's gives them.
_ALSO = (
    *("sites", "place", "location", "region", "tenant", "tenants", "rack", "racks", "tags", "device_role"),
    *("device_roles", "device_type", "device_types", "manufacturer", "manufacturers", "platforms", "service"),
)
_PREFIXES = ("device_", *(f"{kind}_" for kind in (*GROUPED_BY, *_ALSO)))
TEXT_LIMIT = 4_096
_LONGEST = 120


@dataclass(frozen=True)
class Host:
    """One host: `alias` is its name for Ansible, `name` for people."""

    alias: str
    name: str
    groups: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)


def alias(name: str, device_id: int) -> str:
    """Return the device's name if Ansible can take it for nothing else: no range, port, pattern or group."""
    harmless = _ALIAS.fullmatch(name) and name.lower() not in _RESERVED and not name.startswith(_PREFIXES)
    return name if harmless and len(name) <= _LONGEST else f"device_{device_id}"


def slug(value: object) -> str:
    """Return a value in the characters that a group's name may hold, such as sepatan_timur."""
    return re.sub(r"[^a-z0-9]+", "_", safe(value).lower()).strip("_") or "none"


def group(kind: str, value: object) -> str:
    """Return a group's name, such as kecamatan_sepatan_timur."""
    return f"{kind}_{slug(value)}"


def raw_group(kind: str, value: object) -> str:
    """Return a group's name without its kind; with it where the value alone could be taken for something else."""
    plain = slug(value)
    return group(kind, value) if plain in _RESERVED or plain[:1].isdigit() else plain


def clean(value: Any) -> Any:
    """Return a value as JSON has it, with every text on one line, so that it cannot add lines to a file."""
    if isinstance(value, str):
        return safe(value, TEXT_LIMIT)
    if isinstance(value, Mapping):
        return {safe(k): clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value


def variable_problem(name: str, value: Any) -> str:
    """Return why a row or a layer may not set this variable, as a phrase; '' if it may."""
    rule = ROW_VARIABLES.get(name)
    if not _VARIABLE.fullmatch(name):
        return f"'{safe(name, 60)}' cannot be the name of a variable"
    if rule is None and name.startswith("ansible_"):
        return f"the variable {name} may not be set by a row"
    if rule is not None and (not rule.fullmatch(str(value)) or ".." in str(value)):
        return f"the variable {name} may not be '{safe(value, 60)}'"
    if _speaks_to_ansible(value):
        return f"the variable {name} holds a key that only Ansible itself may write"
    return ""


def _speaks_to_ansible(value: Any) -> bool:
    """Tell whether a key in `value` would be read as one of Ansible's marks (__ansible_vault and others)."""
    if isinstance(value, Mapping):
        return any(str(k).startswith("__ansible") or _speaks_to_ansible(v) for k, v in value.items())
    return isinstance(value, (list, tuple)) and any(map(_speaks_to_ansible, value))


def variables(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the variables that a host may have, made safe, and a phrase for each that was left out."""
    kept, left_out = {}, []
    for name, value in given.items():
        problem = variable_problem(name, value)
        if problem:
            left_out.append(problem)
        elif name in SWITCHES:
            kept[name] = str(value).lower() in ("true", "yes", "1", "on")
        else:
            kept[name] = clean(value)
    return kept, left_out


def marked(value: Any) -> Any:
    """Return `value` with every text in it marked as data, which Ansible never takes for a template."""
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, Mapping):
        return {k: marked(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [marked(v) for v in value]
    return value


def marked_where_needed(value: Any) -> Any:
    """Return `value` with those texts marked as data that Ansible could take for a template.

    Ansible looks at a text only if it holds the begin of a block, all of which hold a brace, or begins with
    the header that gives others (#jinja2:). The rest stay as they are, so that other readers understand them.
    """
    if isinstance(value, str):
        return {"__ansible_unsafe": value} if "{" in value or value.startswith("#jinja2") else value
    if isinstance(value, Mapping):
        return {k: marked_where_needed(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [marked_where_needed(v) for v in value]
    return value


def grouped(hosts: Iterable[Host]) -> dict[str, list[str]]:
    """Return the hosts of every group, by the groups' names; hosts without a group are `ungrouped`."""
    found: dict[str, list[str]] = {}
    for one in hosts:
        for name in one.groups or ("ungrouped",):
            found.setdefault(name, []).append(one.alias)
    return {name: found[name] for name in sorted(found)}


def host_json(one: Host) -> str:
    """Return one host's variables, as an inventory script answers to --host."""
    return json.dumps(marked_where_needed(one.variables), ensure_ascii=False)


def listing(hosts: Sequence[Host]) -> Iterator[str]:
    """Yield the pieces of what an inventory script answers to --list: one line for each host and group.

    The variables of all hosts stand in `_meta`, so that Ansible need not ask for them one by one.
    """
    groups = grouped(hosts)
    yield '{"_meta": {"hostvars": {'
    for number, one in enumerate(hosts):
        yield f"{',' if number else ''}\n{json.dumps(one.alias)}: {host_json(one)}"
    yield '}},\n"all": ' + json.dumps({"children": list(groups)})
    for name, members in groups.items():
        yield f",\n{json.dumps(name)}: {json.dumps({'hosts': members})}"
    yield "}\n"
