"""Says again what is open to whoever forgets it otherwise: Alertmanager keeps alerts in memory alone.

A restart of it, or a week (`open_for_h`), would end every alert there. What was told by the outbox is repeated once a
minute, as Prometheus repeats its own; no delivery is recorded for that, and nothing that was not told yet is told here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from inventory.store import reading
from monitor.models import Alert, Notification
from monitor.notify.letter import Letter, Sent, Text
from monitor.notify.messages import messages
from monitor.notify.outbox import BEGINNINGS
from monitor.notify.outfit import Outfit, outfit
from monitor.notify.routes import FORGETFUL
from monitor.rules import files
from siaga.errors import SiagaError
from siaga.settings import Settings

_TOGETHER = 100  # alerts in one request


def repeat(engine: Engine, settings: Settings, now: datetime) -> Mapping[str, str]:
    """Repeat what is open; return route → why that was not possible. Never raises for a channel or the network."""
    found = {}
    for route in settings.routes:
        if route.channel not in FORGETFUL:
            continue
        try:
            why = _repeat(engine, settings, outfit(engine, settings, route.name), now)
        except SiagaError as error:
            why = error.sentence
        if why:
            found[route.name] = why
    return found


def _repeat(engine: Engine, settings: Settings, ready: Outfit, now: datetime) -> str:
    language = ready.route.language or settings.language
    rules = files.reload(settings.home, None).rules
    with reading(engine) as opened:
        told = messages(opened, told_and_open(opened, ready.route.name), rules, language, now)
    some = iter(told)
    while part := tuple(islice(some, _TOGETHER)):
        letter = Letter("repeat", "", Text(""), part, now, settings.home, ready.route.timeout_s)
        result = ready.channel.send(letter, ready.options)
        if not isinstance(result, Sent):
            return result.why
    return ""


def told_and_open(opened: Session, route: str) -> Sequence[Notification]:
    """Return of each alert that is open, and was told by a route, the newest thing that was told."""
    query = select(Notification).join(Alert, col(Alert.id) == col(Notification.alert_id))
    told = query.where(Notification.route == route, Notification.status == "sent")
    still = told.where(col(Alert.closed_at).is_(None), col(Notification.event).in_(BEGINNINGS))
    return list({row.alert_id: row for row in opened.exec(still.order_by(col(Notification.id)))}.values())
