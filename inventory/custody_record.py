"""A BAST as it was recorded: people, goods and conditions of that day, whatever became of them since.

Today's rows are read, and every later change of them in the history is taken back: the same document can be
printed again, and the chain of the history vouches for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from inventory import store
from inventory.custody import KNOWN_BY, change_set_of, custody_id
from inventory.models import Change
from inventory.nouns import noun, nouns
from inventory.past import renamed

Rows = dict[str, dict[str, dict[str, Any]]]  # noun → name → fields
_SMALL = ("person", "agency", "device_type")  # read whole: a BAST may have meant any of them


@dataclass(frozen=True)
class Party:
    """One who signs: name, NIP (a civil servant's number), position (jabatan) and unit; '' is not known."""

    name: str
    nip: str = ""
    position: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Goods:
    """One line of the table of goods."""

    asset: str
    title: str
    make: str
    serial: str
    kode_barang: str
    register: str
    nibar: str
    condition: str  # B, RR, RB or ''
    quantity: int
    unit: str


@dataclass(frozen=True)
class Bast:
    """One BAST, whole. `status` and `sha256` are today's: it may have been signed or cancelled since."""

    number: str
    kind: str
    status: str
    dated: date
    due: date | None
    reason: str
    giver: Party
    taker: Party
    known_by: Party | None
    from_place: str
    to_place: str
    goods: tuple[Goods, ...]
    sha256: str
    agencies: Mapping[str, str]  # name → title, for the heading


def recorded(session: Session, number: str) -> Bast:
    """Return a BAST as it was recorded; raises NotFoundError (`no-such-custody`)."""
    row_id = custody_id(session, number)
    rows = _today(session, row_id, number)
    now = rows["custody"][number]
    status, digest = now["status"], now["sha256"] or ""
    _take_back(rows, _since(session, number), number)
    return _assembled(rows, number, status, digest)


def _today(session: Session, row_id: int, number: str) -> Rows:
    item, contact = noun("custody_item").table.c, noun("contact").table.c
    items = select(item.id, item.asset_id).where(item.custody_id == row_id).order_by(item.id)
    ids = [(i, asset_id) for i, asset_id in session.execute(items)]
    contacts = select(contact.id).where(contact.target_noun == "custody", contact.target == number)
    found: Rows = {
        "custody": _named(store.rows(session, "custody", [row_id])),
        "custody_item": _named(store.rows(session, "custody_item", [i for i, _ in ids])),
        "asset": _named(store.rows(session, "asset", [a for _, a in ids])),
        "contact": _named(store.rows(session, "contact", list(session.execute(contacts).scalars()))),
        "place": {},
    }
    return {**found, **{n: _named(store.rows(session, n)) for n in _SMALL}}


def _named(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {r["name"]: r for r in rows}


def _since(session: Session, number: str) -> Sequence[Mapping[str, Any]]:
    """Return what was changed after the BAST was recorded, the newest first."""
    table: Any = Change.__table__  # type: ignore[attr-defined]
    c = table.c
    own = change_set_of(session, number)
    if own is None:
        return []
    end = select(func.max(c.id)).where(c.change_set == own).scalar_subquery()
    names = ("custody", "custody_item", "asset", "contact", "place", *_SMALL)
    query = select(c.noun, c.row_name, c.action, c.before, c.after).where(c.id > end, c.noun.in_(names))
    return [dict(r) for r in session.execute(query.order_by(c.id.desc())).mappings()]


def _take_back(rows: Rows, changes: Iterable[Mapping[str, Any]], number: str) -> None:
    """Bring the rows back to what they were; a row removed since is there again."""
    for change in changes:
        kind, label = nouns()[change["noun"]], change["row_name"]
        own = rows[kind.name]
        if change["action"] == "add":
            own.pop(label, None)
        elif change["action"] == "rm":
            own[label] = {**dict.fromkeys(kind.attributes), **change["before"]}
        else:
            now = renamed(kind, label, change["after"])
            row = own.pop(now, None)
            if row is not None:
                own[label] = {**row, **change["before"]}
            if now != label:
                _call_again(rows, kind.name, now, label)


def _call_again(rows: Rows, name: str, now: str, then: str) -> None:
    """Let every row that names another one name it as it was called then."""
    for noun_name, members in rows.items():
        refs = [a.name for a in nouns()[noun_name].attributes.values() if a.ref == name]
        for row in members.values():
            row.update({a: then for a in refs if row.get(a) == now})
            if row.get("target_noun") == name and row.get("target") == now:
                row["target"] = then


def _assembled(rows: Rows, number: str, status: str, digest: str) -> Bast:
    custody = rows["custody"].get(number) or next(iter(rows["custody"].values()))
    items = [i for i in rows["custody_item"].values() if i["custody"] == custody["name"]]
    known = [c["person"] for c in rows["contact"].values() if _knows(c, custody["name"])]
    goods = [_goods(rows, item) for item in items if item["asset"] in rows["asset"]]
    return Bast(
        number=number,
        kind=custody["kind"],
        status=status,
        dated=_day(custody["dated"]) or date.min,
        due=_day(custody["due"]),
        reason=custody["reason"] or "",
        giver=_party(rows, custody["from_person"]),
        taker=_party(rows, custody["to_person"]),
        known_by=_party(rows, min(known)) if known else None,
        from_place=custody["from_place"] or "",
        to_place=custody["to_place"] or "",
        goods=tuple(sorted(goods, key=lambda g: g.asset)),
        sha256=digest,
        agencies={name: a["title"] or name for name, a in rows["agency"].items()},
    )


def _knows(contact: Mapping[str, Any], number: str) -> bool:
    named = (contact["target_noun"], contact["target"], contact["role"])
    return named == ("custody", number, KNOWN_BY)


def _day(value: date | str | None) -> date | None:
    """Return a date that came from a row, or as text from the history."""
    if isinstance(value, str):
        return date.fromisoformat(value) if value else None
    return value


def _party(rows: Rows, name: str | None) -> Party:
    person = rows["person"].get(name or "")
    if person is None:
        return Party(name or "")
    agency = rows["agency"].get(person["agency"] or "", {})
    unit = agency.get("title") or person["agency"] or ""
    return Party(person["name"], person["nip"] or "", person["title"] or person["role"] or "", unit)


def _goods(rows: Rows, item: Mapping[str, Any]) -> Goods:
    asset = rows["asset"][item["asset"]]
    kind = rows["device_type"].get(asset["device_type"] or "", {})
    make = " ".join(p for p in (kind.get("maker"), kind.get("model")) if p)
    return Goods(
        asset=item["asset"],
        title=asset["title"] or "",
        make=make or asset["device_type"] or asset["brand"] or "",
        serial=asset["serial"] or "",
        kode_barang=asset["kode_barang"] or "",
        register=asset["register_number"] or "",
        nibar=asset["nibar"] or "",
        condition=item["condition"] or "",
        quantity=asset["quantity"] or 1,
        unit=asset["unit"] or "",
    )
