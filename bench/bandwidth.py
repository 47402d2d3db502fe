"""Measures availability and bandwidth over a month; `python -m bench.bandwidth [--days 30]` prints markdown.

    python -m bench.bandwidth [--devices 2000] [--links 500] [--days 30] [--folder DIRECTORY]

The samples are those of bench/store.py: a look a minute, a fifth of the devices silent for a while each day, 500 links.
Each silence has its two transitions. CPU seconds count, user and system; medians of five after one warm-up.
"""

import argparse
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlmodel import Session, SQLModel

from bench.store import T0, median_ms, month
from inventory.database import initialise
from inventory.models import Connection, Contract, Device, Interface, Provider
from inventory.store import open_engine, reading, session
from monitor import availability, uptimes
from monitor.bandwidth import usages
from monitor.models import StateChange
from monitor.samples import open_samples, time_of
from monitor.tsdb import runs
from siaga.settings import Settings


def rows(opened: Session, table: type[SQLModel], values: list[dict[str, Any]]) -> None:
    """Insert many rows, with the defaults of their model."""
    plain = [table(**v).model_dump(exclude={"id"}) | {k: v[k] for k in v if k == "id"} for v in values]
    opened.execute(insert(table), plain)


def furnish(settings: Settings, table: Any, devices: int, links: int) -> int:
    """Record devices, lines, and the transitions of every silence; return how many these are."""
    names = [f"d{n:04}" for n in range(1, devices + 1)]
    changes = [
        {"device_id": d, "at": T0, "before": "not observed", "after": "up"} for d in range(1, devices + 1)
    ]
    silent = table[:, table[runs.ANSWER] == 0]
    for device, first, last in silent[[runs.DEVICE, runs.FIRST, runs.LAST]].T.tolist():
        down, up = time_of(first + 60_000), time_of(last + 60_000)
        changes.append({"device_id": device, "at": down, "before": "up", "after": "down"})
        changes.append({"device_id": device, "at": up, "before": "down", "after": "up"})
    with session(open_engine(settings)) as opened:
        rows(opened, Provider, [{"id": 1, "name": "isp"}])
        rows(opened, Contract, [{"id": 1, "name": "K/1", "provider_id": 1, "committed_down_bps": 10**8}])
        rows(opened, Device, [{"id": n, "name": name, "role": "router"} for n, name in enumerate(names, 1)])
        ports = [{"id": n, "device_id": n, "name": "ether1"} for n in range(1, links + 1)]
        rows(opened, Interface, ports)
        lines = [
            {"id": n, "name": f"c{n}", "device_id": n, "interface_id": n, "contract_id": 1}
            for n in range(1, links + 1)
        ]
        rows(opened, Connection, lines)
        rows(opened, StateChange, changes)
    return len(changes)


def main() -> None:
    """Lay out a month, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("devices", 2000), ("links", 500), ("days", 30)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--folder", type=Path, default=None)
    order = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=order.folder, prefix="siaga-bench-") as place:
        settings = Settings(home=Path(place) / "home")
        initialise(settings)
        month(settings.home / "tsdb", order.days, order.devices, order.links)
        _ask(settings, order)


def _ask(settings: Settings, order: argparse.Namespace) -> None:
    end = T0 + timedelta(days=order.days)
    window = availability.Window(T0, end, 180.0)
    with open_samples(settings.home) as samples:
        table = samples.runs(T0, end, 180.0)
        many = furnish(settings, table, order.devices, order.links)
        ids = np.arange(1, order.devices + 1).tolist()
        with reading(open_engine(settings)) as opened:
            up_ms, parts = median_ms(
                lambda: uptimes.per_device(availability.look(opened, samples, ids, window)), 5
            )
            read_ms, _ = median_ms(lambda: samples.runs(T0, end, 180.0, ids), 5)
            state_ms, _ = median_ms(lambda: availability.changes(opened, ids, window), 5)
            use_ms, found = median_ms(lambda: usages(opened, samples, "connection", (), (T0, end)), 3)
            group_ms, _ = median_ms(lambda: usages(opened, samples, "provider", (), (T0, end)), 3)
    assert len(parts) == order.devices
    assert all(u.down.p95_bps is not None for u in found)
    assert all(sum(p.ms) == p.window_ms for p in parts.values())
    print(f"| {order.days} days | CPU ms | at most |\n|---|--:|--:|")
    print(f"| availability of {order.devices} devices, {many} transitions | {up_ms:.0f} | 100 |")
    print(f"| … of which the looks | {read_ms:.0f} | |\n| … of which the transitions | {state_ms:.0f} | |")
    print(f"| p95, peak, mean, trend of {order.links} lines, both ways | {use_ms:.0f} | 500 |")
    print(f"| the same of their sum, bin by bin | {group_ms:.0f} | |")


if __name__ == "__main__":
    main()
