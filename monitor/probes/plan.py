"""Which check a service gets: a recorded service, or a URL, becomes one frozen description of what to ask. Pure.

URLs: http://, https://, tcp://host:port, tls://host:port, and dns://server/name?type=SOA (RFC 4501).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from siaga.settings import Checks, Plugin

RECORD_TYPES = ("A", "AAAA", "MX", "SOA", "NS", "CNAME", "TXT", "PTR")
DNS_PORT = 53
DEFAULT_STATUSES = ((200, 399),)


@dataclass(frozen=True)
class Limits:
    """How long, how much and where to: what bounds every check (see the settings `[checks]`)."""

    timeout_s: float = 10.0
    slow_s: float = 3.0
    body_bytes: int = 1 << 20
    redirects: int = 5
    warning_days: int = 30
    critical_days: int = 7
    ca_file: str = ""
    proxy: tuple[str, int] | None = None
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service:
    """What a row of the inventory, or a command line, says of one service; `address` is its device's."""

    name: str
    url: str = ""
    address: str = ""
    port: int | None = None
    check: str = ""
    expect: str = ""
    expect_status: str = ""
    plugin: str = ""
    service_id: int | None = None


@dataclass(frozen=True)
class HttpCheck:
    """Ask for `url`; `statuses` are the ranges that are right, `expect` must be found in the body."""

    name: str
    url: str
    statuses: tuple[tuple[int, int], ...] = DEFAULT_STATUSES
    expect: str = ""


@dataclass(frozen=True)
class TcpCheck:
    """Connect, greet by TLS if asked to, and wait for a banner with `expect` in it if there is one."""

    name: str
    host: str
    port: int
    tls: bool = False
    expect: str = ""


@dataclass(frozen=True)
class DnsCheck:
    """Ask `server` (empty: the system's) for the records of `query`; `expect` must be found in one of them.

    Of a zone's SOA, all its own servers are asked for their serials too.
    """

    name: str
    query: str
    record: str = "A"
    server: str = ""
    port: int = DNS_PORT
    expect: str = ""


@dataclass(frozen=True)
class PluginCheck:
    """Run a Nagios plugin: an argument list, an environment of its own, and how long it may take."""

    name: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    timeout_s: float | None = None
    title: str = ""


@dataclass(frozen=True)
class NoCheck:
    """Nothing can be asked, and why."""

    name: str
    why: str
    target: str = ""


Check = HttpCheck | TcpCheck | DnsCheck | PluginCheck | NoCheck


def limits(settings: Checks) -> Limits:
    """Return the bounds that the settings give."""
    host, _, port = settings.proxy.removeprefix("http://").rpartition(":")
    return Limits(
        timeout_s=settings.timeout_s,
        slow_s=settings.slow_s,
        body_bytes=settings.body_bytes,
        redirects=settings.redirects,
        warning_days=settings.certificate_warning_days,
        critical_days=settings.certificate_critical_days,
        ca_file=str(settings.ca_file or ""),
        proxy=(host, int(port)) if host else None,
        forbidden=tuple(map(str, settings.forbidden)),
    )


def planned(service: Service, plugins: Mapping[str, Plugin], resolver: str = "") -> Check | None:
    """Return the check of a service; None if it is not to be checked, NoCheck if nobody could."""
    if service.check == "none":
        return None
    try:
        return _planned(service, plugins, resolver)
    except ValueError as error:
        return NoCheck(service.name, str(error), service.url)


def _planned(service: Service, plugins: Mapping[str, Plugin], resolver: str) -> Check:
    if service.check == "plugin" or (service.plugin and not service.check):
        return _plugin(service, plugins)
    scheme = urlsplit(service.url).scheme
    kind = service.check or {"https": "http"}.get(scheme, scheme) or ("tcp" if service.port else "")
    if kind == "http":
        return HttpCheck(
            service.name, _web(service.url), statuses(service.expect_status), _pattern(service.expect)
        )
    if kind == "dns":
        return _dns(service, resolver)
    if kind in ("tcp", "tls"):
        host, port = _where(service)
        return TcpCheck(service.name, host, port, kind == "tls", _pattern(service.expect))
    if kind:
        raise ValueError(f"A check of '{kind}' is not known: write http, https, tcp, tls or dns.")
    raise ValueError("It has no URL, and no device with a port: nothing tells what to check.")


def _web(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("Its URL is none of http:// or https://.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("Its URL holds a user or a password, which belong in no URL.")
    if not parts.geturl().isprintable() or " " in url:
        raise ValueError("Its URL holds what no URL may hold.")
    _ = parts.port  # raises ValueError when it is none
    return url


def _where(service: Service) -> tuple[str, int]:
    parts = urlsplit(service.url)
    port = parts.port or service.port or {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.hostname or service.address
    if not host or port is None:
        raise ValueError("It has no URL like tcp://host:port, and no device with an address and a port.")
    return host, port


def _dns(service: Service, resolver: str) -> DnsCheck:
    parts = urlsplit(service.url)
    query = unquote(parts.path.lstrip("/"))
    if parts.scheme != "dns" or not query:
        raise ValueError("Its URL is none like dns://server/name?type=A (the server may be left out).")
    asked = parse_qs(parts.query.replace(";", "&"))
    record = asked.get("type", ["A"])[0].upper()
    if record not in RECORD_TYPES:
        raise ValueError(f"A DNS check asks for {', '.join(RECORD_TYPES)}.")
    server, port = parts.hostname or service.address or resolver, parts.port or DNS_PORT
    return DnsCheck(service.name, query, record, server, port, _pattern(service.expect))


def _plugin(service: Service, plugins: Mapping[str, Plugin]) -> PluginCheck:
    plugin = plugins.get(service.plugin)
    if plugin is None:
        raise ValueError(f"There is no [plugins.{service.plugin}] in the settings.")
    parts = urlsplit(service.url)
    values = {
        "name": service.name,
        "url": service.url,
        "address": service.address or (parts.hostname or ""),
        "host": parts.hostname or service.address,
        "port": str(parts.port or service.port or ""),
    }
    filled = tuple(_filled(argument, values) for argument in plugin.run[1:])
    return PluginCheck(
        service.name,
        (plugin.run[0], *filled),
        tuple(plugin.environment.items()),
        plugin.timeout_s,
        service.plugin,
    )


def _filled(argument: str, values: Mapping[str, str]) -> str:
    """Put a service's values into an argument; one that would be read as an option is refused."""

    def value(found: re.Match[str]) -> str:
        text = values[found[1]]
        if not text:
            raise ValueError(f"The plugin wants {{{found[1]}}}, which the service does not have.")
        if text.startswith("-") or not text.isprintable():
            raise ValueError(f"The service's {found[1]} cannot be an argument.")
        return text

    return re.sub(r"\{(" + "|".join(values) + r")\}", value, argument)


def statuses(text: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges in '200-299,401'; raises ValueError for anything else."""
    if not text.strip():
        return DEFAULT_STATUSES
    found = []
    for part in text.split(","):
        range_ = re.fullmatch(r"\s*([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?\s*", part)
        if not range_:
            raise ValueError("Its expect_status is none like 200-299,401.")
        found.append((int(range_[1]), int(range_[2] or range_[1])))
    return tuple(found)


def _pattern(text: str) -> str:
    from siaga.expressions import expression

    try:
        if text:
            expression(text)
    except ValueError as error:
        raise ValueError(f"Its expect is no regular expression of RE2 ({error}).") from None
    return text
