"""Regions, sites, locations and racks become the one tree of places; tenants become agencies."""

from collections.abc import Mapping
from typing import Any

from inventory.imports.harmless import harmless
from inventory.imports.netbox.world import Reader, Record, Row, World, choice, label, original
from inventory.imports.vocabulary import agency_kind


def tenants(world: World, read: Reader) -> None:
    """tenancy/tenants: an agency, its kind told by its name or its group."""
    endpoint = "tenancy/tenants"
    for record in read(endpoint):
        name = world.of("agency").give((endpoint, record["id"]), record.get("name"))
        group = label(record.get("group")) or None
        rest = world.rest(endpoint, record, "agency", ("name",), group=group, name=original(record, name))
        kind = agency_kind(record.get("name"), group)
        world.add("tenants", endpoint, "agency", record, {"name": name, "kind": kind, **rest})


def places(world: World, read: Reader) -> None:
    """dcim/regions, sites, locations, racks. A site keeps its name; the others give way."""
    sites = list(read("dcim/sites"))
    regions = {r["id"]: r for r in read("dcim/regions")}
    for site in sites:
        world.of("place").give(("dcim/sites", site["id"]), site.get("name"))
    for region in regions.values():
        world.of("place").give(("dcim/regions", region["id"]), region.get("name"), "region")
    _regions(world, regions)
    for site in sites:
        world.add("sites", "dcim/sites", "place", site, _site(world, site, regions))
    _locations(world, read)
    _racks(world, read)


def _regions(world: World, regions: Mapping[int, Record]) -> None:
    for region in regions.values():
        kind = _region_kind(world, _depth(region, regions))
        name = world.named("dcim/regions", region)
        if kind == "-":
            world.lost["dcim/regions: levels that --region-kinds leaves out"] += 1
            continue
        rest = world.rest("dcim/regions", region, "place", ("name", "parent"), name=original(region, name))
        row = {"name": name, "kind": kind, "parent": _kept(world, region.get("parent"), regions), **rest}
        world.add("regions", "dcim/regions", "place", region, row)


def _region_kind(world: World, depth: int) -> str:
    return world.region_kinds[min(depth, len(world.region_kinds) - 1)]


def _depth(region: Record, regions: Mapping[int, Record]) -> int:
    """Return how many regions stand above; a circle ends where it began."""
    depth, seen = 0, {region["id"]}
    parent = region.get("parent")
    while isinstance(parent, Mapping) and parent.get("id") in regions and parent["id"] not in seen:
        seen.add(parent["id"])
        depth += 1
        parent = regions[parent["id"]].get("parent")
    return depth


def _kept(world: World, region: Any, regions: Mapping[int, Record]) -> str:
    """Return the name of a region, or of the nearest above it of a level that is taken."""
    for _ in range(len(regions) + 1):
        if not isinstance(region, Mapping):
            return ""
        whole = regions.get(region.get("id", -1))
        if whole is None or _region_kind(world, _depth(whole, regions)) != "-":
            return world.named("dcim/regions", region)
        region = whole.get("parent")
    return ""


def _site(world: World, site: Record, regions: Mapping[int, Record]) -> Row:
    name = world.named("dcim/sites", site)
    located = site.get("latitude") is not None and site.get("longitude") is not None
    rest = world.rest(
        "dcim/sites",
        site,
        "place",
        ("name", "region", "latitude", "longitude", "status", "time_zone", "asns"),
        name=original(site, name),
        NetBox_status=_unusual(site),
        tenant=label(site.get("tenant")) or None,
        group=label(site.get("group")) or None,
        facility=site.get("facility"),
        physical_address=site.get("physical_address"),
        shipping_address=site.get("shipping_address"),
        AS_numbers=[_asn(a) for a in site.get("asns") or ()],
    )
    where = {"latitude": site.get("latitude"), "longitude": site.get("longitude"), "position_kind": "office"}
    parent = _kept(world, site.get("region"), regions)
    return {"name": name, "kind": "site", "parent": parent, **(where if located else {}), **rest}


