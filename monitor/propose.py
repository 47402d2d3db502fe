"""Who answered there: what was read becomes facts for proposals, and a box in another's place becomes a question."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from inventory import candidates, traits
from inventory.history import Author
from inventory.identity import Kind, compare
from inventory.models import Observed
from inventory.nouns import noun
from inventory.proposals import Finding, Proposed, any_open, propose_all, settle
from inventory.traits import Facts, Traits
from monitor.observation import Observation, Reach

HEARD = (Reach.up, Reach.partial)
_NORMAL = {"serial": traits.serial, "engine_id": traits.engine_id, "base_mac": traits.mac}


def facts_of(seen: Observation, credential: str = "", *, ports: bool = True) -> Facts:
    """Return what an observation tells of a box; `credential` is the name of the one that opened it."""
    identity = seen.identity
    macs = frozenset(filter(None, (traits.mac(p.mac or "") for p in seen.ports))) if ports else frozenset()
    more = {
        "vendor": identity.vendor,
        "version": identity.version,
        "description": identity.sysDescr,
        "location": identity.sysLocation,
        "credential": credential,
    }
    return Facts(
        serial=identity.serial,
        engine_id=identity.engine_id,
        base_mac=identity.base_mac or min(macs, default=""),
        macs=macs,
        sysname=identity.sysName,
        address=seen.address,
        platform=identity.os,
        model=identity.hardware,
        transport=seen.transport,
        port=seen.port,
        more={k: v for k, v in more.items() if v},
    )


# --- boxes in another's place ----------------------------------------------------------------------------------


def judge_identity(session: Session, seen: Mapping[int, Observation]) -> list[Finding]:
    """Return the boxes of a round that are not those of the rows at whose addresses they answered.

    Either another row has the box's hardware, or this row had other hardware before, as the same source said.
    What differs from paper only is no such box: that is a disagreement. Two queries where nothing is odd.
    """
    suspects = _suspects(session, {d: o for d, o in seen.items() if o.reach in HEARD})
    if not suspects:
        return []
    facts = {device_id: facts_of(seen[device_id]) for device_id in suspects}
    fleet = candidates.load(session, [f.traits for f in facts.values()])
    before = {
        source: candidates.observed_only(
            session, [d for d in suspects if seen[d].transport == source], source
        )
        for source in {seen[d].transport for d in suspects}
    }
    return [
        Finding(facts[device_id], asked=device_id)
        for device_id in suspects
        if _is_odd(device_id, facts[device_id].traits, fleet, before[seen[device_id].transport][device_id])
    ]


def _is_odd(device_id: int, box: Traits, fleet: candidates.Fleet, before: Traits) -> bool:
    own = compare(box, fleet.rows[device_id].traits)
    other = fleet.judge(box, without={device_id})
    stranger = other.candidate is not None and not other.candidate.retired
    if stranger and other.kind is Kind.known and other.match.hardware and other.match.score > own.score:
        return True
    then = compare(box, before)
    if own.hardware or then.hardware or (box.engines & before.engines):
        return False
    # An engine ID alone is made anew by a reset.
    return compare(box, replace(before, engines=frozenset())).against


def _suspects(session: Session, seen: Mapping[int, Observation]) -> list[int]:
    """Return the devices whose hardware is not as their row knows it, or as another row knows it."""
    said = _hardware_said(session)
    holders: dict[tuple[str, str], set[int]] = {}
    before: dict[tuple[int, str, str], str] = {}
    for device_id, field, source, value in said:
        holders.setdefault((field, _NORMAL[field](value)), set()).add(device_id)
        before[device_id, source, field] = value
    found = []
    for device_id, observation in seen.items():
        identity = observation.identity
        for field, value in (
            ("serial", identity.serial),
            ("engine_id", identity.engine_id),
            ("base_mac", identity.base_mac),
        ):
            old = before.get((device_id, observation.transport, field), "")
            if value and value != old and _unlike(field, value, old, holders, device_id):
                found.append(device_id)
                break
    return found


def _unlike(
    field: str, value: str, old: str, holders: Mapping[tuple[str, str], set[int]], device_id: int
) -> bool:
    normal = _NORMAL[field](value)
    if not normal or normal == _NORMAL[field](old):
        return False
    there = holders.get((field, normal), set())
    return bool(_NORMAL[field](old)) or bool(there and device_id not in there)


def _hardware_said(session: Session) -> list[tuple[int, str, str, str]]:
    """Return (device id, field, source, value) of all hardware that is known, the recorded serials among them."""
    o: Any = Observed.__table__.c  # type: ignore[attr-defined]
    d = noun("device").table.c
    query = select(o.device_id, o.field, o.source, o.value).where(o.field.in_(list(_NORMAL)))
    recorded = select(d.id, d.serial).where(d.serial != "")
    found = [(i, field, source, value) for i, field, source, value in session.execute(query)]
    return found + [(i, "serial", "paper", serial) for i, serial in session.execute(recorded)]


def held_apart(
    session: Session, author: Author, seen: Mapping[int, Observation]
) -> tuple[dict[int, Observation], list[Proposed]]:
    """Return what may be kept of a round as observed of its rows, and what is asked about the rest.

    Open proposals that answered themselves meanwhile are closed.
    """
    odd = judge_identity(session, seen)
    apart = {f.asked for f in odd}
    kept = {d: o for d, o in seen.items() if d not in apart}
    asked = propose_all(session, author, odd, source="poll")
    if any_open(session):
        known = {d: facts_of(o, ports=False).traits for d, o in kept.items() if o.reach in HEARD}
        settle(session, author, known)
    return kept, asked
