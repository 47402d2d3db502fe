"""The SQL of the audit: whom to look at, what the records say, and what is kept of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from inventory.findings import Judged
from inventory.findings_store import Kept, keep, open_keys
from inventory.history import Author, Chain
from inventory.ipam_seen import not_recorded
from inventory.models import Agency, Credential, Device, DeviceType, Observed, Place
from inventory.models_custody import Proposal
from inventory.models_findings import Exposure
from inventory.models_people import Account, Person
from inventory.store import in_parts, platforms
from monitor.audit.default_logins import Tried
from monitor.audit.guesses import derived
from monitor.audit.judge import SOURCE
from monitor.audit.judge import Place as Spot
from monitor.audit.records import Box, Login


@dataclass(frozen=True)
class Managed:
    """A device that is looked at, and the ports at which it is managed."""

    spot: Spot
    ssh_port: int
    snmp_port: int


@dataclass(frozen=True)
class Records:
    """What the records hold that can be judged without a packet."""

    boxes: tuple[Box, ...] = ()
    logins: tuple[Login, ...] = ()
    proposals: tuple[tuple[str, Mapping[str, str], datetime], ...] = ()
    strangers: tuple[Mapping[str, Any], ...] = ()


def managed(session: Session, ids: Collection[int]) -> list[Managed]:
    """Return the active devices among these that have an address, by name."""
    kinds = dict(session.exec(select(Credential.id, Credential.kind)).all())
    agencies = dict(session.exec(select(Agency.id, Agency.name)).all())
    places = dict(session.exec(select(Place.id, Place.name)).all())
    spoken = platforms(session)
    wanted = set(ids)
    query = select(Device).where(Device.status == "active", Device.address != "").order_by(Device.name)
    found = []
    for d in session.exec(query):
        if d.id in wanted and d.id is not None:
            kind = kinds.get(d.credential_id, "") if d.transport == "snmp" else ""
            names = (d.name, agencies.get(d.agency_id, ""), places.get(d.place_id, ""))
            spot = Spot(d.address, d.id, d.name, d.role, spoken.get(d.id, ""), kind, derived(names))
            found.append(Managed(spot, d.ssh_port, d.snmp_port))
    return found


def _observed(session: Session, name: str) -> dict[int, tuple[str, datetime]]:
    query = select(Observed).where(Observed.field == name).order_by(col(Observed.at))
    return {o.device_id: (o.value, o.at) for o in session.exec(query)}


def boxes(session: Session, ids: Collection[int]) -> list[Box]:
    """Return the active devices among these as the records have them."""
    versions, models = _observed(session, "version"), _observed(session, "model")
    spoken = platforms(session)
    join = col(DeviceType.id) == col(Device.device_type_id)
    query = select(Device, DeviceType).outerjoin(DeviceType, join).where(Device.status == "active")
    wanted = set(ids)
    return [
        Box(
            d.id,
            d.name,
            spoken.get(d.id, ""),
            (t.model or t.name) if t else models.get(d.id, ("", None))[0],
            t.name if t else "",
            t.eos if t else None,
            t.eol if t else None,
            versions[d.id][0] if d.id in versions else "",
            versions[d.id][1] if d.id in versions else None,
        )
        for d, t in session.exec(query)
        if d.id in wanted and d.id is not None
    ]


def logins(session: Session, ids: Collection[int] | None) -> list[Login]:
    """Return the accounts on these devices; None: all accounts."""
    hired = dict(session.exec(select(Person.id, Person.provider_id)).all())
    names = dict(session.exec(select(Person.id, Person.name)).all())
    return [
        Login(
            a.name,
            a.device_id,
            bool(a.provider_id or hired.get(a.person_id)),
            a.expires,
            names.get(a.person_id, ""),
        )
        for a in session.exec(select(Account).order_by(Account.name))
        if ids is None or a.device_id in ids
    ]


def records(session: Session, ids: Collection[int], now: datetime, days: int, *, all_: bool) -> Records:
    """Return what is recorded of these devices; with `all_` what is on no device as well."""
    if not all_:
        return Records(tuple(boxes(session, ids)), tuple(logins(session, set(ids))))
    since = now - timedelta(days=days)
    waiting = select(Proposal).where(Proposal.status == "open").order_by(Proposal.name)
    return Records(
        tuple(boxes(session, ids)),
        tuple(logins(session, None)),
        tuple((p.name, p.facts, p.last_seen) for p in session.exec(waiting)),
        tuple(not_recorded(session, since=since)),
    )


def store(
    session: Session,
    answers: Sequence[Judged],
    exposures: Mapping[int, Mapping[str, str]],
    now: datetime,
    *,
    all_: bool,
) -> Kept:
    """Write what was found. With `all_` an open finding that nothing was said of any more is gone."""
    table = Exposure.__table__  # type: ignore[attr-defined]
    for part in in_parts(exposures):
        session.execute(delete(table).where(table.c.device_id.in_(part)))
    if exposures:
        rows = [{"device_id": i, "at": now, "doors": dict(doors)} for i, doors in exposures.items()]
        session.execute(insert(table), rows)
    open_ = open_keys(session, SOURCE)
    return keep(session, answers, now, open_=open_, gone=list(_gone(session, open_, answers, all_=all_)))


_RECORDED = ("device-not-recorded", "addresses-not-recorded", "account-expired", "account-no-end")


def _gone(
    session: Session, open_: Mapping[str, int], answers: Sequence[Judged], *, all_: bool
) -> Iterator[str]:
    """Yield the keys of open findings whose subject is no longer there: asked of all, and not said of any more."""
    told = {a.key.text for a in answers}
    there = (
        {i for (i,) in session.execute(select(Device.id).where(Device.status == "active"))} if all_ else set()
    )
    for key in open_ if all_ else ():
        _, rule, device, _ = key.split("/", 3)
        if key not in told and (rule in _RECORDED or (device and int(device) not in there)):
            yield key


def note_logins(session: Session, author: Author, tried: Mapping[str, Tried]) -> None:
    """Write into the history on which devices default logins were tried, how often, and whether one got in."""
    chain = Chain(session, author)
    for device, one in tried.items():
        result = "accepted" if one.user else one.why or "refused"
        chain.add("audit", device, "add", {}, {"default_logins": one.tries, "result": result})
    chain.flush()
