"""Reads Oxidized's router.db (and RANCID's): one node to a line, its fields between delimiters."""

from collections.abc import Iterator, Sequence
from typing import Any

from inventory.imports import vocabulary
from inventory.imports.harmless import Names, notes
from inventory.imports.sheets import Taken, from_rows
from siaga.errors import InvalidError, UsageError

FIELDS = ("name", "address", "model", "group", "username", "password", "enable", "up", "ignore")
_SECRET = frozenset({"password", "enable"})
Row = tuple[int, dict[str, Any]]


def oxidized(source: str, text: str, *, delimiter: str = ":", fields: Sequence[str] = ()) -> Taken:
    """Return the devices of a router.db; `fields` say what stands where (Oxidized's `map`).

    By default NAME:MODEL (Oxidized) or NAME:MODEL:up (RANCID). Passwords in it are never taken over, and that is
    said. Raises UsageError (`unknown-field`), InvalidError (`bad-router-db`).
    """
    known = tuple(fields) or ("name", "model", "up")
    unknown = [f for f in known if f not in FIELDS]
    if unknown or "name" not in known:
        raise UsageError("unknown-field", f"--fields must have name, of {', '.join(FIELDS)}.")
    left: list[str] = []
    rows = list(_rows(source, text, delimiter, known, left))
    groups = sorted({r["group"] for _, r in rows if r.get("group")})
    devices = [(line, {k: v for k, v in row.items() if k != "group"}) for line, row in rows]
    if groups:
        left.append(f"The groups {', '.join(groups)} are kept as tags.")
    return Taken([from_rows(source, "device", devices)] if devices else [], left)


def _rows(source: str, text: str, delimiter: str, known: Sequence[str], left: list[str]) -> Iterator[Row]:
    names, secrets = Names("device"), False
    for line, whole in enumerate(text.splitlines(), 1):
        if not whole.strip() or whole.lstrip().startswith("#"):
            continue
        cells = [c.strip() for c in whole.split(delimiter)]
        values = dict(zip(known, cells, strict=False))
        if not values.get("name"):
            raise InvalidError("bad-router-db", f"{source}, line {line}: there is no name.")
        secrets = secrets or any(values.get(s) for s in _SECRET)
        yield line, _device(names, line, values)
    if secrets:
        left.append(f"{source}: passwords were not taken over; add them with 'siaga credential add'.")


def _device(names: Names, line: int, values: dict[str, str]) -> dict[str, Any]:
    address = values.get("address") or (values["name"] if _is_address(values["name"]) else "")
    off = values.get("up", "up").lower() in ("down", "no", "false") or values.get("ignore", "") == "true"
    row = {
        "name": names.give(line, values["name"]),
        "address": address,
        "platform": vocabulary.platform(values.get("model", "")),
        "transport": "ssh",
        "status": "spare" if off else None,
        "tags": values.get("group") or None,
        "group": values.get("group", ""),
        "notes": notes(model=values.get("model"), group=values.get("group"), user=values.get("username")),
    }
    return {k: v for k, v in row.items() if v not in (None, "")}


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True
