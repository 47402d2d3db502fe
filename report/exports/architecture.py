"""Devices, links, rooms and services → the architecture lists that the ministry collects (SIA-SPBE). Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from report.exports import forms
from report.exports.forms import ArchitectureList, Column
from report.exports.goods import brand
from report.exports.network import Network, Row, Within
from report.exports.regency import Regency
from report.exports.sheets import Value
from siaga.text import safe

MBPS = 1_000_000
_STATUS = re.compile(r"status: (?:sourced|unverified|illustrative)")
_SOURCES = re.compile(rf"{_STATUS.pattern}|(?:sources|as of|address status): .*", re.DOTALL)


def lists(network: Network, within: Within) -> list[tuple[ArchitectureList, list[tuple[Value, ...]]]]:
    """Return each list with its rows, in the order of the workbook."""
    return [
        (one, [tuple(row.get(c.field) for c in one.columns) for row in MAKERS[one.of](network, one, within)])
        for one in forms.architecture()
    ]


def _words(*path: str) -> str:
    at: Any = forms.tree()["spbe_words"]
    for key in path:
        at = at.get(key, "") if isinstance(at, Mapping) else ""
    return str(at)


def described(notes: str) -> str:
    """Return notes without what an import of a regency's facts wrote of their sources: no part of a description."""
    parts = notes.split("; ")
    if not any(_STATUS.fullmatch(p) for p in parts):
        return safe(notes)
    return safe("; ".join(p for p in parts if not _SOURCES.fullmatch(p)))


def _wanted_devices(network: Network, one: ArchitectureList, within: Within) -> Iterator[Row]:
    """Yield the active devices of a list; what is stored on by its platform is no server and no peripheral."""
    stored = {p for other in forms.architecture() for p in other.platforms}
    for row in network.of("device"):
        if row["status"] != "active" or not within.holds(row["agency"], row["place"]):
            continue
        is_store = row["platform"] in stored
        if row["platform"] in one.platforms or (row["role"] in one.roles and not is_store):
            yield row


def _devices(network: Network, one: ArchitectureList, within: Within) -> Iterator[Mapping[str, Value]]:
    regency = network.regency
    for row in _wanted_devices(network, one, within):
        kind, said = network.one("device_type", row["device_type"]), network.said.get(row["name"], {})
        owner = network.one("person", row["owner"])
        yield {
            "name": safe(row["name"]),
            "description": described(row["notes"] or ""),
            "hardware_kind": _words("virtual" if row["virtual"] else "physical"),
            "device_kind": _words("role", row["role"]),
            "brand": brand(kind) or brand({"maker": said.get("vendor"), "model": said.get("model")}),
            "serial": safe(row["serial"] or said.get("serial", "")),
            "software": safe(f"{row['platform'] or ''} {said.get('version', '')}".strip()),
            "owner": regency.title(row["agency"] or ""),
            "location": regency.located(row["place"] or ""),
            "ownership": _words("own") if row["name"] in network.in_the_books else "",
            "unit": regency.title(owner.get("agency") or row["agency"] or ""),
        }


def _platforms(network: Network, one: ArchitectureList, within: Within) -> Iterator[Mapping[str, Value]]:
    """One row for each platform and version: on how many devices it runs, and whose they are if all are one's."""
    counted: Counter[tuple[str, str]] = Counter()
    owners: dict[tuple[str, str], set[str]] = {}
    for row in network.of("device"):
        if row["status"] != "active" or not row["platform"] or not within.holds(row["agency"], row["place"]):
            continue
        key = (safe(row["platform"]), safe(network.said.get(row["name"], {}).get("version", "")))
        counted[key] += 1
        owners.setdefault(key, set()).add(network.regency.title(row["agency"] or ""))
    for key in sorted(counted):
        (platform, version), of = key, owners[key]
        owner = next(iter(of)) if len(of) == 1 else ""
        yield {"name": platform, "version": version, "devices": counted[key], "owner": owner}


def _networks(network: Network, one: ArchitectureList, within: Within) -> Iterator[Mapping[str, Value]]:
    """Every link of the regency's own network, then every agency's connection to it."""
    for row in network.of("link"):
        ends = [
            network.one("device", (row[e] or "").partition(":")[0]) for e in ("a_interface", "z_interface")
        ]
        if row["intra"] and _touches(ends, within):
            yield _network(network, row, row, _words(row["role"]), ends[0].get("agency"), row["capacity_bps"])
    for row in network.of("connection"):
        if within.holds(row["agency"], row["place"]):
            link = network.one("link", row["link"])
            contract = network.one("contract", row["contract"] or link.get("contract"))
            bps = row["committed_down_bps"] or contract.get("committed_down_bps")
            yield _network(network, row, link, _words("connection"), row["agency"], bps)


