"""Reads the outlines of a regency's kecamatan for the map, from report/geography or the regency's own folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from siaga.errors import InvalidError
from siaga.text import safe

FOLDER = Path(__file__).with_name("geography")
LIMIT = 8 << 20  # bytes of a file of outlines
Point = tuple[float, float]
Outline = tuple[str, tuple[Point, ...], Point]


def outlines(code: str, home: Path | None = None) -> tuple[tuple[Outline, ...], str]:
    """Return (name, outline, middle) of each kecamatan, and the source; nothing where there is no file.

    A file CODE.json in the home's folder `geography` stands above ours. Raises InvalidError (`bad-outlines`).
    """
    if not code or code != Path(code).name:
        return (), ""
    places = [home / "geography" / f"{code}.json"] if home else []
    path = next((p for p in (*places, FOLDER / f"{code}.json") if p.is_file()), None)
    return _read(path) if path else ((), "")


def _read(path: Path) -> tuple[tuple[Outline, ...], str]:
    try:
        if path.stat().st_size > LIMIT:
            raise ValueError(f"it is larger than {LIMIT} bytes")
        tree = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(_outline(f) for f in tree["features"])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        sentence = f"{path} holds no outlines: {type(error).__name__} {safe(error, 120)}."
        raise InvalidError("bad-outlines", sentence) from None
    return found, safe(tree.get("source", ""), 300)


def _outline(feature: Mapping[str, Any]) -> Outline:
    """Return one feature; of several polygons the one with the most points is drawn."""
    said, shape = feature["properties"], feature["geometry"]
    rings = [p[0] for p in shape["coordinates"]] if shape["type"] == "MultiPolygon" else shape["coordinates"]
    ring = tuple((float(x), float(y)) for x, y, *_ in max(rings, key=len))
    if len(ring) < 3 or not all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in ring):
        raise ValueError(f"the outline of {said['name']} is none")
    at = said.get("at") or (sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring))
    return safe(said["name"], 60), ring, (float(at[0]), float(at[1]))
