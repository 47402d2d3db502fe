"""Providers, circuits, cables and radio links become providers, contracts and links."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from inventory.imports.netbox.devices import interface_label
from inventory.imports.netbox.world import Reader, Record, Row, World, choice, kbps, label, original
from inventory.imports.vocabulary import medium

_PORTS = ("dcim.interface",)
_CIRCUIT = "circuits.circuittermination"
Ends = dict[Any, dict[str, str]]


def providers(world: World, read: Reader) -> None:
    """circuits/providers, with the account numbers of circuits/provider-accounts."""
    endpoint = "circuits/providers"
    accounts: dict[Any, list[str]] = {}
    for record in read("circuits/provider-accounts"):
        owner = (record.get("provider") or {}).get("id") or label(record.get("provider"))
        accounts.setdefault(owner, []).append(str(record.get("account") or ""))
    for record in read(endpoint):
        name = world.of("provider").give((endpoint, record["id"]), record.get("name"))
        numbers = [a.get("asn") for a in record.get("asns") or () if isinstance(a, Mapping)] or [
            record.get("asn")
        ]
        said = {"name": original(record, name), "AS_numbers": numbers[1:]}
        row = {
            "name": name,
            "account": ", ".join(accounts.get(record["id"], ()))[:255],
            "as_number": numbers[0],
            **world.rest(endpoint, record, "provider", ("name", "accounts", "asns", "asn"), **said),
        }
        world.add("providers", endpoint, "provider", record, row)


def lines(world: World, read: Reader) -> None:
    """dcim/cables, wireless/wireless-links and circuits/circuits; a circuit ends where its cables lead."""
    ends: Ends = {}
    _cables(world, read, ends)
    _radio(world, read)
    _circuits(world, read, ends)


def _cables(world: World, read: Reader, ends: Ends) -> None:
    endpoint = "dcim/cables"
    for record in read(endpoint):
        sides = [list(record.get(k) or ()) for k in ("a_terminations", "b_terminations")]
        models = {str(t.get("object_type")) for side in sides for t in side}
        if _CIRCUIT in models:
            _to_circuit(world, sides, ends)
        elif models and models <= set(_PORTS):
            _cable(world, endpoint, record, sides)
        else:
            world.lost[f"{endpoint}: those that do not end at two interfaces"] += 1


def _cable(world: World, endpoint: str, record: Record, sides: list[list[Any]]) -> None:
    a, z = ([interface_label(world, t.get("object")) for t in side] for side in sides)
    pairs = list(zip(a, z, strict=True)) if len(a) == len(z) else list(product(a, z))
    status = choice(record.get("status"))
    name = world.of("link").give((endpoint, record["id"]), record.get("label") or f"cable-{record['id']}")
    said = {
        "cable_type": choice(record.get("type")) or None,
        "NetBox_status": None if status in ("", "connected") else status,
        "tenant": label(record.get("tenant")) or None,
        "length": f"{record['length']} {choice(record.get('length_unit'))}" if record.get("length") else None,
    }
    used = ("a_terminations", "b_terminations", "type", "status", "label", "length", "length_unit")
    rest = world.rest(endpoint, record, "link", (*used, "profile"), **said)
    for number, (one, other) in enumerate(pairs, 1):
        own = (
            name
            if number == 1
            else world.of("link").give((endpoint, f"{record['id']}-{number}"), f"{name} {number}")
        )
        row = {
            "name": own,
            "kind": medium(choice(record.get("type"))),
            "a_interface": one,
            "z_interface": other,
        }
        world.add("cables", endpoint, "link", record, {**row, **rest})


def _to_circuit(world: World, sides: list[list[Any]], ends: Ends) -> None:
    """Remember at which interface a circuit's side A or Z ends."""
    ports = [t for side in sides for t in side if t.get("object_type") in _PORTS]
    for end in (t for side in sides for t in side if t.get("object_type") == _CIRCUIT):
        nested = end.get("object") or {}
        circuit = (nested.get("circuit") or {}).get("id")
        if circuit is None or len(ports) != 1:
            world.lost["dcim/cables: those between a circuit and no single interface"] += 1
            continue
        side = str(nested.get("term_side") or "A").upper()
        ends.setdefault(circuit, {})[side] = interface_label(world, ports[0].get("object"))


