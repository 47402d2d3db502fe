"""Measures the sample store beside VictoriaMetrics and RRDtool; `python -m bench.store` prints markdown.

    python -m bench.store [--devices 2000] [--minutes 130] [--days 30] [--folder DIRECTORY] [--quick] [--only PART]

The load is synthetic (bench/store_load.py). CPU seconds count, user and system, because the machine has other work; the
rivals get the same samples in the same run. --quick: fewer devices, minutes and days, to see that it runs. --only: one
of the three parts: `wide` (many devices), `day` (a whole day of a few), `month` (its questions).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench import measure
from bench.store_load import LAYOUT, T0_MS, Load, made, seconds
from bench.store_rivals import Rival, rrdtool, victoria, victoria_wide
from monitor.samples import Layout, time_of
from monitor.tsdb import codec, runs, tiers
from monitor.tsdb.compact import filed
from monitor.tsdb.days import HOURLY, TIERS, DayWriter, name_of
from monitor.tsdb.groups import Plan
from monitor.tsdb.head import DAY_MS
from monitor.tsdb.merge import Part
from monitor.tsdb.store import EmbeddedStore

MINUTE = timedelta(minutes=1)
T0 = time_of(T0_MS)
MONTH = Layout((("in_octets_64", "ether1"), ("out_octets_64", "ether1")))


def cpu(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of this process that some work took."""
    began = time.process_time()
    work()
    return time.process_time() - began


def median_ms(work: Callable[[], Any], times: int = 15) -> tuple[float, Any]:
    """Return the median CPU milliseconds of a question, after one warm-up, and its last answer."""
    took, answer = [], work()
    for _ in range(times):
        began = time.process_time()
        answer = work()
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000, answer


def ingest(root: Path, load: Load, devices: int, minutes: int) -> tuple[float, float, int]:
    """Write rounds, one commit a second, sealing every minute; return CPU s of both, and the samples.

    The last hour counts, in which every slot is sealed just once, as in every hour to come.
    """
    wrote = sealed = 0.0
    count = 0
    with EmbeddedStore(root) as store, store.writer():
        for poll in range(minutes):
            batches = list(seconds(load, devices, poll))
            took_write = cpu(lambda b=batches: [store.write(polls) for polls in b])
            took_seal = cpu(lambda p=poll: store.maintain(T0 + (p + 1) * MINUTE, compacting=False))
            if poll >= minutes - 60:
                count += sum(len(b) for b in batches) * len(LAYOUT.columns)
                wrote, sealed = wrote + took_write, sealed + took_seal
    return wrote, sealed, count


def day(root: Path, load: Load) -> tuple[float, float, float]:
    """Write a day in rounds, seal and compact; return CPU s of both, and the ms of 24 h before."""
    devices, _, polls = load.values.shape
    link = [(3, m, "ether4") for m in ("in_octets_64", "out_octets_64")]
    with EmbeddedStore(root) as store:
        wrote = 0.0
        with store.writer():
            for poll in range(polls):
                batch = [p for some in seconds(load, devices, poll) for p in some]
                wrote += cpu(lambda b=batch: store.write(b))
                wrote += cpu(lambda p=poll: store.maintain(T0 + (p + 1) * MINUTE, compacting=False))
        hot_ms, _ = median_ms(lambda: store.read(link, T0, T0 + timedelta(days=1)))
        store.maintain(T0 + timedelta(days=1, hours=1, minutes=20), compacting=False)
        compacted = cpu(lambda: store.compact(T0 + timedelta(days=1, hours=3)))
    return wrote, compacted, hot_ms


