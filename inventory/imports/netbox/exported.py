"""Reads NetBox's CSV files, exported lists or filled import forms, as records like those of its REST API.

A file says which list it is by its name, as NetBox names its exports (`netbox_devices.csv`), or by --only. What refers
to another record does so by a name, which is looked for in the files read together. csv.toml says which heading is
which field.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from inventory.imports.csv_file import read_csv
from inventory.imports.netbox.steps import taken, words
from inventory.imports.netbox.world import MODEL, Record, World
from inventory.imports.octets import file_octets
from inventory.imports.sheets import Taken
from siaga.errors import InvalidError, NotFoundError, UsageError
from siaga.text import safe

Fields = dict[str, Any]
_TABLES = Path(__file__).with_name("csv.toml")
_OWN = ("files", "needs", "word")
# A device is shown as 'name (asset tag)', a VLAN as 'name (vid)', a VRF as 'name (rd)'.
_SHOWN = re.compile(r"(.+?) \(([^()]*)\)")
_UNNUMBERED = 10**12
_TERMINATION = re.compile(r"(.+): Termination ([AZ])")


@dataclass(frozen=True)
class Table:
    """What csv.toml says of one list: its endpoint, and each heading's field with how it is read."""

    endpoint: str
    files: frozenset[str]
    needs: str
    word: str
    columns: Mapping[str, str]


@cache
def tables() -> tuple[Table, ...]:
    """Return every list of which a CSV file can be taken."""
    said: dict[str, dict[str, Any]] = tomllib.loads(_TABLES.read_text("utf-8"))
    every = said.pop("every")
    return tuple(
        Table(
            endpoint,
            frozenset(plain(f) for f in table["files"]),
            table.get("needs", ""),
            table["word"],
            {**every, **{k: v for k, v in table.items() if k not in _OWN}},
        )
        for endpoint, table in said.items()
    )


def plain(heading: object) -> str:
    """Return the letters and digits of a heading or file name, in lower case."""
    return re.sub(r"[^a-z0-9]", "", str(heading or "").lower())


