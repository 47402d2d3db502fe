"""What the readiness report's figures cost: 400 sites, 90 days, all indicators, in a process of its own.

    python -m bench.readiness [--sites 400] [--days 90]

Measured is what `siaga report indicators` does besides starting: asking the stores, the snapshot, the judgement; then
the same judgement from the snapshot alone, and the bundle. CPU seconds of one core; memory is the greatest size of
the process. The traffic is synthetic, and says so.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import select

from bench.store_load import T0_MS
from inventory.database import initialise
from inventory.history import Author
from inventory.models import Device
from inventory.store import open_engine, session
from inventory.writing import Writer
from monitor.models import StateChange
from monitor.samples import Layout, time_of
from monitor.tsdb import runs, tiers
from monitor.tsdb.compact import Part, filed
from monitor.tsdb.days import HOURLY, TIERS, DayWriter, DeviceDay, name_of
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import DAY_MS
from monitor.tsdb.store import EmbeddedStore
from siaga.settings import Settings

COLUMNS = (("in_octets_64", "wan"), ("out_octets_64", "wan"), ("rtt", ""), ("loss", ""))
KINDS = (("opd", 31), ("kecamatan", 29), ("puskesmas", 44), ("rsud", 4), ("desa", 274))
CIR_BPS = 50_000_000
PATTERNS = 40  # routers whose traffic differs; packing 36,000 days of their own would take two minutes


def record(home: Path, sites: int) -> dict[str, int]:
    """Record the regency: an agency, a router, a link under contract and a connection at each site."""
    settings = Settings(home=home)
    initialise(settings)
    kinds = [k for k, n in KINDS for _ in range(n)]
    with session(open_engine(settings)) as opened:
        writer = Writer(opened, Author("bench", time_of(T0_MS)), keep=False)
        writer.put(
            "place", {"name": "Kabupaten Tangerang", "kind": "regency", "code": "36.03", "priority": 3}
        )
        writer.put("provider", {"name": "isp"})
        for n in range(10):
            writer.put(
                "contract",
                {"name": f"K/{n}", "provider": "isp", "committed_down_bps": CIR_BPS, "committed_up_bps": CIR_BPS,
                 "availability_pct": 99.0, "price_idr": 10**9, "start": "2026-01-01", "end": "2026-12-31",
                 "penalty": "1%/jam maks 50%", "claim_after_s": 300},
            )  # fmt: skip
        for n in range(sites):
            _site(writer, n, kinds[n] if n < len(kinds) else "other")
        writer.put("evidence", {"name": "sk", "kind": "sk_ttis", "dated": "2026-02-10"})
        writer.finish()
    with session(open_engine(settings)) as opened:
        return {name: i or 0 for i, name in opened.exec(select(Device.id, Device.name))}


def _site(writer: Writer, n: int, kind: str) -> None:
    place = f"site-{n:03}"
    writer.put(
        "place", {"name": place, "kind": "site", "parent": "Kabupaten Tangerang", "priority": 1 + n % 3}
    )
    writer.put("agency", {"name": f"agency-{n:03}", "kind": kind, "place": place})
    writer.put(
        "device", {"name": f"rtr-{n:03}", "role": "router", "place": place, "agency": f"agency-{n:03}"}
    )
    writer.put("interface", {"device": f"rtr-{n:03}", "name": "wan"})
    end = {"z_interface": f"rtr-{n:03}:wan", "contract": f"K/{n % 10}", "path_group": f"ring-{n % 4}"}
    writer.put("link", {"name": f"link-{n:03}", "kind": "fibre", **end})
    own = {"agency": f"agency-{n:03}", "place": place, "link": f"link-{n:03}", "device": f"rtr-{n:03}"}
    writer.put("connection", {"name": f"wan-{n:03}", **own, "interface": f"rtr-{n:03}:wan"})


def watch(home: Path, devices: list[int], days: int) -> None:
    """Lay out the files of the days: four series of each router, who was asked, and about twenty outages of each."""
    rng = np.random.default_rng(36_03)
    root = home / "tsdb"
    with EmbeddedStore(root) as store, store.writer():
        pass
    layout = Layout(COLUMNS)
    curve = 0.3 + 0.5 * np.clip(np.sin((np.arange(1440) / 1440 - 0.29) * 2 * np.pi), 0, None)
    speed = rng.uniform(0.1, 1.05, len(devices)) * CIR_BPS / 8 * 60
    away: list[tuple[int, int, int]] = []
    for number in range(days):
        start = T0_MS + number * DAY_MS
        writers = {tier: DayWriter(root / tier / name_of(start // DAY_MS)) for tier in TIERS}
        flags = np.full((len(devices), 1440), 7)
        known: list[Mapping[str, DeviceDay]] = []
        for place, device in enumerate(devices):
            if place < PATTERNS:
                known.append(_encoded(rng, layout, curve, speed[place], start, number))
            for tier, found in known[place % PATTERNS].items():
                writers[tier].add(replace(found, device=device))
            if rng.random() < 20 / days:
                begin, length = int(rng.integers(0, 1300)), int(rng.integers(2, 139))
                flags[place, begin : begin + length] = runs.ASKED
                away.append((device, start + begin * 60_000, start + (begin + length) * 60_000))
        at = start + np.arange(1440)[None, :] * 60_000 + np.arange(len(devices))[:, None] % 60 * 1000
        ids = np.repeat(np.array(devices), 1440)
        writers[HOURLY].add_runs(runs.packed([runs.runs_of(ids, at.ravel(), flags.ravel())]))
        for writer in writers.values():
            writer.finish()
            writer.publish()
    _states(home, devices, away)


def _encoded(
    rng: np.random.Generator,
    layout: Layout,
    curve: NDArray[np.float64],
    speed: float,
    start: int,
    number: int,
) -> Mapping[str, DeviceDay]:
    """Return a day of one router in every tier, as the store packs it; several routers share one."""
    moments = start + np.arange(1440) * 60_000
    values = _values(rng, curve, speed, number)
    part = Part(Plan(layout), moments, np.full(1440, 7), values)
    five = tiers.binned(part.plan, moments, values, start, 288)
    hourly = tiers.folded(five, np.array([True, True, False, False]), 12)
    return filed(0, part, five, hourly)


def _values(
    rng: np.random.Generator, curve: NDArray[np.float64], speed: float, number: int
) -> NDArray[np.int64]:
    """Return a day of the four series, counters going on from day to day."""
    octets = curve * speed * rng.uniform(0.8, 1.2, 1440)
    base = number * 1440 * speed
    rtt, loss = rng.uniform(4e3, 18e3, 1440), rng.integers(0, 2, 1440) * 50
    rows = [base + np.cumsum(octets), base / 5 + np.cumsum(octets) / 5, rtt, loss]
    return np.ascontiguousarray(np.stack(rows).astype(np.int64))


def _states(home: Path, devices: list[int], away: list[tuple[int, int, int]]) -> None:
    with session(open_engine(Settings(home=home))) as opened:
        for device in devices:
            opened.add(StateChange(device_id=device, at=time_of(T0_MS), before="not observed", after="up"))
        for device, begin, end in away:
            down = time_of(begin) + timedelta(minutes=1)
            opened.add(StateChange(device_id=device, at=down, before="up", after="down"))
            opened.add(StateChange(device_id=device, at=time_of(end), before="down", after="up"))


def measured(home: Path, days: int) -> dict[str, Any]:
    """Judge the period in this process and say what it cost."""
    from report.assessment_json import as_json
    from report.bundle import packed
    from report.judge import assess
    from report.judging import judge
    from report.questions import Period
    from report.snapshot import read
    from siaga.signing import open_signer

    settings = Settings(home=home)
    period = Period(time_of(T0_MS), time_of(T0_MS + days * DAY_MS))
    began = time.process_time()
    found = judge(settings, period)
    judged_s = time.process_time() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.process_time()
    _, told = read(found.snapshot.data)
    again = assess(told, found.loaded, snapshot_sha256=found.snapshot.sha256)
    again_s = time.process_time() - began
    assert as_json(again) == as_json(found.assessment)
    began = time.process_time()
    bundle = packed(found.snapshot, as_json(found.assessment), found.loaded.data, {}, open_signer(home))
    return {
        "judged_s": round(judged_s, 2),
        "peak_mb": round(peak_mb),
        "from_snapshot_s": round(again_s, 2),
        "bundle_s": round(time.process_time() - began, 2),
        "snapshot_kb": len(found.snapshot.data) // 1000,
        "bundle_kb": len(bundle) // 1000,
        "rows_with_level": sum(r.level is not None for r in found.assessment.rows),
        "index": found.assessment.index.value,
    }


def run(module: str, measure: Callable[[Path, int], dict[str, Any]]) -> None:
    """Make the home, measure three times in a child of its own that is this module again, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", type=int, default=400)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--home", type=Path, help="keep the home here, and use it again")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    order = parser.parse_args()
    if order.child:
        print(json.dumps(measure(order.child, order.days)))
        return
    with tempfile.TemporaryDirectory() as folder:
        home = order.home or Path(folder) / "home"
        if not home.exists():
            known = record(home, order.sites)
            watch(home, sorted(known.values()), order.days)
        command = [sys.executable, "-m", module, "--days", str(order.days), "--child", str(home)]
        print(f"{order.sites} sites, {order.days} days, {date.today()}, one core of {os.cpu_count()}")  # noqa: DTZ011
        for _ in range(3):
            print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


if __name__ == "__main__":
    run("bench.readiness", measured)
