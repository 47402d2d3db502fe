"""Kills the service at random instants, sealing and compaction among them, and tells what was lost or doubled.

    python -m tests.monitor.kill_service FOLDER KILLS SEED

Each life is a forked process in which the real service watches three devices under a fake clock: minutes pass in a
moment, so the instant of the kill may lie anywhere in polling, committing, judging, telling, sealing and compacting.
What a commit has acknowledged is written into a pipe at once; the next life goes on where the last one was cut off.
"""

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlmodel import select as rows_of

from demo.agents import Agents, Served
from inventory.platforms import platforms
from inventory.store import open_engine, reading
from monitor.models import Alert, Notification
from monitor.samples import Layout, Poll, ms_of, time_of
from monitor.service import Service
from monitor.sinks import StoreSink
from monitor.tsdb.check import check
from monitor.tsdb.store import EmbeddedStore
from siaga.settings import Settings
from tests.monitor.day_script import Script, Span, star
from tests.monitor.day_world import BPS, SETTINGS, address_of, players_of, record
from tests.monitor.fake_clock import FakeClock

BEGIN = datetime.fromisoformat("2026-11-24T10:00:00Z")
YESTERDAY_MS = ms_of(BEGIN - timedelta(days=1))
DOWN: tuple[Span, ...] = tuple(
    (600.0 + 1800 * n, 1200.0 + 1800 * n) for n in range(100)
)  # ten of thirty minutes
PORT = 21610 + os.getpid() % 90  # the same in all lives, none that the system gives away, and each run's own
LATE = Layout((("cpu", ""),))  # what comes a day late, so that there is always something to compact
LATE_DEVICE = 1
LONGEST_S = 150.0  # of a life


def script() -> Script:
    """Return what happens: one of three devices is away again and again."""
    return star("sw-1", "sw-2", until_s=1e6, begin=BEGIN, dark={"sw-2": DOWN})


def settings_of(home: Path) -> Settings:
    """Return the settings of all lives."""
    monitor = {**SETTINGS["monitor"], "reachability_s": 30, "counters_s": 60, "batch_s": 2}
    return Settings.model_validate({"home": home, **SETTINGS, "monitor": monitor})


# --- a life -----------------------------------------------------------------------------------------------


def live(home: Path, from_s: float, pipe: int) -> None:
    """Watch from a second on until killed."""
    settings = settings_of(home)
    clock = FakeClock(BEGIN)
    clock.pass_by(from_s)
    with asyncio.Runner(loop_factory=lambda: clock) as runner:
        runner.run(_living(settings, clock, pipe))


async def _living(settings: Settings, clock: FakeClock, pipe: int) -> None:
    own = script()
    agents = Agents(PORT)
    agents._start = 0.0  # the devices have been there all the time
    for name, player in players_of(own).items():
        agents.open(Served(name, address_of(own, name), player), 0)
    _tell_of_commits(clock, pipe)
    engine = open_engine(settings)
    service = Service(settings, engine, run_id=None, now=clock.now, say=lambda _: None, load=lambda: settings)
    await asyncio.gather(service.run(), _chores(service, settings, clock, pipe))


def _tell_of_commits(clock: FakeClock, pipe: int) -> None:
    """Write into the pipe what each commit has acknowledged, and what time it is."""
    plain = StoreSink.flush

    async def flush(sink: StoreSink) -> bool:
        batch = list(sink._waiting)
        if not await plain(sink):
            return False
        told = [[p.device, p.at_ms, p.asked, p.values is not None] for p in batch]
        os.write(pipe, (json.dumps([clock.time(), told]) + "\n").encode())
        return True

    StoreSink.flush = flush  # type: ignore[method-assign]


async def _chores(service: Service, settings: Settings, clock: FakeClock, pipe: int) -> None:
    """Bring samples of yesterday, and compact them, each minute."""
    while True:
        await asyncio.sleep(20)
        late_ms = YESTERDAY_MS + int(clock.time()) * 10
        service._store.add([Poll(LATE_DEVICE, late_ms, LATE, np.array([int(clock.time())]), asked=False)])
        await asyncio.sleep(40)
        with EmbeddedStore(settings.home / "tsdb") as other:
            done = other.compact(clock.now(), settings.samples.kept_days)
        os.write(pipe, (json.dumps(["compacted", done.devices]) + "\n").encode())


# --- death ------------------------------------------------------------------------------------------------


