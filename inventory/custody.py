"""Goods change hands: a handover, a return or a loan, recorded with its numbered BAST in one transaction.

`record` takes the next number under the write lock and writes the custody, its items and what changes on the
assets, all with the BAST's number as their cause in the history. What may be done is decided in custody_terms.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from inventory import store
from inventory.custody_number import next_number
from inventory.custody_terms import Loan, Settled, Transfer, settle
from inventory.history import Author
from inventory.keys import Keys
from inventory.models import Change
from inventory.nouns import noun
from inventory.writing import Diff, Writer
from siaga.errors import InvalidError, NotFoundError
from siaga.settings import Settings
from siaga.text import safe

KNOWN_BY = "mengetahui"  # the role of the contact who signs as having seen it
_STATUS = {"handover": "in-use", "loan": "loaned", "return": "stored"}


@dataclass(frozen=True)
class Recorded:
    """What was written: the BAST's number, every change, and the warnings of the regency's rules."""

    number: str
    settled: Settled
    diffs: Sequence[Diff]
    warnings: Sequence[str]


# --- reading ------------------------------------------------------------------------------------------


def open_loans(session: Session, assets: Sequence[str] | None = None) -> dict[str, Loan]:
    """Return asset → the loan it is out on: its last loan or return that was not cancelled is a loan."""
    custody, item, asset = (noun(n).table for n in ("custody", "custody_item", "asset"))
    last = (
        select(item.c.asset_id, func.max(custody.c.id).label("custody_id"))
        .join(custody, custody.c.id == item.c.custody_id)
        .where(custody.c.kind.in_(("loan", "return")), custody.c.status != "cancelled")
        .group_by(item.c.asset_id)
        .subquery()
    )
    query = (
        select(asset.c.name, custody.c.id)
        .join(last, last.c.asset_id == asset.c.id)
        .join(custody, custody.c.id == last.c.custody_id)
        .where(custody.c.kind == "loan")
        .order_by(asset.c.name)
    )
    wanted = None if assets is None else set(assets)
    found = [(name, i) for name, i in session.execute(query) if wanted is None or name in wanted]
    by_id = {r["id"]: r for r in store.rows(session, "custody", sorted({i for _, i in found}))}
    return {name: _loan(name, by_id[i]) for name, i in found}


def _loan(asset: str, custody: Mapping[str, Any]) -> Loan:
    return Loan(
        asset,
        custody["name"],
        custody["from_person"] or "",
        custody["to_person"] or "",
        custody["from_place"] or "",
        custody["due"],
    )


def custody_id(session: Session, number: str) -> int:
    """Return the id of the custody with this BAST number; raises NotFoundError (`no-such-custody`)."""
    table = noun("custody").table
    found = session.execute(select(table.c.id).where(table.c.name == number)).scalar()
    if found is None:
        raise NotFoundError(
            "no-such-custody",
            f"No BAST has the number '{safe(number)}': see 'siaga custody list'.",
        )
    return int(found)


def change_set_of(session: Session, number: str) -> int | None:
    """Return the change set in which a BAST was recorded, None where the history has none."""
    table: Any = Change.__table__  # type: ignore[attr-defined]
    c = table.c
    own = (c.noun == "custody", c.row_name == number, c.action == "add")
    found: int | None = session.execute(select(func.max(c.change_set)).where(*own)).scalar()
    return found


def _unknown(session: Session, settled: Settled, asked: Transfer) -> Iterator[str]:
    """Yield a sentence for each person that there is not, or who is not there on that day."""
    keys, c = Keys(session), noun("person").table.c
    for name in dict.fromkeys(n for n in (settled.giver, settled.taker, asked.known_by) if n):
        row_id = keys.find("person", name)
        if row_id is None:
            yield safe(keys.missing("person", name))
            continue
        begin, end = session.execute(select(c.active_from, c.active_to).where(c.id == row_id)).one()
        if (begin and asked.dated < begin) or (end and asked.dated > end):
            yield f"{safe(name)} is not on duty on {asked.dated} (from {begin or '…'} to {end or '…'})"


def _nowhere(session: Session, place: str) -> Iterator[str]:
    """Yield a sentence if there is no such place, by its name or its Kemendagri code."""
    keys, name = Keys(session), place.strip()
    if name and keys.find("place", name) is None and keys.coded(name) is None:
        yield safe(keys.missing("place", name))


# --- writing ------------------------------------------------------------------------------------------


def record(
    session: Session, settings: Settings, asked: Transfer, asset_ids: Sequence[int], author: Author
) -> Recorded:
    """Write a handover, return or loan of these assets and return its number.

    The session must hold the write lock: the number is free and stays so. Raises InvalidError
    (`custody-refused`), BadRowError.
    """
    assets = store.rows(session, "asset", asset_ids)
    loans = open_loans(session, [a["name"] for a in assets])
    try:
        settled = settle(asked, assets, loans, lambda found: _unknown(session, found, asked))
    except InvalidError as refused:  # a place that alone is wrong is told by the writer, as for any row
        problems = [*refused.problems, *_nowhere(session, asked.place)]
        raise InvalidError(refused.code, refused.sentence, problems) from None
    known = session.execute(select(noun("custody").table.c.name)).scalars()
    number = next_number(settings.custody, asked.dated, known)
    caused = Author(author.who, author.now, asked.reason or author.why, f"BAST {number}")
    writer = Writer(session, caused, settings.rules)
    _write(writer, number, asked, settled, assets)
    writer.finish()
    return Recorded(number, settled, writer.diffs, writer.warnings)


def _write(
    writer: Writer, number: str, asked: Transfer, settled: Settled, assets: Sequence[Mapping[str, Any]]
) -> None:
    own = {
        "name": number,
        "kind": asked.kind,
        "dated": asked.dated,
        "from_person": settled.giver,
        "to_person": settled.taker,
        "from_place": settled.from_place,
        "to_place": settled.to_place,
        "due": asked.due,
        "reason": asked.reason,
    }
    writer.put("custody", {k: v for k, v in own.items() if v not in (None, "")}, mode="add")
    for asset in assets:
        condition = asked.conditions.get(asset["name"]) or asked.conditions.get("") or asset["condition"]
        writer.put("custody_item", {"custody": number, "asset": asset["name"], "condition": condition or ""})
        writer.set("asset", asset["id"], _changed(asked, settled, condition))
    if asked.known_by:
        contact = {"person": asked.known_by, "role": KNOWN_BY, "target_noun": "custody", "target": number}
        writer.put("contact", contact)
    if asked.move_device:
        for device in dict.fromkeys(a["device"] for a in assets if a["device"]):
            writer.put("device", {"name": device, "place": settled.to_place}, mode="set")


def _changed(asked: Transfer, settled: Settled, condition: str) -> dict[str, Any]:
    status = "in-use" if asked.in_use else _STATUS[asked.kind]
    values = {
        "custodian": settled.taker,
        "place": settled.to_place,
        "status": status,
        "condition": condition,
    }
    return {k: v for k, v in values.items() if v}
