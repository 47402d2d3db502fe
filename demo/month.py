"""The weeks before: what a poll every half an hour would have read of the same simulation since last month began.

A report of a month needs a month. The lines' counters are functions of time and are computed for all those times at
once; every device was looked at, and what was down (demo/office.py) did not answer, and the monitor said so.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import tau

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from demo.draft import Simulated
from demo.history import HOURS
from demo.mib import PortSpec
from demo.office import month_before, outages
from demo.regency import Regency
from demo.traffic import Flow
from monitor.models import StateChange
from monitor.samples import Layout, Poll, SampleStore, ms_of, time_of

Array = NDArray[np.int64]
Seconds = NDArray[np.float64]
STEP_S = 1800
Away = Mapping[str, Sequence[tuple[int, int]]]


def write(
    store: SampleStore, session: Session, regency: Regency, ids: Mapping[str, int], now: datetime
) -> int:
    """Write the polls and the changes of state from last month's first day to a day ago; return how many polls."""
    since, until = month_before(now), now - timedelta(hours=HOURS)
    times = np.arange(ms_of(since), ms_of(until), STEP_S * 1000, dtype=np.int64)
    devices = [d for d in (*regency.agents, *regency.command_lines) if d.spec.name in ids]
    away = _away(now)
    measured = {str(row["interface"]) for row in regency.sheets["connection"] if row.get("interface")}
    for device in devices:
        store.write(list(_polls(device, ids[device.spec.name], measured, times, away, now)))
        session.add_all(_changes(device.spec.name, ids[device.spec.name], since, away))
    return len(devices) * len(times)


def _away(now: datetime) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for device, start, end, _ in outages(now):
        found.setdefault(device, []).append((ms_of(start), ms_of(end)))
    return found


def _polls(
    device: Simulated, number: int, measured: set[str], times: Array, away: Away, now: datetime
) -> Iterator[Poll]:
    name = device.spec.name
    silent = np.zeros(len(times), bool)
    for start, end in away.get(name, ()):
        silent |= (times >= start) & (times < end)
    ports = [p for p in device.spec.ports if f"{name}:{p.name}" in measured]
    layout = Layout(tuple(c for p in ports for c in (("in_octets_64", p.name), ("out_octets_64", p.name))))
    values = _counters(ports, (times - ms_of(now)) / 1000)
    for i, at in enumerate(times.tolist()):
        if silent[i]:
            yield Poll(number, at, answered=False)
        else:
            yield Poll(number, at, layout, values[i]) if ports else Poll(number, at)


def _counters(ports: Sequence[PortSpec], at_s: Seconds) -> Array:
    """Return the counters at all times, a column for each direction of each port."""
    columns = [_octets(flow, at_s) for p in ports for flow in (p.rx, p.tx)]
    return np.stack(columns, axis=1) if columns else np.zeros((len(at_s), 0), np.int64)


def _octets(flow: Flow, at_s: Seconds) -> Array:
    """Return what `Flow.octets` returns, for many times; the counter of a device began long before."""
    waves = np.zeros(len(at_s))
    for share, period_s, phase in flow.waves:
        waves += share * period_s / tau * (np.cos(phase) - np.cos(tau * at_s / period_s + phase))
    found: Array = flow.first + (flow.mean * (at_s + waves)).astype(np.int64)
    return found


def _changes(name: str, number: int, since: datetime, away: Away) -> Iterator[StateChange]:
    """Yield what the monitor said of a device: up at first, down when it fell silent, up again."""
    yield StateChange(device_id=number, at=since, before="not observed", after="up", reason="answered")
    for start, end in away.get(name, ()):
        yield StateChange(device_id=number, at=time_of(start), before="up", after="down", reason="silent")
        yield StateChange(device_id=number, at=time_of(end), before="down", after="up", reason="answered")
