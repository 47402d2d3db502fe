"""Reads Oxidized's router.db (and RANCID's): one node to a line, its fields between delimiters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory.imports import vocabulary
from inventory.imports.harmless import Names, notes, tag
from inventory.imports.sheets import Taken, from_rows
from siaga.errors import InvalidError, UsageError
from siaga.text import safe

FIELDS = ("name", "address", "model", "group", "username", "password", "enable", "up", "ignore")
SKIPPED = "-"  # a field that means nothing here
_SECRET = frozenset({"password", "enable"})
_OXIDIZED = {"ip": "address"}  # what Oxidized's own settings call it
_UP, _DOWN = ("", "up", "yes", "true"), ("down", "no", "false")
_SHOWN = 10
_MOST = 500
Row = tuple[int, dict[str, Any]]


@dataclass
class _Found:
    """What the lines told besides the devices."""

    problems: list[str] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    longer: list[int] = field(default_factory=list)  # lines that hold more than the fields named
    odd: list[int] = field(default_factory=list)  # lines whose `up` is neither up nor down
    secrets: bool = False


def oxidized(source: str, text: str, *, delimiter: str = ":", fields: Sequence[str] = ()) -> Taken:
    """Return the devices of a router.db; `fields` say what stands where (Oxidized's `map`).

    By default NAME:MODEL (Oxidized) or NAME:MODEL:up (RANCID). Passwords in it are never taken over, and that is
    said. Raises UsageError (`unknown-field`), InvalidError (`bad-router-db`) with every line that is none.
    """
    known = tuple(fields) or ("name", "model", "up")
    _check_fields(known)
    found = _Found()
    rows = list(_rows(text, delimiter, known, found))
    if found.problems:
        count = f"{len(found.problems)} line{'s' if len(found.problems) > 1 else ''}"
        sentence = f"{source}: {count} cannot be read; nothing was written."
        told = [f"{source}, {p}" for p in found.problems[:_MOST]]
        raise InvalidError("bad-router-db", sentence, told)
    left = _left(source, found, known)
    return Taken([from_rows(source, "device", rows)] if rows else [], left)


def _check_fields(known: Sequence[str]) -> None:
    """Raise UsageError (`unknown-field`) with everything that is wrong with --fields."""
    problems = [
        f"'{safe(f, 40)}' is unknown" + (f" (it is called {_OXIDIZED[f]} here)" if f in _OXIDIZED else "")
        for f in known
        if f not in (*FIELDS, SKIPPED)
    ]
    problems += [f"'{f}' stands there twice" for f in FIELDS if known.count(f) > 1]
    if "name" not in known:
        problems.append("'name' is missing")
    if problems:
        raise UsageError(
            "unknown-field",
            f"--fields: {', '.join(problems)}; there are {', '.join(FIELDS)}, and {SKIPPED} for what is left out.",
        )


def _left(source: str, found: _Found, known: Sequence[str]) -> list[str]:
    left = []
    if found.secrets:
        left.append(f"{source}: passwords were not taken over; add them with 'siaga credential add'.")
    if found.longer:
        left.append(
            f"{source}: more than {', '.join(known)} stands in {_lines(found.longer)}; that was left out:"
            " say with --fields what it is."
        )
    if found.odd:
        left.append(
            f"{source}: field {known.index('up') + 1} is neither up nor down in {_lines(found.odd)}:"
            " say with --fields what it is."
        )
    if found.groups:
        left.append(f"The groups {safe(', '.join(sorted(found.groups)), 400)} are kept as tags.")
    return left


def _lines(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:_SHOWN]))}{more}"


def _rows(text: str, delimiter: str, known: Sequence[str], found: _Found) -> Iterator[Row]:
    names = Names("device")
    first: dict[str, int] = {}
    for line, whole in enumerate(text.splitlines(), 1):
        if not whole.strip() or whole.lstrip().startswith("#"):
            continue
        cells = [c.strip() for c in whole.split(delimiter)]
        values = dict(zip(known, cells, strict=False))
        if len(cells) == 1 and len(known) > 1:
            found.problems.append(
                f"line {line}: there is no {delimiter!r} in it: say with --delimiter"
                " what stands between fields"
            )
        elif not values["name"]:
            found.problems.append(f"line {line}: there is no name")
        elif (earlier := first.setdefault(values["name"], line)) != line:
            name = safe(values["name"], 80)
            found.problems.append(f"line {line}: '{name}' stands in line {earlier} already")
        else:
            _note(found, line, values, cells[len(known) :])
            yield line, _device(names, line, values)


def _note(found: _Found, line: int, values: Mapping[str, str], more: Sequence[str]) -> None:
    """Keep what is to be said of a line that is not taken over whole."""
    found.secrets = found.secrets or any(values.get(s) for s in _SECRET)
    found.groups.update(filter(None, [values.get("group")]))
    if any(more):
        found.longer.append(line)
    if values.get("up", "").lower() not in (*_UP, *_DOWN):
        found.odd.append(line)


def _device(names: Names, line: int, values: Mapping[str, str]) -> dict[str, Any]:
    address = values.get("address") or (values["name"] if _is_address(values["name"]) else "")
    off = values.get("up", "").lower() in _DOWN or values.get("ignore", "") == "true"
    row = {
        "name": names.give(line, values["name"]),
        "address": address,
        "platform": vocabulary.platform(values.get("model", "")),
        "transport": "ssh",
        "status": "spare" if off else None,
        "tags": tag(values.get("group", "")),
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
