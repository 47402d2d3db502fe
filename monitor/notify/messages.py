"""Rows of the outbox as messages: the alert as it is now, where it is, what it cuts off, what its rule says to do."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from inventory import network as networks
from inventory.impact import AREAS
from inventory.impact_standing import Failed, Standing, State, after
from inventory.impact_targets import roots
from inventory.impact_view import View
from inventory.models import Agency, Device, Place
from monitor.models import Alert, Notification
from monitor.notify.letter import Message
from monitor.rules.files import Rules
from monitor.rules.format import filled
from monitor.rules.values import shown
from siaga.errors import InvalidError
from siaga.text import safe

_MOST_IMPACTS = 5  # of one letter: a digest shows none anyway
_COUNTED = {
    "id": ("memutus {}", "tidak memutus yang lain", "kecamatan", "tempat lain", "OPD", "layanan"),
    "en": ("cuts off {}", "cuts nothing else off", "kecamatan", "other places", "agencies", "services"),
}


def messages(
    session: Session, rows: Sequence[Notification], rules: Rules, language: str, now: datetime
) -> list[Message]:
    """Return the messages of these rows, in their order."""
    ids = {r.alert_id for r in rows if r.alert_id is not None}
    alerts = {a.id: a for a in session.exec(select(Alert).where(col(Alert.id).in_(ids)))} if ids else {}
    wheres = _wheres(session, {a.device_id for a in alerts.values() if a.device_id is not None})
    away = [a for a in alerts.values() if a.rule == "device-down" and a.closed_at is None]
    impacts = _impacts(session, away[:_MOST_IMPACTS], language, now)
    return [_message(r, alerts.get(r.alert_id), wheres, impacts, rules, language) for r in rows]


def _message(
    row: Notification,
    alert: Alert | None,
    wheres: Mapping[int, tuple[str, str]],
    impacts: Mapping[int, str],
    rules: Rules,
    language: str,
) -> Message:
    instead = safe(row.body.get("instead_of", ""), 63)
    if alert is None:
        said = safe(row.body.get("said", ""), 300)
        title = safe(row.body.get("title", "siaga"), 120)
        return Message(row.key, row.event, row.severity, title, said, "", row.at, instead_of=instead)
    device, where = wheres.get(alert.device_id or 0, ("", ""))
    rule = rules.get(alert.rule)
    title, todo, playbook = alert.rule, "", ""
    if rule is not None:
        title, todo, playbook = rule.title.of(language), rule.procedure.of(language), rule.playbook
    return Message(
        key=row.key,
        event=row.event,
        severity=alert.severity,
        title=safe(title, 120),
        said=_said(alert, device, rules, language),
        where=where,
        since=alert.opened_at,
        ended_at=alert.closed_at,
        impact=impacts.get(alert.id or 0, ""),
        todo=safe(todo, 600),
        playbook=playbook,
        alert_id=alert.id,
        rule=alert.rule,
        device=device,
        subject=safe(alert.subject, 120),
        instead_of=instead,
        why=alert.closed_why if row.event == "recovered" else "",
    )


def _said(alert: Alert, device: str, rules: Rules, language: str) -> str:
    """Return what is wrong in a sentence, from the newest evidence."""
    rule = rules.get(alert.rule)
    proof = alert.evidence[-1] if alert.evidence else {}
    if rule is None or not proof:
        return safe(alert.text, 500)
    text = filled(
        rule.text.of(language),
        device=device or "siaga",
        subject=safe(alert.subject, 120),
        value=_word(shown(proof.get("value"), rule.unit), language),
        limit=shown(proof.get("limit"), rule.unit),
    )
    reason = proof.get("reason", "").rstrip(".")
    return safe(f"{text.rstrip('.')} ({reason})." if reason else text, 500)


_STATES = {"down": "mati", "degraded": "terganggu", "critical": "kritis", "warning": "peringatan"}


def _word(value: str, language: str) -> str:
    return _STATES.get(value, value) if language == "id" else value


def _wheres(session: Session, ids: set[int]) -> dict[int, tuple[str, str]]:
    """Return device → its name, and where it is: place, kecamatan, agency."""
    if not ids:
        return {}
    query = select(Device, Place, Agency)
    query = query.join(Place, col(Place.id) == col(Device.place_id), isouter=True)
    query = query.join(Agency, col(Agency.id) == col(Device.agency_id), isouter=True)
    found = {}
    for device, place, agency in session.exec(query.where(col(Device.id).in_(ids))):
        parts = [safe(place.name, 120)] if place else []
        if place and place.kecamatan and place.kecamatan != place.name:
            parts.append(f"kecamatan {safe(place.kecamatan, 120)}")
        if agency:
            parts.append(safe(agency.title or agency.name, 120))
        found[device.id or 0] = (safe(device.name, 120), ", ".join(parts))
    return found


def _impacts(session: Session, alerts: Sequence[Alert], language: str, now: datetime) -> dict[int, str]:
    """Return alert → what its device cuts off, in one line."""
    if not alerts:
        return {}
    network = networks.load(session, now.date())
    try:
        view = View(network, roots(session, network))
    except InvalidError:  # nothing says where the middle of the network is
        return {}
    found = {}
    for alert in alerts:
        if alert.device_id is not None and alert.device_id in network.node_of:
            failed = Failed(devices=frozenset([alert.device_id]))
            found[alert.id or 0] = _line(after(view, failed, plain=True), network, language)
    return found


def _line(standing: Standing, network: networks.Network, language: str) -> str:
    cuts, nothing, *words = _COUNTED[language]
    places = [network.rows.places[i] for i, s in standing.places.items() if s is State.down]
    kecamatan = sum(p.kind == "kecamatan" for p in places)
    others = sum(p.kind in AREAS and p.kind != "kecamatan" for p in places)
    agencies = sum(s is State.down for s in standing.agencies.values())
    services = sum(s is State.down for s in standing.services.values())
    counts = zip((kecamatan, others, agencies, services), words, strict=True)
    parts = [f"{n} {word}" for n, word in counts if n]
    return cuts.format(", ".join(parts)) if parts else nothing
