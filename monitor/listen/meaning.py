"""What a trap or a line of syslog means: the kind of event, and its words, safe to show. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from inventory.platforms import platforms, syslog_of
from monitor.listen.event import Kind
from monitor.listen.traps import Oid, Trap, Value
from siaga.expressions import expression
from siaga.text import decoded, safe

DETAILS = 32
LINE = 1000  # characters of a message are looked at
_TRAPS = {
    1: (Kind.cold_start, "coldStart"),
    2: (Kind.warm_start, "warmStart"),
    3: (Kind.link_down, "linkDown"),
    4: (Kind.link_up, "linkUp"),
    5: (Kind.auth_failure, "authenticationFailure"),
}
_SNMP_TRAPS: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5)
# Columns of IF-MIB that link traps carry (RFC 2863), as they are called there.
_COLUMNS: dict[Oid, str] = {
    (1, 3, 6, 1, 2, 1, 2, 2, 1, 1): "ifIndex",
    (1, 3, 6, 1, 2, 1, 2, 2, 1, 2): "ifDescr",
    (1, 3, 6, 1, 2, 1, 2, 2, 1, 7): "ifAdminStatus",
    (1, 3, 6, 1, 2, 1, 2, 2, 1, 8): "ifOperStatus",
    (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1): "ifName",
    (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18): "ifAlias",
}


def trap_meaning(trap: Trap) -> tuple[Kind, str, tuple[tuple[str, str], ...]]:
    """Return the kind of a trap, a line that says it, and its variables by name or number."""
    details = tuple((_name(oid), shown(value)) for oid, value in trap.varbinds[:DETAILS])
    number = trap.oid[-1] if trap.oid[:-1] == _SNMP_TRAPS else 0
    kind, word = _TRAPS.get(number, (Kind.vendor, dotted(trap.oid)))
    named = dict(details)
    port = named.get("ifName") or named.get("ifDescr") or named.get("ifIndex") or _last_index(trap)
    if kind in (Kind.link_down, Kind.link_up):
        return kind, safe(f"{word}: {port or 'some interface'}", 300), details
    words = "; ".join(f"{name}={value}" for name, value in details[:6])
    return kind, safe(f"{word} {words}" if kind is Kind.vendor else word, 300), details


def _last_index(trap: Trap) -> str:
    """Return the index of a link trap whose variables are the maker's own."""
    return next((str(oid[-1]) for oid, _ in trap.varbinds if oid[:-1] in _COLUMNS), "")


def _name(oid: Oid) -> str:
    return _COLUMNS.get(oid[:-1]) or dotted(oid)


def dotted(oid: Oid) -> str:
    """Return an object identifier in dotted numbers, at most 120 characters."""
    return safe(".".join(map(str, oid[:128])), 120)


def shown(value: Value) -> str:
    """Return a variable's value as safe text; octets that are no text in hex digits."""
    if isinstance(value, tuple):
        return dotted(value)
    if isinstance(value, bytes):
        text = value.rstrip(b"\0")
        plain = all(octet >= 32 or octet in (9, 10, 13) for octet in text)
        return decoded(text) if plain else safe(value[:64].hex(" "))
    return "" if value is None else str(value)


class Patterns:
    """The syslog patterns of every platform, compiled once (RE2: a message of any length costs what its length is)."""

    def __init__(self, by_platform: Mapping[str, Sequence[tuple[Kind, str]]]) -> None:
        compiled = {p: expression(p) for rows in by_platform.values() for _, p in rows}
        self._by_platform = {
            name: [(kind, compiled[p]) for kind, p in rows] for name, rows in by_platform.items()
        }
        every = dict.fromkeys(row for rows in self._by_platform.values() for row in rows)
        self._every: list[tuple[Kind, Any]] = list(every)

    def meaning(self, line: str, platform: str) -> tuple[Kind, tuple[tuple[str, str], ...]] | None:
        """Return the event that a line tells of, and the groups found; None if it tells of none.

        Of a device whose platform is not known, or has no patterns, those of all are tried.
        """
        text = line[:LINE]
        for kind, pattern in self._by_platform.get(platform) or self._every:
            if found := pattern.search(text):
                groups = found.groupdict().items()
                return kind, tuple((name, safe(value, 120)) for name, value in groups if value)
        return None


def patterns() -> Patterns:
    """Return the patterns of the platform files; raises InvalidError (`bad-platform`)."""
    rows = {p.name: [(Kind(s.event), s.regex) for s in syslog_of(p)] for p in platforms()}
    return Patterns({name: found for name, found in rows.items() if found})