def killed(home: Path, from_s: float, chance: random.Random) -> list[list[Any]]:
    """Let one live, kill it in the middle, and return what it told."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(ours)
            live(home, from_s, theirs)
        except BaseException:  # noqa: BLE001 - whatever it is, it should live until it is killed
            traceback.print_exc()
            os.write(theirs, b'["died", 0]\n')
        finally:
            os._exit(1)
    os.close(theirs)
    told, until = b"", time.monotonic() + 60
    goal_s = from_s + chance.uniform(0, LONGEST_S)  # by its own clock, whatever else this machine does
    while _time_of(told) < goal_s and time.monotonic() < until and not _ended(child):
        if select.select([ours], [], [], 0.2)[0]:
            told += os.read(ours, 1 << 16)
    time.sleep(chance.uniform(0, 0.03))  # and then anywhere in what it does next
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while part := os.read(ours, 1 << 16):
        told += part
    os.close(ours)
    return [json.loads(line) for line in told.split(b"\n")[:-1]]


def _time_of(told: bytes) -> float:
    """Return how far it has come, by the last whole line that says so."""
    lines = [json.loads(line) for line in told.split(b"\n")[-4:-1]]
    return max((line[0] for line in lines if isinstance(line[0], float)), default=-1.0)


def _ended(child: int) -> bool:
    return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


# --- what is left -----------------------------------------------------------------------------------------


def lost(home: Path, told: list[list[Any]]) -> Iterator[str]:
    """Yield what was acknowledged and is not there, or is there and not true."""
    counted: dict[int, set[int]] = {}
    asked: dict[int, set[int]] = {}
    for device, at_ms, look, values in told:
        if look:
            asked.setdefault(device, set()).add(at_ms)
        if values:
            counted.setdefault(device, set()).add(at_ms)
    span = (time_of(YESTERDAY_MS - 1), BEGIN + timedelta(days=30))
    with EmbeddedStore(home / "tsdb") as store:
        looks = store.asked(*span)
        for device, times in asked.items():
            gone = times - {ms_of(a.at) for a in looks.get(device, ())}
            if gone:
                yield f"{len(gone)} looks at device {device} are gone"
        for device, times in counted.items():
            names = [(device, n, "") for n in ("uptime", "cpu", "siaga_late_s")]
            octets = (device, "in_octets_64", "ether1")
            series = store.read([*names, octets], *span)
            there = {int(at) for s in series.values() for at in s.at_ms}
            if gone := times - there:
                yield f"{len(gone)} polls of device {device} are gone"
            if octets in series:
                ticks = dict(
                    zip(series[names[0]].at_ms.tolist(), series[names[0]].values.tolist(), strict=True)
                )
                for at, value in zip(
                    series[octets].at_ms.tolist(), series[octets].values.tolist(), strict=True
                ):
                    if abs(value - ticks[at] / 100 * BPS / 8) > 4 * BPS / 8:
                        yield f"device {device} at {at}: {value} octets"


def doubled(home: Path, until_s: float) -> Iterator[str]:
    """Yield the alerts that are there twice or not at all, and who was told twice or not at all."""
    with reading(open_engine(settings_of(home))) as opened:
        alerts = opened.exec(rows_of(Alert).where(Alert.rule == "device-down")).all()
        keys = Counter(opened.exec(rows_of(Notification.key)).all())
    went = [a for a, b in DOWN if b < until_s]
    for start_s in went:
        near = [a for a in alerts if 0 <= (a.opened_at - BEGIN).total_seconds() - start_s < 240]
        if len(near) != 1:
            yield f"{len(near)} alerts of the fall at {start_s} s"
    for alert in alerts:
        if not any(a <= (alert.opened_at - BEGIN).total_seconds() < b for a, b in DOWN):
            yield f"an alert without a cause at {alert.opened_at}"
        if keys[f"{alert.id}/opened/default"] != 1:
            yield f"alert {alert.id} is to be told {keys[f'{alert.id}/opened/default']} times"
    path = home / "alerts.jsonl"
    told = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    by_alert = Counter((line["alert"], line["event"], line["key"]) for line in told)
    for (alert_id, event, _), number in Counter((a, e, "") for a, e, _ in by_alert).items():
        if number != 1:
            yield f"alert {alert_id}: {number} keys of {event}"  # a second copy has the same key


def main(folder: str, kills: int, seed: int) -> None:
    """Kill that often and print what was found."""
    home, chance = Path(folder) / "home", random.Random(seed)
    record(script(), settings_of(home), PORT)
    platforms()  # read before the fork: each life begins at once
    at_s, told, compacted = 0.0, [], 0
    wrong: list[str] = []
    for number in range(kills):
        lines = killed(home, at_s, chance)
        if not lines:
            wrong.append(f"life {number} did not begin")
            break
        for first, rest in lines:
            if first == "died":
                wrong.append(f"life {number} ended by itself")
            elif first == "compacted":
                compacted += 1 if rest else 0
            else:
                at_s, told = max(at_s, first), told + rest
        at_s += 1.0  # nobody knows how far it came: no later than the second in which it was cut off
        if number % 10 == 9 or number == kills - 1:
            wrong += [f"kill {number}: {w}" for w in lost(home, told)]
            wrong += [f"kill {number}: {d}" for d in check(home / "tsdb").damage]
    wrong += list(doubled(home, at_s - 120))
    said = {"kills": kills, "minutes": round(at_s / 60), "polls": len(told), "compacted": compacted}
    print(json.dumps({**said, "wrong": wrong, "cpu_s": round(sum(os.times()[:4]), 1)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
