"""Reads JSON from another system's API over HTTP: the one module of the imports that imports httpx.

The token goes to the host it is meant for and nowhere else: no redirect to another host is followed, and no
address that an answer names. Every wait has an end, every answer a limit.
"""

import json
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from inventory.imports.sheets import MAX_ROWS
from siaga.clock import retry_after_s, utc_now
from siaga.errors import AuthError, InvalidError, NotFoundError, SiagaError, TemporaryError, UsageError
from siaga.text import safe

MAX_ANSWER_BYTES = 128 * 1024 * 1024
MAX_REDIRECTS = 5
_AGAIN = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class Patience:
    """How long is waited: for a connection, for an answer, and between tries (doubled each time, with jitter)."""

    connect_s: float = 10.0
    answer_s: float = 60.0  # between two pieces of an answer
    whole_s: float = 300.0  # for the whole of one answer
    tries: int = 5
    wait_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Api:
    """An API: where it is, how one logs in, and who issued its certificate. Use it in a `with`."""

    url: str
    system: str
    headers: Mapping[str, SecretStr] = field(default_factory=dict)
    ca_file: str = ""
    patience: Patience = Patience()

    def __post_init__(self) -> None:
        self.url = _checked(self.url).rstrip("/")
        self._client: httpx.Client | None = None
        self.requests = 0

    def __enter__(self) -> "Api":
        timeout = httpx.Timeout(self.patience.answer_s, connect=self.patience.connect_s)
        # No proxy and no netrc of the environment: a token must not go where nobody looked.
        self._client = httpx.Client(verify=_trust(self.ca_file), timeout=timeout, trust_env=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._client:
            self._client.close()

    @property
    def plain_text(self) -> bool:
        """Whether the token travels unencrypted."""
        return self.url.startswith("http://") and bool(self.headers)

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, missing: bool = False) -> Any:
        """Return the JSON at `path`; with `missing` None for what is not there or not allowed.

        Raises AuthError (`api-refused`), NotFoundError (`api-not-found`), InvalidError (`api-answer`) or
        TemporaryError (`api-unreachable`).
        """
        answer = self._tried(f"{self.url}/{path.lstrip('/')}", dict(params or {}))
        if missing and answer.status_code in (403, 404):
            return None
        self._check(answer, path)
        return self._json(answer, path)

    def _tried(self, url: str, params: Mapping[str, Any]) -> httpx.Response:
        """Ask again what may pass, each time after a longer wait."""
        wait = self.patience.wait_s
        for left in range(self.patience.tries - 1, -1, -1):
            try:
                answer = self._followed(url, params)
            except httpx.RequestError as error:
                if not left or not isinstance(error, httpx.TransportError):
                    raise self._unreachable(error) from None
                said = 0.0
            else:
                if answer.status_code not in _AGAIN or not left:
                    return answer
                said = retry_after_s(answer.headers.get("retry-after", ""), utc_now())
            self.patience.sleep(min(max(wait * random.uniform(0.8, 1.2), said), _LONGEST_WAIT_S))  # noqa: S311
            wait *= 2
        raise AssertionError("unreachable")

    def _followed(self, url: str, params: Mapping[str, Any]) -> httpx.Response:
        """Follow redirects on the same host only; raises InvalidError (`api-redirect`) for any other."""
        target = httpx.URL(url, params=params)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._asked(target)
            if not answer.is_redirect:
                return answer
            following = self._target(target, answer.headers.get("location", ""))
            if not _same_host(target, following):
                raise InvalidError(
                    "api-redirect",
                    f"{self.system} at {self.url} sends on to {_root(following)}, which gets no token:"
                    " give that address instead, if it is right.",
                )
            target = following
        raise InvalidError("api-redirect", f"{self.system} at {self.url} sends on and on, to itself.")

    def _target(self, target: httpx.URL, location: str) -> httpx.URL:
        try:
            return target.join(location)
        except httpx.InvalidURL:
            raise InvalidError(
                "api-redirect", f"{self.system} at {self.url} sends on to no address."
            ) from None

    def _asked(self, target: httpx.URL) -> httpx.Response:
        assert self._client is not None, "Api is used in a with"
        self.requests += 1
        headers = {k: v.get_secret_value() for k, v in self.headers.items()}
        headers["Accept"] = "application/json"
        with self._client.stream("GET", target, headers=headers) as answer:
            pieces, size, until = [], 0, time.monotonic() + self.patience.whole_s
            for piece in answer.iter_bytes():
                size += len(piece)
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer never ended")
                if size > MAX_ANSWER_BYTES:
                    raise InvalidError(
                        "api-answer",
                        f"{self.system} gave more than {MAX_ANSWER_BYTES // 2**20} MiB in one answer.",
                    )
                pieces.append(piece)
        plain = {k: v for k, v in answer.headers.items() if k not in ("content-encoding", "content-length")}
        return httpx.Response(answer.status_code, headers=plain, content=b"".join(pieces))

    def _check(self, answer: httpx.Response, path: str) -> None:
        if answer.status_code in (401, 403):
            raise AuthError(
                "api-refused",
                f"{self.system} at {self.url} refused /{path} ({answer.status_code}{_reason(answer)}):"
                " see to the token and its rights.",
            )
        if answer.status_code == 404:
            raise NotFoundError(
                "api-not-found", f"{self.system} at {self.url} has no /{path}: is the URL right?"
            )
        if answer.status_code in _AGAIN:
            raise TemporaryError(
                "api-unreachable",
                f"{self.system} at {self.url} answered {answer.status_code} to /{path},"
                f" {self.patience.tries} times{_reason(answer)}.",
            )
        if answer.status_code != 200:
            raise InvalidError(
                "api-answer",
                f"{self.system} at {self.url} answered {answer.status_code} to /{path}{_reason(answer)}.",
            )

    def _json(self, answer: httpx.Response, path: str) -> Any:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise InvalidError(
                "api-answer",
                f"{self.url}/{path} answered {safe(kind, 60) or 'nothing known'} and no JSON:"
                f" is that the address of {self.system}?",
            )
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise InvalidError(
                "api-answer",
                f"{self.url}/{path} calls its answer JSON, but {_instead(answer.content, error)}:"
                f" is that the address of {self.system}?",
            ) from None

    def _unreachable(self, error: httpx.RequestError) -> SiagaError:
        if isinstance(error, httpx.TimeoutException):
            reason = f"no answer within {self.patience.answer_s:g} s"
        else:
            reason = safe(error, 160) or type(error).__name__
        hint = " (give its authority with --ca-file)" if "CERTIFICATE_VERIFY" in reason.upper() else ""
        return TemporaryError(
            "api-unreachable", f"{self.system} at {self.url} cannot be reached: {reason}{hint}."
        )


