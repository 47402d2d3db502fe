"""Where what should be and what was seen differ. Two ways of writing one thing are no difference."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import DateTime, and_, func, or_, select, type_coerce
from sqlmodel import Session

from inventory import traits
from inventory.models import Observed
from inventory.nouns import noun
from inventory.platforms import platforms
from inventory.store import in_parts
from siaga.clock import as_utc

FIELDS = ("serial", "platform", "sysname", "model", "version", "location")
# One system under several names: a distribution, its kernel, the routing suite on it.
_LINUX = frozenset({"linux", "debian", "ubuntu", "frr", "rocky", "alpine", "centos", "redhat", "proxmox"})
_SPEED_TOLERANCE = 0.01  # ifHighSpeed is rounded to Mbit/s
# Words that stand in any place, and what agents say of their location as they are delivered.
_COMMON_WORDS = frozenset(
    {
        "kantor",
        "gedung",
        "ruang",
        "lantai",
        "room",
        "rack",
        "rak",
        "kabupaten",
        "kab",
        "kecamatan",
        "kec",
        "desa",
    }
    | {"kelurahan", "kel", "jalan", "server", "tangerang", "the", "dan"}
)
_NO_PLACE = re.compile(r"(?i)unknown.*|sitting on the dock.*|not set|none|default|right here.*|\W*")


class Seen(Protocol):
    """An observed value with its provenance, as in the table `observed`."""

    @property
    def value(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def cause(self) -> str: ...


@dataclass(frozen=True)
class Disagreement:
    """One field that is not as intended. `source`: snmp, ssh, ansible; `method`: the run that saw it.

    A `hint` is worth a look and no more: places have many names.
    """

    field: str
    intended: Any
    observed: Any
    source: str = ""
    method: str = ""
    at: datetime | None = None
    hint: bool = False


def disagreements(
    row: Mapping[str, Any], observed: Mapping[str, Seen], interfaces: Iterable[Mapping[str, Any]] = ()
) -> list[Disagreement]:
    """Compare a device's row with its newest observed values by field, and its interfaces with what was seen.

    `row` is a row as operators see it; `models` in it are further names of its type, `kecamatan` its place's.
    """
    found = [*_device(row, observed)]
    for port in interfaces:
        if port["seen_at"] is not None:
            found += _interface(port)
    return found


def _device(row: Mapping[str, Any], observed: Mapping[str, Seen]) -> Iterator[Disagreement]:
    if not observed:
        return
    wanted = row.get("version") or (row.get("vars") or {}).get("version") or ""
    pairs = (
        ("serial", "serial", row.get("serial"), _same_serial),
        ("platform", "platform", row.get("platform"), _same_platform),
        ("name", "sysname", row.get("name"), lambda a, b: _same_name(a, b, row.get("chassis") or "")),
        (
            "device_type",
            "model",
            row.get("device_type"),
            lambda a, b: _same_model([a, *row.get("models", ())], b),
        ),
        (
            "version",
            "version",
            str(wanted),
            lambda a, b: a.strip().lower().lstrip("v") == b.strip().lower().lstrip("v"),
        ),
        (
            "place",
            "location",
            row.get("place"),
            lambda a, b: _same_place(f"{a} {row.get('kecamatan') or ''}", b),
        ),
    )
    for field, seen_as, intended, same in pairs:
        seen = observed.get(seen_as)
        if (
            intended
            and seen is not None
            and seen.value
            and str(intended) != seen.value
            and not same(str(intended), seen.value)
        ):
            yield Disagreement(
                field, intended, seen.value, seen.source, seen.cause, as_utc(seen.at), hint=field == "place"
            )


def _same_serial(intended: str, seen: str) -> bool:
    one, other = traits.serial(intended), traits.serial(seen)
    return not other or one == other


def _same_platform(intended: str, seen: str) -> bool:
    one, other = traits.platform(intended), traits.platform(seen)
    if one == other or {one, other} <= _LINUX:
        return True
    return any(traits.platform(p.name) == other and traits.platform(p.netmiko) == one for p in platforms())


def _same_name(intended: str, seen: str, chassis: str) -> bool:
    return traits.host(seen) in {traits.host(intended), traits.host(chassis)} - {""}


def _same_model(intended: Sequence[str], seen: str) -> bool:
    normal = traits.model(seen)
    return not normal or any(traits.alike(traits.model(i), normal) for i in intended if i)


def _same_place(intended: str, seen: str) -> bool:
    if _NO_PLACE.fullmatch(seen):
        return True
    one, other = _words(intended), _words(seen)
    return not one or not other or bool(one & other)


def _words(text: str) -> set[str]:
    return {w for w in re.findall(r"[a-z]{3,}", text.lower()) if w not in _COMMON_WORDS}


def _interface(port: Mapping[str, Any]) -> Iterator[Disagreement]:
    alias, seen_alias = port["alias"], port["seen_alias"]
    if alias and seen_alias is not None and _plain(alias) != _plain(seen_alias):
        yield _of_port(port, "alias", alias, seen_alias)
    speed, seen_speed = port["speed_bps"], port["seen_speed_bps"]
    if (
        speed
        and seen_speed
        and port["oper_status"] == "up"
        and abs(speed - seen_speed) > speed * _SPEED_TOLERANCE
    ):
        yield _of_port(port, "speed_bps", speed, seen_speed)
    mac, seen_mac = port["mac"], port["seen_mac"]
    if mac and seen_mac and traits.hexed(mac) != traits.hexed(seen_mac):
        yield _of_port(port, "mac", mac, traits.colons(seen_mac))
    # Nobody meant anything by an interface that only the poller has written.
    if (
        port["revision"]
        and port["admin_status"] in ("up", "down")
        and port["enabled"] != (port["admin_status"] == "up")
    ):
        yield _of_port(port, "enabled", port["enabled"], port["admin_status"] == "up")


def _of_port(port: Mapping[str, Any], field: str, intended: Any, seen: Any) -> Disagreement:
    return Disagreement(f"{port['name']} {field}", intended, seen, "poll", "", port["seen_at"])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


# --- in sets ---------------------------------------------------------------------------------------------------


def of(session: Session, device_ids: Sequence[int] | None = None) -> dict[int, list[Disagreement]]:
    """Return device id → its disagreements, for those that have any; None is all devices. Four queries."""
    seen = _observed(session, device_ids)
    ports = _interfaces(session, device_ids)
    wanted = seen.keys() | ports.keys()
    found = {i: disagreements(row, seen.get(i, {}), ports.get(i, ())) for i, row in _rows(session, wanted)}
    return {i: differing for i, differing in found.items() if differing}


def _rows(session: Session, ids: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    device, kind, place = (noun(n).table for n in ("device", "device_type", "place"))
    d, t, p = device.c, kind.c, place.c
    columns = (d.id, d.name, d.serial, d.platform, d.chassis, d.vars, d.custom)
    further = (t.name.label("device_type"), t.model, t.part_number, p.name.label("place"), p.kecamatan)
    query = select(*columns, *further).outerjoin(kind, t.id == d.device_type_id)
    query = query.outerjoin(place, p.id == d.place_id)
    for part in in_parts(ids):
        for row in session.execute(query.where(d.id.in_(part))).mappings():
            models = [m for m in (row["model"], row["part_number"]) if m]
            yield row["id"], {**(row["custom"] or {}), **row, "models": models}


def _observed(session: Session, ids: Sequence[int] | None) -> dict[int, dict[str, Seen]]:
    o = Observed.__table__.c  # type: ignore[attr-defined]
    # Of 60,000 values a few differ: only their times are made aware, in `_device`.
    at = type_coerce(o.at, DateTime()).label("at")
    query = select(o.device_id, o.field, o.value, o.source, at, o.cause).where(o.field.in_(FIELDS))
    found: dict[int, dict[str, Seen]] = {}
    for row in _narrowed(session, query.order_by(o.at), o.device_id, ids):
        found.setdefault(row.device_id, {})[row.field] = row
    return found


def _narrowed(session: Session, query: Any, column: Any, ids: Sequence[int] | None) -> Iterator[Any]:
    queries = [query] if ids is None else [query.where(column.in_(part)) for part in in_parts(ids)]
    for each in queries:
        yield from session.execute(each)


def _interfaces(session: Session, ids: Sequence[int] | None) -> dict[int, list[dict[str, Any]]]:
    """Return device id → its interfaces that may differ: what is written alike is left in the database."""
    i = noun("interface").table.c
    columns = (i.device_id, i.name, i.alias, i.seen_alias, i.speed_bps, i.seen_speed_bps, i.mac, i.seen_mac)
    query = select(*columns, i.enabled, i.admin_status, i.oper_status, i.revision, i.seen_at)
    may_differ = or_(
        and_(i.alias != "", i.alias != i.seen_alias),
        and_(i.speed_bps != i.seen_speed_bps, i.oper_status == "up"),
        and_(
            i.mac != "", i.seen_mac != "", func.replace(i.mac, ":", "") != func.replace(i.seen_mac, ":", "")
        ),
        and_(i.revision > 0, i.admin_status == "down", i.enabled),
        and_(i.revision > 0, i.admin_status == "up", ~i.enabled),
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in _narrowed(session, query.where(may_differ, i.seen_at.is_not(None)), i.device_id, ids):
        found.setdefault(row.device_id, []).append(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's own name
    _silent_on_aliases(session, found)
    return found


def _silent_on_aliases(session: Session, found: Mapping[int, list[dict[str, Any]]]) -> None:
    """Of a device that tells no alias of any interface, none is known; an empty one would be a difference."""
    empty = {d for d, ports in found.items() if any(p["alias"] and p["seen_alias"] == "" for p in ports)}
    i = noun("interface").table.c
    query = select(i.device_id).where(i.seen_alias != "").distinct()
    telling = {row.device_id for row in _narrowed(session, query, i.device_id, sorted(empty))}
    for device_id in empty - telling:
        for port in found[device_id]:
            port["seen_alias"] = None
