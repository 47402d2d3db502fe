"""Reads everything that NetBox's plugin tells of a host, in sets: one query for each kind of thing asked for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.exports.ansible import Host, alias, clean
from inventory.exports.hosts import Surroundings, described, own_variables, permitted, surroundings
from inventory.exports.hosts import host as plain_host
from inventory.exports.netbox import Facts, Options, groups, variables
from inventory.exports.netbox_filters import selector
from inventory.nouns import noun
from inventory.store import rows

Row = Mapping[str, Any]
Many = dict[str, list[dict[str, Any]]]


def netbox_hosts(session: Session, given: Options) -> list[tuple[Host, dict[str, Any]]]:
    """Return the hosts that an inventory file means, each with what its expressions may look at besides.

    Raises UsageError (`bad-selector`, `bad-filter`, `bad-group-by`).
    """
    from inventory.select import selected

    ids = selected(session, "device", selector(given))
    devices = rows(session, "device", ids)
    around = surroundings(session, ids)
    hanging = _Hanging(session, {r["name"] for r in devices}, given)
    taken: set[str] = set()
    return [_host(row, around, hanging, given, taken) for row in devices]


def _host(
    row: Row, around: Surroundings, hanging: "_Hanging", given: Options, taken: set[str]
) -> tuple[Host, dict[str, Any]]:
    facts = _facts(row, around, hanging)
    siaga = plain_host(row, around, ())[0]
    found = {**siaga.variables, **variables(facts, given)}
    if given.ansible_host_dns_name and facts.dns_name:
        found["ansible_host"] = facts.dns_name
    name = _hostname(row, facts, given, taken)
    seen = {k: clean(v) for k, v in facts.row.items() if k not in found}
    return Host(name, siaga.name, tuple(groups(facts, given)), found), seen


def _hostname(row: Row, facts: Facts, given: Options, taken: set[str]) -> str:
    """Return the host's name: `hostname_field` of the device, if it has one that no host before it had."""
    wanted = str(facts.custom.get(given.hostname_field) or facts.row.get(given.hostname_field) or "")
    name = alias(wanted, row["id"]) if wanted else alias(str(row["name"]), row["id"])
    name = alias(str(row["name"]), row["id"]) if name in taken else name
    taken.add(name)
    return name


def _facts(row: Row, around: Surroundings, hanging: "_Hanging") -> Facts:
    custom = {a.name: row.get(a.name) for a in noun("device").attributes.values() if a.custom}
    own = permitted(row.get("vars") or {})[0]
    name = str(row["name"])
    facts = described(row, around)
    return Facts(
        row={k: v for k, v in facts.items() if k not in custom},
        custom=custom,
        own=own,
        merged=own_variables(row, around)[0],
        chain=tuple(_chain(str(row.get("place") or ""), around.places)),
        interfaces=hanging.interfaces.get(name, ()),
        services=hanging.services.get(name, ()),
        prefixes=hanging.prefixes.get(facts["site"], ()),
        dns_name=hanging.names.get(str(row.get("address") or ""), ""),
        asset_tag=hanging.assets.get(name, ""),
    )


def _chain(name: str, places: Mapping[str, Row]) -> Iterator[Row]:
    seen: set[str] = set()
    while name in places and name not in seen:
        seen.add(name)
        yield places[name]
        name = str(places[name].get("parent") or "")


class _Hanging:
    """What hangs on devices, by the device's name; read only where the options ask for it."""

    def __init__(self, session: Session, names: set[str], given: Options) -> None:
        self.assets = {r["device"]: r["name"] for r in _of(session, "asset", names)}
        wants_names = given.dns_name or given.ansible_host_dns_name or given.interfaces
        addresses = rows(session, "address") if wants_names else []
        self.names = {r["name"]: r["dns_name"] for r in addresses if r["dns_name"]}
        self.services = _services(session, names) if given.services else {}
        self.interfaces = _interfaces(session, names, addresses) if given.interfaces else {}
        self.prefixes = _by_place(rows(session, "prefix")) if given.prefixes else {}


def _of(session: Session, name: str, devices: set[str]) -> list[dict[str, Any]]:
    """Return the rows of a noun that belong to one of these devices."""
    table = noun(name).table
    there = session.execute(select(table.c.id, table.c.device_id).where(table.c.device_id.is_not(None))).all()
    known = noun("device").table
    ids = {i for i, label in session.execute(select(known.c.id, known.c.name)) if label in devices}
    return rows(session, name, [row_id for row_id, device_id in there if device_id in ids])


def _services(session: Session, names: set[str]) -> Many:
    found: Many = {}
    for row in _of(session, "service", names):
        shown = {
            "name": row["name"],
            "ports": [row["port"]] if row["port"] else [],
            "description": row["title"],
        }
        found.setdefault(row["device"], []).append(shown)
    return found


def _interfaces(session: Session, names: set[str], addresses: Sequence[Row]) -> Many:
    """Return the interfaces as NetBox shows them; its speed is kbit/s."""
    on: Many = {}
    for row in addresses:
        length = f"/{row['length']}" if row["length"] is not None else ""
        shown = {"address": row["name"].partition(" ")[0] + length, "dns_name": row["dns_name"]}
        on.setdefault(row["interface"] or "", []).append(shown)
    vids = {r["name"]: r["vid"] for r in rows(session, "vlan")}
    found: Many = {}
    for row in _of(session, "interface", names):
        found.setdefault(row["device"], []).append(
            {
                "name": row["name"],
                "description": row["alias"],
                "enabled": row["enabled"],
                "mac_address": row["mac"] or None,
                "speed": row["speed_bps"] // 1000 if row["speed_bps"] else None,
                "mode": {"value": row["mode"]} if row["mode"] else None,
                "untagged_vlan": {"name": row["vlan"], "vid": vids[row["vlan"]]} if row["vlan"] else None,
                "tagged_vlans": row["tagged_vlans"],
                "ip_addresses": on.get(f"{row['device']}:{row['name']}", []),
            }
        )
    return found


def _by_place(found: Sequence[Row]) -> Many:
    by_place: Many = {}
    for row in found:
        if row["place"]:
            shown = {"prefix": row["name"].partition(" ")[0], "status": row["status"], "vrf": row["vrf"]}
            by_place.setdefault(row["place"], []).append(shown)
    return by_place
