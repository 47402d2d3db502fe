"""One request of remote write over HTTP, and what its answer means. The connection is kept for the next one.

A redirect is not followed: what is sent goes where the settings say and nowhere else.
"""

import logging
import ssl
from collections.abc import Generator
from dataclasses import dataclass
from types import TracebackType

import httpx

from inventory.credentials import OpenCredential
from siaga.clock import retry_after_s, utc_now
from siaga.errors import InvalidError
from siaga.settings import RemoteWrite
from siaga.text import safe

logging.getLogger("httpx").setLevel(logging.WARNING)

_SAID = 300
_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Took:
    """2xx: it is there."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: try it again, after `after_s` if that was asked for. `lives`: it answered, and lost nothing."""

    why: str
    after_s: float = 0.0
    lives: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: something in the message is wrong (400), or it is too large (413)."""

    why: str


Result = Took | Later | Refused


class Wire:
    """A connection to one destination. `send` never raises for the other side or the network."""

    def __init__(self, to: RemoteWrite, credential: OpenCredential | None) -> None:
        self._to = to
        try:
            trust = ssl.create_default_context(cafile=to.ca_file)
        except OSError as error:
            sentence = f"{to.ca_file} cannot be read: {error.strerror}."
            raise InvalidError("bad-remote-write", sentence) from None
        self._client = httpx.Client(
            verify=trust,
            timeout=to.timeout_s,
            trust_env=False,
            headers=_headers(to),
            auth=_auth(to, credential),
        )

    def __enter__(self) -> "Wire":
        """Return itself; the connection is closed at the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._client.close()

    def send(self, octets: bytes) -> Result:
        """Send one message."""
        try:
            with self._client.stream("POST", self._to.url, content=octets) as answer:
                said = _bounded(answer).decode(errors="replace")
                return result(answer.status_code, said, answer.headers.get("Retry-After", ""))
        except httpx.HTTPError as error:
            return Later(f"{type(error).__name__}: {safe(error, _SAID)}")


def _bounded(answer: httpx.Response) -> bytes:
    """Return the answer's text; one that was read to its end leaves the connection open."""
    found = b""
    for chunk in answer.iter_bytes():
        found += chunk
        if len(found) > _READ_BYTES:
            break
    return found[:_READ_BYTES]


def result(status: int, said: str, retry_after: str = "") -> Result:
    """Return what an answer means.

    Not allowed (401, 403) or not there (404) is for the settings to mend: nothing is thrown away for that.
    """
    if 200 <= status < 300:
        return Took()
    why = f"HTTP {status}" + (f": {safe(said, _SAID)}" if said.strip() else "")
    if status in (400, 413, 422):
        return Refused(why)
    lives = status in (401, 403, 404, 405, 408, 429) or 300 <= status < 400
    return Later(why, retry_after_s(retry_after, utc_now()), lives=lives)


def _headers(to: RemoteWrite) -> dict[str, str]:
    return {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "User-Agent": "siaga",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
        **to.headers,
    }


def _auth(to: RemoteWrite, credential: OpenCredential | None) -> httpx.Auth | None:
    if credential is None:
        return None
    secret = credential.secrets.get({"token": "token", "password": "password"}.get(credential.kind, ""))
    if secret is None:
        sentence = f"The credential of the destination '{to.name}' is neither a token nor a password."
        raise InvalidError("bad-credential", sentence)
    if credential.kind == "password":
        return httpx.BasicAuth(credential.username, secret.get_secret_value())
    return _Bearer(secret.get_secret_value())


class _Bearer(httpx.Auth):
    """A token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
