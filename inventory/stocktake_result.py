"""What a stock-take says: found, elsewhere, not found, on loan, unknown; and its end, which verifies what was found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session

from inventory import stocktake
from inventory.nouns import noun
from inventory.stocktake import Count
from inventory.traits import serial as normal
from inventory.writing import Writer
from siaga.clock import JAKARTA

FOUND, ELSEWHERE, MISSING, LOANED, UNKNOWN = "found", "elsewhere", "not-found", "loaned", "unknown"
STATES = (FOUND, ELSEWHERE, MISSING, LOANED, UNKNOWN)


@dataclass(frozen=True)
class Line:
    """What a session says of one asset, or of one serial that no asset has (then `asset` is '').

    `move_to`: where the asset was seen, if that is somewhere else, or nearer than what is recorded.
    """

    asset: str
    title: str
    serial: str
    state: str
    place: str
    seen_place: str = ""
    how: str = ""
    seen_at: datetime | None = None
    condition: str = ""
    move_to: str = ""
    note: str = ""


def judge(
    assets: Iterable[Mapping[str, Any]],
    seen: Iterable[Mapping[str, Any]],
    parents: Mapping[str, str],
    said: Mapping[str, str],
) -> list[Line]:
    """Return one line for each asset. Pure.

    `parents` is the place tree by names, `said` device → serial it told. Seen in a room of the place where it is
    recorded, or in the building of the recorded room, an asset is found; so is one whose place nobody recorded.
    One on loan that nobody saw is not missing.
    """
    sightings = {s["asset"]: s for s in seen}
    return [_line(a, sightings.get(a["name"]), parents, said) for a in assets]


def _line(
    asset: Mapping[str, Any],
    seen: Mapping[str, Any] | None,
    parents: Mapping[str, str],
    said: Mapping[str, str],
) -> Line:
    own, note = str(asset["place"] or ""), _disagreement(asset, said)
    plain = (asset["name"], asset["title"], asset["serial"])
    if seen is None:
        return Line(*plain, LOANED if asset["status"] == "loaned" else MISSING, own, note=note)
    there = str(seen["place"] or "")
    state = FOUND if agree(own, there, parents) else ELSEWHERE
    if asset["status"] in ("lost", "disposed"):
        note = f"it is recorded as {asset['status']}"
    nearer = there != own and (state == ELSEWHERE or not own or own in _above(there, parents))
    move_to = there if nearer else ""
    return Line(*plain, state, own, there, seen["how"], seen["at"], seen["condition"] or "", move_to, note)


def _disagreement(asset: Mapping[str, Any], said: Mapping[str, str]) -> str:
    told = said.get(asset["device"] or "", "")
    differs = told not in ("", asset["serial"]) and normal(told) != normal(asset["serial"])
    return f"device {asset['device']} says its serial is {told}" if differs else ""


def agree(one: str, other: str, parents: Mapping[str, str]) -> bool:
    """Return whether two places may be the same: one is the other, or lies in it, or is not known."""
    return not one or not other or one in _above(other, parents) or other in _above(one, parents)


def _above(place: str, parents: Mapping[str, str]) -> list[str]:
    chain = [place]
    while (up := parents.get(chain[-1], "")) and up not in chain:
        chain.append(up)
    return chain


def lines(session: Session, count: Count) -> list[Line]:
    """Return what a session says of every asset expected or seen, and of every serial that is on none."""
    seen = stocktake.sightings(session, count)
    ids = dict.fromkeys(stocktake.expected(session, count))
    c = noun("sighting").table.c
    ids.update(dict.fromkeys(session.execute(_seen(c, count)).scalars()))
    told = stocktake.told(session, count)
    said = {t["device"]: t["value"] for t in told}
    found = judge(_assets(session, ids), seen, _parents(session), said)
    return [*found, *_unknown(session, count), *_heard(session, count, told)]


def _assets(session: Session, ids: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Return what `judge` needs of these assets, in their order."""
    asset, place, device = (noun(n).table for n in ("asset", "place", "device"))
    own = (asset.c.id, asset.c.name, asset.c.title, asset.c.serial, asset.c.status)
    query = (
        select(*own, place.c.name.label("place"), device.c.name.label("device"))
        .select_from(asset)
        .outerjoin(place, place.c.id == asset.c.place_id)
        .outerjoin(device, device.c.id == asset.c.device_id)
    )
    found = {row["id"]: dict(row) for row in session.execute(query).mappings()}
    return [found[i] for i in ids]


def _seen(c: Any, count: Count) -> Any:
    asset = noun("asset").table
    joined = select(c.asset_id).join(asset, asset.c.id == c.asset_id)
    return joined.where(c.stock_take_id == count.id).order_by(asset.c.name)


def _parents(session: Session) -> dict[str, str]:
    c = noun("place").table.c
    rows = list(session.execute(select(c.id, c.name, c.parent_id)))
    names = {i: name for i, name, _ in rows}
    return {name: names[parent] for _, name, parent in rows if parent in names}


def _unknown(session: Session, count: Count) -> list[Line]:
    """Return what was typed or scanned and is on no asset, each as it was seen last."""
    c = noun("note").table.c
    mine = (c.target_noun == "stock_take", c.target == count.name, c.kind == "warning")
    begin = stocktake.note_begin(count)
    notes = session.execute(select(c.name, c.text, c.at).where(*mine).order_by(c.at, c.name))
    found: dict[str, Line] = {}
    for name, text, at in notes:
        if name.startswith(begin):
            token, how = stocktake.noted(count, name)
            found[token] = Line("", "", token, UNKNOWN, "", count.place, how, at, note=text)
    return [found[token] for token in sorted(found)]


def _heard(session: Session, count: Count, told: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Return the serials that devices in scope told and that are on no asset."""
    inside = [t for t in told if stocktake.in_scope(count, t)]
    owned = stocktake.owners(session, {t["serial"] for t in inside})
    heard = {t["serial"]: t for t in inside if t["serial"] not in owned}
    return [
        Line(
            "",
            "",
            told["value"],
            UNKNOWN,
            "",
            str(told["place"] or ""),
            told["source"],
            told["at"],
            note=f"device {told['device']} says so, and it is on no asset",
        )
        for told in heard.values()
    ]


def end(writer: Writer, count: Count, found: Sequence[Line], *, move: bool) -> None:
    """End a session: assets that were seen are verified on that day, with the condition they were seen in.

    With `move` those that were seen elsewhere, or nearer, are recorded there. Raises BadRowError, InvalidError
    (`stocktake-ended`).
    """
    stocktake.still_open(count)
    ids = writer.ids("asset")
    for line in found:
        if line.state not in (FOUND, ELSEWHERE) or line.seen_at is None:
            continue
        values: dict[str, Any] = {"verified_at": line.seen_at.astimezone(ZoneInfo(JAKARTA)).date()}
        if line.condition:
            values["condition"] = line.condition
        if move and line.move_to:
            values["place"] = line.move_to
        writer.set("asset", ids[line.asset], values)
    writer.set("stock_take", count.id, {"ended": writer.author.now})
