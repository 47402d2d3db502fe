"""What an audit is asked to look at: devices by a selector, or addresses of a prefix, without the silent ones."""

import asyncio
import ipaddress
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlmodel import Session, select

from inventory.models import Device
from inventory.select import meant
from inventory.store import reading
from monitor.audit.judge import Place
from monitor.audit.store import Managed, managed
from monitor.discover_asked import Asked, scope
from monitor.tcp_ports import open_ports
from siaga.errors import NotFoundError, UsageError
from siaga.settings import Settings
from siaga.text import safe

MOST = 4096  # addresses of prefixes that are asked without a --yes
_SIDE_BY_SIDE = 512


def is_prefix(word: str) -> bool:
    """Tell whether a word of the command line is a prefix, a span or an address, and no selector."""
    first = word.partition("/")[0].partition("-")[0]
    try:
        ipaddress.ip_address(first)
    except ValueError:
        return False
    return True


def asked(
    engine: Engine, settings: Settings, words: Sequence[str], *, yes: bool
) -> tuple[list[Managed], int]:
    """Return what to look at, and how many addresses of prefixes were silent.

    Raises UsageError (`mixed`, `too-many`, `bad-prefix`), NotFoundError (`nothing-selected`).
    """
    prefixes = [w for w in words if is_prefix(w)]
    if prefixes and len(prefixes) < len(words):
        raise UsageError("mixed", "Name either devices by a selector, or prefixes, not both at once.")
    if prefixes:
        return _hosts(engine, settings, prefixes, yes=yes)
    with reading(engine) as session:
        ids = meant(session, "device", words)
        found = managed(session, ids)
    if words and not ids:
        raise NotFoundError("nothing-selected", f"No device matches '{safe(' '.join(words), 80)}'.")
    return found, 0


def _hosts(
    engine: Engine, settings: Settings, prefixes: Sequence[str], *, yes: bool
) -> tuple[list[Managed], int]:
    within = scope(engine, settings, Asked(prefixes, yes=yes))
    if len(within) > MOST and not yes:
        raise UsageError("too-many", f"That is {len(within):,} addresses, more than {MOST:,}: say --yes.")
    addresses = list(within.addresses())
    with reading(engine) as session:
        own = {m.spot.address: m for m in managed(session, _all(session))}
    strange = [a for a in addresses if a not in own]
    own_audit = settings.audit
    ports = sorted({22, own_audit.telnet_port, *own_audit.http_ports, *own_audit.https_ports})
    timeout_s = min(own_audit.timeout_s, settings.discover.timeout_s)
    answering = asyncio.run(open_ports(strange, ports, concurrency=_SIDE_BY_SIDE, timeout_s=timeout_s))
    found = [own[a] for a in addresses if a in own]
    found += [Managed(Place(a), 22, 161) for a in strange if a in answering]
    return found, len(addresses) - len(found)


def _all(session: Session) -> list[int]:
    return [i for i in session.exec(select(Device.id)) if i is not None]
