"""Acknowledging from a chat: who presses the button of an alert has taken it, if siaga knows him.

The button carries the alert's number with a keyed mark, so that nobody makes one up; that it was pressed counts only
from a person whose Telegram id, or user name, is recorded.
"""

import hmac
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, select

from inventory.models_people import Person
from inventory.store import reading, session
from monitor.acknowledge import acknowledge
from monitor.models import Alert, Cursor
from monitor.notify.letter import Button
from monitor.notify.outfit import outfit
from siaga.clock import utc_now
from siaga.errors import TemporaryError
from siaga.secrets import Vault, open_vault
from siaga.settings import Settings

_MARK = 24
_SAID = {
    "done": "Diterima. Terima kasih.",
    "known": "Sudah diterima oleh {0}.",
    "closed": "Alarm ini sudah selesai.",
    "stranger": "Anda tidak terdaftar di siaga.",
    "nothing": "Tombol ini tidak dikenal.",
}


def mark(vault: Vault, alert_id: int) -> str:
    """Return what the button of an alert carries: at most 64 octets (Bot API, InlineKeyboardButton)."""
    return f"ack:{alert_id}:{vault.mark(f'acknowledge {alert_id}')[:_MARK]}"


def listen(
    engine: Engine, settings: Settings, route: str, wait_s: int, now: Callable[[], datetime] = utc_now
) -> int:
    """Take the buttons that were pressed in the chats of a route's bot; return how many there were.

    Waits for one, at most `wait_s`. Raises what `outfit` raises, and TemporaryError (`bot-unreachable`).
    """
    from monitor.notify.channels import telegram

    ready = outfit(engine, settings, route)
    assert isinstance(ready.options, telegram.Options)
    name = f"telegram/{ready.route.credential}"
    with reading(engine) as opened:
        cursor = opened.get(Cursor, name)
        after = cursor.value if cursor else 0
    pressed = telegram.pressed(ready.options, ready.secret, after, wait_s)
    if not isinstance(pressed, list):
        why = f"The buttons of the route '{route}' cannot be asked for: {pressed.why}."
        raise TemporaryError("bot-unreachable", why)
    vault = open_vault(settings.home)
    for button in pressed:
        with session(engine) as writing:  # each with its place in the row: none is taken twice
            said = press(writing, vault, button, now())
            writing.merge(Cursor(name=name, value=button.update))
        telegram.answer(ready.options, ready.secret, button, said, ready.route.timeout_s)
    return len(pressed)


def press(writing: Session, vault: Vault, button: Button, now: datetime) -> str:
    """Acknowledge what a button stands for; return what is said to who pressed it."""
    kind, _, rest = button.data.partition(":")
    number = rest.partition(":")[0]
    known = kind == "ack" and number.isascii() and number.isdigit() and len(number) < 12
    if not known or not hmac.compare_digest(mark(vault, int(number)).encode(), button.data.encode()):
        return _SAID["nothing"]
    person = _who(writing, button)
    if person is None:
        return _SAID["stranger"]
    alert = writing.get(Alert, int(number))
    if alert is None or alert.closed_at is not None:
        return _SAID["closed"]
    if alert.acked_at is not None and (alert.acked_until is None or alert.acked_until > now):
        return _SAID["known"].format(alert.acked_by)
    acknowledge(writing, alert, person.name, now, why="Telegram")
    return _SAID["done"]


def _who(writing: Session, button: Button) -> Person | None:
    names = {button.person, f"@{button.username}".casefold() if button.username else ""} - {""}
    for person in writing.exec(select(Person).where(Person.telegram != "")):
        own = person.telegram.strip().casefold()
        if own in names or (not own.isdigit() and f"@{own.lstrip('@')}" in names):
            return person
    return None
