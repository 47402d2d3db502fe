"""Alerts as rows for people: lists, one with its evidence and notes, silences, and where a rule's limits come from."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from inventory.layers_explained import explained
from inventory.store import labels
from monitor.models import Alert, AlertNote, Notification, Silence
from monitor.rules.format import Rule
from monitor.rules.thresholds import KEY
from siaga.errors import NotFoundError


def rows(
    session: Session, *, closed: bool = False, ids: Collection[int] | None = None
) -> list[dict[str, Any]]:
    """Return alerts with device names, critical first, newest first; `ids`: only of these devices."""
    names = labels(session, "device")
    query = select(Alert) if closed else select(Alert).where(col(Alert.closed_at).is_(None))
    found = [a for a in session.exec(query) if ids is None or a.device_id in ids]
    found.sort(key=lambda a: (a.severity != "critical", -a.opened_at.timestamp()))
    return [row(a, names) for a in found]


def row(alert: Alert, names: Mapping[int, str]) -> dict[str, Any]:
    """Return one alert as a row."""
    return {
        "id": alert.id,
        "severity": alert.severity,
        "rule": alert.rule,
        "device": "siaga" if alert.device_id is None else names.get(alert.device_id, "?"),
        "subject": alert.subject,
        "text": alert.text,
        "opened_at": alert.opened_at,
        "closed_at": alert.closed_at,
        "closed_why": alert.closed_why,
        "acked_by": alert.acked_by,
    }


def one(session: Session, number: int) -> Alert:
    """Return an alert. Raises NotFoundError (`no-such-alert`)."""
    alert = session.get(Alert, number)
    if alert is None:
        raise NotFoundError("no-such-alert", f"There is no alert {number}; see 'siaga alert list --all'.")
    return alert


def whole(session: Session, number: int, rules: Mapping[str, Rule], language: str) -> dict[str, Any]:
    """Return one alert with all that is known of it. Raises NotFoundError (`no-such-alert`)."""
    alert = one(session, number)
    rule = rules.get(alert.rule)
    notes = session.exec(select(AlertNote).where(AlertNote.alert_id == number).order_by(col(AlertNote.id)))
    told = select(Notification).where(Notification.alert_id == number).order_by(col(Notification.id))
    return {
        **row(alert, labels(session, "device")),
        "acked_at": alert.acked_at,
        "acked_until": alert.acked_until,
        "procedure": rule.procedure.of(language) if rule else "",
        "playbook": rule.playbook if rule else "",
        "evidence": alert.evidence,
        "notes": [{"at": n.at, "who": n.who, "text": n.text} for n in notes],
        "told": [
            {
                "route": n.route,
                "event": n.event,
                "status": n.status,
                "at": n.sent_at or n.due_at,
                "error": n.error,
            }
            for n in session.exec(told)
        ],
    }


def silences(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Return the silences that hold."""
    found = session.exec(select(Silence).where(Silence.until > now).order_by(col(Silence.until)))
    return [
        {
            "id": s.id,
            "rule": s.rule or "every rule",
            "selector": s.selector or "everything",
            "until": s.until,
            "who": s.who,
            "why": s.why,
        }
        for s in found
    ]


def origins(session: Session, device_id: int, shipped: Rule, own: Rule) -> Iterator[dict[str, Any]]:
    """Yield each limit of a rule for a device, and which layer, or the rule's file, it comes from."""
    given = explained(session, device_id, f"{KEY}.{shipped.name}")
    said = [(g.layer, g.target, key, value) for g in given for key, value in _flat(g.value)]
    for key, value in _flat(own.model_dump(exclude_none=True, include=_LIMITS)):
        by = [s for s in said if s[2] == key]
        layer, target = by[-1][:2] if by else (f"{shipped.name}.toml", "every device")
        if not by and value != dict(_flat(shipped.model_dump(exclude_none=True, include=_LIMITS))).get(key):
            layer = "(moved along with its limit)"
        over = ", ".join(f"{s[0]}: {s[3]}" for s in by[:-1])
        yield {"key": key, "value": value, "layer": layer, "for": target, "over": over}


_LIMITS = {"warning", "critical", "for_s", "clear_for_s", "within_s", "own_limits", "off", "tell", "playbook"}


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif value not in ((), ""):
        yield path, value
