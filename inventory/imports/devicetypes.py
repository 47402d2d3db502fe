"""Reads device types as the community's devicetype-library writes them: one YAML file for each model."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inventory.imports.harmless import Names, notes
from inventory.imports.sheets import Taken, file_octets, from_rows
from inventory.imports.yaml_file import read_mapping
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

KINDS = {
    "interfaces": "interface",
    "console-ports": "console",
    "power-ports": "power",
    "power-outlets": "power-outlet",
    "module-bays": "module-bay",
    "device-bays": "device-bay",
    "front-ports": "front",
    "rear-ports": "rear",
}
_TAKEN = {"manufacturer", "model", "slug", "part_number", "u_height", "comments", *KINDS}
MAX_FILES = 20_000


def devicetypes(source: str) -> Taken:
    """Return device types and their components from a file, or from all .yaml files below a directory.

    Raises NotFoundError (`no-such-file`), InvalidError (`bad-device-type`, `bad-workbook`).
    """
    types: list[tuple[int, dict[str, Any]]] = []
    parts: list[tuple[int, dict[str, Any]]] = []
    names, left, unknown = Names("device_type"), [], set()
    for number, path in enumerate(_files(Path(source)), 1):
        tree = read_mapping(path.name, file_octets(path))
        if not tree.get("manufacturer") or not tree.get("model"):
            raise InvalidError(
                "bad-device-type", f"{path} has no manufacturer or no model: it is no device type."
            )
        row = _type(names, number, tree)
        types.append((number, row))
        parts += [(number, part) for part in _parts(row["name"], tree, str(path))]
        unknown |= set(tree) - _TAKEN
    if unknown:
        left.append(f"Left out, for there is no field for it here: {', '.join(sorted(map(safe, unknown)))}.")
    sheets = [from_rows(source, "device_type", types)] if types else []
    return Taken([*sheets, *([from_rows(source, "component", parts)] if parts else [])], left)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise NotFoundError("no-such-file", f"{path} is not there.")
    if path.is_file():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.suffix.lower() in (".yaml", ".yml") and p.is_file())
    if len(found) > MAX_FILES:
        raise InvalidError(
            "bad-device-type", f"{path} holds more than {MAX_FILES} files: name one maker's folder."
        )
    return found


def _type(names: Names, number: int, tree: Mapping[str, Any]) -> dict[str, Any]:
    maker, model = str(tree["manufacturer"]), str(tree["model"])
    return {
        "name": names.give(number, f"{maker} {model}"),
        "maker": safe(maker),
        "model": safe(model),
        "part_number": safe(tree.get("part_number", "")),
        "slug": safe(tree.get("slug", "")),
        "u_height": tree.get("u_height"),
        "notes": notes(tree.get("comments")),
    }


def _parts(type_name: str, tree: Mapping[str, Any], where: str) -> Iterator[dict[str, Any]]:
    for key, kind in KINDS.items():
        for part in tree.get(key) or []:
            if not isinstance(part, Mapping) or not part.get("name"):
                raise InvalidError("bad-device-type", f"{where}: an entry of {key} has no name.")
            yield {
                "device_type": type_name,
                "kind": kind,
                "label": safe(part["name"], 120),
                "type": safe(part.get("type", ""), 60),
                "mgmt_only": str(part.get("mgmt_only", "false")).lower() == "true",
            }
