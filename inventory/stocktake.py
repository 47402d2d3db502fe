"""Counting assets: what should be there, what was seen, by whom or by what, and where.

A session is for a place with all below it, for an agency, or for both. A sighting is made by a person, by a
scanner, or by a device that told its serial to a poller or a job since the session began. What the session says
in the end is in stocktake_result.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from sqlalchemy import select
from sqlmodel import Session

from inventory import store
from inventory.models import Observed
from inventory.nouns import noun
from inventory.reach import below, listed
from inventory.traits import serial as normal
from inventory.writing import Writer
from siaga.errors import InvalidError, NotFoundError
from siaga.text import safe

_EXPECTED = ("in-use", "stored", "loaned")
PERSONAL = ("manual", "scan")
_SOURCES = ("snmp", "ssh", "ansible")  # what a sighting may say of how it was made


@dataclass(frozen=True)
class Count:
    """A session: its name, its scope, and when it began and ended. `places` are the ids of its place and below."""

    id: int
    name: str
    place: str
    agency: str
    started: datetime
    ended: datetime | None
    places: frozenset[int]


# --- sessions -----------------------------------------------------------------------------------------


def start(writer: Writer, name: str, place: str, agency: str) -> None:
    """Begin a session now. Raises InvalidError (`no-scope`), BadRowError."""
    if not place and not agency:
        raise InvalidError("no-scope", "Say what is counted: --place with all below it, --agency, or both.")
    own = {"name": name, "place": place, "agency": agency, "started": writer.author.now}
    writer.put("stock_take", {k: v for k, v in own.items() if v}, mode="add")


def session_of(session: Session, name: str) -> Count:
    """Return the session called so; raises NotFoundError (`no-such-stocktake`)."""
    table = noun("stock_take").table
    row_id = session.execute(select(table.c.id).where(table.c.name == name)).scalar()
    if row_id is None:
        raise NotFoundError(
            "no-such-stocktake",
            f"No stock-take is called '{safe(name)}': see 'siaga stocktake list'.",
        )
    (row,) = store.rows(session, "stock_take", [row_id])
    places = below(session, noun("place"), [row["place"]]) if row["place"] else []
    return Count(
        row_id,
        row["name"],
        row["place"] or "",
        row["agency"] or "",
        row["started"],
        row["ended"],
        frozenset(places),
    )


def still_open(count: Count) -> None:
    """Raise InvalidError (`stocktake-ended`) if the session has ended."""
    if count.ended is not None:
        raise InvalidError(
            "stocktake-ended", f"Stock-take '{safe(count.name)}' has ended: start another one."
        )


def expected(session: Session, count: Count) -> list[int]:
    """Return the ids of the assets that should be there: in scope, and neither lost nor disposed of."""
    c = noun("asset").table.c
    query = select(c.id).where(c.status.in_(_EXPECTED)).order_by(c.name)
    if count.place:
        query = query.where(listed(c.place_id, sorted(count.places)))
    if count.agency:
        agency = noun("agency").table
        query = query.join(agency, agency.c.id == c.agency_id).where(agency.c.name == count.agency)
    return list(session.execute(query).scalars())


# --- sightings ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resolved:
    """What labels and serials meant: assets, and each one that meant nothing or too much, with the reason."""

    assets: Sequence[Mapping[str, Any]]
    unknown: Mapping[str, str]


def resolve(session: Session, tokens: Iterable[str]) -> Resolved:
    """Return the assets meant by labels, NIBAR or serials, as they are typed or scanned; once each.

    The QR code of a label holds several of them between bars; the first that is a label or a NIBAR counts.
    """
    given = list(dict.fromkeys(t for t in (safe(t, 400) for t in tokens) if t))
    c = noun("asset").table.c
    by_label: dict[str, list[int]] = {}
    by_serial: dict[str, list[int]] = {}
    for row_id, name, nibar, serial in session.execute(select(c.id, c.name, c.nibar, c.serial)):
        for label in {name, nibar} - {""}:
            by_label.setdefault(label, []).append(row_id)
        if serial:
            by_serial.setdefault(_written(serial), []).append(row_id)
    found: dict[int, None] = {}
    unknown: dict[str, str] = {}
    for token in given:
        parts = (token, *(unquote(p) for p in token.split("|")))
        ids = next((by_label[p] for p in parts if p in by_label), None) or by_serial.get(_written(token), [])
        if len(ids) == 1:
            found[ids[0]] = None
        else:
            unknown[token] = f"is on {len(ids)} assets" if ids else "is on no asset"
    return Resolved(store.rows(session, "asset", list(found)), unknown)


def _written(serial: str) -> str:
    """Return a serial as it is compared when a person writes it: one that tells nothing of a box may still be meant."""
    return normal(serial) or serial.strip().upper()


def see(
    writer: Writer, count: Count, resolved: Resolved, *, how: str, place: str = "", condition: str = ""
) -> None:
    """Keep sightings by a person or a scanner, and what was seen that is on no asset as notes.

    Without a place, an asset whose place is in scope is where it should be, any other one is in the session's
    place. Raises BadRowError, InvalidError (`stocktake-ended`).
    """
    still_open(count)
    inside = _names_of(writer.session, count)
    for asset in resolved.assets:
        own = str(asset["place"] or "")
        where = place or (own if own in inside or not count.place else count.place)
        values = {"stock_take": count.name, "asset": asset["name"], "place": where, "how": how}
        if condition:
            values["condition"] = condition
        writer.put("sighting", {**values, "at": writer.author.now})
    for token, why in resolved.unknown.items():
        _note(writer, f"{note_begin(count)}{how}/{token}", count, f"{token} {why}")


def _names_of(session: Session, count: Count) -> frozenset[str]:
    return frozenset(store.labels(session, "place", count.places).values()) if count.place else frozenset()


def note_begin(count: Count) -> str:
    """Return how the names of the notes begin that tell what was seen and is on no asset."""
    return f"stock_take/{count.name}/"


def noted(count: Count, name: str) -> tuple[str, str]:
    """Return what was seen and how (one of PERSONAL) by the name of its note; older notes are all of scanners."""
    rest = name.removeprefix(note_begin(count))
    how, _, token = rest.partition("/")
    return (token, how) if how in PERSONAL and token else (rest, "scan")


def _note(writer: Writer, name: str, count: Count, text: str) -> None:
    own = {"name": name[:255], "kind": "warning", "at": writer.author.now}
    target = {"target_noun": "stock_take", "target": count.name}
    writer.put("note", {**own, **target, "who": writer.author.who, "text": text})


def observe(writer: Writer, count: Count) -> int:
    """Count every serial that a device told since the session began as a sighting; return how many were new.

    The asset is where the device that told it is recorded to be. What a person saw is left as it is.
    """
    still_open(count)
    session = writer.session
    said = told(session, count)
    carriers = owners(session, {t["serial"] for t in said})
    scope = set(expected(session, count))
    kept = {s["asset"]: s for s in sightings(session, count)}
    new = 0
    for heard in said:
        for asset in carriers.get(heard["serial"], []):
            known = kept.get(asset["name"])
            here = asset["id"] in scope or in_scope(count, heard)
            if not here or (known is not None and (known["how"] in PERSONAL or known["at"] >= heard["at"])):
                continue
            values = {"stock_take": count.name, "asset": asset["name"], "place": heard["place"] or ""}
            writer.put("sighting", {**values, "how": heard["source"], "at": heard["at"]})
            kept[asset["name"]] = {"how": heard["source"], "at": heard["at"]}
            new += 1
    return new


def told(session: Session, count: Count) -> list[dict[str, Any]]:
    """Return serial, device, its place and agency, source and time of what was observed during the session."""
    seen: Any = Observed.__table__  # type: ignore[attr-defined]
    device, place, agency = noun("device").table, noun("place").table, noun("agency").table
    query = (
        select(
            seen.c.value,
            seen.c.source,
            seen.c.at,
            device.c.name.label("device"),
            device.c.place_id,
            place.c.name.label("place"),
            agency.c.name.label("agency"),
        )
        .join(device, device.c.id == seen.c.device_id)
        .outerjoin(place, place.c.id == device.c.place_id)
        .outerjoin(agency, agency.c.id == device.c.agency_id)
        .where(seen.c.field == "serial", seen.c.source.in_(_SOURCES), seen.c.at >= count.started)
        .order_by(seen.c.at, device.c.name)
    )
    if count.ended is not None:
        query = query.where(seen.c.at <= count.ended)
    rows = [dict(r) for r in session.execute(query).mappings()]
    return [{**r, "serial": normal(r["value"])} for r in rows if normal(r["value"])]


def owners(session: Session, serials: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Return normal serial → the assets that carry it."""
    c = noun("asset").table.c
    found: dict[str, list[dict[str, Any]]] = {}
    for row_id, name, serial in session.execute(select(c.id, c.name, c.serial).where(c.serial != "")):
        if normal(serial) in serials:
            found.setdefault(normal(serial), []).append({"id": row_id, "name": name})
    return found


def in_scope(count: Count, heard: Mapping[str, Any]) -> bool:
    """Return whether a device that told its serial is in the session's scope."""
    in_place = not count.place or heard["place_id"] in count.places
    return in_place and (not count.agency or heard["agency"] == count.agency)


def sightings(session: Session, count: Count) -> list[dict[str, Any]]:
    """Return the sightings of a session, one for each asset that was seen."""
    c = noun("sighting").table.c
    ids = list(session.execute(select(c.id).where(c.stock_take_id == count.id).order_by(c.id)).scalars())
    return store.rows(session, "sighting", ids)
