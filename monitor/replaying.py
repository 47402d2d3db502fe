"""`siaga alert test`: a rule over the stored days of many devices, each with the limits that hold for it now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from inventory.models import Interface
from inventory.store import reading
from monitor.rules.book import open_book
from monitor.rules.replay import Known, Ring, histories, rings
from monitor.samples import open_samples
from monitor.scene import open_scene
from monitor.store import committed
from siaga.settings import Settings


def replay(
    engine: Engine, settings: Settings, name: str, ids: Sequence[int], since: datetime, until: datetime
) -> tuple[list[dict[str, Any]], int]:
    """Return each time that the rule would have rung, and on how many devices it was looked for.

    Raises InvalidError (`not-kept`).
    """
    gap_s = max(300.0, 2.0 * settings.poll.interval_s)
    found: list[Ring] = []
    with open_samples(settings.home) as samples, reading(engine) as session:
        book = open_book(session, settings.home)
        known = _known(session, settings, until)
        concerned = [(d, r) for d in ids for r in book.of_device.get(d, ()) if r.name == name]
        for device, rule in concerned:
            own = known.get(device, Known({}, {}, {}))
            for subject, history in histories(session, samples, rule, device, own, since, until):
                found += rings(device, subject, rule, history, gap_s)
    found.sort(key=lambda r: r.start)
    return [_row(r, book.names.get(r.device, "?"), until) for r in found], len(concerned)


def _row(ring: Ring, device: str, until: datetime) -> dict[str, Any]:
    lasted = ((ring.end or until) - ring.start).total_seconds()
    return {
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
