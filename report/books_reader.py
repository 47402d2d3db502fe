"""Fills the books from the database of record and the samples: people, money, goods, papers, bills, official lists."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, or_, select

from inventory import models as inventory
from inventory.models_custody import Asset
from inventory.models_people import Certificate, Evidence, Outage, Person, Ticket
from monitor.availability import Window, look
from monitor.samples import SampleStore
from monitor.uptimes import Kind, Parts, per_device
from report import books
from report.asked.source import held
from report.books import Books, Met
from report.claim import Claim, ContractClaim, LineClaim, claim, term
from report.penalty import monthly
from report.scope import Scope
from report.store import everything
from siaga.errors import NotFoundError
from siaga.text import safe

_CONDITIONS = {"B": "good", "RR": "worn", "RB": "broken"}
_POWER = "power"


@dataclass(frozen=True)
class Period:
    """The window as calendar months in the regency's time, if it is whole ones; else the window itself."""

    windows: tuple[Window, ...]
    whole_months: bool


def months(since: datetime, until: datetime, hold_s: float, zone: str) -> Period:
    """Cut a window into calendar months; a window that is no row of whole months stays as it is."""
    local = ZoneInfo(zone)
    at, end = since.astimezone(local), until.astimezone(local)
    cuts = [at]
    while cuts[-1] < end:
        last = cuts[-1]
        cuts.append(datetime(last.year + last.month // 12, last.month % 12 + 1, 1, tzinfo=local))
    whole = cuts[-1] == end and at == datetime(at.year, at.month, 1, tzinfo=local)
    if not whole:
        return Period((Window(since, until, hold_s),), False)
    utc = [c.astimezone(since.tzinfo) for c in cuts]
    return Period(tuple(Window(a, b, hold_s) for a, b in pairwise(utc)), True)


def read(
    session: Session,
    samples: SampleStore,
    window: Window,
    *,
    zone: str,
    now: datetime,
    listings: Sequence[books.Listing] = (),
    scope: Scope | None = None,
) -> Books:
    """Read all of it. `listings` are the official lists, made by another room; a `scope` has no staff and no bills."""
    period = months(window.start, window.end, window.hold_s, zone)
    today = window.end.astimezone(ZoneInfo(zone)).date()
    if scope is not None:
        return _partial(session, samples, window, scope, listings)
    return Books(
        staff=tuple(_staff(session, today)),
        money=tuple(_money(session, window, zone)),
        goods=tuple(_goods(session)),
        apps=tuple(_apps(session)),
        rooms=tuple(_rooms(session)),
        papers=tuple(_papers(session, today)),
        outages=tuple(_outages(session, window)),
        tickets=tuple(_tickets(session, window)),
        bills=tuple(_bills(session, samples, period, now, zone)),
        listings=tuple(listings),
        priced=period.whole_months,
        met=_met(session, samples, window),
    )


def _partial(
    session: Session, samples: SampleStore, window: Window, scope: Scope, listings: Sequence[books.Listing]
) -> Books:
    """Return what a place or an agency has of its own: goods, applications, rooms, outages, and what users met."""
    return Books(
        goods=tuple(_goods(session, scope)),
        apps=tuple(a for a in _apps(session) if a.owner in scope.agencies),
        rooms=tuple(r for r in _rooms(session) if r.name in scope.places) if scope.rooms else (),
        outages=tuple(_outages(session, window, scope)),
        listings=tuple(listings),
        met={i: m for i, m in _met(session, samples, window).items() if i in scope.devices},
    )


def _staff(session: Session, today: date) -> Iterator[books.Staff]:
    agencies = everything(session, inventory.Agency)
    certified: dict[int, list[tuple[str, date | None]]] = defaultdict(list)
    for c in session.exec(select(Certificate).order_by(Certificate.name)):
        certified[c.person_id or 0].append((safe(c.area), c.expires))
    for p in session.exec(select(Person).order_by(Person.name)):
        if p.provider_id is not None or not held(p, today):
            continue
        agency = agencies.get(p.agency_id or 0)
        yield books.Staff(
            role=safe(p.role or p.title),
            unit=safe(agency.title or agency.name) if agency else "",
            fte=p.fte,
            competences=tuple(safe(p.competences).lower().split()),
            certificates=tuple(certified.get(p.id or 0, ())),
            on_call=p.on_call,
        )


def _money(session: Session, window: Window, zone: str) -> Iterator[books.Money]:
    providers = everything(session, inventory.Provider)
    links = everything(session, inventory.Link)
    counted: Counter[int] = Counter()
    for line in session.exec(select(inventory.Connection)):
        link = links.get(line.link_id or 0)
        counted[line.contract_id or (link.contract_id if link else 0) or 0] += 1
    for c in session.exec(select(inventory.Contract).order_by(inventory.Contract.name)):
        if term(c, window, zone) is None:
            continue
        provider = providers.get(c.provider_id or 0)
        fee = monthly(c.price_idr, c.start, c.end)
        yield books.Money(
            contract=safe(c.name),
            provider=safe(provider.title or provider.name) if provider else "",
            kind=c.kind,
            start=c.start,
            end=c.end,
            price_idr=c.price_idr,
            monthly_idr=None if fee is None else round(fee),
            down_bps=c.committed_down_bps,
            lines=counted[c.id or 0],
            notice_days=c.renewal_notice_days,
        )


def _goods(session: Session, scope: Scope | None = None) -> Iterator[books.Good]:
    owners = {
        i
        for i, a in everything(session, inventory.Agency).items()
        if scope and safe(a.title or a.name) in scope.agencies
    }
    for a in session.exec(select(Asset).where(Asset.status != "disposed")):
        if scope and a.agency_id not in owners and (a.device_id or 0) not in scope.devices:
            continue
        yield books.Good(
            condition=_CONDITIONS.get(a.condition, ""),
            acquired=a.acquired,
            price_idr=a.price_idr,
            coded=bool(a.kode_barang),
            numbered=bool(a.nibar),
            placed=a.place_id is not None,
            linked=a.device_id is not None,
        )


def _apps(session: Session) -> Iterator[books.App]:
    agencies = everything(session, inventory.Agency)
    for s in session.exec(select(inventory.Service).order_by(inventory.Service.name)):
        owner = agencies.get(s.agency_id or 0)
        yield books.App(
            title=safe(s.title or s.name),
            owner=safe(owner.title or owner.name) if owner else "",
            hosting=s.hosting,
            spl=s.spl,
            criticality=s.criticality,
            watched=s.check not in ("", "none"),
            tls=s.url.lower().startswith("https:"),
        )


def _rooms(session: Session) -> Iterator[books.Room]:
    places = everything(session, inventory.Place)
    inside: dict[int, list[str]] = defaultdict(list)
    for d in session.exec(select(inventory.Device).where(inventory.Device.status == "active")):
        place = places.get(d.place_id or 0)
        if place is not None and place.kind == "rack":
            place = places.get(place.parent_id or 0)
        if place is not None and place.kind == "room":
            inside[place.id or 0].append(d.role)
    for p in sorted(places.values(), key=lambda p: p.name):
        if p.kind == "room":
            above = places.get(p.parent_id or 0)
            roles = inside[p.id or 0]
            building = safe(above.name) if above else ""
            yield books.Room(safe(p.name), p.purpose, building, len(roles), roles.count("ups"), p.area_m2)


def _papers(session: Session, today: date) -> Iterator[books.Paper]:
    for e in session.exec(select(Evidence).where(Evidence.dated <= today).order_by(Evidence.name)):
        until = e.valid_until
        yield books.Paper(
            safe(e.name), safe(e.kind), safe(e.title), e.dated, safe(e.signer), safe(e.sha256), until
        )


def _outages(session: Session, window: Window, scope: Scope | None = None) -> Iterator[books.Outage]:
    places = everything(session, inventory.Place)
    devices = everything(session, inventory.Device)
    links = everything(session, inventory.Link)
    open_ = or_(col(Outage.end).is_(None), col(Outage.end) > window.start)
    query = select(Outage).where(Outage.start < window.end, open_).order_by(col(Outage.start), Outage.name)
    for o in session.exec(query):
        place = places.get(o.place_id or 0)
        if (
            scope
            and (o.device_id or 0) not in scope.devices
            and (place is None or place.name not in scope.places)
        ):
            continue
        others = (devices.get(o.device_id or 0), links.get(o.link_id or 0))
        where = next((row.name for row in (place, *others) if row), "")
        ended = o.end if o.end is not None and o.end <= window.end else None
        yield books.Outage(safe(o.name), safe(where), o.start, ended, o.cause)


def _tickets(session: Session, window: Window) -> Iterator[books.Ticket]:
    within = select(Ticket).where(Ticket.opened >= window.start, Ticket.opened < window.end)
    for t in session.exec(within.order_by(Ticket.name)):
        done = t.resolved if t.resolved and t.resolved <= window.end else None
        yield books.Ticket(t.priority, t.opened, t.acknowledged, done)


def _met(session: Session, samples: SampleStore, window: Window) -> dict[int, Met]:
    """Return what was met of each device that a connection hangs on."""
    rows = session.exec(select(inventory.Connection.device_id, inventory.Connection.interface_id)).all()
    ports = dict(session.exec(select(inventory.Interface.id, inventory.Interface.device_id)).all())
    ids = sorted({d for device, port in rows if (d := device or ports.get(port)) is not None})
    return {i: met(p) for i, p in per_device(look(session, samples, ids, window)).items()} if ids else {}


def met(parts: Parts) -> Met:
    """Return the seconds that both availabilities are made of."""
    return Met(parts.met_up_s, parts.met_s, parts.of(Kind.up), parts.sla_s, parts.total_s)


# --- bills


def _bills(
    session: Session, samples: SampleStore, period: Period, now: datetime, zone: str
) -> Iterator[books.Bill]:
    """Yield a bill for each contract, months added up. Sums of money are those of whole months only."""
    for name in session.exec(select(inventory.Provider.name).order_by(inventory.Provider.name)).all():
        found: dict[str, list[ContractClaim]] = defaultdict(list)
        for made in _claims(session, samples, name, period, now, zone):
            for one in made.contracts:
                found[one.contract.name].append(one)
        for contract in sorted(found):
            yield _bill(safe(name), found[contract], period)


def _claims(
    session: Session, samples: SampleStore, provider: str, period: Period, now: datetime, zone: str
) -> Iterator[Claim]:
    for window in period.windows:
        if window.start < now:
            try:
                yield claim(session, samples, provider, window, now, evidence=False, zone=zone)
            except NotFoundError:  # nothing bought, not yet, or no device that could tell: no bill
                continue


def _bill(provider: str, some: Sequence[ContractClaim], period: Period) -> books.Bill:
    contract = some[0].contract
    lines = [k for c in some for k in c.lines]
    up, counted = sum(k.parts.of(Kind.up) for k in lines), sum(k.parts.sla_s for k in lines)
    met_up, met_s = sum(k.parts.met_up_s for k in lines), sum(k.parts.met_s for k in lines)
    events = [e for k in lines for e in k.events]
    power = sum(e.seconds for e in events if e.cause == _POWER)
    excused = sum(e.seconds for e in events if e.why == "excused" and e.cause != _POWER)
    sums = [c.amount_idr for c in some]
    known = [s for s in sums if s is not None]
    return books.Bill(
        provider=provider,
        contract=safe(contract.name),
        promised=None if contract.availability_pct is None else contract.availability_pct / 100,
        users=met_up / met_s if met_s else None,
        sla=up / counted if counted else None,
        stated=None
        if contract.provider_availability_pct is None
        else contract.provider_availability_pct / 100,
        after_s=contract.claim_after_s,
        rule=safe(contract.penalty),
        down_s=sum(e.seconds for e in events),
        power_s=power,
        excused_s=excused,
        short_s=sum(e.seconds for e in events if e.why == "short"),
        claimable_s=sum(k.claimable_ms for k in lines) / 1000,
        amount_idr=sum(known) if period.whole_months and len(known) == len(sums) else None,
        lines=tuple(_served(lines, priced=period.whole_months)),
    )


def _served(lines: Iterable[LineClaim], *, priced: bool) -> Iterator[books.Served]:
    groups: dict[str, list[LineClaim]] = defaultdict(list)
    for one in lines:
        groups[one.line.name].append(one)
    for name, some in groups.items():
        up, counted = sum(k.parts.of(Kind.up) for k in some), sum(k.parts.sla_s for k in some)
        met_up, met_s = sum(k.parts.met_up_s for k in some), sum(k.parts.met_s for k in some)
        sums = [k.amount_idr for k in some]
        known = [s for s in sums if s is not None]
        yield books.Served(
            name=name,
            agency=some[0].line.agency,
            users=met_up / met_s if met_s else None,
            sla=up / counted if counted else None,
            power_s=sum(e.seconds for k in some for e in k.events if e.cause == _POWER),
            down_s=sum(e.seconds for k in some for e in k.events),
            claimable_s=sum(k.claimable_ms for k in some) / 1000,
            amount_idr=sum(known) if priced and len(known) == len(sums) else None,
        )