def _touches(ends: Sequence[Row], within: Within) -> bool:
    everything = not within.agency and within.places is None
    return everything or any(end and within.holds(end["agency"], end["place"]) for end in ends)


def _network(
    network: Network, row: Row, link: Row, kind: str, agency: str | None, bps: int | None
) -> Mapping[str, Value]:
    medium = link.get("kind") or ""
    contract = network.one("contract", row["contract"] or link.get("contract"))
    air = medium in ("radio", "satellite", "cellular")
    return {
        "name": safe(row["name"]),
        "description": described(row["notes"] or ""),
        "network_kind": kind,
        "owner": network.regency.title(agency or ""),
        "bandwidth": _mbps(bps),
        "media": _words("air" if air else "cable") if medium and medium != "other" else "",
        "ownership": _ownership(contract, own=bool(link.get("intra"))),
        "media_type": _words("media", medium),
    }


def _ownership(contract: Row, *, own: bool) -> str:
    """Rented where there is a contract; the regency's where a line of its own network has none."""
    if not contract:
        return _words("own") if own else ""
    provider = safe(contract["provider"] or "")
    return f"{_words('rented')} ({provider})" if provider else _words("rented")


def _mbps(bps: int | None) -> int | float | None:
    if not bps:
        return None
    return bps // MBPS if bps % MBPS == 0 else bps / MBPS


def _facilities(network: Network, one: ArchitectureList, within: Within) -> Iterator[Mapping[str, Value]]:
    """Rooms of a purpose. Tier, ownership and safeguards are shown where the regency declared such fields."""
    regency = network.regency
    for row in regency.places.values():
        if row["purpose"] not in one.purposes or (
            within.places is not None and row["name"] not in within.places
        ):
            continue
        around = {
            p["name"] for p in regency.upwards(row["name"]) if p["kind"] in ("room", "building", "site")
        }
        intra, internet = _bandwidths(network, around)
        yield {
            "name": safe(row["name"]),
            "bandwidth_intra": _mbps(intra),
            "bandwidth_internet": _mbps(internet),
            "location": regency.located(row["parent"] or ""),
            "tier": safe(row.get("tier") or ""),
            "ownership": _words("own"),
            "security": safe(row.get("safeguards") or ""),
            "unit": regency.title(_unit(regency, row["name"])),
        }


def _bandwidths(network: Network, around: set[str]) -> tuple[int, int]:
    """Add up the committed rates of the connections of a site: (to the regency's network, to the internet)."""
    intra = internet = 0
    for row in network.of("connection"):
        if row["place"] not in around:
            continue
        contract = network.one("contract", row["contract"])
        bps = row["committed_down_bps"] or contract.get("committed_down_bps") or 0
        if contract.get("kind") == "internet":
            internet += bps
        else:
            intra += bps
    return intra, internet


def _unit(regency: Regency, place: str) -> str:
    """Return the agency that sits where the room is: the innermost place that exactly one agency calls its own."""
    for at in regency.upwards(place):
        found = [name for name, row in regency.agencies.items() if row["place"] == at["name"]]
        if len(found) == 1:
            return found[0]
    return ""


def _services(network: Network, one: ArchitectureList, within: Within) -> Iterator[Mapping[str, Value]]:
    regency = network.regency
    for row in network.of("service"):
        host = network.one("device", row["device"])
        if not within.holds(row["agency"], row["place"] or host.get("place")):
            continue
        yield {
            "name": safe(row["title"] or row["name"]),
            "description": described(row["notes"] or ""),
            "owner": regency.title(row["agency"] or ""),
            "url": safe(row["url"] or ""),
            "hosting": _words("hosting", row["hosting"] or ""),
            "server": safe(row["device"] or ""),
            "location": regency.located(row["place"] or host.get("place") or ""),
            "exchange": "" if row["spl"] is None else _words("yes" if row["spl"] else "no"),
            "national": _words("yes" if row["national"] else "no"),
            "criticality": row["criticality"],
        }


def _exchange(network: Network, one: ArchitectureList, within: Within) -> Iterator[Mapping[str, Value]]:
    """The services that speak over the government's service exchange (sistem penghubung layanan)."""
    return (row for row in _services(network, one, within) if row["exchange"] == _words("yes"))


Maker = Callable[[Network, ArchitectureList, Within], Iterator[Mapping[str, Value]]]
MAKERS: Mapping[str, Maker] = {
    "device": _devices,
    "platform": _platforms,
    "network": _networks,
    "facility": _facilities,
    "service": _services,
    "exchange": _exchange,
}


def missing(columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> list[str]:
    """Return 'title count' for each column with empty cells."""
    counted = [(c.title, sum(row[i] in ("", None) for row in rows)) for i, c in enumerate(columns)]
    return [f"{title} {count}" for title, count in counted if count]
