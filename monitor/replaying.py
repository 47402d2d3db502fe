"""`siaga alert test`: rules over the stored days of many devices, each with the limits that hold for it now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from inventory.models import Interface
from inventory.store import reading
from monitor.rules.book import open_book
from monitor.rules.replay import Known, Ring, histories, is_kept, rings
from monitor.samples import open_samples
from monitor.scene import open_scene
from monitor.store import committed
from siaga.settings import Settings


def replay(
    engine: Engine, settings: Settings, name: str, ids: Sequence[int], since: datetime, until: datetime
) -> tuple[list[dict[str, Any]], int, Sequence[str]]:
    """Return each time that the rule would have rung, on how many devices it was looked for, and problems of rules.

    Without a name: every rule that can be replayed. Raises InvalidError (`not-kept`) for one that cannot.
    """
    gap_s = max(300.0, 2.0 * settings.poll.interval_s)
    found: list[tuple[str, Ring]] = []
    with open_samples(settings.home) as samples, reading(engine) as session:
        book = open_book(session, settings.home)
        known = _known(session, settings, until)
        concerned = [
            (d, r) for d in ids for r in book.of_device.get(d, ()) if (r.name == name if name else is_kept(r))
        ]
        for device, rule in concerned:
            own = known.get(device, Known({}, {}, {}))
            for subject, history in histories(session, samples, rule, device, own, since, until):
                found += ((rule.name, ring) for ring in rings(device, subject, rule, history, gap_s))
    found.sort(key=lambda one: one[1].start)
    rows = [_row(rule, r, book.names.get(r.device, "?"), until) for rule, r in found]
    return rows, len({device for device, _ in concerned}), book.problems


def _row(rule: str, ring: Ring, device: str, until: datetime) -> dict[str, Any]:
    lasted = ((ring.end or until) - ring.start).total_seconds()
    return {
        "rule": rule,
        "device": device,
        "subject": ring.subject,
        "severity": ring.severity,
        "start": ring.start,
        "end": ring.end,
        "lasted_s": round(lasted),
    }


def _known(session: Session, settings: Settings, now: datetime) -> dict[int, Known]:
    promised = committed(session)
    links = {e.interface_id: e.wired for e in open_scene(session, settings, now).ends}
    speeds: dict[int, dict[str, int | None]] = {}
    wired: dict[int, dict[str, str]] = {}
    query = select(Interface).where(col(Interface.device_id).is_not(None))
    for row in session.exec(query):
        device, name = row.device_id or 0, row.name
        speeds.setdefault(device, {})[name] = row.seen_speed_bps or row.speed_bps
        link = links.get(row.id or 0)
        if link is not None and link.role == "backup":
            wired.setdefault(device, {})[name] = link.link
    return {d: Known(s, promised.get(d, {}), wired.get(d, {})) for d, s in speeds.items()}
