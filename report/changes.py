"""What changed between two reports: the index, levels that rose or fell, and figures, read from their JSON. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from report.flat import blocks
from siaga.text import safe

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise: kind index, level or figure; `better` is None where that cannot be said."""

    kind: str
    id: str
    name: str
    before: str
    after: str
    better: bool | None = None


def changes(old: Tree, new: Tree) -> list[Change]:
    """Return the index first, then levels (the worse first), then figures; a thing that only one has is left out."""
    found = list(_index(old, new))
    found += sorted(_levels(old, new), key=lambda c: (c.better is True, c.id))
    return [*found, *_figures(old, new)]


def _index(old: Tree, new: Tree) -> Iterator[Change]:
    a, b = _one(old, "verdict"), _one(new, "verdict")
    if a and b and (a["shown"], a["interval"]) != (b["shown"], b["interval"]):
        better = None if a["value"] is None or b["value"] is None else b["value"] > a["value"]
        same = a["value"] == b["value"]
        before, after = (f"{x['shown']} {x['interval']}" for x in (a, b))
        yield Change("index", str(b["id"]), safe(b["label"]), before, after, None if same else better)


def _one(tree: Tree, kind: str) -> Mapping[str, Any] | None:
    return next((b for c in tree["chapters"] for b in blocks(c) if b["kind"] == kind), None)


def _levels(old: Tree, new: Tree) -> Iterator[Change]:
    before, after = _records(old), _records(new)
    for key in sorted(before.keys() & after.keys()):
        a, b = before[key], after[key]
        if a["level"] != b["level"]:
            known = a["level"] is not None and b["level"] is not None
            better = b["level"] > a["level"] if known else None
            yield Change("level", key, safe(b["name"]), a["level_shown"], b["level_shown"], better)


def _records(tree: Tree) -> dict[str, Mapping[str, Any]]:
    found = (b["level"] for c in tree["chapters"] for b in blocks(c) if b["kind"] == "record")
    return {level["id"]: level for level in found}


def _figures(old: Tree, new: Tree) -> Iterator[Change]:
    before = {f["id"]: f for f in old["figures"]}
    for f in new["figures"]:
        a = before.get(f["id"])
        if a is not None and a["shown"] != f["shown"]:
            yield Change("figure", f["id"], safe(f["label"]), a["shown"], f["shown"])
