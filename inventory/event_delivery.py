"""Carries event messages out: a POST with a signature, or a program with JSON on its standard input."""

import hashlib
import hmac
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from siaga.errors import AuthError, InvalidError, TemporaryError
from siaga.settings import Event
from siaga.text import safe

_SAID = 300
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SIAGA_HOME", "SIAGA_CONFIG")


def deliver(event: Event, body: Mapping[str, Any], delivery: str) -> None:
    """Send one message. Raises TemporaryError (`event-not-sent`) when the other side did not take it.

    A receiver checks X-Siaga-Signature: `sha256=` and the HMAC-SHA256 (RFC 2104) of the body under the key in
    `secret_file`. Redirects are not followed: the body goes where the settings say and nowhere else.
    """
    octets = json.dumps(body, ensure_ascii=False, sort_keys=True, default=str).encode()
    if event.url:
        _post(event, octets, delivery)
    else:
        _run(event, octets)


def signature(key: bytes, octets: bytes) -> str:
    """Return what X-Siaga-Signature holds."""
    return "sha256=" + hmac.new(key, octets, hashlib.sha256).hexdigest()


def _post(event: Event, octets: bytes, delivery: str) -> None:
    import ssl

    import httpx

    headers = {"Content-Type": "application/json", "User-Agent": "siaga", "X-Siaga-Delivery": delivery}
    if event.secret_file:
        headers["X-Siaga-Signature"] = signature(_key(event.secret_file), octets)
    try:
        trust = ssl.create_default_context(cafile=event.ca_file)
        with (
            httpx.Client(verify=trust, timeout=event.timeout_s, trust_env=False) as client,
            client.stream("POST", event.url, content=octets, headers=headers) as answer,
        ):
            status = answer.status_code
    except httpx.HTTPError as error:
        raise _not_sent(event, f"{type(error).__name__}: {error}") from None
    except OSError as error:  # the CA file; httpx wraps what the network does
        raise InvalidError("bad-event", f"{event.ca_file} cannot be read: {error.strerror}.") from None
    if not 200 <= status < 300:
        raise _not_sent(event, f"the answer was HTTP {status}")


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise AuthError("no-event-key", f"The key {path} cannot be read: {error.strerror}.") from None
    if not key:
        raise AuthError("no-event-key", f"The key {path} is empty.")
    return key


def _run(event: Event, octets: bytes) -> None:
    environment = {k: os.environ[k] for k in _ENVIRONMENT if k in os.environ}
    try:
        done = subprocess.run(
            list(event.run), input=octets, capture_output=True, timeout=event.timeout_s, env=environment
        )
    except subprocess.TimeoutExpired:
        raise _not_sent(event, f"{event.run[0]} did not end within {event.timeout_s:g} s") from None
    except OSError as error:
        raise _not_sent(event, f"{event.run[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        said = safe(done.stderr.decode(errors="replace").strip().rpartition("\n")[2], _SAID)
        raise _not_sent(event, f"{event.run[0]} ended with {done.returncode}" + (f": {said}" if said else ""))


def _not_sent(event: Event, why: str) -> TemporaryError:
    return TemporaryError("event-not-sent", f"The event '{event.name}' was not taken: {safe(why, _SAID)}.")
