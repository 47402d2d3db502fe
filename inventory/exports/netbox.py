"""The options of NetBox's inventory plugin (netbox.netbox.nb_inventory 3.21) on siaga's rows. Pure.

Somebody who comes from NetBox keeps his inventory file: options, names of groups and of variables are NetBox's.
What makes no sense without a server to ask, or has nothing here that it could mean, is refused with a sentence.
Values are siaga's own names (`Kantor Mauk`), not slugs; names of groups are made of harmless characters.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from inventory.exports.ansible import clean, group, raw_group
from inventory.exports.ansible import variables as allowed
from siaga.errors import UsageError
from siaga.text import safe

_NO_SERVER = "siaga reads its own inventory and asks no server: remove it"
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        ("api_endpoint", "api_version", "token", "validate_certs", "cert", "key", "ca_path"), _NO_SERVER
    ),
    **dict.fromkeys(("follow_redirects", "headers", "timeout", "max_uri_length", "fetch_all"), _NO_SERVER),
    "virtual_chassis_name": "the inventory does not say which member of a stack is its master",
    "oob_ip_as_primary_ip": "a device has one management address here, its field 'address'",
    "virtual_disks": "the inventory holds no disks",
}
REFUSED_GROUPS: Mapping[str, str] = {
    **dict.fromkeys(
        ("cluster", "cluster_type", "cluster_group", "cluster_device"), "there are no clusters: use a tag"
    ),
    **dict.fromkeys(
        ("site_group", "rack_group", "rack_role"), "places have kinds and parents, no groups: use region"
    ),
    **dict.fromkeys(("time_zone", "utc_offset"), "the whole regency is in one time zone"),
    "facility": "a place has no such field: use site",
}
_PLURALS = {
    "site": "sites",
    "tenant": "tenants",
    "rack": "racks",
    "role": "device_roles",
    "platform": "platforms",
    "device_type": "device_types",
    "manufacturer": "manufacturers",
}
_SINGULAR = {**{v: k for k, v in _PLURALS.items()}, "tags": "tag", "device_role": "role"}


@dataclass(frozen=True)
class Options:
    """What an inventory file may say; the defaults are NetBox's. `selector` is siaga's own."""

    selector: str = ""
    query_filters: Sequence[Mapping[str, Any]] = ()
    device_query_filters: Sequence[Mapping[str, Any]] = ()
    vm_query_filters: Sequence[Mapping[str, Any]] = ()
    group_by: Sequence[str] = ()
    group_names_raw: bool = False
    plurals: bool = True
    config_context: bool = False
    flatten_config_context: bool = False
    flatten_local_context_data: bool = False
    flatten_custom_fields: bool = False
    interfaces: bool = False
    services: bool = True
    site_data: bool = False
    prefixes: bool = False
    racks: bool = True
    dns_name: bool = False
    ansible_host_dns_name: bool = False
    hostname_field: str = ""
    rename_variables: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Facts:
    """All that is known of one device: `row` as exports.hosts describes it, and what hangs on it."""

    row: Mapping[str, Any]
    custom: Mapping[str, Any]
    own: Mapping[str, Any]
    merged: Mapping[str, Any]
    chain: Sequence[Mapping[str, Any]] = ()  # its places, from its own upwards
    interfaces: Sequence[Mapping[str, Any]] = ()
    services: Sequence[Mapping[str, Any]] = ()
    prefixes: Sequence[Mapping[str, Any]] = ()
    dns_name: str = ""
    asset_tag: str = ""


def options(config: Mapping[str, Any], others: Iterable[str]) -> Options:
    """Read an inventory file; `others` are keys that Ansible itself knows (compose, cache, …).

    Raises UsageError (`bad-inventory-file`) with every option that cannot be, and why.
    """
    known = {f.name for f in fields(Options)}
    problems = [f"{k}: {REFUSED[k]}" for k in config if k in REFUSED]
    problems += [
        f"{safe(k, 60)}: there is no such option"
        for k in config
        if k not in known | set(others) | set(REFUSED)
    ]
    found = Options(**{k: v for k, v in config.items() if k in known and v is not None})
    problems += [f"group_by: {k}: {REFUSED_GROUPS[k]}" for k in found.group_by if k in REFUSED_GROUPS]
    if problems:
        raise UsageError(
            "bad-inventory-file", f"The inventory file cannot be used. {'. '.join(problems)}.", problems
        )
    return found


def groups(facts: Facts, given: Options) -> list[str]:
    """Return the names of the groups that a device is in by `group_by`, as NetBox's plugin names them."""
    found: dict[str, None] = {}
    for kind in given.group_by:
        if kind == "is_virtual":
            found.update({"is_virtual": None} if facts.row.get("virtual") else {})
            continue
        prefix = "service" if kind == "services" else kind
        name = raw_group if given.group_names_raw else group
        found.update(dict.fromkeys(name(prefix, v) for v in _grouping(facts, _SINGULAR.get(kind, kind)) if v))
    return list(found)


