"""What a command line asks of a sweep becomes its plan: the scope, the credentials opened, the pace, the ports."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import Engine

from inventory.credentials import opened_many
from inventory.options import split
from inventory.select import joined, selected
from inventory.store import labels, reading
from monitor.hosts import Login, Plan
from monitor.pace import Pace
from monitor.scope import Scope, Span, bound, read
from monitor.store import snmp_auth
from monitor.targets import SnmpAuth
from siaga.errors import InvalidError, NotFoundError, SiagaError, UsageError
from siaga.secrets import open_vault
from siaga.settings import Settings
from siaga.text import safe

_PORTS_AT_MOST = 64


@dataclass(frozen=True)
class Asked:
    """What a command line says; None and '' leave it to the settings. `hops` 0: neighbours are not followed."""

    prefixes: Sequence[str] = ()
    recorded: bool = False
    credentials: Sequence[str] = ()
    within: Sequence[str] = ()
    hops: int = 0
    ping: bool = True
    ports: str = ""
    snmp_port: int = 161
    rate_pps: float | None = None
    timeout_s: float | None = None
    retries: int | None = None
    yes: bool = False


def plan(engine: Engine, settings: Settings, asked: Asked) -> Plan:
    """Return the plan of a sweep. Raises UsageError, NotFoundError, InvalidError for what cannot be meant."""
    own = settings.discover
    retries = asked.retries
    pace = Pace(
        asked.rate_pps or own.rate_pps,
        asked.timeout_s or own.timeout_s,
        own.retries if retries is None else retries,
    )
    ports, named = _ports(settings, asked.ports)
    return Plan(
        scope(engine, settings, asked),
        logins(engine, settings, asked.credentials or own.credentials),
        pace,
        port=asked.snmp_port,
        ping=asked.ping,
        attempts=own.attempts,
        concurrency=settings.poll.concurrency,
        timeout_s=asked.timeout_s or settings.poll.timeout_s,
        retries=settings.poll.retries if retries is None else retries,
        look_s=own.look_s,
        hops=asked.hops,
        ports=ports,
        ports_of_all=named,
    )


def scope(engine: Engine, settings: Settings, asked: Asked) -> Scope:
    """Return what may be touched, which is not too much and not nothing."""
    wanted = list(asked.prefixes)
    if asked.recorded:
        wanted = _recorded(engine, settings, wanted)
    elif not wanted:
        raise UsageError("no-prefix", "Name what to sweep, such as 10.3.0.0/16, or say --recorded.")
    found = Scope(
        tuple(read(a) for a in dict.fromkeys(wanted)),
        _bounds("deny", settings.discover.deny),
        _bounds("allow", settings.discover.allow),
        tuple(bound(w) for w in asked.within),
    )
    number, most = len(found), settings.discover.most_addresses
    if not number:
        raise UsageError("nothing-to-ask", "Nothing is left to ask: see 'allow' and 'deny' of [discover].")
    if number > most and not asked.yes:
        sentence = f"That is {number:,} addresses, more than {most:,}: name less, or say --yes."
        raise UsageError("too-many", sentence)
    return found


def _bounds(key: str, given: Sequence[str]) -> tuple[Span, ...]:
    try:
        return tuple(bound(text) for text in given)
    except SiagaError as error:
        raise InvalidError("bad-settings", f"discover.{key} of the settings: {error.sentence}") from None


def _recorded(engine: Engine, settings: Settings, selector: Sequence[str]) -> list[str]:
    with reading(engine) as session:
        ids = selected(session, "prefix", joined(selector) or settings.discover.recorded)
        names = labels(session, "prefix", ids) if ids else {}
    if not names:
        raise NotFoundError("no-such-prefix", "No recorded prefix is selected: see 'siaga prefix list'.")
    return [names[i].partition(" ")[0] for i in ids]


def logins(engine: Engine, settings: Settings, names: Sequence[str]) -> tuple[Login, ...]:
    """Return the credentials opened, in the order given; without any, the community "public".

    Raises NotFoundError (`no-such-credential`), or UsageError (`not-snmp`) for one of SSH.
    """
    if not names:
        return (Login("", SnmpAuth(community=SecretStr("public"))),)
    with reading(engine) as session:
        ids = {name: i for i, name in labels(session, "credential").items()}
        missing = next((n for n in names if n not in ids), None)
        if missing is not None:
            raise NotFoundError("no-such-credential", f"No credential is called '{safe(missing, 80)}'.")
        opened = opened_many(session, open_vault(settings.home), [ids[n] for n in names])
    auths = {name: snmp_auth(opened[ids[name]]) for name in names}
    other = next((name for name, auth in auths.items() if auth is None), None)
    if other is not None:
        raise UsageError("not-snmp", f"The credential '{safe(other, 80)}' is not one of SNMP.")
    return tuple(Login(name, auth) for name, auth in auths.items() if auth is not None)


def _ports(settings: Settings, text: str) -> tuple[tuple[int, ...], bool]:
    """Return the TCP ports to look at, and whether somebody named them."""
    if not text:
        return settings.discover.ports, False
    words = [] if text == "none" else split(text)
    known = all(w.isascii() and w.isdigit() and len(w) < 6 and 1 <= int(w) <= 65535 for w in words)
    if not known or len(words) > _PORTS_AT_MOST:
        raise UsageError("bad-ports", f"'{safe(text, 80)}' is no list of ports such as 22,443.")
    return tuple(dict.fromkeys(map(int, words))), True
