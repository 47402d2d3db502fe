"""What connections carry, against what their contracts promise."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from inventory.models import Connection, Interface
from inventory.select import joined, selected
from inventory.store import open_engine, reading
from monitor.poller import rate_series
from monitor.samples import SampleStore, open_samples
from siaga.errors import UsageError
from siaga.settings import Settings

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def window(text: str) -> timedelta:
    """Return a window such as 30m, 2h or 7d. Raises UsageError (`bad-window`)."""
    match = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip())
    if not match or not int(match[1]):
        raise UsageError("bad-window", f"'{text}' is no window; write 30m, 2h, 7d.")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def busiest(
    settings: Settings, selector: Sequence[str], *, number: int, since: str, now: datetime
) -> list[dict[str, Any]]:
    """Return the connections with the highest share of their contract, or the highest rate without one."""
    start = now - window(since)
    with reading(open_engine(settings)) as session:
        ids = set(selected(session, "connection", joined(selector)))
        query = select(Connection, Interface).join(
            Interface, col(Interface.id) == col(Connection.interface_id)
        )
        pairs = [(c, i) for c, i in session.exec(query) if c.id in ids]
    with open_samples(settings.home) as samples:
        rows = [row for c, i in pairs if (row := _row(samples, c, i, start, now))]
    rows.sort(key=lambda r: (-(r["used_pct"] or -1), -(r["in_bps"] or 0)))
    return rows[:number]


def _row(
    samples: SampleStore, connection: Connection, interface: Interface, start: datetime, now: datetime
) -> dict[str, Any] | None:
    name, device = interface.name, interface.device_id or 0
    speeds = {name: interface.seen_speed_bps or interface.speed_bps}
    series = rate_series(samples, device, [name], speeds, start, now)
    if name not in series:
        return None
    received, sent = ([v for _, v in points] for points in series[name])
    shares = [
        100 * values[-1] / promised
        for values, promised in (
            (received, connection.committed_down_bps),
            (sent, connection.committed_up_bps),
        )
        if values and promised
    ]
    return {
        "connection": connection.name,
        "in_bps": received[-1] if received else None,
        "out_bps": sent[-1] if sent else None,
        "in_series_bps": received,
        "out_series_bps": sent,
        "committed_down_bps": connection.committed_down_bps,
        "committed_up_bps": connection.committed_up_bps,
        "used_pct": max(shares) if shares else None,
        "samples": len(received),
    }