def _grouping(facts: Facts, kind: str) -> list[Any]:
    """Return the values by which a device is grouped: of a tree all levels, as NetBox nests them."""
    row = facts.row
    kinds = {"region": ("kecamatan", "regency"), "location": ("building", "room"), "rack": ("rack",)}
    if kind in kinds:
        return [p["name"] for p in facts.chain if p["kind"] in kinds[kind]]
    if kind == "tag":
        return list(row["tags"])
    if kind == "services":
        return [s["name"] for s in facts.services]
    own = {"tenant": "agency", "manufacturer": "maker"}.get(kind, kind)
    if own not in row and own not in facts.custom:
        raise UsageError(
            "bad-group-by", f"Hosts cannot be grouped by '{safe(kind, 60)}': a device has no such field."
        )
    return [row.get(own, facts.custom.get(own))]


def variables(facts: Facts, given: Options) -> dict[str, Any]:
    """Return the variables that NetBox's plugin gives a host, under its names, all texts made safe."""
    found = {
        **_named(facts, given),
        "status": {"value": facts.row["status"], "label": str(facts.row["status"]).capitalize()},
        "is_virtual": bool(facts.row.get("virtual")),
        "serial": facts.row.get("serial") or "",
        "asset_tag": facts.asset_tag or None,
        "tags": list(facts.row["tags"]),
        "regions": _grouping(facts, "region"),
        "locations": _grouping(facts, "location"),
        **_contexts(facts, given),
    }
    if given.interfaces:
        found["interfaces"] = list(facts.interfaces)
    if given.services:
        found["services"] = list(facts.services)
    if facts.dns_name and (given.dns_name or given.interfaces or given.ansible_host_dns_name):
        found["dns_name"] = facts.dns_name
    address = str(facts.row.get("address") or "")
    if address:
        found["primary_ip6" if ":" in address else "primary_ip4"] = address
    return {renamed(k, given): clean(v) for k, v in found.items()}


def _named(facts: Facts, given: Options) -> dict[str, Any]:
    """Return the variables that the option `plurals` renames and wraps in a list."""
    values: dict[str, Any] = {
        "site": _site(facts, given),
        "tenant": facts.row.get("agency"),
        "role": facts.row.get("role"),
        "platform": facts.row.get("platform"),
        "device_type": facts.row.get("device_type"),
        "manufacturer": facts.row.get("maker"),
    }
    if given.racks:
        values["rack"] = next(iter(_grouping(facts, "rack")), None)
    if given.plurals:
        return {_PLURALS[k]: [v] for k, v in values.items() if v}
    return {k: v for k, v in values.items() if v}


def _site(facts: Facts, given: Options) -> Any:
    """Return the site's name, or with `site_data` or `prefixes` all that is known of it."""
    name = facts.row.get("site")
    if not (given.site_data or given.prefixes):
        return name
    whole = next((p for p in facts.chain if p["name"] == name), None)
    if whole is None:
        return None
    shown = {k: v for k, v in whole.items() if k != "id" and v not in (None, "")}
    return {**shown, "prefixes": list(facts.prefixes)} if given.prefixes else shown


def _contexts(facts: Facts, given: Options) -> dict[str, Any]:
    found: dict[str, Any] = {}
    custom = {k: v for k, v in facts.custom.items() if v is not None}
    # Flat they stand beside Ansible's own variables: what a row may not set, a field may not either.
    found |= allowed(custom)[0] if given.flatten_custom_fields else {"custom_fields": custom}
    for name, values, flatten in (
        ("config_context", facts.merged if given.config_context else {}, given.flatten_config_context),
        ("local_context_data", facts.own, given.flatten_local_context_data),
    ):
        if values:
            found |= values if flatten else {name: [dict(values)] if given.plurals else dict(values)}
    return found


def renamed(name: str, given: Options) -> str:
    """Return a variable's name after `rename_variables`: the first pattern that fits is replaced."""
    for rule in given.rename_variables:
        try:
            if re.search(rule["pattern"], name):
                return re.sub(rule["pattern"], rule["repl"], name)
        except (re.error, KeyError) as error:
            raise UsageError(
                "bad-inventory-file",
                f"rename_variables wants a pattern and a repl: {safe(rule, 80)} ({error}).",
            ) from None
    return name
