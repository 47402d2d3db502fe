"""What is to be told, written with the change of the alert in one transaction; nothing is sent here.

One row is one thing to tell by one route. Its key holds the alert, the event and the route, so that it cannot be
written twice. An end is only told where the beginning was, or is about to be: who has heard nothing hears nothing.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from monitor.alerts import REPLACED
from monitor.models import Alert, Notification
from monitor.notify.routes import KEEP_OPEN, Told, ways
from monitor.rules.format import Rule

if TYPE_CHECKING:
    from monitor.scene import Scene

# What must have been told of an alert by a route, so that its end is told there too.
BEGINNINGS = ("opened", "worse", "escalated")


def opened(session: Session, scene: "Scene", alert: Alert, rule: Rule | None, now: datetime) -> None:
    """Write whom to tell that an alert has opened."""
    _tell(session, scene, alert, rule, "opened", "opened", now)


def worse(session: Session, scene: "Scene", alert: Alert, rule: Rule | None, now: datetime) -> None:
    """Write whom to tell that an alert has become critical."""
    told = session.exec(select(Notification.id).where(Notification.alert_id == alert.id, _is("worse"))).all()
    _tell(session, scene, alert, rule, "worse", f"worse-{len(told)}", now)


def _is(event: str) -> Any:
    return col(Notification.event) == event


def _tell(
    session: Session, scene: "Scene", alert: Alert, rule: Rule | None, event: str, step: str, now: datetime
) -> None:
    if rule is not None and not rule.tell:
        return
    told = Told(alert.severity, alert.rule, scene.routed(alert.device_id))
    until = scene.silent_until(alert.device_id, alert.rule)
    routes = scene.settings.routes
    for way in ways(routes, told, now, silent_until=until, zone=scene.settings.timezone):
        put(
            session,
            Notification(
                key=f"{alert.id}/{step}/{way.route}",
                alert_id=alert.id,
                event="escalated" if way.escalates else event,
                route=way.route,
                severity=alert.severity,
                at=now,
                due_at=way.due_at,
                body={"if_open": way.if_open},
            ),
        )


def put(session: Session, row: Notification) -> None:
    """Add a row, unless one of its key is there."""
    if session.exec(select(Notification.id).where(Notification.key == row.key)).first() is None:
        session.add(row)


def closed(session: Session, scene: "Scene", alert: Alert, now: datetime) -> None:
    """Write whom to tell that an alert has ended, and drop what need not be told any more."""
    rows = session.exec(select(Notification).where(Notification.alert_id == alert.id)).all()
    recovers = {r.name: r.recoveries for r in scene.settings.routes}
    told: dict[str, bool] = {}
    for row in rows:
        silently = alert.closed_why in REPLACED or row.body.get("if_open")
        if row.status == "waiting" and row.attempts == 0 and silently:
            row.status, row.error = "dropped", "it had ended before anybody was to be told"
            session.add(row)
        elif row.event in BEGINNINGS and row.status in ("waiting", "sent"):
            told[row.route] = True
    machines = {r.name for r in scene.settings.routes if r.channel in KEEP_OPEN}
    for route in sorted(told):
        replaced = alert.closed_why in REPLACED and route not in machines  # another alert stands for it
        if recovers.get(route, True) and not replaced:
            row = Notification(
                key=f"{alert.id}/recovered/{route}",
                alert_id=alert.id,
                event="recovered",
                route=route,
                severity=alert.severity,
                at=now,
                due_at=now,
                body={"why": alert.closed_why},
            )
            put(session, row)


def acknowledged(session: Session, alert_id: int, until: datetime | None) -> None:
    """Hold back what is only told while nobody has acknowledged the alert: until then, or for good."""
    query = select(Notification).where(Notification.alert_id == alert_id, Notification.status == "waiting")
    for row in session.exec(query.where(_is("escalated"))):
        if until is None:
            row.status, row.error = "dropped", "somebody has acknowledged it"
        else:
            row.due_at = max(row.due_at, until)
        session.add(row)
