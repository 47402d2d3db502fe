"""Agencies with their dated lists, lines, and the contracts they are bought under."""

from collections.abc import Iterator
from fractions import Fraction

from sqlmodel import select

from inventory.models import Connection
from inventory.models_people import Contact
from monitor import lines as bought
from report.asked.source import Source, held
from report.penalty import monthly
from report.reader import denominators
from report.records import Agency, AgencyList, Contract, Line
from siaga.text import safe


def agencies(source: Source) -> Iterator[Agency]:
    """Yield the agencies that there were on the last day, by name."""
    named: dict[str, list[str]] = {}
    for contact in source.session.exec(select(Contact).where(Contact.target_noun == "agency")):
        person = source.people.get(contact.person_id or 0)
        named.setdefault(contact.target, []).append(safe(person.name) if person else "")
    for row in sorted(source.agencies.values(), key=lambda a: a.name):
        if held(row, source.day):
            yield Agency(
                name=safe(row.name),
                kind=row.kind,
                title=safe(row.title),
                kecamatan=source.kecamatan(row.place_id),
                priority=source.priority(row.place_id),
                contacts=tuple(sorted(filter(None, named.get(row.name, ())))),
            )


def lists(source: Source) -> Iterator[AgencyList]:
    """Yield how many bodies there are of each kind, by the regency's dated lists."""
    regency = next((p for p in source.places.values() if p.kind == "regency"), None)
    for one in denominators(regency.code if regency else ""):
        yield AgencyList(one.kind, one.count, one.as_of, one.source)


def lines(source: Source) -> Iterator[Line]:
    """Yield the connections, and the links under a contract that none of them uses, by name."""
    yield from sorted((_line(source, name, one) for name, one in source.lines), key=lambda k: k.name)


def _line(source: Source, name: str, one: bought.Line) -> Line:
    row = source.connections.get(one.id) if one.noun == "connection" else None
    agency = source.agencies.get(row.agency_id or 0) if row else None
    link = source.links.get(one.link_id or 0)
    device = source.devices.get(one.device_id or 0)
    places = _places(row, agency.place_id if agency else None, device.place_id if device else None)
    return Line(
        name=name,
        agency=safe(agency.name) if agency else "",
        agency_kind=agency.kind if agency else "",
        kecamatan=one.kecamatan,
        place=next((source.place(p) for p in places if p is not None), ""),
        priority=source.priority(*places),
        provider=one.provider,
        contract=one.contract,
        medium=link.kind if link else "",
        role=link.role if link else "primary",
        intra=link.intra if link else None,
        path_group=safe(link.path_group) if link else "",
        down_bps=one.down_bps,
        up_bps=one.up_bps,
        device=source.device(one.device_id),
    )


def _places(row: Connection | None, *others: int | None) -> list[int | None]:
    return [row.place_id if row else None, *others]


def contracts(source: Source) -> Iterator[Contract]:
    """Yield all contracts, by number."""
    for row in sorted(source.contracts.values(), key=lambda c: c.name):
        provider = source.providers.get(row.provider_id or 0)
        fee = monthly(row.price_idr, row.start, row.end)
        yield Contract(
            name=safe(row.name),
            provider=safe(provider.name) if provider else "",
            kind=row.kind,
            start=row.start,
            end=row.end,
            sla_pct=row.availability_pct,
            claim_after_s=row.claim_after_s,
            penalty=row.penalty,
            monthly_idr=int(fee) if isinstance(fee, Fraction) else None,
            provider_pct=row.provider_availability_pct,
        )


ANSWERS = {Agency: agencies, AgencyList: lists, Line: lines, Contract: contracts}
