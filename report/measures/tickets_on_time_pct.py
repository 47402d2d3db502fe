"""SUP-PEL-05: tickets that were closed within the time of their priority."""

from datetime import timedelta

from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Ticket
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of the tickets closed in the period; a priority without a time is not known."""
    since, until = ask.period.since, ask.period.until
    closed = [t for t in ask.every(Ticket) or () if t.resolved is not None and since <= t.resolved < until]
    if not closed:
        return unknown(PERCENT, said("no-tickets"))
    members = {t.name: _in_time(t, limits) for t in closed}
    return share(members, as_of=ask.period.last_day, evidence=("rows/ticket",))


def _in_time(ticket: Ticket, limits: Limits) -> bool | None:
    hours = limits.ticket_hours.get(ticket.priority)
    if hours is None or ticket.resolved is None:
        return None
    return ticket.resolved - ticket.opened <= timedelta(hours=hours)
