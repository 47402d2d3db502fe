"""NetBox's query filters (`role: router`, `name__isw: rtr`) as one selector of siaga. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from inventory.exports.netbox import Options
from siaga.errors import UsageError
from siaga.text import safe

# What NetBox calls a field, and the path that a selector has for it.
_PATHS = {
    **dict.fromkeys(("site", "region", "location", "rack"), "place.under"),
    "tenant": "agency",
    "device_role": "role",
    "manufacturer": "device_type.maker",
    "model": "device_type.model",
    "tag": "tags",
    "virtual_chassis": "chassis",
    "is_virtual": "virtual",
    "primary_ip": "address",
}
_LOOKUP = re.compile(r"__(n|ic|nic|isw|nisw|iew|niew|ie|nie|re|regex|iregex|empty|gt|gte|lt|lte)$")
_PATTERNS = {"ic": "{}", "isw": "^{}", "iew": "{}$", "ie": "^{}$"}
_ORDER = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def selector(given: Options) -> str:
    """Return the selector that all filters together mean; raises UsageError (`bad-filter`)."""
    parts = [f"({given.selector})"] if given.selector.strip() else []
    parts += _filters(given.query_filters)
    devices, machines = _filters(given.device_query_filters), _filters(given.vm_query_filters)
    if devices or machines:
        parts.append(f"({' '.join(['virtual=no', *devices])} or {' '.join(['virtual=yes', *machines])})")
    return " ".join(parts)


def _filters(given: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one term for each key: of several values one must hold, of tags all (as NetBox has it)."""
    by_key: dict[str, list[str]] = {}
    terms = []
    for entry in given:
        if not isinstance(entry, Mapping) or len(entry) != 1:
            raise UsageError("bad-filter", f"A filter is one 'key: value', not '{safe(entry, 80)}'.")
        [(key, value)] = entry.items()
        values = _values(value)
        if key == "tag":
            terms += [f"tags={_quoted(v)}" for v in values]
        else:
            by_key.setdefault(str(key), []).extend(values)
    return [*terms, *(_term(key, values) for key, values in by_key.items())]


def _values(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, (list, tuple)):
        return [v for one in value for v in _values(one)]
    return [part.strip() for part in str(value).split(",")]


def _term(key: str, values: Sequence[str]) -> str:
    found = _LOOKUP.search(key)
    lookup, name = (found[1], key[: found.start()]) if found else ("", key)
    if name in ("has_primary_ip", "q"):
        return _special(name, values)
    path = _PATHS.get(name, name.removeprefix("cf_"))
    if lookup == "empty":
        return f"{path}{'=' if values[0].lower() in ('yes', 'true', '1') else '!='}''"
    if lookup in _ORDER:
        return f"{path}{_ORDER[lookup]}{_quoted(values[0])}"
    if lookup in ("", "n"):
        return f"{path}{'!=' if lookup else '='}{','.join(map(_quoted, values))}"
    return _matched(path, lookup, values)


def _special(name: str, values: Sequence[str]) -> str:
    if name == "q":
        return _matched("name", "ic", values)
    return f"address{'!=' if values[0].lower() in ('yes', 'true', '1') else '='}''"


def _matched(path: str, lookup: str, values: Sequence[str]) -> str:
    without = lookup.startswith("n")
    lookup = lookup.removeprefix("n")
    shape = _PATTERNS.get(lookup)
    if shape:
        patterns = ["(?i)" + shape.format(re.escape(v)) for v in values]
    else:
        patterns = [("(?i)" if lookup == "iregex" else "") + v for v in values]
    term = f"({' or '.join(f'{path}~{_quoted(p)}' for p in patterns)})"
    return f"not {term}" if without else term


def _quoted(value: str) -> str:
    for mark in "\"'":
        if mark not in value:
            return f"{mark}{value}{mark}"
    raise UsageError("bad-filter", f"A filter's value cannot hold both kinds of quotes: {safe(value, 80)}.")
