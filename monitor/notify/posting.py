"""One POST over HTTP for the channels that speak it: what the answer means, and nothing of it in a log.

A redirect is not followed: what is told goes where the settings say and nowhere else.
"""

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from monitor.notify.letter import Later, Refused, Result, Sent
from siaga.clock import retry_after_s, utc_now
from siaga.text import safe

# httpx tells every URL at level INFO, and a bot's token stands in its URL.
logging.getLogger("httpx").setLevel(logging.WARNING)

_LARGEST = 1_000_000
_SAID = 200


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the body as JSON where it is some."""

    status: int
    body: Any
    asked_s: float = 0.0  # to wait: Retry-After


def post(
    url: str,
    octets: bytes,
    *,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    ca_file: Path | None = None,
) -> Answer | Later | Refused:
    """Send JSON; never raises for the other side or the network."""
    sent = {"Content-Type": "application/json", "User-Agent": "siaga", **(headers or {})}
    try:
        trust = ssl.create_default_context(cafile=ca_file)
        with (
            httpx.Client(verify=trust, timeout=timeout_s, trust_env=False) as client,
            client.stream("POST", url, content=octets, headers=sent) as answer,
        ):
            body = b"".join(_bounded(answer))
            asked_s = retry_after_s(answer.headers.get("Retry-After", ""), utc_now())
            return Answer(answer.status_code, _json(body), asked_s)
    except httpx.TimeoutException as error:
        return Later(f"no answer within {timeout_s:g} s ({type(error).__name__}); it may have arrived")
    except httpx.HTTPError as error:
        return Later(f"{type(error).__name__}: {safe(error, _SAID)}")
    except OSError as error:
        return Refused(f"{ca_file} cannot be read: {error.strerror}")


def _bounded(answer: httpx.Response) -> Any:
    left = _LARGEST
    for chunk in answer.iter_bytes():
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return


def _json(octets: bytes) -> Any:
    import json

    try:
        return json.loads(octets)
    except (ValueError, RecursionError):
        return None


def result(answer: Answer | Later | Refused) -> Result:
    """Return what an answer means: 2xx it is there; 408, 425, 429 and 5xx later; all else never."""
    if not isinstance(answer, Answer):
        return answer
    if 200 <= answer.status < 300:
        return Sent(f"HTTP {answer.status}")
    if answer.status in (408, 425, 429) or answer.status >= 500:
        return Later(f"the answer was HTTP {answer.status}", answer.asked_s)
    return Refused(f"the answer was HTTP {answer.status}")