@dataclass
class Files:
    """The records of every file, by endpoint, and who is called how among them."""

    records: dict[str, list[Fields]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    _called: dict[str, dict[str, list[Fields]]] = field(default_factory=dict)

    def index(self) -> None:
        """Let records be found by name from now on."""
        for endpoint, records in self.records.items():
            called = self._called.setdefault(endpoint, {})
            for record in records:
                called.setdefault(_name(record), []).append(record)

    def find(self, endpoint: str, shown: str, site: str = "") -> Fields | None:
        """Return the record that is shown so (at `site`), as it is nested in another one; None for an empty cell."""
        if not shown:
            return None
        match = _SHOWN.fullmatch(shown)
        name, more = (match[1], match[2]) if match else (shown, "")
        called = self._called.get(endpoint, {})
        found = [r for r in called.get(shown, ()) if site in ("", r.get(_SITE))]
        found = found or [r for r in called.get(name, ()) if more in _apart(r)]
        if len(found) == 1:
            return {k: found[0][k] for k in ("id", "name", "slug", "cid", "vid") if k in found[0]}
        return {"name": name if endpoint in _WITH_MORE else shown}


_SITE = "site:ref dcim/sites"
_WITH_MORE = frozenset({"dcim/devices", "ipam/vlans", "ipam/vrfs"})


def _name(record: Record) -> str:
    """Return what a record is called where another one refers to it; a device without a name by its type."""
    own = record.get("name") or record.get("cid")
    return str(own or f"{record.get('manufacturer', '')} {record.get('model', '')}".strip())


def _apart(record: Record) -> tuple[object, ...]:
    """Return what NetBox shows between brackets after a name, to tell records of one name apart."""
    return (record.get("vid"), record.get("rd"), record.get("asset_tag"), str(record.get("id")))


def is_exported(where: str) -> bool:
    """Tell whether what stands after 'netbox' is a file or folder, and not an address."""
    return "://" not in where and (where.lower().endswith(".csv") or Path(where).is_dir())


def exported(where: str, *, only: str = "", kinds: tuple[str, ...]) -> Taken:
    """Read one CSV file of NetBox, or every one in a folder and below.

    Raises UsageError (`unknown-netbox-list`) for a file of no known list, NotFoundError, InvalidError.
    """
    path = Path(where)
    single = not path.is_dir()
    paths = (
        [path] if single else sorted(p for p in path.rglob("*") if p.suffix.lower() == ".csv" and p.is_file())
    )
    if not paths:
        raise NotFoundError("no-such-file", f"There is no .csv file in {where}.")
    files = Files()
    # --only names the list of a single file, and the lists that are wanted of a folder.
    wanted = words(only)
    for one in paths:
        _read(files, one, wanted if single else frozenset(), single=single)
    files.index()
    # By number, as the API gives them: which of two of one name keeps it must not hang on how a page was sorted.
    records = {
        e: [_shaped(files, e, r) for r in sorted(found, key=lambda r: int(r["id"]))]
        for e, found in files.records.items()
    }
    world = World(safe(path.name, 60), frozenset() if single else wanted, kinds)
    result = taken(world, lambda endpoint: records.get(endpoint, ()))
    return Taken(result.sheets, [*files.left, *result.left])


def _read(files: Files, path: Path, wanted: frozenset[str], *, single: bool) -> None:
    raw = read_csv(path.name, file_octets(path))
    lines = iter(raw.lines)
    header = next((cells for _, cells in lines if any(str(c or "").strip() for c in cells)), ())
    table = _table(path, {plain(h) for h in header}, wanted)
    if table is None and single:
        known = ", ".join(sorted({t.word for t in tables()}))
        raise UsageError(
            "unknown-netbox-list",
            f"{path.name} is not called as NetBox calls its exports: say --only with {known}.",
        )
    if table is None:
        files.left.append(f"{safe(path.name, 80)} is none of the lists that are taken from NetBox.")
        return
    ours = [(str(h).strip(), table.columns.get(plain(h))) for h in header]
    records = files.records.setdefault(table.endpoint, [])
    for line, cells in lines:
        if not any(str(c or "").strip() for c in cells):
            continue
        if any(str(c or "").strip() for c in cells[len(header) :]):
            raise InvalidError(
                "bad-workbook", f"{path.name}, line {line}: there are more cells than columns."
            )
        record = _record(ours, cells)
        number = str(record.get("id") or "")
        # Without NetBox's own number rows are told apart by one that it does not reach.
        record["id"] = int(number) if number.isdigit() else _UNNUMBERED + len(records)
        record["_line"] = line
        if record.get("name") == "Unnamed device":
            del record["name"]
        records.append(record)


def _table(path: Path, headings: set[str], wanted: frozenset[str]) -> Table | None:
    """Return which list a file is: by --only, or by its name ('netbox_devices (1).csv')."""
    stem = plain(re.sub(r" \(\d+\)$", "", path.stem)).removeprefix("netbox")
    found = [t for t in tables() if (t.word in wanted if wanted else stem in t.files)]
    fitting = [t for t in found if not t.needs or t.needs in headings]
    if len(fitting) > 1:  # --only vlans: the groups or the VLANs
        fitting = sorted(fitting, key=lambda t: -len(headings & t.columns.keys()))[:1]
    if not fitting and wanted:
        raise UsageError(
            "unknown-netbox-list", f"{path.name} has not the columns of {', '.join(sorted(wanted))}."
        )
    return fitting[0] if fitting else None


def _record(ours: Iterable[tuple[str, str | None]], cells: Iterable[Any]) -> Fields:
    record: Fields = {"custom_fields": {}}
    for (heading, said), cell in zip(ours, cells, strict=False):
        text = str(cell or "").strip()
        if said is None:
            record["custom_fields"][heading] = text
        elif said and text:
            record.setdefault(said, text)
    return record


def _shaped(files: Files, endpoint: str, flat: Fields) -> Record:
    """Return a record as the REST API gives it."""
    record: Fields = {}
    for said, value in flat.items():
        name, _, how = said.partition(":")
        record[name] = _read_as(files, how, value, flat) if how else value
    shape = _SHAPES.get(endpoint)
    return shape(files, record) if shape else record


def _read_as(files: Files, how: str, text: str, flat: Fields) -> Any:
    kind, _, endpoint = how.partition(" ")
    if kind == "bool":
        return text.lower() in ("true", "yes", "1", "on")
    if kind == "list":
        return [{"name": t.strip()} for t in text.split(",") if t.strip()]
    if kind == "named":
        return None if text == "None" else {"name": text}
    if endpoint == "ipam/vrfs" and text == "Global":
        return None
    site = str(flat.get(_SITE) or "") if endpoint in ("dcim/locations", "dcim/racks") else ""
    return files.find(endpoint, text, site)


# --- lists whose records are built otherwise than their rows -----------------------------------------------


def _site(_: Files, record: Fields) -> Fields:
    record["asns"] = [{"asn": re.sub(r"\D", "", a["name"])} for a in record.get("asns") or ()]
    return record


def _rack(_: Files, record: Fields) -> Fields:
    record["u_height"] = str(record.get("u_height") or "").upper().removesuffix("U") or None
    return record


def _device(_: Files, record: Fields) -> Fields:
    model, maker = record.pop("model", None), record.pop("manufacturer", None)
    if model:
        record["device_type"] = {"model": model, "manufacturer": {"name": maker}}
    for address in ("primary_ip", "oob_ip"):
        if record.get(address):
            record[address] = {"address": record[address]}
    return record


def _interface(files: Files, record: Fields) -> Fields:
    for above in ("lag", "bridge", "parent"):
        if record.get(above):
            record[above] = {"name": record[above]}
    record["mac_addresses"] = [{"mac_address": m} for m in _several(record.get("mac_addresses"))]
    vids = [files.find("ipam/vlans", t) or {} for t in _several(record.get("tagged_vlans"))]
    texts = _several(record.pop("tagged_vlans", None))
    shown = [m[2] if (m := _SHOWN.fullmatch(t)) else "" for t in texts]
    record["tagged_vlans"] = [{"vid": v.get("vid") or s} for v, s in zip(vids, shown, strict=True)]
    return record


def _several(text: object) -> list[str]:
    return [t.strip() for t in str(text or "").split(",") if t.strip()]


def _scoped(files: Files, record: Fields) -> Fields:
    endpoint = {"dcim.site": "dcim/sites", "dcim.region": "dcim/regions", "dcim.location": "dcim/locations"}
    if record.get("scope"):
        known = endpoint.get(str(record.get("scope_type")), "")
        record["scope"] = files.find(known, record["scope"]) or {"name": record["scope"]}
    return record


def _vlan_group(files: Files, record: Fields) -> Fields:
    spans = [t.partition("-") for t in _several(record.get("vid_ranges"))]
    record["vid_ranges"] = [[int(a), int(b or a)] for a, _, b in spans if a.isdigit() and (b or a).isdigit()]
    return _scoped(files, record)


def _address(files: Files, record: Fields) -> Fields:
    port, owner = record.pop("interface", None), record.pop("owner", None)
    device, machine = record.pop("device", owner), record.pop("virtual_machine", None)
    if record.get("nat_inside"):
        record["nat_inside"] = {"address": record["nat_inside"]}
    if not port or not (device or machine):
        return record
    known = files.find("virtualization/virtual-machines", str(machine or device)) or {}
    virtual = bool(machine) or "id" in known
    nested = known if virtual else files.find("dcim/devices", str(device))
    record["assigned_object"] = {"name": port, "virtual_machine" if virtual else "device": nested}
    record["assigned_object_type"] = "virtualization.vminterface" if virtual else "dcim.interface"
    return record


def _end(files: Files, record: Fields, side: str) -> list[Fields]:
    name, device, model = (record.pop(f"{side}_{k}", None) for k in ("name", "device", "type"))
    circuit = _TERMINATION.fullmatch(str(name or ""))
    if circuit and not device:
        nested = {"circuit": files.find("circuits/circuits", circuit[1]), "term_side": circuit[2]}
        return [{"object_type": "circuits.circuittermination", "object": nested}]
    if not name or not device:
        return []
    nested = {"name": name, "device": files.find("dcim/devices", device)}
    return [{"object_type": str(model or "dcim.interface").lower(), "object": nested}]


def _cable(files: Files, record: Fields) -> Fields:
    record["a_terminations"], record["b_terminations"] = (_end(files, record, side) for side in "ab")
    number, _, unit = str(record.get("length") or "").partition(" ")
    if unit:
        record["length"], record["length_unit"] = number, unit
    return record


def _wireless(files: Files, record: Fields) -> Fields:
    for side in "ab":
        ends = _end(files, record, side)
        record[f"interface_{side}"] = ends[0]["object"] if ends else None
    return record


def _circuit(_: Files, record: Fields) -> Fields:
    if record.get("account"):
        record["provider_account"] = {"account": record.pop("account")}
    for side in "az":
        site = record.pop(f"{side}_name", None)
        record[f"termination_{side}"] = {"site": {"name": site}} if site else None
    return record


def _assignment(files: Files, record: Fields) -> Fields:
    model = str(record.get("object_type") or "")
    endpoint = next((e for e, m in MODEL.items() if m == model), "")
    record["object"] = files.find(endpoint, str(record.get("object") or ""))
    return record


_SHAPES: Mapping[str, Callable[[Files, Fields], Fields]] = {
    "dcim/sites": _site,
    "dcim/racks": _rack,
    "dcim/devices": _device,
    "virtualization/virtual-machines": _device,
    "dcim/interfaces": _interface,
    "virtualization/interfaces": _interface,
    "ipam/prefixes": _scoped,
    "ipam/vlan-groups": _vlan_group,
    "ipam/ip-addresses": _address,
    "dcim/cables": _cable,
    "wireless/wireless-links": _wireless,
    "circuits/circuits": _circuit,
    "circuits/providers": _site,
    "tenancy/contact-assignments": _assignment,
}
