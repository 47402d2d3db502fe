"""Prometheus' Alertmanager, by its API v2: an alert is known by its labels, so what comes twice is one.

Alertmanager forgets what has no end in sight: an alert is sent with an end far ahead, and again with its real one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field

from monitor.notify.letter import Letter, Message, Result
from monitor.notify.posting import post, result
from monitor.rules.format import SEVERITIES
from siaga.settings import Frozen

KIND = "alertmanager"
ADDRESS = ""
DIGEST = False
SECRET = ""


class Options(Frozen):
    """Where Alertmanager is; `labels` are put on every alert."""

    url: str = Field(pattern="^https?://[^ @]+[^ /@]$")
    ca_file: Path | None = None
    labels: Mapping[str, str] = {}
    open_for_h: int = Field(24 * 7, ge=1, le=24 * 365)


def send(letter: Letter, options: Options) -> Result:
    """Post the alerts of a letter."""
    body = [a for m in letter.messages for a in _alerts(m, letter, options)]
    url = f"{options.url}/api/v2/alerts"
    answer = post(url, json.dumps(body).encode(), timeout_s=letter.timeout_s, ca_file=options.ca_file)
    return result(answer)


def _alerts(message: Message, letter: Letter, options: Options) -> Iterator[dict[str, Any]]:
    """Yield the alert; when it got worse, or ended, also the end of what it was under another severity."""
    yield _alert(message, letter, options)
    if message.event in ("worse", "recovered"):
        for other in {*SEVERITIES} - {message.severity}:
            yield _alert(replace(message, severity=other, ended_at=letter.now), letter, options)


def _alert(message: Message, letter: Letter, options: Options) -> dict[str, Any]:
    far = letter.now + timedelta(hours=options.open_for_h)
    labels = {
        **options.labels,
        "alertname": message.rule or "siaga-test",
        "severity": message.severity or "warning",
        "device": message.device,
        "subject": message.subject,
    }
    notes = {
        "summary": message.title,
        "description": message.said,
        "where": message.where,
        "impact": message.impact,
        "procedure": message.todo,
    }
    return {
        "labels": {k: v for k, v in labels.items() if v},
        "annotations": {k: v for k, v in notes.items() if v},
        "startsAt": message.since.isoformat(),
        "endsAt": (message.ended_at or far).isoformat(),
    }
