"""Whether it is time to look for open doors again: by the last audit of everything, in the hours meant for it."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from inventory.models import Run
from siaga.clock import as_utc
from siaga.hours import hours
from siaga.settings import Audit

KIND = "audit"
PART = "asked"  # in the summary of a run that looked at some devices only
_SLACK = timedelta(hours=1)  # a week later at the same hour is a week later


def due(settings: Audit, zone: str, last: datetime | None, now: datetime) -> bool:
    """Tell whether an audit of everything is due; `last` is when one began last (None: never)."""
    if not hours(settings.hours, zone).hold(now):
        return False
    return last is None or last + timedelta(hours=settings.every_h) - _SLACK <= now


def last_whole(session: Session) -> datetime | None:
    """Return when an audit of everything began last, whoever ran it."""
    query = select(Run).where(Run.kind == KIND).order_by(col(Run.id).desc())
    return next((as_utc(r.started_at) for r in session.exec(query) if PART not in r.summary), None)
