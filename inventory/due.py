"""What ends soon, or has ended and still matters: warranties, contracts, certificates, loans, accounts, support.

`read` asks the inventory for deadlines, `judge` (pure) says which of them are due, how badly, and in which order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from inventory import store
from inventory.custody import open_loans
from inventory.nouns import noun

WARNING_DAYS = 30
CRITICAL, WARNING, INFO = "critical", "warning", "info"


@dataclass(frozen=True)
class Deadline:
    """One date that matters. `lasting`: passed, it stays a finding until somebody settles it.

    Others are told of for as long after their day as before it they are warned of.
    """

    kind: str
    noun: str
    name: str
    on: date
    what: str
    lasting: bool = True


@dataclass(frozen=True)
class Due:
    """A deadline that is near or past: `days` from today, below zero when past."""

    kind: str
    noun: str
    name: str
    on: date
    days: int
    severity: str
    what: str


def judge(deadlines: Iterable[Deadline], today: date, within_days: int) -> list[Due]:
    """Return what is due, the oldest first: critical once past, a warning within 30 days, else for information."""
    found = [
        Due(d.kind, d.noun, d.name, d.on, (d.on - today).days, _severity(d, today), d.what)
        for d in deadlines
        if (d.on - today).days <= within_days and (d.lasting or (today - d.on).days <= WARNING_DAYS)
    ]
    return sorted(found, key=lambda d: (d.on, d.kind, d.noun, d.name))


def _severity(deadline: Deadline, today: date) -> str:
    days = (deadline.on - today).days
    if days < 0:
        return CRITICAL if deadline.lasting else WARNING
    return WARNING if days <= WARNING_DAYS else INFO


def summary(found: Iterable[Due], within_days: int) -> str:
    """Return one line that says how much is due."""
    due = list(found)
    past = sum(d.days < 0 for d in due)
    if not due:
        return f"Nothing is due within {within_days} days."
    first = min(due, key=lambda d: d.on)
    return (
        f"{past} past, {len(due) - past} due within {within_days} days; the first: {first.what} ({first.on})."
    )


# --- reading ------------------------------------------------------------------------------------------


def read(session: Session, today: date, within_days: int) -> list[Deadline]:
    """Return every deadline up to `within_days` from today, in one query or two for each kind."""
    until = today + timedelta(days=within_days)
    return [
        *_assets(session, today, until),
        *_contracts(session, today, until),
        *_certificates(session, today, until),
        *_support(session, until),
        *_loans(session, until),
        *_accounts(session, until),
        *_evidence(session, until),
    ]


def _until(session: Session, name: str, field: str, until: date, *more: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a noun whose date `field` is not later than `until`."""
    c = noun(name).table.c
    query = select(c.id).where(c[field].is_not(None), c[field] <= until, *more)
    yield from store.rows(session, name, list(session.execute(query).scalars()))


def _assets(session: Session, today: date, until: date) -> Iterator[Deadline]:
    c = noun("asset").table.c
    query = select(c.name, c.title, c.warranty_until, c.eol).where(c.status.not_in(("lost", "disposed")))
    recent = c.warranty_until >= today - timedelta(days=WARNING_DAYS)
    for row in session.execute(query.where(c.warranty_until <= until, recent)):
        what = f"warranty of {_titled(row.name, row.title)} ends"
        yield Deadline("warranty", "asset", row.name, row.warranty_until, what, lasting=False)
    for row in session.execute(query.where(c.eol <= until)):
        yield Deadline(
            "end-of-life", "asset", row.name, row.eol, f"end of life of {_titled(row.name, row.title)}"
        )


def _titled(name: str, title: str) -> str:
    return f"{name} ({title})" if title else name


def _contracts(session: Session, today: date, until: date) -> Iterator[Deadline]:
    """Yield the end of each contract, and the day by which its renewal has to be told.

    One that has ended is a finding for as long as something still rests on it.
    """
    used = _used_contracts(session)
    c = noun("contract").table.c
    noticed = c.renewal_notice_days.is_not(None)
    query = select(c.id).where(c.end.is_not(None), (c.end <= until) | noticed)
    for row in store.rows(session, "contract", list(session.execute(query).scalars())):
        of = f"contract {row['name']}" + (f" with {row['provider']}" if row["provider"] else "")
        lasting = row["id"] in used
        if row["renewal_notice_days"]:
            notice = row["end"] - timedelta(days=row["renewal_notice_days"])
            what = f"renewal notice of {of}, which ends on {row['end']}"
            running = row["end"] >= today
            yield Deadline("renewal-notice", "contract", row["name"], notice, what, lasting=running)
        yield Deadline("contract", "contract", row["name"], row["end"], f"end of {of}", lasting)


