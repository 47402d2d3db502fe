"""People, accounts, tickets, documents, money, risks and the road map: what people write down."""

from collections.abc import Iterator
from datetime import date

from inventory.models_people import Account as AccountRow
from inventory.models_people import Certificate as CertificateRow
from inventory.models_people import Evidence
from inventory.models_people import Ticket as TicketRow
from inventory.models_readiness import Budget as BudgetRow
from inventory.models_readiness import CapacityTest as CapacityTestRow
from inventory.models_readiness import Milestone as MilestoneRow
from inventory.models_readiness import Restitution as RestitutionRow
from inventory.models_readiness import Risk as RiskRow
from report.asked.source import Source, held, ordered
from report.records import (
    Account,
    Budget,
    CapacityTest,
    Certificate,
    Document,
    Milestone,
    Person,
    Restitution,
    Risk,
    Ticket,
)
from siaga.text import safe


def people(source: Source) -> Iterator[Person]:
    """Yield the regency's own people, by name; not those of providers."""
    papers: dict[int, list[Certificate]] = {}
    for one in ordered(source.session, CertificateRow):
        papers.setdefault(one.person_id or 0, []).append(
            Certificate(safe(one.name), safe(one.area), one.expires)
        )
    for row in sorted(source.people.values(), key=lambda p: p.name):
        if row.provider_id is None and held(row, source.day):
            yield Person(
                name=safe(row.name),
                role=safe(row.role),
                agency=source.agency(row.agency_id),
                fte=row.fte,
                competences=tuple(sorted(row.competences.split())),
                on_call=row.on_call,
                on_duty=safe(row.on_duty),
                certificates=tuple(papers.get(row.id or 0, ())),
            )


def accounts(source: Source) -> Iterator[Account]:
    """Yield who may log in where, by name."""
    ends: dict[int, date] = {}
    for contract in source.contracts.values():
        if contract.provider_id is not None and contract.end is not None:
            known = ends.get(contract.provider_id, contract.end)
            ends[contract.provider_id] = max(known, contract.end)
    for row in ordered(source.session, AccountRow):
        person, provider = source.people.get(row.person_id or 0), source.providers.get(row.provider_id or 0)
        service = source.services.get(row.service_id or 0)
        yield Account(
            name=safe(row.name),
            person=safe(person.name) if person else "",
            provider=safe(provider.name) if provider else "",
            on=source.device(row.device_id) or (safe(service.name) if service else ""),
            scope=row.scope,
            mfa=row.mfa,
            expires=row.expires,
            contract_end=ends.get(row.provider_id or 0),
            via_jump_host=row.via_jump_host,
        )


def tickets(source: Source) -> Iterator[Ticket]:
    """Yield the tickets that were opened before the end of the period, by name."""
    for row in ordered(source.session, TicketRow):
        if row.opened < source.period.until:
            yield Ticket(safe(row.name), row.priority, row.opened, row.resolved, source.place(row.place_id))


def documents(source: Source) -> Iterator[Document]:
    """Yield the documents dated up to the last day, by name."""
    for row in ordered(source.session, Evidence):
        if row.dated <= source.day:
            yield Document(
                name=safe(row.name),
                kind=row.kind,
                dated=row.dated,
                title=safe(row.title),
                signer=safe(row.signer),
                valid_until=row.valid_until,
                sha256=row.sha256,
                about=f"{row.target_noun}/{safe(row.target)}" if row.target else "",
                result=safe(row.result),
            )


def budgets(source: Source) -> Iterator[Budget]:
    """Yield the ceilings of years, by name."""
    for row in ordered(source.session, BudgetRow):
        yield Budget(safe(row.name), row.year, row.ceiling_idr, row.realised_idr, row.as_of)


def restitutions(source: Source) -> Iterator[Restitution]:
    """Yield what was claimed, by the letters' numbers."""
    for row in ordered(source.session, RestitutionRow):
        contract = source.contracts.get(row.contract_id or 0)
        if contract is not None:
            yield Restitution(safe(row.name), safe(contract.name), row.month, row.amount_idr)


def capacity_tests(source: Source) -> Iterator[CapacityTest]:
    """Yield the tests of lines, by name."""
    names = {(line.noun, line.id): name for name, line in source.lines}
    for row in ordered(source.session, CapacityTestRow):
        line = names.get(("connection", row.connection_id or 0)) or names.get(("link", row.link_id or 0))
        if line:
            yield CapacityTest(safe(row.name), line, row.at, row.down_bps, row.up_bps)


def risks(source: Source) -> Iterator[Risk]:
    """Yield the risks, by name."""
    for row in ordered(source.session, RiskRow):
        owner = source.people.get(row.person_id or 0)
        about = f"{row.target_noun}/{safe(row.target)}" if row.target else ""
        owned = safe(owner.name) if owner else ""
        yield Risk(safe(row.name), safe(row.title), owned, about, row.due, row.closed)


def milestones(source: Source) -> Iterator[Milestone]:
    """Yield the items of the road map, by name."""
    for row in ordered(source.session, MilestoneRow):
        yield Milestone(safe(row.name), safe(row.title), row.due, row.done, row.quick_win)


ANSWERS = {
    Person: people,
    Account: accounts,
    Ticket: tickets,
    Document: documents,
    Budget: budgets,
    Restitution: restitutions,
    CapacityTest: capacity_tests,
    Risk: risks,
    Milestone: milestones,
}
