"""Looks at hosts that somebody named, and proposes what answered there."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlmodel import Session

from inventory.history import Author
from inventory.nouns import noun
from inventory.proposals import Finding, Proposed, propose_all
from monitor.inspect import explicit, patient, target_of
from monitor.login_options import Asking
from monitor.observation import Observation
from monitor.poller import ask
from monitor.propose import HEARD, facts_of
from siaga.clock import utc_now
from siaga.settings import Settings


@dataclass(frozen=True)
class Look:
    """A host that was looked at: its name as given, what was seen, and the credential that opened it."""

    host: str
    seen: Observation
    credential: str = ""


def take(session: Session, author: Author, looks: Iterable[Look], *, source: str) -> list[Proposed]:
    """Propose what answered; of the others there is nothing to propose."""
    findings = [Finding(facts_of(x.seen, x.credential)) for x in looks if x.seen.reach in HEARD]
    return propose_all(session, author, findings, source=source)


def look_at(
    settings: Settings, hosts: Sequence[str], asking: Asking, credentials: Sequence[str] = ()
) -> list[Look]:
    """Look at hosts side by side; those that do not answer to one credential are asked with the next."""
    settings = patient(settings, asking)
    found: dict[str, Look] = {}
    for credential in credentials or ("",):
        left = [h for h in hosts if h not in found or found[h].seen.reach not in HEARD]
        targets = [target_of(settings, replace(asking, host=h, credential=credential)) for h in left]
        seen = asyncio.run(ask(targets, settings, now=utc_now))
        found |= {h: Look(h, o, credential) for h, o in zip(left, seen, strict=True)}
    return [found[h] for h in dict.fromkeys(hosts)]


def looked(
    settings: Settings, hosts: Sequence[str], asking: Asking, credentials: Sequence[str]
) -> list[Look]:
    """Look at hosts; one that is recorded by its address is asked as its row says, unless a login was given."""
    from inventory.store import open_engine, reading

    with reading(open_engine(settings)) as session:
        c = noun("device").table.c
        query = select(c.address, c.name).where(c.address.in_(list(hosts)), c.transport != "none")
        given = credentials or explicit(asking)
        recorded: dict[str, str] = {} if given else {row.address: row.name for row in session.execute(query)}
    looks = look_at(settings, [recorded.get(h, h) for h in hosts], asking, credentials)
    return [replace(x, host=x.seen.address if x.host in recorded.values() else x.host) for x in looks]
