"""How late what a job says is in the database, where `siaga job show` reads it: 1,000 hosts, a second process asks.

    python -m bench.job_events [--hosts 1000] [--per-s 100] [--seconds 10]

Events are told to the recorder as Ansible would tell them, at an even rate (Ansible itself brings some 25 a second on
two cores); another process asks the database, forty times a second, how many are there.
"""

import argparse
import multiprocessing
import sqlite3
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from bench.measure import load, machine
from infra import store
from infra.desk import Desk
from infra.events import TaskEvent
from infra.models import Plan
from infra.recorder import Recorder
from inventory import runs
from inventory.database import initialise
from inventory.store import open_engine, session
from siaga.clock import utc_now
from siaga.secrets import open_vault
from siaga.settings import Settings


def asked(path: Path, wanted: int, answer: Connection) -> None:
    """Note when how many task results were in the database, until all are."""
    seen: list[tuple[float, int]] = []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as plain:
        answer.send("ready")
        while not seen or seen[-1][1] < wanted:
            (count,) = plain.execute("SELECT count(*) FROM task_result").fetchone()
            seen.append((time.monotonic(), count))
            time.sleep(0.025)
    answer.send(seen)


def told(desk: Desk, hosts: int, per_s: float, total: int) -> list[float]:
    """Tell a recorder so many events, and return when each was told."""
    names = [f"srv-{n:04}" for n in range(hosts)]
    run_id = runs.start(desk.engine, "apply", who="bench", now=utc_now())
    with session(desk.engine) as writing:
        plan = Plan(name="bench", playbook="bench", selector="all", created_at=utc_now(), hosts=names)
        writing.add(plan)
        writing.flush()
        job_id = store.add_job(writing, plan, run_id, "apply", names, utc_now())
    times, begun = [], time.monotonic()
    with Recorder(desk, job_id, lambda _: None) as recorder:
        for n in range(total):
            time.sleep(max(0.0, begun + n / per_s - time.monotonic()))
            recorder(TaskEvent(names[n % hosts], f"Task {n // hosts}", "changed", diff="+a line\n" * 20))
            times.append(time.monotonic())
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--per-s", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    total = int(given.per_s * given.seconds)
    with tempfile.TemporaryDirectory(prefix="siaga-bench-") as name:
        settings = Settings(home=Path(name) / "home")
        initialise(settings)
        ours, theirs = multiprocessing.Pipe()
        reader = multiprocessing.get_context("spawn").Process(
            target=asked, args=(settings.home / "siaga.db", total, theirs)
        )
        reader.start()
        ours.recv()
        desk = Desk(open_engine(settings), open_vault(settings.home), settings, "bench", utc_now)
        times = told(desk, given.hosts, given.per_s, total)
        seen = ours.recv()
        reader.join()
    late, at = [], 0
    for n, said in enumerate(times):
        while seen[at][1] <= n:
            at += 1
        late.append(max(0.0, seen[at][0] - said))
    print(f"{machine()}; load {load()} at the end\n")
    print(f"{given.hosts} hosts, {total} events, {given.per_s:g} a second: in the database after")
    print(f"median {statistics.median(late):.2f} s, at most {max(late):.2f} s")


if __name__ == "__main__":
    main()