def _used_contracts(session: Session) -> set[int]:
    device, link, connection = (noun(n).table.c for n in ("device", "link", "connection"))
    queries = (
        select(device.support_contract_id).where(device.status == "active"),
        select(link.contract_id),
        select(connection.contract_id),
    )
    return {i for q in queries for i in session.execute(q.distinct()).scalars() if i is not None}


def _certificates(session: Session, today: date, until: date) -> Iterator[Deadline]:
    """Yield the certificates of people who are there; one that was renewed counts by its last date."""
    person = noun("person").table.c
    gone = select(person.id).where(person.active_to < today)
    c = noun("certificate").table.c
    newer = select(c.person_id, c.area, func.max(c.expires)).where(c.expires.is_not(None))
    last = {(p, a): e for p, a, e in session.execute(newer.group_by(c.person_id, c.area))}
    ids = {
        i: (p, a) for i, p, a in session.execute(select(c.id, c.person_id, c.area).where(c.expires <= until))
    }
    for row in _until(session, "certificate", "expires", until, c.person_id.not_in(gone)):
        if row["area"] and last[ids[row["id"]]] > row["expires"]:
            continue
        what = f"certificate {row['name']} of {row['person']} expires"
        yield Deadline("certificate", "certificate", row["name"], row["expires"], what)


def _support(session: Session, until: date) -> Iterator[Deadline]:
    """Yield end of sale and end of life of the device types that are in use."""
    c = noun("device").table.c
    counted = select(c.device_type_id, func.count()).where(
        c.status != "retired", c.device_type_id.is_not(None)
    )
    used = dict(tuple(row) for row in session.execute(counted.group_by(c.device_type_id)))
    for field, kind, words in (("eos", "end-of-sale", "end of sale"), ("eol", "end-of-life", "end of life")):
        for row in _until(session, "device_type", field, until):
            if row["id"] not in used:
                continue
            many = f"{used[row['id']]} device{'s' if used[row['id']] != 1 else ''}"
            what = f"{words} of {row['name']}, in use as {many}"
            yield Deadline(kind, "device_type", row["name"], row[field], what, lasting=field == "eol")


def _loans(session: Session, until: date) -> Iterator[Deadline]:
    """Yield each BAST of which something is still out on loan."""
    out: dict[str, list[Any]] = {}
    for loan in open_loans(session).values():
        out.setdefault(loan.number, []).append(loan)
    for number, loans in out.items():
        if loans[0].due is None or loans[0].due > until:
            continue
        many = f"{len(loans)} asset{'s' if len(loans) != 1 else ''}"
        what = f"return of {many} lent to {loans[0].taker} by BAST {number}"
        yield Deadline("loan", "custody", number, loans[0].due, what)


def _accounts(session: Session, until: date) -> Iterator[Deadline]:
    """Yield the accounts that end by their own date, or with their person's time of duty."""
    account, person = noun("account").table.c, noun("person").table.c
    query = (
        select(account.id, account.name, account.expires, person.name.label("person"), person.active_to)
        .select_from(noun("account").table.outerjoin(noun("person").table, person.id == account.person_id))
        .where((account.expires <= until) | (person.active_to <= until))
        .order_by(account.id)
    )
    for _id, name, expires, who, left in session.execute(query):
        on = min(d for d in (expires, left) if d is not None)
        what = f"account {name}" + (f" of {who}" if who else "")
        yield Deadline("account", "account", name, on, f"{what} is to be closed")


def _evidence(session: Session, until: date) -> Iterator[Deadline]:
    """Yield the documents whose validity ends; a newer one of the same kind and title stands for the older."""
    c = noun("evidence").table.c
    newest = select(c.kind, c.title, func.max(c.valid_until)).where(c.valid_until.is_not(None))
    last = {(k, t): v for k, t, v in session.execute(newest.group_by(c.kind, c.title))}
    for row in _until(session, "evidence", "valid_until", until):
        if (row["kind"] or row["title"]) and last[row["kind"], row["title"]] > row["valid_until"]:
            continue
        what = f"document {row['name']}" + (f" ({row['title']})" if row["title"] else "")
        yield Deadline("evidence", "evidence", row["name"], row["valid_until"], f"{what} is no longer valid")