def month(root: Path, days: int, devices: int, links: int) -> None:
    """Lay out the files of some days: links of one port each, and who was asked of all devices."""
    with EmbeddedStore(root) as store, store.writer():
        pass
    load = made(-(-links // 28), days * 1440, seed=3, counters=2)
    octets = load.values.reshape(-1, 2, days * 1440)[:links]
    rng = np.random.default_rng(4)
    for number in range(days):
        start = T0_MS + number * DAY_MS
        writers = {tier: DayWriter(root / tier / name_of(start // DAY_MS)) for tier in TIERS}
        for link in range(links):
            at = start + np.arange(1440) * 60_000 + link * 97 % 60_000
            values = np.ascontiguousarray(octets[link, :, number * 1440 : (number + 1) * 1440])
            part = Part(Plan(MONTH), at, np.full(1440, 7), values)
            five = tiers.binned(part.plan, at, values, start, 288)
            hourly = tiers.folded(five, np.array([True, True]), 12)
            for tier, found in filed(link + 1, part, five, hourly).items():
                writers[tier].add(found)
        writers[HOURLY].add_runs(runs.packed([_looks(rng, start, devices)]))
        for writer in writers.values():
            writer.finish()
            writer.publish()


def _looks(rng: np.random.Generator, start: int, devices: int) -> Any:
    """Return the runs of a day: each device asked every minute, about one in five silent for a while."""
    at = start + np.arange(1440)[None, :] * 60_000 + np.arange(devices)[:, None] * 29
    flags = np.full(at.shape, 7)
    for device in np.flatnonzero(rng.random(devices) < 0.2):
        begin = rng.integers(0, 1440)
        flags[device, begin : begin + rng.integers(1, 240)] = runs.ASKED
    ids = np.repeat(np.arange(1, devices + 1), 1440)
    return runs.runs_of(ids, at.ravel(), flags.ravel())


def questions(root: Path, days: int, devices: int, links: int) -> list[list[str]]:
    """Return the rows of the month's questions."""
    end = T0 + timedelta(days=days)
    some = [(d, m, "ether1") for d in range(1, links + 1) for m in ("in_octets_64", "out_octets_64")]
    with EmbeddedStore(root) as store:
        one, two = some[:2]
        day_ms, _ = median_ms(lambda: store.read([one, two], end - timedelta(days=1), end - MINUTE))
        month_ms, _ = median_ms(lambda: store.read([one, two], T0, end))
        graph_ms, _ = median_ms(lambda: store.bins([one, two], T0, end, 3600))
        p95_ms, found = median_ms(lambda: store.percentiles(some, 0.95, T0, end), 3)
        up_ms, held = median_ms(lambda: store.availability(T0, end, 180), 5)
    assert (len(found), len(held)) == (2 * links, devices)
    return [
        ["a link's 24 h, every value, from its file", f"{day_ms:.2f}", "1"],
        [f"a link's {days} days, every value", f"{month_ms:.1f}", "10"],
        [f"a link's {days} days, by the hour", f"{graph_ms:.1f}", ""],
        [f"95th percentile of {links} links, both ways, {days} days", f"{p95_ms:.0f}", "500"],
        [f"availability of {devices} devices, {days} days", f"{up_ms:.0f}", "100"],
    ]


def _now(root: Path, devices: int, minutes: int) -> list[list[str]]:
    now = T0 + minutes * MINUTE
    with EmbeddedStore(root) as store:
        last_ms, found = median_ms(lambda: store.last(now), 5)
        top_ms, _ = median_ms(lambda: store.top("in_octets_64", now), 5)
    assert len(found) == devices
    return [
        [f"last two polls of {devices} devices ({devices * 280} series)", f"{last_ms:.0f}", "50"],
        [f"top 20 of {devices * 28} ports now", f"{top_ms:.0f}", ""],
    ]


def _beside(
    ours: tuple[float, float], size: int, samples: int, rivals: dict[str, Rival | None]
) -> list[list[str]]:
    wrote, compacted = ours
    whole = samples / (wrote + compacted) / 1e6
    rows = [["siaga, to the sealed day file and both tiers", f"{whole:.2f}", "1.0", f"{size / samples:.2f}"]]
    for name, rival in rivals.items():
        if rival:
            rate = rival.samples / rival.cpu_s / 1e6
            rows.append(
                [name, f"{rate:.2f}", f"{whole / rate:.1f}", f"{rival.disk_bytes / rival.samples:.2f}"]
            )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=2000)
    parser.add_argument("--minutes", type=int, default=130)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=list(PARTS))
    order = parser.parse_args()
    if order.quick:
        order.devices, order.minutes, order.days = 120, 70, 2
    print(f"Load average at the beginning: {measure.load()}. Codec: {('zlib', 'zstd')[codec.available()]}.\n")
    with tempfile.TemporaryDirectory(dir=order.folder) as folder:
        parts = [part for name, part in PARTS.items() if order.only in (None, name)]
        spent: dict[str, float] = {}
        asked = [row for part in parts for row in part(Path(folder), order, spent)]
    print(measure.table(["question", "CPU ms", "promised"], asked), "\n")
    print(f"Load average at the end: {measure.load()}.")


def _wide(folder: Path, order: argparse.Namespace, spent: dict[str, float]) -> list[list[str]]:
    """Write and seal hours of many devices, beside VictoriaMetrics; return what was asked of them."""
    load = made(100, order.minutes, seed=1)
    wrote, sealed, count = ingest(folder / "wide", load, order.devices, order.minutes)
    rows = [
        ["write (one commit a second, on the disk)", f"{count / wrote / 1e6:.1f}"],
        ["write and seal", f"{count / (wrote + sealed) / 1e6:.1f}"],
    ]
    asked = _now(folder / "wide", order.devices, order.minutes)
    rival = victoria_wide(made(100, 6, seed=1), order.devices, folder / "vmw")
    if rival:
        rate = rival.samples / rival.cpu_s / 1e6
        rows += [
            ["VictoriaMetrics, server alone, series known", f"{rate:.2f}"],
            ["times our CPU to write and seal", f"{count / (wrote + sealed) / 1e6 / rate:.1f}"],
        ]
        spent["ours"], spent["theirs"] = (wrote + sealed) / count, 1e-6 / rate
    header = [f"{order.devices * 280} series, {count / 1e6:.1f} M samples", "M samples/s/core"]
    print(measure.table(header, rows), "\n")
    return asked


def _day(folder: Path, order: argparse.Namespace, spent: dict[str, float]) -> list[list[str]]:
    """Write, seal and compact a day of few devices, beside both rivals; return what was asked before its file was."""
    load = made(6 if order.quick else 24, 1440, seed=2)
    wrote, compacted, hot_ms = day(folder / "day", load)
    sizes = {t: sum(p.stat().st_size for p in (folder / "day" / t).iterdir()) for t in TIERS}
    rivals = {
        "VictoriaMetrics, server alone": victoria(load, folder / "vm"),
        "RRDtool, raw points alone": rrdtool(load, folder / "rrd", 60 if order.quick else 360),
    }
    series = f"{load.values[..., 0].size} series for a day, {load.samples / 1e6:.1f} M samples"
    header = [series, "M samples/s/core", "times our CPU", "B/sample"]
    print(measure.table(header, _beside((wrote, compacted), sizes["raw"], load.samples, rivals)), "\n")
    tiers_said = ", ".join(f"{t} {size / load.samples:.2f}" for t, size in sizes.items())
    rate = f"{load.samples / compacted / 1e6:.1f} M samples/s/core"
    print(f"Bytes a raw sample by tier: {tiers_said}. Compaction alone: {rate}.\n")
    if "theirs" in spent:
        times = spent["theirs"] / (spent["ours"] + compacted / load.samples)
        print(f"At {order.devices * 280} series, compaction included: {times:.1f} times our CPU.\n")
    vm = rivals["VictoriaMetrics, server alone"]
    if vm and vm.day_ms:
        print(f"VictoriaMetrics, one series' 24 h as rates: {vm.day_ms:.1f} ms of wall time.\n")
    return [["a link's 24 h, every value, from the head and 23 hours", f"{hot_ms:.2f}", "1"]]


def _month(folder: Path, order: argparse.Namespace, spent: dict[str, float]) -> list[list[str]]:
    links = 28 if order.quick else 500
    month(folder / "month", order.days, order.devices, links)
    return questions(folder / "month", order.days, order.devices, links)


PARTS = {"wide": _wide, "day": _day, "month": _month}


if __name__ == "__main__":
    main()
