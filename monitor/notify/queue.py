"""The outbox as a queue: what is due by a route is claimed, and what came of it is noted. Each is one transaction.

Told at least once: who is cut off between sending and noting it sends it again when the claim has run out, under the
same key. Messages of one route go out in their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, or_, select

from monitor.models import Alert, Delivery, Notification
from monitor.notify.letter import Later, Refused, Result, Sent
from monitor.notify.outbox import BEGINNINGS, put
from monitor.notify.routes import DEFAULT
from siaga.settings import Route
from siaga.text import safe

CLAIM = timedelta(minutes=5)
MOST = 200
LAST = "last-resort"  # siaga's own file, when the default route cannot tell it either


def due_routes(session: Session, now: datetime) -> list[str]:
    """Return the routes that have something to tell now."""
    rows = session.exec(select(Notification).where(Notification.status == "waiting", _maybe_due(now)))
    return sorted({r.route for r in rows if _due(r, now)})


def _maybe_due(now: datetime) -> Any:
    return or_(col(Notification.due_at) <= now, col(Notification.at) > now)


def _due(row: Notification, now: datetime) -> bool:
    """Tell whether a row is due. One from a time to come was written before the clock was set back: it is."""
    return row.due_at <= now or (row.at > now and not row.body.get("if_open"))


def claim(session: Session, route: str, now: datetime) -> list[Notification]:
    """Return what is due by this route, and keep others from it for a while; nothing while somebody else has it."""
    waiting = select(Notification).where(Notification.route == route, Notification.status == "waiting")
    claimed = waiting.where(col(Notification.claimed_until) > now)
    # A claim that ends later than one can is from before the clock was set back.
    if session.exec(claimed.where(col(Notification.claimed_until) <= now + CLAIM)).first() is not None:
        return []
    found: list[Notification] = []
    query = waiting.where(_maybe_due(now)).order_by(col(Notification.id)).limit(MOST)
    for row in [r for r in session.exec(query) if _due(r, now)]:
        reason = _needless(session, row, now)
        if reason:
            row.status, row.error = "dropped", reason
        elif not (row.event == "recovered" and _waits(session, row, found)):
            row.claimed_until = now + CLAIM
            found.append(row)
        session.add(row)
    return found


def _needless(session: Session, row: Notification, now: datetime) -> str:
    """Return why something need not be told any more, or ''."""
    alert = session.get(Alert, row.alert_id) if row.alert_id is not None else None
    if row.alert_id is not None and alert is None:
        return "the alert is gone with its device"
    if alert is None:
        return ""
    if row.event == "recovered":
        began = _beginnings(session, row)
        heard = any(b.status in ("sent", "waiting") for b in began)
        return "" if heard else "nobody was told that it had begun"
    if row.body.get("if_open") and alert.closed_at is not None and not row.attempts:
        return "it had ended before anybody was to be told"
    acked = alert.acked_at is not None and (alert.acked_until is None or alert.acked_until > now)
    if row.event == "escalated" and acked:
        return "somebody has acknowledged it"
    return ""


def _beginnings(session: Session, row: Notification) -> Sequence[Notification]:
    query = select(Notification).where(Notification.alert_id == row.alert_id, Notification.route == row.route)
    return session.exec(query.where(col(Notification.event).in_(BEGINNINGS))).all()


def _waits(session: Session, row: Notification, earlier: Sequence[Notification]) -> bool:
    """Tell whether the beginning is not out yet, nor in the same letters: the end waits for it."""
    began = _beginnings(session, row)
    ids = {e.id for e in earlier}
    return not any(b.status == "sent" or b.id in ids for b in began)


def sent_lately(session: Session, route: str, now: datetime) -> int:
    """Return how many letters went out by a route within the last minute."""
    query = select(func.count(col(Delivery.id))).where(Delivery.route == route, Delivery.result == "sent")
    return session.exec(query.where(Delivery.at > now - timedelta(minutes=1), Delivery.at <= now)).one()


def reached(session: Session, rows: Sequence[Notification], route: str) -> set[str]:
    """Return the receivers that have all of these already: of a letter that not everybody got."""
    ids = {r.id for r in rows}
    oldest = min((r.at for r in rows), default=None)
    if oldest is None or not any(r.attempts for r in rows):
        return set()
    query = select(Delivery).where(Delivery.route == route, Delivery.result == "sent")
    found: dict[str, set[int | None]] = {}
    for delivery in session.exec(query.where(Delivery.at >= oldest)):
        found.setdefault(delivery.receiver, set()).update(delivery.notifications)
    return {receiver for receiver, known in found.items() if ids <= known}


@dataclass(frozen=True)
class Outcome:
    """What came of one letter to one receiver."""

    receiver: str
    result: Result
    took_s: float


def note(
    session: Session,
    route: Route,
    rows: Sequence[Notification],
    outcomes: Sequence[Outcome],
    now: datetime,
    again_at: datetime,
) -> str:
    """Note what came of a letter; return sent, waiting (tried again at `again_at`) or failed (given up).

    What a route cannot tell at all goes to the default route, and from there into siaga's own file.
    """
    session.add_all(_delivery(route, rows, o, now) for o in outcomes)
    status, why = _status(route, rows, outcomes, now)
    for row in rows:
        row = session.merge(row)
        row.claimed_until, row.status, row.error = None, status, safe(why, 300)
        row.attempts += status != "sent"
        if status == "sent":
            row.sent_at = now
        elif status == "waiting":
            row.due_at = again_at
        else:
            _instead(session, row, why, now)
        session.add(row)
    return status


def _delivery(route: Route, rows: Sequence[Notification], one: Outcome, now: datetime) -> Delivery:
    result = one.result
    word = "sent" if isinstance(result, Sent) else "retry" if isinstance(result, Later) else "refused"
    return Delivery(
        at=now,
        route=route.name,
        channel=route.channel,
        receiver=safe(one.receiver, 255),
        notifications=[r.id for r in rows if r.id is not None],
        result=word,
        detail=safe(result.detail if isinstance(result, Sent) else result.why, 300),
        took_s=round(one.took_s, 3),
    )


def _status(
    route: Route, rows: Sequence[Notification], outcomes: Sequence[Outcome], now: datetime
) -> tuple[str, str]:
    later = [o.result.why for o in outcomes if isinstance(o.result, Later)]
    refused = [o.result.why for o in outcomes if isinstance(o.result, Refused)]
    sent = any(isinstance(o.result, Sent) for o in outcomes)
    began = min(r.due_at if not r.attempts else r.at for r in rows)
    if later and now - began < timedelta(hours=route.give_up_h):
        return "waiting", later[0]
    if later or (refused and not sent):
        return "failed", [*later, *refused][0]
    return "sent", refused[0] if refused else ""


def _instead(session: Session, row: Notification, why: str, now: datetime) -> None:
    following = {DEFAULT: LAST, LAST: ""}.get(row.route, DEFAULT)
    if following:
        body = {**row.body, "instead_of": row.route, "why": safe(why, 200)}
        put(
            session,
            Notification(
                key=f"{row.key}>{following}",
                alert_id=row.alert_id,
                event=row.event,
                route=following,
                severity=row.severity,
                at=row.at,
                due_at=now,
                body=body,
            ),
        )


def rest(session: Session, rows: Sequence[Notification], until: datetime | None) -> None:
    """Give back what was claimed and not tried; with `until`, not before then."""
    for row in rows:
        row = session.merge(row)
        row.claimed_until = None
        if until is not None:
            row.due_at = max(row.due_at, until)
        session.add(row)


def deliveries(session: Session, *, route: str = "", limit: int = 100) -> Sequence[Delivery]:
    """Return the newest deliveries, the newest first."""
    query = select(Delivery).order_by(col(Delivery.id).desc()).limit(limit)
    return session.exec(query.where(Delivery.route == route) if route else query).all()


def waiting(session: Session) -> Sequence[Notification]:
    """Return what is still to be told, and what was given up in the end."""
    stuck = or_(Notification.status == "waiting", Notification.status == "failed")
    return session.exec(select(Notification).where(stuck).order_by(col(Notification.id))).all()
