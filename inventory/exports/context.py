"""What a template sees: rows with references by name, a device with all that hangs on it. Read in sets."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory.exports.ansible import alias, clean
from inventory.exports.hosts import Surroundings, described, own_variables, surroundings
from inventory.nouns import noun
from inventory.store import rows

Row = dict[str, Any]
# Nouns that belong to a device by their field `device`, and what a template calls them.
_HANGING = {"interface": "interfaces", "address": "addresses", "service": "services", "asset": "assets"}


def table_context(session: Session, name: str, ids: Sequence[int] | None) -> Row:
    """Return what an export template sees: `rows` of one noun (`queryset` is the same, as NetBox calls it), `noun`."""
    found = [_seen(row) for row in rows(session, name, ids)]
    if ids is None:
        key = noun(name).key
        found.sort(key=lambda r: [str(r[k]) for k in key])
    return {"noun": name, "rows": found, "queryset": found}


def device_contexts(session: Session, ids: Sequence[int]) -> Iterator[tuple[str, Row]]:
    """Yield (name of a file, what a template sees) for each device, in the order of `ids`.

    `device` is the row, with `site`, `kecamatan`, `maker`, `model` and `tags` as a list; `vars` are its layers
    and its own variables, which also stand by themselves; then `place`, `agency`, `interfaces`, `addresses`,
    `services`, `assets`, and `vlans`, the VLANs of its interfaces.
    """
    devices = rows(session, "device", ids)
    around = surroundings(session, ids)
    agencies = {r["name"]: _seen(r) for r in rows(session, "agency")}
    vlans = {r["name"]: _seen(r) for r in rows(session, "vlan")}
    hanging = {title: _of(session, name, set(ids)) for name, title in _HANGING.items()}
    for row in devices:
        yield alias(str(row["name"]), row["id"]), _context(row, around, agencies, vlans, hanging)


def _context(
    row: Row,
    around: Surroundings,
    agencies: Mapping[str, Row],
    vlans: Mapping[str, Row],
    hanging: Mapping[str, Mapping[str, list[Row]]],
) -> Row:
    variables = own_variables(row, around)[0]
    own = {title: by_device.get(row["name"], []) for title, by_device in hanging.items()}
    used = {i["vlan"] for i in own["interfaces"] if i["vlan"]}
    return {
        **variables,
        **own,
        "device": _seen(described(row, around)),
        "vars": variables,
        "place": _seen(around.places.get(row["place"] or "", {})),
        "agency": agencies.get(row["agency"] or "", {}),
        "vlans": [v for name, v in vlans.items() if name in used],
    }


def _of(session: Session, name: str, devices: set[int]) -> dict[str, list[Row]]:
    """Return the rows of a noun by the name of the device they belong to."""
    table = noun(name).table
    pairs = session.execute(select(table.c.id, table.c.device_id).where(table.c.device_id.is_not(None)))
    found: dict[str, list[Row]] = {}
    for row in rows(session, name, [row_id for row_id, device in pairs if device in devices]):
        found.setdefault(row["device"], []).append(_seen(row))
    return found


def _seen(row: Mapping[str, Any]) -> Row:
    """Return a row as a template sees it: without its id, every text on one line, dates as dates."""
    return {k: v if isinstance(v, date) else clean(v) for k, v in row.items() if k != "id"}
