"""A webhook: JSON by POST, signed. What comes twice has the same X-Siaga-Delivery."""

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from inventory.event_delivery import signature
from monitor.notify.letter import Letter, Message, Result
from monitor.notify.posting import post, result
from siaga.settings import Frozen

KIND = "webhook"
ADDRESS = ""
DIGEST = False
SECRET = "token"  # noqa: S105 - the name of the part


class Options(Frozen):
    """Where to post to; the credential's token is the key of the signature."""

    url: str = Field(pattern="^https?://[^ @]+$")
    ca_file: Path | None = None


def send(letter: Letter, options: Options) -> Result:
    """Post one message. X-Siaga-Signature is `sha256=` and the HMAC-SHA256 (RFC 2104) of the body."""
    octets = json.dumps(
        {"delivery": letter.key, "alerts": [as_json(m) for m in letter.messages]}, ensure_ascii=False
    ).encode()
    headers = {"X-Siaga-Delivery": letter.key}
    key = letter.secret.get_secret_value()
    if key:
        headers["X-Siaga-Signature"] = signature(key.encode(), octets)
    answer = post(options.url, octets, timeout_s=letter.timeout_s, headers=headers, ca_file=options.ca_file)
    return result(answer)


def as_json(message: Message) -> dict[str, Any]:
    """Return a message as stable JSON."""
    return {
        "key": message.key,
        "event": message.event,
        "alert": message.alert_id,
        "severity": message.severity,
        "rule": message.rule,
        "device": message.device,
        "subject": message.subject,
        "title": message.title,
        "text": message.said,
        "where": message.where,
        "since": message.since.isoformat(),
        "ended_at": message.ended_at.isoformat() if message.ended_at else None,
        "impact": message.impact,
        "procedure": message.todo,
        "playbook": message.playbook,
        "why": message.why,
    }
