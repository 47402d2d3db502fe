"""Device rows become hosts of an Ansible inventory: in sets, a handful of queries however many devices there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from inventory import layers
from inventory.exports.ansible import GROUPED_BY, ROW_VARIABLES, Host, alias, clean, group, variables
from inventory.nouns import noun
from inventory.platforms import platform
from inventory.secretive import secret_like
from inventory.store import rows
from siaga.errors import UsageError

Row = Mapping[str, Any]
# Not shown as they are: they have a name of their own in Ansible, or are no fact about the device.
_ELSEWHERE = frozenset({"id", "vars", "credential", "ssh_credential"})


@dataclass(frozen=True)
class Surroundings:
    """What stands around devices, by name: places, device types, users of SSH credentials, merged layers by id."""

    places: Mapping[str, Row]
    types: Mapping[str, Row]
    users: Mapping[str, str]
    layers: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


def surroundings(session: Session, ids: Sequence[int]) -> Surroundings:
    """Read everything that devices refer to, and the layered variables of these devices."""
    return Surroundings(
        {r["name"]: r for r in rows(session, "place")},
        {r["name"]: r for r in rows(session, "device_type")},
        {r["name"]: r["username"] for r in rows(session, "credential")},
        layers.merged(session, ids),
    )


def hosts(
    session: Session,
    ids: Sequence[int] | None = None,
    *,
    group_by: Sequence[str] = GROUPED_BY,
    left_out: list[str] | None = None,
) -> list[Host]:
    """Return devices as hosts, in the order of `ids`; all of them by name without.

    `left_out` takes a sentence for each variable that a host may not have. Raises UsageError (`bad-group-by`).
    """
    check_groups(group_by)
    devices = rows(session, "device", ids)
    if ids is None:
        devices.sort(key=lambda r: str(r["name"]))
    around = surroundings(session, [r["id"] for r in devices])
    found = []
    for row in devices:
        one, problems = host(row, around, group_by)
        found.append(one)
        if left_out is not None:
            left_out += [f"{one.alias}: {p}." for p in problems]
    return found


def check_groups(group_by: Sequence[str]) -> None:
    """Raise UsageError (`bad-group-by`) if hosts cannot be grouped by one of these."""
    own = [a.name for a in noun("device").attributes.values() if a.custom]
    for kind in group_by:
        if kind not in (*GROUPED_BY, *own):
            raise UsageError(
                "bad-group-by",
                f"Hosts cannot be grouped by '{kind}'; there are {', '.join((*GROUPED_BY, *own))}.",
            )


def host(row: Row, around: Surroundings, group_by: Sequence[str] = GROUPED_BY) -> tuple[Host, list[str]]:
    """Return one device as a host, and a phrase for each variable that it may not have."""
    facts = described(row, around)
    own, problems = own_variables(row, around)
    found = {**_reached(row, around), **own, **{f"siaga_{k}": clean(v) for k, v in facts.items()}}
    return Host(
        alias(str(row["name"]), row["id"]), str(row["name"]), _groups(facts, group_by), found
    ), problems


def own_variables(row: Row, around: Surroundings) -> tuple[dict[str, Any], list[str]]:
    """Return the variables of a device's layers and its own, the own ones winning; and what was left out."""
    return permitted(around.layers.get(row["id"], row.get("vars") or {}))


def permitted(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the variables that may go into an inventory, and a phrase for each that may not."""
    hidden = [n for n in given if secret_like(n)]
    kept, problems = variables({k: v for k, v in given.items() if k not in hidden})
    problems += [f"the variable {n} seems to be a secret, which belongs in a credential" for n in hidden]
    return kept, problems


def described(row: Row, around: Surroundings) -> dict[str, Any]:
    """Return what is known of a device, as `siaga_` variables and groups have it; nothing is '' or None."""
    place = around.places.get(row.get("place") or "", {})
    kind = around.types.get(row.get("device_type") or "", {})
    facts = {k: "" if v is None and k in _TEXTS else v for k, v in row.items() if k not in _ELSEWHERE}
    return {
        **facts,
        "tags": str(row.get("tags") or "").split(),
        "kecamatan": place.get("kecamatan") or "",
        "site": site(str(row.get("place") or ""), around.places),
        "maker": kind.get("maker") or "",
        "model": kind.get("model") or "",
    }


_TEXTS = frozenset({"place", "agency", "device_type", "parent", "support_contract", "owner"})


def site(name: str, places: Mapping[str, Row]) -> str:
    """Return the site that a place is in: the nearest place of that kind, upwards; else the place itself."""
    at, seen = name, set()
    while at in places and at not in seen:
        if places[at]["kind"] == "site":
            return at
        seen.add(at)
        at = str(places[at].get("parent") or "")
    return name


def _reached(row: Row, around: Surroundings) -> dict[str, Any]:
    """Return how Ansible gets to a device, the weakest of its variables."""
    made = platform(str(row.get("platform") or ""))
    user = around.users.get(row.get("ssh_credential") or "", "")
    given = {
        "ansible_host": row.get("address") or "",
        "ansible_port": row.get("ssh_port") or 22,
        "ansible_user": user if ROW_VARIABLES["ansible_user"].fullmatch(user) else "",
        "ansible_network_os": made.ansible if made else "",
    }
    return {k: v for k, v in given.items() if v}


def _groups(facts: Mapping[str, Any], group_by: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for kind in group_by:
        values: Iterable[Any] = facts["tags"] if kind == "tag" else [facts.get(kind)]
        found.update(dict.fromkeys(group(kind, v) for v in values if v not in (None, "")))
    return tuple(found)
