"""`siaga notify test`: one message by one route, at once and outside the outbox, with its delivery on record."""

import time
from datetime import datetime

from sqlalchemy import Engine

from inventory.store import reading, session
from monitor.models import Delivery
from monitor.notify.compose import composed
from monitor.notify.letter import Later, Letter, Message, Result, Sent
from monitor.notify.outfit import Outfit, outfit
from monitor.notify.receivers import receivers
from siaga.errors import InvalidError, PartialError
from siaga.settings import Settings
from siaga.text import safe

_SAID = {
    "id": "Pesan uji coba dari siaga, dikirim oleh {0}. Tidak perlu tindakan.",
    "en": "A test message from siaga, sent by {0}. Nothing needs to be done.",
}


def send_test(engine: Engine, settings: Settings, name: str, by: str, now: datetime) -> list[str]:
    """Send it to every receiver; return who took it. Raises PartialError (`not-told`) with who did not."""
    ready = outfit(engine, settings, name)
    with reading(engine) as opened:
        to = receivers(opened, ready.route, ready.channel.ADDRESS, now, settings.timezone)
    if not to:
        raise InvalidError("nobody-to-tell", f"The route '{name}' leads to nobody now: see its 'to'.")
    results = {receiver: _send(engine, settings, ready, receiver, by, now) for receiver in to}
    wrong = [f"{r or ready.channel.KIND}: {x.why}" for r, x in results.items() if not isinstance(x, Sent)]
    if wrong:
        raise PartialError("not-told", f"The route '{name}' did not reach everybody.", wrong)
    return [receiver or ready.channel.KIND for receiver in results]


def _send(engine: Engine, settings: Settings, ready: Outfit, receiver: str, by: str, now: datetime) -> Result:
    language = ready.route.language or settings.language
    said = _SAID[language].format(safe(by, 60))
    message = Message(f"test/{ready.route.name}/{now.isoformat()}", "test", "", "siaga", said, "", now)
    letter = Letter(
        message.key,
        receiver,
        composed(message, now, language, settings.timezone),
        (message,),
        now,
        settings.home,
        ready.route.timeout_s,
        ready.username,
        ready.secret,
        language=language,
    )
    began = time.monotonic()
    result = ready.channel.send(letter, ready.options)
    word = "sent" if isinstance(result, Sent) else "retry" if isinstance(result, Later) else "refused"
    with session(engine) as writing:
        writing.add(
            Delivery(
                at=now,
                route=ready.route.name,
                channel=ready.route.channel,
                receiver=safe(receiver, 255),
                result=word,
                detail=safe(result.detail if isinstance(result, Sent) else result.why, 300),
                took_s=round(time.monotonic() - began, 3),
            )
        )
    return result
