"""The inventory plugin `siaga.siaga.inventory`: siaga's devices as Ansible's hosts, under NetBox's option names.

This file is only the adapter to Ansible; what the options mean is in inventory/exports/netbox*.py.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleParserError  # type: ignore[import-untyped]
from ansible.plugins.inventory import (  # type: ignore[import-untyped]
    BaseInventoryPlugin,
    Cacheable,
    Constructable,
)

from inventory.exports.netbox import Options, options
from siaga.errors import SiagaError

DOCUMENTATION = r"""
name: inventory
short_description: Hosts from siaga's inventory
description:
  - Reads siaga's own database in process; no server is asked.
  - Options bear the names that C(netbox.netbox.nb_inventory) gives them, so that an inventory file can be kept.
  - What devices and operators wrote is data; it is never rendered as a template.
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Marks the file as one for this plugin.
    required: true
    choices: [siaga.siaga.inventory]
  siaga_home:
    description: The directory that holds siaga's database. By default what siaga itself uses.
    type: str
    env:
      - name: SIAGA_HOME
  selector:
    description: Which devices, in siaga's own language, such as C(role=router kecamatan=Mauk).
    type: str
    default: ''
  query_filters:
    description: Filters as NetBox has them, each one key and value. Values may be templates.
    type: list
    elements: dict
    default: []
  device_query_filters:
    description: Filters for devices that are no virtual machines.
    type: list
    elements: dict
    default: []
  vm_query_filters:
    description: Filters for virtual machines.
    type: list
    elements: dict
    default: []
  group_by:
    description:
      - What hosts are grouped by. NetBox's names, singular or plural (site, tenant, rack, tag, role, device_type,
        manufacturer, platform, region, location, status, services, is_virtual), and any field of a device
        (kecamatan, agency, maker, model, place, fields of your own).
    type: list
    elements: str
    default: []
  group_names_raw:
    description: Leave the kind out of groups' names.
    type: bool
    default: false
  plurals:
    description: Give site, tenant, rack, role, platform, device type and manufacturer as lists with plural names.
    type: bool
    default: true
  config_context:
    description: Add the variables merged from all layers.
    type: bool
    default: false
  flatten_config_context:
    description: Add them one by one instead of below C(config_context).
    type: bool
    default: false
  flatten_local_context_data:
    description: Add the device's own variables one by one instead of below C(local_context_data).
    type: bool
    default: false
  flatten_custom_fields:
    description: Add fields of your own one by one instead of below C(custom_fields).
    type: bool
    default: false
  interfaces:
    description: Add the interfaces with their addresses.
    type: bool
    default: false
  services:
    description: Add the services that run on the device.
    type: bool
    default: true
  site_data:
    description: Give the site with all that is known of it.
    type: bool
    default: false
  prefixes:
    description: Give the site with its prefixes.
    type: bool
    default: false
  racks:
    description: Give the rack.
    type: bool
    default: true
  dns_name:
    description: Add the DNS name of the management address.
    type: bool
    default: false
  ansible_host_dns_name:
    description: Connect to the DNS name instead of the address.
    type: bool
    default: false
  hostname_field:
    description: A field, of your own or the device's, that gives the host its name.
    type: str
    default: ''
  rename_variables:
    description: Pairs of C(pattern) and C(repl); the first that fits renames a variable.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
# siaga.yml: ansible-inventory -i siaga.yml --graph
plugin: siaga.siaga.inventory
selector: role=router status=active
group_by: [role, kecamatan, tags]
plurals: false
keyed_groups:
  - prefix: maker
    key: siaga_maker
compose:
  ansible_become_method: "'enable' if platform == 'iosxe' else 'sudo'"
"""

# What Ansible itself, and this file, know of the options.
_OTHERS = frozenset(
    {
        "plugin",
        "siaga_home",
        "compose",
        "groups",
        "keyed_groups",
        "strict",
        "use_extra_vars",
        "leading_separator",
    }
    | {"cache", "cache_plugin", "cache_timeout", "cache_connection", "cache_prefix"}
)
_FILTERS = ("query_filters", "device_query_filters", "vm_query_filters")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    """Hosts from siaga's inventory."""

    NAME = "siaga.siaga.inventory"
    # Nothing that comes from the inventory is ever a template.
    trusted_by_default = False

    def verify_file(self, path: str) -> bool:
        """Take any YAML file; whether it is meant for this plugin says its key `plugin`."""
        return super().verify_file(path) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill Ansible's inventory with the hosts that the file means."""
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        try:
            given = self._given(config)
            found = self._cached(path, given, cache)
        except SiagaError as error:
            raise AnsibleParserError(str(error)) from None
        for one in found:
            self._add(one)

    def _given(self, config: Mapping[str, Any]) -> Options:
        """Read the file's own keys, which Ansible has checked for their types."""
        known = self.get_options()
        read = {str(k): known.get(k, v) for k, v in config.items()}
        self.templar.available_variables = self._vars
        for name in _FILTERS:
            if name in read:
                read[name] = self.templar.template(read[name])
        return options(read, _OTHERS)

    def _cached(self, path: str, given: Options, cache: bool) -> list[dict[str, Any]]:
        """Return the hosts, from the cache if the file has one and nothing in the file was changed."""
        meant = json.dumps([asdict(given), self.get_option("siaga_home")], sort_keys=True, default=str)
        key = f"{self.get_cache_key(path)}_{hashlib.sha256(meant.encode()).hexdigest()[:12]}"
        wanted = self.get_option("cache")
        if wanted and cache:
            try:
                known: list[dict[str, Any]] = self._cache[key]
            except KeyError:
                pass
            else:
                return known
        found = self._read(given)
        if wanted:
            self._cache[key] = found
        return found

    def _read(self, given: Options) -> list[dict[str, Any]]:
        from inventory.exports.netbox_rows import netbox_hosts
        from inventory.store import open_engine, reading
        from siaga.settings import load

        home = self.get_option("siaga_home")
        settings = load({**os.environ, **({"SIAGA_HOME": home} if home else {})})
        engine = open_engine(settings)
        try:
            with reading(engine) as session:
                hosts = netbox_hosts(session, given)
        finally:
            engine.dispose()
        return [
            {"name": one.alias, "groups": list(one.groups), "variables": dict(one.variables), "seen": seen}
            for one, seen in hosts
        ]

    def _add(self, one: Mapping[str, Any]) -> None:
        """Add one host with its groups and variables, then what the file's own expressions make of it."""
        name = self.inventory.add_host(one["name"])
        for group in one["groups"]:
            self.inventory.add_child(self.inventory.add_group(group), name)
        for key, value in one["variables"].items():
            self.inventory.set_variable(name, key, value)
        strict = self.get_option("strict")
        variables = {**one["seen"], **one["variables"]}
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
