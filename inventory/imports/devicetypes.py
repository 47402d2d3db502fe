"""Reads device types as the community's devicetype-library writes them: one YAML file for each model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inventory.imports.harmless import Names, notes
from inventory.imports.octets import file_octets
from inventory.imports.sheets import Sheet, Taken, from_rows
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
_MOST = 500


@dataclass
class _Found:
    """What the files told so far. A sheet for each file, so that whatever is wrong later names the file too."""

    types: list[Sheet] = field(default_factory=list)
    parts: list[Sheet] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    first: dict[tuple[str, str], str] = field(default_factory=dict)  # slug, or maker and model → file
    names: Names = field(default_factory=lambda: Names("device_type"))


def devicetypes(source: str) -> Taken:
    """Return device types and their components from a file, or from all .yaml files below a directory.

    Raises NotFoundError (`no-such-file`), InvalidError (`bad-device-type`) with what is wrong in every file.
    """
    root, found = Path(source), _Found()
    for number, path in enumerate(_files(root), 1):
        where = str(path.relative_to(root)) if path != root else path.name
        try:
            _take(found, number, where, read_mapping(where, file_octets(path)))
        except (InvalidError, NotFoundError) as error:
            found.problems.append(error.sentence.removesuffix("."))
    if found.problems:
        count = "1 problem" if len(found.problems) == 1 else f"{len(found.problems)} problems"
        more = len(found.problems) - _MOST
        told = [*found.problems[:_MOST], *([f"and {more} more"] if more > 0 else [])]
        raise InvalidError("bad-device-type", f"{source}: {count} found; nothing was written.", told)
    left = []
    if found.unknown:
        keys = ", ".join(sorted(map(safe, found.unknown)))
        left.append(f"Left out, for there is no field for it here: {keys}.")
    return Taken([*found.types, *found.parts], left)


def _take(found: _Found, number: int, where: str, tree: Mapping[str, Any]) -> None:
    problems = [*_flaws(tree), *_twice(found, where, tree)]
    if problems:
        found.problems += [f"{where}: {p}" for p in problems]
        return
    row = _type(found.names, number, tree)
    parts = list(enumerate(_parts(row["name"], tree), 1))
    found.types.append(from_rows(where, "device_type", [(1, row)]))
    found.parts += [from_rows(where, "component", parts)] * bool(parts)
    found.unknown |= set(tree) - _TAKEN


def _flaws(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a file is no device type."""
    missing = [k for k in ("manufacturer", "model") if not tree.get(k)]
    if missing:
        yield f"it has no {' and no '.join(missing)}: it is no device type"
    for key in KINDS:
        parts = tree.get(key) or []
        if not isinstance(parts, list):
            yield f"{key} is no list"
            continue
        names = [safe(p["name"], 120) if isinstance(p, Mapping) and p.get("name") else "" for p in parts]
        yield from (f"entry {n} of {key} has no name" for n, name in enumerate(names, 1) if not name)
        twice = sorted({n for n in names if n and names.count(n) > 1})
        yield from (f"'{n}' stands twice among the {key}" for n in twice)


def _twice(found: _Found, where: str, tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield what makes a file the same device type as an earlier one."""
    maker, model, slug = (safe(tree.get(k) or "") for k in ("manufacturer", "model", "slug"))
    model = f"{maker} {model}" if maker and model else ""
    for kind, value in (("slug", slug), ("model", model)):
        earlier = found.first.setdefault((kind, value), where) if value else where
        if earlier != where:
            yield f"the {kind} '{value}' is that of {earlier} already"


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


def _parts(type_name: str, tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key, kind in KINDS.items():
        for part in tree.get(key) or []:
            yield {
                "device_type": type_name,
                "kind": kind,
                "label": safe(part["name"], 120),
                "type": safe(part.get("type", ""), 60),
                "mgmt_only": str(part.get("mgmt_only", "false")).lower() == "true",
            }