def _asn(record: Any) -> str:
    return (
        str(record.get("asn") or record.get("display") or "") if isinstance(record, Mapping) else str(record)
    )


def _unusual(record: Record) -> str | None:
    status = choice(record.get("status"))
    return status if status not in ("", "active") else None


def _locations(world: World, read: Reader) -> None:
    """dcim/locations: a building when others lie in it, else a room; its name begins with its site's."""
    endpoint = "dcim/locations"
    found = list(read(endpoint))
    for record in found:
        site = world.named("dcim/sites", record.get("site"))
        world.of("place").give((endpoint, record["id"]), within(site, record.get("name")), "location")
    parents = {
        r["parent"]["id"] for r in found if isinstance(r.get("parent"), Mapping) and "id" in r["parent"]
    }
    for record in found:
        name = world.named(endpoint, record)
        above = world.named(endpoint, record.get("parent")) or world.named("dcim/sites", record.get("site"))
        rest = world.rest(
            endpoint,
            record,
            "place",
            ("name", "parent", "site", "status"),
            name=original(record, name),
            NetBox_status=_unusual(record),
            tenant=label(record.get("tenant")) or None,
            facility=record.get("facility"),
        )
        kind = "building" if record["id"] in parents else "room"
        row = {"name": name, "kind": kind, "parent": above, **rest}
        world.add("locations", endpoint, "place", record, row)


def _racks(world: World, read: Reader) -> None:
    """dcim/racks: a place of its own within its location or site."""
    endpoint = "dcim/racks"
    for record in read(endpoint):
        above = location_of(world, record)
        name = world.of("place").give((endpoint, record["id"]), within(above, record.get("name")), "rack")
        rest = world.rest(
            endpoint,
            record,
            "place",
            (
                "name",
                "site",
                "location",
                "status",
                "starting_unit",
                "desc_units",
                "weight_unit",
                "outer_unit",
            ),
            name=original(record, name),
            NetBox_status=_unusual(record),
            tenant=label(record.get("tenant")) or None,
            role=label(record.get("role")) or None,
            facility_id=record.get("facility_id"),
            u_height=record.get("u_height"),
            serial=record.get("serial"),
            asset_tag=record.get("asset_tag"),
        )
        world.add("racks", endpoint, "place", record, {"name": name, "kind": "rack", "parent": above, **rest})


def within(above: str, name: object) -> str:
    """Return the name of something inside: NetBox's own is unique only there, ours is everywhere."""
    own = harmless(name)
    return own if not above or own.lower().startswith(above.lower()) else f"{above} {own}"


def location_of(world: World, record: Record) -> str:
    """Return the place of a record's location, else of its site."""
    site = world.named("dcim/sites", record.get("site"))
    location = record.get("location")
    if not isinstance(location, Mapping):
        return site
    given = world.of("place").get(("dcim/locations", location.get("id")))
    return given or within(site, location.get("name"))


def place_of(world: World, record: Record) -> str:
    """Return the nearest place of a record: its rack, location or site."""
    rack = record.get("rack")
    if not isinstance(rack, Mapping):
        return location_of(world, record)
    given = world.of("place").get(("dcim/racks", rack.get("id")))
    return given or within(location_of(world, record), rack.get("name"))


def scope_of(world: World, record: Record, said: dict[str, object]) -> str:
    """Return the place a prefix, VLAN or group is for: its scope (4.2 and later) or its site; else say it."""
    scope = record.get("scope")
    endpoint = {"dcim.site": "dcim/sites", "dcim.region": "dcim/regions", "dcim.location": "dcim/locations"}
    endpoint["dcim.rack"] = "dcim/racks"
    if isinstance(scope, Mapping):
        model = str(record.get("scope_type") or "")
        if model in endpoint:
            return world.of("place").get((endpoint[model], scope.get("id"))) or harmless(scope.get("name"))
        said["scope"] = f"{model} {label(scope)}"
    return world.named("dcim/sites", record.get("site"))
