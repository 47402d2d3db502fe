"""What the mapping of NetBox's records shares: names given, rows made, and an account of what has no home here."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.imports.harmless import Names, harmless, notes, tag
from inventory.imports.sheets import Sheet, from_rows
from inventory.nouns import noun, nouns
from inventory.secretive import secret_like

Record = Mapping[str, Any]
Row = dict[str, Any]
Reader = Callable[[str], Iterable[Record]]  # an endpoint, such as dcim/sites, gives its records

# What every record has and nobody needs here, or what NetBox itself derives.
_PLAIN = frozenset(
    {"id", "url", "display", "display_url", "created", "last_updated", "slug", "family", "config_context"}
    | {
        "cable",
        "cable_end",
        "link_peers",
        "link_peers_type",
        "connected_endpoints",
        "connected_endpoints_type",
    }
    | {"connected_endpoints_reachable", "mark_connected", "_depth", "_occupied", "description", "comments"}
    | {
        "tags",
        "custom_fields",
        "children",
        "utilization",
        "total_vlan_ids",
        "color",
        "airflow",
        "size",
        "owner",
    }
    | {
        "wireless_link",
        "l2vpn_termination",
        "rir",
        "aggregate",
        "is_full_depth",
        "face",
        "primary_ip4",
        "primary_ip6",
        "_line",
    }
)
NOUN_OF = {
    **dict.fromkeys(("dcim.region", "dcim.site", "dcim.location", "dcim.rack"), "place"),
    **dict.fromkeys(("dcim.device", "virtualization.virtualmachine"), "device"),
    "dcim.devicetype": "device_type",
    "tenancy.tenant": "agency",
    "tenancy.contact": "person",
    "circuits.provider": "provider",
    "circuits.circuit": "link",
    "dcim.cable": "link",
    "ipam.vlan": "vlan",
    "ipam.vlangroup": "vlan_group",
    "ipam.vrf": "vrf",
}
REGION_KINDS = ("regency", "kecamatan", "desa")


@dataclass
class World:
    """The state of one import. `source` names the NetBox; `wanted` are the words of --only (none: everything)."""

    source: str
    wanted: frozenset[str] = frozenset()
    region_kinds: tuple[str, ...] = REGION_KINDS
    lost: Counter[str] = field(default_factory=Counter)
    _names: dict[str, Names] = field(default_factory=dict)
    _rows: dict[tuple[str, str], list[tuple[int, Row]]] = field(default_factory=dict)
    _undeclared: Counter[tuple[str, str]] = field(default_factory=Counter)
    _words: str = ""

    def of(self, kind: str) -> Names:
        """Return the names of a noun."""
        return self._names.setdefault(kind, Names(kind))

    def named(self, endpoint: str, record: Any) -> str:
        """Return what we call a record, or one nested in another (of its own model); '' for None."""
        if not isinstance(record, Mapping):
            return ""
        kind = NOUN_OF.get(MODEL[endpoint], "")
        given = self.of(kind).get((endpoint, record.get("id")))
        return given or harmless(
            record.get("name") or record.get("model") or record.get("display") or "", kind
        )

    def writes(self, word: str) -> bool:
        """Tell whether rows of this word are written, and not only looked up."""
        return not self.wanted or word in self.wanted

    def add(self, word: str, endpoint: str, kind: str, record: Record, row: Row) -> None:
        """Take over a row; without a value a field is left as it is."""
        if self.writes(word):
            filled = {k: v for k, v in row.items() if v is not None and v != ""}
            self._rows.setdefault((endpoint, kind), []).append((_line(record), filled))

    def sheets(self) -> list[Sheet]:
        """Return every row that was made, a sheet for each endpoint and noun."""
        return [
            from_rows(f"{self.source} {endpoint}", kind, rows)
            for (endpoint, kind), rows in self._rows.items()
        ]

    def rest(self, endpoint: str, record: Record, kind: str, used: Iterable[str], **said: object) -> Row:
        """Return notes and custom fields of a record; count every field that is in neither and not in `used`.

        `said` are values without a field of their own, which the notes keep by name.
        """
        for key in record.keys() - _PLAIN - set(used) - said.keys():
            if not key.endswith("_count") and record[key] not in (None, "", [], {}, False, 0):
                self.lost[f"{endpoint}: {key}"] += 1
        own = self._custom(endpoint, record, kind, said)
        words = (
            [] if "tags" in noun(kind).attributes else [t for t in map(label, record.get("tags") or ()) if t]
        )
        text = notes(record.get("description"), record.get("comments"), **said, tags=words)
        return {**own, "notes": text}

    def _custom(self, endpoint: str, record: Record, kind: str, said: dict[str, object]) -> Row:
        """Return the custom fields that are declared here; the others go to the notes and are named at the end."""
        row: Row = {}
        for name, raw in (record.get("custom_fields") or {}).items():
            value = _plain(raw)
            if value in (None, "", []):
                continue
            attribute = nouns()[kind].attributes.get(name)
            if secret_like(name):
                self.lost[f"{endpoint}: the custom field {name}, because its name is that of a secret"] += 1
            elif attribute is not None and attribute.custom:
                row[name] = value
            else:
                said.setdefault(name, value)
                self._undeclared[kind, name] += 1
        return row

    def account(self) -> list[str]:
        """Return sentences on what has no home here, for the end of the import."""
        found = [f"No home here for {what} ({count})." for what, count in sorted(self.lost.items())]
        for (kind, name), count in sorted(self._undeclared.items()):
            found.append(
                f"The custom field {name} of {count} {noun(kind).words} rows was kept in the notes: declare"
                f" [fields.{kind}.{tag(name).replace('-', '_').lower()}] in siaga.toml to make it a field."
            )
        for kind, names in sorted(self._names.items()):
            if names.renamed:
                found.append(
                    f"{names.renamed} {noun(kind).words} names were made unique or harmless; the notes keep theirs."
                )
        return found


# Which model a list is of; NetBox names models so in its generic relations.
MODEL = {
    "dcim/regions": "dcim.region",
    "dcim/sites": "dcim.site",
    "dcim/locations": "dcim.location",
    "dcim/racks": "dcim.rack",
    "dcim/devices": "dcim.device",
    "dcim/device-types": "dcim.devicetype",
    "dcim/interfaces": "dcim.interface",
    "dcim/cables": "dcim.cable",
    "virtualization/virtual-machines": "virtualization.virtualmachine",
    "virtualization/interfaces": "virtualization.vminterface",
    "tenancy/tenants": "tenancy.tenant",
    "tenancy/contacts": "tenancy.contact",
    "circuits/providers": "circuits.provider",
    "circuits/circuits": "circuits.circuit",
    "ipam/vlans": "ipam.vlan",
    "ipam/vlan-groups": "ipam.vlangroup",
    "ipam/vrfs": "ipam.vrf",
}
ENDPOINT = {model: endpoint for endpoint, model in MODEL.items()}


def label(record: Any) -> str:
    """Return what a nested record is called in NetBox."""
    if isinstance(record, Mapping):
        return str(record.get("slug") or record.get("name") or record.get("display") or "")
    return "" if record is None else str(record)


def choice(value: Any) -> str:
    """Return the value of a choice field, which comes as {value, label}, or as a word in older versions and CSV."""
    if isinstance(value, Mapping):
        value = value.get("value")
    return "" if value is None else str(value).strip().lower().replace(" ", "-")


def original(record: Record, ours: str) -> str | None:
    """Return the name NetBox has, where ours differs, for the notes."""
    theirs = str(record.get("name") or record.get("cid") or record.get("model") or "")
    return theirs if theirs and theirs != ours else None


def kbps(value: Any) -> int | None:
    """Return bits per second of NetBox's kilobits; None where it has none."""
    text = str(value if value is not None else "").strip()
    return int(text) * 1000 if text.isdigit() and int(text) else None


def _line(record: Record) -> int:
    number = record.get("_line", record.get("id"))
    return number if isinstance(number, int) else 0


def _plain(value: Any) -> Any:
    """Return a custom field's value as a cell: objects by name, choices by value."""
    if isinstance(value, Mapping):
        return label(value) or choice(value)
    if isinstance(value, list):
        return ", ".join(str(_plain(v)) for v in value)
    return value