def _radio(world: World, read: Reader) -> None:
    endpoint = "wireless/wireless-links"
    for record in read(endpoint):
        status = choice(record.get("status"))
        wanted = record.get("ssid") or f"radio-{record['id']}"
        name = world.of("link").give((endpoint, record["id"]), wanted)
        said = {
            "name": None if name == wanted else wanted,
            "NetBox_status": None if status in ("", "connected") else status,
            "tenant": label(record.get("tenant")) or None,
        }
        used = (
            "interface_a",
            "interface_b",
            "ssid",
            "status",
            "auth_type",
            "auth_cipher",
            "auth_psk",
            "distance_unit",
        )
        row = {
            "name": name,
            "kind": "radio",
            "a_interface": interface_label(world, record.get("interface_a")),
            "z_interface": interface_label(world, record.get("interface_b")),
            **world.rest(endpoint, record, "link", used, **said),
        }
        world.add("cables", endpoint, "link", record, row)


def _circuits(world: World, read: Reader, ends: Ends) -> None:
    endpoint = "circuits/circuits"
    for record in read(endpoint):
        provider = world.named("circuits/providers", record.get("provider"))
        name = world.of("contract").give((endpoint, record["id"]), record.get("cid"), provider)
        link = world.of("link").give((endpoint, record["id"]), record.get("cid"), provider)
        kind = label(record.get("type"))
        internet = any(w in kind.lower() for w in ("internet", "transit", "dia"))
        rate = kbps(record.get("commit_rate"))
        rest = _told(world, endpoint, record, name)
        contract = {
            "name": name,
            "provider": provider,
            "kind": "internet" if internet else "circuit",
            "start": record.get("install_date"),
            "end": record.get("termination_date"),
            "committed_down_bps": rate,
            "committed_up_bps": rate,
            **rest,
        }
        line = {
            "name": link,
            "kind": medium(kind, record.get("description")),
            "contract": name,
            "capacity_bps": rate,
            "intra": not internet,
            "installed": record.get("install_date"),
            "a_interface": ends.get(record["id"], {}).get("A"),
            "z_interface": ends.get(record["id"], {}).get("Z"),
        }
        world.add("circuits", endpoint, "contract", record, contract)
        world.add("circuits", endpoint, "link", record, line)


def _told(world: World, endpoint: str, record: Record, name: str) -> Row:
    """Return the contract's notes; the link has none of its own."""
    status = choice(record.get("status"))
    said = {
        "name": original(record, name),
        "circuit_type": label(record.get("type")) or None,
        "NetBox_status": None if status in ("", "active") else status,
        "tenant": label(record.get("tenant")) or None,
        "account": (record.get("provider_account") or {}).get("account") or None,
        "ends_at": list(_ends(record)),
        "distance": f"{record['distance']} {choice(record.get('distance_unit'))}"
        if record.get("distance")
        else None,
    }
    used = (
        *(
            "cid",
            "provider",
            "provider_account",
            "type",
            "status",
            "tenant",
            "install_date",
            "termination_date",
        ),
        *("commit_rate", "termination_a", "termination_z", "distance", "distance_unit"),
    )
    return world.rest(endpoint, record, "contract", used, **said)


def _ends(record: Record) -> Iterator[str]:
    """Yield the places of a circuit's terminations: of `termination` (4.2 and later), or of site or network."""
    for side in ("termination_a", "termination_z"):
        end = record.get(side)
        if isinstance(end, Mapping):
            place = label(end.get("termination") or end.get("site") or end.get("provider_network"))
            if place:
                yield f"{side[-1].upper()} {place}"
