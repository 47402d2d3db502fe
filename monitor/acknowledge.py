"""What people do to alerts: take them, write on them, and silence what needs no telling for a while."""

from datetime import datetime

from sqlmodel import Session

from monitor.models import Alert, AlertNote
from monitor.notify import outbox
from siaga.text import safe

NOTE = 500


def acknowledge(
    session: Session, alert: Alert, who: str, now: datetime, *, until: datetime | None = None, why: str = ""
) -> None:
    """Say that somebody has taken an alert, for a time or until it ends; nobody is called about it meanwhile."""
    alert.acked_at, alert.acked_by, alert.acked_until = now, safe(who, 120), until
    session.add(alert)
    assert alert.id is not None
    note(session, alert.id, who, now, f"acknowledged{f': {why}' if why else ''}")
    outbox.acknowledged(session, alert.id, until)


def note(session: Session, alert_id: int, who: str, now: datetime, text: str) -> None:
    """Write a note on an alert."""
    session.add(AlertNote(alert_id=alert_id, at=now, who=safe(who, 120), text=safe(text, NOTE)))
