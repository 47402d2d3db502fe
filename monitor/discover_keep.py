"""What a sweep found becomes observed values of rows, proposals, and sightings; and one value for each box to show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory import ipam_nodes
from inventory.history import Author
from inventory.identity import Kind
from inventory.ipam_nodes import Remembered, Spotted
from inventory.ipam_seen import Places
from inventory.ipam_seen import point as place_of
from inventory.models_ipam import Address
from inventory.nouns import noun
from inventory.proposals import SWEEP, Finding, Proposed, propose_all
from inventory.traits import Facts
from monitor.boxes import Answered, Box, boxes
from monitor.hosts import Host
from monitor.propose import facts_of
from monitor.scope import point


@dataclass(frozen=True)
class Found:
    """One box, or one address that is alive and was not identified.

    `what`: known (a row for certain), new and changed (asked just now), waiting (asked before), rejected (asked
    before, and none of ours), refused (speaks SNMP, lets nobody in), alive (answers, but no SNMP).
    """

    what: str
    addresses: tuple[str, ...]
    facts: Facts
    proposed: Proposed | None = None
    rtt_s: float | None = None
    ports: tuple[int, ...] = ()
    reason: str = ""
    found_by: str = ""


@dataclass(frozen=True)
class Kept:
    """What came of a sweep; `unlooked`: hosts that answered and were not looked at before it was cut off."""

    found: tuple[Found, ...] = ()
    seen: Remembered = field(default_factory=Remembered)
    unlooked: int = 0


def keep(
    session: Session, author: Author, hosts: Mapping[str, Host], *, port: int, all_alive: bool = False
) -> Kept:
    """Keep what was found, in one transaction; the session must write."""
    recorded, before = _recorded(session), _open(session)
    answered = [_answered(h, port) for h in hosts.values() if h.login is not None]
    whole = boxes((a for a in answered if a is not None), recorded | set(before.values()))
    told = propose_all(session, author, [Finding(b.facts) for b in whole], source=SWEEP)
    found = [_box(b, p, before, hosts) for b, p in zip(whole, told, strict=True)]
    bare = [_bare(h) for h in hosts.values() if h.login is None]
    if all_alive:
        bare = _asked_about(session, author, bare, recorded, before)
    seen = ipam_nodes.remember(session, _sightings(session, hosts.values()), at=author.now)
    shown = sorted([*found, *bare], key=lambda f: point(f.addresses[0]))
    return Kept(tuple(shown), seen, sum(a is None for a in answered))


def _answered(host: Host, port: int) -> Answered | None:
    """Return what a host said; None if it answered and nobody came to look at it."""
    name = host.login.name if host.login else ""
    if host.seen is not None and host.heard:
        facts = facts_of(host.seen, name)
    elif host.seen is not None or host.refused or host.same_as:
        facts = _light(host, port, name)
    else:
        return None
    more = {k: v for k, v in (("open_ports", _listed(host.ports)), ("found_by", host.found_by)) if v}
    return Answered(replace(facts, more={**facts.more, **more}), host.own, host.same_as)


def _light(host: Host, port: int, credential: str) -> Facts:
    """Return what the light probe told, where that is all there is."""
    greeting = host.greeting
    more = {"description": greeting.sysDescr, "credential": credential}
    return Facts(
        engine_id=greeting.engine_id,
        sysname=greeting.sysName,
        address=host.address,
        transport="snmp",
        port=port,
        more={k: v for k, v in more.items() if v},
    )


def _box(box: Box, proposed: Proposed, before: Mapping[str, str], hosts: Mapping[str, Host]) -> Found:
    several = [hosts[a] for a in box.addresses]
    rtts = [h.rtt_s for h in several if h.rtt_s is not None]
    ports = sorted({p for h in several for p in h.ports})
    reason = next((h.refused or (h.seen.reason if h.seen else "") for h in several), "")
    by = next((h.found_by for h in several if h.found_by), "")
    what = _what(proposed, before)
    return Found(what, box.addresses, box.facts, proposed, min(rtts, default=None), tuple(ports), reason, by)


def _what(proposed: Proposed, before: Mapping[str, str]) -> str:
    if not proposed.proposal:
        return "known" if proposed.kind is Kind.known else "rejected"
    if proposed.proposal in before:
        return "waiting"
    return "new" if proposed.kind is Kind.new else "changed"


def _bare(host: Host) -> Found:
    what = "refused" if host.refused else "alive"
    more = {k: v for k, v in (("open_ports", _listed(host.ports)), ("found_by", host.found_by)) if v}
    facts = Facts(engine_id=host.greeting.engine_id, address=host.address, more=more)
    return Found(what, (host.address,), facts, None, host.rtt_s, host.ports, host.refused, host.found_by)


def _asked_about(
    session: Session,
    author: Author,
    bare: Sequence[Found],
    recorded: frozenset[str],
    before: Mapping[str, str],
) -> list[Found]:
    """Propose hosts that are alive and not identified as well; not those at the address of a device."""
    wanted = [f for f in bare if f.addresses[0] not in recorded]
    told = propose_all(session, author, [Finding(f.facts) for f in wanted], source=SWEEP)
    asked = {
        f.addresses[0]: replace(f, proposed=p, what=_what(p, before))
        for f, p in zip(wanted, told, strict=True)
    }
    return [asked.get(f.addresses[0], f) for f in bare]


def _listed(ports: Iterable[int]) -> str:
    return " ".join(map(str, ports))


# --- from and to the database ------------------------------------------------------------------------------------


def _recorded(session: Session) -> frozenset[str]:
    """Return the addresses of all devices, the further ones too."""
    d: Any = noun("device").table.c
    a: Any = Address.__table__.c  # type: ignore[attr-defined]
    own = session.execute(select(d.address).where(d.address != "")).scalars()
    given = session.execute(select(a.name).where(a.device_id.is_not(None) | a.interface_id.is_not(None)))
    return frozenset(own) | {name.partition(" ")[0] for name in given.scalars()}


def _open(session: Session) -> dict[str, str]:
    """Return name → address of the proposals that wait for an answer."""
    c: Any = noun("proposal").table.c
    rows = session.execute(select(c.name, c.facts).where(c.status == "open"))
    return {name: (facts or {}).get("address", "") for name, facts in rows}


def _sightings(session: Session, hosts: Iterable[Host]) -> list[Spotted]:
    """Return who answered as sightings, as far as IPAM has a prefix around it in the global table."""
    usual = [h for h in hosts if ipam_nodes.ordinary(h.address)]
    around = Places(session).of(None, (place_of(h.address) for h in usual))
    inside = [h for h in usual if place_of(h.address) in around]
    return [Spotted(h.address, source="snmp" if h.login else "ping") for h in inside]