def _checked(url: str) -> str:
    parts = urlsplit(url)
    try:
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "bad-url", "The URL must be such as https://netbox.example.go.id, without user and query."
        )
    return url


def _trust(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise NotFoundError("no-such-file", f"The authority {ca_file} cannot be read: {error}.") from None
    return context


def _same_host(one: httpx.URL, other: httpx.URL) -> bool:
    """Tell whether a redirect stays where it was; from http to https on the same host it does."""
    if one.host != other.host:
        return False
    return (one.scheme, one.port) == (other.scheme, other.port) or (
        (one.scheme, other.scheme) == ("http", "https") and one.port is None and other.port is None
    )


def _root(url: httpx.URL) -> str:
    """Return the address to give for an API that lies there: scheme, host, port, and what stands before /api."""
    before, api, _ = url.path.partition("/api/")
    where = f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
    return safe(where + (before if api else ""), 200)


def _instead(content: bytes, error: Exception) -> str:
    """Return what an answer is that is no JSON."""
    begin = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not begin:
        return "it is empty"
    if begin.startswith(b"<"):
        return "it is a web page" if b"<html" in begin or b"<!doctype html" in begin else "it is XML or HTML"
    return f"it is none (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else "it is none"


def _reason(answer: httpx.Response) -> str:
    """Return what the other side said of its refusal, made safe: ': Invalid token', or ''."""
    try:
        said = json.loads(answer.content[:10_000])
    except (ValueError, RecursionError):
        return ""
    words = (
        (said.get("detail") or said.get("message") or said.get("error")) if isinstance(said, dict) else None
    )
    return f": {safe(words, 160)}" if isinstance(words, str) else ""


def pages(
    api: Api, path: str, params: Mapping[str, Any] | None = None, *, limit: int = 500
) -> Iterator[dict[str, Any]]:
    """Yield every record of a list that comes in pages of NetBox's form: count, next, results.

    The next page is asked at our own address, from where the last one ended: what `next` names is not trusted.
    A record that comes twice, because somebody wrote meanwhile, is given once. Raises InvalidError (`api-answer`)
    for a list that would never end.
    """
    offset = 0
    seen: set[str] = set()
    while True:
        page = api.get(path, {**(params or {}), "limit": limit, "offset": offset})
        found = page.get("results") if isinstance(page, dict) else None
        if not isinstance(found, list) or not all(isinstance(r, dict) for r in found):
            raise InvalidError("api-answer", f"{api.url}/{path} answered no list of results.")
        known = len(seen)
        for record in found:
            key = json.dumps(record if record.get("id") is None else record["id"], sort_keys=True)
            if key not in seen:
                seen.add(key)
                yield record
        offset += len(found)
        if not found or not page.get("next"):
            return
        _check_end(f"{api.url}/{path}", page, offset, len(seen), known)


def _check_end(where: str, page: Mapping[str, Any], offset: int, seen: int, known: int) -> None:
    """Raise InvalidError (`api-answer`) for a page that names a next one where there can be none."""
    count = page.get("count")
    if seen == known:
        reason = f"gave the same records again when it was asked for those from number {known + 1} on"
    elif isinstance(count, int) and offset >= count:
        reason = f"announced {count} records, gave {offset} and says that there are more"
    elif seen >= MAX_ROWS:
        reason = f"gave {MAX_ROWS:,} records and says that there are more"
    else:
        return
    raise InvalidError("api-answer", f"{where} {reason}: the list would never end.")
