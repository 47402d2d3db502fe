"""Writes, seals and compacts without a pause, is killed at random instants, and is asked each time what is left.

    python -m tests.monitor.kill_writer FOLDER KILLS SEED

A process of its own, because it forks: the child writes, the parent kills it and looks. Prints one JSON object.
"""

import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

import numpy as np

from monitor.samples import Layout, Poll, time_of
from monitor.tsdb.check import check
from monitor.tsdb.store import EmbeddedStore

T0_MS = 1_795_478_400_000
STEP_MS = 600_000  # of the clock a round: a day is over after 144 rounds
DEVICES = 12
LAYOUT = Layout((("in_octets_64", "e1"), ("cpu", "")))
KEEP = {"raw": 10**6, "r5": 10**6, "r60": 10**6}


def at(device: int, round_: int) -> int:
    return T0_MS + round_ * STEP_MS + device * 7000


def value(device: int, round_: int) -> int:
    return device * 10**9 + round_ * 1000


def write(root: Path, first: int, told: int) -> None:
    """Write rounds for ever; each is told when it is stored, together with what is done next."""
    with EmbeddedStore(root) as store, store.writer():
        for round_ in range(first, 10**9):
            store.write(
                [
                    Poll(d, at(d, round_), LAYOUT, np.array([value(d, round_), d]), answered=True)
                    for d in range(1, DEVICES + 1)
                ]
            )
            os.write(told, b"%d\n" % round_)
            store.maintain(time_of(T0_MS + round_ * STEP_MS), KEEP)


def killed(root: Path, first: int, chance: random.Random) -> int:
    """Let a child write from `first` on, kill it in the middle, and return the last round it told."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(ours)
            write(root, first, theirs)
        finally:
            os._exit(1)
    os.close(theirs)
    told = b""
    until = time.monotonic() + 30
    while not told and time.monotonic() < until:  # begun
        if select.select([ours], [], [], 1)[0]:
            told += os.read(ours, 65536)
    end = time.monotonic() + chance.uniform(0, 0.35)
    while (left := end - time.monotonic()) > 0:
        if select.select([ours], [], [], left)[0]:
            told += os.read(ours, 65536) or b""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while part := os.read(ours, 65536):
        told += part
    os.close(ours)
    lines = told.split(b"\n")[:-1]
    return int(lines[-1]) if lines else first - 1


def lost(root: Path, acknowledged: int) -> list[str]:
    """Return what is not as it was told; samples beyond the acknowledged round may be there too."""
    found = []
    with EmbeddedStore(root) as store:
        keys = [(d, "in_octets_64", "e1") for d in range(1, DEVICES + 1)]
        series = store.read(keys, time_of(T0_MS), time_of(T0_MS * 2))
        asked = store.asked(time_of(T0_MS), time_of(T0_MS * 2))
    for key in keys:
        device, rounds = key[0], len(series[key].at_ms)
        if rounds < acknowledged + 1:
            found.append(f"device {device}: {acknowledged + 1 - rounds} rounds are gone")
        if series[key].at_ms.tolist() != [at(device, r) for r in range(rounds)]:
            found.append(f"device {device}: other times")
        if series[key].values.tolist() != [value(device, r) for r in range(rounds)]:
            found.append(f"device {device}: other values")
        if len(asked[device]) != rounds:
            found.append(f"device {device}: asked {len(asked[device])} times instead of {rounds}")
    return found


def last_round(root: Path) -> int:
    """Return the last round that is stored, acknowledged or not."""
    with EmbeddedStore(root) as store:
        series = store.read([(1, "in_octets_64", "e1")], time_of(T0_MS), time_of(T0_MS * 2))
    return max((len(s.at_ms) for s in series.values()), default=0) - 1


def main(folder: str, kills: int, seed: int) -> None:
    """Kill that often and print what was found."""
    root, chance, stored = Path(folder), random.Random(seed), -1
    wrong: list[str] = []
    leftovers = 0
    for number in range(kills):
        acknowledged = max(stored, killed(root, stored + 1, chance))
        leftovers += len(check(root).leftovers)
        wrong += [f"kill {number}: {w}" for w in lost(root, acknowledged)]
        wrong += [f"kill {number}: {d}" for d in check(root).damage]
        stored = last_round(root)
    with EmbeddedStore(root) as store:
        store.maintain(time_of(T0_MS + (stored + 300) * STEP_MS), KEEP)
    wrong += [f"at the end: {w}" for w in lost(root, stored)]
    files = len(list((root / "raw").glob("*.db")))
    left = len(check(root).leftovers)
    said = {
        "kills": kills,
        "rounds": stored + 1,
        "wrong": wrong,
        "files": files,
        "found": leftovers,
        "left": left,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
