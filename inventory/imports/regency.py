"""Reads the facts of a regency: its places down to the villages, its agencies and their applications.

The file is YAML with `regency`, `kecamatan`, `opd`, `rsud`, `facilities` and `apps`, each entry with its `status`
(sourced, unverified, illustrative) and sources; villages stand in a CSV file that it names. Positions of polygons
are marked as centroids: an office is never where its kecamatan's middle is. What is illustrative was invented for
a demonstration and is left out unless it is asked for.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inventory.imports.decoding import text_of
from inventory.imports.harmless import harmless, notes
from inventory.imports.octets import file_octets
from inventory.imports.sheets import Taken, from_rows
from siaga.errors import InvalidError
from siaga.text import safe

Row = dict[str, Any]
_KEYS = ("regency", "kecamatan")
_PLACED = frozenset({"id", "name", "kecamatan", "owner", "national", "note", "status", "source", "as_of"})
_PURPOSES = {"command": "command", "sistem": "system", "system": "system", "server": "server"}


def is_regency(tree: Mapping[str, Any]) -> bool:
    """Tell whether a YAML document holds the facts of a regency."""
    return all(isinstance(tree.get(k), Mapping) for k in _KEYS) and "items" in tree["kecamatan"]


def regency(source: str, tree: Mapping[str, Any], folder: Path, *, illustrative: bool = False) -> Taken:
    """Return places, agencies and services of a regency; raises InvalidError (`bad-regency`), NotFoundError."""
    left: list[str] = []
    reader = _Regency(source, tree, folder, illustrative, left)
    places = [*reader.places()]
    agencies = [*reader.agencies()]
    services = [*reader.services({a["name"] for a in agencies})]
    sheets = [
        from_rows(f"{source}, {what}", noun, list(enumerate(rows, 1)))
        for what, noun, rows in (
            ("places", "place", places),
            ("opd", "agency", agencies),
            ("apps", "service", services),
        )
        if rows
    ]
    return Taken(sheets, left)


class _Regency:
    def __init__(
        self, source: str, tree: Mapping[str, Any], folder: Path, illustrative: bool, left: list[str]
    ) -> None:
        self.source, self.tree, self.folder = source, tree, folder
        self.illustrative, self.left = illustrative, left
        self.names: dict[str, str] = {}  # Kemendagri code -> the place's name here

    def places(self) -> Iterator[Row]:
        about = self.tree["regency"]
        top = self._name(about.get("name"), "regency.name")
        code = str(about.get("code", ""))
        self.names[code] = top
        population = about.get("population") or {}
        yield {
            "name": top, "kind": "regency", "code": code, "population": population.get("value"),
            "notes": _told(about, province=about.get("province"), capital=about.get("capital")),
        }  # fmt: skip
        centroid = "centroid" in str((self.tree["kecamatan"].get("coordinates") or {}).get("kind", ""))
        for item in self.tree["kecamatan"]["items"]:
            name = self._name(item.get("name"), "kecamatan.items.name")
            self.names[str(item.get("code", ""))] = name
            yield {
                "name": name, "kind": "kecamatan", "code": str(item.get("code", "")), "parent": top,
                **_position(item.get("lat"), item.get("lon"), centroid), "notes": _told(self.tree["kecamatan"]),
            }  # fmt: skip
        yield from self._villages(centroid)
        yield from self._facilities(top)

    def _villages(self, centroid: bool) -> Iterator[Row]:
        name = (self.tree["kecamatan"].get("files") or {}).get("desa_kelurahan")
        if not name:
            return
        # The file names another file beside it, and no other.
        path = self.folder / Path(str(name)).name
        lines = list(csv.DictReader(io.StringIO(text_of(file_octets(path), path.name))))
        wanted = {"kode", "nama", "jenis", "kode_kecamatan"}
        if lines and not wanted <= set(lines[0]):
            raise InvalidError("bad-regency", f"{path.name} has no columns {', '.join(sorted(wanted))}.")
        titles = Counter(_village(line) for line in lines)
        for line in lines:
            above = self.names.get(line["kode_kecamatan"].strip())
            if above is None:
                nama, code = safe(line["nama"]), safe(line["kode_kecamatan"])
                sentence = f"{path.name}: {nama} lies in a kecamatan {code} that is not there."
                raise InvalidError("bad-regency", sentence)
            own = _village(line)
            yield {
                "name": harmless(f"{own} {above}" if titles[own] > 1 else own),
                "kind": line["jenis"].strip().lower(), "code": line["kode"].strip(), "parent": above,
                **_position(line.get("lat"), line.get("lng"), centroid),
            }  # fmt: skip

    def _facilities(self, top: str) -> Iterator[Row]:
        for item in self._kept("facilities"):
            name = self._name(item.get("name"), "facilities.name")
            short = harmless(name.partition("(")[0])
            yield {
                "name": short or name, "kind": "site", "parent": self.names.get(str(item.get("kecamatan", "")), top),
                "notes": _told(item, name=item.get("name"), **_rest(item)),
            }  # fmt: skip
            rooms = str(item.get("name", "")).partition("(")[2].rstrip(")").split(",")
            for room in filter(None, (harmless(r) for r in rooms)):
                purpose = next((p for word, p in _PURPOSES.items() if word in room.lower()), "")
                yield {"name": f"{room} {short}", "kind": "room", "purpose": purpose, "parent": short}

    def agencies(self) -> Iterator[Row]:
        for kind, section in (("opd", "opd"), ("rsud", "rsud")):
            for item in self._kept(section):
                yield {
                    "name": self._name(item.get("id") or item.get("name"), f"{section}.id"),
                    "title": safe(item.get("name", "")), "kind": kind,
                    "place": self.names.get(str(item.get("kecamatan", ""))), "notes": _told(item, **_rest(item)),
                }  # fmt: skip
        for code, name in self.names.items():
            if code.count(".") == 2:  # a kecamatan is a perangkat daerah too
                short = harmless(f"kec-{name.lower().replace(' ', '-')}")
                yield {"name": short, "title": f"Kecamatan {name}", "kind": "kecamatan", "place": name}

    def services(self, agencies: set[str]) -> Iterator[Row]:
        for item in self._kept("apps"):
            name = self._name(item.get("id") or item.get("name"), "apps.id")
            owner = harmless(item.get("owner", ""))
            if owner and owner not in agencies:
                self.left.append(f"{self.source}: the owner '{owner}' of {name} is no agency here.")
            yield {
                "name": name, "title": safe(item.get("name", "")), "agency": owner if owner in agencies else None,
                "national": str(item.get("national", "no")).lower() == "true", "notes": _told(item, **_rest(item)),
            }  # fmt: skip

    def _kept(self, section: str) -> Iterator[Mapping[str, Any]]:
        found = self.tree.get(section) or []
        items = found.get("items") or [] if isinstance(found, Mapping) else found
        for item in items:
            if not isinstance(item, Mapping):
                raise InvalidError("bad-regency", f"{self.source}: an entry of {section} is no mapping.")
            if item.get("status") == "illustrative" and not self.illustrative:
                name = safe(item.get("name") or item.get("id") or "?", 60)
                self.left.append(f"{self.source}: '{name}' of {section} is illustrative and was left out.")
            else:
                yield item

    def _name(self, text: object, where: str) -> str:
        name = (
            harmless(str(text or "").partition("(")[0])
            if where == "facilities.name"
            else harmless(text or "")
        )
        if not name:
            raise InvalidError("bad-regency", f"{self.source}: an entry has no {where}.")
        return name


def _village(line: Mapping[str, str]) -> str:
    return f"{line['jenis'].strip().title()} {line['nama'].strip()}"


def _position(latitude: object, longitude: object, centroid: bool) -> Row:
    if latitude in (None, "") or longitude in (None, ""):
        return {}
    return {"latitude": latitude, "longitude": longitude, "position_kind": "centroid" if centroid else ""}


def _rest(item: Mapping[str, Any]) -> Row:
    """Return what an entry says that has no field here, such as a hospital's class: it goes to the notes."""
    return {str(k): v for k, v in item.items() if k not in _PLACED}


def _told(item: Mapping[str, Any], /, **more: object) -> str:
    told = {
        "status": item.get("status"),
        "sources": item.get("source") or item.get("sources"),
        "as_of": item.get("as_of"),
    }
    return notes(item.get("note"), **told, **{k: v for k, v in more.items() if k not in told})
