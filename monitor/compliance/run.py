"""One round of compliance, for a command and for the service: read, judge, keep."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from inventory.findings_store import Kept
from inventory.runs import recorded
from inventory.store import reading, session
from monitor.compliance.check import MAX_AGE, Result, check
from monitor.compliance.files import Library, load
from monitor.compliance.source import texts_of
from monitor.compliance.store import store, subjects
from monitor.compliance.texts import Texts
from monitor.finding_alarms import ring
from siaga.settings import Settings


@dataclass(frozen=True)
class Round:
    """What a round came to. `without`: devices for whose platform there are no rules."""

    results: tuple[Result, ...]
    library: Library
    without: int = 0
    kept: Kept = field(default_factory=Kept)


def judged(
    engine: Engine,
    settings: Settings,
    ids: Sequence[int],
    now: datetime,
    *,
    texts: Texts | None = None,
    max_age: timedelta = MAX_AGE,
) -> Round:
    """Return what the rules say of these devices; nothing is stored. `texts` None: of what the backup keeps."""
    library = load(settings.home)
    source = texts_of(engine, settings) if texts is None else texts
    with reading(engine) as opened:
        meant = subjects(opened, ids)
    found = sorted(check(meant, library, source, now, max_age), key=lambda r: r.subject.name)
    return Round(tuple(found), library, len(meant) - len(found))


def kept(engine: Engine, settings: Settings, done: Round, now: datetime, *, who: str) -> Round:
    """Write what a round said, and what it makes of the findings, as a recorded run."""
    summary: dict[str, Any] = {"devices": len(done.results)}
    with recorded(engine, "compliance", who=who, summary=summary) as run_id:
        with session(engine) as writing:
            stored = store(writing, done.results, done.library, now)
        ring(engine, settings, now, run_id=run_id)
        summary |= {"opened": stored.opened, "again": stored.again, "closed": stored.closed}
    return Round(done.results, done.library, done.without, stored)
